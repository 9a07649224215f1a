/* SPDX-License-Identifier: MIT */
/*
 * codec.c - images to streams of bytes and back, a stream to a worker.
 *
 * A stream has the values of a number of groups of images, one group after the other; of a group,
 * in the order of generation, the same value of all images in turn.
 */
#include "codec/codec.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/range_coder.h"
#include "tensor/dependency.h"
#include "tensor/gemm.h"
#include "tensor/workspace.h"

enum { GROUP = PXR_CODEC_GROUP, MAX_LEVELS = 256 };

/* Shared by the workers; `done` and the fields after it only under `critical`. */
struct work {
        const struct pxr_coding *coding;
        bool encodes;
        uint8_t *pixels;
        struct pxr_streams *streams;
        double *nats; /* [image], filled up to whole groups; NULL: decoding */
        struct pxr_diag *diag;
        int64_t done;
        bool stopped, failed;
};

/* A worker's own. */
struct worker {
        struct work *work;
        struct pxr_workspace *workspace;
        uint8_t *group; /* its images, filled up with blank ones */
        double spared;  /* of all that it encoded */
        struct pxr_range_encoder encoder;
        struct pxr_range_decoder decoder;
};

int64_t pxr_images_per_stream(const struct pxr_graph *graph)
{
        int64_t values = (int64_t)graph->rows * graph->cols * graph->colours * GROUP;

        return GROUP * ((PXR_CODEC_STREAM + values - 1) / values);
}

int64_t pxr_stream_count(int64_t images, int64_t images_per_stream)
{
        return images / images_per_stream + (images % images_per_stream > 0);
}

const char *pxr_codec_misfit(const struct pxr_graph *graph)
{
        if (graph->small_rows)
                return "the model draws images given their small versions: its NLL is not that of "
                       "whole images";
        if (graph->distribution->density)
                return "the model's NLL is that of a density of values with noise added, not of "
                       "probabilities of the levels";
        return NULL;
}

/* --- streams -----------------------------------------------------------------------------------
 */

void pxr_streams_free(struct pxr_streams *streams)
{
        for (int64_t i = 0; i < streams->count; i++)
                free(streams->stream[i].bytes);
        free(streams->stream);
        *streams = (struct pxr_streams) { .spared = streams->spared };
}

/* --- one value ---------------------------------------------------------------------------------
 */

/* Each level gets at least one part of 2^32, whatever its probability. What rounding down leaves
 * goes to the most probable level, where it matters least. */
int pxr_codec_widths(int levels, const double *probability, uint64_t *width)
{
        uint64_t left = PXR_RANGE_TOTAL;
        double sum = 0, share = (double)(PXR_RANGE_TOTAL - 2 * (uint64_t)levels);
        int top = 0;

        for (int level = 0; level < levels; level++) {
                if (!(probability[level] >= 0 && probability[level] <= 1 + 1e-6))
                        return -1;
                sum += probability[level];
                top = probability[level] > probability[top] ? level : top;
        }
        if (!(fabs(sum - 1) < 1e-6))
                return -1;
        for (int level = 0; level < levels; level++) {
                width[level] = 1 + (uint64_t)(probability[level] / sum * share);
                left -= width[level];
        }
        width[top] += left;
        return 0;
}

/* The bits that a level would cost by its probability beyond those it costs by its width. Computed
 * from the logarithm, since the probability may underflow. */
static double spared(const struct pxr_workspace *workspace, struct pxr_site at, int image,
                     int level, uint64_t width)
{
        double bits = log2((double)PXR_RANGE_TOTAL / (double)width), log_p[MAX_LEVELS];

        if (width > 2) /* it is that of its probability, but for rounding */
                return 0;
        pxr_workspace_probabilities(workspace, at.row, at.col, at.colour, image, true, log_p);
        return fmax(-log_p[level] / M_LN2 - bits, 0);
}

/* Encode `level`, or decode one, of levels of these widths. Returns it. */
static int code_level(struct worker *worker, const uint64_t *width, int level)
{
        bool encodes = worker->work->encodes;
        uint64_t number = encodes ? 0 : pxr_range_peek(&worker->decoder), below = 0;
        int at = 0;

        while (encodes ? at < level : number >= below + width[at])
                below += width[at++];
        if (encodes)
                pxr_range_encode(&worker->encoder, below, width[at]);
        else
                pxr_range_decode(&worker->decoder, below, width[at]);
        return at;
}

/* --- a group -----------------------------------------------------------------------------------
 */

/* What is decoded is not of this model; or what is encoded has an invalid distribution at `where`,
 * or (NULL) memory ran out. Only the first failure is recorded. Returns -1. */
