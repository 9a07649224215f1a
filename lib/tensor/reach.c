/* SPDX-License-Identifier: MIT */
/*
 * reach.c - following declared dependencies: forwards for the last image value each spot depends
 * on, and backwards for all the pixels that one spot sees.
 */
#include "tensor/reach.h"

#include <stdlib.h>
#include <string.h>

const char *pxr_colour_name(const struct pxr_node *node, int colour)
{
        static const char *const names[] = { "red", "green", "blue" };

        return node->colours == 3 ? names[colour] : "grey";
}

struct pxr_node_spot pxr_spot_at(const struct pxr_node *node, int order)
{
        int pixel = order / node->colours;

        return (struct pxr_node_spot) { node, pixel / node->shape.cols, pixel % node->shape.cols,
                                        order % node->colours };
}

/* A visit to everything one spot reads; `spot` is what is read. */
struct visitor {
        struct pxr_reach reach; /* first, for ops know nothing more */
        const struct pxr_node *node;
        void (*visit)(struct visitor *visitor, struct pxr_node_spot spot);
        void *context;
};

static void visit_read(struct pxr_reach *reach, int input, int row, int col, int colour)
{
        struct visitor *visitor = (struct visitor *)reach;
        const struct pxr_node *node = visitor->node;

        if (input < PXR_SELF || input >= node->inputs || colour < 0 || colour >= node->colours)
                return;
        if (input != PXR_SELF)
                node = node->input[input];
        if (row >= 0 && row < node->shape.rows && col >= 0 && col < node->shape.cols)
                visitor->visit(visitor, (struct pxr_node_spot) { node, row, col, colour });
}

static void visit_sources(struct pxr_node_spot spot,
                          void (*visit)(struct visitor *visitor, struct pxr_node_spot spot),
                          void *context)
{
        struct visitor visitor = {
                .reach.read = visit_read, .node = spot.node, .visit = visit, .context = context
        };

        if (spot.node->op->depends)
                spot.node->op->depends(spot.node, spot.row, spot.col, spot.colour, &visitor.reach);
        else
                for (int k = 0; k < spot.node->inputs; k++)
                        visit_read(&visitor.reach, k, spot.row, spot.col, spot.colour);
}

static int spots_of(const struct pxr_node *node)
{
        return node->shape.rows * node->shape.cols * node->colours;
}

/* The spots of a node in an order in which a scan's dependencies come before what depends on them:
 * the rows downwards, each to the right or, for scans from the right, to the left. */
static int sweep_order(const struct pxr_node *node, int number, bool leftwards)
{
        int width = node->shape.cols * node->colours;

        return leftwards ? number / width * width + width - 1 - number % width : number;
}

/* --- forwards ----------------------------------------------------------------------------------
 */

struct latest {
        int *const *last;
        int value;
        struct pxr_node_spot source;
        const struct pxr_node *reader;
        bool scans; /* the reader reads its own output */
};

static void take_latest(struct visitor *visitor, struct pxr_node_spot spot)
{
        struct latest *latest = visitor->context;
        int value = latest->last[spot.node->index]
                                [pxr_order(spot.node, spot.row, spot.col, spot.colour)];

        if (spot.node == latest->reader)
                latest->scans = true;
        if (value > latest->value) {
                latest->value = value;
                latest->source = spot;
        }
}

/* One sweep over a node's spots; true if another is needed. A scan reads its own output, so that
 * sweeps go on, to the right and to the left in turn, until nothing changes; other ops need one. */
static bool sweep(int **last, const struct pxr_node *node, bool leftwards)
{
        bool changed = false, scans = false;

        for (int number = 0; number < spots_of(node); number++) {
                int order = sweep_order(node, number, leftwards);
                struct latest latest = { .last = last,
                                         .value = last[node->index][order],
                                         .reader = node };

                visit_sources(pxr_spot_at(node, order), take_latest, &latest);
                scans = scans || latest.scans;
                if (latest.value != last[node->index][order]) {
                        last[node->index][order] = latest.value;
                        changed = true;
                }
        }
        return changed && scans;
}

int **pxr_reach_last(const struct pxr_graph *graph)
{
        size_t spots = 0, at = 0;
        int **last;
        int *values;

        for (int i = 0; i < graph->nodes; i++)
                spots += spots_of(graph->node[i]);
        last = malloc(graph->nodes * sizeof(*last) + spots * sizeof(int));
        if (!last)
                return NULL;
        values = (int *)(last + graph->nodes);
        for (int i = 0; i < graph->nodes; i++) {
                last[i] = values + at;
                at += spots_of(graph->node[i]);
                for (int order = 0; order < spots_of(graph->node[i]); order++)
                        last[i][order] = i == 0 ? order : -1;
                for (bool leftwards = false, again = i > 0; again; leftwards = !leftwards)
                        again = sweep(last, graph->node[i], leftwards);
        }
        return last;
}

