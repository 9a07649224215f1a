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

enum {
        CHUNK = 4096,      /* parameters that one thread adds up at a time */
        SPREAD_CHUNKS = 64 /* that are updated before they are sent to other ranks: 1 MB */
};

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
        PXR_NODE(struct pxr_train_settings, extended_from, "[]",
                 "list of epochs at which the training had ended before 'pxr-run --resume RUN "
                 "train.epochs=N' extended it: up to each, the schedule is that of so many epochs"),
        PXR_STRING(
                struct pxr_train_settings, start_from, PXR_UNSET,
                "initial parameters: RUN (its best checkpoint), RUN@last, RUN@STEP, or the path of "
                "a .safetensors file; averaged parameters where it has them"),
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

/* The most micro-batches of a batch that one of `ranks` computes. */
static int micro_batches_of_rank(const struct pxr_train_settings *settings, int ranks)
{
        return (micro_batches_of(settings) + ranks - 1) / ranks;
}

/* Cut down to what a batch can use. */
static int workers_of(const struct pxr_train_settings *settings, int threads, int ranks)
{
        int micro_batches = micro_batches_of_rank(settings, ranks);

        return threads < micro_batches ? threads : micro_batches;
}

void pxr_trainer_free(struct pxr_trainer *trainer)
{
        if (!trainer || (trainer->ranks && pxr_ranks_unfinished(trainer->ranks)))
                return;
        pxr_workspaces_free(trainer->workspace, trainer->threads);
        free(trainer->parameters);
        free(trainer->average);
        free(trainer->moment[0]);
        free(trainer->moment[1]);
        free(trainer->gradient);
        free(trainer->classes);
        free(trainer->nll);
        free(trainer->square);
        pxr_exchange_free(&trainer->exchange);
        free(trainer);
}

static int allocate(struct pxr_trainer *trainer, struct pxr_diag *diag)
{
        const struct pxr_train_settings *settings = trainer->settings;
        size_t size = trainer->size + 1;

        trainer->parameters = pxr_pages_new_zero(size * sizeof(float));
        trainer->gradient = pxr_pages_new_zero(size * trainer->micro_batches * sizeof(float));
        trainer->classes = calloc(settings->batch, sizeof(*trainer->classes));
        trainer->nll = calloc(settings->batch, sizeof(double));
        trainer->square = calloc(trainer->size / CHUNK + 1, sizeof(double));
        if (settings->average > 0)
                trainer->average = pxr_pages_new_zero(size * sizeof(float));
        for (int i = 0; i < rule_of(settings)->moments; i++) {
                trainer->moment[i] = pxr_pages_new_zero(size * sizeof(float));
                if (!trainer->moment[i])
                        return pxr_out_of_memory(diag);
        }
        if (!trainer->parameters || !trainer->gradient || !trainer->classes || !trainer->nll ||
            !trainer->square || (settings->average > 0 && !trainer->average))
                return pxr_out_of_memory(diag);
        trainer->workspace = pxr_workspaces_new(
                pxr_workspace_new(trainer->graph, pxr_precision_of(settings->precision),
                                  use_of(settings), (int)settings->micro_batch, false, diag),
                trainer->threads, diag);
        return trainer->workspace ? 0 : -1;
}

struct pxr_trainer *pxr_trainer_new_shared(const struct pxr_graph *graph,
                                           const struct pxr_train_settings *settings, int threads,
                                           int64_t all_steps, struct pxr_ranks *ranks,
                                           struct pxr_diag *diag)
{
        struct pxr_trainer *trainer = calloc(1, sizeof(*trainer));
        int size = pxr_ranks_several(ranks) ? ranks->size : 1;

