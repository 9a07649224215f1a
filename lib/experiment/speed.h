/* SPDX-License-Identifier: MIT */
/*
 * speed.h - how fast a model is trained, evaluated and drawn from, held against the machine's speed
 * at plain matrix products.
 */
#ifndef PXR_EXPERIMENT_SPEED_H
#define PXR_EXPERIMENT_SPEED_H

#include "experiment/experiment.h"
#include "experiment/peak.h"

/* The seconds that repetitions of one piece of work took. */
struct pxr_timing {
        int repetitions;
        double median, fastest, slowest;
};

/* Of repetitions that took so many seconds each, which are sorted. */
struct pxr_timing pxr_timing_of(double *seconds, int repetitions);

/* Random images for a graph, the same at every call. */
void pxr_random_images(const struct pxr_graph *graph, size_t images, uint8_t *pixels);

/* One kind of op: nodes with the same op and weights of the same shape. */
struct pxr_op_speed {
        const char *name; /* "conv 3x3 16>16" */
        int nodes;
        /* Of a training step, all workers together; of the advances of one group of images that
         * are drawn, with what is computed once before them, by one worker. */
        double seconds[PXR_PASSES];
        double multiply_adds[PXR_PASSES]; /* that these seconds were spent on */
};

struct pxr_speed_order {
        const struct pxr_experiment *experiment;
        int threads;
        int repetitions; /* after one that is not counted */
        int images;      /* to evaluate and to draw, in one repetition */
        bool naive;      /* measure drawing by a whole pass for each value too */
        const struct pxr_observer *observer; /* NULL: none */
};

/* What was measured. Only multiply-adds that no mask zeroes are counted, as 2 FLOP each. */
struct pxr_speed {
        int threads;
        struct pxr_peaks peaks;                                      /* of as many threads */
        enum pxr_precision training_precision, evaluation_precision; /* generation: PXR_F32 */
        int batch, images;
        struct pxr_timing training;                           /* a step on a batch */
        struct pxr_timing evaluation;                         /* of `images` */
        struct pxr_timing generation;                         /* of `images` */
        struct pxr_timing naive;                              /* the same by whole passes */
        double training_multiply_adds, forward_multiply_adds; /* of one image */
        struct pxr_op_speed *op;                              /* slowest in training first */
        int ops;
        double training_seconds; /* of the step whose time `op` divides, all workers together */
        struct pxr_step_times step_times; /* its parts that are no op's */
        double advance_seconds;           /* of the group that was drawn */
        double drawing_seconds;           /* of them those for probabilities and random numbers */
        struct pxr_memory memory;         /* of the experiment */
        size_t generation_bytes;          /* to draw `images` */
};

/* Measure. The images are random; no run is recorded. Returns 0, 1 when it was stopped, or -1 after
 * an error. What `speed` points to lives as long as the arena. */
int pxr_measure_speed(struct pxr_arena *arena, const struct pxr_speed_order *order,
                      struct pxr_speed *speed, struct pxr_diag *diag);

#endif
