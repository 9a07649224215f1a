/* SPDX-License-Identifier: MIT */
/*
 * workspace.c - the passes: forward, loss, backward, advance.
 */
#include "tensor/workspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arithmetic.h"
#include "base/clock.h"
#include "base/pages.h"
#include "tensor/gemm.h"
#include "tensor/plan.h"
#include "tensor/reach.h"
#include "tensor/turns.h"

enum { SENTINEL_BYTE = 0xa5, NAN_BYTE = 0xff };

struct pxr_workspace {
        const struct pxr_graph *graph;
        enum pxr_precision precision;
        enum pxr_use use;
        size_t value; /* bytes of one */
        int limit;    /* images there is room for */
        int images;   /* images of this micro-batch */
        bool checked;
        struct pxr_turns turns;         /* of generation */
        bool borrows;                   /* the turns are another workspace's */
        struct pxr_call *advance;       /* [node]: what is the same at all pixels; or NULL */
        const void *parameters;         /* the same */
        const struct pxr_node *culprit; /* whose kernel wrote over a sentinel */
        double *const *seconds;         /* [pass][node], to be added to; or NULL */
        struct pxr_plan plan;
        char *slab, *scratch;
        uint8_t *pixels; /* [place][image][colour] */
        uint8_t *small;  /* the same of the small images */
};

static int set_turns(struct pxr_workspace *workspace, const struct pxr_graph *graph,
                     enum pxr_precision precision, const struct pxr_workspace *like)
{
        workspace->advance = calloc(graph->nodes, sizeof(*workspace->advance));
        workspace->borrows = like != NULL;
        if (like)
                workspace->turns = like->turns;
        return workspace->advance && (like || !pxr_turns_make(&workspace->turns, graph, precision))
                       ? 0
                       : -1;
}

/* `like`: of the same graph, precision and use; or NULL. */
static struct pxr_workspace *new_workspace(const struct pxr_graph *graph,
                                           enum pxr_precision precision, enum pxr_use use,
                                           int images, bool checked,
                                           const struct pxr_workspace *like, struct pxr_diag *diag)
{
        struct pxr_workspace *workspace = calloc(1, sizeof(*workspace));
        size_t pixels = (size_t)graph->rows * graph->cols * graph->colours * images;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours * images;

        bool advances = use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION;
        bool whole = checked || use != PXR_FOR_GENERATION;

        if (pxr_blas_reserve(diag)) {
                free(workspace);
                return NULL;
        }
        if (!workspace || (advances && set_turns(workspace, graph, precision, like)) ||
            pxr_plan_make(&workspace->plan, graph, precision, use, images, checked,
                          whole ? NULL : &workspace->turns)) {
                pxr_workspace_free(workspace);
                pxr_out_of_memory(diag);
                return NULL;
        }
        workspace->graph = graph;
        workspace->precision = precision;
        workspace->use = use;
        workspace->value = precision == PXR_F32 ? sizeof(float) : sizeof(double);
        workspace->limit = images;
        workspace->checked = checked;
        workspace->slab = pxr_pages_new(workspace->plan.slab_bytes);
        workspace->scratch = pxr_pages_new(workspace->plan.scratch_bytes + PXR_SENTINEL);
        workspace->pixels = calloc(pixels, 1);
        workspace->small = calloc(small + 1, 1);
        if (!workspace->slab || !workspace->scratch || !workspace->pixels || !workspace->small) {
                pxr_system_error(diag,
                                 "there is no memory for %.1f MB of tensors: lower "
                                 "train.micro_batch or the number of threads",
                                 (workspace->plan.slab_bytes + workspace->plan.scratch_bytes) /
                                         1e6);
                pxr_workspace_free(workspace);
                return NULL;
        }
        if (checked) {
                memset(workspace->slab, SENTINEL_BYTE, workspace->plan.slab_bytes);
                memset(workspace->scratch, SENTINEL_BYTE,
                       workspace->plan.scratch_bytes + PXR_SENTINEL);
        }
        return workspace;
}

struct pxr_workspace *pxr_workspace_new(const struct pxr_graph *graph, enum pxr_precision precision,
                                        enum pxr_use use, int images, bool checked,
                                        struct pxr_diag *diag)
{
        return new_workspace(graph, precision, use, images, checked, NULL, diag);
}

struct pxr_workspace *pxr_workspace_like(const struct pxr_workspace *first, struct pxr_diag *diag)
{
        return new_workspace(first->graph, first->precision, first->use, first->limit,
                             first->checked, first, diag);
}

