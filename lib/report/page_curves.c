/* SPDX-License-Identifier: MIT */
/* page_curves.c - the metrics of several runs as JSON, for the page's plot of their curves. */
#include "report/page_curves.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/cursor.h"
#include "report/html.h"
#include "train/evaluate.h"

/* All values in a page: more runs get fewer points each. */
enum { ALL_POINTS = 60000, MOST_POINTS = 300, LEAST_POINTS = 30, USUAL_SERIES = 6 };

/* The points of each series, and how many it has. */
static const char sql[] =
        "SELECT name, split, step, epoch, value, sum_nats / images, dimensions, points FROM ("
        "SELECT name, split, count(*) AS points FROM metric "
        "WHERE run = ?1 AND name NOT IN ('final_nll', 'order_digest') GROUP BY name, split) AS "
        "series CROSS JOIN metric USING (name, split) WHERE run = ?1 ORDER BY name, split, step";
enum { NAME, SPLIT, STEP, EPOCH, VALUE, NATS, DIMENSIONS, POINTS };

static void put_number(FILE *to, double value, int digits)
{
        if (isfinite(value))
                fprintf(to, "%.*g", digits, value);
        else
                fputs("null", to);
}

/* A point in the unit of its run: [step, epoch, value]. */
static void put_point(FILE *to, struct pxr_cursor *rows, int colours)
{
        int64_t dimensions = pxr_cursor_integer(rows, DIMENSIONS);
        double value = pxr_cursor_real(rows, VALUE);

        if (!pxr_cursor_is_null(rows, NATS)) {
                value = pxr_cursor_real(rows, NATS);
                if (pxr_reported_in_bits(dimensions, colours))
                        value /= M_LN2 * (double)dimensions;
        }
        fprintf(to, "[%" PRId64 ",", pxr_cursor_integer(rows, STEP));
        put_number(to, pxr_cursor_real(rows, EPOCH), 6);
        putc(',', to);
        put_number(to, value, 6);
        putc(']', to);
}

/* Of more points than there is room for, the last of each stretch; the first is number 1. */
static bool is_chosen(int64_t number, int64_t points, int64_t most)
{
        return points <= most || number * most / points > (number - 1) * most / points;
}

/* What a sweep varied: "rate=0.1", with whole keys where several end alike. */
#define VARIED                                                                                     \
        "(WITH part AS (SELECT key, value, substr(key, length(rtrim(key, replace(key, '.', ''))) " \
        "+ 1) AS last FROM json_each((SELECT varied FROM job WHERE job.run = ?1 ORDER BY id "      \
        "LIMIT 1))) SELECT group_concat(iif((SELECT count(*) FROM part AS other WHERE "            \
        "other.last = part.last) > 1, key, last) || '=' || value, ' ') FROM part)"

/* Its batch, how many training images there are (known after an epoch), and what a sweep varied. */
static int put_spec(FILE *to, struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                    struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag,
                          "SELECT iif(json_valid(spec_json), spec_json ->> '$.train.batch', NULL), "
                          "(SELECT max(images) FROM metric WHERE run = ?1 AND name = 'nll' AND "
                          "split = 'train'), " VARIED " FROM run WHERE id = ?1",
                          "i", run);

        if (pxr_cursor_next(&rows)) {
                fputs(",\"batch\":", to);
                put_number(to, pxr_cursor_real(&rows, 0), 17);
                fputs(",\"train_images\":", to);
                put_number(to, pxr_cursor_real(&rows, 1), 17);
                fputs(",\"varied\":", to);
                pxr_html_json_text(to, pxr_cursor_text(&rows, 2));
        }
        return pxr_cursor_end(&rows);
}

static int put_series(FILE *to, struct pxr_store *store, struct pxr_arena *arena,
                      const struct pxr_run *run, int64_t most, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, sql, "i", run->id);
        const char *name = NULL, *split = NULL;
        int64_t number = 0;
        bool first = false;

        while (pxr_cursor_next(&rows)) {
                if (!name || strcmp(name, pxr_cursor_text(&rows, NAME)) != 0 ||
                    strcmp(split, pxr_cursor_text(&rows, SPLIT)) != 0) {
                        fputs(name ? "]},{\"name\":" : "{\"name\":", to);
                        name = pxr_cursor_text(&rows, NAME);
                        split = pxr_cursor_text(&rows, SPLIT);
                        pxr_html_json_text(to, name);
                        fputs(",\"split\":", to);
                        pxr_html_json_text(to, split);
                        fputs(",\"points\":[", to);
                        number = 0;
                        first = true;
                }
                if (!is_chosen(++number, pxr_cursor_integer(&rows, POINTS), most))
                        continue;
                if (!first)
                        putc(',', to);
                first = false;
                put_point(to, &rows, run->image_colours);
        }
        if (name)
                fputs("]}", to);
        return pxr_cursor_end(&rows);
}

static int put_run(FILE *to, struct pxr_store *store, int64_t id, int64_t most,
                   struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        const struct pxr_run *run =
                arena ? pxr_store_find_run(store, arena, pxr_strf(arena, "%" PRId64, id), diag)
                      : NULL;
        int64_t dimensions =
                run ? (int64_t)run->image_rows * run->image_cols * run->image_colours : 0;
        int status = -1;

        if (run) {
                fprintf(to, "{\"run\":%" PRId64 ",\"name\":", run->id);
                pxr_html_json_text(to, run->name);
                fprintf(to, ",\"unit\":\"%s\"",
                        pxr_reported_in_bits(dimensions, run->image_colours) ? "bits/dim"
                                                                             : "nats/image");
                status = put_spec(to, store, arena, run->id, diag);
                fputs(",\"series\":[", to);
                status = put_series(to, store, arena, run, most, diag) ? -1 : status;
                fputs("]}", to);
        }
        pxr_arena_free(arena);
        return status;
}

int pxr_page_curves(FILE *to, struct pxr_store *store, const int64_t *run, size_t count,
                    struct pxr_diag *diag)
{
        int64_t most = count ? ALL_POINTS / (USUAL_SERIES * (int64_t)count) : 0;

        most = most > MOST_POINTS ? MOST_POINTS : most < LEAST_POINTS ? LEAST_POINTS : most;
        pxr_html(to, "<section id=\"curves\" hidden><h2>Curves</h2>\n"
                     "<script type=\"application/json\" id=\"curve-data\">[");
        for (size_t i = 0; i < count; i++) {
                if (i)
                        fputs(",\n", to);
                if (put_run(to, store, run[i], most, diag))
                        return -1;
        }
        pxr_html(to, "]</script></section>\n");
        return 0;
}
