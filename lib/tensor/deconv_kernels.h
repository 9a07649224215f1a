/* SPDX-License-Identifier: MIT */
/* deconv_kernels.h - the kernels of op_deconv.c, in `real`. Included once for each precision. */

/* Offset of the output pixel that an input pixel reaches through a tap; -1: outside. */
static ptrdiff_t K(reached)(const struct pxr_call *call, int row, int col, int tap)
{
        const struct pxr_node *node = call->node;
        int r = STRIDE * row - PAD + tap / KERNEL, c = STRIDE * col - PAD + tap % KERNEL;

        if (r < 0 || r >= node->shape.rows || c < 0 || c >= node->shape.cols)
                return -1;
        return (ptrdiff_t)((size_t)r * node->shape.cols + c) * pxr_pixel_size(node, call->images);
}

/* Add one tap's products to the output. */
static void K(scatter_tap)(const struct pxr_call *call, int tap, const real *product)
{
        struct pxr_shape in = call->node->input[0]->shape;
        size_t size = pxr_pixel_size(call->node, call->images);

        for (int row = 0; row < in.rows; row++)
                for (int col = 0; col < in.cols; col++, product += size) {
                        ptrdiff_t at = K(reached)(call, row, col, tap);

                        if (at >= 0)
                                K(add_array)(size, product, (real *)call->output + at);
                }
}

/* The output's gradient at the pixels that one tap writes, zero outside. */
static void K(gather_tap)(const struct pxr_call *call, int tap, real *to)
{
        struct pxr_shape in = call->node->input[0]->shape;
        size_t size = pxr_pixel_size(call->node, call->images);

        for (int row = 0; row < in.rows; row++)
                for (int col = 0; col < in.cols; col++, to += size) {
                        ptrdiff_t at = K(reached)(call, row, col, tap);

                        if (at < 0)
                                memset(to, 0, size * sizeof(real));
                        else
                                memcpy(to, (const real *)call->output_gradient + at,
                                       size * sizeof(real));
                }
}

static void K(deconv_forward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        size_t in = node->input[0]->shape.channels, out = node->shape.channels;
        size_t m = pxr_map_size(node->input[0], call->images) / in;
        size_t pixels = pxr_map_size(node, call->images) / out;
        const real *weight = call->parameter[0];
        real *y = call->output;

        for (size_t i = 0; i < pixels; i++)
                memcpy(y + i * out, call->parameter[1], out * sizeof(real));
        for (int tap = 0; tap < TAPS; tap++) {
                K(pxr_gemm)
                (false, false, m, out, in, 1, call->input[0], in, weight + tap * in * out, out, 0,
                 call->scratch, out);
                K(scatter_tap)(call, tap, call->scratch);
        }
}

static void K(deconv_backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        size_t in = node->input[0]->shape.channels, out = node->shape.channels;
        size_t m = pxr_map_size(node->input[0], call->images) / in;
        size_t pixels = pxr_map_size(node, call->images) / out;
        const real *weight = call->parameter[0], *dy = call->output_gradient;
        real *dw = call->parameter_gradient[0], *db = call->parameter_gradient[1];
        real *dx = call->input_gradient[0];

        if (db)
                K(add_rows)(pixels, out, dy, db);
        if (dx && !call->accumulate[0])
                memset(dx, 0, m * in * sizeof(real));
        for (int tap = 0; tap < TAPS; tap++) {
                K(gather_tap)(call, tap, call->scratch);
                if (dw)
                        K(pxr_gemm)
                (true, false, in, out, m, 1, call->input[0], in, call->scratch, out, 1,
                 dw + tap * in * out, out);
                if (dx)
                        K(pxr_gemm)
                (false, true, m, in, out, 1, call->scratch, out, weight + tap * in * out, out, 1,
                 dx, in);
        }
}
