/* SPDX-License-Identifier: MIT */
/*
 * causal_attention_mixed.h - the kernels of causal_attention.c for mixed precision.
 *
 * One head of one image at a time, 64 queries after the other: its products with the keys before
 * the last of them are computed at once, and only in these 64 pixels some are masked. Weights have
 * a row for each key, so that what is of a query alone is a vector, as is a row of `bias`. The
 * backward pass computes the weights anew, from the logarithms of their sums.
 *
 * Products take weights and their gradients rounded to bfloat16, and all else is float32.
 */
enum { QUERIES = 64 };

/* Some queries of a head, and what is computed for them. [key][QUERIES] where nothing is said. */
struct queries {
        size_t first, keys; /* the first of them, and the keys before the last */
        size_t cols, pixels;
        float scale;
        const float *bias; /* see make_bias() */
        float *bias_gradient;
        float *log_sum;     /* [QUERIES]: of the weights before they are divided by their sum */
        float *x;           /* products of queries and keys */
        float *by_weight;   /* gradient by the weights */
        pxr_bf16 *weight;   /* forward: before they are divided by their sum */
        pxr_bf16 *gradient; /* by the logits of attention */
        float *inverse_sum; /* [QUERIES] */
};

/* exp(x), to 2^-18 of it: a Taylor polynomial of degree 5 of 2^f for |f| <= 1/2, and so many
 * halvings. 0 for x below -87.3; x is at most 88. */
PXR_INLINE float exp_below(float x)
{
        const float shift =
                12582912; /* 1.5 2^23: adding it rounds to an integer, in the low bits */
        float y = x * 1.44269504f, n = y + shift, f = y - (n - shift);
        float p = ((((1.33335581e-3f * f + 9.61812911e-3f) * f + 5.55041087e-2f) * f +
                    2.40226507e-1f) *
                           f +
                   6.93147181e-1f) *
                          f +
                  1;
        uint32_t bits, power;

        memcpy(&power, &n, sizeof(power));
        memcpy(&bits, &p, sizeof(bits));
        bits += power << 23;
        memcpy(&p, &bits, sizeof(p));
        return y < -126 ? 0 : p;
}

/* As pxr_bf16_rounded(), but for ties. NaN stays NaN, as those that arithmetic makes of bfloat16
 * numbers have zeros in the lower half. */
PXR_INLINE pxr_bf16 rounded(float value)
{
        uint32_t bits;

        memcpy(&bits, &value, sizeof(bits));
        return (pxr_bf16)((bits + 0x8000) >> 16);
}

/* Where the biases of a key for all queries are, by the number of the query among them. */
PXR_INLINE ptrdiff_t bias_row(const struct queries *q, size_t key)
{
        return (ptrdiff_t)(key % q->cols * q->pixels + q->first) -
               (ptrdiff_t)(key / q->cols * q->cols);
}

/* Queries that a key is not before. */
PXR_INLINE size_t masked(const struct queries *q, size_t key)
{
        return key < q->first ? 0 : key - q->first + 1;
}

PXR_INLINE void logits_row(const float *restrict bias, float scale, size_t skip, float *restrict x,
                           float *restrict top)
{
        for (int i = 0; i < QUERIES; i++)
                x[i] = scale * x[i] + bias[i];
        for (size_t i = 0; i < skip; i++)
                x[i] = -INFINITY;
        for (int i = 0; i < QUERIES; i++)
                top[i] = x[i] > top[i] ? x[i] : top[i];
}

PXR_INLINE void weights_row(const float *restrict x, const float *restrict top, float *restrict sum,
                            pxr_bf16 *restrict weight)
{
        for (int i = 0; i < QUERIES; i++) {
                float e = exp_below(x[i] - top[i]);

                sum[i] += e;
                weight[i] = rounded(e);
        }
}

