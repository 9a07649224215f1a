/* SPDX-License-Identifier: MIT */
/* certificate.c - the causality certificate: declared dependencies, then what kernels really read.
 */
#include "model/certificate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/number.h"
#include "model/bench.h"
#include "tensor/gemm.h"

/* --- declared dependencies ---------------------------------------------------------------------
 */

static void note_effect(struct pxr_site value, struct pxr_site logit, struct pxr_diag *diag)
{
        pxr_note(diag,
                 "so the distribution of %s at (%d, %d) depends on the value of %s at (%d, %d)",
                 pxr_colour_name(logit.node, logit.colour), logit.row, logit.col,
                 pxr_colour_name(value.node, value.colour), value.row, value.col);
}

/* Report a leak of `logit`. Follow its last dependency from the logits to the image and blame the
 * op that steps to a later site nearest to the image; if none does, the op that reads the pixel
 * itself from the image. */
static int blame_declared(int *const *last, struct pxr_site logit, struct pxr_diag *diag)
{
        struct pxr_site site = logit, guilty = logit, guilty_source = logit;
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
        pxr_error_at(diag, guilty.node->location,
                     "%s: the model is not causal: it would see values that it predicts",
                     guilty.node->layer);
        pxr_note(diag, "its op '%s' reads, for %s at (%d, %d), the tap %+d row%s %+d column%s, %s",
                 guilty.node->op->name, pxr_colour_name(guilty.node, guilty.colour), guilty.row,
                 guilty.col, guilty_source.row - guilty.row,
                 pxr_plural(abs(guilty_source.row - guilty.row)), guilty_source.col - guilty.col,
                 pxr_plural(abs(guilty_source.col - guilty.col)),
                 pxr_colour_name(guilty.node, guilty_source.colour));
        note_effect(site, logit, diag);
        if (!later)
                pxr_note(diag, "the first layer that reads the image requires mask A");
        return -1;
}

/* Widen an extent to hold the receptive field of a pixel of a node's map. */
static void widen(struct pxr_extent *extent, const struct pxr_graph *graph,
                  const struct pxr_node *node, int row, int col)
{
        unsigned char *seen = calloc((size_t)graph->rows * graph->cols, 1);

        if (seen && pxr_receptive_field(graph, node, row, col, seen) == 0)
                for (int i = 0; i < graph->rows * graph->cols; i++) {
                        int above = row - i / graph->cols, left = col - i % graph->cols;

                        if (!seen[i])
                                continue;
                        extent->above = above > extent->above ? above : extent->above;
                        extent->left = left > extent->left ? left : extent->left;
                        extent->right = -left > extent->right ? -left : extent->right;
                }
        free(seen);
}

/* The border of the image cuts a receptive field: the last row has all that is above, its ends all
 * that is to the left or right. */
struct pxr_extent pxr_receptive_extent(const struct pxr_graph *graph, const struct pxr_node *node)
{
        int last = node->shape.rows - 1, end = node->shape.cols - 1;
        struct pxr_extent extent = { 0 };

        widen(&extent, graph, node, node->shape.rows / 2, node->shape.cols / 2);
        widen(&extent, graph, node, last, node->shape.cols / 2);
        widen(&extent, graph, node, last, 0);
        widen(&extent, graph, node, last, end);
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
                        status = blame_declared(last, pxr_site_at(graph->logits, order), diag);
        if (!status) {
                hash_dependencies(graph, last, certificate);
                certificate->field = pxr_alloc_array(arena, graph->rows, graph->cols);
                if (!certificate->field ||
                    pxr_receptive_field(graph, graph->logits, graph->rows / 2, graph->cols / 2,
                                        certificate->field))
                        status = pxr_out_of_memory(diag);
        }
        free(last);
        return status;
}

/* --- kernels: change single values, and compare the outputs to the bit --------------------------
 */

/* Several images are examined at once, to also find kernels that read another image. */
enum { PROBES = 64, PROBE_IMAGES = 8, MOST_WORKERS = 4 };

struct probe {
        const struct pxr_graph *graph;
        struct pxr_bench *bench;
        struct pxr_workspace **workspace; /* [workers], each of `each` images */
        int workers, each;
        float *logits; /* of the unchanged images, [worker][row][col][image][channel] */
        struct pxr_random random;
};

/* No setting of the training changes what this takes. Always -1. */
static int no_memory(const struct pxr_graph *graph, struct pxr_diag *diag)
{
        pxr_system_error(diag,
                         "not enough memory to check that the model is causal: requires %.1f MB "
                         "for %d images and %zu parameters",
                         (pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_EVALUATION, PROBE_IMAGES, 1) +
                          sizeof(float) * graph->parameter_values) /
                                 1e6,
                         PROBE_IMAGES, graph->parameter_values);
        pxr_hint(diag,
                 "training requires even more: use fewer layers or features, or smaller images");
        return -1;
}

