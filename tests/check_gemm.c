/* SPDX-License-Identifier: MIT */
/*
 * check_gemm.c - matrix products against sums in double precision.
 *
 * Every instruction set that our own tiles know and this machine has, beside the BLAS; sizes around
 * the edges of tiles, panels and blocks. That a value's bits depend on its row and column alone is
 * what generation rests on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/op.h>
#include <pxr/random.h>

#include "suite.h"
#include "tensor/gemm.h"

enum { GAP = 5 }; /* columns between the rows of C, which must not be touched */

static const float untouched = -77;

struct sizes {
        size_t m, n, k;
};

static const struct sizes tried[] = {
        { 1, 1, 1 },     { 1, 64, 16 },   { 3, 17, 5 },     { 8, 48, 7 },     { 16, 43, 171 },
        { 13, 64, 33 },  { 16, 100, 64 }, { 31, 49, 255 },  { 9, 96, 256 },   { 6, 113, 257 },
        { 255, 16, 31 }, { 256, 33, 40 }, { 257, 144, 20 }, { 520, 31, 300 },
};

static const struct pxr_start_f32 zero = { .run = 1 };

static float *random_array(size_t size, int seed)
{
        struct pxr_random random = pxr_random(1, PXR_RANDOM_SAMPLE, seed, 0, 0);
        float *values = malloc((size + 1) * sizeof(float));

        for (size_t i = 0; i < size; i++)
                values[i] = (float)(2 * pxr_random_uniform(&random) - 1);
        return values;
}

/* Operands of one product, in every layout; C lies with gaps. */
struct operands {
        struct sizes size;
        float *a, *a_turned, *b, *b_turned, *c, *start;
        size_t ldc;
};

static float *turned(size_t rows, size_t cols, const float *from)
{
        float *to = malloc(rows * cols * sizeof(float));

        for (size_t row = 0; row < rows; row++)
                for (size_t col = 0; col < cols; col++)
                        to[col * rows + row] = from[row * cols + col];
        return to;
}

static struct operands operands_of(struct sizes size)
{
        struct operands o = { .size = size, .ldc = size.n + GAP };

        o.a = random_array(size.m * size.k, 1);
        o.b = random_array(size.k * size.n, 2);
        o.start = random_array(size.m * o.ldc, 3);
        o.c = malloc(size.m * o.ldc * sizeof(float));
        o.a_turned = turned(size.m, size.k, o.a);
        o.b_turned = turned(size.k, size.n, o.b);
        for (size_t row = 0; row < size.m; row++)
                for (size_t col = size.n; col < o.ldc; col++)
                        o.start[row * o.ldc + col] = untouched;
        return o;
}

static void free_operands(struct operands *o)
{
        free(o->a);
        free(o->b);
        free(o->a_turned);
        free(o->b_turned);
        free(o->start);
        free(o->c);
}

static struct pxr_product product_of(const struct operands *o, bool turn_a, bool turn_b, bool fresh)
{
        return (struct pxr_product) {
                .m = o->size.m,
                .n = o->size.n,
                .k = o->size.k,
                .blocks = 1,
                .a = turn_a ? o->a_turned : o->a,
                .a_row = turn_a ? 1 : o->size.k,
                .a_col = turn_a ? o->size.m : 1,
                .b = turn_b ? o->b_turned : o->b,
                .ldb = turn_b ? o->size.k : o->size.n,
                .b_transposed = turn_b,
                .start = fresh ? &zero : NULL,
                .c = o->c,
                .ldc = o->ldc,
        };
}

static void expect_product(const struct operands *o, bool fresh)
{
        for (size_t row = 0; row < o->size.m; row++)
                for (size_t col = 0; col < o->ldc; col++) {
                        double want = o->start[row * o->ldc + col], terms = 0;

                        if (col < o->size.n) {
                                want = fresh ? 0 : want;
                                for (size_t p = 0; p < o->size.k; p++) {
                                        double term = (double)o->a[row * o->size.k + p] *
                                                      o->b[p * o->size.n + col];

                                        want += term;
                                        terms += fabs(term);
                                }
                        }
                        if (!(fabs(o->c[row * o->ldc + col] - want) <= 1e-6 * (1 + terms)))
                                ck_abort_msg("%zux%zux%zu: C[%zu][%zu] is %.9g, not %.9g",
                                             o->size.m, o->size.n, o->size.k, row, col,
                                             o->c[row * o->ldc + col], want);
                }
}

/* How a product is computed; false where this machine cannot. */
typedef bool product_function(const struct pxr_product *product);

static bool by_avx512(const struct pxr_product *product)
{
        return pxr_product_by(PXR_TILES_AVX512, product);
}

static bool by_avx2(const struct pxr_product *product)
{
        return pxr_product_by(PXR_TILES_AVX2, product);
}

/* As the ops call for it. */
static bool by_gemm(const struct pxr_product *p)
{
        bool turned = p->a_col != 1;

        pxr_gemm_f32(turned, p->b_transposed, p->m, p->n, p->k, 1, p->a, turned ? p->m : p->k, p->b,
                     p->ldb, p->start ? 0 : 1, p->c, p->ldc);
        return true;
}

static bool by_blas(const struct pxr_product *p)
{
        bool turned = p->a_col != 1;

        pxr_blas_f32(turned, p->b_transposed, p->m, p->n, p->k, 1, p->a, turned ? p->m : p->k, p->b,
                     p->ldb, p->start ? 0 : 1, p->c, p->ldc);
        return true;
}

