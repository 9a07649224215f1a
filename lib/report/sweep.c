/* SPDX-License-Identifier: MIT */
/* sweep.c - a sweep: its jobs and the best of them. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "report/effects.h"
#include "report/parts.h"
#include "record/cursor.h"
#include "record/run_state.h"

enum {
        BEST = 5,
        MOST_KEYS = 24, /* that have a column each; a table can have no more than 64 */
};

static const char *const names[] = { "jobs", "best", "effects", NULL };

/* --- jobs --------------------------------------------------------------------------------------
 */

enum { JOB, RUN, RUNG, STATE, BEFORE_KEYS };

static const struct pxr_column before[] = {
        [JOB] = { "job", "Job", PXR_ALWAYS },
        [RUN] = { "run", "Run", PXR_IF_FILLED },
        [RUNG] = { "rung", "Rung", PXR_IF_FILLED },
        [STATE] = { "state", "State", PXR_ALWAYS },
};

enum { VALID, ERROR, TEST, UNIT, EPOCHS, SECONDS, FAILURES, MESSAGE, SUSPECT, BEHIND_KEYS };

static const struct pxr_column behind[] = {
        [VALID] = { "valid_nll", "Valid. NLL", PXR_IF_FILLED },
        [ERROR] = { "standard_error", "Std. error", PXR_IF_ROOM },
        [TEST] = { "test_nll", "Test NLL", PXR_IF_FILLED },
        [UNIT] = { "unit", "Unit", PXR_IF_FILLED },
        [EPOCHS] = { "epochs", "Epochs", PXR_IF_ROOM },
        [SECONDS] = { "seconds", "Time", PXR_IF_ROOM },
        [FAILURES] = { "failures", "Failures", PXR_IF_FILLED },
        [MESSAGE] = { "message", "Failed of", PXR_IF_FILLED },
        [SUSPECT] = { "suspect", "Suspect", PXR_IF_FILLED },
};

static int keys_shown(const struct pxr_swept *swept)
{
        return swept->keys < MOST_KEYS ? swept->keys : MOST_KEYS;
}

static struct pxr_table *new_table(struct pxr_arena *arena, const struct pxr_swept *swept,
                                   const char *name, const char *title)
{
        int keys = keys_shown(swept), count = BEFORE_KEYS + keys + BEHIND_KEYS;
        struct pxr_column *column = pxr_alloc_array(arena, (size_t)count, sizeof(*column));

        if (!column)
                return NULL;
        memcpy(column, before, sizeof(before));
        for (int i = 0; i < keys; i++)
                column[BEFORE_KEYS + i] = (struct pxr_column) { swept->key[i].name,
                                                                swept->key[i].name, PXR_IF_FILLED };
        memcpy(column + BEFORE_KEYS + keys, behind, sizeof(behind));
        return pxr_table_new(arena, name, title, column, count);
}

static struct pxr_cell value_cell(struct pxr_table *table, const struct pxr_swept_value *value)
{
        double number = value->number;

        if (!value->text || isnan(number))
                return pxr_text_cell(table, value->text);
        if (number == rint(number) && fabs(number) < 1e15)
                return pxr_integer_cell((int64_t)number);
        return pxr_real_cell(number, -1);
}

static struct pxr_cell epochs_cell(double epochs)
{
        return pxr_real_cell(epochs, fabs(epochs - rint(epochs)) < 1e-9 ? 0 : 1);
}

static void add_job(struct pxr_table *table, const struct pxr_swept *swept,
                    const struct pxr_swept_job *job)
{
        int decimals = swept->unit && strcmp(swept->unit, "bits/dim") == 0 ? 4 : 3;
        bool halving = strcmp(swept->search, "halving") == 0, failed = job->failures > 0;
        struct pxr_cell *cell = pxr_table_row(table);

        cell[JOB] = pxr_integer_cell(job->number);
        if (job->run)
                cell[RUN] = pxr_integer_cell(job->run);
        if (halving)
                cell[RUNG] = pxr_integer_cell(job->rung);
        cell[STATE] = pxr_text_cell(table, job->state);
        for (int i = 0; i < keys_shown(swept); i++)
                cell[BEFORE_KEYS + i] = value_cell(table, &job->value[i]);
        cell += BEFORE_KEYS + keys_shown(swept);
        cell[VALID] = pxr_real_cell(job->valid, decimals);
        cell[ERROR] = pxr_real_cell(job->standard_error, decimals);
        cell[TEST] = pxr_real_cell(job->test, decimals);
        if (!isnan(job->valid) || !isnan(job->test))
                cell[UNIT] = pxr_text_cell(table, swept->unit);
        cell[EPOCHS] = epochs_cell(job->epoch);
        if (job->seconds > 0)
                cell[SECONDS] = pxr_duration_cell(job->seconds);
        if (failed)
                cell[FAILURES] = pxr_integer_cell(job->failures);
        cell[MESSAGE] = pxr_text_cell(table, job->message);
        cell[SUSPECT] = pxr_text_cell(table, job->suspect);
}

