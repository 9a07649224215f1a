/* SPDX-License-Identifier: MIT */
/*
 * rank_speed.h - how fast the ranks of an MPI launcher train together, and a prediction for more.
 */
#ifndef PXR_EXPERIMENT_RANK_SPEED_H
#define PXR_EXPERIMENT_RANK_SPEED_H

#include "experiment/experiment.h"
#include "experiment/speed.h"
#include "train/ranks.h"

struct pxr_rank_speed {
        int ranks, threads, batch;
        struct pxr_timing step; /* seconds of a step */
        double mean;            /* of the same */
        double worked;          /* of them, seconds of rank 0's own gradients; mean */
        double waited;          /* of them, seconds that rank 0 waited for others; mean */
        double sent;            /* bytes that rank 0 sends in a step */
        double parameters;
        int micro_batches; /* of a batch */
        double bandwidth;  /* bytes a second between rank 0 and the last; NAN: there is no other */
        double latency;    /* seconds of a message of one byte between the two */
};

/* Measure steps on random images, in all ranks at once; `ranks` NULL: alone. Rank 0 has the result.
 * Returns 0, 1 when it was stopped, or -1. */
int pxr_measure_ranks(struct pxr_ranks *ranks, const struct pxr_speed_order *order,
                      struct pxr_rank_speed *speed, struct pxr_diag *diag);

/* Seconds of a step with so many ranks of as many threads, joined by a network of `bandwidth` bytes
 * a second and `latency` seconds a message, by the formula in docs/clusters.md. */
double pxr_predict_step(const struct pxr_rank_speed *speed, int ranks, double bandwidth,
                        double latency);

#endif
