/* SPDX-License-Identifier: MIT */
/*
 * bf16.c - products of bfloat16 numbers, a block of 32 x 32 sums at a time.
 *
 * No operand is gathered: the rows that a tap reads for 16 rows of a result lie one after the other
 * in the map, so a tile is loaded where it lies. Only tiles at an edge of the image, or of the map,
 * are copied, with zeros for what is outside.
 */
#include "tensor/bf16.h"

#include <stdatomic.h>

#include <pxr/vecmath.h>

#include "tensor/bf16_cells.h"
#include "tensor/bf16_units.h"
#include "tensor/levels.h"

/* Rows of the operands whose gradient is taken at once: what is laid out anew of them stays in the
 * second-level cache. */
enum { CHUNK = 512 };

/* Blocks of a product that share each panel of weights, if there are more than LARGE weights: fewer
 * stay in the second-level cache anyway. Of fewer than SMALL, so many blocks are computed before
 * they become cells: what a tile has just stored cannot be read at once. */
enum { GROUP = 8, LARGE = 1 << 18, TOGETHER = 4, SMALL = 1 << 14 };

/* --- units -------------------------------------------------------------------------------------
 */

static void portable_block(const struct pxr_bf16_block *block);
static void portable_copy(const struct pxr_bf16_rows *rows, size_t depth, pxr_bf16 *to);
static void portable_interleave(const struct pxr_bf16_rows *rows, pxr_bf16 *to);
static void portable_transpose(const struct pxr_bf16_rows *rows, pxr_bf16 *to);
static void portable_round(size_t size, const float *from, pxr_bf16 *to);
static void portable_add(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y);
static void portable_rectify_gradient(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy,
                                      pxr_bf16 *dx);
static void portable_finish(const struct pxr_bf16_product *p, size_t row, size_t rows,
                            size_t column, size_t columns, float *sum);

static const struct pxr_bf16_unit_table *table_of(enum pxr_bf16_unit unit)
{
        static const struct pxr_bf16_unit_table portable = {
                .block = portable_block,
                .finish = portable_finish,
                .round = portable_round,
                .add = portable_add,
                .rectify_gradient = portable_rectify_gradient,
                .cells = pxr_bf16_portable_cells,
                .cells_gradient = pxr_bf16_portable_cells_gradient,
                .gates = pxr_bf16_portable_gates,
                .gates_gradient = pxr_bf16_portable_gates_gradient,
                .copy = portable_copy,
                .interleave = portable_interleave,
                .transpose = portable_transpose,
        };

        return unit == PXR_BF16_AMX      ? pxr_bf16_amx()
               : unit == PXR_BF16_AVX512 ? pxr_bf16_avx512()
                                         : &portable;
}

static _Atomic(const struct pxr_bf16_unit_table *) chosen;

enum pxr_bf16_unit pxr_bf16_best_unit(void)
{
        enum pxr_bf16_unit unit = PXR_BF16_AMX;

        while (!table_of(unit))
                unit--;
        return unit;
}

bool pxr_bf16_use_unit(enum pxr_bf16_unit unit)
{
        const struct pxr_bf16_unit_table *table = table_of(unit);

        if (table)
                atomic_store(&chosen, table);
        return table != NULL;
}

const char *pxr_bf16_unit_name(enum pxr_bf16_unit unit)
{
        static const char *const names[] = { "portable", "AVX512-BF16", "AMX-BF16" };

        return names[unit];
}

static const struct pxr_bf16_unit_table *unit_in_use(void)
{
        const struct pxr_bf16_unit_table *table = atomic_load(&chosen);

        if (!table) {
                pxr_bf16_use_unit(pxr_bf16_best_unit());
                table = atomic_load(&chosen);
        }
        return table;
}

/* --- arithmetic, vectorised by the compiler ----------------------------------------------------
 */

INLINE void portable_round_body(size_t size, const float *from, pxr_bf16 *to)
{
        for (size_t i = 0; i < size; i++)
                to[i] = pxr_bf16_rounded(from[i]);
}
FOR_EACH_LEVEL(void, portable_round, (size_t size, const float *from, pxr_bf16 *to),
               (size, from, to))

