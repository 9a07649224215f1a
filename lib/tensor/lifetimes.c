/* SPDX-License-Identifier: MIT */
/*
 * lifetimes.c - from which moment to which each tensor of a plan is of use.
 *
 * With n nodes, node i is computed at moment i and the loss at n. Then come the parts, the last
 * first: each is computed again, but for the last, and after it the gradients through it (T. Chen
 * et al., Training Deep Nets with Sublinear Memory Cost, 2016). Without recomputation there is but
 * one part.
 */
#include "tensor/lifetimes.h"

#include <stdlib.h>

static int turn_of(const struct pxr_graph *graph, const struct pxr_place *place)
{
        return graph->nodes + 1 + 2 * (graph->nodes - place->end);
}

static int again_at(const struct pxr_graph *graph, const struct pxr_place *place, int i)
{
        return turn_of(graph, &place[i]) + i - place[i].first;
}

static int backward_at(const struct pxr_graph *graph, const struct pxr_place *place, int i)
{
        int size = place[i].end - place[i].first;

        return turn_of(graph, &place[i]) + size + place[i].end - 1 - i;
}

static void extend(struct pxr_slot *slot, int moment)
{
        if (moment > slot->death)
                slot->death = moment;
}

static void begin(struct pxr_slot *slot, int moment)
{
        slot->used = true;
        slot->birth = slot->death = moment;
}

int pxr_lifetimes_mark(const struct pxr_graph *graph, struct pxr_place *place)
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

/* Bytes that are computed before node `cut` and read from there on. */
static size_t read_across(const struct pxr_graph *graph, const struct pxr_place *place, int cut)
{
        size_t bytes = 0;

        for (int i = 0; i < cut; i++) {
                bool read = false;

                for (int j = cut; j < graph->nodes && !read; j++)
                        for (int k = 0; place[j].live && k < graph->node[j]->inputs; k++)
                                read |= graph->node[j]->input[k]->index == i;
                bytes += read ? place[i].output[PXR_ONCE].size : 0;
        }
        return bytes;
}

static size_t bytes_of(const struct pxr_place *place)
{
        return place->live ? place->output[PXR_ONCE].size + place->state[PXR_ONCE].size : 0;
}

/* The cut behind `first` with the least read across it, where the bytes before it are nearer to
 * number/parts of all than to the next such share. */
static int best_cut(const struct pxr_graph *graph, const struct pxr_place *place, int first,
                    double number, int parts, double all)
{
        double low = (number - 0.5) / parts * all, high = (number + 0.5) / parts * all, sum = 0;
        size_t least = SIZE_MAX;
        int best = first;

        for (int cut = 1; cut < graph->nodes; cut++) {
                size_t across;

                sum += (double)bytes_of(&place[cut - 1]);
                if (cut <= first || sum < low || sum > high)
                        continue;
                across = read_across(graph, place, cut);
                if (across < least) {
                        least = across;
                        best = cut;
                }
        }
        return best;
}

static void set_part(struct pxr_place *place, int first, int end)
{
        for (int i = first; i < end; i++) {
                place[i].first = first;
                place[i].end = end;
        }
}

void pxr_lifetimes_cut(const struct pxr_graph *graph, struct pxr_place *place, int parts)
{
        double all = 0;
        int first = 0;

        for (int i = 0; i < graph->nodes; i++)
                all += (double)bytes_of(&place[i]);
        for (int number = 1; number < parts; number++) {
                int cut = best_cut(graph, place, first, number, parts, all);

                set_part(place, first, cut);
                first = cut;
        }
        set_part(place, first, graph->nodes);
}

static bool same_part(const struct pxr_place *a, const struct pxr_place *b)
{
        return a->first == b->first;
}

/* What the gradients of each part but the last read of that part must be computed again, and what
 * of it is read for that. */
