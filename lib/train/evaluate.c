/* SPDX-License-Identifier: MIT */
/*
 * evaluate.c - the NLL of a split: micro-batches by workers, sums in the order of the images.
 */
#include "train/evaluate.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tensor/gemm.h"

double pxr_nats_per_image(const struct pxr_nll *nll)
{
        return nll->sum / (double)nll->images;
}

double pxr_bits_per_dimension(const struct pxr_nll *nll)
{
        return pxr_nats_per_image(nll) / ((double)nll->dimensions * log(2));
}

bool pxr_reported_in_bits(int64_t dimensions, int64_t colours)
{
        return colours > 0 ? colours != 1 : dimensions % 3 == 0;
}

double pxr_standard_error(const struct pxr_nll *nll)
{
        double n = (double)nll->images, mean = nll->sum / n;
        double spread = nll->sum_squares - n * mean * mean;

        if (nll->images < 2)
                return NAN;
        /* Less is rounding: images that all cost the same have no error. */
        if (spread <= n * DBL_EPSILON * nll->sum_squares)
                return 0;
        return sqrt(spread / (n - 1) / n);
}

void pxr_nll_add(struct pxr_nll *nll, double nats)
{
        nll->sum += nats;
        nll->sum_squares += nats * nats;
        nll->images++;
}

struct pxr_nll pxr_nll_of(const double *nats, int count)
{
        struct pxr_nll nll = { 0 };

        for (int i = 0; i < count; i++)
                pxr_nll_add(&nll, nats[i]);
        return nll;
}

const char *pxr_nll_suspect(const struct pxr_nll *nll, const struct pxr_dataset *set)
{
        double nats = pxr_nats_per_image(nll), error = pxr_standard_error(nll);
        double uniform = (double)nll->dimensions * log(set->levels);

        if (!isfinite(nats))
                return "not finite";
        if (nats > uniform * (1 + 1e-6)) /* beyond rounding: a model may be uniform */
                return "worse than the uniform distribution";
        if (!isnan(set->floor) && !nll->given && !nll->trained_on &&
            nats < set->floor - (isnan(error) ? 0.05 * set->floor : 5 * error))
                return "better than any model of this data set can be";
        return NULL;
}

/* A round of work: as many micro-batches for each rank as there are threads, times a few. */
enum { ROUND = 8 };

struct pxr_evaluation_memory {
        struct pxr_workspace **workspace[2]; /* [mixed][thread]; NULL: not needed yet */
        int threads;
        uint8_t *pixels;  /* of a share of a round */
        int32_t *classes; /* of the same images, if the model is given them */
        int64_t *index;
        double *nats;             /* [image] */
        double *micro_batch_nats; /* [micro-batch][row][col][colour], summed over its images */
        double *scratch;          /* [thread]: each value's nats of a micro-batch */
};

/* A rank's part of a round: images of the split. */
struct part {
        int64_t first;
        int images;
};

static void free_workspaces(void *memory)
{
        struct pxr_evaluation_memory *m = memory;

        pxr_workspaces_free(m->workspace[false], m->threads);
        pxr_workspaces_free(m->workspace[true], m->threads);
}

int pxr_evaluation_share(int threads)
{
        return threads * ROUND;
}

static size_t largest_split(const struct pxr_dataset *set)
{
        int64_t largest = 0;

        for (int split = 0; split < PXR_SPLITS; split++)
                if (set->count[split] > largest)
                        largest = set->count[split];
        return (size_t)largest;
}

static int make_memory(struct pxr_evaluation *e)
{
        size_t values = pxr_graph_values(e->graph);
        size_t micro_batches, images;
        struct pxr_evaluation_memory *m = pxr_alloc(e->arena, sizeof(*m));

        if (!m || pxr_arena_defer(e->arena, free_workspaces, m))
                return -1;
        if (!e->share)
                e->share = pxr_evaluation_share(e->threads);
        micro_batches = (size_t)e->share;
        images = micro_batches * e->micro_batch;
        m->threads = e->threads;
        m->pixels = pxr_alloc_array(e->arena, images, values);
        m->classes = pxr_alloc_array(e->arena, images, sizeof(*m->classes));
        m->index = pxr_alloc_array(e->arena, images, sizeof(*m->index));
        m->nats = pxr_alloc_array(e->arena, images, sizeof(double));
        m->micro_batch_nats = pxr_alloc_array(e->arena, micro_batches * values, sizeof(double));
        m->scratch =
                pxr_alloc_array(e->arena, e->threads * e->micro_batch * values, sizeof(double));
        e->value_nats = pxr_alloc_array(e->arena, values, sizeof(double));
        e->image_nats = pxr_alloc_array(e->arena, largest_split(e->set) + 1, sizeof(double));
        if (pxr_arena_failed(e->arena))
                return -1;
        e->memory = m;
        return 0;
}

