/* SPDX-License-Identifier: MIT */
/*
 * plan.c - a place in the slab for each tensor.
 *
 * Tensors whose lifetimes do not meet may share memory. They are placed largest first, each at the
 * lowest offset where nothing placed before is in its way.
 */
#include "tensor/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/lifetimes.h"

enum { MOST_PARTS = 32 };

static int by_size(const void *a, const void *b)
{
        const struct pxr_slot *const *left = a, *const *right = b;

        if ((*left)->size != (*right)->size)
                return (*left)->size < (*right)->size ? 1 : -1;
        return (*left)->birth - (*right)->birth;
}

static bool meet(const struct pxr_slot *a, const struct pxr_slot *b)
{
        return a->birth <= b->death && b->birth <= a->death;
}

/* The lowest offset for slot[at] that is free of the slots placed before it. */
static size_t lowest_offset(struct pxr_slot *const *slot, int at, size_t space)
{
        size_t offset = space;

        for (bool moved = true; moved;) {
                moved = false;
                for (int i = 0; i < at; i++)
                        if (meet(slot[i], slot[at]) &&
                            offset < slot[i]->offset + slot[i]->size + space &&
                            slot[i]->offset < offset + slot[at]->size + space) {
                                offset = slot[i]->offset + slot[i]->size + space;
                                moved = true;
                        }
        }
        return offset;
}

static size_t aligned(size_t bytes)
{
        return (bytes + PXR_ALIGNMENT - 1) / PXR_ALIGNMENT * PXR_ALIGNMENT;
}

/* Of an array. One that is too large to be becomes one that no memory holds, and so is refused. */
static size_t bytes(size_t values, size_t value)
{
        return aligned((values < PXR_MOST_VALUES ? values : PXR_MOST_VALUES) * value);
}

/* What a node's op needs at most for micro-batches of up to `images`. It need not grow with them:
 * an op that works in pieces may take fewer but larger pieces of a smaller batch. */
static size_t most_scratch(const struct pxr_node *node, int images)
{
        size_t most = 0;

        for (int i = 1; node->op->scratch && i <= images; i++) {
                size_t scratch = node->op->scratch(node, i);

                most = scratch > most ? scratch : most;
        }
        return most;
}

size_t pxr_plan_output(const struct pxr_plan *plan, const struct pxr_node *node, int images)
{
        switch (plan->place[node->index].kept) {
        case PXR_SPAN_PIXEL:
                return pxr_pixel_size(node, images);
        case PXR_SPAN_ROW:
                return node->shape.cols * pxr_pixel_size(node, images);
        default:
                return pxr_map_size(node, images);
        }
}

size_t pxr_plan_state(const struct pxr_plan *plan, const struct pxr_node *node, int images)
{
        if (plan->advances && !node->constant && node->op->advance_state)
                return node->op->advance_state(node, images);
        return node->op->state ? node->op->state(node, images) : 0;
}

static void set_sizes(const struct pxr_graph *graph, struct pxr_plan *plan, size_t value,
                      int images)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                struct pxr_place *place = &plan->place[i];
                size_t size = bytes(pxr_plan_output(plan, node, images), value), scratch = 0;
                size_t state = bytes(pxr_plan_state(plan, node, images), value);

                place->output[PXR_ONCE].size = place->output[PXR_AGAIN].size = size;
                place->state[PXR_ONCE].size = place->state[PXR_AGAIN].size = state;
                place->gradient.size = size;
                if (place->live)
                        scratch = bytes(most_scratch(node, images), value);
                if (scratch > plan->scratch_bytes)
                        plan->scratch_bytes = scratch;
        }
}

/* Give all slots in use their offsets. `slot` has room for them. */
static void place_slots(const struct pxr_graph *graph, struct pxr_plan *plan,
                        struct pxr_slot **slot, size_t space)
{
        int slots = 0;

        for (int i = 0; i < graph->nodes; i++) {
                struct pxr_slot *own[PXR_SLOTS];

                pxr_place_slots(&plan->place[i], own);
                for (int k = 0; k < PXR_SLOTS; k++)
                        if (own[k]->used)
                                slot[slots++] = own[k];
        }
        qsort(slot, slots, sizeof(*slot), by_size);
        plan->slab_bytes = 0;
        for (int i = 0; i < slots; i++) {
                slot[i]->offset = lowest_offset(slot, i, space);
                if (slot[i]->offset + slot[i]->size + space > plan->slab_bytes)
                        plan->slab_bytes = slot[i]->offset + slot[i]->size + space;
        }
}

/* Cut the graph into as many parts as need the least memory. Between these numbers of parts the
 * need changes little. */
static void place_in_parts(const struct pxr_graph *graph, struct pxr_plan *plan,
                           struct pxr_place *fresh, struct pxr_slot **slot, size_t space)
{
        size_t least = SIZE_MAX;
        int best = 1;

        memcpy(fresh, plan->place, graph->nodes * sizeof(*fresh));
        for (int parts = 1, last = 0; !last; parts += 1 + parts / 3) {
                last = parts > MOST_PARTS;
                memcpy(plan->place, fresh, graph->nodes * sizeof(*fresh));
                pxr_lifetimes_cut(graph, plan->place, last ? best : parts);
                pxr_lifetimes_find(graph, plan->place, true);
                place_slots(graph, plan, slot, space);
                if (plan->slab_bytes < least) {
                        least = plan->slab_bytes;
                        best = parts;
                }
        }
}

int pxr_plan_make(struct pxr_plan *plan, const struct pxr_graph *graph,
                  enum pxr_precision precision, enum pxr_use use, int images, bool apart,
                  const struct pxr_turns *turns)
{
        bool training = use == PXR_FOR_TRAINING || use == PXR_FOR_LEAN_TRAINING;
        struct pxr_slot **slot = malloc(PXR_SLOTS * graph->nodes * sizeof(*slot));
        struct pxr_place *fresh = malloc(graph->nodes * sizeof(*fresh));
        size_t space = apart ? PXR_SENTINEL : 0;
        int status = -1;

        *plan = (struct pxr_plan) { .place = calloc(graph->nodes, sizeof(*plan->place)) };
        if (!slot || !fresh || !plan->place || pxr_lifetimes_mark(graph, plan->place))
                goto out;
        plan->advances = turns && !turns->fallback;
        for (int i = 0; i < graph->nodes; i++)
                plan->place[i].kept = turns ? turns->kept[i] : PXR_SPAN_MAP;
        set_sizes(graph, plan, precision == PXR_F32 ? sizeof(float) : sizeof(double), images);
        if (use == PXR_FOR_LEAN_TRAINING) {
                place_in_parts(graph, plan, fresh, slot, space);
        } else {
                pxr_lifetimes_cut(graph, plan->place, 1);
                pxr_lifetimes_find(graph, plan->place, training);
        }
        if (apart || use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION)
                pxr_lifetimes_forever(graph, plan->place);
        place_slots(graph, plan, slot, space);
        status = 0;
out:
        free(slot);
        free(fresh);
        if (status)
                pxr_plan_free(plan);
        return status;
}

void pxr_plan_free(struct pxr_plan *plan)
{
        free(plan->place);
        plan->place = NULL;
}