void pxr_workspace_free(struct pxr_workspace *workspace)
{
        if (!workspace)
                return;
        pxr_plan_free(&workspace->plan);
        if (!workspace->borrows)
                pxr_turns_free(&workspace->turns);
        free(workspace->advance);
        free(workspace->slab);
        free(workspace->scratch);
        free(workspace->pixels);
        free(workspace->small);
        free(workspace);
}

size_t pxr_workspace_bytes(const struct pxr_graph *graph, enum pxr_precision precision,
                           enum pxr_use use, int images)
{
        bool generates = use == PXR_FOR_GENERATION;
        struct pxr_turns turns = { 0 };
        struct pxr_plan plan;
        size_t bytes = 0;

        if (generates && pxr_turns_make(&turns, graph, precision))
                return 0;
        if (pxr_plan_make(&plan, graph, precision, use, images, false, generates ? &turns : NULL) ==
            0) {
                bytes = plan.slab_bytes + plan.scratch_bytes;
                pxr_plan_free(&plan);
        }
        pxr_turns_free(&turns);
        return bytes;
}

/* In a checked workspace nothing is there before it is computed, and sentinels lie right behind
 * what the micro-batch at hand has room for. */
static void poison_slot(struct pxr_workspace *workspace, const struct pxr_slot *slot, size_t size)
{
        char *start = workspace->slab + slot->offset;

        if (!slot->used)
                return;
        memset(start, NAN_BYTE, size);
        memset(start + size, SENTINEL_BYTE, slot->size + PXR_SENTINEL - size);
}

static size_t bytes_of(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return pxr_plan_output(&workspace->plan, node, workspace->images) * workspace->value;
}

static size_t state_bytes(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return pxr_plan_state(&workspace->plan, node, workspace->images) * workspace->value;
}

static void poison(struct pxr_workspace *workspace)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = 0; workspace->checked && i < graph->nodes; i++) {
                const struct pxr_place *place = &workspace->plan.place[i];
                size_t size = bytes_of(workspace, graph->node[i]);

                size_t state = state_bytes(workspace, graph->node[i]);

                for (int time = 0; time < PXR_TIMES; time++) {
                        poison_slot(workspace, &place->output[time], size);
                        poison_slot(workspace, &place->state[time], state);
                }
                poison_slot(workspace, &place->gradient, size);
        }
}

/* From [image][place][colour] to [place][image][colour]. */
static void turn(const uint8_t *pixels, size_t places, int images, int colours, uint8_t *to)
{
        for (size_t place = 0; place < places; place++)
                for (int image = 0; image < images; image++)
                        for (int colour = 0; colour < colours; colour++)
                                to[(place * images + image) * colours + colour] =
                                        pixels[(image * places + place) * colours + colour];
}

void pxr_workspace_load(struct pxr_workspace *workspace, const uint8_t *pixels, int images)
{
        const struct pxr_graph *graph = workspace->graph;

        workspace->images = images;
        turn(pixels, (size_t)graph->rows * graph->cols, images, graph->colours, workspace->pixels);
        pxr_subsample_map(graph, (size_t)images * graph->colours, workspace->pixels,
                          workspace->small);
}

void pxr_workspace_condition(struct pxr_workspace *workspace, const uint8_t *small, int images)
{
        const struct pxr_graph *graph = workspace->graph;

        turn(small, (size_t)graph->small_rows * graph->small_cols, images, graph->colours,
             workspace->small);
}

static void *at(const struct pxr_workspace *workspace, const struct pxr_slot *slot)
{
        return slot->used ? workspace->slab + slot->offset : NULL;
}

/* What every pass hands to a node's kernel; `time`: PXR_AGAIN from the loss on. */
static struct pxr_call call_of(const struct pxr_workspace *workspace, const struct pxr_node *node,
                               const void *parameters, enum pxr_time time)
{
        const struct pxr_place *place = &workspace->plan.place[node->index];
        enum pxr_time own = pxr_place_read(place, place, time);
        struct pxr_call call = {
                .node = node,
                .images = workspace->images,
                .output = at(workspace, &place->output[own]),
                .state = at(workspace, &place->state[own]),
                .scratch = workspace->scratch,
        };

        if (node->index == 0)
                call.input[0] = workspace->pixels;
        else if (node->op == &pxr_small_image_op)
                call.input[0] = workspace->small;
        for (int k = 0; k < node->inputs; k++) {
                const struct pxr_place *input = &workspace->plan.place[node->input[k]->index];

                call.input[k] = at(workspace, &input->output[pxr_place_read(input, place, time)]);
        }
        for (int k = 0; k < node->parameters; k++)
                call.parameter[k] =
                        (const char *)parameters + node->parameter[k]->offset * workspace->value;
        return call;
}

