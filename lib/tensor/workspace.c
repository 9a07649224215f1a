/* SPDX-License-Identifier: MIT */
/*
 * workspace.c - the passes: forward, loss, backward, advance.
 */
#include "tensor/workspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/processor.h"
#include "base/clock.h"
#include "base/pages.h"
#include "tensor/bf16.h"
#include "tensor/gemm.h"
#include "tensor/mixed.h"

enum { SENTINEL_BYTE = 0xa5, NAN_BYTE = 0xff };

struct pxr_workspace {
        const struct pxr_graph *graph;
        enum pxr_precision precision;
        enum pxr_use use;
        size_t value; /* bytes of a value */
        int limit;    /* most images */
        int images;   /* in this micro-batch */
        bool checked;
        struct pxr_generation_schedule schedule;
        bool borrows; /* schedule, plan and packed parameters belong to another workspace */
        struct pxr_call *advance;       /* [node]: the call, except for its pixel; or NULL */
        const void *parameters;         /* of generation */
        const struct pxr_node *culprit; /* whose kernel wrote over a sentinel */
        double *const *seconds;         /* [pass][node], to be added to; or NULL */
        struct pxr_memory_plan plan;
        char *slab, *scratch;
        char *convert;    /* maps of a float32 kernel in mixed precision */
        char *packed;     /* parameters packed for mixed precision */
        uint8_t *pixels;  /* [pixel][image][colour] */
        uint8_t *small;   /* the same of the small images */
        int32_t *classes; /* [image]; -1: not set */
        bool trains;      /* the passes are those of a step of training */
        struct pxr_training_step step;
};

/* Plan the memory, or share the plan of `like`. Returns 0, or -1 when out of memory. */
static int make_plan(struct pxr_workspace *workspace, const struct pxr_workspace *like)
{
        const struct pxr_graph *graph = workspace->graph;
        enum pxr_use use = workspace->use;
        bool advances = use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION;
        bool whole = workspace->checked || use != PXR_FOR_GENERATION;

        workspace->borrows = like != NULL;
        if (advances && !(workspace->advance = calloc(graph->nodes, sizeof(*workspace->advance))))
                return -1;
        if (like) {
                workspace->schedule = like->schedule;
                workspace->plan = like->plan;
                workspace->packed = like->packed;
                return 0;
        }
        if (advances && pxr_schedule_generation(&workspace->schedule, graph, workspace->precision))
                return -1;
        return pxr_memory_plan_make(&workspace->plan, graph, workspace->precision, use,
                                    workspace->limit, workspace->checked,
                                    whole ? NULL : &workspace->schedule);
}

/* Reserve the memory of the plan. Returns 0, or -1 after an error. */
static int allocate(struct pxr_workspace *workspace, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = workspace->graph;
        size_t slab = workspace->plan.slab_bytes, scratch = workspace->plan.scratch_bytes;
        size_t convert = workspace->plan.convert_bytes, packed = workspace->plan.packed_bytes;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        workspace->slab = pxr_pages_new(slab);
        workspace->scratch = pxr_pages_new(scratch + PXR_SENTINEL);
        workspace->convert = pxr_pages_new(convert + 1);
        if (!workspace->borrows)
                workspace->packed = pxr_pages_new(packed + 1);
        workspace->pixels = calloc(pxr_graph_values(graph), workspace->limit);
        workspace->small = calloc(small + 1, workspace->limit);
        workspace->classes = malloc(workspace->limit * sizeof(*workspace->classes));
        if (!workspace->slab || !workspace->scratch || !workspace->convert || !workspace->packed ||
            !workspace->pixels || !workspace->small || !workspace->classes)
                return pxr_system_error(diag,
                                        "not enough memory for %.1f MB of tensors: lower "
                                        "train.micro_batch or the number of threads",
                                        (slab + scratch + convert + packed) / 1e6);
        memset(workspace->classes, -1, workspace->limit * sizeof(*workspace->classes));
        if (workspace->checked) {
                memset(workspace->slab, SENTINEL_BYTE, slab);
                memset(workspace->scratch, SENTINEL_BYTE, scratch + PXR_SENTINEL);
        }
        return 0;
}

