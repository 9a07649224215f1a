/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.h - the single tests of conformance.h.
 */
#ifndef PXR_MODEL_CONFORMANCE_TESTS_H
#define PXR_MODEL_CONFORMANCE_TESTS_H

#include "model/bench.h"
#include "model/model.h"

/* A model under test. What its tests make lasts as long as the arena. */
struct pxr_subject {
        struct pxr_arena *arena;
        const struct pxr_model *model;
        const struct pxr_graph *graph;
        const struct pxr_bench *bench; /* no parameter is zero, except masked weights */
        const char *skipped;           /* set when there is nothing to test: why */
        struct pxr_diag *diag;
};

/* Returns 0, or -1 when out of memory. */
int pxr_subject_new(struct pxr_subject *subject, struct pxr_arena *arena,
                    const struct pxr_model *model, struct pxr_diag *diag);

/* Returns NULL when the test is passed, else what is wrong. */
typedef const char *pxr_check_test(struct pxr_subject *subject);

pxr_check_test pxr_check_gradients, pxr_check_causality, pxr_check_advance, pxr_check_threads,
        pxr_check_memory, pxr_check_mixed;

#endif
