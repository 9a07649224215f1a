/* SPDX-License-Identifier: MIT */
/* histogram_kernels.h - the kernels of histogram.c, in `real`. Included once for each precision. */

static void K(table_forward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const real *logits = call->parameter[0];
        real *y = call->output;
        size_t channels = node->shape.channels, pixels = pxr_map_size(node, 1) / channels;

        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < call->images; image++, y += channels)
                        memcpy(y, logits + pixel * channels, channels * sizeof(real));
}

static void K(table_backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const real *dy = call->output_gradient;
        real *gradient = call->parameter_gradient[0];
        size_t channels = node->shape.channels, pixels = pxr_map_size(node, 1) / channels;

        if (!gradient)
                return;
        for (size_t pixel = 0; pixel < pixels; pixel++, gradient += channels)
                for (int image = 0; image < call->images; image++, dy += channels)
                        for (size_t i = 0; i < channels; i++)
                                gradient[i] += dy[i];
}
