/* SPDX-License-Identifier: MIT */
/* rank_speed.c - measuring steps that several ranks share. */
#include "experiment/rank_speed.h"

#include <math.h>

#include "base/clock.h"
#include "experiment/share.h"

/* One step, and what it took. */
static int step(struct pxr_trainer *trainer, const uint8_t *pixels, int batch, double *seconds,
                struct pxr_diag *diag)
{
        double start = pxr_now();
        int status = pxr_trainer_begin(trainer, 0, 0, batch);

        if (!status)
                status = pxr_trainer_step(trainer, pixels, batch, diag);
        *seconds = pxr_now() - start;
        return status;
}

static int repeat(struct pxr_trainer *trainer, const struct pxr_speed_order *order,
                  const uint8_t *pixels, double *seconds, struct pxr_rank_speed *speed,
                  struct pxr_diag *diag)
{
        const struct pxr_ranks *ranks = trainer->ranks;
        int count = order->repetitions, status = step(trainer, pixels, speed->batch, seconds, diag);
        double waited = ranks ? ranks->waited : 0, sent = ranks ? ranks->sent : 0;

        for (int i = 0; i < count && !status; i++) {
                if (pxr_observe_count(order->observer, "measuring training", "repetitions", i,
                                      count))
                        return 1;
                status = step(trainer, pixels, speed->batch, &seconds[i], diag);
                speed->mean += seconds[i] / count;
                speed->worked += trainer->exchange.worked / count;
        }
        speed->step = pxr_timing_of(seconds, count);
        speed->waited = ranks ? (ranks->waited - waited) / count : 0;
        speed->sent = ranks ? (ranks->sent - sent) / count : 0;
        return status;
}

/* A message is sent there and back, of one byte and of the model's size. */
static int measure_link(struct pxr_ranks *ranks, struct pxr_rank_speed *speed,
                        struct pxr_diag *diag)
{
        size_t size = (size_t)fmin(fmax(4 * speed->parameters, 1 << 20), 1 << 26);
        double small = 0, large = 0;
        int status = pxr_ranks_ping(ranks, 1, 50, &small, diag);

        if (!status)
                status = pxr_ranks_ping(ranks, size, 5, &large, diag);
        speed->latency = small / 2;
        speed->bandwidth = (double)size / fmax((large - small) / 2, 1e-9);
        return status;
}

int pxr_measure_ranks(struct pxr_ranks *ranks, const struct pxr_speed_order *order,
                      struct pxr_rank_speed *speed, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = order->experiment;
        const struct pxr_train_settings *settings = &e->settings.train;
        const struct pxr_graph *graph = e->model->graph;
        uint8_t *pixels = pxr_alloc_array(e->arena, settings->batch, pxr_graph_values(graph));
        double *seconds = pxr_alloc_array(e->arena, order->repetitions, sizeof(*seconds));
        struct pxr_trainer *trainer;
        int status = 0;

        if (!pixels || !seconds)
                return -1;
        pxr_random_images(graph, settings->batch, pixels);
        *speed = (struct pxr_rank_speed) {
                .ranks = pxr_ranks_several(ranks) ? ranks->size : 1,
                .threads = order->threads,
                .batch = (int)settings->batch,
                .parameters = (double)graph->parameter_values,
                .micro_batches =
                        (int)((settings->batch + settings->micro_batch - 1) / settings->micro_batch)
        };
        if (ranks && ranks->rank != 0) {
                pxr_share_serve(ranks, e, order->threads, pixels, diag);
                return 0;
        }
        trainer = pxr_trainer_new_shared(graph, settings, order->threads, 1000000, ranks, diag);
        if (!trainer)
                return -1;
        if (pxr_ranks_several(ranks))
                status = pxr_share_begin(ranks, order->threads);
        speed->bandwidth = speed->latency = NAN;
        if (!status && pxr_ranks_several(ranks))
                status = measure_link(ranks, speed, diag);
        if (!status)
                status = repeat(trainer, order, pixels, seconds, speed, diag);
        pxr_trainer_free(trainer);
        return status;
}

/* How many micro-batches, one after the other, a thread computes. */
static double rounds_of(const struct pxr_rank_speed *speed, int ranks)
{
        return ceil(ceil((double)speed->micro_batches / ranks) / speed->threads);
}

double pxr_predict_step(const struct pxr_rank_speed *speed, int ranks, double bandwidth,
                        double latency)
{
        double compute = speed->worked * rounds_of(speed, ranks) / rounds_of(speed, speed->ranks);
        double bytes = 4 * speed->parameters, others = (double)ranks - 1;
        int sums = pxr_exchange_sums(ranks, speed->micro_batches);

        if (ranks == 1)
                return compute;
        return compute + (sums + 1) * bytes * others / ranks / bandwidth + 2 * bytes / bandwidth +
               (2 * others + log2(ranks)) * latency;
}