/* A workspace with the settings of `model`. `like`: share the plan of `model` too. */
static struct pxr_workspace *new_workspace(const struct pxr_workspace *model, bool like,
                                           struct pxr_diag *diag)
{
        struct pxr_workspace *workspace;

        if (pxr_blas_reserve(diag))
                return NULL;
        workspace = malloc(sizeof(*workspace));
        if (!workspace) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        *workspace = (struct pxr_workspace) {
                .graph = model->graph,
                .precision = model->precision,
                .use = model->use,
                .value = model->precision == PXR_F64 ? sizeof(double) : sizeof(float),
                .limit = model->limit,
                .checked = model->checked,
        };
        if (make_plan(workspace, like ? model : NULL))
                pxr_out_of_memory(diag);
        else if (!allocate(workspace, diag))
                return workspace;
        pxr_workspace_free(workspace);
        return NULL;
}

struct pxr_workspace *pxr_workspace_new(const struct pxr_graph *graph, enum pxr_precision precision,
                                        enum pxr_use use, int images, bool checked,
                                        struct pxr_diag *diag)
{
        const struct pxr_workspace model = { .graph = graph,
                                             .precision = precision,
                                             .use = use,
                                             .limit = images,
                                             .checked = checked };

        return new_workspace(&model, false, diag);
}

void pxr_workspace_free(struct pxr_workspace *workspace)
{
        if (!workspace)
                return;
        if (!workspace->borrows) {
                pxr_memory_plan_free(&workspace->plan);
                pxr_generation_schedule_free(&workspace->schedule);
                free(workspace->packed);
        }
        free(workspace->advance);
        free(workspace->slab);
        free(workspace->scratch);
        free(workspace->convert);
        free(workspace->pixels);
        free(workspace->small);
        free(workspace->classes);
        free(workspace);
}

struct pxr_workspace **pxr_workspaces_new(struct pxr_workspace *first, int count,
                                          struct pxr_diag *diag)
{
        struct pxr_workspace **workspaces = first ? calloc(count, sizeof(first)) : NULL;
        bool complete = true;

        if (!workspaces) {
                if (first)
                        pxr_out_of_memory(diag);
                pxr_workspace_free(first);
                return NULL;
        }
        workspaces[0] = first;
        for (int i = 1; i < count && complete; i++) {
                workspaces[i] = new_workspace(first, true, diag);
                complete = workspaces[i] != NULL;
        }
        if (complete)
                return workspaces;
        pxr_workspaces_free(workspaces, count);
        return NULL;
}

void pxr_workspaces_free(struct pxr_workspace **workspaces, int count)
{
        for (int i = workspaces ? count - 1 : -1; i >= 0; i--)
                pxr_workspace_free(workspaces[i]);
        free(workspaces);
}

size_t pxr_workspace_bytes(const struct pxr_graph *graph, enum pxr_precision precision,
                           enum pxr_use use, int images, int count)
{
        bool generates = use == PXR_FOR_GENERATION;
        struct pxr_generation_schedule schedule = { 0 };
        struct pxr_memory_plan plan;
        size_t bytes = 0;

        if (generates && pxr_schedule_generation(&schedule, graph, precision))
                return 0;
        if (pxr_memory_plan_make(&plan, graph, precision, use, images, false,
                                 generates ? &schedule : NULL) == 0) {
                bytes = count * (plan.slab_bytes + plan.scratch_bytes + plan.convert_bytes) +
                        plan.packed_bytes;
                pxr_memory_plan_free(&plan);
        }
        pxr_generation_schedule_free(&schedule);
        return bytes;
}

static size_t bytes_of(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return pxr_planned_output(&workspace->plan, node, workspace->images) *
               (workspace->plan.memory[node->index].narrow ? sizeof(pxr_bf16) : workspace->value);
}

