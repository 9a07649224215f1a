/* SPDX-License-Identifier: MIT */
/*
 * causal_attention_kernels.h - the kernels of causal_attention.c, in `real`.
 *
 * A row of queries at a time: the rows above are keys of all of them, so those are matrix products;
 * in their own row each query has the keys to its left, which are plain loops. Nothing is computed
 * from later pixels.
 */

/* One head of one colour of one image: where it begins, and the distance between pixels. */
struct K(head) {
        int head, size;
        size_t channel; /* of the queries and the output, in [pixel][image][channel] */
        size_t key, value, stride, memory_stride;
        real scale;
};

static struct K(head) K(head_of)(const struct pxr_call *call, int number)
{
        const struct pxr_node *node = call->node;
        int features = node->shape.channels, heads = heads_of(node), image = number / heads;
        int first = head_begin(node, number % heads);
        int size = head_begin(node, number % heads + 1) - first;
        size_t cell = (size_t)image * features + first;

        return (struct K(head)) {
                .head = number % heads % (heads / node->colours),
                .size = size,
                .channel = cell,
                .key = 2 * (size_t)image * features + first,
                .value = 2 * (size_t)image * features + features + first,
                .stride = (size_t)call->images * features,
                .memory_stride = 2 * (size_t)call->images * features,
                .scale = (real)(1 / sqrt((double)size)),
        };
}

static inline real K(dot)(int size, const real *a, const real *b)
{
        real sum = 0;

        for (int i = 0; i < size; i++)
                sum += a[i] * b[i];
        return sum;
}

static inline void K(add_times)(int size, real factor, const real *x, real *y)
{
        for (int i = 0; i < size; i++)
                y[i] += factor * x[i];
}

/* Turn the products of a query at (row, col) with the keys before it into weights. */
PXR_INLINE void K(weigh)(const struct pxr_call *call, const struct K(head) * h, int row, int col,
                         real *restrict weight)
{
        int cols = call->node->shape.cols, keys = row * cols + col;
        real sum;

        for (int r = 0; r <= row; r++) {
                const real *bias = (const real *)call->parameter[0] +
                                   bias_at(call->node, h->head, row - r, col);

                for (int c = 0; c < (r < row ? cols : col); c++)
                        weight[r * cols + c] += bias[c];
        }
        if (keys == 0)
                return;
        sum = K(pxr_exp_sum)(keys, weight, K(pxr_max)(keys, weight), weight);
        for (int i = 0; i < keys; i++)
                weight[i] /= sum;
}

/* The weights of all queries of a row: [col][pixel]. */
static void K(weigh_row)(const struct pxr_call *call, const struct K(head) * h, int row,
                         real *weight)
{
        int cols = call->node->shape.cols;
        size_t above = (size_t)row * cols, pixels = pixels_of(call->node);
        const real *query = (const real *)call->input[QUERY] + h->channel + above * h->stride;
        const real *key = (const real *)call->input[MEMORY] + h->key;
        const real *own = key + above * h->memory_stride;

        K(pxr_gemm)
        (false, true, cols, above, h->size, h->scale, query, h->stride, key, h->memory_stride, 0,
         weight, pixels);
        for (int col = 0; col < cols; col++, weight += pixels, query += h->stride) {
                for (int k = 0; k < col; k++)
                        weight[above + k] =
                                h->scale * K(dot)(h->size, query, own + k * h->memory_stride);
                K(weigh)(call, h, row, col, weight);
        }
}

static void K(forward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int cols = node->shape.cols, rows = node->shape.rows;
        size_t pixels = pixels_of(node);
        real *weight = call->scratch;

        for (int number = 0; number < call->images * heads_of(node) * rows; number++) {
                struct K(head) h = K(head_of)(call, number / rows);
                size_t above = (size_t)(number % rows) * cols;
                const real *value = (const real *)call->input[MEMORY] + h.value;
                const real *own = value + above * h.memory_stride;
                real *y = (real *)call->output + h.channel + above * h.stride;

                K(weigh_row)(call, &h, number % rows, weight);
                for (int col = 0; col < cols; col++) {
                        memset(y + col * h.stride, 0, h.size * sizeof(real));
                        for (int k = 0; k < col; k++)
                                K(add_times)
                        (h.size, weight[col * pixels + above + k], own + k * h.memory_stride,
                         y + col * h.stride);
                }
                K(pxr_gemm)
                (false, false, cols, h.size, above, 1, weight, pixels, value, h.memory_stride, 1, y,
                 h.stride);
        }
}

/* What `advance` keeps of a head of an image: keys and values by channel, [size][pixel]. */
struct K(cache) {
        size_t pixels;
        real *key, *value;
};

static struct K(cache) K(cache_of)(const struct pxr_call *call, const struct K(head) * h, int image)
{
        size_t pixels = pixels_of(call->node), map = pixels * call->node->shape.channels;
        size_t first = h->channel - (size_t)image * call->node->shape.channels;
        real *key = (real *)call->state + 2 * image * map + first * pixels;

        return (struct K(cache)) { pixels, key, key + map };
}

/* Keep what a pixel has in the map of keys and values, which are known by now. */
static void K(remember)(const struct pxr_call *call, const struct K(head) * h,
                        const struct K(cache) * cache, size_t pixel)
{
        const real *memory = (const real *)call->input[MEMORY] + pixel * h->memory_stride;

        for (int i = 0; i < h->size; i++) {
                cache->key[i * cache->pixels + pixel] = memory[h->key + i];
                cache->value[i * cache->pixels + pixel] = memory[h->value + i];
        }
}

