/* SPDX-License-Identifier: MIT */
/*
 * dependency.c - following declared dependencies through a graph: forwards, for the last image
 * value that each site depends on, and backwards, for all pixels that one site depends on.
 */
#include "tensor/dependency.h"

#include <stdlib.h>
#include <string.h>

const char *pxr_colour_name(const struct pxr_node *node, int colour)
{
        static const char *const names[] = { "red", "green", "blue" };

        return node->colours == 3 ? names[colour] : "grey";
}

struct pxr_site pxr_site_at(const struct pxr_node *node, int order)
{
        int pixel = order / node->colours;

        return (struct pxr_site) { node, pixel / node->shape.cols, pixel % node->shape.cols,
                                   order % node->colours };
}

/* Calls `visit` for every site that a site reads. */
struct visitor {
        struct pxr_dependencies deps; /* first: `read` casts it to struct visitor */
        const struct pxr_node *node;
        void (*visit)(struct visitor *visitor, struct pxr_site site);
        void *context;
};

static void visit_read(struct pxr_dependencies *deps, int input, int row, int col, int colour)
{
        struct visitor *visitor = (struct visitor *)deps;
        const struct pxr_node *node = visitor->node;

        if (input < PXR_SELF || input >= node->inputs || colour < 0 || colour >= node->colours)
                return;
        if (input != PXR_SELF)
                node = node->input[input];
        if (row >= 0 && row < node->shape.rows && col >= 0 && col < node->shape.cols)
                visitor->visit(visitor, (struct pxr_site) { node, row, col, colour });
}

static void visit_sources(struct pxr_site site,
                          void (*visit)(struct visitor *visitor, struct pxr_site site),
                          void *context)
{
        struct visitor visitor = {
                .deps.read = visit_read, .node = site.node, .visit = visit, .context = context
        };

        if (site.node->op->depends)
                site.node->op->depends(site.node, site.row, site.col, site.colour, &visitor.deps);
        else
                for (int k = 0; k < site.node->inputs; k++)
                        visit_read(&visitor.deps, k, site.row, site.col, site.colour);
}

struct plain_visit {
        void (*visit)(void *context, struct pxr_site source);
        void *context;
};

static void visit_plainly(struct visitor *visitor, struct pxr_site site)
{
        const struct plain_visit *plain = visitor->context;

        plain->visit(plain->context, site);
}

void pxr_visit_sources(struct pxr_site site, void (*visit)(void *context, struct pxr_site source),
                       void *context)
{
        visit_sources(site, visit_plainly, &(struct plain_visit) { visit, context });
}

/* The sites of a node in an order in which a scan reads only earlier ones: rows from the top, each
 * to the right or, for scans from the right, to the left. */
static int sweep_order(const struct pxr_node *node, int number, bool leftwards)
{
        int width = node->shape.cols * node->colours;

        return leftwards ? number / width * width + width - 1 - number % width : number;
}

struct latest {
        int *const *last;
        int value;
        struct pxr_site source;
        const struct pxr_node *reader;
        bool scans; /* the reader reads its own output */
};

static void take_latest(struct visitor *visitor, struct pxr_site site)
{
        struct latest *latest = visitor->context;
        int value = latest->last[site.node->index]
                                [pxr_order(site.node, site.row, site.col, site.colour)];

        if (site.node == latest->reader)
                latest->scans = true;
        if (value > latest->value) {
                latest->value = value;
                latest->source = site;
        }
}

/* One sweep over a node's sites; true if another is needed. A scan reads its own output: it is
 * swept alternately right and left until nothing changes. Other ops need one sweep. */
static bool sweep(int **last, const struct pxr_node *node, bool leftwards)
{
        bool changed = false, scans = false;

        for (int number = 0; number < pxr_sites(node); number++) {
                int order = sweep_order(node, number, leftwards);
                struct latest latest = { .last = last,
                                         .value = last[node->index][order],
                                         .reader = node };

                visit_sources(pxr_site_at(node, order), take_latest, &latest);
                scans = scans || latest.scans;
                if (latest.value != last[node->index][order]) {
                        last[node->index][order] = latest.value;
                        changed = true;
                }
        }
        return changed && scans;
}

int **pxr_last_dependencies(const struct pxr_graph *graph)
{
        size_t sites = 0, at = 0;
        int **last;
        int *values;

        for (int i = 0; i < graph->nodes; i++)
                sites += pxr_sites(graph->node[i]);
        last = malloc(graph->nodes * sizeof(*last) + sites * sizeof(int));
        if (!last)
                return NULL;
        values = (int *)(last + graph->nodes);
        for (int i = 0; i < graph->nodes; i++) {
                last[i] = values + at;
                at += pxr_sites(graph->node[i]);
                for (int order = 0; order < pxr_sites(graph->node[i]); order++)
                        last[i][order] = i == 0 ? order : -1;
                for (bool leftwards = false, again = i > 0; again; leftwards = !leftwards)
                        again = sweep(last, graph->node[i], leftwards);
        }
        return last;
}

