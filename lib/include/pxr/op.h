/* SPDX-License-Identifier: MIT */
/*
 * op.h - what an op is: the kernels of a node of the graph, and what they may touch.
 *
 * An op computes one tensor from others, in three ways that must agree: `forward` computes the
 * whole map, `backward` its gradient, and `advance` one pixel and colour group, once everything
 * before it is known. Plugins define ops exactly as libpxr does.
 *
 * A tensor is real[row][col][image][channel], channel contiguous. `real` is float for training and
 * use, double for gradient checks; each kernel exists for both (see <pxr/precisions.h>).
 */
#ifndef PXR_OP_H
#define PXR_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/diag.h>
#include <pxr/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of work, and of gradient checks; and mixed precision, for training alone (struct pxr_mixed). */
enum pxr_precision { PXR_F32, PXR_F64, PXR_PRECISIONS, PXR_BF16 = PXR_PRECISIONS };

enum {
        PXR_MAX_INPUTS = 4,
        PXR_MAX_PARAMETERS = 8,
        PXR_MAX_COLOURS = 3,
        PXR_MAX_RANK = 4,
        PXR_SELF = -1, /* as an input in `depends`: the op's own output */
};

/* The shape of a tensor, for one image. */
struct pxr_shape {
        int rows, cols, channels;
};

struct pxr_op;
struct pxr_parameter;

/* One tensor of a graph, and the op that computes it. */
struct pxr_node {
        int index; /* position in the graph; inputs have lower ones, the image has 0 */
        const struct pxr_op *op;
        const void *conf; /* the op's settings, a copy of what pxr_add_node() was given */
        struct pxr_shape shape;
        int colours; /* colour groups: 1, or 3 for R, G, B */
        int gates;   /* equal blocks of channels, each divided among the colours; usually 1 */
        int inputs;
        struct pxr_node *input[PXR_MAX_INPUTS];
        int parameters;
        struct pxr_parameter *parameter[PXR_MAX_PARAMETERS];
        bool constant;     /* does not depend on the image; generation computes it once */
        const char *layer; /* the layer it belongs to: "layers.1.0.residual.conv" */
        struct pxr_location location; /* of that layer in the spec */
};

/* Write the initial values of a parameter: parameter->size values, zeroed by the caller. */
typedef void pxr_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                      double *values);

/* One trainable array. All parameters of a graph are slices of one array, in the order in which
 * they were added. */
struct pxr_parameter {
        const char *name; /* "layers.0.conv.weight" */
        const struct pxr_node *node;
        int rank;
        int shape[PXR_MAX_RANK];
        size_t size;   /* values */
        size_t offset; /* of its first value in that array */
        pxr_init *init;
        struct pxr_parameter *next;
};

/* What random numbers of a step of training are keyed by, besides a purpose and the node. */
struct pxr_training_step {
        uint64_t seed;
        uint32_t step;        /* from 0 */
        uint32_t first_image; /* number in the batch of the micro-batch's first image */
};

/* The arguments of a kernel. Pointers are to float or double, by the kernel's precision. A kernel
 * writes to `output` (forward, advance), the gradients (backward), `state` and `scratch` only. */
struct pxr_call {
        const struct pxr_node *node;
        int images; /* in this micro-batch; the image dimension of every tensor */
        const void *input[PXR_MAX_INPUTS];
        void *output;
        const void *parameter[PXR_MAX_PARAMETERS];
        void *state;   /* op->state() values, kept for later kernels of the same node */
        void *scratch; /* op->scratch() values of undefined content */

        /* backward */
        const void *output_gradient;
        void *input_gradient[PXR_MAX_INPUTS];         /* NULL: not wanted */
        bool accumulate[PXR_MAX_INPUTS];              /* add to input_gradient; else overwrite it */
        void *parameter_gradient[PXR_MAX_PARAMETERS]; /* add to them; all NULL: not wanted */

        /* advance */
        int row, col, colour;

        /* mixed precision */
        const void *packed; /* what `pack` made of the parameters */
        bool exact;         /* the output is float32, not bfloat16 */

        /* of an op that fuses */
        const void *addend; /* forward: added to the output; NULL: nothing */
        bool rectify;       /* forward: the output, and what is added, are then made at least 0 */
        bool gate;          /* backward: what goes to the gradient of input 0 is 0 where that input
                               is not above 0 */

        const struct pxr_training_step *training; /* NULL: not a step of training */
};

typedef void pxr_kernel(const struct pxr_call *call);

/* The kernels of an op in one precision. `backward` may be NULL if neither the op nor any node it
 * is computed from has parameters. `advance` may be NULL: generation then makes a whole forward
 * pass for each value. */
struct pxr_kernels {
        pxr_kernel *forward;
        pxr_kernel *backward;
        pxr_kernel *advance;
};

/* Collects what `depends` declares. */
struct pxr_dependencies {
        /* Declare that colour group `colour` of `input` (or PXR_SELF) at (row, col) is read.
         * Positions, colours and inputs out of range are ignored. */
        void (*read)(struct pxr_dependencies *deps, int input, int row, int col, int colour);
};

