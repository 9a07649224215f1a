/* SPDX-License-Identifier: MIT */
/*
 * memory_plan.c - the place of each tensor in a workspace's slab of memory.
 *
 * Buffers that are not in use at the same time may share memory. They are placed largest first,
 * each at the lowest offset that overlaps none already placed.
 */
#include "tensor/memory_plan.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/fusion.h"

enum { MOST_SEGMENTS = 32 };

static int by_size(const void *a, const void *b)
{
        const struct pxr_buffer *left = *(struct pxr_buffer *const *)a;
        const struct pxr_buffer *right = *(struct pxr_buffer *const *)b;

        if (left->size != right->size)
                return left->size < right->size ? 1 : -1;
        return left->first_use - right->first_use;
}

static bool live_together(const struct pxr_buffer *a, const struct pxr_buffer *b)
{
        return a->first_use <= b->last_use && b->first_use <= a->last_use;
}

/* The lowest offset at which buffer[at] overlaps none of the buffers before it, with `gap` bytes
 * between them. */
static size_t lowest_offset(struct pxr_buffer *const *buffer, int at, size_t gap)
{
        size_t offset = gap;

        for (bool moved = true; moved;) {
                moved = false;
                for (int i = 0; i < at; i++) {
                        size_t end = buffer[i]->offset + buffer[i]->size + gap;

                        if (live_together(buffer[i], buffer[at]) && offset < end &&
                            buffer[i]->offset < offset + buffer[at]->size + gap) {
                                offset = end;
                                moved = true;
                        }
                }
        }
        return offset;
}

/* Bytes of an array, aligned. An array that is too large gets a size that no memory can hold, so
 * that allocating it fails. */
static size_t bytes(size_t values, size_t value)
{
        size_t size = (values < PXR_MOST_VALUES ? values : PXR_MOST_VALUES) * value;

        return pxr_aligned_size(size);
}

/* The most that a node's op says it needs for micro-batches of 1 to `images`. It need not grow with
 * them: an op that works in chunks may take fewer but larger chunks of a smaller batch. */
static size_t most_scratch(const struct pxr_node *node, int images,
                           size_t (*needed)(const struct pxr_node *node, int images))
{
        size_t most = 0;

        for (int i = 1; needed && i <= images; i++) {
                size_t scratch = needed(node, i);

                most = scratch > most ? scratch : most;
        }
        return most;
}

size_t pxr_planned_output(const struct pxr_memory_plan *plan, const struct pxr_node *node,
                          int images)
{
        switch (plan->memory[node->index].extent) {
        case PXR_EXTENT_PIXEL:
                return pxr_pixel_size(node, images);
        case PXR_EXTENT_ROW:
                return node->shape.cols * pxr_pixel_size(node, images);
        default:
                return pxr_map_size(node, images);
        }
}

size_t pxr_planned_state(const struct pxr_memory_plan *plan, const struct pxr_node *node,
                         int images)
{
        size_t state = node->op->state ? node->op->state(node, images) : 0, advance;

        if (!plan->may_advance || node->constant || !node->op->advance_state)
                return state;
        advance = node->op->advance_state(node, images);
        return plan->advances || advance > state ? advance : state;
}

/* For a float32 kernel: a node's maps and those of its inputs, as float32. For another: the
 * gradient of logits, as bfloat16. */
static size_t converted_bytes(const struct pxr_node *node, bool mixed, int images)
{
        size_t size = 2 * bytes(pxr_map_size(node, images), sizeof(float));

        if (mixed)
                return bytes(pxr_map_size(node, images), sizeof(uint16_t));
        for (int k = 0; k < node->inputs; k++)
                size += 2 * bytes(pxr_map_size(node->input[k], images), sizeof(float));
        return size;
}

/* In mixed precision, which maps are bfloat16: all but the images and the logits. */
static void set_mixed(const struct pxr_graph *graph, struct pxr_memory_plan *plan, int images)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                struct pxr_node_memory *memory = &plan->memory[i];
                size_t size;

                memory->narrow = node->inputs > 0 && node != graph->logits;
                memory->mixed = node->op->mixed && (memory->narrow || node->op->mixed->exact);
                for (int k = 0; k < node->inputs; k++)
                        memory->mixed &= plan->memory[node->input[k]->index].narrow ||
                                         (memory->mixed && node->op->mixed->reads_f32);
                size = memory->mixed && memory->narrow
                               ? 0
                               : converted_bytes(node, memory->mixed, images);
                if (size > plan->convert_bytes)
                        plan->convert_bytes = size;
                memory->packed = plan->packed_bytes;
                if (memory->mixed && node->op->mixed->packed)
                        plan->packed_bytes += bytes(node->op->mixed->packed(node), 1);
        }
}

