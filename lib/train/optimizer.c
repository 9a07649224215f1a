/* SPDX-License-Identifier: MIT */
/*
 * optimizer.c - SGD with momentum, RMSProp and Adam; constant, step and cosine schedules.
 */
#include "train/optimizer.h"

#include <math.h>

/* --- SGD ---------------------------------------------------------------------------------------
 */

struct sgd {
        double rate, momentum;
};

static const struct pxr_option sgd_rows[] = {
        PXR_REAL(struct sgd, rate, "0.1", 0, 1e6, "learning rate"),
        PXR_REAL(struct sgd, momentum, "0.9", 0, 0.999999, "v = momentum v + g; p -= rate v"),
        PXR_END,
};

static const struct pxr_options sgd_options = { .rows = sgd_rows, .size = sizeof(struct sgd) };

static void sgd_update(const struct pxr_update *u)
{
        const struct sgd *sgd = u->conf;
        float momentum = (float)sgd->momentum, rate = (float)u->rate;

        for (size_t i = u->from; i < u->to; i++) {
                u->moment[0][i] = momentum * u->moment[0][i] + u->gradient[i];
                u->parameters[i] -= rate * u->moment[0][i];
        }
}

static const struct pxr_optimizer sgd = { .moments = 1,
                                          .moment_names = { "velocity" },
                                          .update = sgd_update };

/* --- RMSProp -----------------------------------------------------------------------------------
 */

struct rmsprop {
        double rate, decay, momentum, epsilon;
};

static const struct pxr_option rmsprop_rows[] = {
        PXR_REAL(struct rmsprop, rate, "1e-3", 0, 1e6, "learning rate"),
        PXR_REAL(struct rmsprop, decay, "0.95", 0, 0.999999, "s = decay s + (1 - decay) g^2"),
        PXR_REAL(struct rmsprop, momentum, "0", 0, 0.999999,
                 "v = momentum v + g / (sqrt(s) + epsilon); p -= rate v"),
        PXR_REAL(struct rmsprop, epsilon, "1e-8", 1e-20, 1, "keeps the quotient finite"),
        PXR_END,
};

static const struct pxr_options rmsprop_options = { .rows = rmsprop_rows,
                                                    .size = sizeof(struct rmsprop) };

static void rmsprop_update(const struct pxr_update *u)
{
        const struct rmsprop *conf = u->conf;
        float decay = (float)conf->decay, rest = (float)(1 - conf->decay);
        float momentum = (float)conf->momentum, epsilon = (float)conf->epsilon;
        float rate = (float)u->rate;
        float *restrict square = u->moment[0], *restrict velocity = u->moment[1];

        for (size_t i = u->from; i < u->to; i++) {
                float g = u->gradient[i];

                square[i] = decay * square[i] + rest * g * g;
                velocity[i] = momentum * velocity[i] + g / (sqrtf(square[i]) + epsilon);
                u->parameters[i] -= rate * velocity[i];
        }
}

static const struct pxr_optimizer rmsprop = {
        .moments = 2,
        .moment_names = { "mean_square", "velocity" },

        .update = rmsprop_update,
};

/* --- Adam --------------------------------------------------------------------------------------
 */

struct adam {
        double rate, beta1, beta2, epsilon;
};

static const struct pxr_option adam_rows[] = {
        PXR_REAL(struct adam, rate, "1e-3", 0, 1e6, "learning rate"),
        PXR_REAL(struct adam, beta1, "0.9", 0, 0.999999, "m = beta1 m + (1 - beta1) g"),
        PXR_REAL(struct adam, beta2, "0.999", 0, 0.999999999, "s = beta2 s + (1 - beta2) g^2"),
        PXR_REAL(struct adam, epsilon, "1e-8", 1e-20, 1,
                 "p -= rate m / (1 - beta1^t) / (sqrt(s / (1 - beta2^t)) + epsilon)"),
        PXR_END,
};

static const struct pxr_options adam_options = { .rows = adam_rows, .size = sizeof(struct adam) };