static int fail(struct work *work, const char *where)
{
#pragma omp critical(pxr_codec)
        {
                if (!work->failed && work->encodes && where)
                        pxr_user_error(work->diag,
                                       "%s: the model's probabilities do not add up to 1: its NLL "
                                       "is invalid",
                                       where);
                else if (!work->failed && work->encodes)
                        pxr_out_of_memory(work->diag);
                work->failed = true;
        }
        return -1;
}

/* Value number `order` of a group of which `images` are real. */
static int code_value(struct worker *worker, int64_t first, int images, int order)
{
        const struct pxr_graph *graph = worker->work->coding->graph;
        const struct pxr_site at = pxr_site_at(graph->node[0], order);
        size_t size = pxr_graph_values(graph);

        pxr_workspace_advance(worker->workspace, at.row, at.col, at.colour);
        for (int image = 0; image < GROUP; image++) {
                double probability[MAX_LEVELS];
                uint64_t width[MAX_LEVELS];
                uint8_t *level = worker->group + image * size + order;

                if (image < images) {
                        pxr_workspace_probabilities(worker->workspace, at.row, at.col, at.colour,
                                                    image, false, probability);
                        if (pxr_codec_widths(graph->levels, probability, width)) {
                                char where[96];

                                snprintf(where, sizeof(where),
                                         "image %lld, row %d, column %d, colour %d",
                                         (long long)first + image, at.row, at.col, at.colour);
                                return fail(worker->work, where);
                        }
                        if (worker->work->encodes)
                                worker->spared +=
                                        spared(worker->workspace, at, image, *level, width[*level]);
                        *level = (uint8_t)code_level(worker, width, *level);
                }
                pxr_workspace_set(worker->workspace, at.row, at.col, at.colour, image, *level);
        }
        return 0;
}

/* Evaluate the group, which leaves its values in all tensors: a model that reads a value too early
 * then reads the same one while encoding. */
static void evaluate(struct worker *worker, int64_t first)
{
        const float *parameters = worker->work->coding->parameters;

        pxr_workspace_load(worker->workspace, worker->group, GROUP);
        pxr_workspace_forward(worker->workspace, parameters);
        pxr_workspace_loss(worker->workspace, 0, worker->work->nats + first);
        pxr_workspace_begin(worker->workspace, parameters, GROUP);
        pxr_workspace_load(worker->workspace, worker->group, GROUP);
}

/* How many images there are from `first` on, `most` at the most. */
static int64_t images_of(const struct pxr_coding *coding, int64_t first, int64_t most)
{
        return coding->images - first < most ? coding->images - first : most;
}

/* Code a group. Returns 0 or -1; decoding ends where the stream does, however many images are
 * promised. */
static int code_group(struct worker *worker, int64_t first)
{
        const struct pxr_coding *coding = worker->work->coding;
        size_t size = pxr_graph_values(coding->graph);
        int images = (int)images_of(coding, first, GROUP);
        int32_t classes[GROUP] = { 0 };
        int failed = 0;

        if (coding->classes)
                memcpy(classes, coding->classes + first, images * sizeof(*classes));
        pxr_workspace_classes(worker->workspace, classes, GROUP);
        memset(worker->group, 0, size * GROUP);
        if (worker->work->encodes) {
                memcpy(worker->group, worker->work->pixels + first * size, size * images);
                evaluate(worker, first);
        } else {
                pxr_workspace_begin(worker->workspace, coding->parameters, GROUP);
        }
        for (int order = 0; order < (int)size && !failed; order++) {
                failed = code_value(worker, first, images, order);
                if (!worker->work->encodes && pxr_range_decoder_past(&worker->decoder))
                        failed = fail(worker->work, NULL);
        }
        if (!worker->work->encodes)
                memcpy(worker->work->pixels + first * size, worker->group, size * images);
        return failed;
}

/* Report a group done. Returns true when it is time to stop. */
static bool report(struct work *work, int64_t images)
{
        const struct pxr_coding *coding = work->coding;
        bool ends;

#pragma omp critical(pxr_codec)
        {
                work->done += images;
                if (!work->stopped && !work->failed)
                        work->stopped = pxr_observe_count(coding->observer,
                                                          work->encodes ? "encoding" : "decoding",
                                                          "images", work->done, coding->images);
                ends = work->stopped || work->failed;
        }
        return ends;
}

/* --- a stream ----------------------------------------------------------------------------------
 */

