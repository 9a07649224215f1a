/* SPDX-License-Identifier: MIT */
/* array_kernels.h - loops over arrays that several ops need, in `real`. */

/* to += from */
static inline void K(add_array)(size_t size, const real *restrict from, real *restrict to)
{
        for (size_t i = 0; i < size; i++)
                to[i] += from[i];
}

/* to += the sum of rows */
static inline void K(add_rows)(size_t rows, size_t width, const real *restrict row,
                               real *restrict to)
{
        for (size_t i = 0; i < rows; i++, row += width)
                K(add_array)(width, row, to);
}
