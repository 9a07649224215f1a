/* SPDX-License-Identifier: MIT */
/* bf16_cells.h - the LSTM cells that follow on a product of bfloat16 numbers. */
#ifndef PXR_TENSOR_BF16_CELLS_H
#define PXR_TENSOR_BF16_CELLS_H

#include <pxr/op.h>

/*
 * The cells of one step of an LSTM's scan, as pxr_lstm_cells has them (o, f, i, g), computed in
 * float32 with an absolute error of at most 2^-20.
 *
 * Row i of a step is image i % images of its cell i / images. Maps have [pixel][image][values], and
 * are given from the pixel of the step's first cell on.
 */
struct pxr_bf16_cells {
        size_t features, images;
        ptrdiff_t stride;      /* pixels from a cell to the next */
        ptrdiff_t back;        /* pixels from a cell back to the one whose c it reads */
        size_t inner;          /* rows from this one on have no such pixel, and read `initial` */
        const float *initial;  /* [features] */
        size_t shown;          /* rows from this one on are not in `output` */
        const pxr_bf16 *input; /* map, 4 features: added to the pre-activations */
        pxr_bf16 *gates;       /* map, 4 features: activations */
        float *c;              /* map */
        pxr_bf16 *h;           /* map */
        pxr_bf16 *output;      /* map: h */

        /* For the gradient alone. by_c: in: from the next step; out: by the c that is read. */
        const pxr_bf16 *by_output; /* map: added to the gradient by h */
        pxr_bf16 *by_gates;        /* map, 4 features: by the pre-activations; may be `gates` */
        float *by_c;               /* [row][features] */

        /* For the product of the next step: h, [row][features]; of the gradient: by_gates, [row][4
         * features]. */
        pxr_bf16 *next;
};

/* Where a row of a step is in a map of one value. */
static inline ptrdiff_t pxr_bf16_cell_at(const struct pxr_bf16_cells *cells, size_t row)
{
        unsigned number = (unsigned)row, images = (unsigned)cells->images;

        return (ptrdiff_t)(number / images) * cells->stride * images + number % images;
}

/* The c before that of such a row. */
static inline const float *pxr_bf16_c_before(const struct pxr_bf16_cells *cells, size_t row,
                                             ptrdiff_t at)
{
        ptrdiff_t before = at - cells->back * (ptrdiff_t)cells->images;

        return row < cells->inner ? cells->c + before * (ptrdiff_t)cells->features : cells->initial;
}

#endif
