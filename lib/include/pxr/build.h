/* SPDX-License-Identifier: MIT */
/*
 * build.h - composing a graph: what a layer's `build` function calls.
 *
 * Every function here that makes a node returns NULL after an error, which it has recorded, and
 * passes a NULL input on in silence. A build function can therefore chain calls and return the
 * last result without a check.
 */
#ifndef PXR_BUILD_H
#define PXR_BUILD_H

#include <pxr/distribution.h>
#include <pxr/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pxr_builder;

/* A new node. `conf` (conf_size bytes) is copied. A NULL among the inputs was left by a failed
 * call: the result is then NULL too. */
struct pxr_new_node {
        const struct pxr_op *op;
        const void *conf;
        size_t conf_size;
        struct pxr_shape shape;
        int gates; /* 0 is taken as 1 */
        int inputs;
        struct pxr_node *input[PXR_MAX_INPUTS];
};
struct pxr_node *pxr_add_node(struct pxr_builder *builder, const struct pxr_new_node *new_node);

/* A parameter of `node`, named "<layer>.<name>", next in node->parameter. Returns 0 or -1. */
int pxr_add_parameter(struct pxr_builder *builder, struct pxr_node *node, const char *name,
                      pxr_init *init, int rank, const int *shape);

/* Parameter number `number` of `owner`, also next in node->parameter: tied weights, whose one
 * gradient both add to. Returns 0 or -1. */
int pxr_share_parameter(struct pxr_node *node, const struct pxr_node *owner, int number);

/* A node of an op made with PXR_ELEMENTWISE: the shape stays. */
struct pxr_node *pxr_add_elementwise(struct pxr_builder *builder, const struct pxr_op *op,
                                     struct pxr_node *input);

/* max(x, 0) */
struct pxr_node *pxr_relu(struct pxr_builder *builder, struct pxr_node *input);

/* a + b, of equal shapes and gates: a residual connection (section 3.3). */
struct pxr_node *pxr_add(struct pxr_builder *builder, struct pxr_node *a, struct pxr_node *b);

/* Which inputs a masked convolution may read at its own pixel (section 3.4). */
enum pxr_mask {
        PXR_MASK_A,    /* strictly earlier colours: the first layer */
        PXR_MASK_B,    /* the same and earlier colours: all further layers */
        PXR_MASK_NONE, /* every tap is live: for maps that do not hold the image itself */
};

struct pxr_conv {
        int kernel;   /* width, odd */
        int height;   /* odd; 0: as the width */
        int mask;     /* enum pxr_mask */
        int features; /* channels of the output, over all gates */
        int gates;    /* blocks of features that are divided among the colours; 0 is 1 */
        bool bias;
        pxr_init *bias_init; /* NULL: zeros */
        double gain;         /* weights start uniform within +-gain sqrt(3 / live inputs) */
};

/* A convolution, zero-padded to keep rows and columns. Parameters: weight [kernel height, kernel
 * width, in, out] and bias [out]. `name` is put before theirs ("left" gives "left.weight"); NULL
 * for none. */
struct pxr_node *pxr_conv(struct pxr_builder *builder, const char *name,
                          const struct pxr_conv *settings, struct pxr_node *input);

/* The recurrent part of an LSTM layer over the image (section 3.1 and 3.2). */
enum pxr_scan {
        PXR_SCAN_ROWS,  /* row by row from the top: the Row LSTM */
        PXR_SCAN_LEFT,  /* diagonal by diagonal from the top left corner */
        PXR_SCAN_RIGHT, /* its mirror image, from the top right; the output is shifted down by one
                           row, so that no pixel sees what lies to its right in its own row */
};

struct pxr_lstm {
        int scan;    /* enum pxr_scan */
        int kernel;  /* PXR_SCAN_ROWS: taps in the row above, odd. Diagonals: always 2 */
        double gain; /* weights start uniform within +-gain sqrt(3 / inputs) */
};

/* The input-to-state map of an LSTM: a convolution along the row, 1 x `kernel`, mask B, to 4 gates
 * [o f i g] of `features` each, and what conditions the model (pxr_conditioned()). Parameters:
 * input_to_state.weight [1, kernel, in, 4 features] and input_to_state.bias [4 features], which
 * starts at 1 for the forget gates. `name` and `gain` as for pxr_conv(). */
struct pxr_node *pxr_input_to_state(struct pxr_builder *builder, const char *name, int kernel,
                                    int features, double gain, struct pxr_node *input);

/* Run an LSTM over a map of 4 gates [o f i g], which the input-to-state convolution has made.
 * Parameters: state_to_state [tap, features, 4 features] (unmasked; taps from left to right, or the
 * left neighbour and the one above), initial_state and initial_cell [features], the learned state
 * where a scan begins. Beyond the other edges of the image the state is zero. `name` as above. */
struct pxr_node *pxr_lstm(struct pxr_builder *builder, const char *name,
                          const struct pxr_lstm *settings, struct pxr_node *gates);

/* A deconvolution with stride 2 and a kernel of 4x4, which doubles rows and columns: of the
 * upsampling network of section 3.6. Parameters: weight [4, 4, in, out] and bias [out]. */
struct pxr_node *pxr_deconv(struct pxr_builder *builder, const char *name, int features,
                            double gain, struct pxr_node *input);

/* The small image a conditional model is given (section 3.6): the image subsampled to rows x cols,
 * of which it must be a multiple. One such size to a model. */
struct pxr_node *pxr_small_image(struct pxr_builder *builder, int rows, int cols);

/* From here on in this build function and in the layers it builds, `map` conditions the model: see
 * pxr_conditioned(). */
void pxr_condition(struct pxr_builder *builder, struct pxr_node *map);

/* Where a map conditions the model: `node` plus an unmasked 1x1 convolution of that map, whose
 * parameter is condition.weight [1, 1, map's channels, node's] ("left.condition.weight" with the
 * name "left"). Elsewhere: `node`. */
struct pxr_node *pxr_conditioned(struct pxr_builder *builder, const char *name,
                                 struct pxr_node *node);

/* End the graph: `logits` are what `distribution` takes, distribution->channels(levels) for each
 * colour. Returns logits, or NULL. */
struct pxr_node *pxr_output(struct pxr_builder *builder, struct pxr_node *logits,
                            const struct pxr_distribution *distribution);

/* A 1x1 convolution (mask B) of `input`, conditioned if a map conditions the model, to the logits
 * that `distribution` takes, and the end of the graph. Parameters: weight [1, 1, in, out] and bias
 * [out]. */
struct pxr_node *pxr_output_conv(struct pxr_builder *builder, struct pxr_node *input,
                                 const struct pxr_distribution *distribution);

/* Check that `input` is the image, for a layer that is a whole model. Returns 0, or -1 after an
 * error. */
int pxr_expect_image(struct pxr_builder *builder, const struct pxr_node *input);

/* Of the image that is modelled: rows and columns, 1 or 3 colours, and the values a colour can
 * have. */
int pxr_image_rows(const struct pxr_builder *builder);
int pxr_image_cols(const struct pxr_builder *builder);
int pxr_image_colours(const struct pxr_builder *builder);
int pxr_image_levels(const struct pxr_builder *builder);

/* Record an error at the layer that is being built. Always NULL. */
struct pxr_node *pxr_layer_error(struct pxr_builder *builder, const char *format, ...)
        PXR_PRINTF(2, 3);

/* Zeros, the start of a bias. */
pxr_init pxr_init_zeros;

#ifdef __cplusplus
}
#endif
#endif
