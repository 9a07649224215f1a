/* SPDX-License-Identifier: MIT */
/*
 * paper_table.c - a table of the paper, and which of our runs is shown beside each of its rows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/recipe.h"
#include "data/data.h"
#include "record/cursor.h"
#include "record/run_state.h"
#include "report/paper_diff.h"
#include "report/report.h"
#include "report/row_data.h"

/* A run that names a row of this table, with its result. NLLs are in nats per image; NAN: none. */
struct candidate {
        int64_t run, spec, seed, parameters, images, dimensions; /* spec: the same for all seeds */
        const char *row, *set, *identity, *transforms, *given, *suspect;
        const char *state; /* of a run without a result; else NULL */
        double nats, error, epoch, valid, train, seconds;
        bool shown; /* its NLL may be shown */
        struct candidate *next;
        struct candidate *seed_after; /* the next of its group */
};

/* Runs of one spec on the same data, one for each seed. */
struct group {
        struct candidate *first;
        int count, missing; /* missing: seeds whose NLL cannot be shown */
        double nats, deviation;
        double valid; /* of those that have one; NAN: none has */
};

struct making {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_paper_table *paper;
        struct pxr_diag *diag;
        struct pxr_table *table;
        struct candidate *candidates; /* by spec and seed, the newest of a seed first */
        int count, marks, left_out;
};

/* --- candidates --------------------------------------------------------------------------------
 */

enum { MOST_LEFT_OUT = 8 };

static void leave_out(struct making *m, const struct candidate *c, const char *why)
{
        if (m->left_out++ < MOST_LEFT_OUT)
                pxr_table_note(m->table, NULL, "Not shown: run %" PRId64 " (%s): %s.", c->run,
                               c->row, why);
}

static void warn_of_row(struct making *m, const struct candidate *c)
{
        const char *nearest = pxr_paper_nearest(m->paper, c->row);

        pxr_warn(m->diag, "run %" PRId64 " reproduces unknown row '%s' of table %d%s%s%s", c->run,
                 c->row, (int)m->paper->table, nearest ? "; did you mean '" : "",
                 nearest ? nearest : "", nearest ? "'?" : "");
}

/* Why the NLL of a run cannot be shown: NULL in *reason if it can. Returns 0 or -1. */
static int check_candidate(struct making *m, const struct pxr_paper_row *row,
                           const struct candidate *c, const char **reason)
{
        const struct pxr_row_data data = { c->run, c->set, c->identity, c->transforms, c->images };

        *reason = NULL;
        if (c->state && strcmp(c->state, "finished") == 0)
                *reason = pxr_strf(m->arena, "it was not evaluated on the %s split",
                                   pxr_split_names[m->paper->split]);
        else if (c->state)
                *reason = pxr_strf(m->arena, "it %s %s",
                                   strcmp(c->state, "failed") == 0 ? "has" : "is", c->state);
        else if (c->suspect || !isfinite(c->nats))
                *reason = c->suspect ? c->suspect : "its NLL is not finite";
        else if (c->given)
                *reason = "its NLL is conditional on smaller versions of the images";
        else
                return pxr_row_data_misfit(m->arena, m->store, m->paper, row, &data, reason,
                                           m->diag);
        return 0;
}

static int judge_candidates(struct making *m)
{
        const char *unknown = "", *reason;

        for (struct candidate *c = m->candidates; c; c = c->next) {
                const struct pxr_paper_row *row = pxr_paper_row(m->paper, c->row);

                if (!row) {
                        if (strcmp(unknown, c->row) != 0)
                                warn_of_row(m, c);
                        unknown = c->row;
                        continue;
                }
                if (check_candidate(m, row, c, &reason))
                        return -1;
                c->shown = !reason;
                if (reason)
                        leave_out(m, c, reason);
        }
        return 0;
}

