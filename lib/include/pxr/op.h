/* SPDX-License-Identifier: MIT */
/*
 * op.h - what an op is: the kernels of a node of the graph, and what they may touch.
 *
 * An op computes one tensor from others, in three ways that must agree: `forward` over the whole
 * map, `backward` (the gradient of it), and `advance`, which computes one pixel and one colour
 * group when everything before it is there. libpxr's ops and a plugin's are defined alike.
 *
 * A tensor is real[row][col][image][channel], channel contiguous, where real is float for work and
 * double for gradient checks: each kernel exists in both (see <pxr/precisions.h>).
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

enum pxr_precision { PXR_F32, PXR_F64, PXR_PRECISIONS };

enum {
        PXR_MAX_INPUTS = 4,
        PXR_MAX_PARAMETERS = 8,
        PXR_MAX_COLOURS = 3,
        PXR_MAX_RANK = 4,
        PXR_SELF = -1, /* in a `depends`: the op's own output */
};

/* One image's share of a tensor. */
struct pxr_shape {
        int rows, cols, channels;
};

struct pxr_op;
struct pxr_parameter;

/* One tensor of a graph, and the op that computes it. */
struct pxr_node {
        int index; /* position in the graph's order; inputs come before */
        const struct pxr_op *op;
        const void *conf; /* the op's settings, as given to pxr_add_node() */
        struct pxr_shape shape;
        int colours; /* colour groups of the graph: 1, or 3 for R, G, B */
        int gates;   /* equal blocks of channels, each divided among the colours; mostly 1 */
        int inputs;
        struct pxr_node *input[PXR_MAX_INPUTS];
        int parameters;
        struct pxr_parameter *parameter[PXR_MAX_PARAMETERS];
        bool constant;     /* does not depend on the image: computed once in generation */
        const char *layer; /* the layer it belongs to: "layers.1.0.residual.conv" */
        struct pxr_location location; /* that layer's place in the spec */
};

/* Write the starting value of a parameter. `values` are zeroed. */
typedef void pxr_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                      double *values);

/* One trained array. All parameters of a graph lie in one array, in the order of their making. */
struct pxr_parameter {
        const char *name; /* "layers.0.conv.weight" */
        const struct pxr_node *node;
        int rank;
        int shape[PXR_MAX_RANK];
        size_t size;   /* values */
        size_t offset; /* of the first value in the one array */
        pxr_init *init;
        struct pxr_parameter *next;
};

/* What a kernel is handed. Pointers are to float or double as the kernel's precision says. */
struct pxr_call {
        const struct pxr_node *node;
        int images; /* in this micro-batch; the image dimension of every tensor */
        const void *input[PXR_MAX_INPUTS];
        void *output;
        const void *parameter[PXR_MAX_PARAMETERS];
        void *state;   /* op->state() values, which later kernels of the node find again */
        void *scratch; /* op->scratch() values, of any content */

        /* backward */
        const void *output_gradient;
        void *input_gradient[PXR_MAX_INPUTS];         /* NULL: not wanted */
        bool accumulate[PXR_MAX_INPUTS];              /* add to input_gradient; else overwrite it */
        void *parameter_gradient[PXR_MAX_PARAMETERS]; /* always added to; all NULL: not wanted */

        /* advance */
        int row, col, colour;
};

typedef void pxr_kernel(const struct pxr_call *call);

/* The kernels of an op in one precision. `backward` may be NULL where neither the op nor anything
 * below it has parameters; `advance` may be NULL: generation then falls back to whole passes. */
struct pxr_kernels {
        pxr_kernel *forward;
        pxr_kernel *backward;
        pxr_kernel *advance;
};

/* Told by `depends` what is read. */
struct pxr_dependencies {
        /* Colour group `colour` of `input` (or PXR_SELF) at (row, col) is read. Places, colours and
         * inputs that are not there are ignored. */
        void (*read)(struct pxr_dependencies *deps, int input, int row, int col, int colour);
};

enum pxr_op_flags {
        PXR_BACKWARD_READS_INPUT = 1 << 0,
        PXR_BACKWARD_READS_OUTPUT = 1 << 1,
        /* `advance` is made for a map of another shape than the image's: called at each value of
         * the image, it computes what has become known. Without it such a node means whole passes.
         */
        PXR_ADVANCE_OF_ANY_SHAPE = 1 << 2,
        /* `advance` writes its output at the pixel it is called for and nowhere else, and reads
         * none of it. Where other ops read it at their own pixel or row alone, generation then
         * keeps one pixel or row of it instead of the map. */
        PXR_ADVANCE_AT_ITS_PIXEL = 1 << 3,
        /* Whatever `depends` says, `advance` reads its inputs in the row of the pixel it is called
         * for and nowhere else, as where it keeps what it needs of the others in its state. */
        PXR_ADVANCE_READS_ITS_ROW = 1 << 4,
};

/* A table of functions and facts; constant, shared by all nodes of its kind. */
struct pxr_op {
        const char *name;
        unsigned flags;
        struct pxr_kernels kernels[PXR_PRECISIONS];

        /* Values of scratch a call with so many images needs. NULL: none. */
        size_t (*scratch)(const struct pxr_node *node, int images);

        /* Values that `forward` leaves for `backward`, and `advance` for the advances that follow,
         * beside the output: the gates and cells of a scan. NULL: none. */
        size_t (*state)(const struct pxr_node *node, int images);

        /* How many of them, from the first on, `advance` has any use for. NULL: all. */
        size_t (*advance_state)(const struct pxr_node *node, int images);

        /* Report everything that output group `colour` at (row, col) reads directly. It is what
         * the causality certificate stands on, and is held against the kernels numerically. NULL:
         * the same place and colour group of every input. */
        void (*depends)(const struct pxr_node *node, int row, int col, int colour,
                        struct pxr_dependencies *deps);

        /* Multiply-adds of `forward` for one image, not counting what a mask zeroes. NULL: 0. */
        double (*multiply_adds)(const struct pxr_node *node);
};

/* Channels of colour group `colour` of a block of `channels`: pxr_group_begin(colour) up to, not
 * including, pxr_group_begin(colour + 1). Channel f is in group floor(colours f / channels), which
 * gives the R, G and B thirds of section 3.4 also where 3 does not divide the features. */
static inline int pxr_group_begin(int channels, int colours, int colour)
{
        return (colour * channels + colours - 1) / colours;
}

/* Values of one pixel of all images; of the whole map. */
static inline size_t pxr_pixel_size(const struct pxr_node *node, int images)
{
        return (size_t)images * node->shape.channels;
}
static inline size_t pxr_map_size(const struct pxr_node *node, int images)
{
        return (size_t)node->shape.rows * node->shape.cols * pxr_pixel_size(node, images);
}

/* What `advance` computes of a pixel of a map: for each image and gate the channels of one colour,
 * in `count` runs of `size` values. Run r begins first + r stride values behind the pixel's
 * beginning. Where the runs have no gaps between them they are one. */
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

/* C = alpha A B + beta C, row-major, as cblas_sgemm() and cblas_dgemm() have it; A is m x k (k x m
 * if transposed), B is k x n (n x k if transposed). Where k is 0, C stays as it is, whatever beta
 * is. The bits of a row of C may depend on m, but never on the other rows' values. */
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
