/* SPDX-License-Identifier: MIT */
/*
 * certificate.c - the causality certificate, by declared dependencies and by changed values.
 *
 * Uses base/, tensor/ and reach.h.
 */
#include "model/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/reach.h"
#include "tensor/workspace.h"

enum { PROBES = 64, PROBE_IMAGES = 8 };

static const char *colour_name(const struct pxr_node *node, int colour)
{
        static const char *const names[] = { "red", "green", "blue" };

        return node->colours == 3 ? names[colour] : "grey";
}

/* --- declared dependencies ---------------------------------------------------------------------
 */

/* Report a leak of `logit`. The path of its last dependency is followed from the logits to the
 * image. Guilty is the op on it that first steps from one pixel to a later one; where none does,
 * the dependency goes straight down, and guilty is the first op that takes in the pixel itself. */
static int blame(int *const *last, struct pxr_spot logit, struct pxr_diag *diag)
{
        struct pxr_spot spot = logit, guilty = logit, guilty_source = logit, value;
        bool later = false;

        /* Bounded, for a plugin's scan could declare that it goes round in circles. */
        for (int hops = 0; spot.node->index > 0 && hops < 1000000; hops++) {
                struct pxr_spot source = pxr_reach_source(last, spot);
                bool step = pxr_order(source.node, source.row, source.col, source.colour) >
                            pxr_order(spot.node, spot.row, spot.col, spot.colour);

                if (source.node->index == 0 ? !later || step : step) {
                        guilty = spot;
                        guilty_source = source;
                }
                later = later || step;
                spot = source;
        }
        value = spot;
        pxr_error_at(diag, guilty.node->mark,
                     "%s: the model is not causal: it would see what it is to predict",
                     guilty.node->layer);
        pxr_note(diag, "its op '%s' reads, for %s at (%d, %d), the tap %+d row%s %+d column%s, %s",
                 guilty.node->op->name, colour_name(guilty.node, guilty.colour), guilty.row,
                 guilty.col, guilty_source.row - guilty.row,
                 abs(guilty_source.row - guilty.row) == 1 ? "" : "s",
                 guilty_source.col - guilty.col,
                 abs(guilty_source.col - guilty.col) == 1 ? "" : "s",
                 colour_name(guilty.node, guilty_source.colour));
        pxr_note(diag,
                 "so the distribution of %s at (%d, %d) depends on the value of %s at (%d, %d)",
                 colour_name(logit.node, logit.colour), logit.row, logit.col,
                 colour_name(value.node, value.colour), value.row, value.col);
        if (!later)
                pxr_note(diag, "the first layer that reads the image wants mask A");
        return -1;
}

static int find_field(struct pxr_arena *arena, const struct pxr_graph *graph,
                      struct pxr_certificate *certificate, struct pxr_diag *diag)
{
        struct pxr_extent extent;

        certificate->centre_row = graph->rows / 2;
        certificate->centre_col = graph->cols / 2;
        certificate->field = pxr_alloc_array(arena, graph->rows, graph->cols);
        if (!certificate->field || pxr_reach_field(graph, graph->logits, certificate->centre_row,
                                                   certificate->centre_col, certificate->field))
                return pxr_out_of_memory(diag);
        extent = pxr_receptive_extent(graph, graph->logits);
        certificate->field_above = extent.above;
        certificate->field_left = extent.left;
        certificate->field_right = extent.right;
        return 0;
}

/* The digest so far: what each node is, and the last value each of its spots depends on. */
static void hash_dependencies(const struct pxr_graph *graph, int *const *last,
                              struct pxr_certificate *certificate)
{
        struct pxr_sha256 hash;

        pxr_sha256_init(&hash);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                char line[256];
                int length = snprintf(line, sizeof(line), "%s %dx%dx%d of %d", node->op->name,
                                      node->shape.rows, node->shape.cols, node->shape.channels,
                                      node->colours);

