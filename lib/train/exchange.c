/* SPDX-License-Identifier: MIT */
/* exchange.c - adding up the gradients of all ranks' micro-batches, in the order of one process. */
#include "train/exchange.h"

#include <stdlib.h>

#include "base/processor.h"

/* A batch's micro-batches while they are added up. */
struct sums {
        const struct pxr_exchange *e;
        int used;
        int first, end; /* own micro-batches */
};

static size_t smaller(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Where a rank's slice begins; it ends where the next one's begins. */
static size_t slice_of(const struct pxr_exchange *e, int rank)
{
        size_t chunks = (e->size + e->chunk - 1) / e->chunk, ranks = (size_t)e->ranks->size;

        return smaller(e->size, (chunks * rank + ranks - 1) / ranks * e->chunk);
}

/* Whether micro-batches i to i + 2 stride are all of one rank, which adds up i and i + stride. */
static bool is_local(const struct sums *s, int i, int stride)
{
        int last = i + 2 * stride - 1 < s->used ? i + 2 * stride - 1 : s->used - 1;

        return pxr_ranks_owner(s->e->ranks, s->used, i) ==
               pxr_ranks_owner(s->e->ranks, s->used, last);
}

/* Whether a sum that begins at micro-batch i is left when its rank has added its own: no smaller
 * micro-batch of the rank takes it up. */
static bool is_left(const struct sums *s, int i)
{
        int stride = i & -i;

        return i == 0 || !is_local(s, i - stride, stride);
}

static float *own(const struct sums *s, int i)
{
        return s->e->gradient + (size_t)(i - s->first) * s->e->size;
}

void pxr_add_gradients(float *a, const float *b, size_t from, size_t to)
{
        for (size_t k = from; k < to; k++)
                a[k] += b[k];
}

/* Add what the tree adds among own micro-batches, in a slice. */
static void add_own(const struct sums *s, size_t from, size_t to)
{
        size_t size = s->e->chunk, chunks = (to - from + size - 1) / size;

#pragma omp parallel for num_threads(s->e->threads) schedule(static)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t start = from + chunk * size, end = smaller(to, start + size);
                unsigned long mode = pxr_arithmetic_flush();

                for (int stride = 1; stride < s->used; stride *= 2)
                        for (int i = 0; i + stride < s->used; i += 2 * stride)
                                if (i >= s->first && i + stride < s->end && is_local(s, i, stride))
                                        pxr_add_gradients(own(s, i), own(s, i + stride), start,
                                                          end);
                pxr_arithmetic_restore(mode);
                pxr_ranks_progress(s->e->ranks);
        }
}

/* Each slice is on its way while the next is added up. The ranks begin with different ones. */
static int send_slices(const struct sums *s)
{
        struct pxr_ranks *ranks = s->e->ranks;
        int status = 0;

        for (int k = 1; k <= ranks->size && !status; k++) {
                int to = (ranks->rank + k) % ranks->size;
                size_t from = slice_of(s->e, to), end = slice_of(s->e, to + 1);

                if (from == end)
                        continue;
                add_own(s, from, end);
                for (int i = s->first; i < s->end && to != ranks->rank && !status; i++)
                        if (is_left(s, i))
                                status = pxr_ranks_send(ranks, to, own(s, i) + from,
                                                        (end - from) * sizeof(float));
        }
        return status;
}

/* Where in memory this rank's slice of the sum that begins at each micro-batch lies; others' are
 * expected there. NULL: another sum contains it. */
static int expect_slices(const struct sums *s, float **at)
{
        const struct pxr_exchange *e = s->e;
        size_t from = slice_of(e, e->ranks->rank), size = slice_of(e, e->ranks->rank + 1) - from;
        float *next = e->received;
        int status = 0;

        for (int i = 0; i < s->used && !status; i++) {
                int rank = pxr_ranks_owner(e->ranks, s->used, i);

                if (!is_left(s, i))
                        continue;
                at[i] = rank == e->ranks->rank ? own(s, i) + from : next;
                if (rank == e->ranks->rank)
                        continue;
                status = pxr_ranks_expect(e->ranks, rank, next, size * sizeof(float));
                next += size;
        }
        return status;
}

