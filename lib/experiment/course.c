/* SPDX-License-Identifier: MIT */
/*
 * course.c - the course of a run: steps, what is due between them, the end.
 */
#include "experiment/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/number.h"
#include "experiment/images.h"
#include "experiment/share.h"
#include "experiment/state.h"
#include "tensor/mixed.h"

enum { STOPPED = 1 }; /* beside 0 and -1 */

enum { MOST_SPIKES = 20 }; /* recorded of a run */

/* What an epoch is trained with. */
struct epoch {
        int64_t number; /* -1: none yet */
        int64_t *order; /* the images of the training split, shuffled */
        uint8_t *batch;
        int64_t images; /* trained on since its start, or since the run was resumed */
        double seconds; /* ... in this time, without evaluation and samples */
        double waited;  /* ... of which for images to be read */
};

/* --- steps -------------------------------------------------------------------------------------
 */

static int epoch_new(const struct pxr_experiment *e, struct epoch *epoch)
{
        const struct pxr_dataset *set = e->set;
        size_t image = (size_t)set->rows * set->cols * set->colours;

        *epoch = (struct epoch) {
                .number = -1,
                .order = pxr_alloc_array(e->arena, set->count[PXR_TRAIN], sizeof(*epoch->order)),
                .batch = pxr_alloc_array(e->arena, e->settings.train.batch, image),
        };
        return epoch->order && epoch->batch ? 0 : -1;
}

/* Fisher and Yates. */
void pxr_epoch_order(const struct pxr_experiment *experiment, int64_t epoch, int64_t *order)
{
        struct pxr_random random = pxr_random((uint64_t)experiment->settings.train.seed,
                                              PXR_RANDOM_SHUFFLE, (uint32_t)epoch, 0, 0);
        int64_t count = experiment->set->count[PXR_TRAIN];

        for (int64_t i = 0; i < count; i++)
                order[i] = i;
        for (int64_t i = count - 1; i > 0; i--) {
                int64_t other = pxr_random_below(&random, (uint32_t)(i + 1));
                int64_t kept = order[i];

                order[i] = order[other];
                order[other] = kept;
        }
}

static void shuffle(const struct pxr_experiment *experiment, struct epoch *epoch, int64_t number)
{
        pxr_epoch_order(experiment, number, epoch->order);
        epoch->number = number;
}

static bool report_training(struct pxr_state *state)
{
        const struct pxr_experiment *e = state->experiment;
        double seconds_left = pxr_seconds_remaining(state, state->pace);
        int64_t step = state->trainer->step;
        const struct pxr_nll *nll = &state->counters.epoch_nll;
        bool bits = pxr_reported_in_bits(nll->dimensions, e->set->colours);

        pxr_log_progress(state, "training", seconds_left);
        return pxr_observe(&state->order->observer.base,
                           &(struct pxr_progress) {
                                   .what = "training",
                                   .unit = "images",
                                   .done = step,
                                   .all = e->all_steps,
                                   .epoch = pxr_experiment_epoch(e, step),
                                   .rate = state->pace,
                                   .nll = nll->images == 0 ? 0
                                          : bits           ? pxr_bits_per_dimension(nll)
                                                           : pxr_nats_per_image(nll),
                                   .in_bits = bits,
                                   .seconds_left = seconds_left,
                           });
}

struct pxr_nll pxr_no_images(const struct pxr_graph *graph)
{
        return (struct pxr_nll) { .dimensions = (int64_t)graph->rows * graph->cols * graph->colours,
                                  .given = pxr_is_conditional(graph) };
}

/* Count what a step did. The pace goes on from one epoch to the next. */
static void keep_pace(struct pxr_state *state, struct epoch *epoch, int images, double seconds)
{
        epoch->images += images;
        epoch->seconds += seconds;
        state->pace = (double)epoch->images / epoch->seconds;
}

