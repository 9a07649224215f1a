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
        const char *same, *differs; /* lists, separated by "; " */
};

static void add(struct comparison *c, bool same, const char *text)
{
        const char **list = same ? &c->same : &c->differs;

        *list = pxr_strf(c->arena, "%s%s%s", *list, **list ? "; " : "", text);
}

/* Of `all` things, how many differ. */
static void add_count(struct comparison *c, const char *what, int64_t all, int64_t differ)
{
        int length = (int)strlen(what) - (all == 1); /* without the s */

        if (all > 0 && differ == 0)
                add(c, true, pxr_strf(c->arena, "%" PRId64 " %.*s", all, length, what));
        else if (all > 0)
                add(c, false,
                    pxr_strf(c->arena, "%" PRId64 " of %" PRId64 " %.*s", differ, all, length,
                             what));
}

static struct pxr_cursor query(struct comparison *c, const char *sql)
{
        return pxr_query(c->store, c->arena, c->diag, sql, "ii", c->old->id, c->run->id);
}

/* Numbers of the old run, and those that the new one does not have, by kind. What a clock measured
 * is left out. */
static int compare_numbers(struct comparison *c)
{
        struct pxr_cursor rows =
                query(c, "SELECT iif(old.images IS NULL, 'other measures', 'NLLs') AS what, "
                         "count(*), count(*) - count(new.run) "
                         "FROM metric AS old LEFT JOIN metric AS new ON new.run = ?2 "
                         "AND new.name = old.name AND new.split = old.split "
                         "AND new.step = old.step AND new.value IS old.value "
                         "AND new.sum_nats IS old.sum_nats "
                         "AND new.sum_squares IS old.sum_squares AND new.images IS old.images "
                         "WHERE old.run = ?1 "
                         "AND old.name NOT IN ('images_per_second', 'data_wait_share') "
                         "GROUP BY what ORDER BY what");

        while (pxr_cursor_next(&rows))
                add_count(c, pxr_cursor_text(&rows, 0), pxr_cursor_integer(&rows, 1),
                          pxr_cursor_integer(&rows, 2));
        return pxr_cursor_end(&rows);
}

/* Results that differ: "test NLL 56.112, not 56.111 nats an image", with the digits it takes. */
static int compare_results(struct comparison *c)
{
        struct pxr_cursor rows =
                query(c, "SELECT old.split, new.sum_nats / new.images, old.sum_nats / old.images "
                         "FROM metric AS old JOIN metric AS new ON new.run = ?2 "
                         "AND new.name = old.name AND new.split = old.split "
                         "WHERE old.run = ?1 AND old.name = 'final_nll' "
                         "AND old.images > 0 AND new.images > 0 "
                         "AND (new.sum_nats IS NOT old.sum_nats OR new.images <> old.images) "
                         "ORDER BY old.split");

        while (pxr_cursor_next(&rows)) {
                char new[32], old[32];

                for (int digits = 6; digits <= 17; digits++) {
                        snprintf(new, sizeof(new), "%.*g", digits, pxr_cursor_real(&rows, 1));
                        snprintf(old, sizeof(old), "%.*g", digits, pxr_cursor_real(&rows, 2));
                        if (strcmp(new, old) != 0)
                                break;
                }
                add(c, false,
                    pxr_strf(c->arena, "%s NLL %s, not %s nats an image", pxr_cursor_text(&rows, 0),
                             new, old));
        }
        return pxr_cursor_end(&rows);
}

/* --- pictures ----------------------------------------------------------------------------------
 */

static const struct pxr_picture *decode(struct pxr_arena *arena, struct pxr_cursor *rows, int i)
{
        size_t size;
        const void *png = pxr_cursor_blob(rows, i, &size);

        return png ? pxr_png_decode(arena, "", png, size, NULL) : NULL;
}

/* Whether two pictures have the same pixels; their texts name the run, and so differ. */
static bool same_pixels(struct pxr_cursor *rows)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        const struct pxr_picture *a = decode(arena, rows, 0), *b = decode(arena, rows, 1);
        bool same = a && b && a->rows == b->rows && a->cols == b->cols &&
                    a->colours == b->colours &&
                    memcmp(a->pixels, b->pixels, (size_t)a->rows * a->cols * a->colours) == 0;

        pxr_arena_free(arena);
        return same;
}

static int compare_pictures(struct comparison *c)
{
        struct pxr_cursor rows =
                query(c, "SELECT old.png, new.png FROM sample AS old LEFT JOIN sample AS new "
                         "ON new.run = ?2 AND new.kind = old.kind AND new.step = old.step "
                         "AND new.seed = old.seed WHERE old.run = ?1");
        int64_t all = 0, differ = 0;

        for (; pxr_cursor_next(&rows); all++)
                differ += !same_pixels(&rows);
        add_count(c, "pictures", all, differ);
        return pxr_cursor_end(&rows);
}

/* --- the verdict -------------------------------------------------------------------------------
 */

/* What the two were made with that differs. */
static const struct pxr_table *circumstances(struct comparison *c)
{
        const char *which[] = { pxr_strf(c->arena, "%" PRId64, c->old->id),
                                pxr_strf(c->arena, "%" PRId64, c->run->id) };

        return pxr_report_compare(c->arena, c->store, which, 2, "circumstances", false, c->diag);
}

static int give_verdict(struct comparison *c, struct pxr_repetition *verdict)
{
        bool whole = strcmp(c->old->status, "finished") == 0;

        verdict->of = c->old->id;
        verdict->same = !*c->differs && *c->same;
        if (verdict->same)
                verdict->text = pxr_strf(c->arena, "the same to the bit as run %" PRId64 "%s: %s",
                                         c->old->id, whole ? "" : ", as far as that got", c->same);
        else if (!*c->differs)
                verdict->text = pxr_strf(
                        c->arena, "run %" PRId64 " has no result to compare with: it is '%s'",
                        c->old->id, c->old->status);
        else
                verdict->text =
                        pxr_strf(c->arena, "differs from run %" PRId64 ": %s%s%s", c->old->id,
                                 c->differs, *c->same ? "; the same are: " : "", c->same);
        verdict->circumstances = *c->differs ? circumstances(c) : NULL;
        return pxr_arena_failed(c->arena) || (*c->differs && !verdict->circumstances) ? -1 : 0;
}

int pxr_report_repetition(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                          const char *of, struct pxr_repetition *verdict, struct pxr_diag *diag)
{
        struct comparison c = {
                arena,        store,      pxr_store_find_run(store, arena, which, diag),
                .diag = diag, .same = "", .differs = ""
        };
        const char *a, *b;

        c.old = c.run ? pxr_store_find_run(store, arena, of, diag) : NULL;
        if (!c.old)
                return -1;
        a = c.old->parameter_hash;
        b = c.run->parameter_hash;
        if (a && b)
                add(&c, strcmp(a, b) == 0, "parameters");
        if (compare_results(&c) || compare_numbers(&c) || compare_pictures(&c))
                return -1;
        return give_verdict(&c, verdict);
}