/* Bytes of a node's buffer number `k` that the micro-batch at hand uses. */
static size_t buffer_bytes(const struct pxr_workspace *workspace, const struct pxr_node *node,
                           int k)
{
        const struct pxr_node_memory *memory = &workspace->plan.memory[node->index];
        const struct pxr_buffer *buffer = &memory->buffer[k];

        if (buffer < memory->state || buffer == &memory->gradient)
                return bytes_of(workspace, node);
        if (memory->mixed)
                return node->op->mixed->state ? node->op->mixed->state(node, workspace->images) : 0;
        return pxr_planned_state(&workspace->plan, node, workspace->images) * workspace->value;
}

/* In a checked workspace, fill every buffer with NaN and put sentinels right behind the bytes that
 * the micro-batch at hand uses. */
static void poison(struct pxr_workspace *workspace)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = 0; workspace->checked && i < graph->nodes; i++)
                for (int k = 0; k < PXR_BUFFERS; k++) {
                        const struct pxr_buffer *buffer = &workspace->plan.memory[i].buffer[k];
                        size_t size = buffer_bytes(workspace, graph->node[i], k);
                        char *start = workspace->slab + buffer->offset;

                        if (!buffer->used)
                                continue;
                        memset(start, NAN_BYTE, size);
                        memset(start + size, SENTINEL_BYTE, buffer->size + PXR_SENTINEL - size);
                }
}

/* From [image][pixel][colour] to [pixel][image][colour]. */
static void transpose(const uint8_t *from, size_t pixels, int images, int colours, uint8_t *to)
{
        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < images; image++)
                        for (int colour = 0; colour < colours; colour++)
                                to[(pixel * images + image) * colours + colour] =
                                        from[(image * pixels + pixel) * colours + colour];
}

void pxr_workspace_load(struct pxr_workspace *workspace, const uint8_t *pixels, int images)
{
        const struct pxr_graph *graph = workspace->graph;

        workspace->images = images;
        transpose(pixels, (size_t)graph->rows * graph->cols, images, graph->colours,
                  workspace->pixels);
        pxr_subsample_map(graph, (size_t)images * graph->colours, workspace->pixels,
                          workspace->small);
}

void pxr_workspace_condition(struct pxr_workspace *workspace, const uint8_t *small, int images)
{
        const struct pxr_graph *graph = workspace->graph;

        transpose(small, (size_t)graph->small_rows * graph->small_cols, images, graph->colours,
                  workspace->small);
}

void pxr_workspace_classes(struct pxr_workspace *workspace, const int32_t *classes, int images)
{
        memcpy(workspace->classes, classes, images * sizeof(*classes));
}

void pxr_workspace_train(struct pxr_workspace *workspace, struct pxr_training_step step)
{
        workspace->trains = true;
        workspace->step = step;
}

/* The precision of the kernels: in mixed precision, of those that are not made for it. */
static enum pxr_precision kernels_of(const struct pxr_workspace *workspace)
{
        return workspace->precision == PXR_F64 ? PXR_F64 : PXR_F32;
}

static void *at(const struct pxr_workspace *workspace, const struct pxr_buffer *buffer)
{
        return buffer->used ? workspace->slab + buffer->offset : NULL;
}

/* Where the gradient of node i is; NULL: there is none. */
static void *gradient_at(const struct pxr_workspace *workspace, int i)
{
        const struct pxr_node_memory *memory = workspace->plan.memory;

        return at(workspace, &memory[pxr_gradient_of(workspace->graph, memory, i)].gradient);
}

/* What every pass hands to a node's kernel. `computation`: PXR_FORWARD up to the loss, then
 * PXR_RECOMPUTE. */
