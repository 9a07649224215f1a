/* SPDX-License-Identifier: MIT */
/*
 * conv_mixed.h - the kernels of op_conv.c in mixed precision.
 *
 * Each tap is a product of the whole map, shifted, with the tap's weights, of which masked ones are
 * zero. The gradient by the input is the same with taps and weights turned round.
 *
 * An image has too few channels for that, and its values are float32. Each is taken apart into two
 * bfloat16 numbers, which add up to it (to 2^-17), and all that a pixel reads is gathered in a row,
 * for one product with a weight for each number.
 */
#include "tensor/bf16.h"

/* Of an image: rows gathered at a time, and numbers copied at once. */
enum { GATHERED = 512, BLOCK = 16 };

static bool reads_image(const struct pxr_node *node)
{
        return node->input[0]->inputs == 0;
}

/* The operand of a product: its columns, and its taps. */
static int mixed_channels(const struct pxr_node *node)
{
        int channels = node->input[0]->shape.channels;

        return reads_image(node) ? (2 * live_taps(node) * channels + 31) / 32 * 32 : channels;
}

static int mixed_taps(const struct pxr_node *node)
{
        return reads_image(node) ? 1 : live_taps(node);
}

/* Of an image taken apart, with the margin of zeros that the kernel reads: numbers of a row, and of
 * all rows. */
static size_t apart_row(const struct pxr_node *node)
{
        const struct conv *conv = node->conf;

        return 2 * (size_t)node->input[0]->shape.channels * (node->shape.cols + conv->width - 1);
}

static size_t apart_size(const struct pxr_node *node)
{
        const struct conv *conv = node->conf;

        return apart_row(node) * (node->shape.rows + conv->height - 1);
}

/* A call's scratch. */
struct mixed_scratch {
        struct pxr_bf16_tap *tap;
        float *sum;             /* of the gradient by the weights */
        pxr_bf16 *apart, *rows; /* of an image: [image][row][col][channel][2]; gathered */
        void *work;
        size_t size; /* bytes of all */
};

static struct mixed_scratch mixed_scratch_of(const struct pxr_node *node, int images, char *scratch)
{
        int channels = mixed_channels(node), features = node->shape.channels;
        int taps = mixed_taps(node);
        struct mixed_scratch s = { 0 };

        s.tap = pxr_bf16_take(scratch, &s.size, taps * sizeof(*s.tap));
        s.sum = pxr_bf16_take(scratch, &s.size,
                              pxr_bf16_gradient_sum(channels, features, taps) * sizeof(*s.sum));
        if (reads_image(node)) {
                s.apart = pxr_bf16_take(scratch, &s.size,
                                        (images * apart_size(node) + BLOCK) * sizeof(pxr_bf16));
                s.rows = pxr_bf16_take(scratch, &s.size,
                                       ((size_t)(GATHERED + images) * channels + BLOCK) *
                                               sizeof(pxr_bf16));
        }
        s.work = pxr_bf16_take(scratch, &s.size, pxr_bf16_scratch(channels, features, taps));
        return s;
}

static size_t mixed_scratch(const struct pxr_node *node, int images)
{
        return mixed_scratch_of(node, images, NULL).size;
}

static size_t mixed_packed(const struct pxr_node *node)
{
        int channels = mixed_channels(node), features = node->shape.channels;
        size_t size = pxr_bf16_packed_size(channels, features);

        if (!reads_image(node))
                size += pxr_bf16_packed_size(features, channels);
        return mixed_taps(node) * size * sizeof(pxr_bf16);
}

/* A weight for both numbers of a value. */
static void pack_for_image(const struct pxr_node *node, const float *weight, pxr_bf16 *to)
{
        size_t k = mixed_channels(node), features = node->shape.channels;
        size_t inputs = (size_t)live_taps(node) * node->input[0]->shape.channels;

        memset(to, 0, pxr_bf16_packed_size(k, features) * sizeof(*to));
        for (size_t i = 0; i < 2 * inputs; i++)
                for (size_t j = 0; j < features; j++)
                        to[pxr_bf16_packed_index(k, i, j)] =
                                pxr_bf16_rounded(weight[i / 2 * features + j]);
        pxr_bf16_find_zeros(k, features, to);
}

/* Of all taps the weights, and then their transposes. */
static void mixed_pack(const struct pxr_node *node, const float *const *parameter, void *packed)
{
        int channels = node->input[0]->shape.channels, features = node->shape.channels;
        pxr_bf16 *to = packed;

        if (reads_image(node)) {
                pack_for_image(node, parameter[0], to);
                return;
        }
        for (int tap = 0; tap < live_taps(node); tap++) {
                pxr_bf16_pack(channels, features, parameter[0] + (size_t)tap * channels * features,
                              features, 1, to);
                to += pxr_bf16_packed_size(channels, features);
        }
        for (int tap = 0; tap < live_taps(node); tap++) {
                pxr_bf16_pack(features, channels, parameter[0] + (size_t)tap * channels * features,
                              1, features, to);
                to += pxr_bf16_packed_size(features, channels);
        }
}