/* `before` is what was usual up to the step, which costs `nats` an image. */
static const char *describe_spike(const struct pxr_state *state, double nats,
                                  const struct pxr_usual *before, double uniform)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_graph *graph = e->model->graph;
        bool bits = pxr_reported_in_bits((int64_t)pxr_graph_values(graph), graph->colours);
        double unit = bits ? M_LN2 * (double)pxr_graph_values(graph) : 1;
        char had[3][PXR_NUMBER_TEXT];
        const char *earlier = "", *norm = "";

        if (before->steps > 0) {
                earlier = pxr_strf(e->arena, "the steps before had %s and ",
                                   pxr_number_text(before->nats / unit, bits ? 3 : 1, had[0]));
                norm = pxr_strf(e->arena, ", before %.3g", before->norm);
        }
        return pxr_strf(e->arena,
                        "loss spike at step %" PRId64 ": %s %s, where %sthe uniform distribution "
                        "has %s; gradient norm %.3g%s; train.clip %g%s",
                        state->trainer->step, pxr_number_text(nats / unit, bits ? 3 : 1, had[1]),
                        bits ? "bits/dim" : "nats/image", earlier,
                        pxr_number_text(uniform / unit, bits ? 3 : 1, had[2]),
                        state->trainer->gradient_norm, norm, e->settings.train.clip,
                        state->counters.spikes == MOST_SPIKES ? "; later spikes are not recorded"
                                                              : "");
}

/* Record a loss spike, and notify the observer of the first. */
static int look_for_spike(struct pxr_state *state, int images, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = state->experiment->model->graph;
        struct pxr_counters *c = &state->counters;
        struct pxr_usual before = c->usual;
        struct pxr_nll nll = pxr_nll_of(state->trainer->nll, images);
        double nats = pxr_nats_per_image(&nll);
        double uniform = (double)pxr_graph_values(graph) * log(graph->levels);
        const char *text;

        if (!pxr_is_spike(&c->usual, nats, state->trainer->gradient_norm, uniform) ||
            c->spikes < 0 || c->spikes >= MOST_SPIKES)
                return 0;
        c->spikes++;
        text = describe_spike(state, nats, &before, uniform);
        if (c->spikes == 1)
                pxr_observe_note(&state->order->observer.base, text);
        return pxr_store_add_event(state->order->store, pxr_state_moment(state), "spike", text,
                                   diag);
}

/* Returns 0, STOPPED before the step is done, or -1. */
static int train_step(struct pxr_state *state, struct epoch *epoch, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_dataset *set = e->set;
        int64_t step = state->trainer->step, number = step / e->steps_per_epoch;
        int64_t first = step % e->steps_per_epoch * e->settings.train.batch;
        int64_t left = set->count[PXR_TRAIN] - first;
        int images = (int)(left < e->settings.train.batch ? left : e->settings.train.batch);
        double started = pxr_now(), seconds;
        int own, status;

        if (epoch->number != number)
                shuffle(e, epoch, number);
        status = pxr_trainer_begin(state->trainer, number, first, images);
        if (status)
                return status;
        if (first == 0)
                state->counters.epoch_nll = pxr_no_images(e->model->graph);
        pxr_trainer_share(state->trainer, images, &own); /* that of rank 0 comes first */
        if (pxr_read_batch(e, number, epoch->order + first, own, epoch->batch, state->trainer,
                           diag))
                return -1;
        epoch->waited += pxr_now() - started;
        state->trainer->all_steps = pxr_stage_end(e, step);
        status = pxr_trainer_step(state->trainer, epoch->batch, images, diag);
        if (status)
                return status;
        state->counters.pending = true;
        for (int i = 0; i < images; i++)
                pxr_nll_add(&state->counters.epoch_nll, state->trainer->nll[i]);
        seconds = pxr_now() - started;
        keep_pace(state, epoch, images, seconds);
        status = look_for_spike(state, images, diag);
        /* Counted even then: the state is saved after an error too. */
        return pxr_log_step(state, images, seconds, diag) || status ? -1 : 0;
}

/* --- what is due after a step ------------------------------------------------------------------
 */

static bool is_due(const struct pxr_experiment *e, struct pxr_interval every, int64_t step)
{
        int64_t period = pxr_period(e, every);

        return period > 0 && step > 0 && step % period == 0;
}

