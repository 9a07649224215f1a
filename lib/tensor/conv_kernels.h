/* SPDX-License-Identifier: MIT */
/* conv_kernels.h - the kernels of op_conv.c, in `real`. Included once for each precision. */

/* Short runs, for which a call of memcpy() would be too much. */
static inline void K(copy)(size_t size, const real *restrict from, real *restrict to)
{
        for (size_t i = 0; i < size; i++)
                to[i] = from[i];
}

/* Copy the live inputs of one pixel's output into rows of `width` values, one for each image. The
 * taps are at `sign` times their offsets: +1 for the pixels that the forward pass reads, -1 for
 * the pixels that read this one, whose gradients the backward pass gathers. */
static void K(gather_pixel)(const struct pxr_node *node, const real *map, int channels, int sign,
                            int images, int row, int col, int taps, int width, real *to)
{
        const struct conv *conv = node->conf;
        int above = conv->height / 2, left = conv->width / 2;

        for (int tap = 0, at = 0; tap < taps; tap++, at += channels) {
                int r = row + sign * (tap / conv->width - above);
                int c = col + sign * (tap % conv->width - left);
                bool inside = r >= 0 && r < node->shape.rows && c >= 0 && c < node->shape.cols;
                size_t size = at + channels <= width ? channels : width - at;
                const real *from =
                        inside ? map + ((size_t)r * node->shape.cols + c) * images * channels
                               : NULL;

                if (inside)
                        for (int image = 0; image < images; image++)
                                K(copy)
                (size, from + (size_t)image * channels, to + (size_t)image * width + at);
                else for (int image = 0; image < images; image++)
                        memset(to + (size_t)image * width + at, 0, size * sizeof(real));
        }
}

static void K(gather_rows)(const struct pxr_node *node, const real *map, int channels, int sign,
                           int images, int from, int to, int taps, int width, real *matrix)
{
        for (int row = from; row < to; row++)
                for (int col = 0; col < node->shape.cols; col++) {
                        K(gather_pixel)
                        (node, map, channels, sign, images, row, col, taps, width, matrix);
                        matrix += (size_t)images * width;
                }
}

/* y = bias + a w. All columns start with the first colour's part. */
static void K(product)(const struct pxr_node *node, size_t m, const real *a, int lda,
                       const real *weight, const real *bias, real *y)
{
        const struct K(pxr_start) start = { .first = bias, .run = m };
        size_t features = node->shape.channels;

        for (int colour = 0; colour < node->colours; colour++) {
                struct part part = part_of(node, colour);

                K(pxr_gemm_blocks)
                (false, m, part.columns, part.inputs, part.blocks, features / node->gates,
                 a + part.first, lda, weight + part.first * features + part.begin, features,
                 colour ? NULL : &start, y + part.begin, features);
        }
}

/* The same for the columns of one colour. */
static void K(product_of_colour)(const struct pxr_node *node, int colour, size_t m, const real *a,
                                 int lda, const real *weight, const real *bias, real *y)
{
        size_t features = node->shape.channels;
        struct columns columns = columns_of(node, 0, colour);
        const struct K(pxr_start) start = { .first = bias ? bias + columns.begin : NULL, .run = m };

        K(pxr_gemm_blocks)
        (false, m, columns.count, live_inputs(node, colour), node->gates, features / node->gates, a,
         lda, weight + columns.begin, features, &start, y + columns.begin, features);
}

static void K(forward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const struct conv *conv = node->conf;
        const real *x = call->input[0];
        real *y = call->output;
        int width = gathered_width(node), step = chunk_rows(node, call->images);
        size_t row_pixels = (size_t)node->shape.cols * call->images;

        for (int row = 0; row < node->shape.rows; row += step) {
                int end = row + step < node->shape.rows ? row + step : node->shape.rows;
                size_t m = (end - row) * row_pixels;
                const real *a = x + row * row_pixels * node->input[0]->shape.channels;

                if (!is_pointwise(conv)) {
                        K(gather_rows)
                        (node, x, node->input[0]->shape.channels, 1, call->images, row, end,
                         live_taps(node), width, call->scratch);
                        a = call->scratch;
                }
                K(product)(node, m, a, width, call->parameter[0], call->parameter[1], y);
                y += m * node->shape.channels;
        }
}

static void K(advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const struct conv *conv = node->conf;
        int features = node->shape.channels, channels = node->input[0]->shape.channels;
        int width = gathered_width(node);
        size_t pixel = ((size_t)call->row * node->shape.cols + call->col) * call->images;
        const real *a = (const real *)call->input[0] + pixel * channels;
        real *y = (real *)call->output + pixel * features;

        if (!is_pointwise(conv)) {
                K(gather_pixel)
                (node, call->input[0], channels, 1, call->images, call->row, call->col,
                 live_taps(node), width, call->scratch);
                a = call->scratch;
        }
        K(product_of_colour)
        (node, call->colour, call->images, a, width, call->parameter[0], call->parameter[1], y);
}

