/* SPDX-License-Identifier: MIT */
/*
 * build.h - composing a graph: what a layer's `build` function calls.
 *
 * A function that makes a node records an error and returns NULL if it fails, and returns NULL
 * silently if an input is NULL. So a build function can chain calls and return the last result
 * without checks. Nodes and their names live as long as the model.
 */
#ifndef PXR_BUILD_H
#define PXR_BUILD_H

#include <pxr/distribution.h>
#include <pxr/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pxr_builder;

/* Add a node. `conf` (conf_size bytes) is copied. */
struct pxr_new_node {
        const struct pxr_op *op;
        const void *conf;
        size_t conf_size;
        struct pxr_shape shape;
        int gates; /* 0 means 1 */
        int inputs;
        struct pxr_node *input[PXR_MAX_INPUTS];
};
struct pxr_node *pxr_add_node(struct pxr_builder *builder, const struct pxr_new_node *new_node);

/* Append a parameter to node->parameter, named "<layer>.<name>"; "<layer>.<name>_2", "_3" and so on
 * if that name is in use. `shape` has `rank` extents. Returns 0, or -1 after an error. */
int pxr_add_parameter(struct pxr_builder *builder, struct pxr_node *node, const char *name,
                      pxr_init *init, int rank, const int *shape);

/* Append parameter number `number` of `owner` to node->parameter: tied weights, to whose gradient
 * both nodes add. Returns 0, or -1 if there is no such parameter or room. */
int pxr_share_parameter(struct pxr_node *node, const struct pxr_node *owner, int number);

/* A node of an op defined by PXR_ELEMENTWISE, with the shape of its input. */
struct pxr_node *pxr_add_elementwise(struct pxr_builder *builder, const struct pxr_op *op,
                                     struct pxr_node *input);

/* max(x, 0) */
struct pxr_node *pxr_relu(struct pxr_builder *builder, struct pxr_node *input);

/* tanh(a) sigmoid(b), or a sigmoid(b) if `linear`, of a map of 2 gates [a b]: the gated activation
 * unit of Gated PixelCNN, and that of PixelCNN++. */
struct pxr_node *pxr_gate(struct pxr_builder *builder, bool linear, struct pxr_node *input);

/* In training, zero each value with probability `rate`, from 0 to less than 1, and divide the
 * others by 1 - rate; everywhere else the input as it is. */
struct pxr_node *pxr_dropout(struct pxr_builder *builder, double rate, struct pxr_node *input);

/* a + b, which must have equal shapes and gates: a residual connection (section 3.3). */
struct pxr_node *pxr_add(struct pxr_builder *builder, struct pxr_node *a, struct pxr_node *b);

/* The taps of a convolution that are live. A and B: the rows above, the pixels to the left and, at
 * the output's own pixel, some colours (section 3.4). */
enum pxr_mask {
        PXR_MASK_A,     /* earlier colours only: for the first layer */
        PXR_MASK_B,     /* the same and earlier colours: for all later layers */
        PXR_MASK_NONE,  /* every tap is live: for maps that do not depend on the image, and for 1x1
                           kernels on maps that do not depend on their own pixel */
        PXR_MASK_ABOVE, /* only the rows above, in their whole width */
        PXR_MASK_ROWS,  /* the rows above and the own row, in their whole width: for maps that
                           depend only on the rows above their own */
};

struct pxr_conv {
        int kernel;   /* width, odd */
        int height;   /* odd; 0: the same as the width */
        int mask;     /* enum pxr_mask */
        int features; /* channels of the output, all gates together */
        int gates;    /* blocks of features, each divided among the colours; 0 means 1 */
        bool bias;
        pxr_init *bias_init; /* NULL: zeros */
        double gain;         /* weights start uniform within +-gain sqrt(3 / live inputs) */
};

/* A convolution, zero-padded so that the output has the input's rows and columns. Parameters:
 * weight [kernel height, kernel width, in, out] and bias [out]. `name` is a prefix of their names
 * ("left": "left.weight"); NULL: no prefix. */
struct pxr_node *pxr_conv(struct pxr_builder *builder, const char *name,
                          const struct pxr_conv *settings, struct pxr_node *input);

/* The same with weight normalization (Salimans and Kingma 2016): the weights of an output feature
 * are scale v / |v|, where the norm is over the inputs that no mask cuts off. Parameters: weight,
 * which is v; scale [out], which starts at |v|, so that the output starts as that of pxr_conv();
 * and bias. An error if the gain is 0: weights of zero would stay zero. */
struct pxr_node *pxr_weight_norm_conv(struct pxr_builder *builder, const char *name,
                                      const struct pxr_conv *settings, struct pxr_node *input);

/* The order in which an LSTM goes over the image (sections 3.1 and 3.2). */
enum pxr_scan {
        PXR_SCAN_ROWS,  /* row by row from the top: the Row LSTM */
        PXR_SCAN_LEFT,  /* diagonal by diagonal from the top left corner */
        PXR_SCAN_RIGHT, /* the mirror image, from the top right; its output is shifted down by one
                           row, so that no pixel depends on pixels to its right in its own row */
};

struct pxr_lstm {
        int scan;    /* enum pxr_scan */
        int kernel;  /* PXR_SCAN_ROWS: taps in the row above, odd; ignored for diagonals */
        double gain; /* weights start uniform within +-gain sqrt(3 / inputs) */
};