/* The last step (of each stage) is always evaluated, so that its parameters can be the best on the
 * validation split. */
static bool evaluation_due(const struct pxr_experiment *e, int64_t step)
{
        return is_due(e, e->settings.evaluate.every, step) || pxr_is_stage_end(e, step);
}

/* Whether the last evaluation was one as of the result: of all images, in float32. Those of the
 * training split are not compared image by image: they may differ from run to run. */
static bool may_be_result(const struct pxr_state *state, enum pxr_split split,
                          const struct pxr_nll *nll)
{
        return split != PXR_TRAIN && state->evaluation.precision == PXR_F32 &&
               nll->images == state->experiment->set->count[split];
}

/* Evaluate a split and record its NLL and where its nats are. `final`: it is the run's result.
 * Returns 0, STOPPED or -1. */
static int evaluate_split(struct pxr_state *state, int64_t step, enum pxr_split split,
                          const float *parameters, bool final, struct pxr_diag *diag)
{
        const struct pxr_evaluate_settings *settings = &state->experiment->settings.evaluate;
        struct pxr_nll *nll = &state->nll[split];
        double started = pxr_now();
        int status;

        pxr_log_begin_work(state, false);
        state->evaluation.parameters = parameters;
        state->evaluation.split = split;
        state->evaluation.limit = final ? 0 : settings->limit;
        state->evaluation.precision = final ? PXR_F32 : pxr_precision_of(settings->precision);
        status = pxr_evaluate(&state->evaluation, nll, diag);
        if (status)
                return status;
        state->nll_step[split] = state->evaluation.precision == PXR_F32 ? step : -1;
        state->due.evaluated -= (double)nll->images;
        state->evaluated.images += (double)nll->images;
        state->evaluated.seconds += pxr_now() - started;
        if (pxr_record_nll(state, step, split, nll, final, diag) ||
            (may_be_result(state, split, nll) && pxr_record_images(state, step, nll, diag)))
                return -1;
        return pxr_record_map(state, step, nll, diag);
}

/* Whether the split is among `splits` and has images. */
static bool wanted(const struct pxr_experiment *e, uint32_t splits, int split)
{
        return splits >> split & 1 && e->set->count[split] > 0;
}

/* Update the counters by a validation NLL. Returns whether it is the best so far. */
static bool compare(struct pxr_state *state, double nats)
{
        const struct pxr_train_settings *settings = &state->experiment->settings.train;
        struct pxr_counters *c = &state->counters;

        if (nats < c->best) {
                c->best = nats;
                c->best_step = state->trainer->step;
                c->since_best = 0;
                return true;
        }
        c->since_best++;
        c->stopped_early = settings->patience > 0 && c->since_best >= settings->patience;
        return false;
}

/* All wanted splits. The nats per image of the validation split go to *valid. */
static int evaluate(struct pxr_state *state, double *valid, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        int status = 0;

        for (int split = 0; split < PXR_SPLITS; split++)
                if (wanted(e, e->settings.evaluate.splits, split))
                        state->due.evaluated += (double)pxr_images_along_the_way(e, split);
        for (int split = 0; split < PXR_SPLITS && !status; split++) {
                if (!wanted(e, e->settings.evaluate.splits, split))
                        continue;
                status = evaluate_split(state, state->trainer->step, split,
                                        pxr_trainer_best(state->trainer), false, diag);
                if (!status && split == PXR_VALID)
                        *valid = pxr_nats_per_image(&state->nll[split]);
        }
        return status;
}

/* A digest of the order of the images in an epoch: 48 bits, which a metric holds exactly. A run
 * resumed at the very end of the epoch has to draw the order again. */
static double order_digest(const struct pxr_experiment *e, struct epoch *epoch, int64_t number)
{
        char hex[PXR_SHA256_HEX];

        if (epoch->number != number)
                shuffle(e, epoch, number);
        pxr_sha256(epoch->order, (size_t)e->set->count[PXR_TRAIN] * sizeof(*epoch->order), hex);
        hex[12] = '\0';
        return (double)strtoull(hex, NULL, 16);
}

