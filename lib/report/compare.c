/* SPDX-License-Identifier: MIT */
/* compare.c - what differs between runs. */
#define _GNU_SOURCE /* strverscmp() */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"
#include "record/cursor.h"
#include "config/recipe.h"
#include "record/run_state.h"

static const char *const names[] = { "spec", "results", "circumstances", "curve", NULL };

struct comparison {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        const struct pxr_run **run;
        size_t count;
        struct pxr_column *column; /* what it is, then one a run */
};

static struct pxr_table *new_table(struct comparison *c, const char *name, const char *title)
{
        struct pxr_table *table =
                pxr_table_new(c->arena, name, title, c->column, (int)c->count + 1);

        if (!table)
                pxr_out_of_memory(c->diag);
        return table;
}

/* --- specs -------------------------------------------------------------------------------------
 */

struct value {
        const char *path, *text;
        size_t run;
};

struct values {
        struct value *value;
        size_t count, room;
};

static int add_value(struct comparison *c, struct values *values, const char *path,
                     const char *text, size_t run)
{
        size_t room = values->room ? 2 * values->room : 256;

        if (values->count == values->room) {
                struct value *more = pxr_alloc_array(c->arena, room, sizeof(*more));

                if (!more)
                        return pxr_out_of_memory(c->diag);
                if (values->count > 0)
                        memcpy(more, values->value, values->count * sizeof(*more));
                values->value = more;
                values->room = room;
        }
        values->value[values->count++] = (struct value) { path, text, run };
        return 0;
}

static int add_tree(struct comparison *c, struct values *values, const struct pxr_yaml *node,
                    const char *path, size_t run)
{
        int number = 0;

        if (node->kind == PXR_YAML_SCALAR)
                return add_value(c, values, path, node->text, run);
        if (!node->first)
                return add_value(c, values, path, "(there)", run);
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                const char *dot = *path ? "." : "";
                char *inner = child->key ? pxr_strf(c->arena, "%s%s%s", path, dot, child->key)
                                         : pxr_strf(c->arena, "%s%s%d", path, dot, number++);

                if (!inner)
                        return pxr_out_of_memory(c->diag);
                if (add_tree(c, values, child, inner, run))
                        return -1;
        }
        return 0;
}

static int by_path(const void *left, const void *right)
{
        const struct value *a = left, *b = right;
        int order = strverscmp(a->path, b->path);

        return order ? order : (a->run > b->run) - (a->run < b->run);
}

/* Do all runs have the value at `first`, and the same? */
static bool all_same(const struct comparison *c, const struct value *first, size_t count)
{
        for (size_t i = 1; i < count; i++)
                if (strcmp(first[i].text, first->text) != 0)
                        return false;
        return count == c->count;
}

static struct pxr_table *compare_specs(struct comparison *c)
{
        struct pxr_table *table = new_table(c, "spec", "In what the specs differ");
        struct values values = { 0 };
        size_t alike;

        for (size_t i = 0; table && i < c->count; i++) {
                const struct pxr_yaml *root = pxr_spec_recorded(c->arena, c->run[i]->spec, c->diag);

                if (!root || add_tree(c, &values, root, "", i))
                        return NULL;
        }
        if (!table)
                return NULL;
        if (values.count > 1)
                qsort(values.value, values.count, sizeof(*values.value), by_path);
        for (size_t i = 0; i < values.count; i += alike) {
                struct pxr_cell *cell;

                for (alike = 1; i + alike < values.count &&
                                strcmp(values.value[i + alike].path, values.value[i].path) == 0;)
                        alike++;
                if (all_same(c, &values.value[i], alike))
                        continue;
                cell = pxr_table_row(table);
                cell[0] = pxr_text_cell(table, values.value[i].path);
                for (size_t k = i; k < i + alike; k++)
                        cell[1 + values.value[k].run] = pxr_text_cell(table, values.value[k].text);
        }
        if (table->rows == 0)
                pxr_table_note(table, NULL, "The specs are the same.");
        return pxr_table_finish(table, c->diag) ? NULL : table;
}

/* --- results and circumstances -----------------------------------------------------------------
 */

/* A row: what a query gives for each run. */
struct row {
        const char *what, *sql;
        int decimals;
        bool duration, difference;
};

#define FINAL(what, split) \
        "SELECT " what " FROM nll WHERE run = ?1 AND name = 'final_nll' AND split = '" split "'"
#define OF_RUN(what) "SELECT " what " FROM run WHERE id = ?1"