/* `sign`: 1 for what an output reads, -1 for the outputs that read an input. */
static struct pxr_bf16_operand mixed_operand(const struct pxr_call *call, const pxr_bf16 *map,
                                             int channels, int sign, struct pxr_bf16_tap *tap)
{
        const struct pxr_node *node = call->node;
        const struct conv *conv = node->conf;
        ptrdiff_t cols = node->shape.cols, images = call->images;
        int taps = live_taps(node);

        for (int t = 0; t < taps; t++) {
                int down = sign * (t / conv->width - conv->height / 2);
                int right = sign * (t % conv->width - conv->width / 2);

                tap[t] = pxr_bf16_tap_at(down, right, cols, images);
        }
        return (struct pxr_bf16_operand) {
                .a = map,
                .rows = node->shape.rows * cols * images,
                .k = channels,
                .lda = channels,
                .period = cols * images,
                .taps = taps,
                .tap = tap,
        };
}

/* Take the images apart. */
static void take_apart(const struct pxr_call *call, pxr_bf16 *apart)
{
        const struct pxr_node *node = call->node;
        const struct conv *conv = node->conf;
        int channels = node->input[0]->shape.channels;
        const float *x = call->input[0];

        memset(apart, 0, (call->images * apart_size(node) + BLOCK) * sizeof(*apart));
        for (int row = 0; row < node->shape.rows; row++)
                for (int col = 0; col < node->shape.cols; col++)
                        for (int image = 0; image < call->images; image++) {
                                pxr_bf16 *to = apart + image * apart_size(node) +
                                               (row + conv->height / 2) * apart_row(node) +
                                               2 * channels * (col + conv->width / 2);

                                for (int c = 0; c < channels; c++, x++, to += 2) {
                                        to[0] = pxr_bf16_rounded(*x);
                                        to[1] = pxr_bf16_rounded(*x - pxr_bf16_value(to[0]));
                                }
                        }
}

/* One pixel's row: the taps of each row of the kernel lie side by side. They are copied in blocks;
 * what a block has too much is overwritten by the next, or has no weights. */
static void gather_row(const struct pxr_node *node, const pxr_bf16 *from, pxr_bf16 *row)
{
        const struct conv *conv = node->conf;
        int channels = node->input[0]->shape.channels;
        int numbers = 2 * live_taps(node) * channels, width = 2 * conv->width * channels;

        for (int first = 0; first < numbers; first += width, from += apart_row(node))
                for (int i = 0; i < width && first + i < numbers; i += BLOCK)
                        memcpy(row + first + i, from + i, BLOCK * sizeof(*row));
}

/* What `pixels` pixels from `first` on read, a row for each pixel and image. */
static void gather_apart(const struct pxr_call *call, const pxr_bf16 *apart, int first, int pixels,
                         pxr_bf16 *rows)
{
        const struct pxr_node *node = call->node;
        int cols = node->shape.cols, width = mixed_channels(node);
        size_t size = apart_size(node);

        for (int pixel = first; pixel < first + pixels; pixel++) {
                const pxr_bf16 *from = apart + pixel / cols * apart_row(node) +
                                       2 * node->input[0]->shape.channels * (pixel % cols);

                for (int image = 0; image < call->images; image++, rows += width)
                        gather_row(node, from + image * size, rows);
        }
}

/* Call `product` or `gradient` for some pixels after the other: what is set is completed by its
 * operand and moved on. The other is NULL. */
static void by_gathered_rows(const struct pxr_call *call, const struct mixed_scratch *s,
                             struct pxr_bf16_product *product, struct pxr_bf16_gradient *gradient)
{
        static const struct pxr_bf16_tap straight = { .end = SIZE_MAX };
        const struct pxr_node *node = call->node;
        int all = node->shape.rows * node->shape.cols;
        int most = (GATHERED + call->images - 1) / call->images;
        size_t width = mixed_channels(node), features = node->shape.channels;