static void find_again(const struct pxr_graph *graph, struct pxr_place *place)
{
        for (int i = 0; i < graph->nodes; i++)
                place[i].again = false;
        for (int i = graph->nodes - 1; i >= 0; i--) {
                const struct pxr_node *node = graph->node[i];
                unsigned flags = place[i].trained ? node->op->flags : 0;

                if (place[i].end == graph->nodes || !place[i].live)
                        continue;
                if (flags & PXR_BACKWARD_READS_OUTPUT || (place[i].trained && node->op->state))
                        place[i].again = true;
                for (int k = 0; k < node->inputs; k++) {
                        struct pxr_place *input = &place[node->input[k]->index];

                        if (same_part(input, &place[i]) &&
                            (place[i].again || flags & PXR_BACKWARD_READS_INPUT))
                                input->again = true;
                }
        }
}

static void find_forward(const struct pxr_graph *graph, struct pxr_place *place)
{
        for (int i = 0; i < graph->nodes; i++) {
                if (!place[i].live)
                        continue;
                begin(&place[i].output[PXR_ONCE], i);
                if (graph->node[i]->op->state)
                        begin(&place[i].state[PXR_ONCE], i);
                for (int k = 0; k < graph->node[i]->inputs; k++)
                        extend(&place[graph->node[i]->input[k]->index].output[PXR_ONCE], i);
        }
        extend(&place[graph->logits->index].output[PXR_ONCE], graph->nodes);
}

static void find_backward(const struct pxr_graph *graph, struct pxr_place *place)
{
        for (int i = 0; i < graph->nodes; i++) {
                if (!place[i].again)
                        continue;
                begin(&place[i].output[PXR_AGAIN], again_at(graph, place, i));
                if (graph->node[i]->op->state)
                        begin(&place[i].state[PXR_AGAIN], again_at(graph, place, i));
        }
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                unsigned flags = place[i].trained ? node->op->flags : 0;
                int moment = backward_at(graph, place, i);

                if (place[i].trained && node->op->state)
                        extend(&place[i].state[place[i].again], moment);
                if (flags & PXR_BACKWARD_READS_OUTPUT)
                        extend(&place[i].output[place[i].again], moment);
                for (int k = 0; k < node->inputs; k++) {
                        struct pxr_place *input = &place[node->input[k]->index];
                        struct pxr_slot *slot =
                                &input->output[pxr_place_read(input, &place[i], PXR_AGAIN)];

                        if (place[i].again)
                                extend(slot, again_at(graph, place, i));
                        if (flags & PXR_BACKWARD_READS_INPUT)
                                extend(slot, moment);
                }
        }
}

static void find_gradients(const struct pxr_graph *graph, struct pxr_place *place)
{
        begin(&place[graph->logits->index].gradient, graph->nodes);
        for (int i = graph->nodes - 1; i >= 0; i--) {
                if (!place[i].trained)
                        continue;
                extend(&place[i].gradient, backward_at(graph, place, i));
                for (int k = 0; k < graph->node[i]->inputs; k++) {
                        struct pxr_place *input = &place[graph->node[i]->input[k]->index];

                        place[i].accumulate[k] = input->gradient.used;
                        if (input->trained && !input->gradient.used)
                                begin(&input->gradient, backward_at(graph, place, i));
                }
        }
}

void pxr_lifetimes_find(const struct pxr_graph *graph, struct pxr_place *place, bool training)
{
        find_forward(graph, place);
        if (!training || !place[graph->logits->index].trained)
                return;
        find_again(graph, place);
        find_backward(graph, place);
        find_gradients(graph, place);
}

void pxr_lifetimes_forever(const struct pxr_graph *graph, struct pxr_place *place)
{
        for (int i = 0; i < graph->nodes; i++) {
                struct pxr_slot *slot[PXR_SLOTS];

                pxr_place_slots(&place[i], slot);
                for (int k = 0; k < PXR_SLOTS; k++) {
                        slot[k]->birth = 0;
                        slot[k]->death = 1;
                }
        }
}