static const struct row results[] = {
        { "name", OF_RUN("name"), 0, false, false },
        { "status", OF_RUN(PXR_RUN_STATE), 0, false, false },
        { "test, nats/image", FINAL("nats_per_image", "test"), 3, false, true },
        { "test, bits/dim", FINAL("bits_per_dimension", "test"), 4, false, true },
        { "test, standard error, nats", FINAL("standard_error", "test"), 3, false, false },
        { "validation, nats/image", FINAL("nats_per_image", "valid"), 3, false, true },
        { "validation, bits/dim", FINAL("bits_per_dimension", "valid"), 4, false, true },
        { "validation, standard error, nats", FINAL("standard_error", "valid"), 3, false, false },
        { "train, nats/image", FINAL("nats_per_image", "train"), 3, false, true },
        { "suspect",
          "SELECT group_concat(split || ': ' || suspect, '; ') FROM nll WHERE run = ?1 AND name = "
          "'final_nll' AND suspect IS NOT NULL",
          0, false, false },
        { "epochs", "SELECT epochs FROM run_summary WHERE run = ?1", 1, false, false },
        { "parameters", OF_RUN("parameters"), 0, false, false },
        { "multiply-adds an image",
          "SELECT CAST(sum(multiply_adds) AS INTEGER) FROM layer WHERE run = ?1 AND kind NOT IN "
          "('repeat', "
          "'residual', 'skip_connections', 'multi_scale')",
          0, false, false },
        { "wall time", OF_RUN("wall_seconds"), 0, true, false },
};

static const struct row circumstances[] = {
        { "data set", OF_RUN("data_set"), 0, false, false },
        { "data identity", OF_RUN("substr(data_identity, 1, 16)"), 0, false, false },
        { "data transforms", OF_RUN("data_transforms"), 0, false, false },
        { "images given", OF_RUN("given"), 0, false, false },
        { "program", OF_RUN("program_version"), 0, false, false },
        { "program revision", OF_RUN("program_revision"), 0, false, false },
        { "git revision of the spec", OF_RUN("git_revision"), 0, false, false },
        { "uncommitted changes",
          OF_RUN("CASE WHEN git_revision IS NULL THEN NULL "
                 "WHEN git_difference IS NULL THEN 'not known' WHEN git_difference = '' THEN "
                 "'none' "
                 "ELSE length(CAST(git_difference AS BLOB)) || ' bytes (show --part difference)' "
                 "END"),
          0, false, false },
        { "host", OF_RUN("host"), 0, false, false },
        { "processor", OF_RUN("processor"), 0, false, false },
        { "instruction set", OF_RUN("instruction_set"), 0, false, false },
        { "libraries", OF_RUN("libraries"), 0, false, false },
        { "plugins",
          "SELECT group_concat(name || ' ' || version || ' ' || substr(sha256, 1, 8), ', ') FROM "
          "(SELECT * FROM plugin WHERE run = ?1 ORDER BY name)",
          0, false, false },
        { "nats of a fixed image", OF_RUN("round(fingerprint_nll, 6)"), 6, false, false },
        { "its gradients, summed", OF_RUN("round(fingerprint_gradient, 4)"), 4, false, false },
        { "its first pixels, in floats", OF_RUN("round(fingerprint_single, 2)"), 2, false, false },
        { "threads", OF_RUN("threads"), 0, false, false },
        { "gone on with, times", OF_RUN("taken"), 0, false, false },
};

static int ask(struct comparison *c, struct pxr_table *table, const struct row *row, int64_t run,
               struct pxr_cell *cell)
{
        struct pxr_cursor rows = pxr_query(c->store, c->arena, c->diag, row->sql, "i", run);

        if (pxr_cursor_next(&rows)) {
                int type = sqlite3_column_type(rows.statement, 0);

                if (type == SQLITE_TEXT)
                        *cell = pxr_text_cell(table, pxr_cursor_text(&rows, 0));
                else if (type == SQLITE_INTEGER)
                        *cell = pxr_integer_cell(pxr_cursor_integer(&rows, 0));
                else if (type != SQLITE_NULL && row->duration)
                        *cell = pxr_duration_cell(pxr_cursor_real(&rows, 0));
                else if (type != SQLITE_NULL)
                        *cell = pxr_real_cell(pxr_cursor_real(&rows, 0), row->decimals);
        }
        return pxr_cursor_end(&rows);
}

static bool same_cell(const struct pxr_cell *a, const struct pxr_cell *b)
{
        if (a->kind != b->kind)
                return false;
        if (a->kind == PXR_CELL_TEXT)
                return strcmp(a->text, b->text) == 0;
        return a->integer == b->integer && a->real == b->real;
}

/* Below an NLL, how far each is from the first. */
static void add_difference(struct comparison *c, struct pxr_table *table, const struct row *row)
{
        size_t last = table->rows - 1, columns = c->count + 1;
        char *what = pxr_strf(c->arena, "  minus that of run %lld", (long long)c->run[0]->id);
        struct pxr_cell *cell = pxr_table_row(table), *nll;

        if (!what || table->failed) {
                table->failed = true;
                return;
        }
        nll = table->cell + last * columns;
        cell[0] = pxr_text_cell(table, what);
        for (size_t i = 2; i < columns; i++)
                if (nll[1].kind == PXR_CELL_REAL && nll[i].kind == PXR_CELL_REAL) {
                        cell[i] = pxr_real_cell(nll[i].real - nll[1].real, row->decimals);
                        cell[i].sign = true;
                }
}

