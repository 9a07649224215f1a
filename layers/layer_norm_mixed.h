/* SPDX-License-Identifier: MIT */
/*
 * layer_norm_mixed.h - the kernels of layer_norm.c for mixed precision: a pixel of one image as
 * float32, in scratch, and its sums 16 at a time.
 */
enum { LANES = 16 };

PXR_INLINE float sum_of(const float lane[LANES])
{
        float half[LANES / 2], sum = 0;

        for (int l = 0; l < LANES / 2; l++)
                half[l] = lane[l] + lane[l + LANES / 2];
        for (int l = 0; l < LANES / 2; l++)
                sum += half[l];
        return sum;
}

/* The sum of a[i] b[i]. */
PXR_INLINE float dot(int size, const float *restrict a, const float *restrict b)
{
        float lane[LANES] = { 0 };
        int i = 0;

        for (; i + LANES <= size; i += LANES)
                for (int l = 0; l < LANES; l++)
                        lane[l] += a[i + l] * b[i + l];
        for (int l = 0; i < size; i++, l++)
                lane[l] += a[i] * b[i];
        return sum_of(lane);
}

PXR_INLINE float mean_of(int size, const float *restrict x)
{
        float lane[LANES] = { 0 };
        int i = 0;

        for (; i + LANES <= size; i += LANES)
                for (int l = 0; l < LANES; l++)
                        lane[l] += x[i + l];
        for (int l = 0; i < size; i++, l++)
                lane[l] += x[i];
        return sum_of(lane) / (float)size;
}

/* One pixel of one image: z, [channels], and what is made of it. */
struct mixed_pixel {
        int channels, colours;
        const float *scale, *shift;
        float *x, *z, *g, *dx; /* g: gradient by z */
};

static size_t mixed_scratch(const struct pxr_node *node, int images)
{
        (void)images;
        return 4 * (size_t)node->shape.channels * sizeof(float);
}

static struct mixed_pixel mixed_pixel_of(const struct pxr_call *call)
{
        int channels = call->node->shape.channels;
        float *scratch = call->scratch;

        return (struct mixed_pixel) {
                channels, call->node->colours, call->parameter[SCALE], call->parameter[SHIFT],
                scratch,  scratch + channels,  scratch + 2 * channels, scratch + 3 * channels
        };
}

/* z of the channels up to `end`, the mean and the variance of which are taken. Returns one over
 * their standard deviation. */
PXR_INLINE float standardize(int end, const float *restrict x, float *restrict z)
{
        float mean = mean_of(end, x), inverse;

        for (int i = 0; i < end; i++)
                z[i] = x[i] - mean;
        inverse = 1 / sqrtf(dot(end, z, z) / (float)end + (float)EPSILON);
        for (int i = 0; i < end; i++)
                z[i] *= inverse;
        return inverse;
}

PXR_INLINE void widen(int size, const pxr_bf16 *restrict from, float *restrict to)
{
        for (int i = 0; i < size; i++)
                to[i] = pxr_bf16_value(from[i]);
}

PXR_INLINE void scale_and_shift(int begin, int end, const float *restrict z,
                                const float *restrict scale, const float *restrict shift,
                                pxr_bf16 *restrict y)
{
        for (int i = begin; i < end; i++)
                y[i] = pxr_bf16_rounded(scale[i] * z[i] + shift[i]);
}

PXR_INLINE void forward_mixed_body(const struct pxr_call *call)
{
        struct mixed_pixel p = mixed_pixel_of(call);
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *x = call->input[0];
        pxr_bf16 *y = call->output;

        for (size_t i = 0; i < size; i += p.channels) {
                widen(p.channels, x + i, p.x);
                for (int colour = 0; colour < p.colours; colour++) {
                        int begin = pxr_group_begin(p.channels, p.colours, colour);
                        int end = pxr_group_begin(p.channels, p.colours, colour + 1);

                        standardize(end, p.x, p.z);
                        scale_and_shift(begin, end, p.z, p.scale, p.shift, y + i);
                }
        }
}
PXR_FOR_EACH_LEVEL(static, void, forward_mixed, (const struct pxr_call *call), (call))

/* g = scale dy, and the gradients by scale and shift. */
PXR_INLINE void scale_gradient(int begin, int end, const float *restrict scale,
                               const float *restrict z, const pxr_bf16 *restrict dy,
                               float *restrict g, float *restrict dscale, float *restrict dshift)
{
        for (int i = begin; i < end; i++) {
                float by_y = pxr_bf16_value(dy[i]);

                g[i] = scale[i] * by_y;
                if (dscale) {
                        dscale[i] += by_y * z[i];
                        dshift[i] += by_y;
                }
        }
}

/* As backward_colour() of layer_norm_kernels.h: adds to dx, [channels], float32. */
PXR_INLINE void mixed_colour(const struct pxr_call *call, const struct mixed_pixel *p, int colour,
                             const pxr_bf16 *dy, float *restrict dx)
{
        int begin = pxr_group_begin(p->channels, p->colours, colour);
        int end = pxr_group_begin(p->channels, p->colours, colour + 1);
        float inverse = standardize(end, p->x, p->z), mean, product;
        const float *restrict z = p->z, *restrict g = p->g;

        memset(p->g, 0, begin * sizeof(float));
        scale_gradient(begin, end, p->scale, z, dy, p->g, call->parameter_gradient[SCALE],
                       call->parameter_gradient[SHIFT]);
        mean = mean_of(end, g);
        product = dot(end, g, z) / (float)end;
        for (int i = 0; i < end; i++)
                dx[i] += inverse * (g[i] - mean - z[i] * product);
}

PXR_INLINE void backward_mixed_body(const struct pxr_call *call)
{
        struct mixed_pixel p = mixed_pixel_of(call);
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *x = call->input[0], *dy = call->output_gradient;
        pxr_bf16 *dx = call->input_gradient[0];

        for (size_t i = 0; i < size; i += p.channels) {
                widen(p.channels, x + i, p.x);
                if (dx && call->accumulate[0])
                        widen(p.channels, dx + i, p.dx);
                else
                        memset(p.dx, 0, p.channels * sizeof(float));
                for (int colour = 0; colour < p.colours; colour++)
                        mixed_colour(call, &p, colour, dy + i, p.dx);
                for (int k = 0; dx && k < p.channels; k++)
                        dx[i + k] = pxr_bf16_rounded(p.dx[k]);
        }
}
PXR_FOR_EACH_LEVEL(static, void, backward_mixed, (const struct pxr_call *call), (call))

static const struct pxr_mixed layer_norm_mixed = { .forward = forward_mixed,
                                                   .backward = backward_mixed,
                                                   .scratch = mixed_scratch };