struct pxr_site pxr_dependency_source(int *const *last, struct pxr_site site)
{
        struct latest latest = { .last = last, .value = -1, .source = site };

        visit_sources(site, take_latest, &latest);
        return latest.source;
}

struct extents {
        enum pxr_read_extent *extent;
        struct pxr_site reader;
};

static void widen(enum pxr_read_extent *extent, enum pxr_read_extent to)
{
        if (*extent < to)
                *extent = to;
}

static void note_extent(struct visitor *visitor, struct pxr_site site)
{
        struct extents *extents = visitor->context;
        enum pxr_read_extent *extent = &extents->extent[site.node->index];

        if (site.node == extents->reader.node)
                return;
        if (site.row != extents->reader.row)
                widen(extent, PXR_EXTENT_MAP);
        else if (site.col != extents->reader.col)
                widen(extent, PXR_EXTENT_ROW);
}

/* Whether all of the node's inputs have the largest extent already. */
static bool widest(const struct pxr_node *node, const enum pxr_read_extent *extent)
{
        for (int k = 0; k < node->inputs; k++)
                if (extent[node->input[k]->index] != PXR_EXTENT_MAP)
                        return false;
        return true;
}

void pxr_read_extents(const struct pxr_graph *graph, enum pxr_read_extent *extent)
{
        struct extents extents = { .extent = extent };

        for (int i = 0; i < graph->nodes; i++)
                extent[i] = PXR_EXTENT_PIXEL;
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                bool in_row = node->op->flags & PXR_ADVANCE_READS_ITS_ROW;

                for (int k = 0; k < node->inputs; k++)
                        widen(&extent[node->input[k]->index], !pxr_same_size(node, node->input[k])
                                                                      ? PXR_EXTENT_MAP
                                                              : in_row ? PXR_EXTENT_ROW
                                                                       : PXR_EXTENT_PIXEL);
                if (in_row || !node->op->depends) /* without it, only the same pixel is read */
                        continue;
                for (int order = 0; order < pxr_sites(node) && !widest(node, extent); order++) {
                        extents.reader = pxr_site_at(node, order);
                        visit_sources(extents.reader, note_extent, &extents);
                }
        }
}

enum { FOUND = 1, FOLLOWED = 2 };

struct search {
        unsigned char **seen; /* [node][order]: 0, FOUND, or FOLLOWED: its sources are found too */
        bool again;           /* a site of the node itself was newly found */
        const struct pxr_node *node;
};

static void find(struct visitor *visitor, struct pxr_site site)
{
        struct search *search = visitor->context;
        unsigned char *seen = &search->seen[site.node->index]
                                           [pxr_order(site.node, site.row, site.col, site.colour)];

        if (!*seen && site.node == search->node)
                search->again = true;
        *seen = *seen ? *seen : FOUND;
}

static void follow(struct search *search, const struct pxr_node *node)
{
        unsigned char *seen = search->seen[node->index];
        bool leftwards = false;

        search->node = node;
        do {
                search->again = false;
                for (int number = pxr_sites(node) - 1; number >= 0; number--) {
                        int order = sweep_order(node, number, leftwards);

                        if (seen[order] != FOUND)
                                continue;
                        visit_sources(pxr_site_at(node, order), find, search);
                        seen[order] = FOLLOWED;
                }
                leftwards = !leftwards;
        } while (search->again);
}

int pxr_receptive_field(const struct pxr_graph *graph, const struct pxr_node *node, int row,
                        int col, unsigned char *seen)
{
        size_t sites = 0, at = 0;
        struct search search = { 0 };
        int nodes = node->index + 1;

        for (int i = 0; i < nodes; i++)
                sites += pxr_sites(graph->node[i]);
        search.seen = calloc(1, nodes * sizeof(*search.seen) + sites);
        if (!search.seen)
                return -1;
        for (int i = 0; i < nodes; i++) {
                search.seen[i] = (unsigned char *)(search.seen + nodes) + at;
                at += pxr_sites(graph->node[i]);
        }
        for (int colour = 0; colour < node->colours; colour++)
                search.seen[node->index][pxr_order(node, row, col, colour)] = FOUND;
        for (int i = node->index; i > 0; i--)
                follow(&search, graph->node[i]);
        for (int order = 0; order < pxr_sites(graph->node[0]); order++)
                if (search.seen[0][order])
                        seen[order / graph->colours] = 1;
        free(search.seen);
        return 0;
}
