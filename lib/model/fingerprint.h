/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - what a model computes, in three numbers.
 *
 * The certificate is of the graph and does not change when a kernel computes something else; these
 * numbers do. They are of one fixed image and fixed parameters. In double precision another build,
 * processor or instruction set changes their last digits alone. Uses base/ and tensor/.
 */
#ifndef PXR_MODEL_FINGERPRINT_H
#define PXR_MODEL_FINGERPRINT_H

#include "model/model.h"

/* NAN: not taken, or not to be had. */
struct pxr_fingerprint {
        double nll;      /* of the image, in nats */
        double gradient; /* magnitudes of the NLL's gradient by the parameters, a weighted sum */
        double single;   /* the NLL in single precision, in which models are trained and used */
};

/* Take a model's fingerprint: for `training` by the passes that train; else without the gradient,
 * and `single` step by step, as images are drawn and decoded. What the parameters start from is no
 * part of it. Returns 0, or -1 after an error. */
int pxr_fingerprint_take(const struct pxr_model *model, bool training,
                         struct pxr_fingerprint *fingerprint, struct pxr_diag *diag);

/* Are two numbers of that precision the same but for rounding? NAN is the same as any. */
bool pxr_fingerprint_same(double a, double b, enum pxr_precision precision);

/* Are all three known? */
bool pxr_fingerprint_known(const struct pxr_fingerprint *fingerprint);

#endif
