/* SPDX-License-Identifier: MIT */
/*
 * generate.c - drawing images, a group of them to a worker.
 *
 * An image's bits must not depend on how the images are shared out. Where those of a matrix
 * product's row may depend on how many rows there are, all groups are computed equally large,
 * whatever is left to draw.
 */
#include "sample/generate.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tensor/gemm.h"

/* AGAIN keeps apart the random numbers of one image's colours and of the same drawn again. */
enum { MOST = PXR_GENERATION_GROUP, MAX_LEVELS = 256, AGAIN = 4 };

/* How images are divided into groups for the workers. The last group may be smaller, or be filled
 * up.
 */
struct shares {
        int group, groups, workers;
        bool filled;
};

struct pxr_generation_memory {
        struct shares shares;
        struct pxr_workspace **workspace; /* [worker] */
        uint8_t *small;                   /* the small images, filled up to whole groups */
        int32_t *classes;                 /* the same of the classes */
};

/* What the workers share; `stopped` and `done` are theirs under `critical`. */
struct drawing {
        const struct pxr_generation *g;
        uint8_t *pixels;
        int64_t done;
        bool stopped;
};

/* A level drawn from a distribution by one uniform number. */
static int draw(const double *probability, int levels, double uniform)
{
        double sum = 0;

        for (int level = 0; level < levels - 1; level++) {
                sum += probability[level];
                if (uniform < sum)
                        return level;
        }
        return levels - 1;
}

void pxr_distribution_at(const struct pxr_graph *graph, const struct pxr_workspace *workspace,
                         int row, int col, int colour, int image, double temperature,
                         double *probability)
{
        bool tempered = temperature != 0 && temperature != 1;
        int levels = graph->levels;
        double top, sum = 0;

        pxr_workspace_probabilities(workspace, row, col, colour, image, tempered, probability);
        if (!tempered)
                return;
        top = probability[0];
        for (int level = 1; level < levels; level++)
                top = probability[level] > top ? probability[level] : top;
        for (int level = 0; level < levels; level++) {
                probability[level] = exp((probability[level] - top) / temperature);
                sum += probability[level];
        }
        for (int level = 0; level < levels; level++)
                probability[level] /= sum;
}

/* The value that the probabilities and the random number of image number `image` give. */
static int draw_value(const struct pxr_generation *g, const double *probability, int image,
                      int pixel, int colour)
{
        bool keyed = g->key && image < g->count;
        const struct pxr_image_key key =
                keyed ? g->key[image] : (struct pxr_image_key) { (uint32_t)image, 0 };
        struct pxr_random random = pxr_random(g->seed, PXR_RANDOM_SAMPLE, key.number, pixel,
                                              key.again * AGAIN + colour);

        return draw(probability, g->graph->levels, pxr_random_uniform(&random));
}

static bool is_drawn(const struct pxr_generation *g, int row, int col)
{
        return !g->drawn || g->drawn[row * g->graph->cols + col];
}

/* One colour of one pixel of a group of `images`, the first of which is number `first`. Images
 * beyond the last are drawn whole, to be dropped. */
static void draw_colour(const struct drawing *drawing, struct pxr_workspace *workspace, int first,
                        int images, int row, int col, int colour)
{
        const struct pxr_generation *g = drawing->g;
        const struct pxr_graph *graph = g->graph;
        int pixel = row * graph->cols + col;
        size_t at = (size_t)pixel * graph->colours + colour;
        size_t size = pxr_graph_values(graph);
        double start = g->choice_seconds ? pxr_now() : 0;
        double probability[MAX_LEVELS];
        int level[MOST];

        for (int image = 0; image < images; image++) {
                bool wanted = first + image < g->count;
                uint8_t *value = wanted ? &drawing->pixels[(first + image) * size + at] : NULL;

                if (value && !is_drawn(g, row, col)) {
                        level[image] = *value;
                } else {
                        pxr_distribution_at(graph, workspace, row, col, colour, image,
                                            g->temperature, probability);
                        level[image] = draw_value(g, probability, first + image, pixel, colour);
                }
                if (value)
                        *value = (uint8_t)level[image];
        }
        if (g->choice_seconds)
                *g->choice_seconds += pxr_now() - start;
        for (int image = 0; image < images; image++)
                pxr_workspace_set(workspace, row, col, colour, image, level[image]);
}

/* Count pixels as done and notify the observer. Returns whether to stop. */
static bool report(struct drawing *drawing, int64_t pixels)
{
        const struct pxr_generation *g = drawing->g;
        int64_t all = (int64_t)g->count * g->graph->rows * g->graph->cols;
        bool stopped;

#pragma omp critical(pxr_generate)
        {
                drawing->done += pixels;
                if (!drawing->stopped)
                        drawing->stopped = pxr_observe_count(g->observer, "sampling", "pixels",
                                                             drawing->done, all);
                stopped = drawing->stopped;
        }
        return stopped;
}