        take_apart(call, s->apart);
        memset(s->rows, 0, (size_t)(GATHERED + call->images) * width * sizeof(*s->rows));
        for (int first = 0; first < all; first += most) {
                int pixels = all - first < most ? all - first : most;
                size_t rows = (size_t)pixels * call->images;
                struct pxr_bf16_operand operand = { s->rows,  rows, width,    width,
                                                    SIZE_MAX, 1,    &straight };

                gather_apart(call, s->apart, first, pixels, s->rows);
                if (product) {
                        product->operand = operand;
                        product->m = rows;
                        pxr_bf16_multiply(product);
                        if (product->addend)
                                product->addend += rows * features;
                        if (product->c)
                                product->c += rows * features;
                        if (product->exact)
                                product->exact += rows * features;
                } else {
                        gradient->operand = operand;
                        gradient->m = rows;
                        pxr_bf16_weight_gradient(gradient);
                        gradient->dc += rows * features;
                }
        }
}

static void forward_mixed(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        struct mixed_scratch s = mixed_scratch_of(node, call->images, call->scratch);
        struct pxr_bf16_product product = {
                .n = node->shape.channels,
                .weights = call->packed,
                .bias = call->parameter[1],
                .addend = call->addend,
                .rectify = call->rectify,
                .c = call->exact ? NULL : call->output,
                .exact = call->exact ? call->output : NULL,
                .ldc = node->shape.channels,
                .scratch = s.work,
        };

        if (reads_image(node)) {
                by_gathered_rows(call, &s, &product, NULL);
                return;
        }
        product.operand =
                mixed_operand(call, call->input[0], node->input[0]->shape.channels, 1, s.tap);
        product.m = product.operand.rows;
        pxr_bf16_multiply(&product);
}

/* dw += the sums, only where no mask is. */
static void add_live(const struct pxr_node *node, const float *sum, float *dw)
{
        int channels = mixed_channels(node), features = node->shape.channels;
        int each = reads_image(node) ? 2 : 1; /* numbers of a value */
        size_t k = pxr_bf16_gradient_stride(channels);
        size_t size = pxr_bf16_gradient_sum(channels, features, 1);

        for (int gate = 0; gate < node->gates; gate++)
                for (int colour = 0; colour < node->colours; colour++) {
                        struct columns columns = columns_of(node, gate, colour);
                        int live = live_inputs(node, colour);

                        for (int i = 0; i < each * live; i++) {
                                const float *from = sum + i / channels * size + i % channels;
                                float *to = dw + (size_t)(i / each) * features;

                                for (int f = columns.begin; f < columns.begin + columns.count; f++)
                                        to[f] += from[f * k];
                        }
                }
}

static void weight_gradient_mixed(const struct pxr_call *call, const struct mixed_scratch *s)
{
        const struct pxr_node *node = call->node;
        int channels = mixed_channels(node), features = node->shape.channels;
        struct pxr_bf16_gradient gradient = {
                .n = features, .dc = call->output_gradient, .sum = s->sum, .scratch = s->work
        };

        memset(s->sum, 0,
               pxr_bf16_gradient_sum(channels, features, mixed_taps(node)) * sizeof(*s->sum));
        if (reads_image(node)) {
                by_gathered_rows(call, s, NULL, &gradient);
        } else {
                gradient.operand = mixed_operand(call, call->input[0], channels, 1, s->tap);
                gradient.m = gradient.operand.rows;
                pxr_bf16_weight_gradient(&gradient);
        }
        add_live(node, s->sum, call->parameter_gradient[0]);
}

static void backward_mixed(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int channels = node->input[0]->shape.channels, features = node->shape.channels;
        struct mixed_scratch s = mixed_scratch_of(node, call->images, call->scratch);
        size_t rows = (size_t)node->shape.rows * node->shape.cols * call->images;
        struct pxr_bf16_operand operand;

        if (call->parameter_gradient[1])
                pxr_bf16_add_rows(rows, features, call->output_gradient,
                                  call->parameter_gradient[1]);
        if (call->parameter_gradient[0])
                weight_gradient_mixed(call, &s);
        if (!call->input_gradient[0])
                return;
        operand = mixed_operand(call, call->output_gradient, features, -1, s.tap);
        pxr_bf16_multiply(&(struct pxr_bf16_product) {
                .operand = operand,
                .m = rows,
                .n = channels,
                .weights = (const pxr_bf16 *)call->packed +
                           operand.taps * pxr_bf16_packed_size(channels, features),
                .gate = call->gate ? call->input[0] : NULL,
                .addend = call->accumulate[0] ? call->input_gradient[0] : NULL,
                .c = call->input_gradient[0],
                .ldc = channels,
                .scratch = s.work,
        });
}

static const struct pxr_mixed conv_mixed = { .forward = forward_mixed,
                                             .backward = backward_mixed,
                                             .exact = true,
                                             .reads_f32 = true,
                                             .scratch = mixed_scratch,
                                             .packed = mixed_packed,
                                             .pack = mixed_pack,
                                             .fuses = true };