        if (!trainer) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        pxr_blas_single_thread();
        trainer->graph = graph;
        trainer->settings = settings;
        trainer->ranks = size > 1 ? ranks : NULL;
        trainer->threads = workers_of(settings, threads, size);
        trainer->size = graph->parameter_values;
        trainer->all_steps = all_steps;
        trainer->micro_batches = micro_batches_of_rank(settings, size);
        if (allocate(trainer, diag) ||
            pxr_graph_init(graph, (uint64_t)settings->seed, trainer->parameters, NULL, diag)) {
                pxr_trainer_free(trainer);
                return NULL;
        }
        if (trainer->average)
                memcpy(trainer->average, trainer->parameters, trainer->size * sizeof(float));
        trainer->exchange = (struct pxr_exchange) { .ranks = trainer->ranks,
                                                    .size = trainer->size,
                                                    .chunk = CHUNK,
                                                    .threads = trainer->threads,
                                                    .gradient = trainer->gradient,
                                                    .square = trainer->square };
        return trainer;
}

struct pxr_trainer *pxr_trainer_new(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads,
                                    int64_t all_steps, struct pxr_diag *diag)
{
        return pxr_trainer_new_shared(graph, settings, threads, all_steps, NULL, diag);
}

const float *pxr_trainer_best(const struct pxr_trainer *trainer)
{
        return trainer->average ? trainer->average : trainer->parameters;
}

size_t pxr_trainer_activation_bytes(const struct pxr_graph *graph,
                                    const struct pxr_train_settings *settings, int threads)
{
        return pxr_workspace_bytes(graph, pxr_precision_of(settings->precision), use_of(settings),
                                   (int)settings->micro_batch, workers_of(settings, threads, 1));
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

/* The micro-batches of a batch that this rank computes: [first, end) of `used`. */
struct share {
        int first, end, used;
};

static struct share share_of(const struct pxr_trainer *trainer, int images)
{
        int micro_batch = (int)trainer->settings->micro_batch;
        struct share share = { .used = (images + micro_batch - 1) / micro_batch };
        const struct pxr_ranks *ranks = trainer->ranks;

        share.first = ranks ? pxr_ranks_first(ranks, share.used, ranks->rank) : 0;
        share.end = ranks ? pxr_ranks_first(ranks, share.used, ranks->rank + 1) : share.used;
        return share;
}

/* The images of [first, end) micro-batches of a batch of `images`. */
static int images_of(const struct pxr_trainer *trainer, int first, int end, int images)
{
        int micro_batch = (int)trainer->settings->micro_batch;
        int to = end * micro_batch < images ? end * micro_batch : images;

        return first < end ? to - first * micro_batch : 0;
}

int pxr_trainer_share(const struct pxr_trainer *trainer, int images, int *count)
{
        struct share share = share_of(trainer, images);

        *count = images_of(trainer, share.first, share.end, images);
        return *count ? share.first * (int)trainer->settings->micro_batch : 0;
}

/* Load a micro-batch of the next step: `count` images, of the batch from number `first` on. Of
 * `pixels` and the classes they are those from number `own` on. */
static void load(const struct pxr_trainer *trainer, struct pxr_workspace *workspace,
                 const uint8_t *pixels, int own, int first, int count)
{
        pxr_workspace_train(workspace,
                            (struct pxr_training_step) { .seed = (uint64_t)trainer->settings->seed,
                                                         .step = (uint32_t)trainer->step,
                                                         .first_image = (uint32_t)first });
        pxr_workspace_load(workspace, pixels + own * pxr_graph_values(trainer->graph), count);
        pxr_workspace_classes(workspace, trainer->classes + own, count);
}

/* Gradients of this rank's micro-batches, each into its own array. `pixels` are of these. */
static void compute_gradients(struct pxr_trainer *trainer, const uint8_t *pixels, int images)
{
        const struct pxr_graph *graph = trainer->graph;
        size_t dimensions = (size_t)graph->rows * graph->cols * graph->colours;
        int micro_batch = (int)trainer->settings->micro_batch;
        struct share share = share_of(trainer, images);
        double scale = 1.0 / ((double)images * (double)dimensions), start = pxr_now();

        memset(trainer->nll, 0, trainer->settings->batch * sizeof(double));
        pxr_workspace_pack(trainer->workspace[0], trainer->threads, trainer->parameters);
#pragma omp parallel for num_threads(trainer->threads) schedule(dynamic, 1)
        for (int i = share.first; i < share.end; i++) {
                struct pxr_workspace *workspace = trainer->workspace[omp_get_thread_num()];
                int slot = i - share.first;
                float *gradient = trainer->gradient + (size_t)slot * trainer->size;

                memset(gradient, 0, trainer->size * sizeof(float));
                load(trainer, workspace, pixels, slot * micro_batch, i * micro_batch,
                     images_of(trainer, i, i + 1, images));
                pxr_workspace_forward(workspace, trainer->parameters);
                compute_loss(trainer, workspace, scale, trainer->nll + i * micro_batch);
                pxr_workspace_backward(workspace, trainer->parameters, gradient);
        }
        trainer->exchange.worked = share.first < share.end ? pxr_now() - start : 0;
}

/* Add the gradients of `used` micro-batches into the first, pairwise: 0+1, 2+3, then 0+2, ...
 * Work is shared by chunks of parameters, which does not change the order in which a parameter's
 * gradients are added, nor that of the norm's sum. */
static void add_gradients(struct pxr_trainer *trainer, int used)
{
        size_t chunks = (trainer->size + CHUNK - 1) / CHUNK;

#pragma omp parallel for num_threads(trainer->threads) schedule(static)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t from = chunk * CHUNK;
                size_t to = from + CHUNK < trainer->size ? from + CHUNK : trainer->size;
                unsigned long mode = pxr_arithmetic_flush();
                double square = 0;

                for (int stride = 1; stride < used; stride *= 2)
                        for (int i = 0; i + stride < used; i += 2 * stride) {
                                float *a = trainer->gradient + (size_t)i * trainer->size;

                                pxr_add_gradients(a, a + (size_t)stride * trainer->size, from, to);
                        }
                for (size_t k = from; k < to; k++)
                        square += (double)trainer->gradient[k] * trainer->gradient[k];
                trainer->square[chunk] = square;
                pxr_arithmetic_restore(mode);
        }
}