static const char candidates_sql[] =
        "SELECT run.id, min(run.id) OVER (PARTITION BY reproduces_row, recipe_hash, "
        "data_identity) AS spec, seed, parameters, nll.images, nll.dimensions, reproduces_row, "
        "data_set, data_identity, data_transforms, given, nll.suspect, "
        "CASE WHEN nll.run IS NULL THEN " PXR_RUN_STATE " END, nll.sum_nats / nll.images, "
        "nll.standard_error, nll.epoch, valid.sum_nats / valid.images, "
        "train.sum_nats / train.images, wall_seconds "
        "FROM run LEFT JOIN metric AS nll ON nll.run = run.id AND nll.name = 'final_nll' AND "
        "nll.split = ?2 AND nll.images > 0 "
        "LEFT JOIN metric AS valid ON valid.run = run.id AND valid.name = 'final_nll' AND "
        "valid.split = 'valid' AND valid.suspect IS NULL "
        "LEFT JOIN metric AS train ON train.run = run.id AND train.name = 'final_nll' AND "
        "train.split = 'train' "
        "WHERE reproduces_table = ?1 AND reproduces_row IS NOT NULL AND recipe_hash IS NOT NULL "
        "AND archived_at IS NULL ORDER BY spec, seed, run.id DESC";

static int read_candidates(struct making *m)
{
        struct pxr_cursor rows = pxr_query(m->store, m->arena, m->diag, candidates_sql, "it",
                                           m->paper->table, pxr_split_names[m->paper->split]);
        struct candidate **end = &m->candidates;

        while (pxr_cursor_next(&rows)) {
                struct candidate *c = pxr_alloc(m->arena, sizeof(*c));

                if (!c)
                        break;
                *c = (struct candidate) {
                        .run = pxr_cursor_integer(&rows, 0),
                        .spec = pxr_cursor_integer(&rows, 1),
                        .seed = pxr_cursor_integer(&rows, 2),
                        .parameters = pxr_cursor_integer(&rows, 3),
                        .images = pxr_cursor_integer(&rows, 4),
                        .dimensions = pxr_cursor_integer(&rows, 5),
                        .row = pxr_cursor_text(&rows, 6),
                        .set = pxr_cursor_text(&rows, 7),
                        .identity = pxr_cursor_text(&rows, 8),
                        .transforms = pxr_cursor_text(&rows, 9),
                        .given = pxr_cursor_optional(&rows, 10),
                        .suspect = pxr_cursor_optional(&rows, 11),
                        .state = pxr_cursor_optional(&rows, 12),
                        .nats = pxr_cursor_real(&rows, 13),
                        .error = pxr_cursor_real(&rows, 14),
                        .epoch = pxr_cursor_real(&rows, 15),
                        .valid = pxr_cursor_real(&rows, 16),
                        .train = pxr_cursor_real(&rows, 17),
                        .seconds = pxr_cursor_real(&rows, 18),
                };
                *end = c;
                end = &c->next;
                m->count++;
        }
        return pxr_cursor_end(&rows);
}

/* --- groups ------------------------------------------------------------------------------------
 */

/* The group of the runs from *next on that are of one spec; moves *next behind them. */
static struct group take_group(struct candidate **next)
{
        const struct candidate *spec = *next, *last = NULL; /* last: that a seed was counted of */
        struct group group = { .valid = NAN, .deviation = NAN };
        struct candidate **end = &group.first;
        double squares = 0, valid = 0;
        int seeds = 0, with_valid = 0;
        int64_t seed = 0;

        for (struct candidate *c = *next; c && c->spec == spec->spec; c = *next = c->next) {
                seeds += c == spec || c->seed != seed;
                seed = c->seed;
                if (!c->shown || (last && last->seed == seed))
                        continue;
                *end = c;
                end = &c->seed_after;
                last = c;
                group.count++;
        }
        group.missing = seeds - group.count;
        for (const struct candidate *c = group.first; c; c = c->seed_after) {
                group.nats += c->nats / group.count;
                if (isfinite(c->valid)) {
                        valid += c->valid;
                        with_valid++;
                }
        }
        for (const struct candidate *c = group.first; c; c = c->seed_after)
                squares += (c->nats - group.nats) * (c->nats - group.nats);
        if (with_valid > 0)
                group.valid = valid / with_valid;
        if (group.count > 1)
                group.deviation = sqrt(squares / (group.count - 1));
        return group;
}

/* The best NLL on the validation split first. Groups without one come last, by the NLL that is
 * shown: to choose by that flatters it. */
