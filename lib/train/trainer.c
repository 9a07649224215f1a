/* SPDX-License-Identifier: MIT */
/*
 * trainer.c - a step of training: gradients of micro-batches, their sum, clipping, the update.
 */
#include "train/trainer.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/processor.h"
#include "base/clock.h"
#include "base/pages.h"
#include "tensor/gemm.h"
#include "tensor/mixed.h"

enum { CHUNK = 4096 }; /* parameters that one thread adds up at a time */

static const struct pxr_option rows[] = {
        PXR_CHOICE(struct pxr_train_settings, optimizer, "rmsprop", pxr_optimizer_variants,
                   "the update rule"),
        PXR_CHOICE(struct pxr_train_settings, schedule, "constant", pxr_schedule_variants,
                   "the learning rate over the course of training"),
        PXR_INT(struct pxr_train_settings, warm_up, "0", 0, 1e9,
                "steps of linear warm-up of the learning rate"),
        PXR_INT(struct pxr_train_settings, batch, "16", 1, 65536, "images of one step"),
        PXR_INT(struct pxr_train_settings, micro_batch, "4", 1, 65536,
                "images that a worker computes at once; changes a run's bits"),
        PXR_BOOL(struct pxr_train_settings, recompute, "false",
                 "recompute most layers in the backward pass instead of keeping their outputs: "
                 "less memory, more time, the same bits"),
        PXR_ENUM(struct pxr_train_settings, precision, "f32", pxr_precision_names,
                 "of products and of maps between layers in training: float32, or bfloat16, "
                 "which is faster on processors with AMX-BF16 or AVX512-BF16; parameters, their "
                 "gradients and sums are always float32"),
        PXR_INT(struct pxr_train_settings, epochs, NULL, 0, 1e6, "passes over the training split"),
        PXR_INT(struct pxr_train_settings, seed, "1", 0, 9007199254740992.0,
                "seed of all random numbers of the run"),
        PXR_REAL(struct pxr_train_settings, clip, "0", 0, 1e30,
                 "largest norm of the gradient of the NLL in nats per dimension; 0: no limit"),
        PXR_REAL(struct pxr_train_settings, average, "0", 0, 0.9999999,
                 "decay of a running average of the parameters, at most (1 + t) / (10 + t) at step "
                 "t; evaluation and sampling use the average; 0: none"),
        PXR_INT(struct pxr_train_settings, patience, "0", 0, 1e6,
                "stop after so many evaluations without a better validation NLL, and keep the best "
                "parameters; 0: never stop early, keep the last ones"),
        PXR_INTERVAL(struct pxr_train_settings, checkpoint, "1 epoch",
                     "how often to save a checkpoint"),
        PXR_INTERVAL(
                struct pxr_train_settings, log, "auto",
                "how often to record NLL, gradient norm, rate and speed of the training; auto: "
                "about 200 times, at least every 500 steps"),
        PXR_END,
};

const struct pxr_options pxr_train_options = { .rows = rows,
                                               .size = sizeof(struct pxr_train_settings) };

static const struct pxr_optimizer *rule_of(const struct pxr_train_settings *settings)
{
        return settings->optimizer.variant->what;
}

static enum pxr_use use_of(const struct pxr_train_settings *settings)
{
        return settings->recompute ? PXR_FOR_CHECKPOINTED_TRAINING : PXR_FOR_TRAINING;
}

static int micro_batches_of(const struct pxr_train_settings *settings)
{
        return (int)((settings->batch + settings->micro_batch - 1) / settings->micro_batch);
}

/* Cut down to what a batch can use. */
static int workers_of(const struct pxr_train_settings *settings, int threads)
{
        int micro_batches = micro_batches_of(settings);

        return threads < micro_batches ? threads : micro_batches;
}

void pxr_trainer_free(struct pxr_trainer *trainer)
{
        if (!trainer)
                return;
        pxr_workspaces_free(trainer->workspace, trainer->threads);
        free(trainer->parameters);
        free(trainer->average);
        free(trainer->moment[0]);
        free(trainer->moment[1]);
        free(trainer->gradient);
        free(trainer->nll);
        free(trainer->square);
        free(trainer);
}

static int allocate(struct pxr_trainer *trainer, struct pxr_diag *diag)
{
        const struct pxr_train_settings *settings = trainer->settings;
        size_t size = trainer->size + 1;

        trainer->parameters = pxr_pages_new_zero(size * sizeof(float));
        trainer->gradient = pxr_pages_new_zero(size * trainer->micro_batches * sizeof(float));
        trainer->nll = calloc(settings->batch, sizeof(double));
        trainer->square = calloc(trainer->size / CHUNK + 1, sizeof(double));
        if (settings->average > 0)
                trainer->average = pxr_pages_new_zero(size * sizeof(float));
        for (int i = 0; i < rule_of(settings)->moments; i++) {
                trainer->moment[i] = pxr_pages_new_zero(size * sizeof(float));
                if (!trainer->moment[i])
                        return pxr_out_of_memory(diag);
        }
        if (!trainer->parameters || !trainer->gradient || !trainer->nll || !trainer->square ||
            (settings->average > 0 && !trainer->average))
                return pxr_out_of_memory(diag);
        trainer->workspace = pxr_workspaces_new(
                pxr_workspace_new(trainer->graph, pxr_precision_of(settings->precision),
                                  use_of(settings), (int)settings->micro_batch, false, diag),
                trainer->threads, diag);
        return trainer->workspace ? 0 : -1;
}