/* A stream that is encoded has all the room it may take, which is given back at its end. */
static void code_stream(struct worker *worker, int64_t number)
{
        struct work *work = worker->work;
        const struct pxr_coding *coding = work->coding;
        int64_t first = number * coding->images_per_stream;
        int64_t end = first + images_of(coding, first, coding->images_per_stream);
        size_t values = (size_t)(end - first) * pxr_graph_values(coding->graph);
        struct pxr_stream_bytes *stream = &work->streams->stream[number];
        uint8_t *fitting;
        bool ends;

        if (work->encodes && !(stream->bytes = malloc(values * PXR_RANGE_BYTES + 1)))
                fail(work, NULL);
        pxr_range_encoder_init(&worker->encoder, stream->bytes);
        pxr_range_decoder_init(&worker->decoder, stream->bytes, stream->size);
        ends = report(work, 0);
        for (; first < end && !ends; first += GROUP)
                ends = code_group(worker, first) || report(work, images_of(coding, first, GROUP));
        if (!work->encodes) {
                if (!ends && !pxr_range_decoder_end(&worker->decoder))
                        fail(work, NULL);
        } else if (!ends) {
                pxr_range_encoder_end(&worker->encoder);
                stream->size = worker->encoder.size;
                fitting = realloc(stream->bytes, stream->size + 1);
                stream->bytes = fitting ? fitting : stream->bytes;
        }
}

static int code(struct work *work)
{
        const struct pxr_graph *graph = work->coding->graph;
        int64_t streams = work->streams->count;
        int workers = work->coding->threads < streams ? work->coding->threads : (int)streams;
        struct pxr_arena *arena = pxr_arena_new(0, work->diag);
        struct worker *worker = pxr_alloc_array(arena, workers, sizeof(*worker));
        struct pxr_workspace **workspace = NULL;
        int status = workers > 0 ? -1 : 0;

        pxr_blas_single_thread();
        for (int i = 0; worker && i < workers; i++)
                worker[i].group = pxr_alloc_array(arena, pxr_graph_values(graph), GROUP);
        if (workers > 0 && !pxr_arena_failed(arena))
                workspace = pxr_workspaces_new(pxr_workspace_new(graph, PXR_F32, PXR_FOR_INSPECTION,
                                                                 GROUP, false, work->diag),
                                               workers, work->diag);
        for (int i = 0; workspace && i < workers; i++) {
                worker[i].work = work;
                worker[i].workspace = workspace[i];
        }
        if (workspace) {
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
                for (int64_t number = 0; number < streams; number++)
                        code_stream(&worker[omp_get_thread_num()], number);
                status = work->failed ? -1 : work->stopped;
        }
        for (int i = 0; workspace && i < workers; i++)
                work->streams->spared += worker[i].spared;
        pxr_workspaces_free(workspace, workers);
        pxr_arena_free(arena);
        return status;
}

int pxr_encode(const struct pxr_coding *coding, const uint8_t *pixels, struct pxr_streams *streams,
               double *nats, struct pxr_diag *diag)
{
        struct work work = { .coding = coding,
                             .encodes = true,
                             .pixels = (uint8_t *)pixels,
                             .streams = streams,
                             .diag = diag };
        int64_t count = pxr_stream_count(coding->images, coding->images_per_stream);
        int status = -1;

        *streams = (struct pxr_streams) { .stream = calloc(count + 1, sizeof(*streams->stream)) };
        streams->count = streams->stream ? count : 0;
        work.nats = calloc((size_t)coding->images + GROUP, sizeof(double));
        if (streams->stream && work.nats)
                status = code(&work);
        else
                pxr_out_of_memory(diag);
        *nats = 0;
        for (int64_t i = 0; i < coding->images && !status; i++)
                *nats += work.nats[i];
        free(work.nats);
        return status;
}

void pxr_codec_compare(const struct pxr_streams *streams, double nats, struct pxr_diag *diag)
{
        double bits = 0, nll = nats / M_LN2, ends = 16 * (double)streams->count;

        for (int64_t i = 0; i < streams->count; i++)
                bits += 8 * (double)streams->stream[i].size;
        if (!(bits <= 1.005 * nll + ends))
                pxr_warn(diag,
                         "the images take %.0f bits, but their NLL is %.0f: it is not the NLL of a "
                         "causal model",
                         bits, nll);
        else if (!(bits >= 0.995 * nll - streams->spared - ends))
                pxr_warn(diag,
                         "the images take %.0f bits, but their NLL is %.0f: it is not that of the "
                         "model's probabilities",
                         bits, nll);
}

int pxr_decode(const struct pxr_coding *coding, const struct pxr_streams *streams, uint8_t *pixels,
               struct pxr_diag *diag)
{
        struct work work = { .coding = coding,
                             .pixels = pixels,
                             .streams = (struct pxr_streams *)streams,
                             .diag = diag };
        int status = code(&work);

        return work.failed ? PXR_UNDECODABLE : status;
}
