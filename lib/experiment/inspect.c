/* SPDX-License-Identifier: MIT */
/*
 * inspect.c - looking into a recorded model.
 */
#include "experiment/inspect.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "experiment/caption.h"
#include "sample/generate.h"
#include "tensor/gemm.h"
#include "tensor/workspace.h"

enum { MOST_PIXELS = 1024 };

const char *const pxr_colour_names[] = { "red", "green", "blue", NULL };

/* --- distributions -----------------------------------------------------------------------------
 */

int pxr_pixel_read(const char *text, const struct pxr_graph *graph, struct pxr_chosen_pixel *chosen,
                   struct pxr_diag *diag)
{
        char colour[8] = "";
        int length = 0;

        *chosen = (struct pxr_chosen_pixel) { .colour = -1 };
        if (text[0] < '0' || text[0] > '9' ||
            sscanf(text, "%6d,%n%6d%n,%7[a-z]%n", &chosen->row, &length, &chosen->col, &length,
                   colour, &length) < 2 ||
            text[length] || chosen->col < 0)
                return pxr_user_error(diag,
                                      "'%s' is not a pixel: write ROW,COL or ROW,COL,COLOUR, like "
                                      "10,14 or 10,14,green",
                                      text);
        if (chosen->row >= graph->rows || chosen->col >= graph->cols)
                return pxr_user_error(diag,
                                      "there is no pixel %s: an image has %d rows and %d columns, "
                                      "counted from 0",
                                      text, graph->rows, graph->cols);
        if (!*colour)
                return 0;
        for (chosen->colour = 0; pxr_colour_names[chosen->colour]; chosen->colour++)
                if (strcmp(pxr_colour_names[chosen->colour], colour) == 0)
                        break;
        if (!pxr_colour_names[chosen->colour])
                return pxr_user_error(diag, "%s: a colour is red, green or blue", text);
        return graph->colours == 3 ? 0
                                   : pxr_user_error(diag, "%s: the model's images are grey", text);
}

/* Append the distributions of a pixel of image `number`, after the pass over it. */
static int add_pixel(const struct pxr_recorded *recorded, const struct pxr_workspace *workspace,
                     const struct pxr_images *images, int number,
                     const struct pxr_chosen_pixel *chosen, struct pxr_activations *activations)
{
        const struct pxr_graph *graph = recorded->graph;
        struct pxr_arena *arena = recorded->experiment->arena;
        size_t pixel = (size_t)chosen->row * graph->cols + chosen->col;
        size_t size = pxr_graph_values(graph);

        for (int colour = 0; colour < graph->colours; colour++) {
                bool grey = graph->colours == 1;
                double *p = pxr_alloc_array(arena, graph->levels, sizeof(*p));

                if (chosen->colour >= 0 && chosen->colour != colour)
                        continue;
                if (!p)
                        return -1;
                pxr_distribution_at(graph, workspace, chosen->row, chosen->col, colour, 0,
                                    activations->temperature, p);
                activations->list[activations->count++] = (struct pxr_softmax_panel) {
                        .title = pxr_strf(arena, "%s, row %d, column %d%s%s", images->name[number],
                                          chosen->row, chosen->col, grey ? "" : ", ",
                                          grey ? "" : pxr_colour_names[colour]),
                        .image = images->name[number],
                        .row = chosen->row,
                        .col = chosen->col,
                        .colour = grey ? -1 : colour,
                        .value = images->pixels[number * size + pixel * graph->colours + colour],
                        .probability = p,
                };
        }
        return 0;
}

int pxr_activations(struct pxr_recorded *recorded, const struct pxr_images *images,
                    const struct pxr_chosen_pixel *chosen, int count,
                    struct pxr_activations *activations, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;
        size_t size = pxr_graph_values(graph);
        struct pxr_workspace *workspace;
        int status = 0;

        activations->count = 0;
        if ((int64_t)images->count * count > MOST_PIXELS)
                return pxr_user_error(diag, "%d images of %d pixels each: more than %d plots",
                                      images->count, count, MOST_PIXELS);
        activations->list = pxr_alloc_array(recorded->experiment->arena,
                                            (size_t)images->count * count * graph->colours,
                                            sizeof(*activations->list));
        if (!activations->list)
                return -1;
        pxr_blas_single_thread();
        workspace = pxr_workspace_new(graph, PXR_F32, PXR_FOR_EVALUATION, 1, false, diag);
        if (!workspace)
                return -1;
        for (int i = 0; i < images->count && !status; i++) {
                pxr_workspace_load(workspace, images->pixels + i * size, 1);
                if (images->classes)
                        pxr_workspace_classes(workspace, images->classes + i, 1);
                pxr_workspace_forward(workspace, recorded->parameters);
                for (int k = 0; k < count && !status; k++)
                        status = add_pixel(recorded, workspace, images, i, &chosen[k], activations);
        }
        pxr_workspace_free(workspace);
        return status;
}

