/* SPDX-License-Identifier: MIT */
/*
 * conformance_mixed.c - the test that training in mixed precision computes what float32 does.
 *
 * Each op's kernels are compared with its float32 kernels on the same operands, which are
 * bfloat16 numbers, the parameters too. So they may differ by what an op rounds: a result to 2^-9
 * of itself, and before that what it adds to, and what it keeps from step to step, numbers about as
 * large as the rest of the map. A gradient by a parameter is a sum over all pixels, whose terms
 * cancel to about the root of their number.
 */
#include <math.h>
#include <stdlib.h>

#include "model/conformance_tests.h"
#include "tensor/bf16.h"

enum { IMAGES = 3 };

static const char no_memory[] = "out of memory";

/* The most steps of a scan, if there is one. */
static int most_steps(const struct pxr_graph *graph)
{
        for (int i = 0; i < graph->nodes; i++)
                if (graph->node[i]->op->state)
                        return graph->rows + graph->cols;
        return 1;
}

/* What float32 kernels make of the maps of a workspace in mixed precision. */
struct shadow {
        struct pxr_arena *arena;
        const struct pxr_graph *graph;
        const struct pxr_workspace *mixed;
        const float *parameters;
        float **map, **gradient;   /* [node]: of the workspace, as float32 */
        float **expected;          /* [node]: gradient of its output, by its readers */
        float *parameter_gradient; /* expected */
        int steps;                 /* at most, of a scan */
};

static float *zeros(struct pxr_arena *arena, size_t size)
{
        return pxr_alloc_array(arena, size + 1, sizeof(float));
}

/* A tensor of the workspace as float32, or NULL if there is none. */
static float *as_f32(const struct shadow *s, const struct pxr_node *node, bool gradient)
{
        size_t size = pxr_map_size(node, IMAGES);
        const void *from = gradient ? pxr_workspace_gradient(s->mixed, node)
                                    : pxr_workspace_tensor(s->mixed, node);
        float *to = from ? zeros(s->arena, size) : NULL;

        if (to && pxr_workspace_is_bf16(s->mixed, node))
                pxr_bf16_widen(size, from, to);
        else
                for (size_t i = 0; to && i < size; i++)
                        to[i] = ((const float *)from)[i];
        return to;
}

/* Compare two arrays, of which one has been rounded, and which are sums of so many terms. */
static const char *compare(const struct shadow *s, const struct pxr_node *node, const char *what,
                           const float *got, const float *expected, size_t size, double terms)
{
        double roundings = (s->steps + PXR_MAX_INPUTS) * sqrt(terms), square = 0, rms;

        for (size_t i = 0; i < size; i++)
                square += (double)expected[i] * expected[i];
        rms = sqrt(square / (double)(size ? size : 1));
        for (size_t i = 0; i < size; i++)
                if (!(fabs(got[i] - expected[i]) <= 0x1p-8 * (fabs(expected[i]) + roundings * rms)))
                        return pxr_strf(s->arena,
                                        "op '%s': %s[%zu] is %.6g in mixed precision and %.6g in "
                                        "float32",
                                        node->op->name, what, i, got[i], expected[i]);
        return NULL;
}

/* A float32 call on the workspace's maps. */
static struct pxr_call call_of(const struct shadow *s, const struct pxr_node *node, float *output)
{
        struct pxr_call call = { .node = node, .images = IMAGES, .output = output };

        for (int k = 0; k < node->inputs; k++)
                call.input[k] = s->map[node->input[k]->index];
        for (int k = 0; k < node->parameters; k++)
                call.parameter[k] = s->parameters + node->parameter[k]->offset;
        call.scratch = zeros(s->arena, node->op->scratch ? node->op->scratch(node, IMAGES) : 0);
        call.state = zeros(s->arena, node->op->state ? node->op->state(node, IMAGES) : 0);
        return call;
}

/* Forward, and backward with the workspace's gradient of the output. */
static const char *check_node(struct shadow *s, const struct pxr_node *node)
{
        size_t size = pxr_map_size(node, IMAGES);
        float *output = zeros(s->arena, size);
        struct pxr_call call = call_of(s, node, output);
        const char *problem;

        if (pxr_arena_failed(s->arena))
                return no_memory;
        node->op->kernels[PXR_F32].forward(&call);
        problem = compare(s, node, "output", s->map[node->index], output, size, 1);
        if (problem || !s->gradient[node->index])
                return problem;
        call.output_gradient = s->gradient[node->index];
        for (int k = 0; k < node->inputs; k++) {
                call.input_gradient[k] = s->expected[node->input[k]->index];
                call.accumulate[k] = true;
        }
        for (int k = 0; k < node->parameters; k++)
                call.parameter_gradient[k] = s->parameter_gradient + node->parameter[k]->offset;
        node->op->kernels[PXR_F32].backward(&call);
        return NULL;
}