static bool is_sentinel(const char *bytes)
{
        for (int i = 0; i < PXR_SENTINEL; i++)
                if ((unsigned char)bytes[i] != SENTINEL_BYTE)
                        return false;
        return true;
}

static bool intact(const struct pxr_workspace *workspace, const struct pxr_slot *slot, size_t size)
{
        const char *start = workspace->slab + slot->offset;

        return !slot->used || (is_sentinel(start - PXR_SENTINEL) && is_sentinel(start + size));
}

static bool all_intact(const struct pxr_workspace *workspace, size_t scratch)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_place *place = &workspace->plan.place[i];
                size_t size = bytes_of(workspace, graph->node[i]);
                size_t state = state_bytes(workspace, graph->node[i]);

                for (int time = 0; time < PXR_TIMES; time++)
                        if (!intact(workspace, &place->output[time], size) ||
                            !intact(workspace, &place->state[time], state))
                                return false;
                if (!intact(workspace, &place->gradient, size))
                        return false;
        }
        return is_sentinel(workspace->scratch + scratch);
}

/* Checked, a kernel finds NaN in its scratch, whatever was there before it. */
static void run(struct pxr_workspace *workspace, enum pxr_pass pass, const struct pxr_call *call)
{
        const struct pxr_op *op = call->node->op;
        const struct pxr_kernels *kernels = &op->kernels[workspace->precision];
        pxr_kernel *const kernel[] = { kernels->forward, kernels->backward, kernels->advance };
        double start = workspace->seconds ? pxr_now() : 0;
        unsigned long mode;
        size_t scratch = 0;

        if (workspace->checked) {
                if (op->scratch)
                        scratch = op->scratch(call->node, call->images) * workspace->value;
                memset(workspace->scratch, NAN_BYTE, scratch);
                memset(workspace->scratch + scratch, SENTINEL_BYTE, PXR_SENTINEL);
        }
        mode = pxr_arithmetic_flush();
        kernel[pass](call);
        pxr_arithmetic_restore(mode);
        if (workspace->seconds)
                workspace->seconds[pass][call->node->index] += pxr_now() - start;
        if (workspace->checked && !workspace->culprit && !all_intact(workspace, scratch))
                workspace->culprit = call->node;
}

/* A number that changes when the map changes anywhere but at (row, col). */
static uint64_t sum_elsewhere(const struct pxr_workspace *workspace, const struct pxr_node *node,
                              const void *map, int row, int col)
{
        size_t pixel = pxr_pixel_size(node, workspace->images) * workspace->value;
        size_t start = ((size_t)row * node->shape.cols + col) * pixel;
        const unsigned char *bytes = map;
        uint64_t sum = 0;

        for (size_t i = 0; i < bytes_of(workspace, node); i++)
                if (i < start || i >= start + pixel)
                        sum = 31 * sum + bytes[i];
        return sum;
}

/* `only`: these nodes; NULL: all. */
static void forward_nodes(struct pxr_workspace *workspace, const void *parameters, int first,
                          const bool *only)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = first; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                struct pxr_call call;

                if (!workspace->plan.place[i].live || (only && !only[i]))
                        continue;
                call = call_of(workspace, node, parameters, PXR_ONCE);
                run(workspace, PXR_PASS_FORWARD, &call);
        }
}

/* Compute again what the gradients read of the part that ends before node `end`. */
static void forward_again(struct pxr_workspace *workspace, const void *parameters, int end)
{
        for (int i = workspace->plan.place[end - 1].first; i < end; i++) {
                struct pxr_call call;

                if (!workspace->plan.place[i].again)
                        continue;
                call = call_of(workspace, workspace->graph->node[i], parameters, PXR_AGAIN);
                run(workspace, PXR_PASS_FORWARD, &call);
        }
}

void pxr_workspace_forward(struct pxr_workspace *workspace, const void *parameters)
{
        poison(workspace);
        forward_nodes(workspace, parameters, 0, NULL);
}

void pxr_workspace_forward_from(struct pxr_workspace *workspace, const void *parameters, int first)
{
        forward_nodes(workspace, parameters, first, NULL);
}