PXR_INLINE void weigh_body(const struct queries *q)
{
        float top[QUERIES], sum[QUERIES];

        for (int i = 0; i < QUERIES; i++) {
                top[i] = -1e30f; /* the first pixel has no keys */
                sum[i] = 0;
        }
        for (size_t key = 0; key < q->keys; key++)
                logits_row(q->bias + bias_row(q, key), q->scale, masked(q, key),
                           q->x + key * QUERIES, top);
        for (size_t key = 0; key < q->keys; key++)
                weights_row(q->x + key * QUERIES, top, sum, q->weight + key * QUERIES);
        for (int i = 0; i < QUERIES; i++) {
                q->inverse_sum[i] = sum[i] == 0 ? 0 : 1 / sum[i];
                q->log_sum[i] = top[i] + logf(sum[i]);
        }
}
PXR_FOR_EACH_LEVEL(static, void, weigh, (const struct queries *q), (q))

/* x: in: products, out: weights. `mean` += the weights times their gradients. */
PXR_INLINE void weights_again_row(const float *restrict bias, float scale, size_t skip,
                                  const float *restrict log_sum, const float *restrict by_weight,
                                  float *restrict x, float *restrict mean,
                                  pxr_bf16 *restrict weight)
{
        for (int i = 0; i < QUERIES; i++)
                x[i] = exp_below(scale * x[i] + bias[i] - log_sum[i]);
        for (size_t i = 0; i < skip; i++)
                x[i] = 0;
        for (int i = 0; i < QUERIES; i++) {
                mean[i] += x[i] * by_weight[i];
                weight[i] = rounded(x[i]);
        }
}

PXR_INLINE void gradient_row(const float *restrict weight, const float *restrict by_weight,
                             const float *restrict mean, pxr_bf16 *restrict gradient,
                             float *restrict bias_gradient)
{
        for (int i = 0; i < QUERIES; i++) {
                float g = weight[i] * (by_weight[i] - mean[i]);

                gradient[i] = rounded(g);
                bias_gradient[i] += g;
        }
}

PXR_INLINE void weigh_gradient_body(const struct queries *q)
{
        float mean[QUERIES] = { 0 };

        for (size_t key = 0; key < q->keys; key++)
                weights_again_row(q->bias + bias_row(q, key), q->scale, masked(q, key), q->log_sum,
                                  q->by_weight + key * QUERIES, q->x + key * QUERIES, mean,
                                  q->weight + key * QUERIES);
        for (size_t key = 0; key < q->keys; key++)
                gradient_row(q->x + key * QUERIES, q->by_weight + key * QUERIES, mean,
                             q->gradient + key * QUERIES, q->bias_gradient + bias_row(q, key));
}
PXR_FOR_EACH_LEVEL(static, void, weigh_gradient, (const struct queries *q), (q))

/* --- one head of one image ---------------------------------------------------------------------
 */

/* Its maps, [pixel][width], with zeros for channels and queries that there are not. */
struct mixed_work {
        size_t width;
        pxr_bf16 *query, *key, *value, *by_output;
        struct queries q;
        float *bias_gradient;        /* of all images */
        float *by_key, *by_value;    /* [pixel][width] */
        float *product, *of_queries; /* [pixel][width], [QUERIES][width] */
        void *packed, *gemm;
};

static size_t width_of(size_t size)
{
        return size <= 16 ? 16 : (size + 31) / 32 * 32;
}

/* Biases in front of the first and behind the last are read, or have zeros added, in vain. */
static size_t bias_size(const struct pxr_node *node)
{
        return node->shape.cols * pixels_of(node) + 2 * QUERIES;
}

static void *take(char *scratch, size_t *size, size_t bytes)
{
        char *part = scratch ? scratch + *size : NULL;

        *size += (bytes + 63) / 64 * 64;
        return part;
}

static size_t larger(size_t a, size_t b)
{
        return a > b ? a : b;
}

