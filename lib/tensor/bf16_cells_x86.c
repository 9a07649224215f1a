/* SPDX-License-Identifier: MIT */
/*
 * bf16_cells_x86.c - LSTM cells and gates in bfloat16 by AVX-512.
 *
 * Cells are computed in two passes over the rows of a block, since a processor looks ahead by some
 * hundred instructions: within one pass, it has several rows at work while each waits for itself.
 */
#include "tensor/bf16.h"
#include "tensor/bf16_cells.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "tensor/bf16_avx512.h"
#include "tensor/bf16_units.h"

/* Rows of the second pass at once. */
enum { ROWS = 4 };

/* A statement for each i below n, at most 4, which is a constant. */
#define EACH(n, i, ...)                                                            \
        do {                                                                       \
                _Pragma("GCC unroll 4") for (int i = 0; i < (n); i++) __VA_ARGS__; \
        } while (0)

/* x = 1 + 2^x, at most 1 + 2^30, of n arrays. 2^x is 2^floor(x) times a polynomial in the rest of
 * x, minimax on [0, 1] to 7.5e-08. NaN stays NaN, as MINPS returns its second operand for it. */
ALWAYS_INLINE void denominators(const int n, __m512 *x)
{
        static const float power[] = { 1.877576673e-03f, 8.989340095e-03f, 5.582631805e-02f,
                                       2.401536170e-01f, 6.931530732e-01f, 9.999999251e-01f };
        __m512 f[4], p[4];

        EACH(n, k, x[k] = _mm512_min_ps(_mm512_set1_ps(30), x[k]));
        EACH(n, k, f[k] = _mm512_reduce_ps(x[k], 1));
        EACH(n, k, p[k] = _mm512_set1_ps(power[0]));
#pragma GCC unroll 5
        for (int i = 1; i < 6; i++)
                EACH(n, k, p[k] = _mm512_fmadd_ps(p[k], f[k], _mm512_set1_ps(power[i])));
        EACH(n, k, x[k] = _mm512_add_ps(_mm512_set1_ps(1), _mm512_scalef_ps(p[k], x[k])));
}

/* 14 bits, and a step of Newton's. */
ALWAYS_INLINE __m512 reciprocal(__m512 x)
{
        __m512 r = _mm512_rcp14_ps(x);

        return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2)));
}

#define LOG2_E 1.44269504088896341f

/* 1 / (1 + exp(-x)) */
AVX512 static inline __m512 sigmoid(__m512 x)
{
        x = _mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E));
        denominators(1, &x);
        return reciprocal(x);
}

/* 2 sigmoid(2x) - 1 */
AVX512 static inline __m512 hyperbolic(__m512 x)
{
        return _mm512_fmsub_ps(_mm512_set1_ps(2), sigmoid(_mm512_add_ps(x, x)), _mm512_set1_ps(1));
}

/* Of o, f and i 1 / (1 + exp(-x)), of g 2 / (1 + exp(-2x)) - 1 = tanh(x), by one reciprocal. */
ALWAYS_INLINE void activations(__m512 x[4])
{
        __m512 of, ig, o;

        EACH(4, k, x[k] = _mm512_mul_ps(x[k], _mm512_set1_ps(k < 3 ? -LOG2_E : -2 * LOG2_E)));
        denominators(4, x);
        of = _mm512_mul_ps(x[0], x[1]);
        ig = _mm512_mul_ps(x[2], x[3]);
        o = reciprocal(_mm512_mul_ps(of, ig));
        ig = _mm512_mul_ps(o, ig); /* 1 / of */
        of = _mm512_mul_ps(o, of); /* 1 / ig */
        o = _mm512_mul_ps(ig, x[1]);
        x[1] = _mm512_mul_ps(ig, x[0]);
        x[0] = o;
        ig = _mm512_mul_ps(of, x[2]);
        x[2] = _mm512_mul_ps(of, x[3]);
        x[3] = _mm512_fmsub_ps(_mm512_set1_ps(2), ig, _mm512_set1_ps(1));
}