static struct pxr_call call_of(const struct pxr_workspace *workspace, const struct pxr_node *node,
                               const void *parameters, enum pxr_computation computation)
{
        const struct pxr_node_memory *memory = &workspace->plan.memory[node->index];
        enum pxr_computation own = pxr_read_computation(memory, memory, computation);
        struct pxr_call call = {
                .node = node,
                .images = workspace->images,
                .output = at(workspace, &memory->output[own]),
                .state = at(workspace, &memory->state[own]),
                .scratch = workspace->scratch,
                .training = workspace->trains ? &workspace->step : NULL,
        };

        if (node->index == 0)
                call.input[0] = workspace->pixels;
        else if (node->op == &pxr_small_image_op)
                call.input[0] = workspace->small;
        else if (node->op == &pxr_class_op)
                call.input[0] = workspace->classes;
        for (int k = 0; k < node->inputs; k++) {
                const struct pxr_node_memory *input =
                        &workspace->plan.memory[node->input[k]->index];

                call.input[k] =
                        at(workspace,
                           &input->output[pxr_read_computation(input, memory, computation)]);
        }
        for (int k = 0; k < node->parameters; k++)
                call.parameter[k] =
                        (const char *)parameters + node->parameter[k]->offset * workspace->value;
        return call;
}

/* The call that computes a node: its own, or that of the product it is computed with. */
static struct pxr_call forward_call(const struct pxr_workspace *workspace,
                                    const struct pxr_node *node, const void *parameters,
                                    enum pxr_computation computation)
{
        const struct pxr_node_memory *memory = workspace->plan.memory, *own = &memory[node->index];
        const struct pxr_node *product = workspace->graph->node[own->product];
        struct pxr_call call = call_of(workspace, product, parameters, computation);

        call.output = at(workspace, &own->output[pxr_read_computation(own, own, computation)]);
        for (int i = own->product + 1; i <= node->index; i++) {
                const struct pxr_node *part = workspace->graph->node[i];

                if (memory[i].with != node->index)
                        continue;
                call.rectify |= part->op == &pxr_relu_op;
                for (int k = 0; part->op == &pxr_add_op && k < part->inputs; k++) {
                        const struct pxr_node_memory *input = &memory[part->input[k]->index];

                        if (part->input[k] != product)
                                call.addend =
                                        at(workspace, &input->output[pxr_read_computation(
                                                              input, &memory[i], computation)]);
                }
        }
        return call;
}

static bool is_sentinel(const char *bytes)
{
        for (int i = 0; i < PXR_SENTINEL; i++)
                if ((unsigned char)bytes[i] != SENTINEL_BYTE)
                        return false;
        return true;
}

static bool all_intact(const struct pxr_workspace *workspace, size_t scratch)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = 0; i < graph->nodes; i++)
                for (int k = 0; k < PXR_BUFFERS; k++) {
                        const struct pxr_buffer *buffer = &workspace->plan.memory[i].buffer[k];
                        const char *start = workspace->slab + buffer->offset;

                        if (buffer->used &&
                            (!is_sentinel(start - PXR_SENTINEL) ||
                             !is_sentinel(start + buffer_bytes(workspace, graph->node[i], k))))
                                return false;
                }
        return is_sentinel(workspace->scratch + scratch);
}

void pxr_workspace_pack(struct pxr_workspace *workspace, int threads, const float *parameters)
{
        pxr_mixed_pack(&workspace->plan, workspace->graph, threads, parameters, workspace->packed);
}

/* Call a kernel; in a checked workspace with NaN in its scratch. */
static void run(struct pxr_workspace *workspace, enum pxr_pass pass, const struct pxr_call *call)
{
        const struct pxr_op *op = call->node->op;
        bool is_mixed = workspace->precision == PXR_BF16;
        const struct pxr_kernels *kernels = &op->kernels[kernels_of(workspace)];
        pxr_kernel *const kernel[] = { kernels->forward, kernels->backward, kernels->advance };
        double start = workspace->seconds ? pxr_now() : 0;
        unsigned long mode;
        size_t scratch = 0;

        if (workspace->checked) {
                if (workspace->plan.memory[call->node->index].mixed)
                        scratch = op->mixed->scratch ? op->mixed->scratch(call->node, call->images)
                                                     : 0;
                else if (op->scratch)
                        scratch = op->scratch(call->node, call->images) * workspace->value;
                memset(workspace->scratch, NAN_BYTE, scratch);
                memset(workspace->scratch + scratch, SENTINEL_BYTE, PXR_SENTINEL);
        }
        mode = pxr_arithmetic_flush();
        if (is_mixed)
                pxr_mixed_run(&workspace->plan, call, pass == PXR_PASS_BACKWARD, workspace->packed,
                              workspace->convert);
        else
                kernel[pass](call);
        pxr_arithmetic_restore(mode);
        if (workspace->seconds)
                workspace->seconds[pass][call->node->index] += pxr_now() - start;
        if (workspace->checked && !workspace->culprit && !all_intact(workspace, scratch))
                workspace->culprit = call->node;
}