/* Lay out the scratch; NULL: only its size is wanted. */
static size_t mixed_work_of(const struct pxr_node *node, char *scratch, struct mixed_work *w)
{
        size_t pixels = pixels_of(node), heads = heads_of(node), size = 0;
        size_t width = width_of((node->shape.channels + heads - 1) / heads);
        size_t map = (pixels + QUERIES) * width, weights = pixels * QUERIES;

        w->width = width;
        w->query = take(scratch, &size, map * sizeof(pxr_bf16));
        w->key = take(scratch, &size, map * sizeof(pxr_bf16));
        w->value = take(scratch, &size, map * sizeof(pxr_bf16));
        w->by_output = take(scratch, &size, map * sizeof(pxr_bf16));
        w->by_key = take(scratch, &size, map * sizeof(float));
        w->by_value = take(scratch, &size, map * sizeof(float));
        w->product = take(scratch, &size, map * sizeof(float));
        w->of_queries = take(scratch, &size, QUERIES * width * sizeof(float));
        w->q = (struct queries) {
                .cols = node->shape.cols,
                .pixels = pixels,
                .bias = take(scratch, &size, bias_size(node) * sizeof(float)),
                .bias_gradient = take(scratch, &size, bias_size(node) * sizeof(float)),
                .log_sum = take(scratch, &size, QUERIES * sizeof(float)),
                .inverse_sum = take(scratch, &size, QUERIES * sizeof(float)),
                .x = take(scratch, &size, weights * sizeof(float)),
                .by_weight = take(scratch, &size, weights * sizeof(float)),
                .weight = take(scratch, &size, weights * sizeof(pxr_bf16)),
                .gradient = take(scratch, &size, weights * sizeof(pxr_bf16)),
        };
        w->packed = take(
                scratch, &size,
                larger(pxr_gemm_bf16_packed(width, QUERIES), pxr_gemm_bf16_packed(QUERIES, width)));
        w->gemm = take(scratch, &size,
                       larger(larger(pxr_gemm_bf16_scratch(QUERIES, width),
                                     pxr_gemm_bf16_scratch(width, QUERIES)),
                              pxr_gemm_bf16_transposed_scratch(width, QUERIES)));
        return size;
}

static size_t mixed_scratch(const struct pxr_node *node, int images)
{
        struct mixed_work work;

        (void)images;
        return mixed_work_of(node, NULL, &work);
}

/* The logarithms of sums: [head of an image][pixel]. */
static size_t mixed_state(const struct pxr_node *node, int images)
{
        return (size_t)images * heads_of(node) * pixels_of(node) * sizeof(float);
}

/* The biases of a head in the order in which rows of weights read them: [col of the key][query],
 * for keys of the first row. Those of a later row begin that much earlier. */
static float *make_bias(const struct pxr_call *call, struct mixed_work *w, int head)
{
        const struct pxr_node *node = call->node;
        int cols = node->shape.cols;
        float *bias = (float *)w->q.bias, *to = bias + QUERIES;

        memset(bias, 0, bias_size(node) * sizeof(*bias));
        for (int key = 0; key < cols; key++)
                for (int row = 0; row < node->shape.rows; row++)
                        for (int col = 0; col < cols; col++)
                                *to++ = ((const float *)
                                                 call->parameter[0])[bias_at(node, head, row, col) +
                                                                     key];
        return bias + QUERIES;
}

static void add_bias_gradient(const struct pxr_call *call, const struct mixed_work *w, int head)
{
        const struct pxr_node *node = call->node;
        int cols = node->shape.cols;
        float *gradient = call->parameter_gradient[0];
        const float *from = w->q.bias_gradient;

        for (int key = 0; gradient && key < cols; key++)
                for (int row = 0; row < node->shape.rows; row++)
                        for (int col = 0; col < cols; col++)
                                gradient[bias_at(node, head, row, col) + key] += *from++;
}

/* A head's channels of a map, from the first pixel's on. */
static void gather(const struct mixed_work *w, int size, const pxr_bf16 *from, size_t stride,
                   pxr_bf16 *to)
{
        memset(to, 0, (w->q.pixels + QUERIES) * w->width * sizeof(*to));
        for (size_t pixel = 0; pixel < w->q.pixels; pixel++)
                memcpy(to + pixel * w->width, from + pixel * stride, size * sizeof(*to));
}

