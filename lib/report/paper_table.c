/* SPDX-License-Identifier: MIT */
/*
 * paper_table.c - the rows of a table of the paper, and which of our runs stands beside each.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "report/departures.h"
#include "report/report.h"
#include "report/row_data.h"
#include "record/cursor.h"
#include "config/options.h"
#include "config/recipe.h"
#include "record/run_state.h"

/* A run that says it is of this table, with its result. */
struct candidate {
        int64_t run, seed, parameters, images, dimensions;
        const char *row, *recipe, *set, *identity, *transforms, *given, *suspect;
        const char *state;                                /* of a run without a result; else NULL */
        double nats, error, epoch, valid, train, seconds; /* NLLs of an image in nats; NAN: none */
};

/* Runs of one spec, but for their seeds, on the same data. */
struct group {
        struct candidate *of; /* the first of `count`, each of another seed */
        int count;
        double nats, deviation;
        double valid; /* of those that have one; NAN: none has */
};

struct making {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_paper_table *paper;
        struct pxr_diag *diag;
        struct pxr_table *table;
        struct candidate *candidate; /* those that cannot stand in the table come last */
        size_t count, dropped, room;
        int marks, left_out;
};

/* --- candidates --------------------------------------------------------------------------------
 */

static struct candidate *add(struct making *m)
{
        struct candidate *more;
        size_t room = m->room ? 2 * m->room : 64;

        if (m->count == m->room) {
                more = pxr_alloc_array(m->arena, room, sizeof(*more));
                if (!more)
                        return NULL;
                if (m->count > 0)
                        memcpy(more, m->candidate, m->count * sizeof(*more));
                m->candidate = more;
                m->room = room;
        }
        return &m->candidate[m->count++];
}

static int read_candidates(struct making *m)
{
        struct pxr_cursor rows =
                pxr_query(m->store, m->arena, m->diag,
                          "SELECT run.id, seed, parameters, reproduces_row, recipe_hash, data_set, "
                          "data_identity, data_transforms, given, nll.suspect, nll.sum_nats / "
                          "nll.images, nll.standard_error, nll.images, nll.dimensions, nll.epoch, "
                          "valid.sum_nats / valid.images, train.sum_nats / train.images, "
                          "wall_seconds, "
                          "CASE WHEN nll.run IS NULL THEN " PXR_RUN_STATE " END "
                          "FROM run LEFT JOIN metric AS nll ON nll.run = run.id AND nll.name = "
                          "'final_nll' AND nll.split = ?2 AND nll.images > 0 "
                          "LEFT JOIN metric AS valid ON valid.run = run.id AND valid.name = "
                          "'final_nll' AND valid.split = 'valid' AND valid.suspect IS NULL "
                          "LEFT JOIN metric AS train ON train.run = run.id AND train.name = "
                          "'final_nll' AND train.split = 'train' "
                          "WHERE reproduces_table = ?1 AND archived_at IS NULL",
                          "it", m->paper->table, pxr_split_names[m->paper->split]);

        while (pxr_cursor_next(&rows)) {
                struct candidate *c = add(m);

                if (!c)
                        break;
                *c = (struct candidate) {
                        .run = pxr_cursor_integer(&rows, 0),
                        .seed = pxr_cursor_integer(&rows, 1),
                        .parameters = pxr_cursor_integer(&rows, 2),
                        .row = pxr_cursor_optional(&rows, 3),
                        .recipe = pxr_cursor_optional(&rows, 4),
                        .set = pxr_cursor_text(&rows, 5),
                        .identity = pxr_cursor_text(&rows, 6),
                        .transforms = pxr_cursor_optional(&rows, 7),
                        .given = pxr_cursor_optional(&rows, 8),
                        .suspect = pxr_cursor_optional(&rows, 9),
                        .state = pxr_cursor_optional(&rows, 18),
                        .nats = pxr_cursor_real(&rows, 10),
                        .error = pxr_cursor_real(&rows, 11),
                        .images = pxr_cursor_integer(&rows, 12),
                        .dimensions = pxr_cursor_integer(&rows, 13),
                        .epoch = pxr_cursor_real(&rows, 14),
                        .valid = pxr_cursor_real(&rows, 15),
                        .train = pxr_cursor_real(&rows, 16),
                        .seconds = pxr_cursor_real(&rows, 17),
                };
                if (!c->row || !c->recipe)
                        m->count--;
        }
        return pxr_cursor_end(&rows);
}