void pxr_bf16_round(size_t size, const float *from, pxr_bf16 *to)
{
        unit_in_use()->round(size, from, to);
}

INLINE void pxr_bf16_widen_body(size_t size, const pxr_bf16 *from, float *to)
{
        for (size_t i = 0; i < size; i++)
                to[i] = pxr_bf16_value(from[i]);
}
FOR_EACH_LEVEL(void, pxr_bf16_widen, (size_t size, const pxr_bf16 *from, float *to),
               (size, from, to))

INLINE void portable_block_body(const struct pxr_bf16_block *block)
{
        int rows = block->lower ? PXR_BLOCK : PXR_TILE, columns = block->beside ? 2 : 1;

        for (int i = 0; i < rows; i++)
                for (int half = 0; half < columns; half++) {
                        int upper = i / PXR_TILE, at = i % PXR_TILE;
                        float sum[PXR_TILE] = { 0 };

                        for (size_t t = 0; t < block->terms; t++) {
                                const struct pxr_bf16_term *term = &block->term[t];
                                const pxr_bf16 *a = term->a[upper] + at * term->stride[upper];
                                const pxr_bf16 *w = term->w + block->offset + half * block->beside;

                                if (!pxr_bf16_is_live(block, term))
                                        continue;
                                for (size_t p = 0; p < block->depth; p += 2, w += PXR_BLOCK) {
                                        float first = pxr_bf16_value(a[p]),
                                              second = pxr_bf16_value(a[p + 1]);

                                        for (int j = 0; j < PXR_TILE; j++)
                                                sum[j] += first * pxr_bf16_value(w[2 * j]) +
                                                          second * pxr_bf16_value(w[2 * j + 1]);
                                }
                        }
                        memcpy(block->sum + i * PXR_BLOCK + half * PXR_TILE, sum, sizeof(sum));
                }
}
FOR_EACH_LEVEL(void, portable_block, (const struct pxr_bf16_block *block), (block))

static pxr_bf16 value_in(const struct pxr_bf16_rows *rows, int row, size_t column)
{
        return rows->inside >> row & 1 && column < rows->columns
                       ? rows->from[row * rows->stride + column]
                       : 0;
}

static void portable_copy(const struct pxr_bf16_rows *rows, size_t depth, pxr_bf16 *to)
{
        for (int i = 0; i < PXR_TILE; i++)
                for (size_t j = 0; j < depth; j++)
                        *to++ = value_in(rows, i, j);
}

static void portable_interleave(const struct pxr_bf16_rows *rows, pxr_bf16 *to)
{
        for (int i = 0; i < PXR_DEPTH; i++)
                for (int j = 0; j < PXR_TILE; j++)
                        to[i / 2 * PXR_BLOCK + 2 * j + i % 2] = value_in(rows, i, j);
}

static void portable_transpose(const struct pxr_bf16_rows *rows, pxr_bf16 *to)
{
        for (int i = 0; i < PXR_DEPTH; i++)
                for (int j = 0; j < PXR_TILE; j++)
                        to[j * PXR_DEPTH + i] = value_in(rows, i, j);
}

void pxr_bf16_gates(const struct pxr_bf16_gates *gates)
{
        unit_in_use()->gates(gates);
}

void pxr_bf16_gates_gradient(const struct pxr_bf16_gates *gates)
{
        unit_in_use()->gates_gradient(gates);
}

