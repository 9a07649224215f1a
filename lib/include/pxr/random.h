/* SPDX-License-Identifier: MIT */
/*
 * random.h - counter-based random numbers.
 *
 * A number is a pure function of (seed, purpose, a, b, c, index): there is no state to save, and
 * numbers can be drawn in any order. So a run's numbers depend neither on the number of threads nor
 * on interruptions. The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011).
 */
#ifndef PXR_RANDOM_H
#define PXR_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What random numbers are for. Streams of different purposes never overlap. Recorded runs depend on
 * these values: append, never renumber. */
enum pxr_purpose {
        PXR_RANDOM_INIT = 1,      /* parameters: a, b = hash of the name */
        PXR_RANDOM_SHUFFLE = 2,   /* order of an epoch: a = epoch */
        PXR_RANDOM_BINARIZE = 3,  /* stochastic binarization: a = epoch, b = image */
        PXR_RANDOM_SAMPLE = 4,    /* generation: a = sample, b = pixel, c = colour */
        PXR_RANDOM_SYNTHETIC = 5, /* synthetic images: a = split, b = image */
        PXR_RANDOM_TEST = 6,      /* checks and tests */
        PXR_RANDOM_FLIP = 7,      /* horizontal flips: a = epoch, b = image */
        PXR_RANDOM_CHAIN = 8,     /* seeds of the runs of a chain: a = number in it */
        PXR_RANDOM_SWEEP = 9,     /* values of a sweep: a = configuration, b = hash of the key */
        PXR_RANDOM_DROPOUT = 10,  /* dropout: a = step, b = image of the batch, c = node */
};

/* One stream of numbers. Plain data: copy it freely. */
struct pxr_random {
        uint32_t key[2];
        uint32_t counter[4];
        uint32_t block[4];
        int left; /* words of block not yet used */
};

/* The start of the stream (seed, purpose, a, b, c); c < 2^24. */
struct pxr_random pxr_random(uint64_t seed, enum pxr_purpose purpose, uint32_t a, uint32_t b,
                             uint32_t c);

/* The next 32 random bits. */
uint32_t pxr_random_bits(struct pxr_random *random);

/* The next `count` times 32 of them, those that pxr_random_bits() gives, much faster. */
void pxr_random_fill(struct pxr_random *random, size_t count, uint32_t *bits);

/* Uniform in [0, 1), 53 bits. */
double pxr_random_uniform(struct pxr_random *random);

/* Standard normal, by the Box-Muller transform. */
double pxr_random_normal(struct pxr_random *random);

/* Uniform in 0 .. bound - 1, without bias; bound > 0. */
uint32_t pxr_random_below(struct pxr_random *random, uint32_t bound);

/* A 64-bit hash (FNV-1a) of a name, to key streams by name. */
uint64_t pxr_hash_name(const char *name);

#ifdef __cplusplus
}
#endif
#endif