/* --- leaving out -------------------------------------------------------------------------------
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

        if (nearest)
                pxr_warn(m->diag,
                         "run %" PRId64 " reproduces row '%s' of table %d, which has no such row; "
                         "did it mean '%s'?",
                         c->run, c->row, (int)m->paper->table, nearest);
        else
                pxr_warn(m->diag,
                         "run %" PRId64 " reproduces row '%s' of table %d, which has no such row",
                         c->run, c->row, (int)m->paper->table);
}

/* Why a run has no NLL to show. NULL when memory is out. */
static const char *no_result(struct making *m, const char *state)
{
        if (strcmp(state, "finished") == 0)
                return pxr_strf(m->arena, "it was not evaluated on the %s split",
                                pxr_split_names[m->paper->split]);
        if (strcmp(state, "failed") == 0)
                return "it has failed";
        return pxr_strf(m->arena, "it is %s", state);
}

/* Keep those whose number can stand in the table. */
static int sift(struct making *m)
{
        const char *unknown = NULL;
        size_t kept = 0;

        for (size_t i = 0; i < m->count; i++) {
                struct candidate *c = &m->candidate[i];
                const struct pxr_row_data data = { c->run, c->set, c->identity, c->transforms,
                                                   c->images };
                const struct pxr_paper_row *row = pxr_paper_row(m->paper, c->row);
                const char *reason = NULL;

                if (!row) {
                        if (!unknown || strcmp(unknown, c->row) != 0)
                                warn_of_row(m, c);
                        unknown = c->row;
                        continue;
                }
                if (c->state) {
                        reason = no_result(m, c->state);
                        if (!reason)
                                return pxr_out_of_memory(m->diag);
                } else if (c->suspect || !isfinite(c->nats)) {
                        reason = c->suspect ? c->suspect : "its NLL is not finite";
                } else if (c->given) {
                        reason = "its NLL is of images given their small versions";
                } else if (pxr_row_data_misfit(m->arena, m->store, m->paper, row, &data, &reason,
                                               m->diag)) {
                        return -1;
                }
                if (reason) {
                        leave_out(m, c, reason);
                } else {
                        struct candidate other = m->candidate[kept];

                        m->candidate[kept++] = *c;
                        *c = other;
                }
        }
        m->dropped = m->count - kept;
        m->count = kept;
        return 0;
}

/* --- groups ------------------------------------------------------------------------------------
 */

/* The newest of each seed comes first. */
static int by_spec(const void *left, const void *right)
{
        const struct candidate *a = left, *b = right;
        int order = strcmp(a->row, b->row);

        if (!order)
                order = strcmp(a->recipe, b->recipe);
        if (!order)
                order = strcmp(a->identity, b->identity);
        if (!order)
                order = (a->seed > b->seed) - (a->seed < b->seed);
        return order ? order : (a->run < b->run) - (a->run > b->run);
}

static bool same_spec(const struct candidate *a, const struct candidate *b)
{
        return strcmp(a->row, b->row) == 0 && strcmp(a->recipe, b->recipe) == 0 &&
               strcmp(a->identity, b->identity) == 0;
}

/* The group that begins at *c, of which the runs of a seed seen before are taken out. Moves *c
 * behind it. */
static struct group take_group(struct candidate **c, const struct candidate *end)
{
        struct group group = { .of = *c };
        double squares = 0, valid = 0;
        int with_valid = 0;

