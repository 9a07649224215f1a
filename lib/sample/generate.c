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

#include "tensor/gemm.h"
#include "tensor/workspace.h"

/* AGAIN keeps apart the random numbers of one image's colours and of the same drawn again. */
enum { MOST = PXR_GENERATION_GROUP, MAX_LEVELS = 256, AGAIN = 4 };

/* How the images are shared out. The last group has what is left, filled up or not. */
struct shares {
        int group, groups, workers;
        bool filled;
};

/* What the workers share; `stopped` and `done` are theirs under `critical`. */
struct drawing {
        const struct pxr_generation *g;
        struct shares shares;
        uint8_t *small; /* g->small, filled up to whole groups; NULL: none */
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

void pxr_distribution_at(const struct pxr_graph *graph, const void *logits, double temperature,
                         double *probability)
{
        const struct pxr_distribution *distribution = graph->distribution;
        int levels = graph->levels;
        double top, sum = 0;

        if (temperature == 0 || temperature == 1) {
                distribution->probabilities[PXR_F32](levels, logits, probability);
                return;
        }
        distribution->log_probabilities[PXR_F32](levels, logits, probability);
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

int pxr_draw_level(const struct pxr_graph *graph, const void *logits, double temperature,
                   struct pxr_random *random)
{
        double probability[MAX_LEVELS];

        pxr_distribution_at(graph, logits, temperature, probability);
        return draw(probability, graph->levels, pxr_random_uniform(random));
}

/* The value that the logits and the image's own random number give. */
static int draw_value(const struct pxr_generation *g, const void *logits, int image, int pixel,
                      int colour)
{
        bool keyed = g->key && image < g->count;
        const struct pxr_image_key key =
                keyed ? g->key[image] : (struct pxr_image_key) { (uint32_t)image, 0 };
        struct pxr_random random = pxr_random(g->seed, PXR_RANDOM_SAMPLE, key.number, pixel,
                                              key.again * AGAIN + colour);

        return pxr_draw_level(g->graph, logits, g->temperature, &random);
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
        bool drawn = is_drawn(g, row, col);

        if (g->whole_passes)
                pxr_workspace_forward(workspace, g->parameters);
        else
                pxr_workspace_advance(workspace, row, col, colour);
        for (int image = 0; image < images; image++) {
                bool wanted = first + image < g->count;
                uint8_t *value = wanted ? &drawing->pixels[(first + image) * size + at] : NULL;
                int level;

                if (value && !drawn)
                        level = *value;
                else
                        level = draw_value(g,
                                           pxr_workspace_logits(workspace, row, col, colour, image),
                                           first + image, pixel, colour);
                if (value)
                        *value = (uint8_t)level;
                pxr_workspace_set(workspace, row, col, colour, image, level);
        }
}

/* Tell of pixels done; true when it is time to stop. */
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

static void draw_group(struct drawing *drawing, struct pxr_workspace *workspace, int first)
{
        const struct pxr_graph *graph = drawing->g->graph;
        int left = drawing->g->count - first, group = drawing->shares.group;
        int wanted = left < group ? left : group;
        int images = drawing->shares.filled ? group : wanted;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;
        double nats[MOST] = { 0 }, drawn_nats[MOST] = { 0 };

        if (report(drawing,
                   0)) /* no loop of threads can be left, but what remains of it is quick */
                return;
        if (drawing->small)
                pxr_workspace_condition(workspace, drawing->small + first * small, images);
        pxr_workspace_begin(workspace, drawing->g->parameters, images);
        for (int row = 0; row < graph->rows; row++) {
                for (int col = 0; col < graph->cols; col++) {
                        for (int colour = 0; colour < graph->colours; colour++)
                                draw_colour(drawing, workspace, first, images, row, col, colour);
                        if (drawing->g->nats)
                                pxr_workspace_pixel_loss(workspace, row, col, nats);
                        if (drawing->g->drawn_nats && is_drawn(drawing->g, row, col))
                                pxr_workspace_pixel_loss(workspace, row, col, drawn_nats);
                }
                if (report(drawing, (int64_t)wanted * graph->cols))
                        return;
        }
        if (drawing->g->nats)
                memcpy(drawing->g->nats + first, nats, wanted * sizeof(*nats));
        if (drawing->g->drawn_nats)
                memcpy(drawing->g->drawn_nats + first, drawn_nats, wanted * sizeof(*drawn_nats));
}

static int copy_small(struct drawing *drawing, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = drawing->g->graph;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        if (!drawing->g->small)
                return 0;
        drawing->small = calloc((size_t)drawing->shares.groups * drawing->shares.group, small);
        if (!drawing->small)
                return pxr_out_of_memory(diag);
        memcpy(drawing->small, drawing->g->small, small * drawing->g->count);
        return 0;
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
               pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_GENERATION, shares.group);
}

int pxr_generate(const struct pxr_generation *g, uint8_t *pixels, struct pxr_diag *diag)
{
        struct shares shares = shares_of(g->count, g->threads, g->batch);
        struct drawing drawing = { .g = g, .shares = shares, .pixels = pixels };
        enum pxr_use use = g->whole_passes ? PXR_FOR_INSPECTION : PXR_FOR_GENERATION;
        struct pxr_workspace **workspace = NULL;
        int workers = shares.workers, status = copy_small(&drawing, diag);

        pxr_blas_single_thread();
        if (!status && workers > 0) {
                workspace = pxr_workspaces_new(
                        pxr_workspace_new(g->graph, PXR_F32, use, shares.group, false, diag),
                        workers, diag);
                status = workspace ? 0 : -1;
        }
        if (!status && workers > 0) {
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
                for (int group = 0; group < shares.groups; group++)
                        draw_group(&drawing, workspace[omp_get_thread_num()], group * shares.group);
                status = drawing.stopped ? 1 : 0;
        }
        pxr_workspaces_free(workspace, workers);
        free(drawing.small);
        return status;
}
