/* SPDX-License-Identifier: MIT */
/*
 * record.c - rows of the run database, from what a run knows.
 */
#include "experiment/state.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/number.h"
#include "config/yaml.h"
#include "experiment/caption.h"
#include "experiment/images.h"
#include "experiment/provenance_check.h"
#include "experiment/recorded.h"
#include "model/fingerprint.h"
#include "sample/generate.h"
#include "sample/grid.h"
#include "sample/shared.h"
#include "tensor/bf16.h"
#include "tensor/generation_schedule.h"
#include "tensor/mixed.h"

/* --- the start of a run ------------------------------------------------------------------------
 */

const char *pxr_instruction_set(const struct pxr_experiment *e, const struct pxr_run *now)
{
        const struct pxr_settings *settings = &e->settings;
        bool mixed = pxr_precision_of(settings->train.precision) == PXR_BF16 ||
                     pxr_precision_of(settings->evaluate.precision) == PXR_BF16;

        if (!now->instruction_set || !mixed)
                return now->instruction_set;
        return pxr_strf(e->arena, "%s, %s", now->instruction_set,
                        pxr_bf16_unit_name(pxr_bf16_best_unit()));
}

char *pxr_record_process(const struct pxr_state *state, const char *what, struct pxr_run *now)
{
        struct pxr_arena *arena = state->experiment->arena;
        int ranks = pxr_ranks_several(state->order->ranks) ? state->order->ranks->size : 1;

        now->threads = state->order->threads;
        now->ranks = ranks;
        now->instruction_set = pxr_instruction_set(state->experiment, now);
        return pxr_strf(arena, "%s by %s, on host %s (%s, %s), with %d thread%s%s", what,
                        pxr_program_text(arena, now->program_version, now->program_revision),
                        now->host ? now->host : "?", now->processor ? now->processor : "?",
                        now->instruction_set ? now->instruction_set : "?", state->order->threads,
                        pxr_plural(state->order->threads),
                        ranks > 1 ? pxr_strf(arena, " on each of %d ranks (%s)", ranks,
                                             state->order->ranks->library)
                                  : "");
}

/* The resolved spec, in all its forms. */
static int fill_spec(const struct pxr_experiment *e, struct pxr_run *run, struct pxr_diag *diag)
{
        char *hash = pxr_alloc(e->arena, PXR_SHA256_HEX),
             *recipe = pxr_alloc(e->arena, PXR_SHA256_HEX);

        run->spec = pxr_yaml_emit(e->arena, e->root, diag);
        if (!run->spec || !hash || !recipe || pxr_spec_recipe(e->arena, e->root, recipe, diag))
                return -1;
        pxr_sha256(run->spec, strlen(run->spec), hash);
        run->spec_json = pxr_yaml_json(e->arena, e->root);
        run->spec_hash = hash;
        run->recipe_hash = recipe;
        return run->spec_json ? 0 : -1;
}

int pxr_record_extension(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_run_order *order = state->order;
        const struct pxr_choice *schedule = &e->settings.train.schedule;
        int64_t warm_up = e->settings.train.warm_up, step = state->trainer->step;
        double base = pxr_optimizer_rate(&e->settings.train.optimizer);
        double rate = base * pxr_rate_factor(schedule, warm_up, step, e->all_steps);
        struct pxr_run run = *order->resume;
        const char *text;

        if (fill_spec(e, &run, diag))
                return -1;
        run.origins = pxr_strf(e->arena, "%s%s (set by --resume at step %" PRId64 ")\n",
                               run.origins, order->extension, step);
        text = pxr_strf(e->arena,
                        "extended at step %" PRId64 " to step %" PRId64 " (%s); learning rate "
                        "%.3g before, %.3g now",
                        step, e->all_steps, order->extension, state->trainer->rate, rate);
        pxr_observe_note(&order->observer.base, text);
        return pxr_store_change_spec(order->store, &run, diag) ||
                               pxr_store_add_event(order->store, pxr_state_moment(state),
                                                   "extended", text, diag)
                       ? -1
                       : 0;
}