static int count_in(const struct pxr_swept *swept, const char *state)
{
        int count = 0;

        for (int i = 0; i < swept->jobs; i++)
                count += strcmp(swept->job[i].state, state) == 0;
        return count;
}

static void note_jobs(struct pxr_table *table, const struct pxr_swept *swept)
{
        int finished = count_in(swept, "finished"), failed = count_in(swept, "failed");
        int stopped = count_in(swept, "interrupted") + count_in(swept, "killed");

        pxr_table_note(table, NULL, "%d of %d job%s finished%s.", finished, swept->jobs,
                       pxr_plural(swept->jobs),
                       failed ? "; pxr-sweep --retry tries those that failed again" : "");
        if (stopped > 0)
                pxr_table_note(table, NULL,
                               "The pxr-sweep that had %d job%s is gone; started again, it goes on "
                               "with %s.",
                               stopped, pxr_plural(stopped), stopped == 1 ? "it" : "them");
        if (swept->keys > MOST_KEYS)
                pxr_table_note(table, NULL, "Keys that vary and are not shown: %d.",
                               swept->keys - MOST_KEYS);
}

static struct pxr_table *jobs_table(struct pxr_arena *arena, const struct pxr_swept *swept,
                                    struct pxr_diag *diag)
{
        char *title = pxr_strf(arena, "Sweep %s (%s): jobs", swept->name, swept->search);
        struct pxr_table *table = title ? new_table(arena, swept, "jobs", title) : NULL;

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (int i = 0; i < swept->jobs; i++)
                add_job(table, swept, &swept->job[i]);
        note_jobs(table, swept);
        return pxr_table_finish(table, diag) ? NULL : table;
}

/* --- the best ----------------------------------------------------------------------------------
 */

static int by_result(const void *left, const void *right)
{
        const struct pxr_swept_job *a = *(const struct pxr_swept_job *const *)left;
        const struct pxr_swept_job *b = *(const struct pxr_swept_job *const *)right;

        if (a->valid != b->valid)
                return a->valid < b->valid ? -1 : 1;
        return a->number < b->number ? -1 : a->number > b->number;
}

static void note_best(struct pxr_table *table, const struct pxr_swept *swept,
                      const struct pxr_swept_job *const *job, int count)
{
        double apart;

        if (!pxr_swept_comparable(swept))
                pxr_table_note(table, NULL,
                               "Not all runs have the same data: their NLLs cannot be compared.");
        else if (count == 0)
                pxr_table_note(table, NULL, "No run has a validation NLL yet.");
        if (count < 2)
                return;
        apart = job[1]->valid - job[0]->valid;
        if (apart < job[0]->standard_error)
                pxr_table_note(table, NULL,
                               "The first two are closer to each other than the standard error of "
                               "one of them.");
        pxr_table_note(table, NULL,
                       "By the validation NLL; the best of many runs looks a little better there "
                       "than it is, which the test NLL does not.");
}

static struct pxr_table *best_table(struct pxr_arena *arena, const struct pxr_swept *swept,
                                    struct pxr_diag *diag)
{
        const struct pxr_swept_job **job =
                pxr_alloc_array(arena, (size_t)swept->jobs + 1, sizeof(*job));
        char *title = pxr_strf(arena, "Sweep %s (%s): the best", swept->name, swept->search);
        struct pxr_table *table = title ? new_table(arena, swept, "best", title) : NULL;
        int count = 0;

        if (!job || !table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (int i = 0; i < swept->jobs; i++)
                if (pxr_swept_ranks(&swept->job[i]))
                        job[count++] = &swept->job[i];
        qsort(job, (size_t)count, sizeof(*job), by_result);
        for (int i = 0; i < count && i < BEST; i++)
                add_job(table, swept, job[i]);
        note_best(table, swept, job, count);
        return pxr_table_finish(table, diag) ? NULL : table;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static bool wanted(const char *part, const char *name)
{
        return !part || strcmp(part, name) == 0;
}

struct pxr_table *pxr_report_sweep(struct pxr_arena *arena, struct pxr_store *store,
                                   const char *name, const char *part, struct pxr_diag *diag)
{
        struct pxr_table_list tables = { 0 };
        const struct pxr_swept *swept =
                pxr_check_part(part, names, diag) ? NULL : pxr_swept_read(arena, store, name, diag);

        if (!swept)
                return NULL;
        if ((wanted(part, "jobs") && pxr_table_append(&tables, jobs_table(arena, swept, diag))) ||
            (wanted(part, "best") && pxr_table_append(&tables, best_table(arena, swept, diag))) ||
            (wanted(part, "effects") &&
             pxr_table_append(&tables, pxr_effects_table(arena, swept, diag))))
                return NULL;
        return tables.first;
}
