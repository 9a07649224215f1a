/* SPDX-License-Identifier: MIT */
/*
 * masked_linear_kernels.h - the kernels of masked_linear.h, in `real`. Included once for each
 * precision.
 *
 * Matrices are [unit][image]. Outputs are computed in blocks: the inputs that all of a block read
 * in one matrix product, the rest of each prefix one weight at a time. So no masked input is read.
 */

static inline void K(add_scaled)(size_t size, real factor, const real *restrict x, real *restrict y)
{
        for (size_t i = 0; i < size; i++)
                y[i] += factor * x[i];
}

static inline real K(dot)(size_t size, const real *restrict x, const real *restrict y)
{
        real sum = 0;

        for (size_t i = 0; i < size; i++)
                sum += x[i] * y[i];
        return sum;
}

/* Written so that NaN stays NaN. */
static inline real K(rectified)(real x)
{
        return x < 0 ? 0 : x;
}

/* The parts of the scratch. */
struct K(room) {
        real *x;      /* the input as a matrix */
        real *y;      /* the output, or its gradient */
        real *w, *dw; /* weights in the order of this mask, and their gradient */
};

static struct K(room) K(room_of)(const struct pxr_call *call)
{
        const struct dense *dense = call->node->conf;
        real *x = call->scratch, *y = x + (size_t)dense->inputs * call->images;
        real *w = y + (size_t)dense->outputs * call->images;

        return (struct K(room)) { x, y, w, w + (size_t)dense->outputs * dense->inputs };
}

/* A map as a matrix: as it lies where it has one channel, else copied. */
static const real *K(to_matrix)(const struct pxr_node *node, const real *map, int images,
                                real *matrix)
{
        size_t channels = node->shape.channels, pixels = pxr_map_size(node, 1) / channels;

        if (channels == 1)
                return map;
        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < images; image++)
                        for (size_t f = 0; f < channels; f++)
                                matrix[(pixel * channels + f) * images + image] = *map++;
        return matrix;
}

static void K(from_matrix)(const struct pxr_node *node, const real *matrix, int images,
                           bool accumulate, real *map)
{
        size_t channels = node->shape.channels, pixels = pxr_map_size(node, 1) / channels;

        for (size_t pixel = 0; pixel < pixels; pixel++)
                for (int image = 0; image < images; image++)
                        for (size_t f = 0; f < channels; f++, map++) {
                                real value = matrix[(pixel * channels + f) * images + image];

                                *map = accumulate ? *map + value : value;
                        }
}

/* The weights with rows and columns in the order of this mask. */
static const real *K(in_order)(const struct dense *dense, const real *weight, real *ordered)
{
        if (!dense->permuted)
                return weight;
        for (int o = 0; o < dense->outputs; o++) {
                const real *row = weight + output_unit(dense, o) * dense->inputs;

                for (int i = 0; i < live(dense, o); i++)
                        ordered[(size_t)o * dense->inputs + i] = row[input_unit(dense, i)];
        }
        return ordered;
}

/* Add the gradient of weights in the order of this mask to that of the weights. */
static void K(add_in_order)(const struct dense *dense, const real *ordered, real *gradient)
{
        for (int o = 0; o < dense->outputs; o++) {
                real *row = gradient + output_unit(dense, o) * dense->inputs;

                for (int i = 0; i < live(dense, o); i++)
                        row[input_unit(dense, i)] += ordered[(size_t)o * dense->inputs + i];
        }
}

/* --- forward -----------------------------------------------------------------------------------
 */

static void K(bias_forward)(const struct pxr_call *call, int o, int step, real *y)
{
        const struct dense *dense = call->node->conf;
        const real *bias = call->node->parameters > 1 ? call->parameter[1] : NULL;
        real start = bias ? bias[output_unit(dense, o)] : 0;

        for (int image = 0; image < call->images; image++)
                y[image * step] = start;
}

static void K(block_forward)(const struct dense *dense, struct block block, size_t images,
                             const real *w, const real *x, real *y)
{
        size_t inputs = dense->inputs;

        K(pxr_gemm)
        (false, false, block.end - block.begin, images, block.live, 1, w + block.begin * inputs,
         inputs, x, images, 1, y + block.begin * images, images);
        for (int o = block.begin; o < block.end; o++)
                for (int i = block.live; i < live(dense, o); i++)
                        K(add_scaled)(images, w[o * inputs + i], x + i * images, y + o * images);
}

static void K(dense_forward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node, *input = node->input[0];
        const struct dense *dense = node->conf;
        struct K(room) room = K(room_of)(call);
        size_t images = call->images;
        const real *x, *w;

        if (is_turn_of_another(&dense->turn, call)) {
                memset(call->output, 0, pxr_map_size(node, call->images) * sizeof(real));
                return;
        }
        x = K(to_matrix)(input, call->input[0], call->images, room.x);
        w = K(in_order)(dense, call->parameter[0], room.w);
        for (int o = 0; o < dense->outputs; o++)
                K(bias_forward)(call, o, 1, room.y + o * images);
        for (struct block b = block_at(dense, 0); b.begin < b.end; b = block_at(dense, b.end))
                K(block_forward)(dense, b, images, w, x, room.y);
        for (size_t i = 0; i < dense->outputs * images && dense->rectified; i++)
                room.y[i] = K(rectified)(room.y[i]);
        K(from_matrix)(node, room.y, call->images, false, call->output);
}