/* Four rows at a time, so that a sum does not wait for each of them. */
INLINE void pxr_bf16_add_rows_body(size_t rows, size_t width, const pxr_bf16 *restrict from,
                                   float *restrict to)
{
        size_t i = 0;

        for (; i + 4 <= rows; i += 4, from += 4 * width)
                for (size_t j = 0; j < width; j++)
                        to[j] += (pxr_bf16_value(from[j]) + pxr_bf16_value(from[j + width])) +
                                 (pxr_bf16_value(from[j + 2 * width]) +
                                  pxr_bf16_value(from[j + 3 * width]));
        for (; i < rows; i++, from += width)
                for (size_t j = 0; j < width; j++)
                        to[j] += pxr_bf16_value(from[j]);
}
FOR_EACH_LEVEL(void, pxr_bf16_add_rows,
               (size_t rows, size_t width, const pxr_bf16 *from, float *to),
               (rows, width, from, to))

INLINE void pxr_bf16_rectify_body(size_t size, const pxr_bf16 *restrict x, pxr_bf16 *restrict y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = x[i] > 0x8000 && x[i] <= 0xff80 ? 0 : x[i];
}
FOR_EACH_LEVEL(void, pxr_bf16_rectify, (size_t size, const pxr_bf16 *x, pxr_bf16 *y), (size, x, y))

INLINE void portable_rectify_gradient_body(size_t size, const pxr_bf16 *restrict y,
                                           const pxr_bf16 *restrict dy, pxr_bf16 *restrict dx)
{
        for (size_t i = 0; i < size; i++)
                dx[i] = pxr_bf16_rounded(pxr_bf16_value(dx[i]) +
                                         ((int16_t)y[i] > 0 ? pxr_bf16_value(dy[i]) : 0));
}
FOR_EACH_LEVEL(void, portable_rectify_gradient,
               (size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, pxr_bf16 *dx),
               (size, y, dy, dx))

INLINE void gate_body(size_t size, const pxr_bf16 *restrict y, const pxr_bf16 *restrict dy,
                      pxr_bf16 *restrict dx)
{
        for (size_t i = 0; i < size; i++)
                dx[i] = (int16_t)y[i] > 0 ? dy[i] : 0;
}
static void gate(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, pxr_bf16 *dx);
FOR_EACH_LEVEL(void, gate, (size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, pxr_bf16 *dx),
               (size, y, dy, dx))

void pxr_bf16_rectify_gradient(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, bool accumulate,
                               pxr_bf16 *dx)
{
        (accumulate ? unit_in_use()->rectify_gradient : gate)(size, y, dy, dx);
}

INLINE void portable_add_body(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = pxr_bf16_rounded(pxr_bf16_value(a[i]) + pxr_bf16_value(b[i]));
}
FOR_EACH_LEVEL(void, portable_add, (size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y),
               (size, a, b, y))

void pxr_bf16_add(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y)
{
        unit_in_use()->add(size, a, b, y);
}

/* What follows on the sums of one row of a block, `columns` of them from `column` on. */
INLINE void finish_row(const struct pxr_bf16_product *p, size_t row, size_t column, size_t columns,
                       float *restrict sum)
{
        size_t at = row * p->ldc + column;

        for (size_t j = 0; p->gate && j < columns; j++)
                sum[j] = pxr_bf16_value(p->gate[at + j]) > 0 ? sum[j] : 0;
        for (size_t j = 0; p->bias && j < columns; j++)
                sum[j] += p->bias[column + j];
        for (size_t j = 0; p->addend && j < columns; j++)
                sum[j] += pxr_bf16_value(p->addend[at + j]);
        for (size_t j = 0; p->rectify && j < columns; j++)
                sum[j] = sum[j] < 0 ? 0 : sum[j];
        for (size_t j = 0; p->c && j < columns; j++)
                p->c[at + j] = pxr_bf16_rounded(sum[j]);
        for (size_t j = 0; p->exact && j < columns; j++)
                p->exact[at + j] = sum[j];
}

INLINE void portable_finish_body(const struct pxr_bf16_product *p, size_t row, size_t rows,
                                 size_t column, size_t columns, float *sum)
{
        for (size_t i = 0; i < rows; i++, sum += PXR_BLOCK)
                finish_row(p, row + i, column, columns, sum);
}
FOR_EACH_LEVEL(void, portable_finish,
               (const struct pxr_bf16_product *p, size_t row, size_t rows, size_t column,
                size_t columns, float *sum),
               (p, row, rows, column, columns, sum))