struct pxr_node_spot pxr_reach_source(int *const *last, struct pxr_node_spot spot)
{
        struct latest latest = { .last = last, .value = -1, .source = spot };

        visit_sources(spot, take_latest, &latest);
        return latest.source;
}

/* --- reads of other pixels ---------------------------------------------------------------------
 */

struct spans {
        enum pxr_span *span;
        struct pxr_node_spot reader;
};

static void widen(enum pxr_span *span, enum pxr_span to)
{
        if (*span < to)
                *span = to;
}

static void note_span(struct visitor *visitor, struct pxr_node_spot spot)
{
        struct spans *spans = visitor->context;
        enum pxr_span *span = &spans->span[spot.node->index];

        if (spot.node == spans->reader.node)
                return;
        if (spot.row != spans->reader.row)
                widen(span, PXR_SPAN_MAP);
        else if (spot.col != spans->reader.col)
                widen(span, PXR_SPAN_ROW);
}

/* Are the node's inputs known to be read as widely as can be? */
static bool widest(const struct pxr_node *node, const enum pxr_span *span)
{
        for (int k = 0; k < node->inputs; k++)
                if (span[node->input[k]->index] != PXR_SPAN_MAP)
                        return false;
        return true;
}

void pxr_reach_spans(const struct pxr_graph *graph, enum pxr_span *span)
{
        struct spans spans = { .span = span };

        for (int i = 0; i < graph->nodes; i++)
                span[i] = PXR_SPAN_PIXEL;
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                bool in_row = node->op->flags & PXR_ADVANCE_READS_ITS_ROW;

                for (int k = 0; k < node->inputs; k++)
                        widen(&span[node->input[k]->index], !pxr_same_size(node, node->input[k])
                                                                    ? PXR_SPAN_MAP
                                                            : in_row ? PXR_SPAN_ROW
                                                                     : PXR_SPAN_PIXEL);
                if (in_row || !node->op->depends) /* without it, only its own place is read */
                        continue;
                for (int order = 0; order < spots_of(node) && !widest(node, span); order++) {
                        spans.reader = pxr_spot_at(node, order);
                        visit_sources(spans.reader, note_span, &spans);
                }
        }
}

/* --- backwards ---------------------------------------------------------------------------------
 */

struct marks {
        unsigned char **seen; /* [node][order] */
        bool again;           /* a spot of the node itself was newly marked */
        const struct pxr_node *node;
};

static void mark(struct visitor *visitor, struct pxr_node_spot spot)
{
        struct marks *marks = visitor->context;
        unsigned char *seen = &marks->seen[spot.node->index]
                                          [pxr_order(spot.node, spot.row, spot.col, spot.colour)];

        if (!*seen && spot.node == marks->node)
                marks->again = true;
        *seen = *seen ? *seen : 1;
}

/* Marks: 1 is reached, 2 is reached and its sources are marked. */
static void mark_sources(struct marks *marks, const struct pxr_node *node)
{
        unsigned char *seen = marks->seen[node->index];
        bool leftwards = false;

        marks->node = node;
        do {
                marks->again = false;
                for (int number = spots_of(node) - 1; number >= 0; number--) {
                        int order = sweep_order(node, number, leftwards);

                        if (seen[order] != 1)
                                continue;
                        visit_sources(pxr_spot_at(node, order), mark, marks);
                        seen[order] = 2;
                }
                leftwards = !leftwards;
        } while (marks->again);
}

int pxr_reach_field(const struct pxr_graph *graph, const struct pxr_node *node, int row, int col,
                    unsigned char *seen)
{
        size_t spots = 0, at = 0;
        struct marks marks = { 0 };
        unsigned char *values;

        for (int i = 0; i <= node->index; i++)
                spots += spots_of(graph->node[i]);
        marks.seen = malloc((node->index + 1) * sizeof(*marks.seen));
        values = calloc(spots, 1);
        if (!marks.seen || !values) {
                free(marks.seen);
                free(values);
                return -1;
        }
        for (int i = 0; i <= node->index; i++) {
                marks.seen[i] = values + at;
                at += spots_of(graph->node[i]);
        }
        for (int colour = 0; colour < node->colours; colour++)
                marks.seen[node->index][pxr_order(node, row, col, colour)] = 1;
        for (int i = node->index; i > 0; i--)
                mark_sources(&marks, graph->node[i]);
        for (int order = 0; order < spots_of(graph->node[0]); order++)
                if (marks.seen[0][order])
                        seen[order / graph->colours] = 1;
        free(marks.seen);
        free(values);
        return 0;
}