/* x = tanh(x), of ROWS rows. */
ALWAYS_INLINE void hyperbolics(__m512 x[ROWS])
{
        EACH(ROWS, i, x[i] = _mm512_mul_ps(x[i], _mm512_set1_ps(-2 * LOG2_E)));
        denominators(ROWS, x);
        EACH(ROWS, i,
             x[i] = _mm512_fmsub_ps(_mm512_set1_ps(2), reciprocal(x[i]), _mm512_set1_ps(1)));
}

/* Two rows, rounded. */
ALWAYS_INLINE void store_two(pxr_bf16 *first, pxr_bf16 *second, __mmask16 mask, __m512 x, __m512 y)
{
        __m512i two = (__m512i)_mm512_cvtne2ps_pbh(y, x);

        store_words(first, mask, _mm512_castsi512_si256(two));
        store_words(second, mask, _mm512_extracti64x4_epi64(two, 1));
}

/* Up to 16 features of rows that follow one another in maps: where the first is. */
struct few_cells {
        size_t rows;
        __mmask16 mask;        /* of the features */
        ptrdiff_t at, gates;   /* in a map of `features` and of 4 `features` */
        size_t row, gates_row; /* in [row][features] and [row][4 features] */
        const float *before;
        size_t before_stride;
        bool shown;
};

/* At most `rows` rows from `row` on. Cells that follow one another need not all have one before. */
AVX512 static inline struct few_cells few_cells(const struct pxr_bf16_cells *cells, size_t row,
                                                size_t rows, size_t feature)
{
        size_t features = cells->features, count = features - feature;
        size_t left = cells->images - (unsigned)row % (unsigned)cells->images;
        ptrdiff_t at = pxr_bf16_cell_at(cells, row);
        bool alike = row >= cells->inner || row + rows <= cells->inner;

        return (struct few_cells) {
                .rows = left > rows || (cells->stride == 1 && alike) ? rows : left,
                .mask = count < PXR_TILE ? (1 << count) - 1 : 0xffff,
                .at = at * (ptrdiff_t)features + (ptrdiff_t)feature,
                .gates = 4 * at * (ptrdiff_t)features + (ptrdiff_t)feature,
                .row = row * features + feature,
                .gates_row = 4 * row * features + feature,
                .before = pxr_bf16_c_before(cells, row, at) + feature,
                .before_stride = row < cells->inner ? features : 0,
                .shown = row < cells->shown,
        };
}

/* The gates and c of some rows. o and c stay in sum[0][row][0] and [16], too. */
ALWAYS_INLINE void gates_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                            __mmask16 mask, float *sum)
{
        size_t features = cells->features;
        const pxr_bf16 *z = cells->input + few->gates;
        const float *before = few->before;
        pxr_bf16 *to = cells->gates + few->gates;
        float *to_c = cells->c + few->at;

        for (size_t i = 0; i < few->rows; i++, sum += PXR_BLOCK, to_c += features) {
                __m512 x[4], c;

                EACH(4, k,
                     x[k] = _mm512_add_ps(widened(mask, z + k * features),
                                          _mm512_load_ps(sum + k / 2 * PXR_BLOCK * PXR_BLOCK +
                                                         k % 2 * PXR_TILE)));
                activations(x);
                c = _mm512_fmadd_ps(x[1], _mm512_maskz_loadu_ps(mask, before),
                                    _mm512_mul_ps(x[2], x[3]));
                _mm512_mask_storeu_ps(to_c, mask, c);
                _mm512_store_ps(sum, x[0]);
                _mm512_store_ps(sum + PXR_TILE, c);
                store_two(to, to + features, mask, x[0], x[1]);
                store_two(to + 2 * features, to + 3 * features, mask, x[2], x[3]);
                z += 4 * features;
                to += 4 * features;
                before += few->before_stride;
        }
}