static int record_row(struct pxr_state *state, const struct pxr_fingerprint *fingerprint,
                      struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_run_order *order = state->order;
        struct pxr_run *run = pxr_provenance(e->arena, order->folder);
        const struct pxr_graph *graph = e->model->graph;
        const char *started;
        char folder[PATH_MAX];

        if (!run || fill_spec(e, run, diag))
                return -1;
        run->name = pxr_run_name_mended(e->arena, e->settings.name);
        run->origins = pxr_yaml_explain(e->arena, e->root, "", diag);
        run->seed = e->settings.train.seed;
        run->command_line = order->command_line;
        run->data_set = e->set->name;
        run->data_identity = e->set->identity;
        run->data_content = e->set->content;
        run->data_transforms = e->set->transforms;
        run->data_entropy = pxr_is_conditional(graph) ? NAN : e->set->entropy;
        run->certificate = e->certificate.digest;
        run->family = pxr_model_family(e->model);
        run->fingerprint_nll = fingerprint->nll;
        run->fingerprint_gradient = fingerprint->gradient;
        run->fingerprint_single = fingerprint->single;
        run->fingerprint_version = PXR_FINGERPRINT_VERSION;
        run->parameters = (int64_t)graph->parameter_values;
        run->image_rows = graph->rows;
        run->image_cols = graph->cols;
        run->image_colours = graph->colours;
        run->image_levels = graph->levels;
        run->reproduces_table = e->settings.reproduces.table;
        run->reproduces_row = e->settings.reproduces.row;
        run->start_from = state->start_from;
        run->start_hash = state->start_from ? state->start_hash : NULL;
        run->folder = getcwd(folder, sizeof(folder));
        run->repeats = order->repeats ? order->repeats->uid : NULL;
        run->given = pxr_given(e->arena, graph);
        if (graph->small_rows)
                run->given_identity = pxr_dataset_small_identity(
                        e->arena, e->set, graph->small_rows, graph->small_cols);
        started = pxr_record_process(state, "started", run);
        if (!run->origins || pxr_arena_failed(e->arena) ||
            pxr_store_add_run(order->store, run, diag))
                return -1;
        state->run = run->id;
        memcpy(state->uid, run->uid, sizeof(state->uid));
        if (order->job.job &&
            pxr_store_link_job(order->store, &order->job, run->id, run->spec_hash, diag))
                return -1;
        if (state->start_from)
                started = pxr_strf(e->arena, "%s; initial parameters of %s", started,
                                   state->start_text);
        return pxr_store_add_event(order->store, pxr_state_moment(state), "started", started, diag);
}

static int record_layers(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_model *model = state->experiment->model;
        int position = 0;

        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next) {
                struct pxr_extent extent = pxr_receptive_extent(model->graph, layer->output);
                struct pxr_layer_row row = {
                        .position = position++,
                        .path = layer->path,
                        .kind = layer->plugin->layer->name,
                        .rows = layer->output->shape.rows,
                        .cols = layer->output->shape.cols,
                        .channels = layer->output->shape.channels,
                        .parameters = (int64_t)layer->parameters,
                        .multiply_adds = layer->multiply_adds,
                        .field_above = extent.above,
                        .field_left = extent.left,
                        .field_right = extent.right,
                };

                if (pxr_store_add_layer(state->order->store, state->run, &row, diag))
                        return -1;
        }
        return 0;
}

static int record_files(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_data_file *file = state->experiment->set->files;

        for (; file; file = file->next)
                if (pxr_store_add_data_file(state->order->store, state->run, file->path, file->size,
                                            file->sha256, diag))
                        return -1;
        return 0;
}

int pxr_record_plugins(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_model *model = state->experiment->model;
        const struct pxr_built_layer *layer = pxr_layer_of_new_plugin(model, model->layer);

        for (; layer; layer = pxr_layer_of_new_plugin(model, layer->next)) {
                char hex[PXR_SHA256_HEX];
                const struct pxr_plugin_row row = { .name = layer->plugin->layer->name,
                                                    .version = layer->plugin->version,
                                                    .path = layer->plugin->path,
                                                    .sha256 = hex };

                if (pxr_sha256_file(row.path, hex, diag) ||
                    pxr_store_add_plugin(state->order->store, state->run, &row, diag))
                        return -1;
        }
        return 0;
}

/* Record a picture with its row and show it to the observer. */
static int record_picture(struct pxr_state *state, int64_t step, struct pxr_sample_row row,
                          const struct pxr_grid *grid, struct pxr_diag *diag)
{
        const struct pxr_run_observer *observer = &state->order->observer;
        uint8_t *png = pxr_grid_png(grid, &row.size, diag);
        int status;

        if (!png)
                return -1;
        row.png = png;
        status =
                pxr_store_add_sample(state->order->store, pxr_step_moment(state, step), &row, diag);
        if (!status && observer->picture)
                observer->picture(observer->base.context, state->run, row.kind, step, png,
                                  row.size);
        free(png);
        return status;
}