/* The products of a query with some keys. */
PXR_INLINE void K(compare)(const struct K(head) * h, const struct K(cache) * cache, int keys,
                           const real *query, real *restrict weight)
{
        memset(weight, 0, keys * sizeof(real));
        for (int i = 0; i < h->size; i++) {
                const real *restrict key = cache->key + i * cache->pixels;
                real factor = h->scale * query[i];

                for (int k = 0; k < keys; k++)
                        weight[k] += factor * key[k];
        }
}

/* The sum of weight[k] value[k], in 16 sums of every 16th. */
PXR_INLINE real K(weighted)(int keys, const real *restrict weight, const real *restrict value)
{
        real lane[16] = { 0 }, sum = 0;
        int k = 0;

        for (; k + 16 <= keys; k += 16)
                for (int l = 0; l < 16; l++)
                        lane[l] += weight[k + l] * value[k + l];
        for (int l = 0; k < keys; k++, l++)
                lane[l] += weight[k] * value[k];
        for (int l = 0; l < 16; l++)
                sum += lane[l];
        return sum;
}

PXR_INLINE void K(advance_all)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int keys = call->row * node->shape.cols + call->col;
        int heads = heads_of(node);
        real *weight = call->scratch;

        for (int number = 0; number < call->images * heads; number++) {
                struct K(head) h = K(head_of)(call, number);
                struct K(cache) cache = K(cache_of)(call, &h, number / heads);
                const real *query = (const real *)call->input[QUERY] + h.channel + keys * h.stride;
                real *y = (real *)call->output + h.channel + keys * h.stride;

                if (number % heads / (heads / node->colours) != call->colour)
                        continue;
                if (keys > 0)
                        K(remember)(call, &h, &cache, keys - 1);
                K(compare)(&h, &cache, keys, query, weight);
                K(weigh)(call, &h, call->row, call->col, weight);
                for (int i = 0; i < h.size; i++)
                        y[i] = K(weighted)(keys, weight, cache.value + i * cache.pixels);
        }
}

/* Turn the gradients by the weights of a query into those by the logits of attention. */
static void K(weigh_backward)(const struct pxr_call *call, const struct K(head) * h, int row,
                              int col, const real *weight, real *gradient)
{
        int cols = call->node->shape.cols, keys = row * cols + col;
        real *dbias = call->parameter_gradient[0], sum = K(dot)(keys, weight, gradient);

        for (int i = 0; i < keys; i++)
                gradient[i] = weight[i] * (gradient[i] - sum);
        for (int r = 0; dbias && r <= row; r++)
                K(add_times)
        (r < row ? cols : col, 1, gradient + r * cols,
         dbias + bias_at(call->node, h->head, row - r, col));
}

/* One row of queries of one head. `weight` and `gradient`: [col][pixel]. */
static void K(backward_row)(const struct pxr_call *call, const struct K(head) * h, int row,
                            real *weight, real *gradient)
{
        int cols = call->node->shape.cols;
        size_t above = (size_t)row * cols, pixels = pixels_of(call->node), step = h->memory_stride;
        const real *query = (const real *)call->input[QUERY] + h->channel + above * h->stride;
        const real *dy = (const real *)call->output_gradient + h->channel + above * h->stride;
        const real *key = (const real *)call->input[MEMORY] + h->key;
        const real *value = (const real *)call->input[MEMORY] + h->value;
        real *dquery = call->input_gradient[QUERY], *dmemory = call->input_gradient[MEMORY];

        K(weigh_row)(call, h, row, weight);
        K(pxr_gemm)
        (false, true, cols, above, h->size, 1, dy, h->stride, value, step, 0, gradient, pixels);
        for (int col = 0; col < cols; col++) {
                const real *w = weight + col * pixels, *q = query + col * h->stride;
                real *g = gradient + col * pixels;

                for (size_t k = above; k < above + col; k++)
                        g[k] = K(dot)(h->size, dy + col * h->stride, value + k * step);
                K(weigh_backward)(call, h, row, col, w, g);
                for (size_t k = above; dmemory && k < above + col; k++) {
                        real *to = dmemory + k * step;

                        K(add_times)(h->size, w[k], dy + col * h->stride, to + h->value);
                        K(add_times)(h->size, h->scale * g[k], q, to + h->key);
                }
                for (size_t k = above; dquery && k < above + col; k++)
                        K(add_times)
                (h->size, h->scale * g[k], key + k * step,
                 dquery + h->channel + (above + col) * h->stride);
        }
        if (dmemory) {
                K(pxr_gemm)
                (true, false, above, h->size, cols, 1, weight, pixels, dy, h->stride, 1,
                 dmemory + h->value, step);
                K(pxr_gemm)
                (true, false, above, h->size, cols, h->scale, gradient, pixels, query, h->stride, 1,
                 dmemory + h->key, step);
        }
        if (dquery)
                K(pxr_gemm)
        (false, false, cols, h->size, above, h->scale, gradient, pixels, key, step, 1,
         dquery + h->channel + above * h->stride, h->stride);
}

static void K(backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int rows = node->shape.rows;
        real *weight = call->scratch, *gradient = weight + node->shape.cols * pixels_of(node);

        for (int k = 0; k < 2; k++)
                if (call->input_gradient[k] && !call->accumulate[k])
                        memset(call->input_gradient[k], 0,
                               pxr_map_size(node->input[k], call->images) * sizeof(real));
        for (int number = 0; number < call->images * heads_of(node) * rows; number++) {
                struct K(head) h = K(head_of)(call, number / rows);

                K(backward_row)(call, &h, number % rows, weight, gradient);
        }
}
