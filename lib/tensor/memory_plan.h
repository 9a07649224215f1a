/* SPDX-License-Identifier: MIT */
/*
 * memory_plan.h - the location of each tensor in a workspace's slab of memory.
 */
#ifndef PXR_TENSOR_MEMORY_PLAN_H
#define PXR_TENSOR_MEMORY_PLAN_H

#include "tensor/generation_schedule.h"
#include "tensor/liveness.h"

enum { PXR_ALIGNMENT = 64, PXR_SENTINEL = 64 };

/* The passes a workspace serves, and so what its memory must hold. */
enum pxr_use {
        PXR_FOR_TRAINING,         /* forward, loss, backward */
        PXR_FOR_UNFUSED_TRAINING, /* the same, each op by itself: in mixed precision other bits,
                                     for tests and for finding the origin of a NaN */
        PXR_FOR_CHECKPOINTED_TRAINING, /* the same bits in less memory: activation checkpointing,
                                          which recomputes most tensors in the backward pass */
        PXR_FOR_EVALUATION,            /* forward, loss */
        PXR_FOR_GENERATION,            /* advance; a tensor that is only read at the same pixel or
                                          in the same row is kept for that pixel or row alone */
        PXR_FOR_INSPECTION,            /* forward, advance; every tensor is kept */
};

struct pxr_memory_plan {
        struct pxr_node_memory *memory; /* [nodes], malloc'ed */
        size_t slab_bytes, scratch_bytes;
        size_t packed_bytes;  /* of all packed parameters, in mixed precision */
        size_t convert_bytes; /* of maps that are converted for a float32 kernel */
        bool may_advance;     /* for generation or inspection */
        bool advances;        /* all nodes are computed by `advance`, except constant ones */
};

/* Plan the memory for micro-batches of up to `images`. `checked` puts sentinels between buffers and
 * lets none share memory. `schedule`: keep only what generation needs; NULL: keep whole maps.
 * Returns 0, or -1 when out of memory. */
int pxr_memory_plan_make(struct pxr_memory_plan *plan, const struct pxr_graph *graph,
                         enum pxr_precision precision, enum pxr_use use, int images, bool checked,
                         const struct pxr_generation_schedule *schedule);

/* Bytes rounded up to PXR_ALIGNMENT. */
static inline size_t pxr_aligned_size(size_t size)
{
        return (size + PXR_ALIGNMENT - 1) / PXR_ALIGNMENT * PXR_ALIGNMENT;
}

/* Values of a node's output and of its state for `images` images. */
size_t pxr_planned_output(const struct pxr_memory_plan *plan, const struct pxr_node *node,
                          int images);
size_t pxr_planned_state(const struct pxr_memory_plan *plan, const struct pxr_node *node,
                         int images);
void pxr_memory_plan_free(struct pxr_memory_plan *plan);

#endif
