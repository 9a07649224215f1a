/* SPDX-License-Identifier: MIT */
/* memory.h - the memory that an experiment takes, before any is taken. */
#ifndef PXR_EXPERIMENT_MEMORY_H
#define PXR_EXPERIMENT_MEMORY_H

#include "experiment/experiment.h"

/* Bytes, the data set's images not among them. */
struct pxr_memory {
        double all;
        double train;       /* with its activations */
        double activations; /* kept for the backward pass, and their gradients */
        double evaluate, sample;
};

struct pxr_memory pxr_memory_of(const struct pxr_experiment *experiment, int threads);

/* That this machine has less than an experiment with so many threads takes, in words that say what
 * takes less; NULL when it has enough. NULL too when memory is out. */
char *pxr_memory_warning(const struct pxr_experiment *experiment, int threads,
                         const struct pxr_memory *memory);

#endif