const char *pxr_activations_svg(struct pxr_recorded *recorded,
                                const struct pxr_activations *activations, struct pxr_diag *diag)
{
        struct pxr_arena *arena = recorded->experiment->arena;
        double temperature = activations->temperature;
        struct pxr_softmax_plot plot = { .levels = recorded->graph->levels,
                                         .panel = activations->list,
                                         .panels = activations->count };
        struct pxr_caption caption;

        if (pxr_caption_begin(&caption, arena, recorded, "distributions", diag))
                return NULL;
        if (temperature > 0)
                pxr_caption_add_drawn(&caption, activations->seed, temperature, 0);
        pxr_caption_add(&caption, "pxr:given", pxr_given_version(arena, recorded->graph));
        plot.texts = (struct pxr_png_texts) { caption.text, caption.count };
        plot.title = pxr_strf(arena, "Distributions of run %" PRId64 " (%s), step %" PRId64 "%s",
                              recorded->run->id, recorded->run->name, recorded->step,
                              temperature != 0 && temperature != 1
                                      ? pxr_strf(arena, ", at temperature %.15g", temperature)
                                      : "");
        return pxr_softmax_svg(arena, &plot);
}

/* --- bits --------------------------------------------------------------------------------------
 */

/* Choose the set and split to evaluate. */
static int choose(struct pxr_recorded *recorded, const char *which, const char *path, int class,
                  struct pxr_evaluation *evaluation, struct pxr_diag *diag)
{
        struct pxr_arena *arena = recorded->experiment->arena;
        int split = pxr_split_find(which);
        struct pxr_images *images;

        if (split >= 0) {
                if (class >= 0)
                        return pxr_user_error(diag, "--class has no effect on a split: the model "
                                                    "is given the labels of its images");
                if (pxr_recorded_data(recorded, path, diag))
                        return -1;
                evaluation->set = recorded->experiment->set;
                evaluation->split = split;
                if (evaluation->set->count[split] == 0)
                        return pxr_user_error(diag, "the run's data set has no %s split", which);
                return 0;
        }
        images = pxr_alloc(arena, sizeof(*images));
        if (!images || pxr_images_take(recorded, which, path, class, images, diag))
                return -1;
        evaluation->set = pxr_images_dataset(arena, images, recorded->graph);
        evaluation->split = PXR_TEST;
        return evaluation->set ? 0 : -1;
}

/* Check that there are so many images, and name them. Returns 0 or -1. */
static int name_images(struct pxr_recorded *recorded, const struct pxr_evaluation *evaluation,
                       struct pxr_bits_map *map, struct pxr_diag *diag)
{
        struct pxr_arena *arena = recorded->experiment->arena;
        int64_t all = evaluation->set->count[evaluation->split], limit = evaluation->limit;
        const char *which = pxr_visible(arena, map->which);

        map->which = which;
        map->all = all;
        if (limit > all)
                return pxr_user_error(diag, "'%s' has %" PRId64 " image%s: there are not %" PRId64,
                                      which, all, pxr_plural(all), limit);
        if (limit > 0 && limit < all)
                map->images = pxr_strf(arena, "the first %" PRId64 " of %" PRId64 " images of %s",
                                       limit, all, which);
        else if (pxr_split_find(which) >= 0)
                map->images = pxr_strf(arena, "all %" PRId64 " images of %s", all, which);
        else
                map->images = which;
        return 0;
}

int pxr_bits_map(struct pxr_recorded *recorded, const char *which, const char *path, int class,
                 int64_t limit, int threads, const struct pxr_observer *observer,
                 struct pxr_bits_map *map, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;
        size_t pixels = (size_t)graph->rows * graph->cols;
        struct pxr_evaluation evaluation = {
                .arena = recorded->experiment->arena,
                .graph = graph,
                .parameters = recorded->parameters,
                .micro_batch = (int)recorded->experiment->settings.train.micro_batch,
                .threads = threads,
                .limit = limit,
                .observer = observer,
        };
        int status;

        map->which = which;
        if (choose(recorded, which, path, class, &evaluation, diag) ||
            name_images(recorded, &evaluation, map, diag))
                return -1;
        map->bits = pxr_alloc_array(recorded->experiment->arena, pixels, sizeof(*map->bits));
        if (!map->bits)
                return -1;
        status = pxr_evaluate(&evaluation, &map->nll, diag);
        for (size_t i = 0; i < pixels && !status; i++)
                for (int colour = 0; colour < graph->colours; colour++)
                        map->bits[i] += evaluation.value_nats[i * graph->colours + colour] /
                                        ((double)map->nll.images * log(2));
        return status;
}

const char *pxr_bits_map_svg(struct pxr_recorded *recorded, const struct pxr_bits_map *map,
                             struct pxr_diag *diag)
{
        struct pxr_arena *arena = recorded->experiment->arena;
        const char *given = pxr_given_version(arena, recorded->graph);
        struct pxr_map_plot plot = { .unit = "bits per pixel",
                                     .rows = recorded->graph->rows,
                                     .cols = recorded->graph->cols,
                                     .value = map->bits };
        struct pxr_caption caption;

        if (pxr_caption_begin(&caption, arena, recorded, "bits per pixel", diag))
                return NULL;
        pxr_caption_add(&caption, "pxr:given", given);
        pxr_caption_add(&caption, "pxr:images", map->images);
        plot.texts = (struct pxr_png_texts) { caption.text, caption.count };
        plot.title = pxr_strf(arena, "Run %" PRId64 " (%s), %s: %.2f bits an image%s%s%s",
                              recorded->run->id, recorded->run->name, map->images,
                              pxr_nats_per_image(&map->nll) / log(2), given ? " given " : "",
                              given ? given : "", map->nll.images > 1 ? ", in the mean" : "");
        return pxr_map_svg(arena, &plot);
}