/* A run resumed at the very end of an epoch has no steps to measure. */
static int record_epoch(struct pxr_state *state, struct epoch *epoch, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        struct pxr_store *store = state->order->store;
        struct pxr_moment now = pxr_state_moment(state);
        int64_t number = now.step / e->steps_per_epoch - 1;

        if ((epoch->images > 0 &&
             pxr_store_add_metric(store, now, "train", "images_per_second",
                                  (double)epoch->images / epoch->seconds, diag)) ||
            (epoch->images > 0 && pxr_store_add_metric(store, now, "train", "data_wait_share",
                                                       epoch->waited / epoch->seconds, diag)) ||
            pxr_store_add_metric(store, now, "train", "gradient_norm",
                                 state->trainer->gradient_norm, diag) ||
            pxr_store_add_metric(store, now, "train", "order_digest",
                                 order_digest(e, epoch, number), diag) ||
            pxr_store_add_metric(store, now, "train", "rate", state->trainer->rate, diag))
                return -1;
        return 0;
}

static int end_epoch(struct pxr_state *state, struct epoch *epoch, struct pxr_diag *diag)
{
        struct pxr_store *store = state->order->store;

        if (pxr_store_begin(store, diag) ||
            pxr_store_conclude(store, record_epoch(state, epoch, diag), diag))
                return -1;
        return pxr_record_nll(state, state->trainer->step, PXR_TRAIN, &state->counters.epoch_nll,
                              false, diag);
}

/* Everything due at this step. Returns 0, STOPPED half-way (it will be done again), or -1. */
static int do_due(struct pxr_state *state, struct epoch *epoch, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        int64_t step = state->trainer->step;
        bool draws = (is_due(e, e->settings.sample.every, step) || pxr_is_stage_end(e, step)) &&
                     step < e->all_steps;
        double valid = NAN;
        bool better;
        int status = 0;

        state->due =
                (struct pxr_remaining) { .drawn = draws ? (double)e->settings.sample.count : 0 };
        if (step % e->steps_per_epoch == 0 && end_epoch(state, epoch, diag))
                return -1;
        if (evaluation_due(e, step))
                status = evaluate(state, &valid, diag);
        if (!status && draws)
                status = pxr_record_samples(state, step, pxr_trainer_best(state->trainer), diag);
        if (status)
                return status;
        better = !isnan(valid) && compare(state, valid);
        state->counters.pending = false;
        if (better || is_due(e, e->settings.train.checkpoint, step))
                return pxr_checkpoint_save(state, diag);
        return 0;
}

static bool finished(const struct pxr_state *state)
{
        return state->counters.stopped_early ||
               state->trainer->step >= state->experiment->all_steps;
}

