/* SPDX-License-Identifier: MIT */
/*
 * liveness.c - the first and last use of each tensor in the passes over a graph.
 *
 * Time counts kernels. In a graph of n nodes, node i is computed at time i and the loss at n. The
 * segments follow, the last first: each is recomputed (except the last), then come the gradients
 * through it (T. Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016). Training
 * without recomputation has a single segment.
 */
#include "tensor/liveness.h"

#include <stdlib.h>

static int segment_time(const struct pxr_graph *graph, const struct pxr_node_memory *memory)
{
        return graph->nodes + 1 + 2 * (graph->nodes - memory->end);
}

static int recompute_time(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                          int i)
{
        return segment_time(graph, &memory[i]) + i - memory[i].first;
}

static int backward_time(const struct pxr_graph *graph, const struct pxr_node_memory *memory, int i)
{
        int size = memory[i].end - memory[i].first;

        return segment_time(graph, &memory[i]) + size + memory[i].end - 1 - i;
}

static void extend(struct pxr_buffer *buffer, int time)
{
        if (time > buffer->last_use)
                buffer->last_use = time;
}

static void begin(struct pxr_buffer *buffer, int time)
{
        buffer->used = true;
        buffer->first_use = buffer->last_use = time;
}

int pxr_liveness_of_nodes(const struct pxr_graph *graph, struct pxr_node_memory *memory)
{
        bool *needed = malloc(2 * graph->nodes * sizeof(bool)), *needs_grad = needed + graph->nodes;

        if (!needed)
                return -1;
        pxr_graph_needed(graph, needed);
        pxr_graph_needs_grad(graph, needs_grad);
        for (int i = 0; i < graph->nodes; i++) {
                memory[i].live = needed[i];
                memory[i].needs_grad = needed[i] && needs_grad[i];
        }
        free(needed);
        return 0;
}

int pxr_reads_of(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                 const struct pxr_node *node)
{
        int reads = node == graph->logits;

        for (int i = node->index + 1; i < graph->nodes; i++)
                for (int k = 0; memory[i].live && k < graph->node[i]->inputs; k++)
                        reads += graph->node[i]->input[k] == node;
        return reads;
}

/* Whether nodes before `cut` are computed with nodes after it. */
static bool is_fused_across(const struct pxr_node_memory *memory, int cut)
{
        for (int i = 0; i < cut; i++)
                if (memory[i].with >= cut)
                        return true;
        return false;
}

/* Bytes of outputs that are computed before node `cut` and read by it or later nodes. */
static size_t read_across(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                          int cut)
{
        size_t bytes = 0;

        for (int i = 0; i < cut; i++) {
                bool read = false;

                for (int j = cut; j < graph->nodes && !read; j++)
                        for (int k = 0; memory[j].live && k < graph->node[j]->inputs; k++)
                                read |= graph->node[j]->input[k]->index == i;
                bytes += read ? memory[i].output[PXR_FORWARD].size : 0;
        }
        return bytes;
}

static size_t bytes_of(const struct pxr_node_memory *memory)
{
        return memory->live ? memory->output[PXR_FORWARD].size + memory->state[PXR_FORWARD].size
                            : 0;
}

/* The end of segment `number` (from 1), which begins at `first`: of the nodes that leave about
 * number/segments of all bytes before them, to within half a segment, the one with the fewest bytes
 * read across the cut. */
static int best_cut(const struct pxr_graph *graph, const struct pxr_node_memory *memory, int first,
                    double number, int segments, double all)
{
        double low = (number - 0.5) / segments * all, high = (number + 0.5) / segments * all,
               sum = 0;
        size_t least = SIZE_MAX;
        int best = first;

        for (int cut = 1; cut < graph->nodes; cut++) {
                size_t across;

                sum += (double)bytes_of(&memory[cut - 1]);
                if (cut <= first || sum < low || sum > high || is_fused_across(memory, cut))
                        continue;
                across = read_across(graph, memory, cut);
                if (across < least) {
                        least = across;
                        best = cut;
                }
        }
        return best;
}

static void set_segment(struct pxr_node_memory *memory, int first, int end)
{
        for (int i = first; i < end; i++) {
                memory[i].first = first;
                memory[i].end = end;
        }
}

void pxr_liveness_segment(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                          int segments)
{
        double all = 0;
        int first = 0;

        for (int i = 0; i < graph->nodes; i++)
                all += (double)bytes_of(&memory[i]);
        for (int number = 1; number < segments; number++) {
                int cut = best_cut(graph, memory, first, number, segments, all);

                set_segment(memory, first, cut);
                first = cut;
        }
        set_segment(memory, first, graph->nodes);
}

static bool same_segment(const struct pxr_node_memory *a, const struct pxr_node_memory *b)
{
        return a->first == b->first;
}

/* What the op's flags say of its backward kernel, if that is called. */
static unsigned backward_flags(const struct pxr_node *node, const struct pxr_node_memory *memory)
{
        return memory->needs_grad && !memory->gated ? node->op->flags : 0;
}

/* Whether forward keeps a state: in mixed precision other ops do. */
static bool has_state(const struct pxr_node_memory *memory)
{
        return memory->state[PXR_FORWARD].size > 0;
}

/* In each segment except the last, recompute what its gradients read, and what that is computed
 * from. */