/* White is the pixel itself, light grey what it sees, dark grey the rest. */
static int record_field(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_graph *graph = e->model->graph;
        size_t pixels = (size_t)graph->rows * graph->cols;
        uint8_t *map = pxr_alloc(e->arena, pixels);
        const struct pxr_grid grid = { .pixels = map,
                                       .images = 1,
                                       .rows = graph->rows,
                                       .cols = graph->cols,
                                       .colours = 1,
                                       .levels = 256 };
        const struct pxr_sample_row row = {
                .kind = "receptive field", .count = 1, .temperature = NAN, .log_likelihood = NAN
        };

        if (!map)
                return -1;
        for (size_t i = 0; i < pixels; i++)
                map[i] = e->certificate.field[i] ? 170 : 64;
        map[graph->rows / 2 * graph->cols + graph->cols / 2] = 255;
        return record_picture(state, state->trainer->step, row, &grid, diag);
}

int pxr_record_run(struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_store *store = state->order->store;
        struct pxr_fingerprint fingerprint;
        int status;

        pxr_observe_count(&state->order->observer.base, "taking the fingerprint", "images", 0, 1);
        if (pxr_fingerprint_take(state->experiment->model, false, &fingerprint, diag) ||
            pxr_store_begin(store, diag))
                return -1;
        status = record_row(state, &fingerprint, diag) || record_layers(state, diag) ||
                                 record_files(state, diag) || pxr_record_plugins(state, diag) ||
                                 record_field(state, diag)
                         ? -1
                         : 0;
        status = pxr_store_conclude(store, status, diag);
        if (!status && !pxr_fingerprint_known(&fingerprint))
                pxr_observe_note(&state->order->observer.base,
                                 "what the model computes of a fixed image is not finite: a layer "
                                 "that is edited later may go unnoticed");
        return status;
}

/* --- along the way -----------------------------------------------------------------------------
 */

int pxr_record_nll(struct pxr_state *state, int64_t step, enum pxr_split split,
                   const struct pxr_nll *nll, bool final, struct pxr_diag *diag)
{
        const struct pxr_run_observer *observer = &state->order->observer;
        struct pxr_moment now = pxr_step_moment(state, step);
        /* The mean over a training epoch is of many models, the first of them untrained. */
        bool running = !final && split == PXR_TRAIN;
        struct pxr_nll_row row = {
                .split = pxr_split_names[split],
                .name = final ? "final_nll" : "nll",
                .sum_nats = nll->sum,
                .sum_squares = nll->sum_squares,
                .images = nll->images,
                .dimensions = nll->dimensions,
                .standard_error = pxr_standard_error(nll),
                .suspect = running ? NULL : pxr_nll_suspect(nll, state->experiment->set),
        };

        if (pxr_store_add_nll(state->order->store, now, &row, diag))
                return -1;
        if (observer->nll)
                observer->nll(observer->base.context, now.epoch, row.split, nll, row.suspect,
                              final);
        return 0;
}

int pxr_record_map(struct pxr_state *state, int64_t step, const struct pxr_nll *nll,
                   struct pxr_diag *diag)
{
        const struct pxr_graph *graph = state->experiment->model->graph;
        const struct pxr_nll_map_row row = { .split = pxr_split_names[state->evaluation.split],
                                             .images = nll->images,
                                             .rows = graph->rows,
                                             .cols = graph->cols,
                                             .colours = graph->colours,
                                             .sum_nats = state->evaluation.value_nats };

        return pxr_store_add_nll_map(state->order->store, pxr_step_moment(state, step), &row, diag);
}

int pxr_record_images(struct pxr_state *state, int64_t step, const struct pxr_nll *nll,
                      struct pxr_diag *diag)
{
        const struct pxr_image_nll_row row = { pxr_split_names[state->evaluation.split],
                                               nll->images, state->evaluation.image_nats };

        return pxr_store_add_image_nll(state->order->store, pxr_step_moment(state, step), &row,
                                       diag);
}

/* Notify and record that an op is slower than others. */
static int note_fallback(struct pxr_state *state, const char *text, struct pxr_diag *diag)
{
        pxr_observe_note(&state->order->observer.base, text);
        return pxr_store_add_event(state->order->store, pxr_state_moment(state), "fallback", text,
                                   diag);
}

int pxr_record_unmixed(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_node *node = pxr_mixed_fallback(e->model->graph);

        if (!node || pxr_precision_of(e->settings.train.precision) == PXR_F32)
                return 0;
        return note_fallback(state,
                             pxr_strf(e->arena,
                                      "%s: op '%s' has no kernels for bfloat16: it is computed in "
                                      "float32",
                                      node->layer, node->op->name),
                             diag);
}