/* The norm of the sum of the gradients. */
static double norm_of(const struct pxr_trainer *trainer)
{
        double sum = 0;

        for (size_t chunk = 0; chunk < (trainer->size + CHUNK - 1) / CHUNK; chunk++)
                sum += trainer->square[chunk];
        return sqrt(sum);
}

/* Update the parameters of chunks [first, end). */
static void update_chunks(struct pxr_trainer *trainer, double clip_factor, size_t first, size_t end)
{
        const struct pxr_train_settings *settings = trainer->settings;
        const struct pxr_optimizer *rule = rule_of(settings);
        double ramp = (1.0 + (double)trainer->step) / (10.0 + (double)trainer->step);
        float keep = (float)(settings->average < ramp ? settings->average : ramp);

#pragma omp parallel for num_threads(trainer->threads) schedule(static)
        for (size_t chunk = first; chunk < end; chunk++) {
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
                if (trainer->ranks)
                        pxr_ranks_progress(trainer->ranks);
        }
}

/* Update the parameters, and send them to the other ranks: each block is on its way while the next
 * is updated. A rank that is lost meanwhile is noticed by the next step: this one is done. */
static void update(struct pxr_trainer *trainer, double clip_factor)
{
        static const struct pxr_rank_order order = { .task = PXR_RANK_PARAMETERS };
        size_t chunks = (trainer->size + CHUNK - 1) / CHUNK, block = chunks;
        int status = 0;

        if (trainer->ranks) {
                block = SPREAD_CHUNKS;
                status = pxr_ranks_order(trainer->ranks, &order);
        }
        for (size_t chunk = 0; chunk < chunks; chunk += block) {
                size_t from = chunk * CHUNK, end = chunk + block < chunks ? chunk + block : chunks;
                size_t to = end * CHUNK < trainer->size ? end * CHUNK : trainer->size;

                update_chunks(trainer, clip_factor, chunk, end);
                if (trainer->ranks && !status)
                        status = pxr_ranks_spread(trainer->ranks, trainer->parameters + from,
                                                  (to - from) * sizeof(float));
        }
        if (trainer->ranks && !status)
                status = pxr_ranks_settle(trainer->ranks);
        trainer->published = trainer->ranks && !status;
}

/* Compute the batch (this rank's share) once more with everything kept, to name where the first
 * value arose that is not finite. Always -1. */