/* The workspaces of the precision, with the parameters. NULL after an error. */
static struct pxr_workspace **workspaces_of(const struct pxr_evaluation *e, struct pxr_diag *diag)
{
        struct pxr_workspace ***workspace = &e->memory->workspace[e->precision == PXR_BF16];

        if (!*workspace)
                *workspace = pxr_workspaces_new(pxr_workspace_new(e->graph, e->precision,
                                                                  PXR_FOR_EVALUATION,
                                                                  e->micro_batch, false, diag),
                                                e->threads, diag);
        if (*workspace)
                pxr_workspace_pack((*workspace)[0], e->threads, e->parameters);
        return *workspace;
}

/* Each value's nats of the micro-batch of `count` images from `first` on. They are added up to the
 * images' in the order in which pxr_workspace_loss() does. */
static void compute_values(const struct pxr_evaluation *e, struct pxr_workspace *workspace,
                           int first, int count)
{
        const struct pxr_evaluation_memory *memory = e->memory;
        int colours = e->graph->colours, pixels = e->graph->rows * e->graph->cols;
        int thread = omp_get_thread_num();
        size_t values = pxr_graph_values(e->graph);
        double *nats = memory->scratch + thread * values * e->micro_batch;
        double *sum = memory->micro_batch_nats + first / e->micro_batch * values;

        pxr_workspace_load(workspace, memory->pixels + first * values, count);
        pxr_workspace_classes(workspace, memory->classes + first, count);
        pxr_workspace_forward(workspace, e->parameters);
        pxr_workspace_value_loss(workspace, nats);
        memset(sum, 0, values * sizeof(*sum));
        for (int pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < count; image++)
                        for (int colour = 0; colour < colours; colour++) {
                                memory->nats[first + image] += *nats;
                                sum[pixel * colours + colour] += *nats++;
                        }
}

/* The nats of a part. */
static void compute(const struct pxr_evaluation *e, struct pxr_workspace **workspace, int images)
{
        memset(e->memory->nats, 0, images * sizeof(double));
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1)
        for (int first = 0; first < images; first += e->micro_batch)
                compute_values(e, workspace[omp_get_thread_num()], first,
                               images - first < e->micro_batch ? images - first : e->micro_batch);
}

/* Read the images of a part, and compute their nats. Returns 0 or -1. */
static int compute_part(const struct pxr_evaluation *e, struct pxr_workspace **workspace,
                        struct part part, struct pxr_diag *diag)
{
        for (int i = 0; i < part.images; i++)
                e->memory->index[i] = part.first + i;
        if (part.images > 0 && pxr_dataset_read(e->set, e->split, 0, e->memory->index, part.images,
                                                e->memory->pixels, diag))
                return -1;
        if (e->graph->class_map && pxr_dataset_read_labels(e->set, e->split, e->memory->index,
                                                           part.images, e->memory->classes, diag))
                return -1;
        compute(e, workspace, part.images);
        return 0;
}

/* Add up the nats of a part: those of values in the order of the micro-batches, whoever computed
 * them. */
static void add_part(const struct pxr_evaluation *e, int images, struct pxr_nll *nll)
{
        size_t values = pxr_graph_values(e->graph);
        const double *nats = e->memory->micro_batch_nats;

        for (int first = 0; first < images; first += e->micro_batch)
                for (size_t i = 0; i < values; i++)
                        e->value_nats[i] += *nats++;
        for (int i = 0; i < images; i++) {
                e->image_nats[nll->images] = e->memory->nats[i];
                pxr_nll_add(nll, e->memory->nats[i]);
        }
}

/* --- ranks -------------------------------------------------------------------------------------
 */

static int micro_batches_of(const struct pxr_evaluation *e, int images)
{
        return (images + e->micro_batch - 1) / e->micro_batch;
}

/* The part that a rank has of a round of images from `first` on. */
static struct part part_of(const struct pxr_evaluation *e, int rank, int64_t first, int images)
{
        int all = micro_batches_of(e, images), from, to;

        if (!pxr_ranks_several(e->ranks))
                return (struct part) { first, images };
        from = pxr_ranks_first(e->ranks, all, rank) * e->micro_batch;
        to = pxr_ranks_first(e->ranks, all, rank + 1) * e->micro_batch;
        to = to < images ? to : images;
        return (struct part) { first + from, to > from ? to - from : 0 };
}

