/* SPDX-License-Identifier: MIT */
/*
 * workspace.h - one worker's memory for a graph, and the passes over it.
 *
 * A workspace holds every tensor of one micro-batch in one slab, planned from the ops' declared
 * needs: what the backward pass reads is kept, the rest is reused. The graph and the parameters
 * belong to the caller and may be shared; a workspace belongs to one thread at a time. Nothing is
 * allocated after it is made.
 */
#ifndef PXR_TENSOR_WORKSPACE_H
#define PXR_TENSOR_WORKSPACE_H

#include "tensor/memory_plan.h"

/* The passes whose kernels can be timed. */
enum pxr_pass { PXR_PASS_FORWARD, PXR_PASS_BACKWARD, PXR_PASS_ADVANCE, PXR_PASSES };

struct pxr_workspace;

/* Memory for micro-batches of up to `images`. `checked` is for tests and for finding the origin of
 * a NaN: tensors share no memory, have sentinels around them, and are filled with NaN before each
 * forward pass, the scratch before each kernel. In generation it keeps whole tensors and checks ops
 * with PXR_ADVANCE_AT_ITS_PIXEL. NULL after an error. */
struct pxr_workspace *pxr_workspace_new(const struct pxr_graph *graph, enum pxr_precision precision,
                                        enum pxr_use use, int images, bool checked,
                                        struct pxr_diag *diag);

void pxr_workspace_free(struct pxr_workspace *workspace);

/* `count` workspaces for as many workers: `first` and others like it, which share its plan. `first`
 * is taken over, and freed after an error; NULL: pxr_workspace_new() has failed already. NULL after
 * an error. */
struct pxr_workspace **pxr_workspaces_new(struct pxr_workspace *first, int count,
                                          struct pxr_diag *diag);
void pxr_workspaces_free(struct pxr_workspace **workspaces, int count);

/* Bytes that `count` such workspaces would take, which share their packed parameters. */
size_t pxr_workspace_bytes(const struct pxr_graph *graph, enum pxr_precision precision,
                           enum pxr_use use, int images, int count);

/* In mixed precision, before the passes: pack the parameters, on so many threads, for this
 * workspace and those that share its plan. */
void pxr_workspace_pack(struct pxr_workspace *workspace, int threads, const float *parameters);

/* Set the micro-batch: pixels[image][row][col][colour]. A conditional model's small images are
 * subsampled from them. */
void pxr_workspace_load(struct pxr_workspace *workspace, const uint8_t *pixels, int images);

/* Set the images' classes, for a model that is given them: before forward() or begin(). They stay
 * until they are set again; those that were never set make every output NaN. */
void pxr_workspace_classes(struct pxr_workspace *workspace, const int32_t *classes, int images);

/* Make the next passes those of a step of training, in which some ops are random; without it they
 * are not. */
void pxr_workspace_train(struct pxr_workspace *workspace, struct pxr_training_step step);

/* Set only the small images, small[image][row][col][colour]: for generation, before begin(). */
void pxr_workspace_condition(struct pxr_workspace *workspace, const uint8_t *small, int images);

/* Compute all nodes that the logits depend on. `parameters` have the workspace's precision. */
void pxr_workspace_forward(struct pxr_workspace *workspace, const void *parameters);

/* Compute the nodes from number `first` on from the present tensors, for checks that change one. */
void pxr_workspace_forward_from(struct pxr_workspace *workspace, const void *parameters, int first);

/* Add each image's negative log-likelihood, in nats, to nll[image]; for training also the gradient
 * of `scale` times their sum by the logits. */
void pxr_workspace_loss(struct pxr_workspace *workspace, double scale, double *nll);

/* The negative log-likelihood of each value by itself, nll[pixel][image][colour], after forward().
 * Added up in this order they give each image's to the bit. */
void pxr_workspace_value_loss(struct pxr_workspace *workspace, double *nll);

/* Add each image's negative log-likelihood of one pixel, all its colours, to nll[image]: after
 * forward(), or in generation once the pixel's values are set. */
void pxr_workspace_pixel_loss(struct pxr_workspace *workspace, int row, int col, double *nll);

/* Add the parameters' gradient to `gradients`, after forward and loss. */
void pxr_workspace_backward(struct pxr_workspace *workspace, const void *parameters,
                            void *gradients);

/* Generation. After begin(), for each pixel in raster order and each colour: advance(), read the
 * logits, then set() the value of every image, the last image last. `parameters` must last until
 * then. Known images can be set at once, by load() after begin(). If the graph cannot be computed
 * pixel by pixel, advance() makes a whole pass, and pxr_workspace_fallback() names the op, as
 * pxr_graph_fallback(). */
void pxr_workspace_begin(struct pxr_workspace *workspace, const void *parameters, int images);
void pxr_workspace_advance(struct pxr_workspace *workspace, int row, int col, int colour);
void pxr_workspace_set(struct pxr_workspace *workspace, int row, int col, int colour, int image,
                       int value);
const char *pxr_workspace_fallback(const struct pxr_workspace *workspace);

/* The logits of one colour of one pixel of one image; in generation, of the current pixel only. */
const void *pxr_workspace_logits(const struct pxr_workspace *workspace, int row, int col,
                                 int colour, int image);

/* The probability of each level of one colour of one pixel of one image, or its logarithm, by its
 * logits and, for a distribution over pixels, by the values set or loaded of earlier colours. */
void pxr_workspace_probabilities(const struct pxr_workspace *workspace, int row, int col,
                                 int colour, int image, bool logarithms, double *probability);

/* Start adding the seconds that each node's kernels take to seconds[pass][node]; NULL: stop. */
void pxr_workspace_time(struct pxr_workspace *workspace, double *const seconds[PXR_PASSES]);

/* A node's tensor, [row][col][image][channel], valid as long as the plan keeps it: always in a
 * checked workspace and for inspection. NULL if the logits do not depend on the node. */
void *pxr_workspace_tensor(const struct pxr_workspace *workspace, const struct pxr_node *node);

/* The gradient of the same, after backward(), in a checked workspace. NULL if there is none. */
void *pxr_workspace_gradient(const struct pxr_workspace *workspace, const struct pxr_node *node);

/* Whether these are bfloat16: in mixed precision all but the image and the logits. */
bool pxr_workspace_is_bf16(const struct pxr_workspace *workspace, const struct pxr_node *node);

/* In a checked workspace: the first node whose kernel overwrote a sentinel; and the first, in the
 * order of computation, whose tensor (if `gradient`, whose gradient) has a value that is not
 * finite. NULL: none. */
const struct pxr_node *pxr_workspace_damaged(const struct pxr_workspace *workspace);
const struct pxr_node *pxr_workspace_nonfinite(const struct pxr_workspace *workspace,
                                               bool gradient);

#endif
