/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.h - the single tests of conformance.h.
 */
#ifndef PXR_MODEL_CONFORMANCE_TESTS_H
#define PXR_MODEL_CONFORMANCE_TESTS_H

#include "model/model.h"

/* Returns NULL when the test is passed, else what is wrong, a text in the arena. *skipped is set
 * when there is nothing to test. */
typedef const char *pxr_check_test(struct pxr_arena *arena, const struct pxr_model *model,
                                   const char **skipped, struct pxr_diag *diag);

pxr_check_test pxr_check_gradients, pxr_check_causality, pxr_check_advance, pxr_check_threads,
        pxr_check_memory;

#endif
