/* SPDX-License-Identifier: MIT */
/* effects.c - means of the NLL by value, and rank correlations. */
#define _GNU_SOURCE /* strverscmp() */
#include "report/effects.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum {
        FEW = 6, /* runs, of which thirds or a correlation would say nothing */
        PARTS = 3,
};

enum { KEY, VALUE, RUNS, DIVERGED, MEAN, DEVIATION, BEST, BEST_JOB, CORRELATION, COLUMNS };

static const struct pxr_column columns[] = {
        [KEY] = { "key", "Key", PXR_IF_FILLED },
        [VALUE] = { "value", "Value", PXR_IF_FILLED },
        [RUNS] = { "runs", "Runs", PXR_ALWAYS },
        [DIVERGED] = { "diverged", "Diverged", PXR_IF_FILLED },
        [MEAN] = { "mean_nll", "Mean NLL", PXR_ALWAYS },
        [DEVIATION] = { "deviation", "Deviation", PXR_IF_FILLED },
        [BEST] = { "best_nll", "Best NLL", PXR_ALWAYS },
        [BEST_JOB] = { "best_job", "Best job", PXR_IF_FILLED },
        [CORRELATION] = { "rank_correlation", "Rank correlation", PXR_IF_FILLED },
};

/* A job that counts, and its value of the key in hand. */
struct point {
        const struct pxr_swept_job *job;
        const struct pxr_swept_value *value;
};

struct effects {
        const struct pxr_swept *swept;
        struct pxr_table *table;
        struct point *point;
        int points;
        double *number; /* 5 for each point */
        int decimals;
};

/* --- rank correlation --------------------------------------------------------------------------
 */

static int by_number(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return a < b ? -1 : a > b;
}