/* The outputs that become known when all values before this one are. */
static void K(dense_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node, *input = node->input[0];
        const struct dense *dense = node->conf;
        int value = (call->row * dense->cols + call->col) * node->colours + call->colour;
        int step = node->shape.channels, input_step = input->shape.channels;

        for (int o = due(dense, value); o < due(dense, value + 1); o++) {
                const real *w =
                        (const real *)call->parameter[0] + output_unit(dense, o) * dense->inputs;
                real *y = (real *)call->output + unit_at(node, call->images, o);

                K(bias_forward)(call, o, step, y);
                for (int i = 0; i < live(dense, o); i++) {
                        const real *x =
                                (const real *)call->input[0] + unit_at(input, call->images, i);
                        real weight = w[input_unit(dense, i)];

                        for (int image = 0; image < call->images; image++)
                                y[image * step] += weight * x[image * input_step];
                }
                for (int image = 0; image < call->images && dense->rectified; image++)
                        y[image * step] = K(rectified)(y[image * step]);
        }
}

/* --- backward ----------------------------------------------------------------------------------
 */

/* The gradient by the sums, before the rectifier, as a matrix. */
static const real *K(sum_gradient)(const struct pxr_call *call, real *matrix)
{
        const struct pxr_node *node = call->node;
        const struct dense *dense = node->conf;
        const real *y = call->output;
        const real *dy = K(to_matrix)(node, call->output_gradient, call->images, matrix);

        if (!dense->rectified)
                return dy;
        for (size_t i = 0; i < (size_t)dense->outputs * call->images; i++)
                matrix[i] = y[i] > 0 ? dy[i] : 0;
        return matrix;
}

static void K(bias_gradient)(const struct dense *dense, size_t images, const real *dy, real *db)
{
        for (int o = 0; o < dense->outputs; o++)
                for (size_t image = 0; image < images; image++)
                        db[output_unit(dense, o)] += dy[o * images + image];
}

static void K(block_weight_gradient)(const struct dense *dense, struct block block, size_t images,
                                     const real *dy, const real *x, real *dw)
{
        size_t inputs = dense->inputs;

        K(pxr_gemm)
        (false, true, block.end - block.begin, block.live, images, 1, dy + block.begin * images,
         images, x, images, 1, dw + block.begin * inputs, inputs);
        for (int o = block.begin; o < block.end; o++)
                for (int i = block.live; i < live(dense, o); i++)
                        dw[o * inputs + i] += K(dot)(images, dy + o * images, x + i * images);
}

static void K(block_input_gradient)(const struct dense *dense, struct block block, size_t images,
                                    const real *dy, const real *w, real *dx)
{
        size_t inputs = dense->inputs;

        K(pxr_gemm)
        (true, false, block.live, images, block.end - block.begin, 1, w + block.begin * inputs,
         inputs, dy + block.begin * images, images, 1, dx, images);
        for (int o = block.begin; o < block.end; o++)
                for (int i = block.live; i < live(dense, o); i++)
                        K(add_scaled)(images, w[o * inputs + i], dy + o * images, dx + i * images);
}

static void K(parameter_gradients)(const struct pxr_call *call, const real *dy)
{
        const struct pxr_node *node = call->node;
        const struct dense *dense = node->conf;
        struct K(room) room = K(room_of)(call);
        const real *x = K(to_matrix)(node->input[0], call->input[0], call->images, room.x);
        real *dw = dense->permuted ? room.dw : call->parameter_gradient[0];

        if (node->parameters > 1)
                K(bias_gradient)(dense, call->images, dy, call->parameter_gradient[1]);
        if (dense->permuted)
                memset(dw, 0, (size_t)dense->outputs * dense->inputs * sizeof(real));
        for (struct block b = block_at(dense, 0); b.begin < b.end; b = block_at(dense, b.end))
                K(block_weight_gradient)(dense, b, call->images, dy, x, dw);
        if (dense->permuted)
                K(add_in_order)(dense, dw, call->parameter_gradient[0]);
}

static void K(input_gradient)(const struct pxr_call *call, const real *dy)
{
        const struct pxr_node *input = call->node->input[0];
        const struct dense *dense = call->node->conf;
        struct K(room) room = K(room_of)(call);
        const real *w = K(in_order)(dense, call->parameter[0], room.w);

        memset(room.x, 0, (size_t)dense->inputs * call->images * sizeof(real));
        for (struct block b = block_at(dense, 0); b.begin < b.end; b = block_at(dense, b.end))
                K(block_input_gradient)(dense, b, call->images, dy, w, room.x);
        K(from_matrix)(input, room.x, call->images, call->accumulate[0], call->input_gradient[0]);
}

static void K(dense_backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        const struct dense *dense = node->conf;
        const real *dy;

        if (is_turn_of_another(&dense->turn, call)) {
                if (call->input_gradient[0] && !call->accumulate[0])
                        memset(call->input_gradient[0], 0,
                               pxr_map_size(node->input[0], call->images) * sizeof(real));
                return;
        }
        dy = K(sum_gradient)(call, K(room_of)(call).y);
        if (call->parameter_gradient[0])
                K(parameter_gradients)(call, dy);
        if (call->input_gradient[0])
                K(input_gradient)(call, dy);
}
