/* SPDX-License-Identifier: MIT */
/*
 * generation_schedule.c - when generation computes each pixel of each node.
 */
#include "tensor/generation_schedule.h"

#include <stdlib.h>

static unsigned char **new_waits(const struct pxr_graph *graph)
{
        size_t sites = pxr_graph_values(graph);
        unsigned char **wait = calloc(1, graph->nodes * (sizeof(*wait) + sites));

        for (int i = 0; wait && i < graph->nodes; i++)
                wait[i] = (unsigned char *)(wait + graph->nodes) + i * sites;
        return wait;
}

/* Find what a node's sites wait for. False if it cannot be computed pixel by pixel. A node whose
 * map is not of the image's size is advanced at every site, if its op supports that. */
static bool set_waits(const struct pxr_graph *graph, const struct pxr_node *node, const int *last,
                      unsigned char *wait)
{
        int sites = graph->rows * graph->cols * graph->colours;

        if (!pxr_same_size(node, graph->node[0]))
                return node->op->flags & PXR_ADVANCE_OF_ANY_SHAPE;
        for (int order = 0; order < sites; order++) {
                if (last[order] < order)
                        continue;
                if (last[order] / graph->colours != order / graph->colours)
                        return false;
                wait[order] = (unsigned char)(1 + last[order] % graph->colours);
        }
        return true;
}

/* Whether a node that does not depend on the image can be computed pixel by pixel, as it is read,
 * so that its map need not be kept. */
static bool can_advance(const struct pxr_generation_schedule *schedule,
                        const struct pxr_graph *graph, const struct pxr_node *node,
                        enum pxr_precision precision)
{
        const struct pxr_op *op = node->op;

        return !schedule->fallback && node->inputs > 0 && op->flags & PXR_ADVANCE_AT_ITS_PIXEL &&
               op->kernels[precision].advance && !op->state && !op->advance_state &&
               pxr_same_size(node, graph->node[0]) &&
               schedule->extent[node->index] == PXR_EXTENT_PIXEL;
}

/* Nodes that do not depend on the image are computed once, except the last of them (the map that
 * conditions each layer), which is large. The maps which that one reads are kept whole. */
static void find_constant(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                          enum pxr_precision precision)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                schedule->constant[i] =
                        node->constant && !can_advance(schedule, graph, node, precision);
                for (int k = 0; node->constant && k < node->inputs; k++)
                        schedule->constant[node->input[k]->index] = true;
        }
}

/* How much of each node's output later sites read. */
static void find_extents(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                         enum pxr_precision precision)
{
        pxr_read_extents(graph, schedule->extent);
        find_constant(schedule, graph, precision);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (schedule->fallback || !(node->op->flags & PXR_ADVANCE_AT_ITS_PIXEL) ||
                    schedule->constant[i] || !pxr_same_size(node, graph->node[0]))
                        schedule->extent[i] = PXR_EXTENT_MAP;
        }
}

int pxr_schedule_generation(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                            enum pxr_precision precision)
{
        bool *needed = malloc(graph->nodes * sizeof(*needed));
        int **last = pxr_last_dependencies(graph), status = -1;

        *schedule =
                (struct pxr_generation_schedule) { .wait = new_waits(graph),
                                                   .extent = calloc(graph->nodes,
                                                                    sizeof(enum pxr_read_extent)),
                                                   .constant = calloc(graph->nodes, sizeof(bool)) };
        if (!needed || !last || !schedule->wait || !schedule->extent || !schedule->constant)
                goto out;
        pxr_graph_needed(graph, needed);
        for (int i = 0; !schedule->fallback && i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (needed[i] && !node->constant &&
                    (!node->op->kernels[precision].advance ||
                     !set_waits(graph, node, last[i], schedule->wait[i])))
                        schedule->fallback = node->op->name;
        }
        find_extents(schedule, graph, precision);
        status = 0;
out:
        free(needed);
        free(last);
        if (status)
                pxr_generation_schedule_free(schedule);
        return status;
}

void pxr_generation_schedule_free(struct pxr_generation_schedule *schedule)
{
        free(schedule->wait);
        free(schedule->extent);
        free(schedule->constant);
        *schedule = (struct pxr_generation_schedule) { 0 };
}

const char *pxr_graph_fallback(const struct pxr_graph *graph, enum pxr_precision precision)
{
        struct pxr_generation_schedule schedule;
        const char *fallback;

        if (pxr_schedule_generation(&schedule, graph, precision))
                return NULL;
        fallback = schedule.fallback;
        pxr_generation_schedule_free(&schedule);
        return fallback;
}
