/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - the tests that every layer must pass, built-in or not: `pxr-layers check`.
 *
 * A layer's check stack is built for several kinds of image and each model is tested. If the first
 * test fails, the others are skipped.
 *
 *   memory      sentinels are intact, nothing is read before it is written, sharing memory changes
 *               no bit, gradients are added to what is there
 *   gradients   backward agrees with central differences in double precision, for parameters and
 *               for every input of every op (op_gradients.h); single precision agrees with double
 *   causality   declared dependencies, changed values, NaN in all later values; no op's output
 *               changes with a pixel that the op does not declare to read
 *   advance     pixel by pixel equals the whole map, in both precisions
 *   mixed       in mixed precision each op computes what its float32 kernels do, but for rounding
 *   threads     the same bits when several batches are interleaved, and on three threads
 */
#ifndef PXR_MODEL_CONFORMANCE_H
#define PXR_MODEL_CONFORMANCE_H

#include "model/model.h"

/* The test named in a result when the layer refuses a kind of image: skipped, with its reason. */
#define PXR_CHECK_BUILD "build"

/* One test, done or about to be done. */
struct pxr_check_result {
        const char *test;
        struct pxr_image_kind kind;
        bool begins;         /* the test is about to be done */
        const char *problem; /* NULL: passed */
        const char *skipped; /* why there was nothing to test; NULL: there was */
};

typedef void pxr_check_report(void *context, const struct pxr_check_result *result);

/* Run all tests on one plugin and hand each result to `report`. Returns 0 if all passed, 1 if one
 * failed, or -1 after an error: out of memory, or the layer refuses every kind of image. */
int pxr_check_layer(const struct pxr_plugins *plugins, const struct pxr_plugin_file *file,
                    pxr_check_report *report, void *context, struct pxr_diag *diag);

#endif
