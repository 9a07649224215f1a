/* SPDX-License-Identifier: MIT */
/*
 * ahead.h - what a run still has to do, and how long that takes.
 */
#ifndef PXR_EXPERIMENT_AHEAD_H
#define PXR_EXPERIMENT_AHEAD_H

#include "experiment/state.h"

/* Steps of an interval; 0: never. */
int64_t pxr_period(const struct pxr_experiment *e, struct pxr_interval every);

/* Images that are trained on, evaluated and drawn after `step`, up to the end of the run. */
struct pxr_ahead {
        double trained, evaluated, drawn;
};

struct pxr_ahead pxr_images_ahead(const struct pxr_experiment *e, int64_t step);

/* Images of the training that were done after `step` steps: the last batch of an epoch may be a
 * part of one. */
int64_t pxr_images_trained(const struct pxr_experiment *e, int64_t step);

/* Seconds up to the end of the run, at `pace` images of training a second; NAN where that is. What
 * was evaluated and drawn so far gives the pace of these; before, an evaluation is taken to be
 * three times as fast as training, and drawing an image to take as long as training on one. */
double pxr_seconds_ahead(const struct pxr_state *state, double pace);

#endif