/* The caller frees the workspaces, even after an error. */
static int probe_new(struct probe *probe, struct pxr_arena *arena, const struct pxr_graph *graph,
                     int threads, struct pxr_diag *diag)
{
        int workers = threads >= MOST_WORKERS ? MOST_WORKERS : threads >= 2 ? 2 : 1;

        *probe = (struct probe) { .graph = graph,
                                  .workers = workers,
                                  .each = PROBE_IMAGES / workers,
                                  .random = pxr_random(1, PXR_RANDOM_TEST, 1, 0, 0) };
        if (pxr_blas_reserve(diag))
                return -1;
        probe->bench = pxr_bench_new(arena, graph, PROBE_IMAGES, 1, NULL, NULL);
        probe->logits = pxr_alloc_array(arena, pxr_map_size(graph->logits, PROBE_IMAGES),
                                        sizeof(*probe->logits));
        probe->workspace = pxr_workspaces_new(
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_EVALUATION, probe->each, false, NULL),
                workers, NULL);
        return probe->bench && probe->logits && probe->workspace ? 0 : no_memory(graph, diag);
}

/* Compute all nodes for some images as they are, with the small images as they were. */
static void compute_images(const struct probe *probe, struct pxr_workspace *workspace, int first,
                           int images)
{
        const struct pxr_graph *graph = probe->graph;
        const struct pxr_bench *bench = probe->bench;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        pxr_bench_load(bench, workspace, first, images);
        pxr_workspace_condition(workspace, bench->small + small * first, images);
        pxr_workspace_forward(workspace, bench->f32);
}

static void compute(const struct probe *probe)
{
#pragma omp parallel for num_threads(probe->workers) schedule(static, 1)
        for (int i = 0; i < probe->workers; i++)
                compute_images(probe, probe->workspace[i], i * probe->each, probe->each);
}

/* The logits are to be compared with what they are now. */
static void keep_logits(const struct probe *probe)
{
        size_t size = pxr_map_size(probe->graph->logits, probe->each);

        for (int i = 0; i < probe->workers; i++)
                memcpy(probe->logits + i * size,
                       pxr_workspace_logits(probe->workspace[i], 0, 0, 0, 0), size * sizeof(float));
}

/* The first order whose logits of `image` have changed, or that past the last. */
static int first_change(const struct probe *probe, int image)
{
        const struct pxr_graph *graph = probe->graph;
        int channels = graph->logits->shape.channels, colours = graph->colours;
        int worker = image / probe->each, own = image % probe->each, order = 0;
        const float *before = probe->logits + worker * pxr_map_size(graph->logits, probe->each);

        for (; order < (int)probe->bench->values; order++) {
                int pixel = order / colours, colour = order % colours;
                int from = pxr_group_begin(channels, colours, colour);
                int to = pxr_group_begin(channels, colours, colour + 1);
                size_t logit = ((size_t)pixel * probe->each + own) * channels + from;

                if (memcmp(pxr_bench_logits(probe->workspace[worker], graph, order, own),
                           before + logit, (to - from) * sizeof(float)) != 0)
                        break;
        }
        return order;
}

/* --- which op reads more
 * ---------------------------------------------------------------------------
 */

/* A change that went where no dependency is declared. */
struct leak {
        int image;
        int cause;     /* order of the value changed */
        uint8_t value; /* what it was before */
        int effect;    /* order of the first logits that changed */
};

/* Do two workspaces of one image differ at a site? */
static bool differ(struct pxr_workspace *const workspace[2], struct pxr_site site)
{
        const struct pxr_node *node = site.node;
        const float *a = pxr_workspace_tensor(workspace[0], node);
        const float *b = pxr_workspace_tensor(workspace[1], node);
        int block = node->shape.channels / node->gates;
        size_t pixel = (size_t)site.row * node->shape.cols + site.col;
        int from = pxr_group_begin(block, node->colours, site.colour);
        int to = pxr_group_begin(block, node->colours, site.colour + 1);

        for (int gate = 0; a && b && gate < node->gates; gate++) {
                size_t begin = pixel * node->shape.channels + (size_t)gate * block + from;

                if (memcmp(a + begin, b + begin, (to - from) * sizeof(float)) != 0)
                        return true;
        }
        return false;
}

/* The first site, in the order of computation, that changed though all it depends on comes before
 * the value changed; the logits themselves if there is no other. */
static struct pxr_site find_liar(const struct pxr_graph *graph, int *const *last,
                                 struct pxr_workspace *const workspace[2], const struct leak *leak)
{
        for (int i = 1; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                int sites = node->shape.rows * node->shape.cols * node->colours;

                for (int order = 0; order < sites; order++)
                        if (last[i][order] < leak->cause &&
                            differ(workspace, pxr_site_at(node, order)))
                                return pxr_site_at(node, order);
        }
        return pxr_site_at(graph->logits, leak->effect);
}