/* dw += a^T dy, for unmasked weights only. */
static void K(weight_gradient)(const struct pxr_node *node, size_t m, const real *a, int lda,
                               const real *dy, real *dw)
{
        int features = node->shape.channels;

        for (int colour = 0; colour < node->colours; colour++) {
                struct part part = part_of(node, colour);

                K(pxr_gemm_blocks)
                (true, part.inputs, part.columns, m, part.blocks, features / node->gates,
                 a + part.first, lda, dy + part.begin, features, NULL,
                 dw + (size_t)part.first * features + part.begin, features);
        }
}

/* dx of m pixels of a 1x1 convolution: dy w^T. */
static void K(input_gradient_1x1)(const struct pxr_call *call, size_t m, const real *dy, real *dx)
{
        const struct pxr_node *node = call->node;
        int features = node->shape.channels, channels = node->input[0]->shape.channels;
        int live = 0; /* by any column */
        const real *weight = call->parameter[0];

        for (int colour = 0; colour < node->colours; colour++) {
                struct part part = part_of(node, colour);

                if (part.columns)
                        live = part.first + part.inputs;
                for (int i = 0; i < part.blocks && part.inputs; i++) {
                        int column = part.begin + i * (features / node->gates);

                        K(pxr_gemm)
                        (false, true, m, part.inputs, part.columns, 1, dy + column, features,
                         weight + (size_t)part.first * features + column, features,
                         i > 0 || call->accumulate[0], dx + part.first, channels);
                }
        }
        for (size_t i = 0; i < m && !call->accumulate[0] && live < channels; i++)
                memset(dx + i * channels + live, 0, (channels - live) * sizeof(real));
}

/* dx of a larger one: a pixel's gradient is dy of the pixels that read it, times the weights laid
 * out as [tap][out][in]. Masked weights are zero, so the whole centre tap is used. */
static void K(input_gradient)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int features = node->shape.channels, channels = node->input[0]->shape.channels;
        int taps = live_taps(node), width = taps * features, step = chunk_rows(node, call->images);
        size_t row_pixels = (size_t)node->shape.cols * call->images;
        const real *weight = call->parameter[0];
        real *turned = call->scratch, *gathered = turned + (size_t)width * channels;
        real *dx = call->input_gradient[0];

        for (int tap = 0; tap < taps; tap++)
                for (int i = 0; i < channels; i++)
                        for (int o = 0; o < features; o++)
                                turned[((size_t)tap * features + o) * channels + i] =
                                        weight[((size_t)tap * channels + i) * features + o];
        for (int row = 0; row < node->shape.rows; row += step) {
                int end = row + step < node->shape.rows ? row + step : node->shape.rows;
                size_t m = (end - row) * row_pixels;

                K(gather_rows)
                (node, call->output_gradient, features, -1, call->images, row, end, taps, width,
                 gathered);
                if (!call->accumulate[0])
                        memset(dx, 0, m * channels * sizeof(real));
                K(pxr_gemm)
                (false, false, m, channels, width, 1, gathered, width, turned, channels, 1, dx,
                 channels);
                dx += m * channels;
        }
}

static void K(backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const struct conv *conv = node->conf;
        const real *x = call->input[0], *dy = call->output_gradient;
        int width = gathered_width(node), step = chunk_rows(node, call->images);
        size_t row_pixels = (size_t)node->shape.cols * call->images;
        bool pointwise = is_pointwise(conv), by_input = call->input_gradient[0] != NULL;

        if (call->parameter_gradient[1])
                K(add_rows)
        (pxr_map_size(node, call->images) / node->shape.channels, node->shape.channels, dy,
         call->parameter_gradient[1]);
        for (int row = 0; row < node->shape.rows; row += step) {
                int end = row + step < node->shape.rows ? row + step : node->shape.rows;
                size_t m = (end - row) * row_pixels;
                size_t start = row * row_pixels * node->input[0]->shape.channels;
                const real *a = x + start;

                if (!pointwise) {
                        K(gather_rows)
                        (node, x, node->input[0]->shape.channels, 1, call->images, row, end,
                         live_taps(node), width, call->scratch);
                        a = call->scratch;
                }
                if (call->parameter_gradient[0])
                        K(weight_gradient)(node, m, a, width, dy, call->parameter_gradient[0]);
                if (pointwise && by_input)
                        K(input_gradient_1x1)(call, m, dy, (real *)call->input_gradient[0] + start);
                dy += m * node->shape.channels;
        }
        if (!pointwise && by_input)
                K(input_gradient)(call);
}
