/* SPDX-License-Identifier: MIT */
/*
 * fusion.c - which sums and rectifiers are computed together with the product before them.
 */
#include "tensor/fusion.h"

static bool is_fusing(const struct pxr_node *node, const struct pxr_node_memory *memory)
{
        return memory[node->index].mixed && node->op->mixed->fuses;
}

/* Compute `node` with its input number `k`, if that is a product, or a sum computed with one. */
static bool join(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                 const struct pxr_node *node, int k)
{
        int input = node->input[k]->index, product = memory[input].product;
        bool sum = node->op == &pxr_add_op;

        if (!memory[input].narrow || !is_fusing(graph->node[product], memory) ||
            graph->node[input]->op == &pxr_relu_op || (sum && product != input) ||
            pxr_reads_of(graph, memory, node->input[k]) != 1)
                return false;
        for (int i = product; i < node->index; i++)
                if (memory[i].with == input)
                        memory[i].with = node->index;
        memory[node->index].product = product;
        return true;
}

static bool is_gated(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                     const struct pxr_node *relu)
{
        if (relu == graph->logits || !memory[relu->input[0]->index].narrow)
                return false;
        for (int i = relu->index + 1; i < graph->nodes; i++)
                for (int k = 0; memory[i].live && k < graph->node[i]->inputs; k++)
                        if (graph->node[i]->input[k] == relu &&
                            (k != 0 || !is_fusing(graph->node[i], memory)))
                                return false;
        return true;
}

void pxr_fuse(const struct pxr_graph *graph, struct pxr_node_memory *memory, bool fuse)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                bool sum = node->op == &pxr_add_op, relu = node->op == &pxr_relu_op;

                memory[i].with = memory[i].product = i;
                memory[i].gated = false;
                if (!fuse || !memory[i].live || !memory[i].mixed)
                        continue;
                if ((sum || relu) && !join(graph, memory, node, node->inputs - 1) && sum)
                        join(graph, memory, node, 0);
                memory[i].gated = relu && is_gated(graph, memory, node);
        }
}
