/* SPDX-License-Identifier: MIT */
/* repeat.c - is a run the same as the one that it repeats, to the bit? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/png.h"
#include "report/report.h"
#include "record/cursor.h"

struct comparison {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_run *run, *old;
        struct pxr_diag *diag;
        char *same, *differs; /* lists of words */
};

/* Put words on a list that is separated by ";". */
static int say(struct comparison *c, char **list, const char *words)
{
        if (words)
                words = *list = pxr_strf(c->arena, "%s%s%s", *list, **list ? "; " : "", words);
        return words ? 0 : pxr_out_of_memory(c->diag);
}

/* What there is `all` of: how many are the same? Without any, nothing is said. */
static int say_count(struct comparison *c, const char *what, int64_t all, int64_t differ)
{
        int length = (int)strlen(what) - (all == 1); /* without the s */

        if (all == 0)
                return 0;
        if (differ == 0)
                return say(c, &c->same, pxr_strf(c->arena, "%" PRId64 " %.*s", all, length, what));
        return say(
                c, &c->differs,
                pxr_strf(c->arena, "%" PRId64 " of %" PRId64 " %.*s", differ, all, length, what));
}

static int compare_parameters(struct comparison *c)
{
        const char *a = c->old->parameter_hash, *b = c->run->parameter_hash;

        if (!a || !b)
                return 0;
        return say(c, strcmp(a, b) == 0 ? &c->same : &c->differs, "parameters");
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/* How many numbers of a kind the old run has, and to how many of them the new one has another or
 * none. What a clock measured is no result. */
#define COUNT(which)                                                                              \
        "SELECT count(*), count(*) - count(new.run) FROM metric AS old LEFT JOIN metric AS new "  \
        "ON new.run = ?2 AND new.name = old.name AND new.split = old.split AND new.step = "       \
        "old.step AND new.value IS old.value AND new.sum_nats IS old.sum_nats AND "               \
        "new.sum_squares IS old.sum_squares AND new.images IS old.images WHERE old.run = ?1 AND " \
        "old.name NOT IN ('images_per_second', 'data_wait_share') AND " which

static int compare_numbers(struct comparison *c, const char *what, const char *sql)
{
        struct pxr_cursor rows =
                pxr_query(c->store, c->arena, c->diag, sql, "ii", c->old->id, c->run->id);
        int64_t all = 0, differ = 0;

        if (pxr_cursor_next(&rows)) {
                all = pxr_cursor_integer(&rows, 0);
                differ = pxr_cursor_integer(&rows, 1);
        }
        return pxr_cursor_end(&rows) ? -1 : say_count(c, what, all, differ);
}

/* "test NLL 56.112, not 56.111 nats an image", with as many digits as show it. */
static char *nll_words(struct comparison *c, const char *split, double new, double old)
{
        char a[32], b[32];

        for (int digits = 6; digits <= 17; digits++) {
                snprintf(a, sizeof(a), "%.*g", digits, new);
                snprintf(b, sizeof(b), "%.*g", digits, old);
                if (strcmp(a, b) != 0)
                        break;
        }
        return pxr_strf(c->arena, "%s NLL %s, not %s nats an image", split, a, b);
}

static int compare_results(struct comparison *c)
{
        struct pxr_cursor rows =
                pxr_query(c->store, c->arena, c->diag,
                          "SELECT old.split, new.sum_nats / new.images, old.sum_nats / old.images "
                          "FROM metric AS old JOIN metric AS new ON new.run = ?2 AND new.name = "
                          "old.name AND new.split = old.split WHERE old.run = ?1 AND old.name = "
                          "'final_nll' AND old.images > 0 AND new.images > 0 AND (new.sum_nats IS "
                          "NOT old.sum_nats OR new.images <> old.images) ORDER BY old.split",
                          "ii", c->old->id, c->run->id);
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *split = pxr_cursor_text(&rows, 0);

                if (split)
                        status = say(c, &c->differs,
                                     nll_words(c, split, pxr_cursor_real(&rows, 1),
                                               pxr_cursor_real(&rows, 2)));
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- pictures ----------------------------------------------------------------------------------
 */

/* Their texts differ, which name the run. */
static bool same_pixels(struct pxr_cursor *rows)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        const struct pxr_picture *a = NULL, *b = NULL;
        bool same;

        if (arena && sqlite3_column_type(rows->statement, 1) != SQLITE_NULL) {
                a = pxr_png_decode(arena, "", sqlite3_column_blob(rows->statement, 0),
                                   (size_t)sqlite3_column_bytes(rows->statement, 0), NULL);
                b = pxr_png_decode(arena, "", sqlite3_column_blob(rows->statement, 1),
                                   (size_t)sqlite3_column_bytes(rows->statement, 1), NULL);
        }
        same = a && b && a->rows == b->rows && a->cols == b->cols && a->colours == b->colours &&
               memcmp(a->pixels, b->pixels, (size_t)a->rows * a->cols * a->colours) == 0;
        pxr_arena_free(arena);
        return same;
}

static int compare_pictures(struct comparison *c)
{
        struct pxr_cursor rows = pxr_query(c->store, c->arena, c->diag,
                                           "SELECT old.png, new.png FROM sample AS old LEFT JOIN "
                                           "sample AS new ON new.run = ?2 AND new.kind = old.kind "
                                           "AND new.step = old.step AND new.seed = old.seed WHERE "
                                           "old.run = ?1",
                                           "ii", c->old->id, c->run->id);
        int64_t all = 0, differ = 0;

        while (pxr_cursor_next(&rows)) {
                all++;
                differ += !same_pixels(&rows);
        }
        return pxr_cursor_end(&rows) ? -1 : say_count(c, "pictures", all, differ);
}

/* --- the verdict -------------------------------------------------------------------------------
 */

static bool has_part(const char *list, const char *part, size_t length, const char *between)
{
        for (const char *at = list; at; at = strstr(at, between)) {
                at += at == list ? 0 : strlen(between);
                if (strncmp(at, part, length) == 0 &&
                    (at[length] == '\0' || strncmp(at + length, between, strlen(between)) == 0))
                        return true;
        }
        return false;
}

/* Of a list, what another does not have; NULL when memory is out. */
static char *own_parts(struct pxr_arena *arena, const char *list, const char *other,
                       const char *between)
{
        char *own = pxr_strdup(arena, "");

        while (own && list) {
                const char *end = strstr(list, between);
                size_t length = end ? (size_t)(end - list) : strlen(list);

                if (!has_part(other, list, length, between))
                        own = pxr_strf(arena, "%s%s%.*s", own, *own ? between : "", (int)length,
                                       list);
                list = end ? end + strlen(between) : NULL;
        }
        return own;
}

/* Of long lists (libraries, plugins) leave only what differs. */
static int shorten(struct comparison *c, struct pxr_table *table)
{
        for (size_t i = 0; i < table->rows; i++) {
                struct pxr_cell *cell = &table->cell[i * 3];
                const char *between = strcmp(cell->text, "plugins") == 0 ? ", " : "; ";
                const char *old = cell[1].text, *new = cell[2].text;

                if (cell[1].kind != PXR_CELL_TEXT || cell[2].kind != PXR_CELL_TEXT)
                        continue;
                cell[1].text = own_parts(c->arena, old, new, between);
                cell[2].text = own_parts(c->arena, new, old, between);
                if (!cell[1].text || !cell[2].text)
                        return pxr_out_of_memory(c->diag);
        }
        return 0;
}

/* In what the two were made under different circumstances. */
static const struct pxr_table *circumstances(struct comparison *c)
{
        struct pxr_table *table = NULL;
        const char *which[] = { pxr_strf(c->arena, "%" PRId64, c->old->id),
                                pxr_strf(c->arena, "%" PRId64, c->run->id) };

        if (which[0] && which[1])
                table = pxr_report_compare(c->arena, c->store, which, 2, "circumstances", false,
                                           c->diag);
        else
                pxr_out_of_memory(c->diag);
        return table && !shorten(c, table) ? table : NULL;
}

static int give_verdict(struct comparison *c, struct pxr_repetition *verdict)
{
        bool whole = strcmp(c->old->status, "finished") == 0;

        verdict->same = !*c->differs && *c->same;
        if (verdict->same)
                verdict->words = pxr_strf(c->arena, "the same to the bit as run %" PRId64 "%s: %s",
                                          c->old->id, whole ? "" : ", as far as that got", c->same);
        else if (!*c->same && !*c->differs)
                verdict->words = pxr_strf(
                        c->arena, "run %" PRId64 " has no result to compare with: it is '%s'",
                        c->old->id, c->old->status);
        else
                verdict->words =
                        pxr_strf(c->arena, "differs from run %" PRId64 ": %s%s%s", c->old->id,
                                 c->differs, *c->same ? "; the same are: " : "", c->same);
        if (!verdict->words)
                return pxr_out_of_memory(c->diag);
        verdict->circumstances = *c->differs ? circumstances(c) : NULL;
        return *c->differs && !verdict->circumstances ? -1 : 0;
}

int pxr_report_repetition(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                          const char *of, struct pxr_repetition *verdict, struct pxr_diag *diag)
{
        struct comparison c = { .arena = arena,
                                .store = store,
                                .run = pxr_store_find_run(store, arena, which, diag),
                                .diag = diag,
                                .same = pxr_strdup(arena, ""),
                                .differs = pxr_strdup(arena, "") };

        c.old = c.run ? pxr_store_find_run(store, arena, of, diag) : NULL;
        if (!c.old)
                return -1;
        if (!c.same || !c.differs)
                return pxr_out_of_memory(diag);
        verdict->of = c.old->id;
        if (compare_parameters(&c) || compare_results(&c) ||
            compare_numbers(&c, "NLLs", COUNT("old.images > 0")) ||
            compare_numbers(&c, "other measures", COUNT("old.images IS NULL")) ||
            compare_pictures(&c))
                return -1;
        return give_verdict(&c, verdict);
}