INLINE void add_block_body(size_t rows, size_t stride, const float *restrict block,
                           float *restrict sum)
{
        for (size_t i = 0; i < rows; i++)
                for (int j = 0; j < PXR_BLOCK; j++)
                        sum[i * stride + j] += block[i * PXR_BLOCK + j];
}
static void add_block(size_t rows, size_t stride, const float *block, float *sum);
FOR_EACH_LEVEL(void, add_block, (size_t rows, size_t stride, const float *block, float *sum),
               (rows, stride, block, sum))

/* --- operands ----------------------------------------------------------------------------------
 */

/* Bits `first` up to, not including, `end`, of 32. */
static uint32_t bits(ptrdiff_t first, ptrdiff_t end)
{
        uint32_t below_end = end >= 32 ? UINT32_MAX : end > 0 ? (UINT32_C(1) << end) - 1 : 0;

        return first >= 32 ? 0 : first > 0 ? below_end & UINT32_MAX << first : below_end;
}

/* What a tap reads for rows i to i + 32, of all columns. */
static struct pxr_bf16_rows rows_read(const struct pxr_bf16_operand *operand, int tap, size_t i,
                                      size_t m)
{
        const struct pxr_bf16_tap *t = &operand->tap[tap];
        ptrdiff_t row = (ptrdiff_t)i + t->shift, all = (ptrdiff_t)operand->rows;
        ptrdiff_t period = (ptrdiff_t)pxr_bf16_smaller(operand->period, PTRDIFF_MAX / 2);
        ptrdiff_t end = (ptrdiff_t)pxr_bf16_smaller(t->end, period);
        uint32_t inside = 0;

        /* Period by period; row 0 is number i % period of the first. */
        for (ptrdiff_t start = -((ptrdiff_t)i % period); start < 32; start += period)
                inside |= bits(start + (ptrdiff_t)t->first, start + end);
        inside &= bits(-row, all - row) & bits(0, (ptrdiff_t)(m - i));
        return (struct pxr_bf16_rows) { operand->a + row * (ptrdiff_t)operand->lda, operand->lda,
                                        operand->k, inside };
}

/* A tile of an operand, 16 of such rows from `first` on, where it lies or, where part of it is
 * outside, copied to *spare. */
static const pxr_bf16 *tile(const struct pxr_bf16_unit_table *unit, const struct pxr_bf16_rows *all,
                            int first, size_t depth, size_t column, size_t *stride,
                            pxr_bf16 **spare)
{
        struct pxr_bf16_rows rows = { all->from + first * all->stride + column, all->stride,
                                      all->columns - column, all->inside >> first & 0xffff };
        pxr_bf16 *copy = *spare;

        *stride = rows.stride;
        if (rows.inside == 0xffff && rows.columns >= depth)
                return rows.from;
        unit->copy(&rows, depth, copy);
        *stride = depth;
        *spare += PXR_TILE * depth;
        return copy;
}

/* --- products ----------------------------------------------------------------------------------
 */

static size_t most_terms(size_t k, int taps)
{
        return taps * pxr_bf16_tiles(k);
}

/* Bytes of the terms of a block, and of what is copied for them. */
static size_t terms_size(size_t k, int taps)
{
        size_t copies = 2 * PXR_TILE * pxr_bf16_depth(k) * sizeof(pxr_bf16);

        return pxr_bf16_round_up(most_terms(k, taps) * (sizeof(struct pxr_bf16_term) + copies), 64);
}

size_t pxr_bf16_product_scratch(size_t k, int taps)
{
        return GROUP * terms_size(k, taps) + 64;
}

/* The terms of 32 rows from i on. Returns how many; a tap that reads nothing has none. `zeros`:
 * some weights' tiles are zeros. */