static int explain_nonfinite(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                             struct pxr_diag *diag)
{
        int micro_batch = (int)trainer->settings->micro_batch;
        struct pxr_workspace *workspace =
                pxr_workspace_new(trainer->graph, pxr_precision_of(trainer->settings->precision),
                                  PXR_FOR_UNFUSED_TRAINING, micro_batch, true, diag);
        const struct pxr_node *node = NULL;
        bool in_gradient = false;

        if (workspace)
                pxr_workspace_pack(workspace, 1, trainer->parameters);
        for (int first = 0; workspace && first < images && !node; first += micro_batch) {
                int count = images - first < micro_batch ? images - first : micro_batch;

                load(trainer, workspace, pixels, first, first, count);
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
        if (!node && trainer->ranks)
                pxr_note(diag, "it may have arisen in another rank: resume the run without others "
                               "to see in which layer");
        pxr_note(diag, "the state before this step is kept; a lower rate or train.clip may help");
        pxr_workspace_free(workspace);
        return -1;
}

/* --- ranks -------------------------------------------------------------------------------------
 */

int pxr_trainer_begin(struct pxr_trainer *trainer, int64_t epoch, int64_t first, int images)
{
        struct pxr_ranks *ranks = trainer->ranks;
        const struct pxr_rank_order step = {
                .task = PXR_RANK_STEP,
                .epoch = epoch,
                .first = first,
                .images = images,
                .step = trainer->step,
        };
        int status = 0;

        if (!ranks)
                return 0;
        if (!trainer->published)
                status = pxr_ranks_publish(ranks, PXR_RANK_PARAMETERS, trainer->parameters,
                                           trainer->size);
        return status ? status : pxr_ranks_order(ranks, &step);
}

int pxr_trainer_receive(struct pxr_trainer *trainer)
{
        return pxr_ranks_spread(trainer->ranks, trainer->parameters, trainer->size * sizeof(float));
}

int pxr_trainer_help(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                     struct pxr_diag *diag)
{
        int count, first = pxr_trainer_share(trainer, images, &count), status;

        compute_gradients(trainer, pixels, images);
        status = pxr_exchange_add(&trainer->exchange, share_of(trainer, images).used, diag);
        if (!status && count > 0)
                status = pxr_ranks_send(trainer->ranks, 0, trainer->nll + first,
                                        count * sizeof(double));
        return status ? status : pxr_ranks_settle(trainer->ranks);
}

/* Rank 0: the sum of all ranks' gradients, and the nats of all images. */
static int gather_gradients(struct pxr_trainer *trainer, int images, struct pxr_diag *diag)
{
        struct pxr_ranks *ranks = trainer->ranks;
        int used = share_of(trainer, images).used;
        int status = pxr_exchange_add(&trainer->exchange, used, diag);

        for (int rank = 1; rank < ranks->size && !status; rank++) {
                int first = pxr_ranks_first(ranks, used, rank);
                int count =
                        images_of(trainer, first, pxr_ranks_first(ranks, used, rank + 1), images);
                double *nll = trainer->nll + first * trainer->settings->micro_batch;

                if (count > 0)
                        status = pxr_ranks_receive(ranks, rank, nll, count * sizeof(double),
                                                   trainer->exchange.worked, false);
        }
        return status;
}

/* --- a step ------------------------------------------------------------------------------------
 */

int pxr_trainer_step(struct pxr_trainer *trainer, const uint8_t *pixels, int images,
                     struct pxr_diag *diag)
{
        const struct pxr_train_settings *settings = trainer->settings;
        double sum = 0, clip_factor = 1, start;
        int status = 0, own;

        pxr_trainer_share(trainer, images, &own);
        compute_gradients(trainer, pixels, images);
        start = trainer->times ? pxr_now() : 0;
        if (trainer->ranks)
                status = gather_gradients(trainer, images, diag);
        else
                add_gradients(trainer, share_of(trainer, images).used);
        if (status)
                return status;
        trainer->gradient_norm = norm_of(trainer);
        for (int i = 0; i < images; i++)
                sum += trainer->nll[i];
        if (!isfinite(sum) || !isfinite(trainer->gradient_norm))
                return explain_nonfinite(trainer, pixels, own, diag);
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