static void find_recomputed(const struct pxr_graph *graph, struct pxr_node_memory *memory)
{
        for (int i = 0; i < graph->nodes; i++)
                memory[i].recompute = false;
        for (int i = graph->nodes - 1; i >= 0; i--) {
                const struct pxr_node *node = graph->node[i];
                unsigned flags = backward_flags(node, &memory[i]);

                if (memory[i].end == graph->nodes || !memory[i].live)
                        continue;
                if (flags & PXR_BACKWARD_READS_OUTPUT ||
                    (memory[i].needs_grad && has_state(&memory[i])))
                        memory[i].recompute = true;
                for (int k = 0; k < node->inputs; k++) {
                        struct pxr_node_memory *input = &memory[node->input[k]->index];

                        if (same_segment(input, &memory[i]) &&
                            (memory[i].recompute || flags & PXR_BACKWARD_READS_INPUT))
                                input->recompute = true;
                }
        }
}

static void find_forward(const struct pxr_graph *graph, struct pxr_node_memory *memory)
{
        for (int i = 0; i < graph->nodes; i++) {
                if (!memory[i].live)
                        continue;
                if (memory[i].with == i)
                        begin(&memory[i].output[PXR_FORWARD], i);
                if (has_state(&memory[i]))
                        begin(&memory[i].state[PXR_FORWARD], i);
                for (int k = 0; k < graph->node[i]->inputs; k++)
                        extend(&memory[graph->node[i]->input[k]->index].output[PXR_FORWARD],
                               memory[i].with);
        }
        extend(&memory[graph->logits->index].output[PXR_FORWARD], graph->nodes);
}

static void find_backward(const struct pxr_graph *graph, struct pxr_node_memory *memory)
{
        for (int i = 0; i < graph->nodes; i++) {
                if (!memory[i].recompute)
                        continue;
                if (memory[i].with == i)
                        begin(&memory[i].output[PXR_RECOMPUTE], recompute_time(graph, memory, i));
                if (has_state(&memory[i]))
                        begin(&memory[i].state[PXR_RECOMPUTE], recompute_time(graph, memory, i));
        }
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                unsigned flags = backward_flags(node, &memory[i]);
                int time = backward_time(graph, memory, i);

                if (memory[i].needs_grad && has_state(&memory[i]))
                        extend(&memory[i].state[memory[i].recompute], time);
                if (flags & PXR_BACKWARD_READS_OUTPUT)
                        extend(&memory[i].output[memory[i].recompute], time);
                for (int k = 0; k < node->inputs; k++) {
                        struct pxr_node_memory *input = &memory[node->input[k]->index];
                        struct pxr_buffer *buffer = &input->output[pxr_read_computation(
                                input, &memory[i], PXR_RECOMPUTE)];

                        if (memory[i].recompute)
                                extend(buffer, recompute_time(graph, memory, memory[i].with));
                        if (flags & PXR_BACKWARD_READS_INPUT)
                                extend(buffer, time);
                }
        }
}

int pxr_gradient_of(const struct pxr_graph *graph, const struct pxr_node_memory *memory, int i)
{
        while (memory[i].gated)
                i = graph->node[i]->input[0]->index;
        return memory[i].shared;
}

/* Whether the gradient of `sum` is all of the gradient of its input number k, or all so far and not
 * needed any more when something is added to it: its other input is the node before it, reads
 * something else, and is no sum that hands the gradient on. */
static bool can_share(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                      const struct pxr_node *sum, int k)
{
        const struct pxr_node *input = sum->input[k], *other = sum->input[1 - k];
        int shared = memory[sum->index].shared;

        if (!memory[input->index].needs_grad || memory[input->index].gradient.used ||
            memory[input->index].shared != input->index ||
            memory[input->index].narrow != memory[sum->index].narrow)
                return false;
        if (pxr_reads_of(graph, memory, input) == 1)
                return true;
        if (other->index != sum->index - 1 || memory[other->index].shared != shared ||
            other->op == &pxr_add_op)
                return false;
        for (int i = 0; i < other->inputs; i++)
                if (pxr_gradient_of(graph, memory, other->input[i]->index) == input->index)
                        return false;
        for (int i = 0; i < other->index; i++)
                if (memory[i].shared == shared)
                        return false;
        return true;
}

static void share_gradient(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                           const struct pxr_node *sum)
{
        static const int order[] = { 1, 0, 1 }; /* either may have to wait for the other */

        for (int i = 0; i < 3; i++) {
                if (can_share(graph, memory, sum, order[i]))
                        memory[sum->input[order[i]]->index].shared = memory[sum->index].shared;
        }
}

static void find_gradients(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                           bool share)
{
        for (int i = 0; i < graph->nodes; i++)
                memory[i].shared = i;
        begin(&memory[graph->logits->index].gradient, graph->nodes);
        for (int i = graph->nodes - 1; i >= 0; i--) {
                const struct pxr_node *node = graph->node[i];
                int time = backward_time(graph, memory, i);

                if (!memory[i].needs_grad || memory[i].gated)
                        continue;
                extend(&memory[memory[i].shared].gradient, time);
                if (share && node->op == &pxr_add_op)
                        share_gradient(graph, memory, node);
                for (int k = 0; k < node->inputs; k++) {
                        int input = node->input[k]->index;
                        struct pxr_buffer *gradient =
                                &memory[pxr_gradient_of(graph, memory, input)].gradient;

                        memory[i].accumulate[k] = gradient->used;
                        if (memory[input].needs_grad && !gradient->used)
                                begin(gradient, time);
                }
        }
}

void pxr_liveness_of_buffers(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                             bool training, bool share)
{
        find_forward(graph, memory);
        if (!training || !memory[graph->logits->index].needs_grad)
                return;
        find_recomputed(graph, memory);
        find_backward(graph, memory);
        find_gradients(graph, memory, share);
}

void pxr_liveness_forever(const struct pxr_graph *graph, struct pxr_node_memory *memory)
{
        for (int i = 0; i < graph->nodes; i++)
                for (int k = 0; k < PXR_BUFFERS; k++) {
                        memory[i].buffer[k].first_use = 0;
                        memory[i].buffer[k].last_use = 1;
                }
}
