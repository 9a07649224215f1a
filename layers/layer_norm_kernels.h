/* SPDX-License-Identifier: MIT */
/* layer_norm_kernels.h - the kernels of layer_norm.c, in `real`. Included once for each precision.
 */

/* The mean of `size` values, and one over their standard deviation. */
static inline real K(moments)(size_t size, const real *x, real *inverse)
{
        real mean = 0, square = 0;

        for (size_t i = 0; i < size; i++)
                mean += x[i];
        mean /= (real)size;
        for (size_t i = 0; i < size; i++)
                square += (x[i] - mean) * (x[i] - mean);
        *inverse = 1 / (real)sqrt(square / (real)size + (real)EPSILON);
        return mean;
}

/* One colour of one pixel of one image. */
static inline void K(normalize)(const struct pxr_call *call, int colour, const real *x, real *y)
{
        const struct pxr_node *node = call->node;
        const real *scale = call->parameter[SCALE], *shift = call->parameter[SHIFT];
        int begin = pxr_group_begin(node->shape.channels, node->colours, colour);
        int end = pxr_group_begin(node->shape.channels, node->colours, colour + 1);
        real inverse, mean = K(moments)(end, x, &inverse);

        for (int i = begin; i < end; i++)
                y[i] = scale[i] * ((x[i] - mean) * inverse) + shift[i];
}

static void K(forward)(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);

        for (size_t i = 0; i < size; i += call->node->shape.channels)
                for (int colour = 0; colour < call->node->colours; colour++)
                        K(normalize)
        (call, colour, (const real *)call->input[0] + i, (real *)call->output + i);
}

static void K(advance)(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t start = ((size_t)call->row * call->node->shape.cols + call->col) * pixel;

        for (size_t i = start; i < start + pixel; i += call->node->shape.channels)
                K(normalize)
        (call, call->colour, (const real *)call->input[0] + i, (real *)call->output + i);
}

/* With z the normalized values and g = scale dy, over the n values that the moments are of:
 * dx_i = (g_i - mean(g) - z_i mean(g z)) / deviation; g is zero for earlier colours' values. */
static void K(backward_colour)(const struct pxr_call *call, int colour, const real *x,
                               const real *dy, real *dx)
{
        const struct pxr_node *node = call->node;
        const real *scale = call->parameter[SCALE];
        real *dscale = call->parameter_gradient[SCALE], *dshift = call->parameter_gradient[SHIFT];
        int begin = pxr_group_begin(node->shape.channels, node->colours, colour);
        int end = pxr_group_begin(node->shape.channels, node->colours, colour + 1);
        real inverse, mean = K(moments)(end, x, &inverse), sum = 0, product = 0;

        for (int i = begin; i < end; i++) {
                real z = (x[i] - mean) * inverse;

                if (dscale) {
                        dscale[i] += dy[i] * z;
                        dshift[i] += dy[i];
                }
                sum += scale[i] * dy[i];
                product += scale[i] * dy[i] * z;
        }
        for (int i = 0; dx && i < end; i++) {
                real z = (x[i] - mean) * inverse, g = i < begin ? 0 : scale[i] * dy[i];

                dx[i] += inverse * (g - (sum + z * product) / (real)end);
        }
}

static void K(backward)(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        real *dx = call->input_gradient[0];

        if (dx && !call->accumulate[0])
                memset(dx, 0, size * sizeof(real));
        for (size_t i = 0; i < size; i += call->node->shape.channels)
                for (int colour = 0; colour < call->node->colours; colour++)
                        K(backward_colour)
        (call, colour, (const real *)call->input[0] + i, (const real *)call->output_gradient + i,
         dx ? dx + i : NULL);
}
