/* SPDX-License-Identifier: MIT */
/*
 * draw.c - drawing images from recorded runs.
 */
#include "experiment/draw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "experiment/caption.h"
#include "sample/grid.h"
#include "train/evaluate.h"

static int images_to_draw(const struct pxr_draw_order *order)
{
        return order->images ? order->count * order->images->count : order->count;
}

/* --- checks ------------------------------------------------------------------------------------
 */

static int not_given(const struct pxr_recorded *run, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "run %" PRId64 " ('%s') is not given small images: it has no "
                              "multi_scale layer",
                              run->run->id, run->run->name);
}

/* Images drawn by two runs that were trained on different images follow the distribution of
 * neither.
 */
static void warn_of_data(const struct pxr_run *run, const struct pxr_run *from,
                         struct pxr_diag *diag)
{
        if (run->given_identity && from->data_identity &&
            strcmp(run->given_identity, from->data_identity) != 0)
                pxr_warn(diag,
                         "run %" PRId64 " ('%s') was trained on other images (%s) than the small "
                         "versions that run %" PRId64 " ('%s') was given (of %s): another set, or "
                         "other data.limit or splits ('pxr-report compare %" PRId64 " %" PRId64
                         "')",
                         from->id, from->name, from->data_set, run->id, run->name, run->data_set,
                         from->id, run->id);
}

static int check_pair(const struct pxr_recorded *run, const struct pxr_recorded *from,
                      struct pxr_diag *diag)
{
        const struct pxr_graph *g = run->graph, *small = from->graph;

        if (!g->small_rows)
                return not_given(run, diag);
        if (g->small_rows == small->rows && g->small_cols == small->cols &&
            g->colours == small->colours && g->levels == small->levels) {
                warn_of_data(run->run, from->run, diag);
                return 0;
        }
        return pxr_user_error(diag,
                              "run %" PRId64 " ('%s') is given images of %dx%dx%d with %d levels, "
                              "but run %" PRId64 " ('%s') draws %dx%dx%d with %d levels",
                              run->run->id, run->run->name, g->small_rows, g->small_cols,
                              g->colours, g->levels, from->run->id, from->run->name, small->rows,
                              small->cols, small->colours, small->levels);
}

/* The user must say what the last run of the chain is given: small images of the data set give
 * other pictures than small images that a model draws. */
static int check_last(const struct pxr_draw_order *order, struct pxr_diag *diag)
{
        const struct pxr_recorded *last = order->chain[order->length - 1];
        const struct pxr_graph *g = last->graph;

        if (order->images || order->from_data == (g->small_rows > 0))
                return 0;
        if (order->from_data)
                return not_given(last, diag);
        pxr_user_error(diag,
                       "run %" PRId64 " ('%s') is conditional: what small images is it given?",
                       last->run->id, last->run->name);
        if (!order->alone)
                pxr_note(diag, "'--from RUN' has them drawn by a run of %dx%d images",
                         g->small_rows, g->small_cols);
        pxr_note(diag, "'--from data' takes them from the run's data set");
        return -1;
}

/* The grid of what chain[0] draws, without pixels yet. */
static struct pxr_grid grid_of(const struct pxr_draw_order *order)
{
        const struct pxr_graph *graph = order->chain[0]->graph;
        struct pxr_grid grid = { .images = images_to_draw(order),
                                 .rows = graph->rows,
                                 .cols = graph->cols,
                                 .colours = graph->colours,
                                 .levels = graph->levels };

        if (order->images) {
                grid.across = order->count + 2;
                grid.images = grid.across * order->images->count;
        } else if (graph->class_map && order->class < 0) {
                grid.down = pxr_classes_down(graph->classes, grid.images);
        }
        return grid;
}

int pxr_draw_check(const struct pxr_draw_order *order, struct pxr_diag *diag)
{
        struct pxr_grid grid = grid_of(order);

        for (int k = 0; k + 1 < order->length; k++)
                if (check_pair(order->chain[k], order->chain[k + 1], diag))
                        return -1;
        for (int k = 0; k < order->length; k++)
                if (pxr_check_class(order->chain[k]->graph, order->class, diag))
                        return -1;
        if (check_last(order, diag))
                return -1;
        return order->grid ? pxr_grid_check(&grid, diag) : 0;
}

bool pxr_completions_exact(const struct pxr_draw_order *order)
{
        return order->occlusion.exact && !order->chain[0]->graph->small_rows;
}

/* --- drawing -----------------------------------------------------------------------------------
 */

/* Number 0 is drawn with the seed of the order. The random numbers of the others must be
 * independent of those that made the small images they are given. */
static uint64_t seed_of(uint64_t seed, int number)
{
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_CHAIN, number, 0, 0);
        uint64_t high;

        if (number == 0)
                return seed;
        high = pxr_random_bits(&random);
        return (high << 32 | pxr_random_bits(&random)) >> 11; /* as large as a spec may have one */
}

/* What the last run of a chain is given: of the images to be completed their own small versions,
 * else what pxr-run gives. *small is NULL for an unconditional run. */