        for (; *c < end && same_spec(group.of, *c); ++*c)
                if (group.count == 0 || group.of[group.count - 1].seed != (*c)->seed)
                        group.of[group.count++] = **c;
        for (int i = 0; i < group.count; i++) {
                group.nats += group.of[i].nats / group.count;
                if (isfinite(group.of[i].valid)) {
                        valid += group.of[i].valid;
                        with_valid++;
                }
        }
        group.valid = with_valid > 0 ? valid / with_valid : NAN;
        for (int i = 0; i < group.count; i++)
                squares += (group.of[i].nats - group.nats) * (group.of[i].nats - group.nats);
        group.deviation = group.count > 1 ? sqrt(squares / (group.count - 1)) : NAN;
        return group;
}

/* Best first by the NLL on the validation split. To choose by the very NLL that is reported would
 * flatter it: those that have nothing else come last, and are chosen among only when all are so. */
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
        return (a->of->run < b->of->run) - (a->of->run > b->of->run);
}

/* The groups of a row, best first. */
static size_t row_groups(struct making *m, const struct pxr_paper_row *row, struct group *group)
{
        struct candidate *c = m->candidate, *end = m->candidate + m->count;
        size_t count = 0;

        while (c < end)
                if (strcmp(c->row, row->row) != 0)
                        c++;
                else
                        group[count++] = take_group(&c, end);
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
static double told(const struct making *m, const struct candidate *c, double nats)
{
        return m->paper->unit == PXR_BITS ? nats / (M_LN2 * (double)c->dimensions) : nats;
}

static void published(struct making *m, const struct pxr_paper_row *row, struct pxr_cell *cell)
{
        static const char *const before[] = { NULL, "≈ ", "≤ " };
        static const char *const words[] = { "exactly", "about", "at most" };
        const char *model =
                row->source ? pxr_strf(m->arena, "%s (%s)", row->row, row->source) : row->row;

        m->table->failed |= !model;
        cell[MODEL] = pxr_text_cell(m->table, model);
        cell[ROW] = pxr_text_cell(m->table, row->row);
        cell[SOURCE] = pxr_text_cell(m->table, row->source);
        cell[PAPER] = pxr_real_cell(row->value, 2);
        cell[PAPER].before = before[row->relation];
        cell[RELATION] = pxr_text_cell(m->table, words[row->relation]);
        if (row->train_value > 0)
                cell[PAPER_TRAIN] = pxr_real_cell(row->train_value, 2);
}

static struct pxr_cell run_numbers(struct making *m, const struct group *group)
{
        char *text = pxr_strdup(m->arena, "");

        if (group->count == 1)
                return pxr_integer_cell(group->of->run);
        for (int i = 0; text && i < group->count; i++)
                text = pxr_strf(m->arena, "%s%s%" PRId64, text, i ? ", " : "", group->of[i].run);
        m->table->failed |= !text;
        return pxr_text_cell(m->table, text);
}

static void measured(struct making *m, const struct pxr_paper_row *row, const struct group *group,
                     struct pxr_cell *cell)
{
        int decimals = m->paper->unit == PXR_BITS ? 3 : 2;
        double nats = group->nats, error = 0, train = 0, epochs = 0, seconds = 0;

        for (int i = 0; i < group->count; i++) {
                error += group->of[i].error / group->count;
                train += group->of[i].train / group->count;
                epochs += group->of[i].epoch / group->count;
                seconds += group->of[i].seconds / group->count;
        }
        cell[OURS] = pxr_real_cell(told(m, group->of, nats), decimals);
        cell[STANDARD_ERROR] = pxr_real_cell(told(m, group->of, error), decimals);
        cell[DEVIATION] = pxr_real_cell(told(m, group->of, group->deviation), decimals);
        cell[SEEDS] = pxr_integer_cell(group->count);
        cell[DIFFERENCE] = pxr_real_cell(told(m, group->of, nats) - row->value, decimals);
        cell[DIFFERENCE].sign = true;
        cell[OURS_TRAIN] = pxr_real_cell(told(m, group->of, train), decimals);
        cell[RUN] = run_numbers(m, group);
        cell[EPOCHS] = pxr_real_cell(epochs, fabs(epochs - rint(epochs)) < 1e-9 ? 0 : 1);
        cell[PARAMETERS] = pxr_integer_cell(group->of->parameters);
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

/* How many seeds of a group's spec are not in its mean: their NLL cannot stand in the table. */
static int seeds_left_out(const struct making *m, const struct group *group)
{
        const struct candidate *dropped = m->candidate + m->count;
        int count = 0;

        for (size_t i = 0; i < m->dropped; i++) {
                bool counted = !same_spec(group->of, &dropped[i]);

                for (int k = 0; k < group->count && !counted; k++)
                        counted = group->of[k].seed == dropped[i].seed;
                for (size_t k = 0; k < i && !counted; k++)
                        counted = same_spec(&dropped[k], &dropped[i]) &&
                                  dropped[k].seed == dropped[i].seed;
                count += !counted;
        }
        return count;
}

/* How many seeds there are, and which are missing; "" for one alone. NULL when memory is out. */
static char *seed_words(struct making *m, const struct group *group)
{
        int missing = seeds_left_out(m, group);
        char *words = pxr_strdup(m->arena, "");

        if (group->count > 1)
                words = pxr_strf(m->arena, "Mean and deviation of %d seeds. ", group->count);
        if (words && missing > 0)
                words = pxr_strf(m->arena,
                                 "%sWithout %d more of its seeds, whose NLL cannot be shown. ",
                                 words, missing);
        return words;
}

/* Where the NLL shown is the lowest of the run's own evaluations. NULL when memory is out. */
static char *early_words(struct making *m, const struct pxr_departures *found)
{
        if (m->paper->split != PXR_VALID || !found->patience)
                return pxr_strdup(m->arena, "");
        return pxr_strf(m->arena,
                        "The validation NLL shown is the lowest of the run's evaluations "
                        "(train.patience %s), which flatters it. ",
                        found->patience);
}

/* `chosen` says by what it was chosen among several, where that is by the NLL shown; else "". */
static void footnote(struct making *m, const struct pxr_paper_row *row, const struct group *group,
                     const struct pxr_departures *found, const char *chosen, struct pxr_cell *cell)
{
        const char *departures = pxr_remarks(m->arena, found->departure);
        const char *choices = pxr_remarks(m->arena, found->choice), *mark = next_mark(m);
        const char *transforms = group->of->transforms;
        char *seeds = seed_words(m, group), *early = early_words(m, found);

        if (seeds)
                seeds = early ? pxr_strf(m->arena, "%s%s%s", seeds, chosen, early) : NULL;
        if (!departures || !choices || !mark || !seeds) {
                m->table->failed = true;
                return;
        }
        cell[MODEL].mark = mark;
        if (!row->model->first)
                pxr_table_note(m->table, mark, "%sThe paper does not describe this row's model.",
                               seeds);
        else
                pxr_table_note(m->table, mark, "%s%s%s.%s%s.%s%s%s", seeds,
                               *departures ? "Departs from the paper: "
                                           : "Departs in nothing that the paper says",
                               departures, *choices ? " Where the paper is silent: " : "",
                               *choices ? choices : " Nothing is left open",
                               transforms && *transforms ? " Data: " : "",
                               transforms ? transforms : "", transforms && *transforms ? "." : "");
}

/* The spec of a group's first run, compared with the row. Returns 0 or -1. */
static int compare(struct making *m, const struct pxr_paper_row *row, const struct group *group,
                   struct pxr_departures *found)
{
        struct pxr_cursor rows =
                pxr_query(m->store, m->arena, m->diag, "SELECT spec FROM run WHERE id = ?", "i",
                          group->of->run);
        const struct pxr_yaml *spec = NULL;
        const char *text = NULL;

        if (pxr_cursor_next(&rows))
                text = pxr_cursor_text(&rows, 0);
        if (pxr_cursor_end(&rows))
                return -1;
        if (text)
                spec = pxr_spec_recorded(m->arena, text, NULL);
        *found = (struct pxr_departures) { 0 };
        if (spec)
                return pxr_departures(m->arena, row, spec, found, m->diag);
        found->other = pxr_alloc(m->arena, sizeof(*found->other));
        if (!found->other)
                return pxr_out_of_memory(m->diag);
        found->other->text = "its spec cannot be read";
        return 0;
}

/* Say what a group is that is another model than the row's. Returns 0 or -1. */
static int leave_out_other(struct making *m, const struct group *group,
                           const struct pxr_departures *found)
{
        const char *others = pxr_remarks(m->arena, found->other);

        if (others)
                others = pxr_strf(m->arena, "another model than the row's: %s", others);
        if (!others)
                return pxr_out_of_memory(m->diag);
        leave_out(m, group->of, others);
        return 0;
}

/* Was the first of these groups of a row's model chosen by the NLL that is shown? It was if there
 * is another that it could have been, and nothing else to tell them apart by. Those that could not
 * be chosen for want of a validation NLL are said to be left out. Returns 0 or -1. */
static int judge_choice(struct making *m, const struct pxr_paper_row *row,
                        const struct group *group, size_t count, const char **chosen)
{
        bool by_shown = m->paper->split == PXR_VALID || isnan(group->valid);
        struct pxr_departures found;

        *chosen = "";
        for (size_t i = 1; i < count; i++) {
                bool passed_over = isnan(group[i].valid) && !isnan(group->valid);

                if (!by_shown && !passed_over)
                        continue;
                if (compare(m, row, &group[i], &found))
                        return -1;
                if (found.other)
                        continue;
                if (passed_over)
                        leave_out(m, group[i].of,
                                  "it has no validation NLL to choose it by, as others of the row");
                else if (m->paper->split == PXR_VALID)
                        *chosen = "Chosen among several specs by the validation NLL that is shown, "
                                  "which flatters it. ";
                else
                        *chosen = "Chosen among several specs by its test NLL, as none has a "
                                  "validation NLL: that flatters it. ";
                if (!passed_over)
                        by_shown = false; /* one is enough */
        }
        return 0;
}

static int make_row(struct making *m, const struct pxr_paper_row *row, struct group *group)
{
        struct pxr_cell *cell = pxr_table_row(m->table);
        size_t count = row_groups(m, row, group);
        const char *chosen;

        published(m, row, cell);
        for (size_t i = 0; i < count; i++) {
                struct pxr_departures found;

                if (compare(m, row, &group[i], &found))
                        return -1;
                if (found.other) {
                        if (leave_out_other(m, &group[i], &found))
                                return -1;
                        continue;
                }
                if (judge_choice(m, row, &group[i], count - i, &chosen))
                        return -1;
                measured(m, row, &group[i], cell);
                footnote(m, row, &group[i], &found, chosen, cell);
                return 0;
        }
        return 0;
}

static int make_rows(struct making *m)
{
        struct group *group = pxr_alloc_array(m->arena, m->count + 1, sizeof(*group));

        if (!group)
                return pxr_out_of_memory(m->diag);
        if (m->count > 1)
                qsort(m->candidate, m->count, sizeof(*m->candidate), by_spec);
        for (const struct pxr_paper_row *row = m->paper->row; row; row = row->next)
                if (make_row(m, row, group))
                        return -1;
        return 0;
}

struct pxr_table *pxr_report_paper_table(struct pxr_arena *arena, struct pxr_store *store,
                                         const struct pxr_paper_table *paper, struct pxr_diag *diag)
{
        struct making m = { .arena = arena, .store = store, .paper = paper, .diag = diag };
        char *title = pxr_strf(arena, "Table %d: %s, %s, %s", (int)paper->table, paper->title,
                               paper->split == PXR_VALID ? "validation" : "test",
                               paper->unit == PXR_BITS ? "bits per dimension" : "nats per image");
        char *name = pxr_strf(arena, "table%d", (int)paper->table);

        if (title && name)
                m.table = pxr_table_new(arena, name, title, columns, COLUMNS);
        if (!m.table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (read_candidates(&m) || sift(&m) || make_rows(&m))
                return NULL;
        if (m.left_out > MOST_LEFT_OUT)
                pxr_table_note(m.table, NULL, "Not shown either: %d more runs that name a row.",
                               m.left_out - MOST_LEFT_OUT);
        return pxr_table_finish(m.table, diag) ? NULL : m.table;
}