/* The input-to-state map of an LSTM: a convolution along the row (1 x `kernel`, mask B) to 4 gates
 * [o f i g] of `features` channels each, conditioned if a map conditions the model. Parameters:
 * input_to_state.weight [1, kernel, in, 4 features] and input_to_state.bias [4 features], which
 * starts at 1 for the forget gates and at 0 for the others. `name` and `gain` as for pxr_conv(). */
struct pxr_node *pxr_input_to_state(struct pxr_builder *builder, const char *name, int kernel,
                                    int features, double gain, struct pxr_node *input);

/* An LSTM over the 4 gates [o f i g] that pxr_input_to_state() returned; its output is h.
 * Parameters: state_to_state [tap, features, 4 features] (unmasked; taps from left to right, or the
 * left neighbour and the pixel above), and initial_state and initial_cell [features], the learned
 * state before the first row or column. Beyond the other edges of the image the state is zero.
 * `name` as for pxr_conv(). */
struct pxr_node *pxr_lstm(struct pxr_builder *builder, const char *name,
                          const struct pxr_lstm *settings, struct pxr_node *gates);

/* A deconvolution (4x4, stride 2) that doubles rows and columns: the upsampling network of section
 * 3.6. Parameters: weight [4, 4, in, out] and bias [out]. `name` and `gain` as for pxr_conv(). */
struct pxr_node *pxr_deconv(struct pxr_builder *builder, const char *name, int features,
                            double gain, struct pxr_node *input);

/* The small image that a conditional model is given (section 3.6): the image subsampled to rows x
 * cols, which must divide the image's. A model can have one. */
struct pxr_node *pxr_small_image(struct pxr_builder *builder, int rows, int cols);

/* Let `map` condition the model in the rest of this build function and in the layers it builds: see
 * pxr_conditioned(). */
void pxr_condition(struct pxr_builder *builder, struct pxr_node *map);

/* The class of the image, for a model of log p(image | class): a constant map of one pixel with a
 * channel for each class, 1 for the image's own and 0 for all others. The same node at each call.
 * An error if the images have no labels: see pxr_image_classes(). */
struct pxr_node *pxr_class(struct pxr_builder *builder);

/* `node` plus a learned vector for each class, the same at all pixels: V h of "Conditional Image
 * Generation with PixelCNN Decoders" (van den Oord et al. 2016, equation 4). With the parameter
 * class.weight [1, 1, classes, node's channels] ("left.class.weight" if `name` is "left"), which
 * starts at zero. */
struct pxr_node *pxr_class_bias(struct pxr_builder *builder, const char *name,
                                struct pxr_node *node);

/* Let the class condition the model in the rest of this build function and in the layers it builds:
 * pxr_conditioned() then adds a pxr_class_bias() too. */
void pxr_condition_on_class(struct pxr_builder *builder);

/* `node` plus an unmasked 1x1 convolution of the map that conditions the model, with the parameter
 * condition.weight [1, 1, map's channels, node's channels] ("left.condition.weight" if `name` is
 * "left"); `node` itself without such a map. */
struct pxr_node *pxr_conditioned(struct pxr_builder *builder, const char *name,
                                 struct pxr_node *node);

/* End the graph with the logits of `distribution`: distribution->channels(levels) channels for each
 * colour, R first. Returns `logits`, or NULL after an error. */
struct pxr_node *pxr_output(struct pxr_builder *builder, struct pxr_node *logits,
                            const struct pxr_distribution *distribution);

/* The same with a distribution over pixels, whose settings `conf` (conf_size bytes) are copied: the
 * graph ends with distribution->channels() channels for all colours together. */
struct pxr_node *pxr_output_pixels(struct pxr_builder *builder, struct pxr_node *logits,
                                   const struct pxr_pixel_distribution *distribution,
                                   const void *conf, size_t conf_size);

/* A 1x1 convolution (mask B) of `input`, conditioned if a map conditions the model, to the logits
 * that `distribution` takes, and the end of the graph. Parameters: weight [1, 1, in, out] and bias
 * [out]. */
struct pxr_node *pxr_output_conv(struct pxr_builder *builder, struct pxr_node *input,
                                 const struct pxr_distribution *distribution);

/* Check that `input` is the image, for a layer that is a whole model. Returns 0, or -1 after an
 * error. */
int pxr_expect_image(struct pxr_builder *builder, const struct pxr_node *input);

/* The images that are modelled: rows, columns, colours (1 or 3), and levels (values of a colour).
 */
int pxr_image_rows(const struct pxr_builder *builder);
int pxr_image_cols(const struct pxr_builder *builder);
int pxr_image_colours(const struct pxr_builder *builder);
int pxr_image_levels(const struct pxr_builder *builder);

/* The classes that the labels of the images tell apart; 0: the images have no labels, or they are
 * not read. */
int pxr_image_classes(const struct pxr_builder *builder);

/* Record an error at the layer being built. Always returns NULL. */
struct pxr_node *pxr_layer_error(struct pxr_builder *builder, const char *format, ...)
        PXR_PRINTF(2, 3);

/* Initial values of zero. */
pxr_init pxr_init_zeros;

#ifdef __cplusplus
}
#endif
#endif
