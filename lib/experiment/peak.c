/* SPDX-License-Identifier: MIT */
/*
 * peak.c - measuring what the processors reach on plain matrix products.
 */
#include "experiment/peak.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/pages.h"
#include "base/text.h"
#include "tensor/bf16.h"
#include "tensor/gemm.h"

/* Rows and columns of the largest product; bytes of its three matrices in float32, which are also
 * room for those of bfloat16 and their scratch. */
enum { MOST = 768, ROOM = 3 * sizeof(float) * MOST * MOST };

/* What a thread does again and again, in memory of its own. */
struct load {
        double (*once)(size_t size, char *room); /* returns the multiply-adds */
        size_t size;
};

static double in_registers(size_t rounds, char *room)
{
        (void)room;
        return pxr_multiply_adds(rounds);
}

/* The matrices A, B and C of a size. */
struct matrices {
        float *a, *b, *c;
};

static struct matrices matrices_in(char *room, size_t size)
{
        float *a = (float *)room;

        return (struct matrices) { a, a + size * size, a + 2 * size * size };
}

static double own_product(size_t n, char *room)
{
        struct matrices of = matrices_in(room, n);

        pxr_gemm_f32(false, false, n, n, n, 1, of.a, n, of.b, n, 0, of.c, n);
        return (double)n * n * n;
}

static double blas_product(size_t n, char *room)
{
        struct matrices of = matrices_in(room, n);

        pxr_blas_f32(false, false, n, n, n, 1, of.a, n, of.b, n, 0, of.c, n);
        return (double)n * n * n;
}

/* Weights of ones, when a size is first used: what is multiplied by zeros alone is left out. The
 * weights are followed by what find_zeros() found, which is not 0 then. */
static void set_ones(size_t n, pxr_bf16 *weights)
{
        for (size_t i = 0; i < n * n; i++)
                weights[i] = pxr_bf16_rounded(1);
        pxr_bf16_find_zeros(n, n, weights);
}

static double bf16_product(size_t n, char *room)
{
        const struct pxr_bf16_tap all = { .end = n };
        size_t size = 0, packed = pxr_bf16_packed_size(n, n) * sizeof(pxr_bf16);
        pxr_bf16 *weights = pxr_bf16_take(room, &size, packed);
        struct pxr_bf16_product product = {
                .operand = { .a = pxr_bf16_take(room, &size, n * n * sizeof(pxr_bf16)),
                             .rows = n,
                             .k = n,
                             .lda = n,
                             .period = n,
                             .taps = 1,
                             .tap = &all },
                .m = n,
                .n = n,
                .weights = weights,
                .c = pxr_bf16_take(room, &size, n * n * sizeof(pxr_bf16)),
                .ldc = n,
                .scratch = pxr_bf16_take(room, &size, pxr_bf16_product_scratch(n, 1)),
        };

        if (size > ROOM)
                return 0;
        if (weights[n * n] == 0)
                set_ones(n, weights);
        pxr_bf16_multiply(&product);
        return (double)n * n * n;
}

/* GFLOP/s of all threads at once, each at its best: a thread that something else interrupts is no
 * slower for it. */
static double best_rate(const struct load *load, int threads, char *room)
{
        const double least = 0.12;
        double start = pxr_now(), sum = 0;

#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
                char *own = room + (size_t)omp_get_thread_num() * ROOM;
                double best = 0, began, ended;

                do {
                        double done;

                        began = pxr_now();
                        done = load->once(load->size, own);
                        ended = pxr_now();
                        if (ended > began)
                                best = fmax(best, done / (ended - began));
                } while (ended - start < least);
                sum += best;
        }
        return 2e-9 * sum;
}

/* Raise a peak to the best of several sizes. */
static void raise_peak(double *peak, double (*once)(size_t size, char *room), int threads,
                       char *room)
{
        static const size_t sizes[] = { 256, 512, MOST };

        for (size_t i = 0; i < PXR_COUNT(sizes); i++)
                *peak = fmax(*peak, best_rate(&(struct load) { once, sizes[i] }, threads, room));
}

int pxr_peaks_measure(int threads, struct pxr_peaks *peaks, struct pxr_diag *diag)
{
        const struct load registers = { in_registers, 10000 };
        char *room = pxr_pages_new_zero((size_t)threads * ROOM);

        if (!room)
                return pxr_out_of_memory(diag);
        pxr_blas_single_thread();
        raise_peak(&peaks->own, own_product, threads, room);
        raise_peak(&peaks->sgemm, blas_product, threads, room);
        if (pxr_peak_unit())
                raise_peak(&peaks->bf16, bf16_product, threads, room);
        peaks->f32 = fmax(peaks->f32, best_rate(&registers, threads, room));
        peaks->f32 = fmax(peaks->f32, fmax(peaks->own, peaks->sgemm));
        free(room);
        return 0;
}

double pxr_peak_of(const struct pxr_peaks *peaks, enum pxr_precision precision)
{
        return precision == PXR_BF16 && peaks->bf16 > 0 ? peaks->bf16 : peaks->f32;
}

const char *pxr_peak_unit(void)
{
        enum pxr_bf16_unit unit = pxr_bf16_best_unit();

        return unit == PXR_BF16_PORTABLE ? NULL : pxr_bf16_unit_name(unit);
}