enum pxr_op_flags {
        PXR_BACKWARD_READS_INPUT = 1 << 0,  /* call->input is only valid in backward with it */
        PXR_BACKWARD_READS_OUTPUT = 1 << 1, /* the same of call->output */
        /* `advance` supports maps with other rows and columns than the image: it is called for
         * each value of the image, and computes what that value completes. Without this flag such a
         * node rules out generation by `advance`. */
        PXR_ADVANCE_OF_ANY_SHAPE = 1 << 2,
        /* `advance` writes its output only at the pixel it is called for, and reads none of it. If
         * all readers read the same pixel or row only, generation keeps one pixel or row of it
         * instead of the map. */
        PXR_ADVANCE_AT_ITS_PIXEL = 1 << 3,
        /* `advance` reads its inputs only in the row of the pixel it is called for, whatever
         * `depends` declares, because it keeps what it needs of other rows in its state. */
        PXR_ADVANCE_READS_ITS_ROW = 1 << 4,
};

/* A bfloat16 number: the upper half of a float32. */
typedef uint16_t pxr_bf16;

/*
 * An op in mixed precision. Maps (input, output and their gradients) are bfloat16, parameters and
 * their gradients float32; sums are to be float32 too. Sizes are bytes. An op without it is
 * computed by its float32 kernels, and its maps are converted.
 */
struct pxr_mixed {
        pxr_kernel *forward, *backward;
        bool exact;     /* `forward` heeds pxr_call's `exact`: it can make the logits */
        bool reads_f32; /* its input may be an image, whose values are float32 */
        size_t (*scratch)(const struct pxr_node *node, int images); /* NULL: none */
        size_t (*state)(const struct pxr_node *node, int images);   /* NULL: none */

        /* Bytes that `pack` makes of the parameters, once for each step. NULL: none. */
        size_t (*packed)(const struct pxr_node *node);
        void (*pack)(const struct pxr_node *node, const float *const *parameter, void *packed);

        /* The kernels heed `addend`, `rectify` and `gate`: sums and rectifiers that follow the op
         * or come before it are then computed with it. */
        bool fuses;
};

/* An op: constant, and shared by all its nodes. */
struct pxr_op {
        const char *name;
        unsigned flags;
        struct pxr_kernels kernels[PXR_PRECISIONS];

        /* Values of scratch that a kernel needs for `images` images. NULL: none. */
        size_t (*scratch)(const struct pxr_node *node, int images);

        /* Values that `forward` keeps for `backward`, and `advance` for later calls of `advance`,
         * besides the output; for example the gates and cells of a scan. NULL: none. */
        size_t (*state)(const struct pxr_node *node, int images);

        /* How many `advance` keeps, if that is another number. NULL: as many. */
        size_t (*advance_state)(const struct pxr_node *node, int images);

        /* Declare everything that colour group `colour` of the output at (row, col) reads
         * directly. The causality certificate relies on it and checks it against the kernels.
         * NULL: the same pixel and colour group of every input. */
        void (*depends)(const struct pxr_node *node, int row, int col, int colour,
                        struct pxr_dependencies *deps);

        /* Multiply-adds of `forward` for one image, without those that a mask zeroes. NULL: 0. */
        double (*multiply_adds)(const struct pxr_node *node);

        const struct pxr_mixed *mixed; /* NULL: none */
};

/* The first channel of colour group `colour` in a block of `channels`; the group ends before
 * pxr_group_begin(channels, colours, colour + 1). Channel f is in group floor(colours f /
 * channels): the R, G and B thirds of section 3.4, also if 3 does not divide the channels. */
static inline int pxr_group_begin(int channels, int colours, int colour)
{
        return (colour * channels + colours - 1) / colours;
}

/* Values of one pixel in all images, and of the whole map. */
static inline size_t pxr_pixel_size(const struct pxr_node *node, int images)
{
        return (size_t)images * node->shape.channels;
}
static inline size_t pxr_map_size(const struct pxr_node *node, int images)
{
        return (size_t)node->shape.rows * node->shape.cols * pxr_pixel_size(node, images);
}

/* The values that `advance` computes of a pixel: for each image and gate the channels of one
 * colour, in `count` runs of `size` values. Run r begins first + r stride values after the
 * beginning of the pixel. Runs without gaps between them are merged into one. */
struct pxr_runs {
        size_t first, stride, size, count;
};
static inline struct pxr_runs pxr_runs_of(const struct pxr_node *node, int images, int colour)
{
        int block = node->shape.channels / node->gates;
        int begin = pxr_group_begin(block, node->colours, colour);
        int end = pxr_group_begin(block, node->colours, colour + 1);
        struct pxr_runs runs;

        runs.first = (size_t)begin;
        runs.stride = (size_t)block;
        runs.size = (size_t)(end - begin);
        runs.count = (size_t)images * node->gates;
        if (runs.size == runs.stride) {
                runs.size *= runs.count;
                runs.count = 1;
        }
        return runs;
}

/* C = alpha A B + beta C, row-major, as by cblas_sgemm() and cblas_dgemm(): A is m x k (k x m if
 * transposed), B is k x n (n x k if transposed). Unlike there, k = 0 leaves C unchanged for any
 * beta. The bits of a row of C may depend on m, but never on the values of other rows. */
void pxr_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc);
void pxr_gemm_f64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
                  const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                  size_t ldc);

#ifdef __cplusplus
}
#endif
#endif