static size_t list_terms(const struct pxr_bf16_unit_table *unit, const struct pxr_bf16_product *p,
                         bool zeros, size_t i, struct pxr_bf16_term *term, pxr_bf16 *spare)
{
        const struct pxr_bf16_operand *operand = &p->operand;
        size_t depth = pxr_bf16_depth(operand->k), packed = pxr_bf16_packed_size(operand->k, p->n);
        size_t blocks = pxr_bf16_blocks(p->n), terms = 0;
        bool lower = p->m - i > PXR_TILE;

        for (int t = 0; t < operand->taps; t++) {
                struct pxr_bf16_rows rows = rows_read(operand, t, i, i + PXR_BLOCK);
                const uint8_t *live = pxr_bf16_live(operand->k, p->n, p->weights + t * packed);

                for (size_t column = 0; rows.inside && column < operand->k; column += depth) {
                        struct pxr_bf16_term *new = &term[terms++];

                        new->w = p->weights + t *packed + column *PXR_TILE;
                        new->live = zeros ? live + column / depth *blocks : NULL;
                        new->a[0] = tile(unit, &rows, 0, depth, column, &new->stride[0], &spare);
                        if (lower)
                                new->a[1] = tile(unit, &rows, PXR_TILE, depth, column,
                                                 &new->stride[1], &spare);
                }
        }
        return terms;
}

/* A block of sums. */
static void compute_block(const struct pxr_bf16_unit_table *unit, const struct pxr_bf16_product *p,
                          const struct pxr_bf16_term *term, size_t terms, size_t row, size_t column,
                          float *sum)
{
        size_t depth = pxr_bf16_depth(p->operand.k),
               beside = pxr_bf16_round_up(p->operand.k, depth) * PXR_TILE;

        unit->block(&(struct pxr_bf16_block) {
                .term = term,
                .terms = terms,
                .depth = depth,
                .offset = column / PXR_TILE * beside,
                .beside = p->n - column > PXR_TILE ? beside : 0,
                .number = column / PXR_BLOCK,
                .lower = p->m - row > PXR_TILE,
                .sum = sum,
        });
}

/* Blocks of sums that are computed before what follows on them. */
enum { SUMS = 16 };

/* Columns of a product that are computed side by side: cells take whole rows, as they lie in maps.
 */
static size_t panel_of(const struct pxr_bf16_product *p)
{
        size_t most = p->cells            ? SUMS * PXR_BLOCK
                      : p->cells_gradient ? PXR_CELLS_GRADIENT
                                          : PXR_BLOCK;

        return pxr_bf16_smaller(pxr_bf16_round_up(p->n, PXR_BLOCK), most);
}

/* What follows on the sums of 32 rows of a panel, [block of 32 columns][32][32]. */
static void follow(const struct pxr_bf16_unit_table *unit, const struct pxr_bf16_product *p,
                   size_t row, size_t column, float *sum)
{
        size_t rows = pxr_bf16_smaller(p->m - row, PXR_BLOCK),
               columns = pxr_bf16_smaller(p->n - column, panel_of(p));

        if (p->cells)
                unit->cells(p->cells, row, rows, column / 4, columns / 4, sum);
        else if (p->cells_gradient)
                unit->cells_gradient(p->cells_gradient, row, rows, column, columns, sum);
        else
                unit->finish(p, row, rows, column, columns, sum);
}

/* `blocks` blocks of C from row `first` on: for each panel of columns all of them, so that the
 * panel's weights are read from memory once. `together`: computed before what follows on them. */
