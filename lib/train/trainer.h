/* SPDX-License-Identifier: MIT */
/*
 * trainer.h - the state of a training run, and one training step.
 *
 * A batch is cut into micro-batches of train.micro_batch images, each computed by one worker into
 * a gradient of its own; the gradients are added in a fixed tree. So a step's bits depend on the
 * settings alone, not on how many workers there are, nor on how many ranks they belong to.
 */
#ifndef PXR_TRAIN_TRAINER_H
#define PXR_TRAIN_TRAINER_H

#include "tensor/workspace.h"
#include "train/exchange.h"
#include "train/optimizer.h"

/* The `train` section of a spec. */
struct pxr_train_settings {
        struct pxr_choice optimizer;
        struct pxr_choice schedule;
        int64_t warm_up;
        int64_t batch, micro_batch;
        bool recompute;
        int precision; /* one of pxr_precision_names */
        int64_t epochs, seed;
        const struct pxr_yaml *extended_from; /* a list of epochs */
        const char *start_from;               /* NULL: random initial parameters */
        double clip;
        double average;
        int64_t patience;
        struct pxr_interval checkpoint, log;
};

extern const struct pxr_options pxr_train_options;

/* Seconds of steps outside ops, all workers together. */
struct pxr_step_times {
        double loss;      /* and its gradient by the logits */
        double optimizer; /* with adding up the micro-batches' gradients and clipping */
};

/* A checkpoint holds the arrays and counters of this. */
struct pxr_trainer {
        const struct pxr_graph *graph;
        const struct pxr_train_settings *settings;
        int threads;
        size_t size;       /* parameters */
        int64_t all_steps; /* of the whole training, for schedules */
        int64_t step;      /* steps done */
        float *parameters;
        float *average;   /* running average of the parameters; NULL unless settings->average */
        float *moment[2]; /* NULL beyond what the optimizer keeps */
        float *gradient;  /* [micro-batch][size], of those that this rank computes */
        int32_t *classes; /* [batch]: of the images of the next step, as `pixels` has them; to be
                             filled before it if the model is given them */
        int micro_batches;
        struct pxr_ranks *ranks; /* NULL: this process is alone */
        struct pxr_exchange exchange;
        bool published;                   /* the other ranks have the parameters */
        struct pxr_workspace **workspace; /* [threads] */
        double *nll;                      /* of each image of the last batch, in nats */
        double *square;                   /* sums of squares of parts of the gradient */
        double gradient_norm;             /* of the last step, before clipping */
        double rate;                      /* of the last step */
        struct pxr_step_times *times;     /* added to by each step; NULL: not wanted */
};

/* A trainer with initial parameters. NULL after an error. */
struct pxr_trainer *pxr_trainer_new(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads,
                                    int64_t all_steps, struct pxr_diag *diag);

/* The same for a rank's share of the work; `ranks` NULL: all of it. Rank 0 has the state of the
 * training; in the others, only parameters, gradients and `nll` of the own share have a meaning. */
struct pxr_trainer *pxr_trainer_new_shared(const struct pxr_graph *graph,
                                           const struct pxr_train_settings *settings, int threads,
                                           int64_t all_steps, struct pxr_ranks *ranks,
                                           struct pxr_diag *diag);

/* Keeps the memory if messages of ranks were dropped: MPI may still write to it. */
void pxr_trainer_free(struct pxr_trainer *trainer);

/* This rank's share of a batch of `images`: the first, and how many. */
int pxr_trainer_share(const struct pxr_trainer *trainer, int images, int *count);

/* Rank 0, before a step on `images` images from `first` on of the order of an epoch: have the other
 * ranks begin with their shares. Without ranks, nothing. Returns as ranks.h says. */
int pxr_trainer_begin(struct pxr_trainer *trainer, int64_t epoch, int64_t first, int images);

/* Other ranks: do what rank 0's pxr_trainer_begin() orders: receive the parameters, or compute this
 * rank's share of a batch, of which `pixels` are the images. Return as ranks.h says. */
int pxr_trainer_receive(struct pxr_trainer *trainer);
int pxr_trainer_help(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                     struct pxr_diag *diag);

/* One step on a batch pixels[image][row][col][colour] of up to settings->batch images; with other
 * ranks `pixels` are the images of this rank's share, and pxr_trainer_begin() was called. Returns 0
 * and has trainer->nll filled; 1 when it was stopped (ranks.h); or -1 after an error: a value that
 * is not finite, with the layer where it arose. Unless it returns 0 the parameters are as they were
 * before the step. */
int pxr_trainer_step(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                     struct pxr_diag *diag);

/* The parameters to evaluate and sample with: the average if there is one. */
const float *pxr_trainer_best(const struct pxr_trainer *trainer);

/* Bytes of activations and their gradients: those of one micro-batch for each worker. */
size_t pxr_trainer_activation_bytes(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads);

/* Bytes of memory that a trainer takes: activations, and arrays of the parameters' size. */
size_t pxr_trainer_bytes(const struct pxr_graph *graph, const struct pxr_train_settings *settings,
                         int threads);

#endif
