/* SPDX-License-Identifier: MIT */
/*
 * markov.h - what the synthetic sets share: images drawn from a law whose entropy is known.
 *
 * An image is a pure function of (seed, split, index), so nothing is stored.
 */
#ifndef PXR_DATA_MARKOV_H
#define PXR_DATA_MARKOV_H

#include <pxr/random.h>

#include "data/format.h"

/* The options of a synthetic set. */
struct pxr_markov {
        int64_t rows, cols, levels;
        int64_t train, valid, test; /* images */
        int64_t seed;
};

/* The rows of its option table that every synthetic set has. */
#define PXR_MARKOV_ROWS                                                                       \
        PXR_INT(struct pxr_markov, train, "20000", 0, 1e9, "images to train on"),             \
                PXR_INT(struct pxr_markov, valid, "2000", 0, 1e9, "images to validate with"), \
                PXR_INT(struct pxr_markov, test, "2000", 0, 1e9, "images to test with"),      \
                PXR_INT(struct pxr_markov, seed, "1", 0, 0x1p53,                              \
                        "keys the images; not the run's seed")

/* The random numbers of one image. */
struct pxr_random pxr_markov_random(const struct pxr_markov *options, enum pxr_split split,
                                    int64_t index);

/* -sum p log p of `count` probabilities, in nats. */
double pxr_markov_entropy(const double *p, int count);

/* Set counts, digests and transforms. `law` is the version of the law's form, and `p` are all its
 * `count` probabilities: they are part of the identity. */
int pxr_markov_describe(struct pxr_opening *o, int law, const double *p, int count);

#endif