static int by_valid(const void *left, const void *right)
{
        const struct group *a = left, *b = right;
        double x = a->valid, y = b->valid;

        if (isnan(x) != isnan(y))
                return isnan(x) ? 1 : -1;
        if (isnan(x)) {
                x = a->nats;
                y = b->nats;
        }
        if (x != y)
                return x < y ? -1 : 1;
        return (a->first->run < b->first->run) - (a->first->run > b->first->run);
}

/* The groups of a row, best first. Returns their number. */
static size_t row_groups(struct making *m, const struct pxr_paper_row *row, struct group *group)
{
        size_t count = 0;

        for (struct candidate *next = m->candidates; next;) {
                bool here = strcmp(next->row, row->row) == 0;

                group[count] = take_group(&next);
                count += here && group[count].count > 0;
        }
        if (count > 1)
                qsort(group, count, sizeof(*group), by_valid);
        return count;
}

/* --- rows --------------------------------------------------------------------------------------
 */

enum column {
        MODEL,
        ROW,
        SOURCE,
        PAPER,
        RELATION,
        PAPER_TRAIN,
        OURS,
        STANDARD_ERROR,
        DEVIATION,
        SEEDS,
        DIFFERENCE,
        OURS_TRAIN,
        RUN,
        EPOCHS,
        PARAMETERS,
        WALL,
        COLUMNS
};

static const struct pxr_column columns[COLUMNS] = {
        [MODEL] = { "model", "Model", PXR_ALWAYS },
        [ROW] = { "row", "Row", PXR_TO_PROGRAMS },
        [SOURCE] = { "source", "Source", PXR_TO_PROGRAMS },
        [PAPER] = { "paper", "Paper", PXR_ALWAYS },
        [RELATION] = { "paper_relation", "", PXR_TO_PROGRAMS },
        [PAPER_TRAIN] = { "paper_train", "(train)", PXR_IF_FILLED },
        [OURS] = { "ours", "Ours", PXR_ALWAYS },
        [STANDARD_ERROR] = { "standard_error", "Std. error", PXR_IF_FILLED },
        [DEVIATION] = { "deviation", "Deviation", PXR_IF_FILLED },
        [SEEDS] = { "seeds", "Seeds", PXR_TO_PROGRAMS },
        [DIFFERENCE] = { "difference", "Difference", PXR_ALWAYS },
        [OURS_TRAIN] = { "ours_train", "Ours (train)", PXR_IF_FILLED },
        [RUN] = { "run", "Run", PXR_ALWAYS },
        [EPOCHS] = { "epochs", "Epochs", PXR_IF_ROOM },
        [PARAMETERS] = { "parameters", "Parameters", PXR_IF_ROOM },
        [WALL] = { "wall_seconds", "Time", PXR_IF_ROOM },
};

/* An NLL in the table's unit. */
static double in_unit(const struct making *m, const struct group *group, double nats)
{
        return m->paper->unit == PXR_BITS ? nats / (M_LN2 * (double)group->first->dimensions)
                                          : nats;
}

static void fill_published(struct making *m, const struct pxr_paper_row *row, struct pxr_cell *cell)
{
        static const char *const relations[][2] = {
                [PXR_EXACTLY] = { "exactly", NULL },
                [PXR_ABOUT] = { "about", "≈ " },
                [PXR_AT_MOST] = { "at most", "≤ " },
        };

        cell[MODEL] = pxr_text_cell(
                m->table,
                row->source ? pxr_strf(m->arena, "%s (%s)", row->row, row->source) : row->row);
        cell[ROW] = pxr_text_cell(m->table, row->row);
        cell[SOURCE] = pxr_text_cell(m->table, row->source);
        cell[PAPER] = pxr_real_cell(row->value, 2);
        cell[PAPER].before = relations[row->relation][1];
        cell[RELATION] = pxr_text_cell(m->table, relations[row->relation][0]);
        if (row->train_value > 0)
                cell[PAPER_TRAIN] = pxr_real_cell(row->train_value, 2);
}