static const char *check_nodes(struct shadow *s, const float *gradient)
{
        const struct pxr_graph *graph = s->graph;
        double pixels = (double)graph->rows * graph->cols * IMAGES;
        const char *problem = NULL;

        for (int i = graph->nodes - 1; i > 0 && !problem; i--) {
                const struct pxr_node *node = graph->node[i];

                if (!s->map[i] || node->inputs + node->parameters == 0) /* given from outside */
                        continue;
                if (s->gradient[i] && node != graph->logits)
                        problem = compare(s, node, "gradient by its output", s->gradient[i],
                                          s->expected[i], pxr_map_size(node, IMAGES), 1);
                if (!problem)
                        problem = check_node(s, node);
        }
        for (const struct pxr_parameter *p = graph->parameter; p && !problem; p = p->next)
                problem = compare(s, p->node, pxr_strf(s->arena, "gradient by %s", p->name),
                                  gradient + p->offset, s->parameter_gradient + p->offset, p->size,
                                  pixels);
        return problem;
}

/* Of the logits, whose gradient is float32, what the kernels of mixed precision read. */
static void round_gradient(const struct shadow *s, const struct pxr_node *logits)
{
        size_t size = pxr_map_size(logits, IMAGES);
        float *gradient = s->gradient[logits->index];
        pxr_bf16 *rounded = pxr_alloc_array(s->arena, size, sizeof(*rounded));

        if (!gradient || !rounded || !logits->op->mixed)
                return;
        pxr_bf16_round(size, gradient, rounded);
        pxr_bf16_widen(size, rounded, gradient);
}

/* The workspace's pass, with parameters that are bfloat16 numbers. */
static void run_mixed(struct shadow *s, const struct pxr_subject *subject,
                      struct pxr_workspace *mixed, float *gradient)
{
        const struct pxr_graph *graph = s->graph;
        double nll[IMAGES] = { 0 };

        pxr_workspace_pack(mixed, 1, s->parameters);
        pxr_bench_load(subject->bench, mixed, 0, IMAGES);
        pxr_workspace_forward(mixed, s->parameters);
        pxr_workspace_loss(mixed, 1, nll);
        for (int i = 0; i < graph->nodes; i++)
                s->map[i] = as_f32(s, graph->node[i], false);
        pxr_workspace_backward(mixed, s->parameters, gradient);
        for (int i = 0; i < graph->nodes; i++) {
                s->gradient[i] = as_f32(s, graph->node[i], true);
                s->expected[i] = zeros(s->arena, pxr_map_size(graph->node[i], IMAGES));
        }
        round_gradient(s, graph->logits);
}

const char *pxr_check_mixed(struct pxr_subject *subject)
{
        const struct pxr_graph *graph = subject->graph;
        struct pxr_arena *arena = subject->arena;
        struct pxr_workspace *mixed = pxr_workspace_new(graph, PXR_BF16, PXR_FOR_UNFUSED_TRAINING,
                                                        IMAGES, true, subject->diag);
        size_t size = graph->parameter_values;
        pxr_bf16 *rounded = pxr_alloc_array(arena, size + 1, sizeof(*rounded));
        float *parameters = zeros(arena, size), *gradient = zeros(arena, size);
        struct shadow s = {
                .arena = arena,
                .graph = graph,
                .mixed = mixed,
                .parameters = parameters,
                .map = pxr_alloc_array(arena, graph->nodes, sizeof(float *)),
                .gradient = pxr_alloc_array(arena, graph->nodes, sizeof(float *)),
                .expected = pxr_alloc_array(arena, graph->nodes, sizeof(float *)),
                .parameter_gradient = zeros(arena, size),
                .steps = most_steps(graph),
        };
        const char *problem = no_memory;

        if (!mixed)
                return no_memory;
        if (pxr_arena_failed(arena)) {
                pxr_workspace_free(mixed);
                return no_memory;
        }
        pxr_bf16_round(size, subject->bench->f32, rounded);
        pxr_bf16_widen(size, rounded, parameters);
        run_mixed(&s, subject, mixed, gradient);
        if (!pxr_arena_failed(arena))
                problem = check_nodes(&s, gradient);
        pxr_workspace_free(mixed);
        return problem;
}
