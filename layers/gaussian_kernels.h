/* SPDX-License-Identifier: MIT */
/* gaussian_kernels.h - the kernels of gaussian.c, in `real`. Included once for each precision. */

/* The mean and the log deviation of `colours` colours of each image, at one pixel. */
static void K(pair_pixel)(const struct pxr_call *call, size_t pixel, int from, int to)
{
        int colours = call->node->colours;
        const real *deviation = (const real *)call->parameter[0] + pixel * colours;
        const real *mean = (const real *)call->input[0] + pixel * call->images * colours;
        real *y = (real *)call->output + 2 * pixel * call->images * colours;

        for (int image = 0; image < call->images; image++, mean += colours, y += 2 * colours)
                for (int c = from; c < to; c++) {
                        y[2 * c] = mean[c] / REDUCTION;
                        y[2 * c + 1] = deviation[c];
                }
}

static void K(pair_forward)(const struct pxr_call *call)
{
        size_t pixels = (size_t)call->node->shape.rows * call->node->shape.cols;

        for (size_t pixel = 0; pixel < pixels; pixel++)
                K(pair_pixel)(call, pixel, 0, call->node->colours);
}

static void K(pair_advance)(const struct pxr_call *call)
{
        size_t pixel = (size_t)call->row * call->node->shape.cols + call->col;

        K(pair_pixel)(call, pixel, call->colour, call->colour + 1);
}

static void K(pair_backward)(const struct pxr_call *call)
{
        int colours = call->node->colours;
        size_t pixels = (size_t)call->node->shape.rows * call->node->shape.cols;
        const real *dy = call->output_gradient;
        real *mean = call->input_gradient[0], *deviation = call->parameter_gradient[0];

        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < call->images; image++)
                        for (int c = 0; c < colours; c++, dy += 2) {
                                if (mean)
                                        *mean = dy[0] / REDUCTION +
                                                (call->accumulate[0] ? *mean : 0);
                                mean += mean != NULL;
                                if (deviation)
                                        deviation[pixel * colours + c] += dy[1];
                        }
}