static void fill_measured(struct making *m, const struct pxr_paper_row *row,
                          const struct group *group, struct pxr_cell *cell)
{
        int decimals = m->paper->unit == PXR_BITS ? 3 : 2;
        double nats = group->nats, error = 0, train = 0, epochs = 0, seconds = 0;
        const char *runs = "";

        for (const struct candidate *c = group->first; c; c = c->seed_after) {
                error += c->error / group->count;
                train += c->train / group->count;
                epochs += c->epoch / group->count;
                seconds += c->seconds / group->count;
                runs = pxr_strf(m->arena, "%s%s%" PRId64, runs, *runs ? ", " : "", c->run);
        }
        cell[OURS] = pxr_real_cell(in_unit(m, group, nats), decimals);
        cell[STANDARD_ERROR] = pxr_real_cell(in_unit(m, group, error), decimals);
        cell[DEVIATION] = pxr_real_cell(in_unit(m, group, group->deviation), decimals);
        cell[SEEDS] = pxr_integer_cell(group->count);
        cell[DIFFERENCE] = pxr_real_cell(in_unit(m, group, nats) - row->value, decimals);
        cell[DIFFERENCE].sign = true;
        cell[OURS_TRAIN] = pxr_real_cell(in_unit(m, group, train), decimals);
        cell[RUN] = group->count == 1 ? pxr_integer_cell(group->first->run)
                                      : pxr_text_cell(m->table, runs);
        cell[EPOCHS] = pxr_real_cell(epochs, fabs(epochs - rint(epochs)) < 1e-9 ? 0 : 1);
        cell[PARAMETERS] = pxr_integer_cell(group->first->parameters);
        cell[WALL] = pxr_duration_cell(seconds);
}

/* a, b, ... z, aa, ab, ... */
static const char *next_mark(struct making *m)
{
        int number = m->marks++;
        char first = (char)('a' + number / 26 - 1), last = (char)('a' + number % 26);

        return number < 26 ? pxr_strf(m->arena, "%c", last)
                           : pxr_strf(m->arena, "%c%c", first, last);
}

/* How the result came about. `chosen`: that it was chosen by the NLL shown; else "". */
static const char *result_note(struct making *m, const struct group *group,
                               const struct pxr_paper_diff *diff, const char *chosen)
{
        const char *text = "";

        if (group->count > 1)
                text = pxr_strf(m->arena, "Mean and deviation of %d seeds. ", group->count);
        if (group->missing > 0)
                text = pxr_strf(m->arena,
                                "%sLeft out: %d more of its seeds, whose NLL cannot be shown. ",
                                text, group->missing);
        text = pxr_strf(m->arena, "%s%s", text, chosen);
        if (m->paper->split == PXR_VALID && diff->patience)
                text = pxr_strf(m->arena,
                                "%sThe validation NLL is the lowest of the run's evaluations "
                                "(train.patience %s), so it is too good. ",
                                text, diff->patience);
        return text;
}

static void add_footnote(struct making *m, const struct pxr_paper_row *row,
                         const struct group *group, const struct pxr_paper_diff *diff,
                         const char *chosen, struct pxr_cell *cell)
{
        const char *result = result_note(m, group, diff, chosen);
        const char *differences = pxr_remarks(m->arena, diff->difference);
        const char *choices = pxr_remarks(m->arena, diff->choice);
        const char *transforms = group->first->transforms;

        cell[MODEL].mark = next_mark(m);
        if (!row->model->first)
                pxr_table_note(m->table, cell[MODEL].mark,
                               "%sThe paper does not describe this row's model.", result);
        else
                pxr_table_note(m->table, cell[MODEL].mark, "%s%s%s.%s%s%s%s%s%s", result,
                               *differences ? "Differs from the paper: "
                                            : "As the paper describes it",
                               differences, *choices ? " The paper does not give: " : "", choices,
                               *choices ? "." : "", *transforms ? " Data: " : "", transforms,
                               *transforms ? "." : "");
}

