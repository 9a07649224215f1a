/* SPDX-License-Identifier: MIT */
/*
 * certificate.c - the first part of the causality certificate: declared dependencies.
 *
 * The second is in certificate_kernels.c.
 */
#include "model/certificate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/number.h"
#include "tensor/dependency.h"

/* Report a leak of `logit`. Follow its last dependency from the logits to the image and blame the
 * op that steps to a later site nearest to the image; if none does, the op that reads the pixel
 * itself from the image. */
static int blame(int *const *last, struct pxr_site logit, struct pxr_diag *diag)
{
        struct pxr_site site = logit, guilty = logit, guilty_source = logit, value;
        bool later = false;

        /* Bounded, because a plugin may declare circular dependencies. */
        for (int hops = 0; site.node->index > 0 && hops < 1000000; hops++) {
                struct pxr_site source = pxr_dependency_source(last, site);
                bool step = pxr_order(source.node, source.row, source.col, source.colour) >
                            pxr_order(site.node, site.row, site.col, site.colour);

                if (source.node->index == 0 ? !later || step : step) {
                        guilty = site;
                        guilty_source = source;
                }
                later = later || step;
                site = source;
        }
        value = site;
        pxr_error_at(diag, guilty.node->location,
                     "%s: the model is not causal: it would see values that it predicts",
                     guilty.node->layer);
        pxr_note(diag, "its op '%s' reads, for %s at (%d, %d), the tap %+d row%s %+d column%s, %s",
                 guilty.node->op->name, pxr_colour_name(guilty.node, guilty.colour), guilty.row,
                 guilty.col, guilty_source.row - guilty.row,
                 pxr_plural(abs(guilty_source.row - guilty.row)), guilty_source.col - guilty.col,
                 pxr_plural(abs(guilty_source.col - guilty.col)),
                 pxr_colour_name(guilty.node, guilty_source.colour));
        pxr_note(diag,
                 "so the distribution of %s at (%d, %d) depends on the value of %s at (%d, %d)",
                 pxr_colour_name(logit.node, logit.colour), logit.row, logit.col,
                 pxr_colour_name(value.node, value.colour), value.row, value.col);
        if (!later)
                pxr_note(diag, "the first layer that reads the image requires mask A");
        return -1;
}

/* Mark the receptive field of the centre of a node's map in seen[row][col], which is zeroed. */
static int find_field(const struct pxr_graph *graph, const struct pxr_node *node,
                      unsigned char *seen, struct pxr_extent *extent)
{
        int centre_row = node->shape.rows / 2, centre_col = node->shape.cols / 2;

        *extent = (struct pxr_extent) { 0 };
        if (!seen || pxr_receptive_field(graph, node, centre_row, centre_col, seen))
                return -1;
        for (int i = 0; i < graph->rows * graph->cols; i++) {
                int above = centre_row - i / graph->cols, left = centre_col - i % graph->cols;

                if (!seen[i])
                        continue;
                extent->above = above > extent->above ? above : extent->above;
                extent->left = left > extent->left ? left : extent->left;
                extent->right = -left > extent->right ? -left : extent->right;
        }
        return 0;
}

struct pxr_extent pxr_receptive_extent(const struct pxr_graph *graph, const struct pxr_node *node)
{
        unsigned char *seen = calloc((size_t)graph->rows * graph->cols, 1);
        struct pxr_extent extent;

        find_field(graph, node, seen, &extent);
        free(seen);
        return extent;
}

static void hash_line(struct pxr_sha256 *hash, const char *format, ...) PXR_PRINTF(2, 3);
static void hash_line(struct pxr_sha256 *hash, const char *format, ...)
{
        char line[256];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        pxr_sha256_update(hash, line, strlen(line) + 1);
}

/* What a node is, and what it is made of. */
static void hash_node(struct pxr_sha256 *hash, const struct pxr_node *node)
{
        hash_line(hash, "%s %dx%dx%d of %d in %d", node->op->name, node->shape.rows,
                  node->shape.cols, node->shape.channels, node->colours, node->gates);
        for (int k = 0; k < node->inputs; k++)
                hash_line(hash, "input %d", node->input[k]->index);
        for (int k = 0; k < node->parameters; k++) {
                const struct pxr_parameter *p = node->parameter[k];

                hash_line(hash, "parameter %s", p->name);
                for (int i = 0; i < p->rank; i++)
                        hash_line(hash, "%d", p->shape[i]);
        }
}

/* The digest: each node, and the last value each of its sites depends on. */
static void hash_dependencies(const struct pxr_graph *graph, int *const *last,
                              struct pxr_certificate *certificate)
{
        struct pxr_sha256 hash;

        pxr_sha256_init(&hash);
        hash_line(&hash, "%d levels, %s", graph->levels, graph->distribution->name);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                hash_node(&hash, node);
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
        int **last = pxr_last_dependencies(graph), status = 0;
        int sites = graph->rows * graph->cols * graph->colours;

        if (!last)
                return pxr_out_of_memory(diag);
        for (int order = 0; order < sites && !status; order++)
                if (last[graph->logits->index][order] >= order)
                        status = blame(last, pxr_site_at(graph->logits, order), diag);
        if (!status) {
                hash_dependencies(graph, last, certificate);
                certificate->field = pxr_alloc_array(arena, graph->rows, graph->cols);
                if (find_field(graph, graph->logits, certificate->field, &certificate->extent))
                        status = pxr_out_of_memory(diag);
        }
        free(last);
        return status;
}

int pxr_certify(struct pxr_arena *arena, const struct pxr_model *model,
                const struct pxr_examination *how, struct pxr_certificate *certificate,
                struct pxr_diag *diag)
{
        *certificate = (struct pxr_certificate) { 0 };
        if (pxr_certify_dependencies(arena, model, certificate, diag))
                return -1;
        return pxr_certify_kernels(model, how, certificate, diag);
}
