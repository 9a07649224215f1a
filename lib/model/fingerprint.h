/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - what a model computes, in two numbers.
 *
 * The certificate is of the graph and does not change when a kernel computes something else; these
 * numbers do. They are of one fixed image and fixed parameters, in double precision, so that
 * another build, processor or instruction set changes their last digits alone. Uses base/ and
 * tensor/.
 */
#ifndef PXR_MODEL_FINGERPRINT_H
#define PXR_MODEL_FINGERPRINT_H

#include "model/model.h"

struct pxr_fingerprint {
        double nll;      /* of the image, in nats */
        double gradient; /* magnitudes of the NLL's gradient by the parameters, a weighted sum */
};

/* Take a model's fingerprint; without `gradient` its NLL alone, the gradient being NAN. How the
 * parameters are initialised is no part of it. Returns 0, or -1 after an error. */
int pxr_fingerprint_take(const struct pxr_model *model, bool gradient,
                         struct pxr_fingerprint *fingerprint, struct pxr_diag *diag);

/* Are two numbers of fingerprints the same but for rounding? NAN is the same as any. */
bool pxr_fingerprint_same(double a, double b);

#endif