struct pxr_trainer *pxr_trainer_new(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads,
                                    int64_t all_steps, struct pxr_diag *diag)
{
        struct pxr_trainer *trainer = calloc(1, sizeof(*trainer));

        if (!trainer) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        pxr_blas_single_thread();
        trainer->graph = graph;
        trainer->settings = settings;
        trainer->threads = workers_of(settings, threads);
        trainer->size = graph->parameter_values;
        trainer->all_steps = all_steps;
        trainer->micro_batches = micro_batches_of(settings);
        if (allocate(trainer, diag) ||
            pxr_graph_init(graph, (uint64_t)settings->seed, trainer->parameters, NULL, diag)) {
                pxr_trainer_free(trainer);
                return NULL;
        }
        if (trainer->average)
                memcpy(trainer->average, trainer->parameters, trainer->size * sizeof(float));
        return trainer;
}

const float *pxr_trainer_best(const struct pxr_trainer *trainer)
{
        return trainer->average ? trainer->average : trainer->parameters;
}

size_t pxr_trainer_activation_bytes(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads)
{
        return workers_of(settings, threads) *
               pxr_workspace_bytes(graph, pxr_precision_of(settings->precision), use_of(settings),
                                   (int)settings->micro_batch);
}

size_t pxr_trainer_bytes(const struct pxr_graph *graph, const struct pxr_train_settings *settings,
                         int threads)
{
        size_t arrays = 1 + rule_of(settings)->moments + (settings->average > 0) +
                        micro_batches_of(settings);

        return arrays * graph->parameter_values * sizeof(float) +
               pxr_trainer_activation_bytes(graph, settings, threads);
}

static void compute_loss(struct pxr_trainer *trainer, struct pxr_workspace *workspace, double scale,
                         double *nll)
{
        double start = trainer->times ? pxr_now() : 0, seconds;

        pxr_workspace_loss(workspace, scale, nll);
        if (!trainer->times)
                return;
        seconds = pxr_now() - start;
#pragma omp atomic
        trainer->times->loss += seconds;
}

/* Gradients of all micro-batches of a batch, each into its own array. */
static void compute_gradients(struct pxr_trainer *trainer, const uint8_t *pixels, int images)
{
        const struct pxr_graph *graph = trainer->graph;
        size_t dimensions = (size_t)graph->rows * graph->cols * graph->colours;
        int micro_batch = (int)trainer->settings->micro_batch;
        int used = (images + micro_batch - 1) / micro_batch;
        double scale = 1.0 / ((double)images * (double)dimensions);

        memset(trainer->nll, 0, trainer->settings->batch * sizeof(double));
        pxr_workspace_pack(trainer->workspace[0], trainer->threads, trainer->parameters);
#pragma omp parallel for num_threads(trainer->threads) schedule(dynamic, 1)
        for (int i = 0; i < used; i++) {
                struct pxr_workspace *workspace = trainer->workspace[omp_get_thread_num()];
                float *gradient = trainer->gradient + (size_t)i * trainer->size;
                int first = i * micro_batch;
                int count = images - first < micro_batch ? images - first : micro_batch;

                memset(gradient, 0, trainer->size * sizeof(float));
                pxr_workspace_load(workspace, pixels + (size_t)first * dimensions, count);
                pxr_workspace_forward(workspace, trainer->parameters);
                compute_loss(trainer, workspace, scale, trainer->nll + first);
                pxr_workspace_backward(workspace, trainer->parameters, gradient);
        }
}

/* Add the gradients of `used` micro-batches into the first, pairwise: 0+1, 2+3, then 0+2, ...
 * Returns the norm of the sum. Work is shared by chunks of parameters, which does not change the
 * order in which a parameter's gradients are added, nor that of the norm's sum. */
static double add_gradients(struct pxr_trainer *trainer, int used)
{
        size_t chunks = (trainer->size + CHUNK - 1) / CHUNK;
        double sum = 0;

#pragma omp parallel for num_threads(trainer->threads) schedule(static)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t from = chunk * CHUNK;
                size_t to = from + CHUNK < trainer->size ? from + CHUNK : trainer->size;
                unsigned long mode = pxr_arithmetic_flush();
                double square = 0;

                for (int stride = 1; stride < used; stride *= 2)
                        for (int i = 0; i + stride < used; i += 2 * stride) {
                                float *a = trainer->gradient + (size_t)i * trainer->size;
                                const float *b = a + (size_t)stride * trainer->size;

                                for (size_t k = from; k < to; k++)
                                        a[k] += b[k];
                        }
                for (size_t k = from; k < to; k++)
                        square += (double)trainer->gradient[k] * trainer->gradient[k];
                trainer->square[chunk] = square;
                pxr_arithmetic_restore(mode);
        }
        for (size_t chunk = 0; chunk < chunks; chunk++)
                sum += trainer->square[chunk];
        return sqrt(sum);
}

