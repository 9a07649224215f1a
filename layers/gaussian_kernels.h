/* SPDX-License-Identifier: MIT */
/* gaussian_kernels.h - the kernels of gaussian.c, in `real`. Included once for each precision. */

/* Over the variance of the noise in one value, that which noise in the values before number `value`
 * gives the mean: the sum of the squares of its row of A. */
static real K(noise_of)(const struct pxr_call *call, size_t value)
{
        size_t values = values_of(call->node), e = 0;
        const real *row = (const real *)call->parameter[1] + value * values;
        double lane[LANES] = { 0 }, sum = 0;

        for (; e + LANES <= value; e += LANES)
                for (int i = 0; i < LANES; i++)
                        lane[i] += (double)row[e + i] * row[e + i];
        for (; e < value; e++)
                sum += (double)row[e] * row[e];
        for (int i = 0; i < LANES; i++)
                sum += lane[i];
        return (real)(sum / ((double)REDUCTION * REDUCTION));
}

/* The logits of one value of each image. */
static void K(logits_of_value)(const struct pxr_call *call, size_t pixel, int colour)
{
        int colours = call->node->colours, channels = logits_per_value(call->node);
        size_t value = pixel * colours + colour, first = pixel * call->images * colours + colour;
        const real *mean = (const real *)call->input[0] + first;
        real *y = (real *)call->output + channels * first;
        real deviation = ((const real *)call->parameter[0])[value];
        real noise = channels == 3 ? K(noise_of)(call, value) : 0;

        for (int image = 0; image < call->images; image++) {
                y[0] = *mean / REDUCTION;
                y[1] = deviation;
                if (channels == 3)
                        y[2] = noise;
                mean += colours;
                y += channels * colours;
        }
}

static void K(logits_forward)(const struct pxr_call *call)
{
        size_t pixels = (size_t)call->node->shape.rows * call->node->shape.cols;

        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int colour = 0; colour < call->node->colours; colour++)
                        K(logits_of_value)(call, pixel, colour);
}

static void K(logits_advance)(const struct pxr_call *call)
{
        K(logits_of_value)
        (call, (size_t)call->row * call->node->shape.cols + call->col, call->colour);
}

/* The slope by a row of A, of the noise's by `slope`. */
static void K(noise_backward)(const struct pxr_call *call, size_t value, double slope)
{
        size_t from = value * values_of(call->node);
        const real *row = (const real *)call->parameter[1] + from;
        real *gradient = (real *)call->parameter_gradient[1] + from;
        real factor = (real)(2 * slope / ((double)REDUCTION * REDUCTION));

        for (size_t e = 0; e < value; e++)
                gradient[e] += factor * row[e];
}

static void K(logits_backward)(const struct pxr_call *call)
{
        int colours = call->node->colours, channels = logits_per_value(call->node);
        size_t values = values_of(call->node);
        real *dmean = call->input_gradient[0], *ddeviation = call->parameter_gradient[0];

        for (size_t value = 0; value < values; value++) {
                size_t first = value / colours * call->images * colours + value % colours;
                double by_deviation = 0, by_noise = 0;

                for (int image = 0; image < call->images; image++) {
                        size_t at = first + (size_t)image * colours;
                        const real *dy = (const real *)call->output_gradient + channels * at;

                        if (dmean)
                                dmean[at] =
                                        dy[0] / REDUCTION + (call->accumulate[0] ? dmean[at] : 0);
                        by_deviation += dy[1];
                        by_noise += channels == 3 ? dy[2] : 0;
                }
                if (ddeviation)
                        ddeviation[value] += (real)by_deviation;
                if (ddeviation && channels == 3)
                        K(noise_backward)(call, value, by_noise);
        }
}
