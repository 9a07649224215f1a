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

/* One node's part of the plan. */
struct pxr_place {
        struct pxr_slot output, gradient, state;
        bool live;                       /* the logits depend on it */
        bool one_pixel;                  /* `output` has room for one pixel, not the map */
        bool trained;                    /* a gradient flows through it */
        bool accumulate[PXR_MAX_INPUTS]; /* in the backward pass */
};

struct pxr_plan {
        struct pxr_place *place; /* [nodes], malloc'ed */
        size_t slab_bytes, scratch_bytes;
        bool advances; /* nothing but `advance` is called, constant nodes apart */
};

/* Moments: node i is computed at i, the loss at `nodes`, the gradient through i at 2 nodes - i.
 * With `turns` there is room for what generation needs alone; NULL: for every tensor whole. Returns
 * 0, or -1 when memory is out. */
int pxr_plan_make(struct pxr_plan *plan, const struct pxr_graph *graph,
                  enum pxr_precision precision, enum pxr_use use, int images, bool apart,
                  const struct pxr_turns *turns);

/* Values of a node's state in such a plan. */
size_t pxr_plan_state(const struct pxr_plan *plan, const struct pxr_node *node, int images);
void pxr_plan_free(struct pxr_plan *plan);

#endif
