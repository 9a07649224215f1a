/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - what every layer must keep, built-in or not: `pxr-layers check`.
 *
 * A layer's check stack is built for several kinds of image, and each is put to these tests, of
 * which none is made where the first fails: memory      sentinels untouched, nothing read before it
 * is written, shared memory changes no bit, gradients are added to gradients   backward against
 * central differences in double precision, for parameters and for every input of every op
 * (op_gradients.h); single precision against double causality   declared dependencies, changed
 * values, NaN in all later values; no op's output changes with a pixel that it does not declare
 *   advance     pixel by pixel equals the whole map, in both precisions
 *   threads     the same bits when several batches are computed in turns, and on three threads
 */
#ifndef PXR_MODEL_CONFORMANCE_H
#define PXR_MODEL_CONFORMANCE_H

#include "model/model.h"

/* What stands for the tests where the layer refuses a kind of image: skipped, with its reason. */
#define PXR_CHECK_BUILD "build"

/* One test done, or about to be done. `problem` is NULL when it was passed. `skipped` says why
 * there was nothing to test, else NULL. */
struct pxr_check_result {
        const char *test;
        struct pxr_image_kind kind;
        bool begins; /* the test is not done yet */
        const char *problem;
        const char *skipped;
};

/* Put one plugin to all tests, handing each result to `report`. Returns 0 when all are passed, 1
 * when one was not, -1 after an error that kept the tests from running: that no kind of image could
 * be built is one. */
int pxr_check_layer(const struct pxr_plugins *plugins, const struct pxr_plugin_file *file,
                    void (*report)(void *context, const struct pxr_check_result *result),
                    void *context, struct pxr_diag *diag);

#endif