/* The sizes of the two messages about a part. */
static size_t nats_size(struct part part)
{
        return part.images * sizeof(double);
}

static size_t values_size(const struct pxr_evaluation *e, struct part part)
{
        return micro_batches_of(e, part.images) * pxr_graph_values(e->graph) * sizeof(double);
}

int pxr_evaluate_help(struct pxr_evaluation *e, const struct pxr_rank_order *order,
                      struct pxr_diag *diag)
{
        struct part part;
        struct pxr_workspace **workspace;
        int status;

        pxr_blas_single_thread();
        e->split = (enum pxr_split)order->split;
        e->precision = (enum pxr_precision)order->precision;
        if (!e->memory && make_memory(e))
                return -1;
        /* The first round of an evaluation comes with parameters. */
        workspace = order->first == 0 ? workspaces_of(e, diag)
                                      : e->memory->workspace[e->precision == PXR_BF16];
        if (!workspace)
                return -1;
        part = part_of(e, e->ranks->rank, order->first, (int)order->images);
        if (compute_part(e, workspace, part, diag))
                return -1;
        if (part.images == 0)
                return 0;
        status = pxr_ranks_send(e->ranks, 0, e->memory->nats, nats_size(part));
        if (!status)
                status = pxr_ranks_send(e->ranks, 0, e->memory->micro_batch_nats,
                                        values_size(e, part));
        return status ? status : pxr_ranks_settle(e->ranks);
}

/* Rank 0: a round of images. Returns 0, 1 when stopped, or -1. */
static int compute_round(const struct pxr_evaluation *e, struct pxr_workspace **workspace,
                         int64_t first, int images, struct pxr_nll *nll, struct pxr_diag *diag)
{
        const struct pxr_rank_order order = { .task = PXR_RANK_EVALUATE,
                                              .first = first,
                                              .images = images,
                                              .split = e->split,
                                              .precision = e->precision };
        bool several = pxr_ranks_several(e->ranks);
        struct part part = part_of(e, 0, first, images);
        double started = pxr_now(), worked;
        int status = several ? pxr_ranks_order(e->ranks, &order) : 0;

        if (status)
                return status;
        if (compute_part(e, workspace, part, diag))
                return -1;
        worked = pxr_now() - started;
        add_part(e, part.images, nll);
        for (int rank = 1; several && rank < e->ranks->size && !status; rank++) {
                part = part_of(e, rank, first, images);
                if (part.images == 0)
                        continue;
                status = pxr_ranks_receive(e->ranks, rank, e->memory->nats, nats_size(part), worked,
                                           false);
                if (!status)
                        status = pxr_ranks_receive(e->ranks, rank, e->memory->micro_batch_nats,
                                                   values_size(e, part), worked, false);
                if (!status)
                        add_part(e, part.images, nll);
        }
        return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

int pxr_evaluate(struct pxr_evaluation *e, struct pxr_nll *nll, struct pxr_diag *diag)
{
        static const char *const what[PXR_SPLITS] = { "evaluating train", "evaluating valid",
                                                      "evaluating test" };
        int64_t all = e->set->count[e->split], round;
        struct pxr_workspace **workspace;
        int images, status = 0;

        pxr_blas_single_thread();
        *nll = (struct pxr_nll) { .dimensions = (int64_t)pxr_graph_values(e->graph),
                                  .given = pxr_is_conditional(e->graph),
                                  .trained_on = e->split == PXR_TRAIN };
        if (!e->memory && make_memory(e))
                return -1;
        workspace = workspaces_of(e, diag);
        if (!workspace)
                return -1;
        memset(e->value_nats, 0, pxr_graph_values(e->graph) * sizeof(double));
        if (e->limit > 0 && e->limit < all)
                all = e->limit;
        if (pxr_ranks_several(e->ranks))
                status = pxr_ranks_publish(e->ranks, PXR_RANK_EVALUATED, e->parameters,
                                           e->graph->parameter_values);
        round = (int64_t)e->share * e->micro_batch * (e->ranks ? e->ranks->size : 1);
        for (int64_t done = 0; done < all && !status; done += images) {
                images = (int)(all - done < round ? all - done : round);
                if (pxr_observe_count(e->observer, what[e->split], "images", done, all))
                        return 1;
                status = compute_round(e, workspace, done, images, nll, diag);
        }
        return status;
}