static void run_nll(const struct pxr_workspace *workspace, const struct pxr_nll_call *call)
{
        unsigned long mode = pxr_arithmetic_flush();

        workspace->graph->distribution->nll[workspace->precision](call);
        pxr_arithmetic_restore(mode);
}

void pxr_workspace_loss(struct pxr_workspace *workspace, double scale, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        const struct pxr_place *place = &workspace->plan.place[graph->logits->index];
        struct pxr_nll_call call = {
                .levels = graph->levels,
                .colours = graph->colours,
                .images = workspace->images,
                .places = (size_t)graph->rows * graph->cols,
                .logits = at(workspace, &place->output[PXR_ONCE]),
                .pixels = workspace->pixels,
                .nll = nll,
                .gradient = at(workspace, &place->gradient),
                .gradient_scale = scale,
        };

        run_nll(workspace, &call);
}

/* A distribution is that of one colour's value, so that values can go for images of one. */
void pxr_workspace_value_loss(struct pxr_workspace *workspace, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        int values = graph->rows * graph->cols * workspace->images * graph->colours;
        struct pxr_nll_call call = {
                .levels = graph->levels,
                .colours = 1,
                .images = values,
                .places = 1,
                .logits = at(workspace,
                             &workspace->plan.place[graph->logits->index].output[PXR_ONCE]),
                .pixels = workspace->pixels,
                .nll = nll,
        };

        memset(nll, 0, values * sizeof(*nll));
        run_nll(workspace, &call);
}

void pxr_workspace_pixel_loss(struct pxr_workspace *workspace, int row, int col, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        size_t place = (size_t)row * graph->cols + col;
        struct pxr_nll_call call = {
                .levels = graph->levels,
                .colours = graph->colours,
                .images = workspace->images,
                .places = 1,
                .logits = pxr_workspace_logits(workspace, row, col, 0, 0),
                .pixels = workspace->pixels + place * workspace->images * graph->colours,
                .nll = nll,
        };

        run_nll(workspace, &call);
}

void pxr_workspace_backward(struct pxr_workspace *workspace, const void *parameters,
                            void *gradients)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = graph->nodes - 1; i >= 0; i--) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_place *place = &workspace->plan.place[i];
                struct pxr_call call;

                if (place->end == i + 1)
                        forward_again(workspace, parameters, i + 1);
                if (!place->gradient.used)
                        continue;
                call = call_of(workspace, node, parameters, PXR_AGAIN);
                call.output_gradient = at(workspace, &place->gradient);
                for (int k = 0; k < node->inputs; k++) {
                        call.input_gradient[k] = at(
                                workspace, &workspace->plan.place[node->input[k]->index].gradient);
                        call.accumulate[k] = place->accumulate[k];
                }
                for (int k = 0; k < node->parameters; k++)
                        call.parameter_gradient[k] =
                                (char *)gradients + node->parameter[k]->offset * workspace->value;
                run(workspace, PXR_PASS_BACKWARD, &call);
        }
}

void pxr_workspace_begin(struct pxr_workspace *workspace, const void *parameters, int images)
{
        const struct pxr_graph *graph = workspace->graph;

        workspace->images = images;
        workspace->parameters = parameters;
        memset(workspace->pixels, 0,
               (size_t)graph->rows * graph->cols * graph->colours * workspace->limit);
        poison(workspace);
        for (int i = 0; i < graph->nodes; i++)
                workspace->advance[i] = call_of(workspace, graph->node[i], parameters, PXR_ONCE);
        forward_nodes(workspace, parameters, 0, workspace->turns.constant);
}

/* Where a map would begin whose pixel at (row, col), or whose row, is what is kept. Kernels reckon
 * from the map's beginning, and of this one touch that pixel or row alone. */
static void *beginning(const struct pxr_workspace *workspace, const struct pxr_node *node,
                       const void *kept, int row, int col)
{
        enum pxr_span span = workspace->plan.place[node->index].kept;
        size_t before = (size_t)row * node->shape.cols + (span == PXR_SPAN_PIXEL ? col : 0);

        if (!kept || span == PXR_SPAN_MAP)
                return (void *)kept;
        before *= pxr_pixel_size(node, workspace->images) * workspace->value;
        return (void *)((uintptr_t)kept - before);
}

