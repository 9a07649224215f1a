/* SPDX-License-Identifier: MIT */
/*
 * evaluate.h - the NLL of a split, as a sum with its count and never as a bare number.
 */
#ifndef PXR_TRAIN_EVALUATE_H
#define PXR_TRAIN_EVALUATE_H

#include "base/progress.h"
#include "data/data.h"
#include "tensor/workspace.h"

/* Negative log-likelihood of a number of images. */
struct pxr_nll {
        double sum;         /* nats */
        double sum_squares; /* of each image's nats */
        int64_t images;
        int64_t dimensions; /* of one image: rows x cols x colours */
        int given_rows;     /* it is that of images given their small versions, of this many rows */
        int given_cols;     /* and columns; 0: of images, given nothing */
        bool trained_on; /* the images are of the training split, which can be learned by heart */
};

/* Views of it. The standard error is that of nats per image, NAN for fewer than 2 images. */
double pxr_nats_per_image(const struct pxr_nll *nll);
double pxr_bits_per_dimension(const struct pxr_nll *nll);
double pxr_standard_error(const struct pxr_nll *nll);

/* Is an NLL of so many dimensions told in bits per dimension? Images of one colour are told in
 * nats. `colours` is 0 where it is not on record. */
bool pxr_reported_in_bits(int64_t dimensions, int64_t colours);

/* Add one image's nats. */
void pxr_nll_add(struct pxr_nll *nll, double nats);

/* Of `count` images that have these nats. */
struct pxr_nll pxr_nll_of(const double *nats, int count);

/* What is suspect about an NLL, or NULL: not finite; worse than the uniform distribution over the
 * set's levels; below the set's floor by more than 5 standard errors (5 % where there is no
 * standard error), unless something is given or the images were trained on. */
const char *pxr_nll_suspect(const struct pxr_nll *nll, const struct pxr_dataset *set);

/* How an evaluation is done. Micro-batches are of a fixed size, so that its bits do not depend on
 * the number of threads. */
struct pxr_evaluation {
        const struct pxr_graph *graph;
        const float *parameters;
        const struct pxr_dataset *set;
        enum pxr_split split;
        int micro_batch, threads;
        int64_t limit;      /* images; 0: all */
        double *value_nats; /* [row][col][colour]: each value's nats, summed over the images, are
                               added to it; NULL: not wanted */
        const struct pxr_observer *observer; /* of the images evaluated; NULL: none */
};

/* Returns 0, 1 when the observer stopped it, or -1 after an error. */
int pxr_evaluate(const struct pxr_evaluation *evaluation, struct pxr_nll *nll,
                 struct pxr_diag *diag);

#endif
