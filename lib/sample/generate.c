/* SPDX-License-Identifier: MIT */
/*
 * generate.c - drawing images, a group of them to a worker.
 *
 * The last group is computed as large as the others, whatever is left to draw: the bits of a matrix
 * product's row may depend on how many rows there are, and an image must not. Uses base/ and
 * tensor/.
 */
#include "sample/generate.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/workspace.h"

enum { GROUP = 16, MAX_LEVELS = 256 };

/* What the workers share; `stopped` and `done` are theirs under `critical`. */
struct drawing {
        const struct pxr_generation *g;
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

/* One colour of one pixel of a group, whose first image is number `first`. */
static void draw_colour(const struct drawing *drawing, struct pxr_workspace *workspace, int first,
                        int row, int col, int colour)
{
        const struct pxr_graph *graph = drawing->g->graph;
        size_t place = ((size_t)row * graph->cols + col) * graph->colours + colour;
        size_t size = (size_t)graph->rows * graph->cols * graph->colours;

        pxr_workspace_advance(workspace, row, col, colour);
        for (int image = 0; image < GROUP; image++) {
                struct pxr_random random =
                        pxr_random(drawing->g->seed, PXR_RANDOM_SAMPLE, first + image,
                                   row * graph->cols + col, colour);
                double probability[MAX_LEVELS];
                int level;

                graph->distribution->probabilities[PXR_F32](
                        graph->levels, pxr_workspace_logits(workspace, row, col, colour, image),
                        probability);
                level = draw(probability, graph->levels, pxr_random_uniform(&random));
                if (first + image < drawing->g->count)
                        drawing->pixels[(first + image) * size + place] = (uint8_t)level;
                pxr_workspace_set(workspace, row, col, colour, image, level);
        }
}

/* Tell of a row done; true when it is time to stop. */
static bool report(struct drawing *drawing, int64_t pixels)
{
        const struct pxr_generation *g = drawing->g;
        int64_t all = (int64_t)g->count * g->graph->rows * g->graph->cols;
        bool stopped;

#pragma omp critical(pxr_generate)
        {
                drawing->done += pixels;
                if (g->progress && !drawing->stopped)
                        drawing->stopped = g->progress(g->context, drawing->done, all);
                stopped = drawing->stopped;
        }
        return stopped;
}

static void draw_group(struct drawing *drawing, struct pxr_workspace *workspace, int first)
{
        const struct pxr_graph *graph = drawing->g->graph;
        int left = drawing->g->count - first, images = left < GROUP ? left : GROUP;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        if (drawing->small)
                pxr_workspace_condition(workspace, drawing->small + first * small, GROUP);
        pxr_workspace_begin(workspace, drawing->g->parameters, GROUP);
        for (int row = 0; row < graph->rows; row++) {
                for (int col = 0; col < graph->cols; col++)
                        for (int colour = 0; colour < graph->colours; colour++)
                                draw_colour(drawing, workspace, first, row, col, colour);
                if (report(drawing, (int64_t)images * graph->cols))
                        return;
        }
}

static int copy_small(struct drawing *drawing, int groups, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = drawing->g->graph;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        if (!drawing->g->small)
                return 0;
        drawing->small = calloc((size_t)groups * GROUP, small);
        if (!drawing->small)
                return pxr_out_of_memory(diag);
        memcpy(drawing->small, drawing->g->small, small * drawing->g->count);
        return 0;
}

/* How many groups are drawn at once. */
static int workers_of(int count, int threads)
{
        int groups = (count + GROUP - 1) / GROUP;

        return threads < groups ? threads : groups;
}

size_t pxr_generation_bytes(const struct pxr_graph *graph, int count, int threads)
{
        return workers_of(count, threads) *
               pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_GENERATION, GROUP);
}

int pxr_generate(const struct pxr_generation *g, uint8_t *pixels, struct pxr_diag *diag)
{
        struct drawing drawing = { .g = g, .pixels = pixels };
        int groups = (g->count + GROUP - 1) / GROUP;
        int workers = workers_of(g->count, g->threads);
        struct pxr_workspace **workspace = calloc(workers ? workers : 1, sizeof(*workspace));
        int status = workspace ? copy_small(&drawing, groups, diag) : pxr_out_of_memory(diag);

        pxr_blas_single_thread();
        for (int i = 0; i < workers && !status; i++) {
                workspace[i] = pxr_workspace_new(g->graph, PXR_F32, PXR_FOR_GENERATION, GROUP,
                                                 false, diag);
                status = workspace[i] ? 0 : -1;
        }
        if (!status && workers > 0) {
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
                for (int group = 0; group < groups; group++)
                        draw_group(&drawing, workspace[omp_get_thread_num()], group * GROUP);
                status = drawing.stopped ? 1 : 0;
        }
        for (int i = 0; workspace && i < workers; i++)
                pxr_workspace_free(workspace[i]);
        free(workspace);
        free(drawing.small);
        return status;
}
