/* SPDX-License-Identifier: MIT */
/*
 * optimizer.h - update rules, learning-rate schedules, and the option tables of both.
 */
#ifndef PXR_TRAIN_OPTIMIZER_H
#define PXR_TRAIN_OPTIMIZER_H

#include <pxr/option.h>

/* One update of parameters from..to-1; each is independent, so that threads can share the work.
 * `moment`: the optimizer's arrays, each as long as the parameters, initially zero. `step` counts
 * updates from 1. */
struct pxr_update {
        const void *conf; /* the checked options of the rule */
        double rate;      /* after the schedule */
        int64_t step;
        float *parameters;
        const float *gradient;
        float *moment[2];
        size_t from, to;
};

struct pxr_optimizer {
        int moments; /* arrays kept: 0 to 2 */
        const char *moment_names[2];
        void (*update)(const struct pxr_update *update);
};

/* Variants for PXR_CHOICE; `what` is a struct pxr_optimizer. The options of each begin with its
 * learning rate, a double. */
extern const struct pxr_variant pxr_optimizer_variants[];

/* The learning rate of a chosen optimizer, before the schedule. */
double pxr_optimizer_rate(const struct pxr_choice *optimizer);

/* The factor of the rate at `step` (from 0) of `steps`. */
typedef double pxr_schedule_factor(const void *conf, int64_t step, int64_t steps);

/* Variants for PXR_CHOICE; `what` is private to pxr_rate_factor(). */
extern const struct pxr_variant pxr_schedule_variants[];

/* The factor of a chosen schedule with a linear warm-up over the first `warm_up` steps. */
double pxr_rate_factor(const struct pxr_choice *schedule, int64_t warm_up, int64_t step,
                       int64_t steps);

#endif