static void set_sizes(const struct pxr_graph *graph, struct pxr_memory_plan *plan, size_t value,
                      int images)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_mixed *mixed = node->op->mixed;
                struct pxr_node_memory *memory = &plan->memory[i];
                size_t map = memory->narrow ? sizeof(uint16_t) : value;
                size_t size = bytes(pxr_planned_output(plan, node, images), map), scratch = 0;
                size_t state = bytes(pxr_planned_state(plan, node, images), value);

                if (memory->mixed)
                        state = mixed->state ? bytes(mixed->state(node, images), 1) : 0;
                for (int c = 0; c < PXR_COMPUTATIONS; c++) {
                        memory->output[c].size = memory->with == i ? size : 0;
                        memory->state[c].size = state;
                }
                memory->gradient.size = size;
                if (memory->live)
                        scratch = memory->mixed
                                          ? bytes(most_scratch(node, images, mixed->scratch), 1)
                                          : bytes(most_scratch(node, images, node->op->scratch),
                                                  value);
                if (scratch > plan->scratch_bytes)
                        plan->scratch_bytes = scratch;
        }
}

/* Set the offsets of all used buffers. `buffer` has room for pointers to them. */
static void place_buffers(const struct pxr_graph *graph, struct pxr_memory_plan *plan,
                          struct pxr_buffer **buffer, size_t gap)
{
        int buffers = 0;

        for (int i = 0; i < graph->nodes; i++)
                for (int k = 0; k < PXR_BUFFERS; k++)
                        if (plan->memory[i].buffer[k].used)
                                buffer[buffers++] = &plan->memory[i].buffer[k];
        qsort(buffer, buffers, sizeof(*buffer), by_size);
        plan->slab_bytes = 0;
        for (int i = 0; i < buffers; i++) {
                size_t end;

                buffer[i]->offset = lowest_offset(buffer, i, gap);
                end = buffer[i]->offset + buffer[i]->size + gap;
                if (end > plan->slab_bytes)
                        plan->slab_bytes = end;
        }
}

/* Cut the graph into the number of segments that needs the least memory. Not every number is tried:
 * between those tried, memory changes little. */
static void place_in_segments(const struct pxr_graph *graph, struct pxr_memory_plan *plan,
                              struct pxr_node_memory *initial, struct pxr_buffer **buffer,
                              size_t gap)
{
        size_t least = SIZE_MAX;
        int best = 1;

        memcpy(initial, plan->memory, graph->nodes * sizeof(*initial));
        for (int segments = 1, last = 0; !last; segments += 1 + segments / 3) {
                last = segments > MOST_SEGMENTS;
                memcpy(plan->memory, initial, graph->nodes * sizeof(*initial));
                pxr_liveness_segment(graph, plan->memory, last ? best : segments);
                pxr_liveness_of_buffers(graph, plan->memory, true, gap == 0);
                place_buffers(graph, plan, buffer, gap);
                if (plan->slab_bytes < least) {
                        least = plan->slab_bytes;
                        best = segments;
                }
        }
}

int pxr_memory_plan_make(struct pxr_memory_plan *plan, const struct pxr_graph *graph,
                         enum pxr_precision precision, enum pxr_use use, int images, bool checked,
                         const struct pxr_generation_schedule *schedule)
{
        struct pxr_buffer **buffer = malloc(PXR_BUFFERS * graph->nodes * sizeof(*buffer));
        struct pxr_node_memory *initial = malloc(graph->nodes * sizeof(*initial));
        size_t gap = checked ? PXR_SENTINEL : 0;
        int status = -1;

        *plan = (struct pxr_memory_plan) { .memory = calloc(graph->nodes, sizeof(*plan->memory)) };
        if (!buffer || !initial || !plan->memory || pxr_liveness_of_nodes(graph, plan->memory))
                goto out;
        plan->advances = schedule && !schedule->fallback;
        plan->may_advance = use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION;
        for (int i = 0; i < graph->nodes; i++)
                plan->memory[i].extent = schedule ? schedule->extent[i] : PXR_EXTENT_MAP;
        if (precision == PXR_BF16)
                set_mixed(graph, plan, images);
        pxr_fuse(graph, plan->memory, precision == PXR_BF16 && use != PXR_FOR_UNFUSED_TRAINING);
        set_sizes(graph, plan, precision == PXR_F64 ? sizeof(double) : sizeof(float), images);
        if (use == PXR_FOR_CHECKPOINTED_TRAINING) {
                place_in_segments(graph, plan, initial, buffer, gap);
        } else {
                pxr_liveness_segment(graph, plan->memory, 1);
                pxr_liveness_of_buffers(graph, plan->memory,
                                        use == PXR_FOR_TRAINING || use == PXR_FOR_UNFUSED_TRAINING,
                                        !checked);
        }
        if (checked || use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION)
                pxr_liveness_forever(graph, plan->memory);
        place_buffers(graph, plan, buffer, gap);
        status = 0;
out:
        free(buffer);
        free(initial);
        if (status)
                pxr_memory_plan_free(plan);
        return status;
}

void pxr_memory_plan_free(struct pxr_memory_plan *plan)
{
        free(plan->memory);
        plan->memory = NULL;
}
