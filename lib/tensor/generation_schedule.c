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

/* A reader whose sources must be computed by row if it is itself, or if it reads ahead. */
struct reading {
        bool *by_row;
        const struct pxr_node *image;
        struct pxr_site reader;
};

static void note_by_row(void *context, struct pxr_site source)
{
        const struct reading *reading = context;
        struct pxr_site reader = reading->reader;
        bool ahead = source.col > reader.col ||
                     (source.col == reader.col && source.colour > reader.colour);

        if (source.node == reader.node || source.row != reader.row ||
            !pxr_same_size(source.node, reading->image))
                return;
        if (reading->by_row[reader.node->index] || (ahead && !source.node->constant))
                reading->by_row[source.node->index] = true;
}

/* Whether the node's rows can be computed before their first pixel: they depend on earlier rows
 * only, and `advance` computes each pixel from what it reads, not from what it passed by. */
static bool depends_on_earlier_rows(const struct pxr_node *node, const int *last)
{
        int width = node->shape.cols * node->colours;

        if (node->op->flags & PXR_ADVANCE_READS_ITS_ROW)
                return false;
        for (int order = 0; order < node->shape.rows * width; order++)
                if (last[order] >= order / width * width)
                        return false;
        return true;
}

/* Find the nodes that are computed by row. */
static void find_by_row(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                        int *const *last)
{
        struct reading reading = { .by_row = schedule->by_row, .image = graph->node[0] };

        for (int i = graph->nodes - 1; i > 0; i--) {
                const struct pxr_node *node = graph->node[i];

                if (schedule->by_row[i] && !depends_on_earlier_rows(node, last[i]))
                        schedule->by_row[i] = false;
                if ((node->constant && !schedule->by_row[i]) || !node->op->depends ||
                    !pxr_same_size(node, graph->node[0])) {
                        for (int k = 0; schedule->by_row[i] && k < node->inputs; k++)
                                schedule->by_row[node->input[k]->index] = true;
                        continue;
                }
                for (int order = 0; order < (int)pxr_graph_values(graph); order++) {
                        reading.reader = pxr_site_at(node, order);
                        pxr_visit_sources(reading.reader, note_by_row, &reading);
                }
        }
        schedule->by_row[0] = false;
}

/* When a site is computed: at 2 o, when generation arrives at number o in the order of sites, or at
 * 2 o + 1, when the value of number o is set. */
struct timing {
        int *const *time; /* [node][order] */
        const struct pxr_node *reader;
        int latest;
};

static void note_time(void *context, struct pxr_site source)
{
        struct timing *timing = context;
        int time = timing->time[source.node->index]
                               [pxr_order(source.node, source.row, source.col, source.colour)];

        if (source.node != timing->reader && time > timing->latest)
                timing->latest = time;
}

/* Find when a node's sites are computed, and what they wait for. False if it cannot be computed
 * pixel by pixel, or where it is computed by row, at the row's start. A node whose map is not of
 * the image's size is advanced at every site, if its op supports that. */
static bool set_times(struct pxr_generation_schedule *schedule, const struct pxr_node *node,
                      const struct pxr_node *image, const int *last, int *const *time)
{
        int colours = node->colours, width = image->shape.cols * colours;

        if (!pxr_same_size(node, image))
                return node->op->flags & PXR_ADVANCE_OF_ANY_SHAPE;
        for (int order = 0; order < image->shape.rows * width; order++) {
                struct timing timing = { time, node,
                                         last[order] < order ? -1 : 2 * last[order] + 1 };
                int start = 2 * (schedule->by_row[node->index] ? order / width * width : order);
                int now = start;

                pxr_visit_sources(pxr_site_at(node, order), note_time, &timing);
                if (timing.latest > now)
                        now = timing.latest | 1;
                time[node->index][order] = now;
                if (now / 2 / colours > order / colours ||
                    (schedule->by_row[node->index] && now > start))
                        return false;
                if (now % 2)
                        schedule->wait[node->index][order] = (unsigned char)(1 + now / 2 % colours);
        }
        return true;
}

/* Room for when all sites are computed, which is before all others at first. */
static int **new_times(const struct pxr_graph *graph)
{
        size_t sites = 0, at = 0;
        int **time;

        for (int i = 0; i < graph->nodes; i++)
                sites += pxr_sites(graph->node[i]);
        time = malloc(graph->nodes * sizeof(*time) + sites * sizeof(int));
        for (int i = 0; time && i < graph->nodes; i++) {
                time[i] = (int *)(time + graph->nodes) + at;
                at += pxr_sites(graph->node[i]);
        }
        for (size_t i = 0; time && i < sites; i++)
                time[0][i] = -1;
        return time;
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
                else if (schedule->by_row[i] && schedule->extent[i] == PXR_EXTENT_PIXEL)
                        schedule->extent[i] = PXR_EXTENT_ROW;
        }
}

int pxr_schedule_generation(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                            enum pxr_precision precision)
{
        bool *needed = malloc(graph->nodes * sizeof(*needed));
        int **last = pxr_last_dependencies(graph), **time = new_times(graph), status = -1;

        *schedule =
                (struct pxr_generation_schedule) { .wait = new_waits(graph),
                                                   .by_row = calloc(graph->nodes, sizeof(bool)),
                                                   .extent = calloc(graph->nodes,
                                                                    sizeof(enum pxr_read_extent)),
                                                   .constant = calloc(graph->nodes, sizeof(bool)) };
        if (!needed || !last || !time || !schedule->wait || !schedule->by_row ||
            !schedule->extent || !schedule->constant)
                goto out;
        pxr_graph_needed(graph, needed);
        find_by_row(schedule, graph, last);
        for (int i = 0; !schedule->fallback && i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (needed[i] && !node->constant &&
                    (!node->op->kernels[precision].advance ||
                     !set_times(schedule, node, graph->node[0], last[i], time)))
                        schedule->fallback = node->op->name;
        }
        find_extents(schedule, graph, precision);
        status = 0;
out:
        free(needed);
        free(last);
        free(time);
        if (status)
                pxr_generation_schedule_free(schedule);
        return status;
}

void pxr_generation_schedule_free(struct pxr_generation_schedule *schedule)
{
        free(schedule->wait);
        free(schedule->by_row);
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
