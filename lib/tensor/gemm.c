/* SPDX-License-Identifier: MIT */
/*
 * gemm.c - matrix products: our own where the processor has them (gemm_x86.c), else by any CBLAS.
 * The only file that knows of BLAS.
 *
 * Workers run side by side, so each product must stay on its own thread: pxr_blas_single_thread().
 */
#include "tensor/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <pxr/op.h>

static const struct pxr_start_f32 zero = { .run = 1 };

/* See pxr_blas_reserve(). */
static struct {
        pthread_once_t once;
        pthread_mutex_t turn;
        bool in_turns, no_room;
} blas = { .once = PTHREAD_ONCE_INIT, .turn = PTHREAD_MUTEX_INITIALIZER };

#ifdef OPENBLAS_VERSION
static void reserve(void)
{
        const size_t buffer = (size_t)132 << 20; /* with what malloc() adds */
        void *room = mmap(NULL, buffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct rlimit limit;
        double one = 1;

        blas.no_room = room == MAP_FAILED;
        if (blas.no_room)
                return;
        munmap(room, buffer);
        blas.in_turns = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
        /* Unlike a product, it takes the buffer whatever its size. */
        if (blas.in_turns)
                cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, 1, 1, 1, &one, 1, 0, &one, 1);
}
#else
static void reserve(void)
{
}
#endif

int pxr_blas_reserve(struct pxr_diag *diag)
{
        pthread_once(&blas.once, reserve);
        if (!blas.no_room)
                return 0;
        return pxr_system_error(diag, "no memory for matrix products: OpenBLAS needs 128 MB of "
                                      "addresses, and `ulimit -v` leaves less: raise that limit");
}

static void begin_turn(void)
{
        if (blas.in_turns)
                pthread_mutex_lock(&blas.turn);
}

static void end_turn(void)
{
        if (blas.in_turns)
                pthread_mutex_unlock(&blas.turn);
}

void pxr_blas_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc)
{
        if (!m || !n || !k)
                return;
        begin_turn();
        cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                    transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta,
                    c, ldc);
        end_turn();
}

void pxr_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc)
{
        struct pxr_product product = {
                .m = m,
                .n = n,
                .k = k,
                .blocks = 1,
                .a = a,
                .a_row = transpose_a ? 1 : lda,
                .a_col = transpose_a ? lda : 1,
                .b = b,
                .ldb = ldb,
                .b_transposed = transpose_b,
                .start = beta == 0 ? &zero : NULL,
                .c = c,
                .ldc = ldc,
        };

        if (alpha != 1 || (beta != 0 && beta != 1) || !pxr_product_f32(&product))
                pxr_blas_f32(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
                             ldc);
}

void pxr_gemm_f64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
                  const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                  size_t ldc)
{
        if (!m || !n || !k)
                return;
        begin_turn();
        cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                    transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta,
                    c, ldc);
        end_turn();
}

#define PXR_KERNELS_FILE "tensor/gemm_kernels.h"
#include <pxr/precisions.h>

void pxr_gemm_blocks_f32(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t stride,
                         const float *a, size_t lda, const float *b, size_t ldb,
                         const struct pxr_start_f32 *start, float *c, size_t ldc)
{
        struct pxr_product product = {
                .m = m,
                .n = n,
                .k = k,
                .blocks = blocks,
                .stride = stride,
                .a = a,
                .a_row = transpose_a ? 1 : lda,
                .a_col = transpose_a ? lda : 1,
                .b = b,
                .ldb = ldb,
                .start = start,
                .c = c,
                .ldc = ldc,
        };

        if (k == 0 || !pxr_product_f32(&product))
                product_blocks_f32(transpose_a, m, n, k, blocks, stride, a, lda, b, ldb, start, c,
                                   ldc);
}

void pxr_gemm_blocks_f64(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t stride,
                         const double *a, size_t lda, const double *b, size_t ldb,
                         const struct pxr_start_f64 *start, double *c, size_t ldc)
{
        product_blocks_f64(transpose_a, m, n, k, blocks, stride, a, lda, b, ldb, start, c, ldc);
}

bool pxr_gemm_rows_alone(void)
{
        float one = 1, sum = 0;
        struct pxr_product product = {
                .m = 1, .n = 1, .k = 1, .blocks = 1, .a = &one, .b = &one, .c = &sum
        };

        return pxr_product_f32(&product);
}

#ifdef OPENBLAS_VERSION

static bool among(const char *name, const char *const *names)
{
        while (*names && strcmp(*names, name) != 0)
                names++;
        return *names != NULL;
}

/* OpenBLAS chooses its kernels by the model of the processor, and takes one that is newer than
 * itself for an old one. Names that are not known here are of newer ones. */
const char *pxr_blas_taken_for(const char **better)
{
        static const char *const sse[] = { "Generic",     "Katmai",     "Coppermine", "Northwood",
                                           "Prescott",    "Banias",     "Atom",       "Core2",
                                           "Penryn",      "Dunnington", "Nehalem",    "Athlon",
                                           "Opteron",     "Barcelona",  "Bobcat",     "Nano",
                                           "Sandybridge", "Bulldozer",  "Piledriver", "Steamroller",
                                           NULL };
        static const char *const avx2[] = { "Haswell", "Zen", "Excavator", NULL };
        enum pxr_tiles tiles = pxr_best_tiles();
        const char *name = openblas_get_corename();

        if (tiles == PXR_NO_TILES || !name)
                return NULL;
        *better = tiles == PXR_TILES_AVX512 ? "SkylakeX" : "Haswell";
        if (among(name, sse) || (tiles == PXR_TILES_AVX512 && among(name, avx2)))
                return name;
        return NULL;
}

char *pxr_blas_name(struct pxr_arena *arena)
{
        const char *config = openblas_get_config(); /* "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." */
        const char *core = openblas_get_corename();
        size_t length = strcspn(config, " ");

        length += strspn(config + length, " ");
        length += strcspn(config + length, " ");
        return pxr_strf(arena, "%.*s%s%s", (int)length, config, core ? ", kernels for " : "",
                        core ? core : "");
}

#else

const char *pxr_blas_taken_for(const char **better)
{
        (void)better;
        return NULL;
}

char *pxr_blas_name(struct pxr_arena *arena)
{
        return pxr_strf(arena, "CBLAS");
}

#endif

void pxr_blas_single_thread(void)
{
#ifdef OPENBLAS_VERSION
        openblas_set_num_threads(1);
#endif
}