/* And back, for some rows: times the row's factor, which are `step` apart; or added so. */
PXR_INLINE void scatter_body(size_t rows, size_t width, int size, const float *restrict from,
                             const float *restrict factor, size_t step, bool adds,
                             pxr_bf16 *restrict to, size_t stride)
{
        for (size_t row = 0; row < rows; row++, from += width, to += stride, factor += step)
                for (int i = 0; i < size; i++)
                        to[i] = pxr_bf16_rounded(*factor * from[i] +
                                                 (adds ? pxr_bf16_value(to[i]) : 0));
}
PXR_FOR_EACH_LEVEL(static, void, scatter,
                   (size_t rows, size_t width, int size, const float *from, const float *factor,
                    size_t step, bool adds, pxr_bf16 *to, size_t stride),
                   (rows, width, size, from, factor, step, adds, to, stride))

static void gather_head(const struct pxr_call *call, const struct head_f32 *h,
                        const struct mixed_work *w)
{
        const pxr_bf16 *memory = call->input[MEMORY];

        gather(w, h->size, (const pxr_bf16 *)call->input[QUERY] + h->channel, h->stride, w->query);
        gather(w, h->size, memory + h->key, h->memory_stride, w->key);
        gather(w, h->size, memory + h->value, h->memory_stride, w->value);
}

/* Go on to some queries; how many there are. */
static size_t take_queries(struct mixed_work *w, const struct head_f32 *h, size_t first)
{
        size_t left = w->q.pixels - first, count = left < QUERIES ? left : QUERIES;

        w->q.first = first;
        w->q.keys = first + count;
        w->q.scale = h->scale;
        return count;
}

/* Products of all keys (or values) with these queries (or gradients of outputs). */
static void by_queries(const struct mixed_work *w, const pxr_bf16 *keys, const pxr_bf16 *queries,
                       float *x)
{
        pxr_gemm_bf16_pack(w->width, QUERIES, queries + w->q.first * w->width, 1, w->width,
                           w->packed);
        pxr_gemm_bf16(w->q.keys, QUERIES, w->width, keys, w->width, w->packed, x, QUERIES, w->gemm);
}

/* sum += weights times what these queries have. */
static void add_to_keys(const struct mixed_work *w, const pxr_bf16 *weight, const pxr_bf16 *queries,
                        float *sum)
{
        size_t size = w->q.keys * w->width;

        pxr_gemm_bf16_pack(QUERIES, w->width, queries + w->q.first * w->width, w->width, 1,
                           w->packed);
        pxr_gemm_bf16(w->q.keys, w->width, QUERIES, weight, QUERIES, w->packed, w->product,
                      w->width, w->gemm);
        for (size_t i = 0; i < size; i++)
                sum[i] += w->product[i];
}

/* The sum over the keys of weights times what they have, [QUERIES][width]. */
static void sum_of_keys(const struct mixed_work *w, const pxr_bf16 *weight, const pxr_bf16 *keys)
{
        memset(w->of_queries, 0, QUERIES * w->width * sizeof(float));
        pxr_gemm_bf16_transposed(w->q.keys, w->width, QUERIES, weight, QUERIES, keys, w->of_queries,
                                 w->gemm);
}

static void forward_head(const struct pxr_call *call, const struct head_f32 *h,
                         struct mixed_work *w, float *log_sum)
{
        pxr_bf16 *y = (pxr_bf16 *)call->output + h->channel;

        gather_head(call, h, w);
        for (size_t first = 0; first < w->q.pixels; first += QUERIES) {
                size_t count = take_queries(w, h, first);

                by_queries(w, w->key, w->query, w->q.x);
                weigh(&w->q);
                memcpy(log_sum + first, w->q.log_sum, count * sizeof(float));
                sum_of_keys(w, w->q.weight, w->value);
                scatter(count, w->width, h->size, w->of_queries, w->q.inverse_sum, 1, false,
                        y + first * h->stride, h->stride);
        }
}