static int train(struct pxr_state *state, struct pxr_diag *diag)
{
        struct epoch epoch;
        int status = epoch_new(state->experiment, &epoch);

        while (!status) {
                if (state->counters.pending) {
                        status = do_due(state, &epoch, diag);
                        if (status)
                                break;
                        if (state->trainer->step % state->experiment->steps_per_epoch == 0) {
                                epoch.images = 0;
                                epoch.seconds = 0;
                                epoch.waited = 0;
                        }
                }
                if (finished(state))
                        break;
                if (report_training(state)) {
                        status = STOPPED;
                        break;
                }
                status = train_step(state, &epoch, diag);
        }
        return status;
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* Whether a split was just evaluated with the parameters at `step`, in full and in float32. */
static bool is_evaluated(const struct pxr_state *state, int split, int64_t step)
{
        return state->nll_step[split] == step &&
               state->nll[split].images == state->experiment->set->count[split];
}

/* The result that the parameters at `step` give. Returns 0, STOPPED or -1. */
static int record_result(struct pxr_state *state, int64_t step, const float *parameters,
                         struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        uint32_t splits = e->settings.evaluate.splits | e->settings.evaluate.at_end;

        state->concludes = true;
        state->due = (struct pxr_remaining) { .drawn = (double)e->settings.sample.count };
        for (int split = 0; split < PXR_SPLITS; split++)
                if (wanted(e, splits, split) && !is_evaluated(state, split, step))
                        state->due.evaluated += (double)e->set->count[split];
        for (int split = 0; split < PXR_SPLITS; split++) {
                struct pxr_nll nll = state->nll[split];
                int status = 0;

                if (!wanted(e, splits, split))
                        continue;
                if (is_evaluated(state, split, step))
                        status = pxr_record_nll(state, step, split, &nll, true, diag);
                else
                        status = evaluate_split(state, step, split, parameters, true, diag);
                if (status)
                        return status;
        }
        pxr_hash_parameters(parameters, state->trainer->size, state->result_hash);
        return pxr_record_samples(state, step, parameters, diag);
}

/* With train.average: record the hash of the parameters without averaging too. */
static int record_raw(struct pxr_state *state, const float *raw, struct pxr_diag *diag)
{
        char hash[PXR_SHA256_HEX];

        pxr_hash_parameters(raw, state->trainer->size, hash);
        return pxr_store_raw_parameters(state->order->store, state->run, hash, diag);
}

/* With early stopping the result is of the parameters that were best on the validation split. */
static int record_best(struct pxr_state *state, struct pxr_diag *diag)
{
        int64_t step = state->counters.best_step;
        bool averages = state->trainer->average != NULL;
        float *best =
                pxr_alloc_array(state->experiment->arena, state->trainer->size, sizeof(*best));
        int status;

        if (!best)
                return -1;
        pxr_observe_note(&state->order->observer.base,
                         pxr_strf(state->experiment->arena,
                                  "the result is of step %" PRId64
                                  " (epoch %.4g), the best on the validation split",
                                  step, pxr_experiment_epoch(state->experiment, step)));
        status = pxr_checkpoint_parameters(state, step, averages, best, diag);
        if (!status)
                status = record_result(state, step, best, diag);
        if (!status && averages)
                status = pxr_checkpoint_parameters(state, step, false, best, diag);
        if (!status && averages)
                status = record_raw(state, best, diag);
        return status;
}

static int conclude(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_trainer *trainer = state->trainer;
        bool early = trainer->settings->patience > 0 && isfinite(state->counters.best);
        int status = early ? record_best(state, diag)
                           : record_result(state, trainer->step, pxr_trainer_best(trainer), diag);

        if (!status && !early && trainer->average)
                status = record_raw(state, trainer->parameters, diag);
        return status ? status : pxr_checkpoint_save(state, diag);
}

/* Name the last checkpoint: the database, which was moved or deleted, cannot. */
static void note_kept(struct pxr_state *state, const struct pxr_diag *saving, struct pxr_diag *diag)
{
        const char *file = pxr_checkpoint_file(state->experiment->arena, state);
        const char *database = pxr_store_path(state->order->store), *error;

        if (access(file, F_OK) == 0)
                pxr_note(diag, "the checkpoint of step %" PRId64 " is %s", state->trainer->step,
                         file);
        else if ((error = pxr_diag_first_error(saving)))
                pxr_note(diag, "no checkpoint could be saved: %s", error);
        pxr_note(diag,
                 "to continue from the last checkpoint on record, move the database back to %s and "
                 "resume run %" PRId64,
                 database, state->run);
}

static const char *describe_stop(const struct pxr_state *state)
{
        const char *lost = state->order->ranks ? state->order->ranks->lost : NULL;

        return pxr_strf(state->experiment->arena, "stopped at step %" PRId64 "%s%s",
                        state->trainer->step, lost ? ": " : "", lost ? lost : "");
}

/* Record how the run ended. */
static int close_run(struct pxr_state *state, int status, struct pxr_diag *diag)
{
        struct pxr_store *store = state->order->store;
        const char *error = pxr_diag_first_error(diag), *message = NULL;
        struct pxr_diag *own = pxr_diag_new();

        if (status == STOPPED && pxr_checkpoint_save(state, diag))
                status = -1;
        else if (status < 0 && state->trainer->step > 0)
                pxr_checkpoint_save(state, own); /* what there is, if it can be kept */
        if (status < 0 && own && !pxr_store_in_place(store))
                note_kept(state, own, diag);
        if (status)
                message = status < 0 ? error : describe_stop(state);
        if (status)
                pxr_store_add_event(store, pxr_state_moment(state),
                                    status < 0 ? "error" : "interrupted", message ? message : "",
                                    own);
        if (pxr_store_end_run(store, state->run,
                              status < 0   ? "failed"
                              : status > 0 ? "interrupted"
                                           : "finished",
                              message, status ? NULL : state->result_hash,
                              pxr_now() - state->recorded, status < 0 ? own : diag))
                status = -1;
        pxr_diag_free(own);
        return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* Show what is being trained, while a mistake costs little. */
static void tell_start(const struct pxr_state *state)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_dataset *set = e->set;
        const struct pxr_ranks *ranks = state->order->ranks;

        pxr_observe_note(&state->order->observer.base,
                         pxr_strf(e->arena,
                                  "run %" PRId64 ": %.60s, %zu parameters; %s, %" PRId64
                                  " training images of %dx%dx%d; %d thread%s%s",
                                  state->run, e->settings.name, state->trainer->size, set->name,
                                  set->count[PXR_TRAIN], set->rows, set->cols, set->colours,
                                  state->order->threads, pxr_plural(state->order->threads),
                                  pxr_ranks_several(ranks)
                                          ? pxr_strf(e->arena, " on each of %d ranks", ranks->size)
                                          : ""));
}

static struct pxr_evaluation evaluation_of(const struct pxr_state *state)
{
        const struct pxr_run_order *order = state->order;
        const struct pxr_experiment *e = state->experiment;

        return (struct pxr_evaluation) { .arena = e->arena,
                                         .graph = e->model->graph,
                                         .set = e->set,
                                         .micro_batch = (int)e->settings.train.micro_batch,
                                         .threads = order->threads,
                                         .ranks = order->ranks,
                                         .observer = &state->log.observer };
}

int pxr_run(const struct pxr_run_order *order, int64_t *id, struct pxr_diag *diag)
{
        struct pxr_experiment *experiment = order->experiment;
        struct pxr_state state = {
                .order = order, .experiment = experiment, .began = pxr_now(), .pace = NAN
        };
        int status;

        state.evaluation = evaluation_of(&state);
        state.recorded = state.began;
        state.counters.log_nll = pxr_no_images(experiment->model->graph);
        state.counters.best = INFINITY;
        state.counters.epoch_nll = pxr_no_images(experiment->model->graph);
        if (order->resume && pxr_resumable(order, diag))
                return -1;
        state.trainer =
                pxr_trainer_new_shared(experiment->model->graph, &experiment->settings.train,
                                       order->threads, experiment->all_steps, order->ranks, diag);
        if (!state.trainer)
                return -1;
        if (order->resume) {
                state.run = order->resume->id;
                state.seconds_before = order->resume->wall_seconds;
                memcpy(state.uid, order->resume->uid, sizeof(state.uid));
        }
        if (order->resume ? pxr_resume(&state, diag)
                          : pxr_start_parameters(&state, diag) || pxr_record_run(&state, diag)) {
                pxr_trainer_free(state.trainer);
                return -1;
        }
        *id = state.run;
        if (!order->resume)
                tell_start(&state);
        status = pxr_record_unmixed(&state, diag);
        if (!status && pxr_ranks_several(order->ranks))
                status = pxr_share_begin(order->ranks, order->threads);
        if (!status)
                status = train(&state, diag);
        if (!status)
                status = conclude(&state, diag);
        if (status < 0 && pxr_ranks_several(order->ranks))
                pxr_ranks_abandon(order->ranks);
        status = close_run(&state, status, diag);
        pxr_trainer_free(state.trainer);
        return status < 0 ? -1 : status == STOPPED ? PXR_RUN_INTERRUPTED : PXR_RUN_FINISHED;
}
