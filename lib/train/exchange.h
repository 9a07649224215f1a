/* SPDX-License-Identifier: MIT */
/*
 * exchange.h - adding up the gradients of all ranks' micro-batches, in the order of one process.
 *
 * The gradients of a batch's micro-batches are added pairwise in a fixed tree: 0+1, 2+3, ..., then
 * 0+2, ... Each rank computes some micro-batches in a row and adds what the tree adds among these
 * alone. The parameters are cut into as many slices as there are ranks: each rank receives its
 * slice of what the others have left, adds it as the rest of the tree does, and sends the sum to
 * rank 0. So a rank sends about the parameters' size once for each sum that it has left, and once
 * more to rank 0. One sum is left if the micro-batches are a power of two times the ranks; else
 * several, up to about twice the logarithm of the rank's micro-batches.
 */
#ifndef PXR_TRAIN_EXCHANGE_H
#define PXR_TRAIN_EXCHANGE_H

#include "train/ranks.h"

struct pxr_exchange {
        struct pxr_ranks *ranks;
        size_t size, chunk; /* parameters; those of a chunk, of which slices are made */
        int threads;
        float *gradient; /* [own micro-batch][size]; in rank 0 the first becomes the sum */
        double *square;  /* [chunk]: sums of squares of the sum's chunks; complete in rank 0 */
        float *received; /* room for slices of other ranks */
        size_t room;
        double worked; /* seconds that this rank's own gradients took; 0: it has none */
};

/* Add up the gradients of the first `used` micro-batches. Returns as ranks.h says. */
int pxr_exchange_add(struct pxr_exchange *exchange, int used, struct pxr_diag *diag);

/* Add the gradients of micro-batches `a` and `b`, which must be own ones, in [from, to). */
void pxr_add_gradients(float *a, const float *b, size_t from, size_t to);

/* The most sums that one of `ranks` has left of so many micro-batches. */
int pxr_exchange_sums(int ranks, int micro_batches);

void pxr_exchange_free(struct pxr_exchange *exchange);

#endif
