/* SPDX-License-Identifier: MIT */
/*
 * evaluate.h - the NLL of a split: a sum with its number of images, not a single number.
 */
#ifndef PXR_TRAIN_EVALUATE_H
#define PXR_TRAIN_EVALUATE_H

#include "base/progress.h"
#include "data/data.h"
#include "tensor/workspace.h"
#include "train/ranks.h"

/* Negative log-likelihood of a number of images. */
struct pxr_nll {
        double sum;         /* nats */
        double sum_squares; /* of each image's nats */
        int64_t images;
        int64_t dimensions; /* of one image: rows x cols x colours */
        bool given;         /* it is that of images given something else, as their class */
        bool trained_on;    /* the images are of the training split, which can be memorized */
};

/* Views of it. The standard error is that of nats per image, NAN for fewer than 2 images. */
double pxr_nats_per_image(const struct pxr_nll *nll);
double pxr_bits_per_dimension(const struct pxr_nll *nll);
double pxr_standard_error(const struct pxr_nll *nll);

/* Whether the NLL of such images is reported in bits per dimension (images of several colours) or
 * in nats (of one). `colours` is 0 if not on record. */
bool pxr_reported_in_bits(int64_t dimensions, int64_t colours);

/* Add one image's nats. */
void pxr_nll_add(struct pxr_nll *nll, double nats);

/* The NLL of `count` images with these nats. */
struct pxr_nll pxr_nll_of(const double *nats, int count);

/* Why an NLL is suspect, or NULL: not finite; worse than the uniform distribution over the set's
 * levels; or below the set's floor by more than 5 standard errors (5 % if there is none), unless it
 * is conditional or the images were trained on. */
const char *pxr_nll_suspect(const struct pxr_nll *nll, const struct pxr_dataset *set);

/* Evaluations of a model, one after the other. From one to the next the parameters, the split, the
 * limit and the precision may change. The size of micro-batches is fixed, so that the bits do not
 * depend on the number of threads or ranks. */
struct pxr_evaluation {
        struct pxr_arena *arena; /* for memory that the first evaluation takes and all use */
        const struct pxr_graph *graph;
        const float *parameters;
        const struct pxr_dataset *set;
        enum pxr_split split;
        int micro_batch, threads;
        int64_t limit;                       /* images; 0: all */
        enum pxr_precision precision;        /* PXR_F32 or PXR_BF16 */
        const struct pxr_observer *observer; /* of the images evaluated; NULL: none */
        double *value_nats;      /* result: [row][col][colour], each value's nats, summed
                                    over the images */
        double *image_nats;      /* result: [image], room for those of the largest split */
        struct pxr_ranks *ranks; /* that share the work; NULL: none */
        int share; /* micro-batches that a rank computes at once; 0: by rank 0's threads */
        struct pxr_evaluation_memory *memory; /* NULL at first */
};

/* Returns 0, 1 when the observer stopped it, or -1 after an error. */
int pxr_evaluate(struct pxr_evaluation *evaluation, struct pxr_nll *nll, struct pxr_diag *diag);

/* The micro-batches that each rank computes at once, if rank 0 has so many threads. */
int pxr_evaluation_share(int threads);

/* Other ranks: compute the share of a round that rank 0's pxr_evaluate() has ordered, with the
 * parameters that it has sent. Returns as ranks.h says. */
int pxr_evaluate_help(struct pxr_evaluation *evaluation, const struct pxr_rank_order *order,
                      struct pxr_diag *diag);

#endif