/* A checksum of the map without the pixel at (row, col). */
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

/* Compute the live nodes from `first` on; `only`, if not NULL, says which. */
static void forward_nodes(struct pxr_workspace *workspace, const void *parameters, int first,
                          const bool *only)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = first; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_node_memory *memory = &workspace->plan.memory[i];
                struct pxr_call call;

                if (!memory->live || memory->with != i || (only && !only[i]))
                        continue;
                call = forward_call(workspace, node, parameters, PXR_FORWARD);
                run(workspace, PXR_PASS_FORWARD, &call);
        }
}

/* Recompute what the gradients read in the segment that ends before node `end`. */
static void recompute_segment(struct pxr_workspace *workspace, const void *parameters, int end)
{
        for (int i = workspace->plan.memory[end - 1].first; i < end; i++) {
                const struct pxr_node_memory *memory = &workspace->plan.memory[i];
                struct pxr_call call;

                if (!memory->recompute || memory->with != i)
                        continue;
                call = forward_call(workspace, workspace->graph->node[i], parameters,
                                    PXR_RECOMPUTE);
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

/* The NLL of images of `pixels` pixels and `colours` colours each. */
static void run_nll(const struct pxr_workspace *workspace, struct pxr_nll_call call)
{
        const struct pxr_graph *graph = workspace->graph;
        enum pxr_precision precision = kernels_of(workspace);
        unsigned long mode = pxr_arithmetic_flush();

        call.levels = graph->levels;
        call.conf = graph->pixel_conf;
        (graph->pixel ? graph->pixel->nll : graph->distribution->nll)[precision](&call);
        pxr_arithmetic_restore(mode);
}

void pxr_workspace_loss(struct pxr_workspace *workspace, double scale, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        const struct pxr_node_memory *memory = &workspace->plan.memory[graph->logits->index];

        run_nll(workspace,
                (struct pxr_nll_call) { .colours = graph->colours,
                                        .images = workspace->images,
                                        .pixel_count = (size_t)graph->rows * graph->cols,
                                        .logits = at(workspace, &memory->output[PXR_FORWARD]),
                                        .pixels = workspace->pixels,
                                        .nll = nll,
                                        .gradient = at(workspace, &memory->gradient),
                                        .gradient_scale = scale });
}

/* A distribution over pixels tells its values apart itself. For others each value is handed over as
 * an image of one pixel and one colour. */
void pxr_workspace_value_loss(struct pxr_workspace *workspace, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        int pixels = graph->rows * graph->cols,
            values = pixels * workspace->images * graph->colours;
        bool whole = graph->pixel != NULL;

        memset(nll, 0, values * sizeof(*nll));
        run_nll(workspace,
                (struct pxr_nll_call) { .colours = whole ? graph->colours : 1,
                                        .images = whole ? workspace->images : values,
                                        .pixel_count = whole ? pixels : 1,
                                        .each = whole,
                                        .logits = pxr_workspace_tensor(workspace, graph->logits),
                                        .pixels = workspace->pixels,
                                        .nll = nll });
}

void pxr_workspace_pixel_loss(struct pxr_workspace *workspace, int row, int col, double *nll)
{
        const struct pxr_graph *graph = workspace->graph;
        size_t pixel = (size_t)row * graph->cols + col;

        run_nll(workspace,
                (struct pxr_nll_call) { .colours = graph->colours,
                                        .images = workspace->images,
                                        .pixel_count = 1,
                                        .logits = pxr_workspace_logits(workspace, row, col, 0, 0),
                                        .pixels = workspace->pixels +
                                                  pixel * workspace->images * graph->colours,
                                        .nll = nll });
}

void pxr_workspace_backward(struct pxr_workspace *workspace, const void *parameters,
                            void *gradients)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int i = graph->nodes - 1; i >= 0; i--) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_node_memory *memory = &workspace->plan.memory[i];
                struct pxr_call call;

                if (memory->end == i + 1)
                        recompute_segment(workspace, parameters, i + 1);
                if (!memory->needs_grad || memory->gated)
                        continue;
                call = call_of(workspace, node, parameters, PXR_RECOMPUTE);
                call.output_gradient = gradient_at(workspace, i);
                for (int k = 0; k < node->inputs; k++) {
                        int input = node->input[k]->index;
                        void *gradient = gradient_at(workspace, input);

                        call.input_gradient[k] = gradient == call.output_gradient ? NULL : gradient;
                        call.accumulate[k] = memory->accumulate[k];
                        call.gate |= workspace->plan.memory[input].gated;
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
                workspace->advance[i] = call_of(workspace, graph->node[i], parameters, PXR_FORWARD);
        forward_nodes(workspace, parameters, 0, workspace->schedule.constant);
}

/* The address at which the map would begin of which only the pixel at (row, col), or its row, is in
 * memory, at `tensor`. Kernels compute addresses from the map's beginning, and access only that
 * pixel or row of it. */
static void *map_address(const struct pxr_workspace *workspace, const struct pxr_node *node,
                         const void *tensor, int row, int col)
{
        enum pxr_read_extent extent = workspace->plan.memory[node->index].extent;
        size_t before = (size_t)row * node->shape.cols + (extent == PXR_EXTENT_PIXEL ? col : 0);

        if (!tensor || extent == PXR_EXTENT_MAP)
                return (void *)tensor;
        before *= pxr_pixel_size(node, workspace->images) * workspace->value;
        return (void *)((uintptr_t)tensor - before);
}

static void advance_node(struct pxr_workspace *workspace, const struct pxr_node *node, int row,
                         int col, int colour)
{
        struct pxr_call call = workspace->advance[node->index];
        bool check = workspace->checked && node->op->flags & PXR_ADVANCE_AT_ITS_PIXEL;
        uint64_t sum = 0;

        call.output = map_address(workspace, node, call.output, row, col);
        for (int k = 0; k < node->inputs; k++)
                call.input[k] = map_address(workspace, node->input[k], call.input[k], row, col);
        call.row = row;
        call.col = col;
        call.colour = colour;
        if (check)
                sum = sum_elsewhere(workspace, node, call.output, row, col);
        run(workspace, PXR_PASS_ADVANCE, &call);
        if (check && !workspace->culprit &&
            sum != sum_elsewhere(workspace, node, call.output, row, col))
                workspace->culprit = node;
}

void pxr_workspace_advance(struct pxr_workspace *workspace, int row, int col, int colour)
{
        const struct pxr_graph *graph = workspace->graph;
        int order = pxr_order(graph->node[0], row, col, colour);
        int width = graph->cols * graph->colours;

        if (workspace->schedule.fallback) {
                forward_nodes(workspace, workspace->parameters, 0, NULL);
                return;
        }
        for (int i = 1; i < graph->nodes; i++) {
                if (!workspace->plan.memory[i].live || workspace->schedule.constant[i])
                        continue;
                if (workspace->schedule.by_row[i])
                        for (int k = 0; order % width == 0 && k < width; k++)
                                advance_node(workspace, graph->node[i], row, k / graph->colours,
                                             k % graph->colours);
                else if (graph->node[i]->constant)
                        for (int c = 0; colour == 0 && c < graph->colours; c++)
                                advance_node(workspace, graph->node[i], row, col, c);
                else if (!workspace->schedule.wait[i][order])
                        advance_node(workspace, graph->node[i], row, col, colour);
        }
}

/* Compute the sites that waited for the value of `colour`. */
static void settle(struct pxr_workspace *workspace, int row, int col, int colour)
{
        const struct pxr_graph *graph = workspace->graph;

        if (workspace->schedule.fallback)
                return;
        for (int i = 0; i < graph->nodes; i++)
                for (int c = 0; workspace->plan.memory[i].live && c < graph->colours; c++) {
                        int order = pxr_order(graph->node[0], row, col, c);

                        if (workspace->schedule.wait[i][order] == 1 + colour)
                                advance_node(workspace, graph->node[i], row, col, c);
                }
}

void pxr_workspace_set(struct pxr_workspace *workspace, int row, int col, int colour, int image,
                       int value)
{
        const struct pxr_graph *graph = workspace->graph;
        size_t pixel = (size_t)row * graph->cols + col;

        workspace->pixels[(pixel * workspace->images + image) * graph->colours + colour] =
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
        return workspace->schedule.fallback;
}

const void *pxr_workspace_logits(const struct pxr_workspace *workspace, int row, int col,
                                 int colour, int image)
{
        const struct pxr_graph *graph = workspace->graph;
        int channels = graph->logits->shape.channels;
        size_t pixel = ((size_t)row * graph->cols + col) * workspace->images + image;
        size_t value = pixel * channels + pxr_group_begin(channels, graph->colours, colour);

        return (char *)map_address(workspace, graph->logits,
                                   pxr_workspace_tensor(workspace, graph->logits), row, col) +
               value * workspace->value;
}

void pxr_workspace_probabilities(const struct pxr_workspace *workspace, int row, int col,
                                 int colour, int image, bool logarithms, double *probability)
{
        const struct pxr_graph *graph = workspace->graph;
        const struct pxr_distribution *one = graph->distribution;
        enum pxr_precision precision = kernels_of(workspace);
        size_t pixel = ((size_t)row * graph->cols + col) * workspace->images + image;
        const void *logits =
                pxr_workspace_logits(workspace, row, col, graph->pixel ? 0 : colour, image);
        const struct pxr_pixel whole = { .levels = graph->levels,
                                         .colours = graph->colours,
                                         .colour = colour,
                                         .logits = logits,
                                         .values = workspace->pixels + pixel * graph->colours,
                                         .conf = graph->pixel_conf };

        if (!graph->pixel)
                (logarithms ? one->log_probabilities
                            : one->probabilities)[precision](graph->levels, logits, probability);
        else
                (logarithms ? graph->pixel->log_probabilities
                            : graph->pixel->probabilities)[precision](&whole, probability);
}

void *pxr_workspace_tensor(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return at(workspace, &workspace->plan.memory[node->index].output[PXR_FORWARD]);
}

void *pxr_workspace_gradient(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return at(workspace, &workspace->plan.memory[node->index].gradient);
}

bool pxr_workspace_is_bf16(const struct pxr_workspace *workspace, const struct pxr_node *node)
{
        return workspace->plan.memory[node->index].narrow;
}

const struct pxr_node *pxr_workspace_damaged(const struct pxr_workspace *workspace)
{
        return workspace->culprit;
}

static bool all_finite(const struct pxr_workspace *workspace, const struct pxr_buffer *buffer,
                       bool narrow, size_t size)
{
        const void *values = at(workspace, buffer);
        const pxr_bf16 *bf16 = values;
        const float *f32 = values;
        const double *f64 = values;

        for (size_t i = 0; values && i < size; i++)
                if (!isfinite(narrow                            ? pxr_bf16_value(bf16[i])
                              : workspace->precision == PXR_F64 ? f64[i]
                                                                : f32[i]))
                        return false;
        return true;
}

const struct pxr_node *pxr_workspace_nonfinite(const struct pxr_workspace *workspace, bool gradient)
{
        const struct pxr_graph *graph = workspace->graph;

        for (int k = 0; k < graph->nodes; k++) {
                const struct pxr_node *node = graph->node[gradient ? graph->nodes - 1 - k : k];
                const struct pxr_node_memory *memory = &workspace->plan.memory[node->index];

                if (!all_finite(workspace,
                                gradient ? &memory->gradient : &memory->output[PXR_FORWARD],
                                memory->narrow, pxr_map_size(node, workspace->images)))
                        return node;
        }
        return NULL;
}