/* Kingma and Ba, "Adam", algorithm 1. */
static void adam_update(const struct pxr_update *u)
{
        const struct adam *conf = u->conf;
        float beta1 = (float)conf->beta1, beta2 = (float)conf->beta2;
        float rest1 = (float)(1 - conf->beta1), rest2 = (float)(1 - conf->beta2);
        float rate = (float)(u->rate / (1 - pow(conf->beta1, (double)u->step)));
        float unbias = (float)(1 / (1 - pow(conf->beta2, (double)u->step)));
        float epsilon = (float)conf->epsilon;
        float *restrict mean = u->moment[0], *restrict square = u->moment[1];

        for (size_t i = u->from; i < u->to; i++) {
                float g = u->gradient[i];

                mean[i] = beta1 * mean[i] + rest1 * g;
                square[i] = beta2 * square[i] + rest2 * g * g;
                u->parameters[i] -= rate * mean[i] / (sqrtf(square[i] * unbias) + epsilon);
        }
}

static const struct pxr_optimizer adam = {
        .moments = 2,
        .moment_names = { "mean", "mean_square" },

        .update = adam_update,
};

const struct pxr_variant pxr_optimizer_variants[] = {
        { "rmsprop", "divides by a running root mean square (the paper's)", &rmsprop_options,
          &rmsprop },
        { "adam", "Adam, by Kingma and Ba", &adam_options, &adam },
        { "sgd", "stochastic gradient descent with momentum", &sgd_options, &sgd },
        { 0 },
};

double pxr_optimizer_rate(const struct pxr_choice *optimizer)
{
        return *(const double *)optimizer->conf;
}

/* --- schedules ---------------------------------------------------------------------------------
 */

static double constant_factor(const void *conf, int64_t step, int64_t steps)
{
        (void)conf;
        (void)step;
        (void)steps;
        return 1;
}

struct decay {
        double factor;
        int64_t times;
};

static const struct pxr_option decay_rows[] = {
        PXR_REAL(struct decay, factor, "0.1", 0, 1, "what the rate is multiplied by each time"),
        PXR_INT(struct decay, times, "2", 1, 1000, "how often, evenly over the training"),
        PXR_END,
};

static const struct pxr_options decay_options = { .rows = decay_rows,
                                                  .size = sizeof(struct decay) };

static double decay_factor(const void *conf, int64_t step, int64_t steps)
{
        const struct decay *decay = conf;

        return pow(decay->factor, floor((double)step * (double)(decay->times + 1) / (double)steps));
}

struct cosine {
        double last;
};

static const struct pxr_option cosine_rows[] = {
        PXR_REAL(struct cosine, last, "0", 0, 1, "the rate at the end, as a part of the first"),
        PXR_END,
};

static const struct pxr_options cosine_options = { .rows = cosine_rows,
                                                   .size = sizeof(struct cosine) };

static double cosine_factor(const void *conf, int64_t step, int64_t steps)
{
        const struct cosine *cosine = conf;
        const double pi = 3.14159265358979323846;

        return cosine->last +
               (1 - cosine->last) * 0.5 * (1 + cos(pi * (double)step / (double)steps));
}

/* Functions cannot be pointed to by void pointers in C; a struct can. */
struct schedule {
        pxr_schedule_factor *factor;
};

static const struct schedule constant = { constant_factor };
static const struct schedule step_decay = { decay_factor };
static const struct schedule half_cosine = { cosine_factor };

const struct pxr_variant pxr_schedule_variants[] = {
        { "constant", "the same rate throughout", NULL, &constant },
        { "step", "multiplied by a factor at even intervals", &decay_options, &step_decay },
        { "cosine", "falls along half a cosine", &cosine_options, &half_cosine },
        { 0 },
};

double pxr_rate_factor(const struct pxr_choice *schedule, int64_t warm_up, int64_t step,
                       int64_t steps)
{
        const struct schedule *chosen = schedule->variant->what;
        double factor = chosen->factor(schedule->conf, step < steps ? step : steps, steps);

        if (step < warm_up)
                factor *= (double)(step + 1) / (double)warm_up;
        return factor;
}