static void draw_group(struct drawing *drawing, int first)
{
        const struct pxr_generation *g = drawing->g;
        const struct pxr_generation_memory *memory = g->memory;
        const struct pxr_graph *graph = g->graph;
        struct pxr_workspace *workspace = memory->workspace[omp_get_thread_num()];
        int left = g->count - first, group = memory->shares.group;
        int wanted = left < group ? left : group;
        int images = memory->shares.filled ? group : wanted;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;
        double nats[MOST] = { 0 }, drawn_nats[MOST] = { 0 };

        if (report(drawing, 0)) /* the loop over groups cannot be left early, but it ends fast */
                return;
        if (g->small)
                pxr_workspace_condition(workspace, memory->small + first * small, images);
        pxr_workspace_classes(workspace, memory->classes + first, images);
        pxr_workspace_time(workspace, g->seconds);
        pxr_workspace_begin(workspace, g->parameters, images);
        for (int row = 0; row < graph->rows; row++) {
                for (int col = 0; col < graph->cols; col++) {
                        for (int colour = 0; colour < graph->colours; colour++) {
                                if (g->whole_passes)
                                        pxr_workspace_forward(workspace, g->parameters);
                                else
                                        pxr_workspace_advance(workspace, row, col, colour);
                                draw_colour(drawing, workspace, first, images, row, col, colour);
                        }
                        if (g->nats)
                                pxr_workspace_pixel_loss(workspace, row, col, nats);
                        if (g->drawn_nats && is_drawn(g, row, col))
                                pxr_workspace_pixel_loss(workspace, row, col, drawn_nats);
                }
                if (report(drawing, (int64_t)wanted * graph->cols))
                        return;
        }
        if (g->nats)
                memcpy(g->nats + first, nats, wanted * sizeof(*nats));
        if (g->drawn_nats)
                memcpy(g->drawn_nats + first, drawn_nats, wanted * sizeof(*drawn_nats));
}

static int smaller(int a, int b)
{
        return a < b ? a : b;
}

static int parts(int all, int size)
{
        return (all + size - 1) / size;
}

/* Equal groups for all workers, as few as there can be. */
static struct shares shares_of(int count, int threads, int batch)
{
        struct shares shares = { .filled = !pxr_gemm_rows_alone() };
        int most = MOST;

        if (count < 1)
                return (struct shares) { .group = 1 };
        if (shares.filled) {
                shares.group = MOST;
                shares.workers = batch && batch / MOST < threads ? batch / MOST : threads;
                shares.workers = shares.workers < 1 ? 1 : shares.workers;
        } else {
                shares.workers = smaller(threads, count);
                if (batch) {
                        shares.workers = smaller(shares.workers, batch);
                        most = smaller(most, batch / shares.workers);
                }
                shares.group = parts(count, shares.workers * parts(count, shares.workers * most));
        }
        shares.groups = parts(count, shares.group);
        shares.workers = smaller(shares.workers, shares.groups);
        return shares;
}

size_t pxr_generation_bytes(const struct pxr_graph *graph, int count, int threads, int batch)
{
        struct shares shares = shares_of(count, threads, batch);

        return shares.workers *
               pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_GENERATION, shares.group, 1);
}

static void free_workspaces(void *memory)
{
        struct pxr_generation_memory *m = memory;

        pxr_workspaces_free(m->workspace, m->shares.workers);
}

static int make_memory(struct pxr_generation *g, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = g->graph;
        struct pxr_generation_memory *m = pxr_alloc(g->arena, sizeof(*m));
        enum pxr_use use = g->whole_passes ? PXR_FOR_INSPECTION : PXR_FOR_GENERATION;

        if (!m || pxr_arena_defer(g->arena, free_workspaces, m))
                return -1;
        m->shares = shares_of(g->count, g->threads, g->batch);
        m->small = pxr_alloc_array(g->arena, (size_t)m->shares.groups * m->shares.group,
                                   (size_t)graph->small_rows * graph->small_cols * graph->colours);
        m->classes = pxr_alloc_array(g->arena, (size_t)m->shares.groups * m->shares.group,
                                     sizeof(*m->classes));
        if (!m->small || !m->classes)
                return -1;
        m->workspace = pxr_workspaces_new(
                pxr_workspace_new(graph, PXR_F32, use, m->shares.group, false, diag),
                m->shares.workers, diag);
        g->memory = m->workspace ? m : NULL;
        return m->workspace ? 0 : -1;
}

int pxr_generate(struct pxr_generation *g, uint8_t *pixels, struct pxr_diag *diag)
{
        struct drawing drawing = { .g = g, .pixels = pixels };
        const struct pxr_graph *graph = g->graph;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        pxr_blas_single_thread();
        if (g->count == 0)
                return 0;
        if (!g->memory && make_memory(g, diag))
                return -1;
        if (g->small)
                memcpy(g->memory->small, g->small, small * g->count);
        if (g->classes)
                memcpy(g->memory->classes, g->classes, g->count * sizeof(*g->classes));
#pragma omp parallel for num_threads(g->memory->shares.workers) schedule(dynamic, 1)
        for (int group = 0; group < g->memory->shares.groups; group++)
                draw_group(&drawing, group * g->memory->shares.group);
        return drawing.stopped ? 1 : 0;
}
