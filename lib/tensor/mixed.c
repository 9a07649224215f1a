/* SPDX-License-Identifier: MIT */
/*
 * mixed.c - ops in mixed precision: packed parameters, and float32 kernels on maps of bfloat16.
 */
#include "tensor/mixed.h"

#include "tensor/bf16.h"

const char *const pxr_precision_names[] = { "f32", "bf16", NULL };

enum pxr_precision pxr_precision_of(int name)
{
        return name == 0 ? PXR_F32 : PXR_BF16;
}

void pxr_mixed_pack(const struct pxr_memory_plan *plan, const struct pxr_graph *graph, int threads,
                    const float *parameters, char *packed)
{
        if (plan->packed_bytes == 0)
                return;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const float *parameter[PXR_MAX_PARAMETERS] = { NULL };

                if (!plan->memory[i].mixed || !node->op->mixed->packed)
                        continue;
                for (int k = 0; k < node->parameters; k++)
                        parameter[k] = parameters + node->parameter[k]->offset;
                node->op->mixed->pack(node, parameter, packed + plan->memory[i].packed);
        }
}

/* Room for a map as float32; *room moves on. */
static float *take_map(const struct pxr_node *node, int images, char **room)
{
        float *map = (float *)*room;

        *room += pxr_aligned_size(pxr_map_size(node, images) * sizeof(float));
        return map;
}

/* The map as float32: itself, if it is. */
static void *widened(const struct pxr_memory_plan *plan, const struct pxr_node *node, int images,
                     const void *map, char **room)
{
        float *wide;

        if (!map || !plan->memory[node->index].narrow)
                return (void *)map;
        wide = take_map(node, images, room);
        pxr_bf16_widen(pxr_map_size(node, images), map, wide);
        return wide;
}

static void run_converted(const struct pxr_memory_plan *plan, const struct pxr_call *narrow,
                          bool backward, char *room)
{
        const struct pxr_node *node = narrow->node;
        struct pxr_call call = *narrow;
        int images = call.images;

        for (int k = 0; k < node->inputs; k++)
                call.input[k] = widened(plan, node->input[k], images, call.input[k], &room);
        if (!backward) {
                if (plan->memory[node->index].narrow)
                        call.output = take_map(node, images, &room);
                node->op->kernels[PXR_F32].forward(&call);
                if (call.output != narrow->output)
                        pxr_bf16_round(pxr_map_size(node, images), call.output, narrow->output);
                return;
        }
        call.output = widened(plan, node, images, call.output, &room);
        call.output_gradient = widened(plan, node, images, call.output_gradient, &room);
        for (int k = 0; k < node->inputs; k++)
                call.input_gradient[k] =
                        widened(plan, node->input[k], images, call.input_gradient[k], &room);
        node->op->kernels[PXR_F32].backward(&call);
        for (int k = 0; k < node->inputs; k++)
                if (call.input_gradient[k] != narrow->input_gradient[k])
                        pxr_bf16_round(pxr_map_size(node->input[k], images), call.input_gradient[k],
                                       narrow->input_gradient[k]);
}

void pxr_mixed_run(const struct pxr_memory_plan *plan, const struct pxr_call *call, bool backward,
                   const char *packed, char *convert)
{
        const struct pxr_node *node = call->node;
        const struct pxr_node_memory *memory = &plan->memory[node->index];
        struct pxr_call own = *call;

        if (!memory->mixed) {
                run_converted(plan, call, backward, convert);
                return;
        }
        own.packed = packed + memory->packed;
        own.exact = !memory->narrow;
        if (backward && own.exact) {
                pxr_bf16_round(pxr_map_size(node, call->images), call->output_gradient,
                               (pxr_bf16 *)convert);
                own.output_gradient = convert;
        }
        (backward ? node->op->mixed->backward : node->op->mixed->forward)(&own);
}

const struct pxr_node *pxr_mixed_fallback(const struct pxr_graph *graph)
{
        for (int i = 0; i < graph->nodes; i++)
                if (graph->node[i]->inputs > 0 && !graph->node[i]->op->mixed)
                        return graph->node[i];
        return NULL;
}