/* h of some rows, of what gates_of() left in `sum`. */
ALWAYS_INLINE void outputs_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                              __mmask16 mask, const float *sum)
{
        size_t features = cells->features;
        pxr_bf16 *h = cells->h + few->at, *output = cells->output + few->at;
        pxr_bf16 *next = cells->next + few->row;

        for (size_t row = 0; row < few->rows; row += ROWS, sum += ROWS * PXR_BLOCK) {
                size_t rows = few->rows - row;
                __m512 x[ROWS];

                EACH(ROWS, i, x[i] = _mm512_load_ps(sum + i * PXR_BLOCK + PXR_TILE));
                hyperbolics(x);
#pragma GCC unroll 4
                for (size_t i = 0; i < ROWS && i < rows; i++) {
                        size_t at = (row + i) * features;

                        x[i] = _mm512_mul_ps(x[i], _mm512_load_ps(sum + i * PXR_BLOCK));
                        store(h + at, mask, x[i]);
                        store(next + at, mask, x[i]);
                        if (few->shown)
                                store(output + at, mask, x[i]);
                }
        }
}

/* Rows of `rows` that are computed feature by feature, before others. */
static size_t few_rows(size_t rows, size_t count)
{
        return rows < ROWS || count <= PXR_TILE ? rows : ROWS;
}

AVX512 void pxr_bf16_avx512_cells(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                                  size_t feature, size_t count, float *sum)
{
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0, done; i < rows; i += done) {
                        done = few_rows(rows - i, count);
                        for (size_t j = 0; j < count && feature + j < cells->features;
                             j += PXR_TILE) {
                                struct few_cells few = few_cells(cells, row + i, done, feature + j);
                                float *sums = pxr_bf16_gates_sums(sum, i, j);

                                done = few.rows;
                                if (pass)
                                        outputs_of(cells, &few, few.mask, sums);
                                else if (few.mask == 0xffff)
                                        gates_of(cells, &few, 0xffff, sums);
                                else
                                        gates_of(cells, &few, few.mask, sums);
                        }
                }
}

/* x (1 - x) */
AVX512 static inline __m512 slope(__m512 x)
{
        return _mm512_fnmadd_ps(x, x, x);
}

/* tanh(c) of some rows, to t[row][32]. */
ALWAYS_INLINE void tanh_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                           __mmask16 mask, float *t)
{
        const float *c = cells->c + few->at;
        size_t features = cells->features;

        for (size_t row = 0; row < few->rows; row += ROWS, c += ROWS * features) {
                size_t rows = few->rows - row;
                __m512 x[ROWS];

                EACH(ROWS, i,
                     x[i] = _mm512_maskz_loadu_ps((size_t)i < rows ? mask : 0, c + i * features));
                hyperbolics(x);
                for (size_t i = 0; i < ROWS && i < rows; i++)
                        _mm512_store_ps(t + (row + i) * PXR_BLOCK, x[i]);
        }
}

/* The gradient of some rows. */
ALWAYS_INLINE void gradient_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                               __mmask16 mask, const float *sum, const float *tanh_c)
{
        const __m512 one = _mm512_set1_ps(1);
        size_t features = cells->features;
        const pxr_bf16 *gates = cells->gates + few->gates, *by_output = cells->by_output + few->at;
        pxr_bf16 *to = cells->by_gates + few->gates, *next = cells->next + few->gates_row;
        const float *before = few->before;
        float *by_c = cells->by_c + few->row;

        for (size_t i = 0; i < few->rows; i++, sum += PXR_BLOCK) {
                __m512 o = widened(mask, gates), f = widened(mask, gates + features);
                __m512 in = widened(mask, gates + 2 * features);
                __m512 g = widened(mask, gates + 3 * features);
                __m512 t = _mm512_load_ps(tanh_c + i * PXR_BLOCK);
                __m512 dh = _mm512_load_ps(sum), dc;

                if (few->shown)
                        dh = _mm512_add_ps(dh, widened(mask, by_output));
                dc = _mm512_fmadd_ps(_mm512_mul_ps(dh, o), _mm512_fnmadd_ps(t, t, one),
                                     _mm512_maskz_loadu_ps(mask, by_c));
                _mm512_mask_storeu_ps(by_c, mask, _mm512_mul_ps(dc, f));
                o = _mm512_mul_ps(_mm512_mul_ps(dh, t), slope(o));
                f = _mm512_mul_ps(_mm512_mul_ps(dc, _mm512_maskz_loadu_ps(mask, before)), slope(f));
                t = _mm512_mul_ps(_mm512_mul_ps(dc, g), slope(in));
                g = _mm512_mul_ps(_mm512_mul_ps(dc, in), _mm512_fnmadd_ps(g, g, one));
                store_two(to, to + features, mask, o, f);
                store_two(to + 2 * features, to + 3 * features, mask, t, g);
                store_two(next, next + features, mask, o, f);
                store_two(next + 2 * features, next + 3 * features, mask, t, g);
                gates += 4 * features;
                to += 4 * features;
                next += 4 * features;
                by_output += features;
                by_c += features;
                before += few->before_stride;
        }
}