/* Compare the spec of a group's first run with the row. Returns 0 or -1. */
static int compare(struct making *m, const struct pxr_paper_row *row, const struct group *group,
                   struct pxr_paper_diff *diff)
{
        static struct pxr_remark unreadable = { .text = "its spec cannot be read" };
        struct pxr_cursor rows =
                pxr_query(m->store, m->arena, m->diag, "SELECT spec FROM run WHERE id = ?", "i",
                          group->first->run);
        const char *text = pxr_cursor_next(&rows) ? pxr_cursor_text(&rows, 0) : "";
        const struct pxr_yaml *spec;

        if (pxr_cursor_end(&rows))
                return -1;
        spec = pxr_spec_recorded(m->arena, text, NULL);
        *diff = spec ? pxr_paper_diff(m->arena, row, spec)
                     : (struct pxr_paper_diff) { .other = &unreadable };
        return 0;
}

/* Whether the first of these groups was chosen by the NLL that is shown: it was if another could
 * have been chosen, and only that NLL speaks for one of them. Notes groups that could not be chosen
 * because they have no validation NLL. Returns 0 or -1. */
static int judge_choice(struct making *m, const struct pxr_paper_row *row,
                        const struct group *group, size_t count, const char **chosen)
{
        bool by_shown = m->paper->split == PXR_VALID || isnan(group->valid);
        struct pxr_paper_diff diff;

        *chosen = "";
        for (size_t i = 1; i < count; i++) {
                bool passed_over = isnan(group[i].valid) && !isnan(group->valid);

                if (!passed_over && (!by_shown || **chosen))
                        continue;
                if (compare(m, row, &group[i], &diff))
                        return -1;
                if (diff.other)
                        continue;
                if (passed_over)
                        leave_out(m, group[i].first,
                                  "it has no validation NLL, by which the run of a row is chosen");
                else if (m->paper->split == PXR_VALID)
                        *chosen = "Chosen among several specs by the validation NLL that is shown, "
                                  "so that NLL is too good. ";
                else
                        *chosen = "Chosen among several specs by the test NLL that is shown, for "
                                  "want of a validation NLL, so that NLL is too good. ";
        }
        return 0;
}

/* Show the best group whose model is the row's. Returns 0 or -1. */
static int make_row(struct making *m, const struct pxr_paper_row *row, struct group *group)
{
        struct pxr_cell *cell = pxr_table_row(m->table);
        size_t count = row_groups(m, row, group);
        struct pxr_paper_diff diff;
        const char *chosen;

        fill_published(m, row, cell);
        for (; count > 0; count--, group++) {
                if (compare(m, row, group, &diff))
                        return -1;
                if (diff.other) {
                        leave_out(m, group->first,
                                  pxr_strf(m->arena, "another model than the row's: %s",
                                           pxr_remarks(m->arena, diff.other)));
                        continue;
                }
                if (judge_choice(m, row, group, count, &chosen))
                        return -1;
                fill_measured(m, row, group, cell);
                add_footnote(m, row, group, &diff, chosen, cell);
                break;
        }
        return 0;
}

struct pxr_table *pxr_report_paper_table(struct pxr_arena *arena, struct pxr_store *store,
                                         const struct pxr_paper_table *paper, struct pxr_diag *diag)
{
        struct making m = { .arena = arena, .store = store, .paper = paper, .diag = diag };
        const char *title =
                pxr_strf(arena, "Table %d: %s, %s, %s", (int)paper->table, paper->title,
                         paper->split == PXR_VALID ? "validation" : "test",
                         paper->unit == PXR_BITS ? "bits per dimension" : "nats per image");
        struct group *group;

        m.table = pxr_table_new(arena, pxr_strf(arena, "table%d", (int)paper->table), title,
                                columns, COLUMNS);
        if (!m.table || read_candidates(&m) || judge_candidates(&m))
                return NULL;
        group = pxr_alloc_array(arena, (size_t)m.count + 1, sizeof(*group));
        if (!group)
                return NULL;
        for (const struct pxr_paper_row *row = paper->row; row; row = row->next)
                if (make_row(&m, row, group))
                        return NULL;
        if (m.left_out > MOST_LEFT_OUT)
                pxr_table_note(m.table, NULL,
                               "Not shown either: %d more runs that reproduce a row.",
                               m.left_out - MOST_LEFT_OUT);
        return pxr_table_finish(m.table, diag) ? NULL : m.table;
}
