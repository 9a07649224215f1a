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
        if (!isnan(set->floor) && nll->given_rows == 0 && !nll->trained_on &&
            nats < set->floor - (isnan(error) ? 0.05 * set->floor : 5 * error))
                return "better than any model of this data set can be";
        return NULL;
}

/* A round of work: as many micro-batches as there are threads, times a few. */
enum { ROUND = 8 };

struct round {
        uint8_t *pixels;
        int64_t *index;
        double *nats;
        double *value_nats; /* [micro-batch][row][col][colour], summed over its images; NULL: not
                               wanted */
        double *scratch;    /* [thread]: each value's nats of a micro-batch */
};

/* Each value's nats of the micro-batch of `count` images from `first` on. They are added up to the
 * images' in the order in which pxr_workspace_loss() does. */
static void compute_values(const struct pxr_evaluation *e, struct pxr_workspace *workspace,
                           const struct round *round, int first, int count)
{
        int colours = e->graph->colours, pixels = e->graph->rows * e->graph->cols;
        size_t values = pxr_graph_values(e->graph);
        double *nats = round->scratch + omp_get_thread_num() * values * e->micro_batch;
        double *sum = round->value_nats + first / e->micro_batch * values;

        pxr_workspace_value_loss(workspace, nats);
        memset(sum, 0, values * sizeof(*sum));
        for (int pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < count; image++)
                        for (int colour = 0; colour < colours; colour++) {
                                round->nats[first + image] += *nats;
                                sum[pixel * colours + colour] += *nats++;
                        }
}

/* In the order of the micro-batches, whoever computed them. */
static void add_values(const struct pxr_evaluation *e, const struct round *round, int images)
{
        size_t values = pxr_graph_values(e->graph);
        const double *nats = round->value_nats;

        for (int first = 0; first < images; first += e->micro_batch)
                for (size_t i = 0; i < values; i++)
                        e->value_nats[i] += *nats++;
}

static void compute(const struct pxr_evaluation *e, struct pxr_workspace **workspace,
                    const struct round *round, int images)
{
        memset(round->nats, 0, images * sizeof(double));
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1)
        for (int first = 0; first < images; first += e->micro_batch) {
                struct pxr_workspace *own = workspace[omp_get_thread_num()];
                int count = images - first < e->micro_batch ? images - first : e->micro_batch;

                pxr_workspace_load(own, round->pixels + first * pxr_graph_values(e->graph), count);
                pxr_workspace_forward(own, e->parameters);
                if (round->value_nats)
                        compute_values(e, own, round, first, count);
                else
                        pxr_workspace_loss(own, 0, round->nats + first);
        }
}

/* Number the images of a round. Returns how many there are. */
static int number_round(const struct round *round, int64_t first, int64_t all, int size)
{
        int images = all - first < size ? (int)(all - first) : size;

        for (int i = 0; i < images; i++)
                round->index[i] = first + i;
        return images;
}

static int run(const struct pxr_evaluation *e, struct pxr_workspace **workspace,
               const struct round *round, struct pxr_nll *nll, struct pxr_diag *diag)
{
        static const char *const what[PXR_SPLITS] = { "evaluating train", "evaluating valid",
                                                      "evaluating test" };
        int64_t all = e->set->count[e->split];
        int size = e->micro_batch * e->threads * ROUND;

        if (e->limit > 0 && e->limit < all)
                all = e->limit;
        for (int64_t done = 0; done < all; done += size) {
                int images = number_round(round, done, all, size);

                if (pxr_observe_count(e->observer, what[e->split], "images", done, all))
                        return 1;
                if (pxr_dataset_read(e->set, e->split, 0, round->index, images, round->pixels,
                                     diag))
                        return -1;
                pxr_dataset_expect(e->set, e->split, 0, round->index,
                                   number_round(round, done + images, all, size));
                compute(e, workspace, round, images);
                for (int i = 0; i < images; i++)
                        pxr_nll_add(nll, round->nats[i]);
                if (round->value_nats)
                        add_values(e, round, images);
        }
        return 0;
}

int pxr_evaluate(const struct pxr_evaluation *e, struct pxr_nll *nll, struct pxr_diag *diag)
{
        size_t dimensions = pxr_graph_values(e->graph);
        size_t size = (size_t)e->micro_batch * e->threads * ROUND;
        struct pxr_workspace **workspace = NULL;
        struct round round = {
                .pixels = malloc(size * dimensions),
                .index = malloc(size * sizeof(int64_t)),
                .nats = malloc(size * sizeof(double)),
        };
        int status = 0;

        pxr_blas_single_thread();
        *nll = (struct pxr_nll) { .dimensions = (int64_t)dimensions,
                                  .given_rows = e->graph->small_rows,
                                  .given_cols = e->graph->small_cols,
                                  .trained_on = e->split == PXR_TRAIN };
        if (e->value_nats) {
                round.value_nats = malloc(size / e->micro_batch * dimensions * sizeof(double));
                round.scratch = malloc(e->micro_batch * dimensions * e->threads * sizeof(double));
        }
        if (!round.pixels || !round.index || !round.nats ||
            (e->value_nats && (!round.value_nats || !round.scratch)))
                status = pxr_out_of_memory(diag);
        else
                workspace =
                        pxr_workspaces_new(pxr_workspace_new(e->graph, PXR_F32, PXR_FOR_EVALUATION,
                                                             e->micro_batch, false, diag),
                                           e->threads, diag);
        if (!status)
                status = workspace ? run(e, workspace, &round, nll, diag) : -1;
        pxr_workspaces_free(workspace, e->threads);
        free(round.pixels);
        free(round.index);
        free(round.nats);
        free(round.value_nats);
        free(round.scratch);
        return status;
}