static void update(struct pxr_trainer *trainer, double clip_factor)
{
        const struct pxr_train_settings *settings = trainer->settings;
        const struct pxr_optimizer *rule = rule_of(settings);
        size_t chunks = (trainer->size + CHUNK - 1) / CHUNK;
        double ramp = (1.0 + (double)trainer->step) / (10.0 + (double)trainer->step);
        float keep = (float)(settings->average < ramp ? settings->average : ramp);

#pragma omp parallel for num_threads(trainer->threads) schedule(static)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t from = chunk * CHUNK;
                size_t to = from + CHUNK < trainer->size ? from + CHUNK : trainer->size;
                unsigned long mode = pxr_arithmetic_flush();

                if (clip_factor < 1)
                        for (size_t k = from; k < to; k++)
                                trainer->gradient[k] *= (float)clip_factor;
                rule->update(&(struct pxr_update) {
                        .conf = settings->optimizer.conf,
                        .rate = trainer->rate,
                        .step = trainer->step + 1,
                        .parameters = trainer->parameters,
                        .gradient = trainer->gradient,
                        .moment = { trainer->moment[0], trainer->moment[1] },
                        .from = from,
                        .to = to,
                });
                for (size_t k = from; trainer->average && k < to; k++)
                        trainer->average[k] =
                                keep * trainer->average[k] + (1 - keep) * trainer->parameters[k];
                pxr_arithmetic_restore(mode);
        }
}

/* Compute the batch once more with everything kept, to name where the first value arose that is
 * not finite. Always -1. */
static int explain_nonfinite(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                             struct pxr_diag *diag)
{
        const struct pxr_graph *graph = trainer->graph;
        size_t dimensions = (size_t)graph->rows * graph->cols * graph->colours;
        int micro_batch = (int)trainer->settings->micro_batch;
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, pxr_precision_of(trainer->settings->precision),
                                  PXR_FOR_UNFUSED_TRAINING, micro_batch, true, diag);
        const struct pxr_node *node = NULL;
        bool in_gradient = false;

        if (workspace)
                pxr_workspace_pack(workspace, 1, trainer->parameters);
        for (int first = 0; workspace && first < images && !node; first += micro_batch) {
                int count = images - first < micro_batch ? images - first : micro_batch;

                pxr_workspace_load(workspace, pixels + (size_t)first * dimensions, count);
                pxr_workspace_forward(workspace, trainer->parameters);
                node = pxr_workspace_nonfinite(workspace, false);
                if (node)
                        break;
                memset(trainer->nll, 0, trainer->settings->batch * sizeof(double));
                pxr_workspace_loss(workspace, 1.0 / (double)images, trainer->nll);
                pxr_workspace_backward(workspace, trainer->parameters, trainer->gradient);
                node = pxr_workspace_nonfinite(workspace, true);
                in_gradient = node != NULL;
        }
        if (node)
                pxr_system_error(diag,
                                 "training stopped at step %lld: %s: the %s of its op '%s' is not "
                                 "finite (NaN or infinity)",
                                 (long long)trainer->step + 1, node->layer,
                                 in_gradient ? "gradient" : "output", node->op->name);
        else
                pxr_system_error(diag,
                                 "training stopped at step %lld: the sum of the gradients is "
                                 "not finite (NaN or infinity)",
                                 (long long)trainer->step + 1);
        pxr_note(diag, "the state before this step is kept; a lower rate or train.clip may help");
        pxr_workspace_free(workspace);
        return -1;
}

int pxr_trainer_step(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                     struct pxr_diag *diag)
{
        const struct pxr_train_settings *settings = trainer->settings;
        int used = (int)((images + settings->micro_batch - 1) / settings->micro_batch);
        double sum = 0, clip_factor = 1, start;

        compute_gradients(trainer, pixels, images);
        start = trainer->times ? pxr_now() : 0;
        trainer->gradient_norm = add_gradients(trainer, used);
        for (int i = 0; i < images; i++)
                sum += trainer->nll[i];
        if (!isfinite(sum) || !isfinite(trainer->gradient_norm))
                return explain_nonfinite(trainer, pixels, images, diag);
        if (settings->clip > 0 && trainer->gradient_norm > settings->clip)
                clip_factor = settings->clip / trainer->gradient_norm;
        trainer->rate = pxr_optimizer_rate(&settings->optimizer) *
                        pxr_rate_factor(&settings->schedule, settings->warm_up, trainer->step,
                                        trainer->all_steps);
        update(trainer, clip_factor);
        if (trainer->times)
                trainer->times->optimizer += trainer->threads * (pxr_now() - start);
        trainer->step++;
        return 0;
}