/* Notify and record that generation is slow, and why. */
static int tell_fallback(struct pxr_state *state, struct pxr_diag *diag)
{
        const char *name = pxr_graph_fallback(state->experiment->model->graph, PXR_F32), *text;

        if (!name)
                return 0;
        text = pxr_strf(
                state->experiment->arena,
                "op '%s' has no 'advance': each value of a sample takes a whole pass, which "
                "is slow",
                name);
        return note_fallback(state, text, diag);
}

/* The grid of the samples, which says where it comes from. */
static int record_grid(struct pxr_state *state, int64_t step, double log_likelihood,
                       struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_generation *drawn = &state->generation;
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        char hash[PXR_SHA256_HEX];
        struct pxr_run run = { .id = state->run, .name = e->settings.name };
        const struct pxr_recorded recorded = {
                .store = state->order->store, .run = &run, .step = step, .parameter_hash = hash
        };
        struct pxr_grid grid = { .pixels = state->samples,
                                 .images = drawn->count,
                                 .rows = graph->rows,
                                 .cols = graph->cols,
                                 .colours = graph->colours,
                                 .levels = graph->levels,
                                 .down = pxr_classes_down(drawn->classes ? graph->classes : 0,
                                                          drawn->count) };
        const struct pxr_sample_row row = { .kind = "samples",
                                            .seed = (int64_t)drawn->seed,
                                            .count = drawn->count,
                                            .temperature = 1,
                                            .parameter_hash = hash,
                                            .log_likelihood = log_likelihood };
        struct pxr_caption caption;
        int status = -1;

        if (!arena)
                return -1;
        memcpy(run.uid, state->uid, sizeof(run.uid));
        pxr_hash_parameters(drawn->parameters, graph->parameter_values, hash);
        if (!pxr_caption_begin(&caption, arena, &recorded, "samples", diag)) {
                pxr_caption_add_drawn(&caption, drawn->seed, 1, log_likelihood);
                if (graph->small_rows)
                        pxr_caption_add(&caption, "pxr:given",
                                        pxr_small_images_text(arena, e->set));
                pxr_caption_add(&caption, "pxr:classes", pxr_sample_classes_text(arena, graph, -1));
                grid.texts = (struct pxr_png_texts) { caption.text, caption.count };
                status = record_picture(state, step, row, &grid, diag);
        }
        pxr_arena_free(arena);
        return status;
}

struct pxr_generation pxr_generation_of(const struct pxr_experiment *e, int threads,
                                        const struct pxr_observer *observer)
{
        int count = (int)e->settings.sample.count;

        return (struct pxr_generation) {
                .arena = e->arena,
                .graph = e->model->graph,
                .classes = pxr_sample_classes(e->arena, e->model->graph, count, -1),
                .nats = pxr_alloc_array(e->arena, count, sizeof(double)),
                .seed = (uint64_t)e->settings.sample.seed,
                .count = count,
                .threads = threads,
                .observer = observer,
        };
}

/* What all samples of a run have in common. */
static int prepare_samples(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = state->experiment;
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_ranks *ranks = state->order->ranks;
        int count = (int)e->settings.sample.count;

        state->generation = pxr_generation_of(e, state->order->threads, &state->log.observer);
        state->samples = pxr_alloc_array(e->arena, count, pxr_graph_values(graph));
        if (!state->samples || !state->generation.nats || tell_fallback(state, diag))
                return -1;
        if (pxr_small_images(e->arena, graph, e->set, count, &state->generation.small, diag))
                return -1;
        if (pxr_ranks_several(ranks))
                state->drawing = pxr_generation_share(&state->generation, ranks);
        return pxr_ranks_several(ranks) && !state->drawing ? -1 : 0;
}

int pxr_record_samples(struct pxr_state *state, int64_t step, const float *parameters,
                       struct pxr_diag *diag)
{
        struct pxr_generation *generation = &state->generation;
        double started = pxr_now();
        struct pxr_nll nll;
        int status;

        if (state->experiment->settings.sample.count == 0)
                return 0;
        if (generation->count == 0 && prepare_samples(state, diag))
                return -1;
        pxr_log_begin_work(state, true);
        generation->parameters = parameters;
        status = state->drawing ? pxr_generate_shared(generation, state->drawing,
                                                      state->order->ranks, state->samples, diag)
                                : pxr_generate(generation, state->samples, diag);
        if (status)
                return status;
        nll = pxr_nll_of(generation->nats, generation->count);
        state->due.drawn = 0;
        state->drawn.images += (double)generation->count;
        state->drawn.seconds += pxr_now() - started;
        return record_grid(state, step, -pxr_nats_per_image(&nll), diag);
}
