/* SPDX-License-Identifier: MIT */
/*
 * mixed.h - ops in mixed precision: packed parameters, and float32 kernels on maps of bfloat16.
 */
#ifndef PXR_TENSOR_MIXED_H
#define PXR_TENSOR_MIXED_H

#include "tensor/memory_plan.h"

/* The precisions of a spec, "f32" and "bf16", NULL at the end; and what number `name` of them is.
 */
extern const char *const pxr_precision_names[];
enum pxr_precision pxr_precision_of(int name);

/* Pack the float32 parameters of all ops that want it, into plan->packed_bytes bytes. */
void pxr_mixed_pack(const struct pxr_memory_plan *plan, const struct pxr_graph *graph, int threads,
                    const float *parameters, char *packed);

/* Run the forward or backward kernel of a call. `convert`: plan->convert_bytes bytes of scratch for
 * maps of another precision than the kernel's. */
void pxr_mixed_run(const struct pxr_memory_plan *plan, const struct pxr_call *call, bool backward,
                   const char *packed, char *convert);

/* The first node of the graph whose op has no kernels for mixed precision, and computes maps of
 * bfloat16 in float32; NULL: none. */
const struct pxr_node *pxr_mixed_fallback(const struct pxr_graph *graph);

#endif