static void multiply_group(const struct pxr_bf16_unit_table *unit, const struct pxr_bf16_product *p,
                           bool zeros, size_t first, size_t blocks, size_t together, char *scratch)
{
        size_t k = p->operand.k, most = most_terms(k, p->operand.taps);
        size_t size = terms_size(k, p->operand.taps);
        struct pxr_bf16_term *term[GROUP];
        _Alignas(64) float sum[SUMS][PXR_BLOCK * PXR_BLOCK];
        size_t terms[GROUP], panel = panel_of(p);

        for (size_t b = 0; b < blocks; b++) {
                pxr_bf16 *copies = (pxr_bf16 *)(scratch + b * size);

                term[b] =
                        (struct pxr_bf16_term *)(copies + 2 * most * PXR_TILE * pxr_bf16_depth(k));
                terms[b] = list_terms(unit, p, zeros, first + b * PXR_BLOCK, term[b], copies);
        }
        for (size_t j = 0; j < p->n; j += panel)
                for (size_t b = 0; b < blocks; b += together) {
                        size_t end = pxr_bf16_smaller(blocks, b + together), count = 0;

                        for (size_t i = b; i < end; i++)
                                for (size_t c = j; c < j + panel && c < p->n; c += PXR_BLOCK)
                                        compute_block(unit, p, term[i], terms[i],
                                                      first + i * PXR_BLOCK, c, sum[count++]);
                        count /= end - b;
                        for (size_t i = b; i < end; i++)
                                follow(unit, p, first + i * PXR_BLOCK, j, sum[(i - b) * count]);
                }
}

static bool has_zeros(const struct pxr_bf16_product *p)
{
        size_t packed = pxr_bf16_packed_size(p->operand.k, p->n);
        size_t size = pxr_bf16_tiles(p->operand.k) * pxr_bf16_blocks(p->n);

        for (int t = 0; t < p->operand.taps; t++)
                if (memchr(pxr_bf16_live(p->operand.k, p->n, p->weights + t * packed), 0, size))
                        return true;
        return false;
}

void pxr_bf16_multiply(const struct pxr_bf16_product *p)
{
        const struct pxr_bf16_unit_table *unit = unit_in_use();
        char *scratch = (char *)(((uintptr_t)p->scratch + 63) & ~(uintptr_t)63);
        size_t weights = p->operand.taps * pxr_bf16_packed_size(p->operand.k, p->n);
        size_t together = (p->cells || p->cells_gradient) && weights < SMALL ? TOGETHER : 1;
        size_t rows = PXR_BLOCK * (weights > LARGE ? GROUP : together);
        bool zeros = has_zeros(p);

        if (unit->begin)
                unit->begin(pxr_bf16_depth(p->operand.k));
        for (size_t i = 0; i < p->m; i += rows)
                multiply_group(unit, p, zeros, i,
                               (pxr_bf16_smaller(p->m - i, rows) + PXR_BLOCK - 1) / PXR_BLOCK,
                               together, scratch);
        if (unit->end)
                unit->end();
}

/* --- gradients of weights ----------------------------------------------------------------------
 */

size_t pxr_bf16_gradient_sum(size_t k, size_t n, int taps)
{
        return taps * pxr_bf16_round_up(k, PXR_BLOCK) * pxr_bf16_round_up(n, PXR_BLOCK);
}

size_t pxr_bf16_gradient_scratch(size_t k, size_t n)
{
        return CHUNK * (pxr_bf16_round_up(k, PXR_BLOCK) + pxr_bf16_round_up(n, PXR_BLOCK)) *
                       sizeof(pxr_bf16) +
               CHUNK / PXR_DEPTH * sizeof(struct pxr_bf16_term) + 64;
}

size_t pxr_bf16_scratch(size_t k, size_t n, int taps)
{
        size_t product = pxr_bf16_product_scratch(k, taps);
        size_t back = pxr_bf16_product_scratch(n, taps);
        size_t gradient = pxr_bf16_gradient_scratch(k, n);

        product = product > back ? product : back;
        return product > gradient ? product : gradient;
}

/* Lay out rows i to i + CHUNK of a matrix, [block of 16 columns][block of 32 rows][tile]. */
static void lay_out(void (*convert)(const struct pxr_bf16_rows *rows, pxr_bf16 *to),
                    const struct pxr_bf16_operand *operand, int tap, size_t i, size_t m,
                    pxr_bf16 *to)
{
        size_t end = pxr_bf16_smaller(m - i, CHUNK);

        for (size_t r = 0; r < end; r += PXR_DEPTH) {
                struct pxr_bf16_rows rows = rows_read(operand, tap, i + r, m);

                for (size_t column = 0; column < operand->k; column += PXR_TILE) {
                        convert(&rows, to + column * CHUNK + r * PXR_TILE);
                        rows.from += PXR_TILE;
                        rows.columns -= pxr_bf16_smaller(rows.columns, PXR_TILE);
                }
        }
}

