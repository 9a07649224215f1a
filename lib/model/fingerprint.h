/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - what a model computes, in three numbers.
 *
 * The certificate is of the graph and does not change when a kernel computes something else; these
 * numbers do. They are of one fixed image and fixed parameters; another build, processor or
 * instruction set changes their last digits alone.
 */
#ifndef PXR_MODEL_FINGERPRINT_H
#define PXR_MODEL_FINGERPRINT_H

#include "model/model.h"

/* What the numbers are of: one more with each change of the image, the parameters or the sums. */
enum { PXR_FINGERPRINT_VERSION = 1 };

/* NAN: not on record, or no number. */
struct pxr_fingerprint {
        double nll;      /* of the image, in nats, in double precision */
        double gradient; /* magnitudes of its gradient by the parameters, a weighted sum */
        double single;   /* the NLL of the first pixels in single precision, in which models are
                            trained and used */
};

/* Take a model's fingerprint by the passes that train. What the parameters start from is no part of
 * it. Returns 0, or -1 after an error. */
int pxr_fingerprint_take(const struct pxr_model *model, struct pxr_fingerprint *fingerprint,
                         struct pxr_diag *diag);

/* Take `single` alone, step by step as images are drawn and decoded, or by a whole pass where the
 * model cannot go by steps. Returns 0, or -1 after an error. */
int pxr_fingerprint_use(const struct pxr_model *model, double *single, struct pxr_diag *diag);

/* Is a number of that precision what it was, but for rounding? Whatever it was if that is NAN. */
bool pxr_fingerprint_same(double now, double was, enum pxr_precision precision);

/* Are all three finite? */
bool pxr_fingerprint_known(const struct pxr_fingerprint *fingerprint);

#endif