/* `all` false: only what is not the same for all. */
static int add_rows(struct comparison *c, struct pxr_table *table, const struct row *row,
                    size_t rows, bool all)
{
        struct pxr_cell *found = pxr_alloc_array(c->arena, c->count, sizeof(*found)), *cell;

        if (!found)
                return pxr_out_of_memory(c->diag);
        for (; rows > 0; rows--, row++) {
                bool same = true, empty = true;

                for (size_t i = 0; i < c->count; i++) {
                        found[i] = (struct pxr_cell) { 0 };
                        if (ask(c, table, row, c->run[i]->id, &found[i]))
                                return -1;
                        same = same && same_cell(&found[i], &found[0]);
                        empty = empty && found[i].kind == PXR_CELL_EMPTY;
                }
                if (empty || (same && !all))
                        continue;
                cell = pxr_table_row(table);
                cell[0] = pxr_text_cell(table, row->what);
                memcpy(cell + 1, found, c->count * sizeof(*found));
                if (row->difference)
                        add_difference(c, table, row);
        }
        return 0;
}

static struct pxr_table *compare_results(struct comparison *c)
{
        struct pxr_table *table = new_table(c, "results", "Results");

        if (!table || add_rows(c, table, results, PXR_COUNT(results), true))
                return NULL;
        for (size_t i = 1; i < c->count; i++)
                if (strcmp(c->run[i]->data_identity, c->run[0]->data_identity) != 0) {
                        pxr_table_note(table, NULL,
                                       "Not all runs have the same data: their NLLs cannot be "
                                       "compared.");
                        break;
                }
        return pxr_table_finish(table, c->diag) ? NULL : table;
}

static struct pxr_table *compare_circumstances(struct comparison *c)
{
        struct pxr_table *table = new_table(c, "circumstances", "In what their making differs");

        if (!table || add_rows(c, table, circumstances, PXR_COUNT(circumstances), false))
                return NULL;
        if (table->rows == 0)
                pxr_table_note(table, NULL, "In nothing that is on record.");
        return pxr_table_finish(table, c->diag) ? NULL : table;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int find_runs(struct comparison *c, const char *const *which)
{
        c->run = pxr_alloc_array(c->arena, c->count, sizeof(*c->run));
        c->column = pxr_alloc_array(c->arena, c->count + 1, sizeof(*c->column));
        if (!c->run || !c->column)
                return pxr_out_of_memory(c->diag);
        c->column[0] = (struct pxr_column) { "what", "", PXR_IF_FILLED };
        for (size_t i = 0; i < c->count; i++) {
                const struct pxr_run *run;

                run = c->run[i] = pxr_store_find_run(c->store, c->arena, which[i], c->diag);
                if (!run)
                        return -1;
                c->column[i + 1].name = pxr_strf(c->arena, "run_%lld", (long long)run->id);
                c->column[i + 1].heading = pxr_strf(c->arena, "Run %lld", (long long)run->id);
                if (!c->column[i + 1].name || !c->column[i + 1].heading)
                        return pxr_out_of_memory(c->diag);
                for (size_t k = 0; k < i; k++)
                        if (c->run[k]->id == run->id)
                                return pxr_user_error(c->diag, "run %lld is named twice",
                                                      (long long)run->id);
        }
        return 0;
}

static bool wanted(const char *part, const char *name)
{
        return !part || strcmp(part, name) == 0;
}

struct pxr_table *pxr_report_compare(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *const *which, size_t count, const char *part,
                                     bool all_steps, struct pxr_diag *diag)
{
        struct comparison c = { arena, store, diag, NULL, count, NULL };
        struct pxr_table_list list = { 0 };
        const struct pxr_run *const *run;

        if (count > 32) { /* more columns than anybody reads */
                pxr_user_error(diag, "32 runs at most can be compared");
                return NULL;
        }
        if (pxr_check_part(part, names, diag) || find_runs(&c, which))
                return NULL;
        run = (const struct pxr_run *const *)c.run;
        if ((wanted(part, "spec") && pxr_table_append(&list, compare_specs(&c))) ||
            (wanted(part, "results") && pxr_table_append(&list, compare_results(&c))) ||
            (wanted(part, "circumstances") && pxr_table_append(&list, compare_circumstances(&c))) ||
            (wanted(part, "curve") &&
             pxr_table_append(&list, all_steps ? pxr_points_table(arena, store, run, count, diag)
                                               : pxr_lines_table(arena, store, run, count, diag))))
                return NULL;
        return list.first;
}