static int first_small(struct pxr_arena *arena, const struct pxr_draw_order *order,
                       const struct pxr_drawn *drawn, const uint8_t **small, struct pxr_diag *diag)
{
        struct pxr_recorded *last = order->chain[order->length - 1];
        const struct pxr_graph *graph = last->graph;
        uint8_t *list;

        if (!graph->small_rows)
                return 0;
        if (!order->images)
                return pxr_recorded_data(last, order->data, diag)
                               ? -1
                               : pxr_small_images(arena, graph, last->experiment->set, drawn->count,
                                                  small, diag);
        *small = list =
                pxr_alloc_array(arena, drawn->count,
                                (size_t)graph->small_rows * graph->small_cols * graph->colours);
        if (!list)
                return -1;
        pxr_graph_subsample(graph, drawn->pixels, drawn->count, list);
        return 0;
}

/* The images to be completed, and the keys that make a completion independent of the others. */
static void take_images(const struct pxr_images *images, size_t size, struct pxr_drawn *drawn,
                        struct pxr_image_key *key)
{
        for (int i = 0; i < drawn->count; i++) {
                int of = i % images->count;

                memcpy(drawn->pixels + i * size, images->pixels + (size_t)of * size, size);
                key[i] = (struct pxr_image_key) { images->number[of],
                                                  (uint32_t)(i / images->count) };
        }
}

/* The classes that run k of the chain is given; NULL: none. */
static const int32_t *classes_of(struct pxr_arena *arena, const struct pxr_draw_order *order, int k,
                                 int count)
{
        const struct pxr_images *images = order->images;
        int32_t *classes;

        if (!images || !images->classes)
                return pxr_sample_classes(arena, order->chain[k]->graph, count, order->class);
        classes = pxr_alloc_array(arena, count, sizeof(*classes));
        for (int i = 0; classes && i < count; i++)
                classes[i] = images->classes[i % images->count];
        return classes;
}

/* Draw with run k of the chain, when those after it are drawn. */
static int draw_with(struct pxr_arena *arena, const struct pxr_draw_order *order, int k,
                     struct pxr_drawn *drawn, struct pxr_diag *diag)
{
        const struct pxr_recorded *recorded = order->chain[k];
        int last = order->length - 1, count = images_to_draw(order);
        size_t size = pxr_graph_values(recorded->graph);
        bool hides = order->occlusion.hidden != NULL;
        struct pxr_image_key *key =
                order->images ? pxr_alloc_array(arena, count, sizeof(*key)) : NULL;
        struct pxr_generation generation = { .arena = arena,
                                             .graph = recorded->graph,
                                             .parameters = recorded->parameters,
                                             .drawn = order->occlusion.hidden,
                                             .temperature = order->temperature,
                                             .seed = seed_of(order->seed, last - k),
                                             .key = key,
                                             .count = count,
                                             .threads = order->threads,
                                             .batch = order->batch,
                                             .observer = order->observer };

        generation.classes = classes_of(arena, order, k, count);
        generation.nats = pxr_alloc_array(arena, count, sizeof(double));
        generation.drawn_nats = hides ? pxr_alloc_array(arena, count, sizeof(double)) : NULL;
        drawn[k] = (struct pxr_drawn) { .count = count,
                                        .pixels = pxr_alloc_array(arena, count, size),
                                        .classes = generation.classes,
                                        .nats = generation.nats,
                                        .hidden_nats = generation.drawn_nats };
        if (pxr_arena_failed(arena))
                return -1;
        if (order->images)
                take_images(order->images, size, &drawn[k], key);
        if (k < last)
                generation.small = drawn[k + 1].pixels;
        else if (first_small(arena, order, &drawn[k], &generation.small, diag))
                return -1;
        return pxr_generate(&generation, drawn[k].pixels, diag);
}

int pxr_draw(struct pxr_arena *arena, const struct pxr_draw_order *order, struct pxr_drawn *drawn,
             struct pxr_diag *diag)
{
        int status = 0;

        for (int k = order->length - 1; k >= 0 && !status; k--)
                status = draw_with(arena, order, k, drawn, diag);
        return status;
}

/* --- the picture -------------------------------------------------------------------------------
 */

/* What the model was given, for the caption. */
static const char *given_text(struct pxr_arena *arena, const struct pxr_draw_order *order)
{
        const struct pxr_recorded *last = order->chain[order->length - 1];
        const char *text = NULL, *data;

        for (int k = order->length - 1; k > 0; k--) {
                const struct pxr_recorded *r = order->chain[k];

                text = pxr_strf(
                        arena, "%s%sfrom run %" PRId64 " (%s, %s), step %" PRId64 ", parameters %s",
                        text ? text : "", text ? "; then " : "", r->run->id, r->run->uid,
                        r->run->name, r->step, r->parameter_hash);
        }
        if (order->images)
                return pxr_given_version(arena, last->graph);
        if (!last->graph->small_rows)
                return text;
        data = pxr_small_images_text(arena, last->experiment->set);
        return text && data ? pxr_strf(arena, "%s; that from %s", text, data) : data;
}