/* sum[n][k] += dC^T A of what was laid out, of `rows` rows. */
static void add_product(const struct pxr_bf16_unit_table *unit, size_t rows, size_t k, size_t n,
                        const pxr_bf16 *dc, const pxr_bf16 *a, struct pxr_bf16_term *term,
                        float *sum)
{
        size_t tile = CHUNK * PXR_TILE, depth = PXR_DEPTH * PXR_TILE;
        size_t stride = pxr_bf16_round_up(k, PXR_BLOCK);
        _Alignas(64) float block[PXR_BLOCK * PXR_BLOCK] = { 0 };

        for (size_t i = 0; i < n; i += PXR_BLOCK) {
                bool lower = n - i > PXR_TILE;
                size_t terms = 0;

                for (size_t r = 0; r < rows; r += PXR_DEPTH, terms++)
                        term[terms] = (struct pxr_bf16_term) {
                                { dc + i / PXR_TILE * tile + terms * depth,
                                  dc + (i / PXR_TILE + 1) * tile + terms * depth },
                                { PXR_DEPTH, PXR_DEPTH },
                                a + terms * depth,
                                NULL,
                        };
                for (size_t j = 0; j < k; j += PXR_BLOCK) {
                        unit->block(&(struct pxr_bf16_block) {
                                .term = term,
                                .terms = terms,
                                .depth = PXR_DEPTH,
                                .offset = j / PXR_TILE * tile,
                                .beside = k - j > PXR_TILE ? tile : 0,
                                .lower = lower,
                                .sum = block,
                        });
                        add_block(lower ? PXR_BLOCK : PXR_TILE, stride, block,
                                  sum + i * stride + j);
                }
        }
}

void pxr_bf16_weight_gradient(const struct pxr_bf16_gradient *g)
{
        static const struct pxr_bf16_tap straight = { .end = SIZE_MAX };
        const struct pxr_bf16_unit_table *unit = unit_in_use();
        const struct pxr_bf16_operand dc = { g->dc, g->m, g->n, g->n, SIZE_MAX, 1, &straight };
        size_t k = pxr_bf16_round_up(g->operand.k, PXR_BLOCK),
               n = pxr_bf16_round_up(g->n, PXR_BLOCK);
        pxr_bf16 *dc_tiles = g->scratch, *a_tiles = dc_tiles + CHUNK * n;
        struct pxr_bf16_term *term = (struct pxr_bf16_term *)(a_tiles + CHUNK * k);

        if (unit->begin)
                unit->begin(PXR_DEPTH);
        for (size_t i = 0; i < g->m; i += CHUNK) {
                size_t rows = pxr_bf16_smaller(g->m - i, CHUNK);

                lay_out(unit->transpose, &dc, 0, i, g->m, dc_tiles);
                for (int t = 0; t < g->operand.taps; t++) {
                        lay_out(unit->interleave, &g->operand, t, i, g->m, a_tiles);
                        add_product(unit, rows, g->operand.k, g->n, dc_tiles, a_tiles, term,
                                    g->sum + t * k * n);
                }
        }
        if (unit->end)
                unit->end();
}

size_t pxr_bf16_gradient_stride(size_t k)
{
        return pxr_bf16_round_up(k, PXR_BLOCK);
}

void pxr_bf16_add_gradient(size_t k, size_t n, int taps, const float *sum, float *dw)
{
        size_t stride = pxr_bf16_round_up(k, PXR_BLOCK), size = pxr_bf16_gradient_sum(k, n, 1);

        for (int t = 0; t < taps; t++, sum += size)
                for (size_t i = 0; i < k; i++)
                        for (size_t j = 0; j < n; j++)
                                *dw++ += sum[j * stride + i];
}
