/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.h - the single tests of conformance.h.
 */
#ifndef PXR_MODEL_CONFORMANCE_TESTS_H
#define PXR_MODEL_CONFORMANCE_TESTS_H

#include "model/bench.h"
#include "model/model.h"

/* Images of a batch, and batches of a bench: all images differ. */
enum { PXR_TEST_IMAGES = 3, PXR_TEST_BATCHES = 3 };

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
        pxr_check_memory;

/* --- for the tests --- */

/* A workspace for one batch; NULL when out of memory. */
struct pxr_workspace *pxr_test_workspace(const struct pxr_subject *subject,
                                         enum pxr_precision precision, enum pxr_use use,
                                         bool checked);

/* Pixels of one batch. */
const uint8_t *pxr_test_batch(const struct pxr_subject *subject, int batch);

/* Forward pass and loss of the loaded batch; returns the sum of its NLL in nats. */
double pxr_test_nll(struct pxr_workspace *workspace, const void *parameters);

/* Forward, loss and backward in single precision; adds to `gradient`. */
void pxr_test_train(const struct pxr_subject *subject, struct pxr_workspace *workspace, int batch,
                    float *gradient);

/* What a test returns when out of memory. */
extern const char pxr_test_no_memory[];

#endif
