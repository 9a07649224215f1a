/* SPDX-License-Identifier: MIT */
/*
 * plan.c - lifetimes of tensors, and a place in the slab for each.
 *
 * Tensors whose lifetimes do not meet may share memory. They are placed largest first, each at the
 * lowest offset where nothing placed before is in its way. Uses base/ and graph.h.
 */
#include "tensor/plan.h"

#include <stdlib.h>

static void extend(struct pxr_slot *slot, int moment)
{
        if (moment > slot->death)
                slot->death = moment;
}

static int mark(const struct pxr_graph *graph, struct pxr_place *place)
{
        bool *needed = malloc(2 * graph->nodes * sizeof(bool)), *trained = needed + graph->nodes;

        if (!needed)
                return -1;
        pxr_graph_needed(graph, needed);
        pxr_graph_trained(graph, trained);
        for (int i = 0; i < graph->nodes; i++) {
                place[i].live = needed[i];
                place[i].trained = needed[i] && trained[i];
        }
        free(needed);
        return 0;
}

/* The lifetimes of outputs, and of gradients when training. */
static void find_lifetimes(const struct pxr_graph *graph, struct pxr_place *place, bool training)
{
        int nodes = graph->nodes;

        place[graph->logits->index].output.death = nodes;
        for (int i = 0; i < nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                unsigned flags = node->op->flags;

                if (!place[i].live)
                        continue;
                place[i].output.used = true;
                place[i].output.birth = i;
                extend(&place[i].output, i);
                place[i].state = (struct pxr_slot) {
                        .birth = i,
                        .death = training && place[i].trained ? 2 * nodes - i : i,
                        .used = node->op->state != NULL,
                };
                if (training && place[i].trained && flags & PXR_BACKWARD_READS_OUTPUT)
                        extend(&place[i].output, 2 * nodes - i);
                for (int k = 0; k < node->inputs; k++) {
                        struct pxr_slot *slot = &place[node->input[k]->index].output;

                        extend(slot, i);
                        if (training && place[i].trained && flags & PXR_BACKWARD_READS_INPUT)
                                extend(slot, 2 * nodes - i);
                }
        }
        if (!training || !place[graph->logits->index].trained)
                return;
        place[graph->logits->index].gradient =
                (struct pxr_slot) { .birth = nodes, .death = 2 * nodes, .used = true };
        for (int i = nodes - 1; i >= 0; i--) {
                if (!place[i].trained)
                        continue;
                place[i].gradient.death = 2 * nodes - i;
                for (int k = 0; k < graph->node[i]->inputs; k++) {
                        struct pxr_place *input = &place[graph->node[i]->input[k]->index];

                        place[i].accumulate[k] = input->gradient.used;
                        if (!input->trained || input->gradient.used)
                                continue;
                        input->gradient =
                                (struct pxr_slot) { .birth = 2 * nodes - i, .used = true };
                }
        }
}

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
                size_t values = plan->place[i].one_pixel ? pxr_pixel_size(node, images)
                                                         : pxr_map_size(node, images);
                size_t size = aligned(values * value), scratch = 0;

                plan->place[i].output.size = plan->place[i].gradient.size = size;
                if (plan->place[i].state.used)
                        plan->place[i].state.size =
                                aligned(pxr_plan_state(plan, node, images) * value);
                if (plan->place[i].live)
                        scratch = most_scratch(node, images) * value;
                if (scratch > plan->scratch_bytes)
                        plan->scratch_bytes = scratch;
        }
}

int pxr_plan_make(struct pxr_plan *plan, const struct pxr_graph *graph,
                  enum pxr_precision precision, enum pxr_use use, int images, bool apart,
                  const struct pxr_turns *turns)
{
        struct pxr_slot **slot = malloc(3 * graph->nodes * sizeof(*slot));
        size_t space = apart ? PXR_SENTINEL : 0;
        int slots = 0;

        *plan = (struct pxr_plan) { .place = calloc(graph->nodes, sizeof(*plan->place)) };
        if (!slot || !plan->place || mark(graph, plan->place)) {
                free(slot);
                pxr_plan_free(plan);
                return -1;
        }
        find_lifetimes(graph, plan->place, use == PXR_FOR_TRAINING);
        plan->advances = turns && !turns->fallback;
        for (int i = 0; turns && i < graph->nodes; i++)
                plan->place[i].one_pixel = turns->one_pixel[i];
        set_sizes(graph, plan, precision == PXR_F32 ? sizeof(float) : sizeof(double), images);
        for (int i = 0; i < graph->nodes; i++) {
                struct pxr_slot *own[] = { &plan->place[i].output, &plan->place[i].gradient,
                                           &plan->place[i].state };

                for (int k = 0; k < 3; k++) {
                        if (!own[k]->used)
                                continue;
                        slot[slots++] = own[k];
                        if (apart || use == PXR_FOR_GENERATION || use == PXR_FOR_INSPECTION) {
                                own[k]->birth = 0;
                                own[k]->death = 2 * graph->nodes;
                        }
                }
        }
        qsort(slot, slots, sizeof(*slot), by_size);
        for (int i = 0; i < slots; i++) {
                slot[i]->offset = lowest_offset(slot, i, space);
                if (slot[i]->offset + slot[i]->size + space > plan->slab_bytes)
                        plan->slab_bytes = slot[i]->offset + slot[i]->size + space;
        }
        free(slot);
        return 0;
}

void pxr_plan_free(struct pxr_plan *plan)
{
        free(plan->place);
        plan->place = NULL;
}