/* How many of a sorted list are smaller, or (`or_equal`) smaller or equal. */
static int below(const double *sorted, int count, double x, bool or_equal)
{
        int low = 0, high = count;

        while (low < high) {
                int middle = low + (high - low) / 2;

                if (sorted[middle] < x || (or_equal && sorted[middle] == x))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void rank(const double *x, int count, double *ranks, double *room)
{
        memcpy(room, x, (size_t)count * sizeof(*x));
        qsort(room, (size_t)count, sizeof(*x), by_number);
        for (int i = 0; i < count; i++)
                ranks[i] = (below(room, count, x[i], false) + below(room, count, x[i], true) + 1) /
                           2.0;
}

double pxr_rank_correlation(const double *x, const double *y, int count, double *room)
{
        double *a = room, *b = room + count, mean = (count + 1) / 2.0, ab = 0, aa = 0, bb = 0;

        rank(x, count, a, b + count);
        rank(y, count, b, b + count);
        for (int i = 0; i < count; i++) {
                ab += (a[i] - mean) * (b[i] - mean);
                aa += (a[i] - mean) * (a[i] - mean);
                bb += (b[i] - mean) * (b[i] - mean);
        }
        return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* An NLL that is worse than knowing nothing is counted, and kept out of the means, of which it
 * would leave nothing. */
static bool diverged(const struct point *point)
{
        return point->job->suspect != NULL;
}

/* A row for some of the points. Returns its mean, NAN where all diverged. */
static double add_row(struct effects *e, const char *key, const char *value,
                      const struct point *point, int count)
{
        struct pxr_cell *cell = pxr_table_row(e->table);
        const struct pxr_swept_job *best = NULL;
        double sum = 0, squares = 0, mean;
        int rest = 0;

        for (int i = 0; i < count; i++) {
                if (diverged(&point[i]))
                        continue;
                sum += point[i].job->valid;
                rest++;
                if (!best || point[i].job->valid < best->valid)
                        best = point[i].job;
        }
        mean = rest > 0 ? sum / rest : NAN;
        for (int i = 0; i < count; i++)
                if (!diverged(&point[i]))
                        squares += (point[i].job->valid - mean) * (point[i].job->valid - mean);
        cell[KEY] = pxr_text_cell(e->table, key);
        cell[VALUE] = pxr_text_cell(e->table, value);
        cell[RUNS] = pxr_integer_cell(count);
        if (rest < count)
                cell[DIVERGED] = pxr_integer_cell(count - rest);
        cell[MEAN] = pxr_real_cell(mean, e->decimals);
        cell[DEVIATION] = pxr_real_cell(rest > 1 ? sqrt(squares / (rest - 1)) : NAN, e->decimals);
        if (best) {
                cell[BEST] = pxr_real_cell(best->valid, e->decimals);
                cell[BEST_JOB] = pxr_integer_cell(best->number);
        }
        return mean;
}

/* By number, words behind numbers; of one value by job. */
static int by_value(const void *left, const void *right)
{
        const struct point *a = left, *b = right;
        bool a_number = !isnan(a->value->number), b_number = !isnan(b->value->number);
        int order;

        if (a_number != b_number)
                return a_number ? -1 : 1;
        if (a_number && a->value->number != b->value->number)
                return a->value->number < b->value->number ? -1 : 1;
        order = a_number ? 0 : strverscmp(a->value->text, b->value->text);
        if (order)
                return order;
        return a->job->number < b->job->number ? -1 : a->job->number > b->job->number;
}

static bool same_value(const struct point *a, const struct point *b)
{
        if (!isnan(a->value->number))
                return a->value->number == b->value->number;
        return strcmp(a->value->text, b->value->text) == 0;
}

/* A row for each value. */
static void add_values(struct effects *e, const struct pxr_swept_key *key)
{
        double low = INFINITY, high = -INFINITY;
        int alike, values = 0;

        for (int i = 0; i < e->points; i += alike) {
                double mean;

                for (alike = 1;
                     i + alike < e->points && same_value(&e->point[i], &e->point[i + alike]);)
                        alike++;
                mean = add_row(e, key->name, e->point[i].value->text, e->point + i, alike);
                values += !isnan(mean);
                low = fmin(low, mean);
                high = fmax(high, mean);
        }
        if (values > 1)
                pxr_table_note(e->table, NULL, "%s: the means of its %d values differ by %.*f.",
                               key->name, values, e->decimals, high - low);
}

static char *span(struct effects *e, int first, int last)
{
        const char *low = e->point[first].value->text, *high = e->point[last].value->text;
        char *text = same_value(&e->point[first], &e->point[last])
                             ? pxr_strdup(e->table->arena, low)
                             : pxr_strf(e->table->arena, "%s to %s", low, high);

        e->table->failed |= !text;
        return text ? text : "";
}

static double correlation(struct effects *e)
{
        double *x = e->number, *y = x + e->points;

        for (int i = 0; i < e->points; i++) {
                x[i] = e->point[i].value->number;
                y[i] = e->point[i].job->valid;
        }
        return pxr_rank_correlation(x, y, e->points, y + e->points);
}

/* What a correlation says, and no more. By chance alone it is beyond 2 / sqrt(n - 1) about once in
 * twenty times. */
static void note_correlation(struct effects *e, const struct pxr_swept_key *key, double r)
{
        bool chance = fabs(r) * sqrt(e->points - 1) < 2;

        if (isnan(r))
                return;
        pxr_table_note(e->table, NULL, "%s: rank correlation with the NLL %+.2f over %d runs: %s.",
                       key->name, r, e->points,
                       chance  ? "no more than chance often gives"
                       : r < 0 ? "higher values went with lower (better) NLLs"
                               : "lower values went with lower (better) NLLs");
}

/* Where part `i` of PARTS begins: where the value changes that is nearest to an equal share, as
 * equal values belong together. */
static int part_begins(const struct effects *e, int i)
{
        int share = e->points * i / PARTS, before = share, behind = share;

        while (before > 0 && before < e->points &&
               same_value(&e->point[before], &e->point[before - 1]))
                before--;
        while (behind > 0 && behind < e->points &&
               same_value(&e->point[behind], &e->point[behind - 1]))
                behind++;
        return share - before < behind - share ? before : behind;
}

/* A row for each part of the runs, by value; none if all are in one. */
static void add_parts(struct effects *e, const struct pxr_swept_key *key)
{
        for (int i = 0; i < PARTS; i++) {
                int first = part_begins(e, i), next = part_begins(e, i + 1);

                if (next > first && next - first < e->points)
                        add_row(e, key->name, span(e, first, next - 1), e->point + first,
                                next - first);
        }
}

/* A row for all, and one for each third of the runs by value. */
static void add_range(struct effects *e, const struct pxr_swept_key *key)
{
        double r = NAN;
        size_t row = e->table->rows;

        add_row(e, key->name, span(e, 0, e->points - 1), e->point, e->points);
        if (e->points < FEW)
                return;
        r = correlation(e);
        if (!e->table->failed)
                e->table->cell[row * COLUMNS + CORRELATION] = pxr_real_cell(r, 2);
        note_correlation(e, key, r);
        add_parts(e, key);
}

static bool all_numbers(const struct effects *e)
{
        for (int i = 0; i < e->points; i++)
                if (isnan(e->point[i].value->number))
                        return false;
        return true;
}

static bool halving(const struct pxr_swept *swept)
{
        return strcmp(swept->search, "halving") == 0;
}

static void add_key(struct effects *e, int key)
{
        const struct pxr_swept *swept = e->swept;

        e->points = 0;
        for (int i = 0; i < swept->jobs; i++) {
                const struct pxr_swept_job *job = &swept->job[i];

                if (job->rung == 0 && pxr_swept_counts(job) && job->value[key].text)
                        e->point[e->points++] = (struct point) { job, &job->value[key] };
        }
        if (e->points == 0 || (halving(swept) && strcmp(swept->key[key].name, "train.epochs") == 0))
                return;
        qsort(e->point, (size_t)e->points, sizeof(*e->point), by_value);
        if (swept->key[key].drawn && all_numbers(e))
                add_range(e, &swept->key[key]);
        else
                add_values(e, &swept->key[key]);
}

/* --- what is to be known of the numbers --------------------------------------------------------
 */

static void note_basis(struct effects *e)
{
        const struct pxr_swept *swept = e->swept;
        bool grid = strcmp(swept->search, "grid") == 0;
        int counted = 0, lowest = 0, bad = 0;

        for (int i = 0; i < swept->jobs; i++) {
                lowest += swept->job[i].rung == 0;
                counted += swept->job[i].rung == 0 && pxr_swept_counts(&swept->job[i]);
                bad += swept->job[i].rung == 0 && pxr_swept_counts(&swept->job[i]) &&
                       swept->job[i].suspect;
        }
        if (halving(swept))
                pxr_table_note(e->table, NULL,
                               "Of the first, shortest trainings alone: only the better ones were "
                               "trained for longer.");
        if (grid)
                pxr_table_note(e->table, NULL,
                               "A mean is over all combinations with the other keys' values%s.",
                               counted < lowest ? "; as some of them are missing, the means are of "
                                                  "unlike runs"
                                                : "");
        else
                pxr_table_note(e->table, NULL,
                               "All keys were drawn together: a mean is of the runs that happen to "
                               "have that value, and a correlation sees only what rises or falls "
                               "throughout.");
        if (bad > 0)
                pxr_table_note(e->table, NULL,
                               "%d of %d job%s diverged: their NLL is worse than that of a model "
                               "that knows nothing. They are not in the means and deviations, but "
                               "in the correlations.",
                               bad, lowest, pxr_plural(lowest));
        if (counted < lowest)
                pxr_table_note(e->table, NULL,
                               "%d of %d job%s count: the others have no validation NLL, or one "
                               "that cannot be.",
                               counted, lowest, pxr_plural(lowest));
        if (!pxr_swept_comparable(swept))
                pxr_table_note(e->table, NULL,
                               "Not all runs have the same data: their NLLs cannot be compared.");
}

struct pxr_table *pxr_effects_table(struct pxr_arena *arena, const struct pxr_swept *swept,
                                    struct pxr_diag *diag)
{
        size_t jobs = (size_t)swept->jobs + 1;
        char *title = pxr_strf(arena, "Effects of what varies, on the validation NLL%s%s",
                               swept->unit ? " in " : "", swept->unit ? swept->unit : "");
        struct effects e = {
                .swept = swept,
                .table = title ? pxr_table_new(arena, "effects", title, columns, COLUMNS) : NULL,
                .point = pxr_alloc_array(arena, jobs, sizeof(*e.point)),
                .number = pxr_alloc_array(arena, 5 * jobs, sizeof(*e.number)),
                .decimals = swept->unit && strcmp(swept->unit, "bits/dim") == 0 ? 4 : 3,
        };

        if (!e.table || !e.point || !e.number) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (int i = 0; i < swept->keys; i++)
                add_key(&e, i);
        if (e.table->rows > 0)
                note_basis(&e);
        else
                pxr_table_note(e.table, NULL, "No run has a validation NLL yet.");
        return pxr_table_finish(e.table, diag) ? NULL : e.table;
}