static void forward_mixed(const struct pxr_call *call)
{
        int heads = heads_of(call->node);
        struct mixed_work w;

        mixed_work_of(call->node, call->scratch, &w);
        for (int head = 0; head < heads; head++) {
                w.q.bias = make_bias(call, &w, head % (heads / call->node->colours));
                for (int image = 0; image < call->images; image++) {
                        struct head_f32 h = head_of_f32(call, image * heads + head);

                        forward_head(call, &h, &w,
                                     (float *)call->state + (image * heads + head) * w.q.pixels);
                }
                w.q.bias -= QUERIES;
        }
}

static void backward_queries(const struct pxr_call *call, const struct head_f32 *h,
                             struct mixed_work *w, const float *log_sum, size_t first)
{
        size_t count = take_queries(w, h, first);
        pxr_bf16 *dquery = call->input_gradient[QUERY];

        memcpy(w->q.log_sum, log_sum + first, count * sizeof(float));
        for (size_t i = count; i < QUERIES; i++)
                w->q.log_sum[i] = 1e30f; /* no pixel: its weights are 0 */
        by_queries(w, w->key, w->query, w->q.x);
        by_queries(w, w->value, w->by_output, w->q.by_weight);
        weigh_gradient(&w->q);
        if (call->input_gradient[MEMORY]) {
                add_to_keys(w, w->q.weight, w->by_output, w->by_value);
                add_to_keys(w, w->q.gradient, w->query, w->by_key);
        }
        if (!dquery)
                return;
        sum_of_keys(w, w->q.gradient, w->key);
        scatter(count, w->width, h->size, w->of_queries, &h->scale, 0, call->accumulate[QUERY],
                dquery + h->channel + first * h->stride, h->stride);
}

static void backward_head(const struct pxr_call *call, const struct head_f32 *h,
                          struct mixed_work *w, const float *log_sum)
{
        pxr_bf16 *dmemory = call->input_gradient[MEMORY];
        size_t map = w->q.pixels * w->width;
        bool adds = call->accumulate[MEMORY];
        const float one = 1;

        gather_head(call, h, w);
        gather(w, h->size, (const pxr_bf16 *)call->output_gradient + h->channel, h->stride,
               w->by_output);
        memset(w->by_key, 0, map * sizeof(float));
        memset(w->by_value, 0, map * sizeof(float));
        for (size_t first = 0; first < w->q.pixels; first += QUERIES)
                backward_queries(call, h, w, log_sum, first);
        if (!dmemory)
                return;
        scatter(w->q.pixels, w->width, h->size, w->by_key, &h->scale, 0, adds, dmemory + h->key,
                h->memory_stride);
        scatter(w->q.pixels, w->width, h->size, w->by_value, &one, 0, adds, dmemory + h->value,
                h->memory_stride);
}

static void backward_mixed(const struct pxr_call *call)
{
        int heads = heads_of(call->node);
        struct mixed_work w;

        mixed_work_of(call->node, call->scratch, &w);
        for (int head = 0; head < heads; head++) {
                int number = head % (heads / call->node->colours);

                w.q.bias = make_bias(call, &w, number);
                memset(w.q.bias_gradient, 0, bias_size(call->node) * sizeof(float));
                w.q.bias_gradient += QUERIES;
                for (int image = 0; image < call->images; image++) {
                        struct head_f32 h = head_of_f32(call, image * heads + head);

                        backward_head(call, &h, &w,
                                      (const float *)call->state +
                                              (image * heads + head) * w.q.pixels);
                }
                add_bias_gradient(call, &w, number);
                w.q.bias -= QUERIES;
                w.q.bias_gradient -= QUERIES;
        }
}

static const struct pxr_mixed attention_mixed = { .forward = forward_mixed,
                                                  .backward = backward_mixed,
                                                  .scratch = mixed_scratch,
                                                  .state = mixed_state };