                pxr_sha256_update(&hash, line, length);
                pxr_sha256_update(&hash, last[i],
                                  (size_t)node->shape.rows * node->shape.cols * node->colours *
                                          sizeof(int));
        }
        pxr_sha256_final(&hash, certificate->digest);
}

int pxr_certify_dependencies(struct pxr_arena *arena, const struct pxr_model *model,
                             struct pxr_certificate *certificate, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        int **last = pxr_reach_last(graph), status = 0;
        int spots = graph->rows * graph->cols * graph->colours;

        if (!last)
                return pxr_out_of_memory(diag);
        for (int order = 0; order < spots && !status; order++) {
                int pixel = order / graph->colours;
                struct pxr_spot logit = { graph->logits, pixel / graph->cols, pixel % graph->cols,
                                          order % graph->colours };

                if (last[graph->logits->index][order] >= order)
                        status = blame(last, logit, diag);
        }
        if (!status) {
                hash_dependencies(graph, last, certificate);
                status = find_field(arena, graph, certificate, diag);
        }
        free(last);
        return status;
}

struct pxr_extent pxr_receptive_extent(const struct pxr_graph *graph, const struct pxr_node *node)
{
        struct pxr_extent extent = { 0 };
        int centre_row = node->shape.rows / 2, centre_col = node->shape.cols / 2;
        unsigned char *seen = calloc((size_t)graph->rows * graph->cols, 1);

        if (seen && !pxr_reach_field(graph, node, centre_row, centre_col, seen))
                for (int row = 0; row < graph->rows; row++)
                        for (int col = 0; col < graph->cols; col++) {
                                if (!seen[row * graph->cols + col])
                                        continue;
                                if (centre_row - row > extent.above)
                                        extent.above = centre_row - row;
                                if (centre_col - col > extent.left)
                                        extent.left = centre_col - col;
                                if (col - centre_col > extent.right)
                                        extent.right = col - centre_col;
                        }
        free(seen);
        return extent;
}

/* --- changed values ----------------------------------------------------------------------------
 */

struct probe {
        const struct pxr_graph *graph;
        struct pxr_workspace *workspace;
        float *parameters;
        uint8_t *pixels; /* [image][row][col][colour] */
        uint8_t *small;  /* what a conditional model is given with them: it stays as it is */
        float *logits;   /* of the images before the change */
        struct pxr_random random;
};

static void probe_free(struct probe *probe)
{
        pxr_workspace_free(probe->workspace);
        free(probe->parameters);
        free(probe->pixels);
        free(probe->small);
        free(probe->logits);
}

static int probe_new(struct probe *probe, const struct pxr_graph *graph, struct pxr_diag *diag)
{
        size_t values = (size_t)graph->rows * graph->cols * graph->colours * PROBE_IMAGES;

        *probe = (struct probe) {
                .graph = graph,
                .parameters = calloc(graph->parameter_values + 1, sizeof(float)),
                .pixels = malloc(values),
                .small = malloc(values),
                .logits = malloc(pxr_map_size(graph->logits, PROBE_IMAGES) * sizeof(float)),
                .random = pxr_random(1, PXR_RANDOM_TEST, 0, 0, 0),
        };
        probe->workspace =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_EVALUATION, PROBE_IMAGES, false, diag);
        if (!probe->parameters || !probe->pixels || !probe->small || !probe->logits) {
                probe_free(probe);
                return pxr_out_of_memory(diag);
        }
        if (!probe->workspace || pxr_graph_init(graph, 1, probe->parameters, NULL, diag)) {
                probe_free(probe);
                return -1;
        }
        for (size_t i = 0; i < values; i++)
                probe->pixels[i] = (uint8_t)pxr_random_below(&probe->random, graph->levels);
        return 0;
}