AVX512 void pxr_bf16_avx512_cells_gradient(const struct pxr_bf16_cells *cells, size_t row,
                                           size_t rows, size_t feature, size_t count, float *sum)
{
        _Alignas(64) float t[PXR_CELLS_GRADIENT / PXR_BLOCK * PXR_BLOCK * PXR_BLOCK];

        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0, done; i < rows; i += done) {
                        done = few_rows(rows - i, count);
                        for (size_t j = 0; j < count; j += PXR_TILE) {
                                struct few_cells few = few_cells(cells, row + i, done, feature + j);
                                float *sums = pxr_bf16_sums(sum, i, j);
                                float *tanh_c = pxr_bf16_sums(t, i, j);

                                done = few.rows;
                                if (!pass)
                                        tanh_of(cells, &few, few.mask, tanh_c);
                                else if (few.mask == 0xffff)
                                        gradient_of(cells, &few, 0xffff, sums, tanh_c);
                                else
                                        gradient_of(cells, &few, few.mask, sums, tanh_c);
                        }
                }
}

AVX512 __attribute__((always_inline)) static inline void
gates_forward(const struct pxr_bf16_gates *gates, const bool linear)
{
        size_t features = gates->features;

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        __mmask16 mask =
                                features - j < PXR_TILE ? (1 << (features - j)) - 1 : 0xffff;
                        const pxr_bf16 *x = gates->x + 2 * cell * features + j;
                        __m512 a = widened(mask, x), b = widened(mask, x + features);

                        if (!linear)
                                a = hyperbolic(a);
                        store(gates->y + cell * features + j, mask, _mm512_mul_ps(a, sigmoid(b)));
                }
}

AVX512 void pxr_bf16_avx512_gates(const struct pxr_bf16_gates *gates)
{
        if (gates->linear)
                gates_forward(gates, true);
        else
                gates_forward(gates, false);
}

/* da = dy sigmoid(b) tanh'(a), db = dy tanh(a) sigmoid'(b) */
AVX512 __attribute__((always_inline)) static inline void
gates_backward(const struct pxr_bf16_gates *gates, const bool linear, const bool accumulate)
{
        const __m512 one = _mm512_set1_ps(1);
        size_t features = gates->features;

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        __mmask16 mask =
                                features - j < PXR_TILE ? (1 << (features - j)) - 1 : 0xffff;
                        const pxr_bf16 *x = gates->x + 2 * cell * features + j;
                        pxr_bf16 *dx = gates->dx + 2 * cell * features + j;
                        __m512 dy = widened(mask, gates->dy + cell * features + j);
                        __m512 a = widened(mask, x), b = sigmoid(widened(mask, x + features));
                        __m512 da = _mm512_mul_ps(dy, b), db;

                        if (!linear) {
                                a = hyperbolic(a);
                                da = _mm512_mul_ps(da, _mm512_fnmadd_ps(a, a, one));
                        }
                        db = _mm512_mul_ps(_mm512_mul_ps(dy, a), slope(b));
                        if (accumulate) {
                                da = _mm512_add_ps(da, widened(mask, dx));
                                db = _mm512_add_ps(db, widened(mask, dx + features));
                        }
                        store(dx, mask, da);
                        store(dx + features, mask, db);
                }
}

AVX512 void pxr_bf16_avx512_gates_gradient(const struct pxr_bf16_gates *gates)
{
        if (gates->linear)
                gates_backward(gates, true, gates->accumulate);
        else if (gates->accumulate)
                gates_backward(gates, false, true);
        else
                gates_backward(gates, false, false);
}

#endif
