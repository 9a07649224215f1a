/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - three numbers that identify what a model computes.
 *
 * The certificate identifies the graph, but does not change if a kernel computes something else;
 * these numbers do. They are computed for a fixed image and fixed parameters. Another build,
 * processor or instruction set changes only their last digits.
 */
#ifndef PXR_MODEL_FINGERPRINT_H
#define PXR_MODEL_FINGERPRINT_H

#include "model/model.h"

/* Incremented with each change of the image, the parameters or the sums. */
enum { PXR_FINGERPRINT_VERSION = 1 };

/* NAN: not on record, or not a number. */
struct pxr_fingerprint {
        double nll;      /* of the image, in nats, in double precision */
        double gradient; /* weighted sum of the magnitudes of the parameters' gradients */
        double single;   /* the NLL of the first pixels in single precision, in which models are
                            trained and used */
};

/* Compute a model's fingerprint by the passes of training; or, for `drawing`, set only `single`,
 * computed pixel by pixel as in drawing and decoding, or by a whole pass if the model does not
 * support that. It does not depend on the initial parameters. Returns 0, or -1 after an error. */
int pxr_fingerprint_take(const struct pxr_model *model, bool drawing,
                         struct pxr_fingerprint *fingerprint, struct pxr_diag *diag);

/* Whether a number of that precision is the same up to rounding. True if `was` is NAN. */
bool pxr_fingerprint_same(double now, double was, enum pxr_precision precision);

/* Whether all three are finite. */
bool pxr_fingerprint_known(const struct pxr_fingerprint *fingerprint);

#endif
