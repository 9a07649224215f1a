/* SPDX-License-Identifier: MIT */
/*
 * plan.h - where each tensor of a workspace lies, from when it is written and last read.
 */
#ifndef PXR_TENSOR_PLAN_H
#define PXR_TENSOR_PLAN_H

#include "tensor/turns.h"
#include "tensor/workspace.h"

enum { PXR_ALIGNMENT = 64, PXR_SENTINEL = 64 };

/* One tensor in the slab. */
struct pxr_slot {
        size_t offset, size; /* bytes; sentinels, if any, lie outside */
        int birth, death;    /* first and last moment of use, both included */
        bool used;
};

/* The forward pass, and that of a part of the graph again before the gradients through it. */
enum pxr_time { PXR_ONCE, PXR_AGAIN, PXR_TIMES };

enum { PXR_SLOTS = 2 * PXR_TIMES + 1 };

/* One node's part of the plan. */
struct pxr_place {
        struct pxr_slot output[PXR_TIMES], state[PXR_TIMES], gradient;
        int first, end;                  /* the part of the graph it is in: nodes first to end-1 */
        bool again;                      /* computed again for the gradients of its part */
        bool live;                       /* the logits depend on it */
        enum pxr_span kept;              /* what of it `output` has room for */
        bool trained;                    /* a gradient flows through it */
        bool accumulate[PXR_MAX_INPUTS]; /* in the backward pass */
};

/* All slots of a place. */
static inline void pxr_place_slots(struct pxr_place *place, struct pxr_slot *slot[PXR_SLOTS])
{
        for (int time = 0; time < PXR_TIMES; time++) {
                slot[2 * time] = &place->output[time];
                slot[2 * time + 1] = &place->state[time];
        }
        slot[PXR_SLOTS - 1] = &place->gradient;
}

/* Which output of `input` its reader reads, PXR_ONCE in the forward pass, PXR_AGAIN after it. */
static inline enum pxr_time pxr_place_read(const struct pxr_place *input,
                                           const struct pxr_place *reader, enum pxr_time time)
{
        return time == PXR_AGAIN && input->again && input->first == reader->first ? PXR_AGAIN
                                                                                  : PXR_ONCE;
}

struct pxr_plan {
        struct pxr_place *place; /* [nodes], malloc'ed */
        size_t slab_bytes, scratch_bytes;
        bool advances; /* nothing but `advance` is called, constant nodes apart */
};

/* With `turns` there is room for what generation needs alone; NULL: for every tensor whole. Returns
 * 0, or -1 when memory is out. */
int pxr_plan_make(struct pxr_plan *plan, const struct pxr_graph *graph,
                  enum pxr_precision precision, enum pxr_use use, int images, bool apart,
                  const struct pxr_turns *turns);

/* Values of a node's output and of its state in such a plan. */
size_t pxr_plan_output(const struct pxr_plan *plan, const struct pxr_node *node, int images);
size_t pxr_plan_state(const struct pxr_plan *plan, const struct pxr_node *node, int images);
void pxr_plan_free(struct pxr_plan *plan);

#endif
