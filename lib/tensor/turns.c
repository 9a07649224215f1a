/* SPDX-License-Identifier: MIT */
/*
 * turns.c - when, in generation, each part of each tensor is computed.
 */
#include "tensor/turns.h"

#include <stdlib.h>

#include "tensor/reach.h"

static unsigned char **new_waits(const struct pxr_graph *graph)
{
        size_t spots = pxr_graph_values(graph);
        unsigned char **wait = calloc(1, graph->nodes * (sizeof(*wait) + spots));

        for (int i = 0; wait && i < graph->nodes; i++)
                wait[i] = (unsigned char *)(wait + graph->nodes) + i * spots;
        return wait;
}

/* Find out what a node waits for. False where it cannot be computed step by step. A node of another
 * shape than the image's is advanced at every turn, if its op knows what to compute then. */
static bool set_waits(const struct pxr_graph *graph, const struct pxr_node *node, const int *last,
                      unsigned char *wait)
{
        int spots = graph->rows * graph->cols * graph->colours;

        if (!pxr_same_size(node, graph->node[0]))
                return node->op->flags & PXR_ADVANCE_OF_ANY_SHAPE;
        for (int order = 0; order < spots; order++) {
                if (last[order] < order)
                        continue;
                if (last[order] / graph->colours != order / graph->colours)
                        return false;
                wait[order] = (unsigned char)(1 + last[order] % graph->colours);
        }
        return true;
}

/* Can what depends on no value be computed pixel by pixel, as it is read? Its map is then not kept.
 */
static bool can_advance(const struct pxr_turns *turns, const struct pxr_graph *graph,
                        const struct pxr_node *node, enum pxr_precision precision)
{
        const struct pxr_op *op = node->op;

        return !turns->fallback && node->inputs > 0 && op->flags & PXR_ADVANCE_AT_ITS_PIXEL &&
               op->kernels[precision].advance && !op->state && !op->advance_state &&
               pxr_same_size(node, graph->node[0]) && turns->kept[node->index] == PXR_SPAN_PIXEL;
}

/* What depends on no value is computed once, but for the last of it (a condition's map of each
 * layer), which is large. Of what that reads, the maps are whole. */
static void find_constant(struct pxr_turns *turns, const struct pxr_graph *graph,
                          enum pxr_precision precision)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                turns->constant[i] = node->constant && !can_advance(turns, graph, node, precision);
                for (int k = 0; node->constant && k < node->inputs; k++)
                        turns->constant[node->input[k]->index] = true;
        }
}

/* What is left behind when its turn is over. */
static void find_kept(struct pxr_turns *turns, const struct pxr_graph *graph,
                      enum pxr_precision precision)
{
        pxr_reach_spans(graph, turns->kept);
        find_constant(turns, graph, precision);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (turns->fallback || !(node->op->flags & PXR_ADVANCE_AT_ITS_PIXEL) ||
                    turns->constant[i] || !pxr_same_size(node, graph->node[0]))
                        turns->kept[i] = PXR_SPAN_MAP;
        }
}

int pxr_turns_make(struct pxr_turns *turns, const struct pxr_graph *graph,
                   enum pxr_precision precision)
{
        bool *needed = malloc(graph->nodes * sizeof(*needed));
        int **last = pxr_reach_last(graph);

        *turns = (struct pxr_turns) { .wait = new_waits(graph),
                                      .kept = calloc(graph->nodes, sizeof(enum pxr_span)),
                                      .constant = calloc(graph->nodes, sizeof(bool)) };
        if (!needed || !last || !turns->wait || !turns->kept || !turns->constant) {
                free(needed);
                free(last);
                pxr_turns_free(turns);
                return -1;
        }
        pxr_graph_needed(graph, needed);
        for (int i = 0; !turns->fallback && i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (needed[i] && !node->constant &&
                    (!node->op->kernels[precision].advance ||
                     !set_waits(graph, node, last[i], turns->wait[i])))
                        turns->fallback = node->op->name;
        }
        find_kept(turns, graph, precision);
        free(needed);
        free(last);
        return 0;
}

void pxr_turns_free(struct pxr_turns *turns)
{
        free(turns->wait);
        free(turns->kept);
        free(turns->constant);
        *turns = (struct pxr_turns) { 0 };
}

const char *pxr_graph_fallback(const struct pxr_graph *graph, enum pxr_precision precision)
{
        struct pxr_turns turns;
        const char *fallback;

        if (pxr_turns_make(&turns, graph, precision))
                return NULL;
        fallback = turns.fallback;
        pxr_turns_free(&turns);
        return fallback;
}