static void advance_node(struct pxr_workspace *workspace, const struct pxr_node *node, int row,
                         int col, int colour)
{
        struct pxr_call call = workspace->advance[node->index];
        bool watched = workspace->checked && node->op->flags & PXR_ADVANCE_AT_ITS_PIXEL;
        uint64_t sum = 0;

        call.output = beginning(workspace, node, call.output, row, col);
        for (int k = 0; k < node->inputs; k++)
                call.input[k] = beginning(workspace, node->input[k], call.input[k], row, col);
        call.row = row;
        call.col = col;
        call.colour = colour;
        if (watched)
                sum = sum_elsewhere(workspace, node, call.output, row, col);
        run(workspace, PXR_PASS_ADVANCE, &call);
        if (watched && !workspace->culprit &&
            sum != sum_elsewhere(workspace, node, call.output, row, col))
                workspace->culprit = node;
}

void pxr_workspace_advance(struct pxr_workspace *workspace, int row, int col, int colour)
{
        const struct pxr_graph *graph = workspace->graph;
        int order = pxr_order(graph->node[0], row, col, colour);

        if (workspace->turns.fallback) {
                forward_nodes(workspace, workspace->parameters, 0, NULL);
                return;
        }
        for (int i = 1; i < graph->nodes; i++) {
                if (!workspace->plan.place[i].live || workspace->turns.constant[i])
                        continue;
                if (graph->node[i]->constant)
                        for (int c = 0; colour == 0 && c < graph->colours; c++)
                                advance_node(workspace, graph->node[i], row, col, c);
                else if (!workspace->turns.wait[i][order])
                        advance_node(workspace, graph->node[i], row, col, colour);
        }
}

/* Compute what has waited for a value. */
static void settle(struct pxr_workspace *workspace, int row, int col, int colour)
{
        const struct pxr_graph *graph = workspace->graph;

        if (workspace->turns.fallback)
                return;
        for (int i = 0; i < graph->nodes; i++)
                for (int c = 0; workspace->plan.place[i].live && c < graph->colours; c++) {
                        int order = pxr_order(graph->node[0], row, col, c);

                        if (workspace->turns.wait[i][order] == 1 + colour)
                                advance_node(workspace, graph->node[i], row, col, c);
                }
}

void pxr_workspace_set(struct pxr_workspace *workspace, int row, int col, int colour, int image,
                       int value)
{
        const struct pxr_graph *graph = workspace->graph;
        size_t place = (size_t)row * graph->cols + col;

        workspace->pixels[(place * workspace->images + image) * graph->colours + colour] =
                (uint8_t)value;
        if (image == workspace->images - 1)
                settle(workspace, row, col, colour);
}

void pxr_workspace_time(struct pxr_workspace *workspace, double *const seconds[PXR_PASSES])
{
        workspace->seconds = seconds;
}

const char *pxr_workspace_fallback(const struct pxr_workspace *workspace)
{
        return workspace->turns.fallback;
}

const void *pxr_workspace_logits(const struct pxr_workspace *workspace, int row, int col,
                                 int colour, int image)
{
        const struct pxr_graph *graph = workspace->graph;
        int channels = graph->logits->shape.channels;
        size_t pixel = ((size_t)row * graph->cols + col) * workspace->images + image;
        size_t value = pixel * channels + (size_t)colour * (channels / graph->colours);
        const void *kept = at(workspace, &workspace->plan.place[graph->logits->index].output[0]);

        return (char *)beginning(workspace, graph->logits, kept, row, col) +
               value * workspace->value;
}

void *pxr_workspace_tensor(struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return at(workspace, &workspace->plan.place[node->index].output[PXR_ONCE]);
}

const struct pxr_node *pxr_workspace_damaged(const struct pxr_workspace *workspace)
{
        return workspace->culprit;
}

static bool finite_slot(const struct pxr_workspace *workspace, const struct pxr_slot *slot,
                        size_t size)
{
        const void *values = at(workspace, slot);

        for (size_t i = 0; values && i < size; i++)
                if (!(workspace->precision == PXR_F32 ? isfinite(((const float *)values)[i])
                                                      : isfinite(((const double *)values)[i])))
                        return false;
        return true;
}

const struct pxr_node *pxr_workspace_nonfinite(const struct pxr_workspace *workspace, bool gradient)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int k = 0; k < graph->nodes; k++) {
                const struct pxr_node *node = graph->node[gradient ? graph->nodes - 1 - k : k];
                const struct pxr_place *place = &workspace->plan.place[node->index];

                if (!finite_slot(workspace, gradient ? &place->gradient : &place->output[PXR_ONCE],
                                 pxr_map_size(node, workspace->images)))
                        return node;
        }
        return NULL;
}