/* Add the rest of the tree in this rank's slice; the sum is in at[0]. */
static void add_rest(const struct sums *s, float *const *at)
{
        const struct pxr_exchange *e = s->e;
        size_t from = slice_of(e, e->ranks->rank), to = slice_of(e, e->ranks->rank + 1);
        size_t chunks = (to - from + e->chunk - 1) / e->chunk;

#pragma omp parallel for num_threads(e->threads) schedule(static)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t start = chunk * e->chunk, end = smaller(to - from, start + e->chunk);
                unsigned long mode = pxr_arithmetic_flush();
                double square = 0;

                for (int stride = 1; stride < s->used; stride *= 2)
                        for (int i = 0; i + stride < s->used; i += 2 * stride)
                                if (!is_local(s, i, stride))
                                        pxr_add_gradients(at[i], at[i + stride], start, end);
                for (size_t k = start; k < end; k++)
                        square += (double)at[0][k] * at[0][k];
                e->square[from / e->chunk + chunk] = square;
                pxr_arithmetic_restore(mode);
                pxr_ranks_progress(e->ranks);
        }
}

static int send_or_receive(const struct pxr_exchange *e, int rank, void *bytes, size_t size)
{
        if (e->ranks->rank != 0)
                return pxr_ranks_send(e->ranks, 0, bytes, size);
        return pxr_ranks_receive(e->ranks, rank, bytes, size, e->worked, false);
}

/* Bring all slices of the sum, and of the squares, to rank 0. `sum` is the rank's own slice. */
static int gather(const struct sums *s, float *sum)
{
        const struct pxr_exchange *e = s->e;
        int status = 0;

        for (int rank = 1; rank < e->ranks->size && !status; rank++) {
                size_t from = slice_of(e, rank), size = slice_of(e, rank + 1) - from;
                size_t chunks = (size + e->chunk - 1) / e->chunk;
                bool root = e->ranks->rank == 0;

                if (size == 0 || (!root && rank != e->ranks->rank))
                        continue;
                status = send_or_receive(e, rank, root ? e->gradient + from : sum,
                                         size * sizeof(float));
                if (!status)
                        status = send_or_receive(e, rank, e->square + from / e->chunk,
                                                 chunks * sizeof(double));
        }
        return status;
}

/* Room for the slices that other ranks send to this one. */
static int make_room(struct pxr_exchange *e, const struct sums *s, struct pxr_diag *diag)
{
        size_t size = slice_of(e, e->ranks->rank + 1) - slice_of(e, e->ranks->rank), left = 0;
        float *more;

        for (int i = 0; i < s->used; i++)
                left += (i < s->first || i >= s->end) && is_left(s, i);
        if (left * size <= e->room)
                return 0;
        more = realloc(e->received, left * size * sizeof(*more));
        if (!more)
                return pxr_out_of_memory(diag);
        e->received = more;
        e->room = left * size;
        return 0;
}

int pxr_exchange_add(struct pxr_exchange *e, int used, struct pxr_diag *diag)
{
        const struct pxr_ranks *ranks = e->ranks;
        struct sums s = { e, used, pxr_ranks_first(ranks, used, ranks->rank),
                          pxr_ranks_first(ranks, used, ranks->rank + 1) };
        bool has_slice = slice_of(e, ranks->rank) < slice_of(e, ranks->rank + 1);
        float **at = calloc((size_t)used, sizeof(*at));
        int status = at ? make_room(e, &s, diag) : pxr_out_of_memory(diag);

        if (!status && has_slice)
                status = expect_slices(&s, at);
        if (!status)
                status = send_slices(&s);
        if (!status)
                status = pxr_ranks_collect(e->ranks, e->worked);
        if (!status && has_slice)
                add_rest(&s, at);
        if (!status && ranks->rank == 0) /* what was sent is overwritten by the sum */
                status = pxr_ranks_settle(e->ranks);
        if (!status)
                status = gather(&s, at[0]);
        if (!status)
                status = pxr_ranks_settle(e->ranks);
        free(at);
        return status;
}

int pxr_exchange_sums(int ranks, int micro_batches)
{
        struct pxr_ranks shared = { .size = ranks };
        struct pxr_exchange e = { .ranks = &shared };
        const struct sums s = { .e = &e, .used = micro_batches };
        int most = 0;

        for (int rank = 0; rank < ranks; rank++) {
                int end = pxr_ranks_first(&shared, micro_batches, rank + 1), sums = 0;

                for (int i = pxr_ranks_first(&shared, micro_batches, rank); i < end; i++)
                        sums += is_left(&s, i);
                most = sums > most ? sums : most;
        }
        return most;
}

void pxr_exchange_free(struct pxr_exchange *e)
{
        free(e->received);
}