/* For each image to be completed: itself, its completions, itself. */
static uint8_t *rows_of(struct pxr_arena *arena, const struct pxr_draw_order *order,
                        const struct pxr_drawn *drawn)
{
        const struct pxr_images *images = order->images;
        size_t size = pxr_graph_values(order->chain[0]->graph);
        int across = order->count + 2;
        uint8_t *pixels = pxr_alloc_array(arena, (size_t)across * images->count, size);

        for (int i = 0; pixels && i < images->count; i++)
                for (int k = 0; k < across; k++) {
                        bool itself = k == 0 || k == across - 1;
                        size_t from = itself ? (size_t)i : (size_t)(k - 1) * images->count + i;

                        memcpy(pixels + ((size_t)i * across + k) * size,
                               (itself ? images->pixels : drawn->pixels) + from * size, size);
                }
        return pixels;
}

/* The caption of all, with their mean log-likelihood, or 0 where each has its own. */
static int begin_caption(struct pxr_arena *arena, const struct pxr_draw_order *order,
                         const char *title, double log_likelihood, struct pxr_caption *caption,
                         struct pxr_diag *diag)
{
        if (pxr_caption_begin(caption, arena, order->chain[0], title, diag))
                return -1;
        pxr_caption_add_drawn(caption, order->seed, order->temperature, log_likelihood);
        pxr_caption_add(caption, "pxr:given", given_text(arena, order));
        if (!order->images)
                pxr_caption_add(
                        caption, "pxr:classes",
                        pxr_sample_classes_text(arena, order->chain[0]->graph, order->class));
        pxr_caption_add(caption, "pxr:occluded", order->occlusion.text);
        return 0;
}

uint8_t *pxr_drawn_png(struct pxr_arena *arena, const struct pxr_draw_order *order,
                       const struct pxr_drawn *drawn, size_t *size, struct pxr_diag *diag)
{
        struct pxr_grid grid = grid_of(order);
        struct pxr_nll nll = pxr_nll_of(drawn->nats, drawn->count);
        struct pxr_caption caption;
        uint8_t *png;

        if (begin_caption(arena, order, order->images ? "completions" : "samples",
                          -pxr_nats_per_image(&nll), &caption, diag))
                return NULL;
        if (order->images)
                pxr_caption_add(
                        &caption, "pxr:images",
                        pxr_join(arena, order->images->name, (size_t)order->images->count, ", "));
        grid.hidden = order->occlusion.hidden;
        grid.pixels = order->images ? rows_of(arena, order, drawn) : drawn->pixels;
        grid.texts = (struct pxr_png_texts) { caption.text, caption.count };
        png = pxr_arena_failed(arena) ? NULL : pxr_grid_png(&grid, size, diag);
        return png && !pxr_arena_defer(arena, free, png) ? png : NULL;
}

/* --- plain images ------------------------------------------------------------------------------
 */

/* Add what image number i has of its own. */
static void caption_image(struct pxr_caption *caption, const struct pxr_draw_order *order,
                          const struct pxr_drawn *drawn, int i)
{
        struct pxr_arena *arena = caption->arena;

        pxr_caption_add(caption, "pxr:image", pxr_strf(arena, "%d", i));
        pxr_caption_add(caption, "pxr:log_likelihood", pxr_strf(arena, "%.4f", -drawn->nats[i]));
        if (drawn->classes)
                pxr_caption_add(caption, "pxr:class", pxr_strf(arena, "%d", drawn->classes[i]));
        if (order->images) {
                pxr_caption_add(caption, "pxr:of", order->images->name[i % order->images->count]);
                pxr_caption_add(caption, "pxr:completion",
                                pxr_strf(arena, "%d", i / order->images->count));
        }
        if (drawn->hidden_nats)
                pxr_caption_add(caption, "pxr:drawn_log_likelihood",
                                pxr_strf(arena, "%.4f", -drawn->hidden_nats[i]));
}

int pxr_drawn_write(struct pxr_arena *arena, const struct pxr_draw_order *order,
                    const struct pxr_drawn *drawn, const char *folder, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = pxr_kind_of(order->chain[0]->graph);
        struct pxr_caption *caption = pxr_alloc_array(arena, drawn->count, sizeof(*caption)), all;
        struct pxr_png_texts *texts = pxr_alloc_array(arena, drawn->count, sizeof(*texts));
        const char **names = pxr_alloc_array(arena, drawn->count, sizeof(*names));

        if (!caption || !texts || !names ||
            begin_caption(arena, order, order->images ? "completion" : "sample", 0, &all, diag))
                return -1;
        for (int i = 0; i < drawn->count; i++) {
                caption[i] = all;
                caption_image(&caption[i], order, drawn, i);
                texts[i] = (struct pxr_png_texts) { caption[i].text, caption[i].count };
                names[i] = pxr_strf(arena, "%07d.png", i);
        }
        if (pxr_arena_failed(arena))
                return -1;
        return pxr_png_write_images(folder, &kind, drawn->count, names, drawn->pixels, texts, diag);
}
