/* SPDX-License-Identifier: MIT */
/*
 * made_kernels.h - the kernels of made.c, in `real`. Included once for each precision.
 *
 * p = s p_a + (1 - s) p_b for each level, as logarithms and in double: there are few.
 */

static void K(mix_value)(int channels, double share, const real *a, const real *b,
                         struct mixed *mixed)
{
        int levels = channels == 1 ? 2 : channels;
        int precision = sizeof(real) == sizeof(float) ? PXR_F32 : PXR_F64;

        mixed->levels = levels;
        pxr_discrete(levels)->log_probabilities[precision](levels, a, mixed->log_a);
        pxr_discrete(levels)->log_probabilities[precision](levels, b, mixed->log_b);
        for (int j = 0; j < mixed->levels; j++) {
                double x = log(share) + mixed->log_a[j], y = log(1 - share) + mixed->log_b[j];

                mixed->log_p[j] = (x > y ? x : y) + log1p(exp(-fabs(x - y)));
                mixed->part_a[j] = 1 / (1 + exp(y - x));
        }
}

/* Logits of one colour at a time, `size` values in all. */
static void K(mix_forward_at)(const struct pxr_call *call, size_t start, size_t values,
                              size_t stride)
{
        int channels = call->node->shape.channels / call->node->colours;
        const struct mix *mix = call->node->conf;
        const real *a = (const real *)call->input[0] + start;
        const real *b = (const real *)call->input[1] + start;
        real *y = (real *)call->output + start;
        struct mixed mixed;

        for (size_t i = 0; i < values; i++, a += stride, b += stride, y += stride) {
                K(mix_value)(channels, mix->share, a, b, &mixed);
                if (channels == 1)
                        *y = (real)(mixed.log_p[1] - mixed.log_p[0]);
                for (int j = 0; j < channels && channels > 1; j++)
                        y[j] = (real)mixed.log_p[j];
        }
}

static void K(mix_forward)(const struct pxr_call *call)
{
        size_t channels = call->node->shape.channels / call->node->colours;
        size_t size = pxr_map_size(call->node, call->images);
        const struct mix *mix = call->node->conf;

        if (mix->turn.cycle && call->training) {
                int chosen = is_turn_of(&mix->turn, mix->turn.network, call);

                memcpy(call->output, call->input[chosen], size * sizeof(real));
                return;
        }
        K(mix_forward_at)(call, 0, size / channels, channels);
}

static void K(mix_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        size_t pixel = (size_t)call->row * node->shape.cols + call->col;
        size_t group = node->shape.channels / node->colours;

        K(mix_forward_at)
        (call, pixel * pxr_pixel_size(node, call->images) + call->colour * group, call->images,
         node->shape.channels);
}

/* The gradient by the logits of one component; part[] is its share of each level's probability. */
static void K(side_gradient)(int channels, const real *dy, const double *log_side,
                             const double *part, bool accumulate, real *dx)
{
        int levels = channels == 1 ? 2 : channels;
        double sum = 0;

        if (channels == 1) {
                double p = exp(log_side[1]);
                double slope = dy[0] * (part[1] * (1 - p) + part[0] * p);

                *dx = (real)slope + (accumulate ? *dx : 0);
                return;
        }
        for (int j = 0; j < levels; j++)
                sum += part[j] * dy[j];
        for (int j = 0; j < levels; j++)
                dx[j] = (real)(part[j] * dy[j] - exp(log_side[j]) * sum) + (accumulate ? dx[j] : 0);
}

/* Where one network is computed, the gradient is that network's. */
static void K(chosen_backward)(const struct pxr_call *call)
{
        const struct mix *mix = call->node->conf;
        int chosen = is_turn_of(&mix->turn, mix->turn.network, call);
        const real *dy = call->output_gradient;

        for (int side = 0; side < 2; side++) {
                real *dx = call->input_gradient[side];

                for (size_t i = 0; dx && i < pxr_map_size(call->node, call->images); i++)
                        dx[i] = (side == chosen ? dy[i] : 0) + (call->accumulate[side] ? dx[i] : 0);
        }
}

static void K(mix_backward)(const struct pxr_call *call)
{
        int channels = call->node->shape.channels / call->node->colours;
        const struct mix *mix = call->node->conf;
        const real *a = call->input[0], *b = call->input[1], *dy = call->output_gradient;
        real *da = call->input_gradient[0], *db = call->input_gradient[1];
        struct mixed mixed;

        if (mix->turn.cycle && call->training) {
                K(chosen_backward)(call);
                return;
        }
        for (size_t i = 0; i < pxr_map_size(call->node, call->images); i += channels) {
                K(mix_value)(channels, mix->share, a + i, b + i, &mixed);
                if (da)
                        K(side_gradient)
                (channels, dy + i, mixed.log_a, mixed.part_a, call->accumulate[0], da + i);
                for (int j = 0; j < mixed.levels; j++)
                        mixed.part_a[j] = 1 - mixed.part_a[j];
                if (db)
                        K(side_gradient)
                (channels, dy + i, mixed.log_b, mixed.part_a, call->accumulate[1], db + i);
        }
}