/* The first order whose logits of `image` have changed, or INT_MAX. */
static int first_change(const struct probe *probe, int image)
{
        const struct pxr_graph *graph = probe->graph;
        int group = graph->logits->shape.channels / graph->colours;
        size_t logit = 0;

        for (int order = 0; order < graph->rows * graph->cols * graph->colours; order++) {
                int pixel = order / graph->colours, colour = order % graph->colours;
                const void *now = pxr_workspace_logits(probe->workspace, pixel / graph->cols,
                                                       pixel % graph->cols, colour, image);

                logit = ((size_t)pixel * PROBE_IMAGES + image) * graph->logits->shape.channels +
                        (size_t)colour * group;
                if (memcmp(now, probe->logits + logit, group * sizeof(float)) != 0)
                        return order;
        }
        return graph->rows * graph->cols * graph->colours;
}

/* The logits of the images as they are, in the workspace. */
static void compute_logits(struct probe *probe)
{
        pxr_workspace_load(probe->workspace, probe->pixels, PROBE_IMAGES);
        pxr_workspace_condition(probe->workspace, probe->small, PROBE_IMAGES);
        pxr_workspace_forward(probe->workspace, probe->parameters);
}

static void keep_logits(struct probe *probe)
{
        memcpy(probe->logits, pxr_workspace_logits(probe->workspace, 0, 0, 0, 0),
               pxr_map_size(probe->graph->logits, PROBE_IMAGES) * sizeof(float));
}

/* Change one value in each image, orders[image], and look at the logits. */
static int probe_once(struct probe *probe, const int orders[PROBE_IMAGES], struct pxr_diag *diag)
{
        const struct pxr_graph *graph = probe->graph;
        size_t values = (size_t)graph->rows * graph->cols * graph->colours;

        for (int image = 0; image < PROBE_IMAGES; image++) {
                uint8_t *value = &probe->pixels[image * values + orders[image]];

                *value = (uint8_t)((*value + 1 +
                                    pxr_random_below(&probe->random, graph->levels - 1)) %
                                   graph->levels);
        }
        compute_logits(probe);
        for (int image = 0; image < PROBE_IMAGES; image++) {
                int changed = first_change(probe, image), pixel = changed / graph->colours;
                int cause = orders[image] / graph->colours;

                if (changed > orders[image])
                        continue;
                pxr_error_at(diag, graph->logits->mark,
                             "the model is not causal, though its ops declare it to be: changing "
                             "%s at (%d, %d) changed the distribution of %s at (%d, %d)",
                             colour_name(graph->logits, orders[image] % graph->colours),
                             cause / graph->cols, cause % graph->cols,
                             colour_name(graph->logits, changed % graph->colours),
                             pixel / graph->cols, pixel % graph->cols);
                pxr_note(diag, "an op's `depends` is wrong: `pxr-layers check` finds which");
                return -1;
        }
        return 0;
}

int pxr_certify_kernels(const struct pxr_model *model, struct pxr_certificate *certificate,
                        struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        int spots = graph->rows * graph->cols * graph->colours, status = 0;
        int probes = spots < PROBES ? spots : PROBES;
        struct probe probe;

        if (probe_new(&probe, graph, diag))
                return -1;
        pxr_graph_subsample(graph, probe.pixels, PROBE_IMAGES, probe.small);
        compute_logits(&probe);
        for (int at = 0; at < probes && !status; at += PROBE_IMAGES) {
                int orders[PROBE_IMAGES];

                /* Evenly over the map, the first and the last value included. */
                for (int i = 0; i < PROBE_IMAGES; i++) {
                        int number = at + i < probes ? at + i : probes - 1;

                        orders[i] = probes > 1 ? (int)((int64_t)number * (spots - 1) / (probes - 1))
                                               : 0;
                }
                keep_logits(&probe);
                status = probe_once(&probe, orders, diag);
                certificate->probes += PROBE_IMAGES;
        }
        probe_free(&probe);
        return status;
}

int pxr_certify(struct pxr_arena *arena, const struct pxr_model *model,
                struct pxr_certificate *certificate, struct pxr_diag *diag)
{
        *certificate = (struct pxr_certificate) { 0 };
        if (pxr_certify_dependencies(arena, model, certificate, diag))
                return -1;
        return pxr_certify_kernels(model, certificate, diag);
}