static void expect_sums(product_function *way)
{
        for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++)
                for (int layout = 0; layout < 8; layout++) {
                        struct operands o = operands_of(tried[i]);
                        struct pxr_product product =
                                product_of(&o, layout & 1, layout & 2, layout & 4);

                        memcpy(o.c, o.start, product.m * o.ldc * sizeof(float));
                        if (way(&product))
                                expect_product(&o, product.start);
                        free_operands(&o);
                }
}

START_TEST(products_with_avx512_are_sums)
{
        expect_sums(by_avx512);
}
END_TEST

START_TEST(products_with_avx2_are_sums)
{
        expect_sums(by_avx2);
}
END_TEST

START_TEST(products_of_ops_are_sums)
{
        expect_sums(by_gemm);
}
END_TEST

START_TEST(products_of_the_blas_are_sums)
{
        expect_sums(by_blas);
}
END_TEST

/* Every row by itself, by every set, gives the bits of the whole. */
START_TEST(an_elements_bits_do_not_depend_on_the_size_of_the_product)
{
        struct operands o = operands_of((struct sizes) { 29, 75, 300 });
        struct pxr_product whole = product_of(&o, false, false, true);
        float *alone = malloc(o.size.n * sizeof(float));

        if (pxr_product_f32(&whole))
                for (int tiles = PXR_TILES_AVX2; tiles <= PXR_TILES_AVX512; tiles++)
                        for (size_t row = 0; row < o.size.m; row++) {
                                struct pxr_product one = whole;

                                one.m = 1;
                                one.a += row * o.size.k;
                                one.c = alone;
                                if (pxr_product_by(tiles, &one))
                                        ck_assert_mem_eq(alone, o.c + row * o.ldc,
                                                         o.size.n * sizeof(float));
                        }
        free(alone);
        free_operands(&o);
}
END_TEST

/* Columns 7 to 19 of each of 4 blocks of 20 are those of the whole product; no other is written. */
START_TEST(blocks_of_columns_have_the_same_bits_as_the_whole)
{
        enum { BLOCKS = 4, WIDTH = 20, FROM = 7, COUNT = 13 };
        struct operands o = operands_of((struct sizes) { 16, BLOCKS * WIDTH, 70 });
        float *part = malloc(o.size.m * o.ldc * sizeof(float));

        memcpy(o.c, o.start, o.size.m * o.ldc * sizeof(float));
        memcpy(part, o.start, o.size.m * o.ldc * sizeof(float));
        pxr_gemm_f32(false, false, o.size.m, o.size.n, o.size.k, 1, o.a, o.size.k, o.b, o.size.n, 1,
                     o.c, o.ldc);
        pxr_gemm_blocks_f32(false, o.size.m, COUNT, o.size.k, BLOCKS, WIDTH, o.a, o.size.k,
                            o.b + FROM, o.size.n, NULL, part + FROM, o.ldc);
        for (size_t row = 0; row < o.size.m; row++)
                for (size_t col = 0; col < o.ldc; col++) {
                        bool wanted = col < o.size.n && col % WIDTH >= FROM;
                        size_t at = row * o.ldc + col;

                        ck_assert_float_eq_tol(part[at], wanted ? o.c[at] : o.start[at], 1e-5);
                }
        free(part);
        free_operands(&o);
}
END_TEST

/* The rows to start from, 3 x 5, are at equal distances, as pixels of a map are. */
START_TEST(a_product_can_start_from_other_rows)
{
        enum { RUNS = 3, RUN = 5, APART = 90, RUN_APART = 700 };
        struct operands o = operands_of((struct sizes) { RUNS * RUN, 75, 300 });
        float *map = random_array(RUNS * RUN_APART + RUN * APART, 9);
        struct pxr_start_f32 start = { map, APART, RUN, RUN_APART };
        int ways = 0;

        for (int way = 0; way < 3; way++) {
                struct pxr_product product = product_of(&o, false, false, true);

                memcpy(o.c, o.start, product.m * o.ldc * sizeof(float));
                product.start = &start;
                if (way < 2 && !pxr_product_by(way, &product))
                        continue;
                if (way == 2)
                        pxr_gemm_blocks_f32(false, product.m, product.n, product.k, 1, 0, product.a,
                                            o.size.k, product.b, o.size.n, &start, o.c, o.ldc);
                ways++;
                for (size_t row = 0; row < o.size.m; row++)
                        memcpy(o.start + row * o.ldc,
                               map + row / RUN * RUN_APART + row % RUN * APART,
                               o.size.n * sizeof(float));
                expect_product(&o, false);
        }
        ck_assert_int_gt(ways, 0);
        /* Without a term it is the start alone. */
        pxr_gemm_blocks_f32(false, o.size.m, o.size.n, 0, 1, 0, o.a, 0, o.b, 0, &start, o.c, o.ldc);
        for (size_t row = 0; row < o.size.m; row++)
                ck_assert_mem_eq(o.c + row * o.ldc, o.start + row * o.ldc,
                                 o.size.n * sizeof(float));
        free(map);
        free_operands(&o);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("gemm");

        pxr_blas_single_thread();
        ADD_TEST(suite, products_with_avx512_are_sums);
        ADD_TEST(suite, products_with_avx2_are_sums);
        ADD_TEST(suite, products_of_ops_are_sums);
        ADD_TEST(suite, products_of_the_blas_are_sums);
        ADD_TEST(suite, an_elements_bits_do_not_depend_on_the_size_of_the_product);
        ADD_TEST(suite, blocks_of_columns_have_the_same_bits_as_the_whole);
        ADD_TEST(suite, a_product_can_start_from_other_rows);
        return run_suite(suite);
}