static void write_leak(const struct pxr_graph *graph, struct pxr_site liar, const struct leak *leak,
                       struct pxr_diag *diag)
{
        const struct pxr_site cause = pxr_site_at(graph->node[0], leak->cause);

        pxr_error_at(diag, liar.node->location,
                     "%s: the model is not causal, though its ops declare it to be",
                     liar.node->layer);
        pxr_note(diag,
                 "its op '%s' reads more than its `depends` declares: changing %s at (%d, %d) "
                 "changed its output for %s at (%d, %d)",
                 liar.node->op->name, pxr_colour_name(cause.node, cause.colour), cause.row,
                 cause.col, pxr_colour_name(liar.node, liar.colour), liar.row, liar.col);
        note_effect(cause, pxr_site_at(graph->logits, leak->effect), diag);
}

/* Compute the image once more before and after the change, with every tensor kept, and report the
 * op at fault; where there is no memory for that, the last. Always -1. */
static int blame_kernel(const struct probe *probe, const struct leak *leak, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = probe->graph;
        uint8_t *pixel = &probe->bench->pixels[probe->bench->values * leak->image + leak->cause];
        const uint8_t values[2] = { leak->value, *pixel };
        struct pxr_workspace *workspace[2];
        struct pxr_site liar = pxr_site_at(graph->logits, leak->effect);
        int **last = pxr_last_dependencies(graph);

        for (int i = 0; i < 2; i++) {
                workspace[i] =
                        pxr_workspace_new(graph, PXR_F32, PXR_FOR_INSPECTION, 1, false, NULL);
                *pixel = values[i];
                if (workspace[i])
                        compute_images(probe, workspace[i], leak->image, 1);
        }
        if (last && workspace[0] && workspace[1])
                liar = find_liar(graph, last, workspace, leak);
        write_leak(graph, liar, leak, diag);
        pxr_workspace_free(workspace[0]);
        pxr_workspace_free(workspace[1]);
        free(last);
        return -1;
}

/* --- probes ------------------------------------------------------------------------------------
 */

/* Change one value in each image, orders[image], and look at the logits. What they were is in the
 * workspace. */
static int probe_once(struct probe *probe, const int orders[PROBE_IMAGES], struct pxr_diag *diag)
{
        int levels = probe->graph->levels;
        uint8_t before[PROBE_IMAGES];

        for (int image = 0; image < PROBE_IMAGES; image++) {
                uint8_t *value =
                        &probe->bench->pixels[image * probe->bench->values + orders[image]];

                before[image] = *value;
                *value = (*value + 1 + pxr_random_below(&probe->random, levels - 1)) % levels;
        }
        keep_logits(probe);
        compute(probe);
        for (int image = 0; image < PROBE_IMAGES; image++) {
                struct leak leak = { image, orders[image], before[image],
                                     first_change(probe, image) };

                if (leak.effect <= leak.cause)
                        return blame_kernel(probe, &leak, diag);
        }
        return 0;
}

static void report(const struct pxr_examination *how, int done, int probes)
{
        pxr_observe_count(how->observer, "checking causality", "passes", done,
                          probes + PROBE_IMAGES);
}

static int certify_kernels(const struct pxr_model *model, const struct pxr_examination *how,
                           struct pxr_certificate *certificate, struct pxr_diag *diag)
{
        static const struct pxr_examination usual = { .threads = 1 };
        const struct pxr_graph *graph = model->graph;
        int sites = (int)pxr_graph_values(graph), status;
        int probes = sites < PROBES ? sites : PROBES;
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        struct probe probe = { 0 };

        how = how ? how : &usual;
        report(how, 0, probes);
        status = arena ? probe_new(&probe, arena, graph, how->threads, diag)
                       : no_memory(graph, diag);
        if (!status)
                compute(&probe);
        for (int at = 0; at < probes && !status; at += PROBE_IMAGES) {
                int orders[PROBE_IMAGES];

                report(how, at + PROBE_IMAGES, probes);
                /* Evenly over the map, the first and the last value included. */
                for (int i = 0; i < PROBE_IMAGES; i++) {
                        int number = at + i < probes ? at + i : probes - 1;

                        orders[i] = probes > 1 ? (int)((int64_t)number * (sites - 1) / (probes - 1))
                                               : 0;
                }
                status = probe_once(&probe, orders, diag);
                certificate->probes += PROBE_IMAGES;
        }
        report(how, probes + PROBE_IMAGES, probes);
        pxr_workspaces_free(probe.workspace, probe.workers);
        pxr_arena_free(arena);
        return status;
}

int pxr_certify(struct pxr_arena *arena, const struct pxr_model *model,
                const struct pxr_examination *how, struct pxr_certificate *certificate,
                struct pxr_diag *diag)
{
        *certificate = (struct pxr_certificate) { 0 };
        if (pxr_certify_dependencies(arena, model, certificate, diag))
                return -1;
        return certify_kernels(model, how, certificate, diag);
}
