/* SPDX-License-Identifier: MIT */
/* pictures.c - the pictures of a run in an HTML page. */
#include "report/pictures.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "report/html.h"
#include "report/plot.h"
#include "record/cursor.h"
#include "sample/grid.h"

/* --- the gallery -------------------------------------------------------------------------------
 */

enum { MOST_ROWS = 10, MOST_COLUMNS = 10 };

/* Samples that were drawn at a step. */
struct drawn {
        int64_t id, step, seed, count;
        double epoch;
};

/* The steps of a run at which samples of the newest seed were drawn. */
struct series {
        struct drawn *list;
        size_t count, others; /* `others` are of another seed */
};

static int read_series(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                       struct series *series, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag,
                          "SELECT id, step, seed, count, epoch, "
                          "count(*) OVER (), seed = last_value(seed) OVER (ORDER BY "
                          "step, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED "
                          "FOLLOWING) FROM sample WHERE run = ? AND kind = 'samples' "
                          "ORDER BY step, id",
                          "i", run);

        *series = (struct series) { 0 };
        while (pxr_cursor_next(&rows)) {
                if (!series->list)
                        series->list = pxr_alloc_array(arena, (size_t)pxr_cursor_integer(&rows, 5),
                                                       sizeof(*series->list));
                if (!series->list)
                        break;
                if (!pxr_cursor_integer(&rows, 6)) {
                        series->others++;
                        continue;
                }
                series->list[series->count++] =
                        (struct drawn) { .id = pxr_cursor_integer(&rows, 0),
                                         .step = pxr_cursor_integer(&rows, 1),
                                         .seed = pxr_cursor_integer(&rows, 2),
                                         .count = pxr_cursor_integer(&rows, 3),
                                         .epoch = pxr_cursor_real(&rows, 4) };
        }
        return pxr_cursor_end(&rows);
}

/* A picture on record, decoded; *picture is NULL where it is gone or none. Returns 0 or -1. */
static int read_picture(struct pxr_arena *arena, struct pxr_store *store, int64_t id,
                        const struct pxr_picture **picture, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT png FROM sample WHERE id = ?", "i", id);

        *picture = NULL;
        if (pxr_cursor_next(&rows))
                *picture = pxr_png_decode(arena, "samples", sqlite3_column_blob(rows.statement, 0),
                                          (size_t)sqlite3_column_bytes(rows.statement, 0), NULL);
        return pxr_cursor_end(&rows);
}

static int put_image(FILE *to, const struct pxr_grid *grid, const uint8_t *pixels, int number,
                     const struct drawn *drawn, struct pxr_diag *diag)
{
        const struct pxr_picture picture = {
                .rows = grid->rows, .cols = grid->cols, .colours = grid->colours, .pixels = pixels
        };
        size_t size;
        uint8_t *png = pxr_png_encode(&picture, &size, diag);

        if (!png)
                return -1;
        pxr_html(to,
                 "<td><img width=\"%d\" height=\"%d\" alt=\"sample %d at step %" PRId64 "\" src=\"",
                 grid->cols, grid->rows, number + 1, drawn->step);
        pxr_html_data(to, "image/png", png, size);
        pxr_html(to, "\"></td>");
        free(png);
        return 0;
}

/* A checkpoint's row. A picture that is no such grid leaves its cells empty. */
static int put_checkpoint(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                          const struct pxr_run *run, const struct drawn *drawn, int columns,
                          struct pxr_diag *diag)
{
        struct pxr_grid grid = { .images = drawn->count > INT_MAX ? 0 : (int)drawn->count,
                                 .rows = run->image_rows,
                                 .cols = run->image_cols,
                                 .colours = run->image_colours };
        uint8_t *pixels = pxr_alloc_array(arena, (size_t)grid.rows * grid.cols, grid.colours);
        const struct pxr_picture *picture;

        if (!pixels)
                return pxr_out_of_memory(diag);
        if (read_picture(arena, store, drawn->id, &picture, diag))
                return -1;
        pxr_html(to, "<tr><th scope=\"row\">epoch %.4g<small>step %" PRId64 "</small></th>",
                 drawn->epoch, drawn->step);
        for (int i = 0; i < columns; i++)
                if (!picture || !pxr_grid_cut(&grid, picture, i, pixels))
                        pxr_html(to, "<td></td>");
                else if (put_image(to, &grid, pixels, i, drawn, diag))
                        return -1;
        pxr_html(to, "</tr>\n");
        return 0;
}

static int put_series(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                      const struct pxr_run *run, const struct series *series, struct pxr_diag *diag)
{
        size_t shown = series->count < MOST_ROWS ? series->count : MOST_ROWS;
        int64_t count = series->list[series->count - 1].count;
        int columns = count < MOST_COLUMNS ? (int)count : MOST_COLUMNS, status = 0;

        pxr_html(to,
                 "<div class=\"box fit\" role=\"region\" tabindex=\"0\" aria-label=\"samples by "
                 "checkpoint\"><table class=\"gallery\"><thead><tr><th scope=\"col\">Sample"
                 "</th>");
        for (int i = 0; i < columns; i++)
                pxr_html(to, "<th scope=\"col\">%d</th>", i + 1);
        pxr_html(to, "</tr></thead><tbody>\n");
        for (size_t i = 0; i < shown && !status; i++)
                status = put_checkpoint(to, arena, store, run,
                                        &series->list[(i + 1) * series->count / shown - 1], columns,
                                        diag);
        pxr_html(to,
                 "</tbody></table></div>\n<p class=\"note\">Each column is one sample: the same "
                 "random numbers (seed %" PRId64 "), under the parameters of each checkpoint.",
                 series->list[0].seed);
        if (shown < series->count)
                pxr_html(to, " %" PRId64 " of %" PRId64 " checkpoints are shown.", (int64_t)shown,
                         (int64_t)series->count);
        if (series->others > 0)
                pxr_html(to,
                         " Left out: %" PRId64
                         " grids drawn with other seeds, which are other samples.",
                         (int64_t)series->others);
        pxr_html(to, "</p>\n");
        return status;
}

int pxr_page_gallery(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                     const struct pxr_run *run, struct pxr_diag *diag)
{
        struct series series;

        if (read_series(arena, store, run->id, &series, diag))
                return -1;
        if (series.count == 0 || (series.count < 2 && series.others == 0)) {
                if (series.count == 1)
                        pxr_html(to, "<p class=\"none\">Samples were drawn at one step alone: "
                                     "<code>sample: {every: 1 epoch}</code> in a spec has them "
                                     "drawn along the way, to be seen maturing.</p>\n");
                return 0;
        }
        pxr_html(to, "<h3>The same samples, maturing</h3>\n");
        if (!run->image_rows || !run->image_cols || !run->image_colours) {
                pxr_html(to, "<p class=\"none\">Not for this run: the size of its images is not on "
                             "record.</p>\n");
                return 0;
        }
        return put_series(to, arena, store, run, &series, diag);
}

/* --- grids -------------------------------------------------------------------------------------
 */

int pxr_page_pictures(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                      const struct pxr_run *run, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(
                store, arena, diag,
                "SELECT kind, step, epoch, seed, count, png, log_likelihood FROM sample AS "
                "s WHERE run = ? "
                "AND id = (SELECT id FROM sample WHERE run = s.run AND kind = s.kind "
                "ORDER BY step DESC, id DESC LIMIT 1) ORDER BY kind <> 'samples', kind",
                "i", run->id);
        bool any = false;

        while (pxr_cursor_next(&rows)) {
                const char *kind = pxr_cursor_text(&rows, 0);
                bool samples = kind && strcmp(kind, "samples") == 0;
                char number[PXR_NUMBER_TEXT];

                if (!kind)
                        break;
                if (!any)
                        pxr_html(to, "<h3>Pictures</h3>\n<div class=\"pictures\">\n");
                pxr_html(to, "<figure class=\"%s\"><img alt=\"%s\" src=\"",
                         samples ? "grid" : "small", kind);
                any = true;
                pxr_html_data(to, "image/png", sqlite3_column_blob(rows.statement, 5),
                              (size_t)sqlite3_column_bytes(rows.statement, 5));
                if (samples) {
                        pxr_html(to,
                                 "\"><figcaption>%" PRId64 " sample%s of step %" PRId64
                                 " (epoch %.4g), seed %" PRId64,
                                 pxr_cursor_integer(&rows, 4),
                                 pxr_plural(pxr_cursor_integer(&rows, 4)),
                                 pxr_cursor_integer(&rows, 1), pxr_cursor_real(&rows, 2),
                                 pxr_cursor_integer(&rows, 3));
                        if (isfinite(pxr_cursor_real(&rows, 6)))
                                pxr_html(to, "; log-likelihood %s nats/image in the mean",
                                         pxr_number_text(pxr_cursor_real(&rows, 6), 2, number));
                        pxr_html(to, "</figcaption></figure>\n");
                } else
                        pxr_html(to, "\"><figcaption>%s</figcaption></figure>\n", kind);
        }
        if (any)
                pxr_html(to, "</div>\n");
        return pxr_cursor_end(&rows);
}

/* --- where the nats are ------------------------------------------------------------------------
 */

/* The map of a row, in what is told of such images; false when it is no map. */
static bool read_map(struct pxr_cursor *rows, struct pxr_value_map *map)
{
        size_t size = (size_t)sqlite3_column_bytes(rows->statement, 7);
        const uint8_t *bytes = sqlite3_column_blob(rows->statement, 7);
        size_t values;
        double *value, scale;

        map->rows = (int)pxr_cursor_integer(rows, 4);
        map->cols = (int)pxr_cursor_integer(rows, 5);
        map->colours = (int)pxr_cursor_integer(rows, 6);
        values = size / 4;
        if (map->rows < 1 || map->cols < 1 || (map->colours != 1 && map->colours != 3) ||
            values != (size_t)map->rows * map->cols * map->colours || size % 4 || !bytes)
                return false;
        value = pxr_alloc_array(rows->arena, values, sizeof(*value));
        scale = map->colours == 3 ? 1 / M_LN2 : 1;
        for (size_t i = 0; value && i < values; i++)
                value[i] = pxr_nll_map_value(bytes, i) * scale;
        map->value = value;
        map->unit = map->colours == 3 ? "bits per value" : "nats per pixel";
        return value != NULL;
}

int pxr_page_map(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                 const struct pxr_run *run, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag,
                          "SELECT split, step, epoch, images, rows, cols, colours, nats, given "
                          "FROM nll_map JOIN run ON run.id = run WHERE run = ? "
                          "ORDER BY split = 'test' DESC, split = 'valid' DESC LIMIT 1",
                          "i", run->id);
        struct pxr_value_map map;
        int status = 0;

        if (pxr_cursor_next(&rows) && read_map(&rows, &map)) {
                pxr_html(to,
                         "<h3>Where the %s are</h3>\n<p class=\"note\">The NLL of each pixel%s, a "
                         "mean over %" PRId64 " images of %s, at step %" PRId64
                         " (epoch %.4g)%s.</p>\n",
                         map.colours == 3 ? "bits" : "nats",
                         map.colours == 3 ? " and colour, in the order in which they are told" : "",
                         pxr_cursor_integer(&rows, 3), pxr_cursor_text(&rows, 0),
                         pxr_cursor_integer(&rows, 1), pxr_cursor_real(&rows, 2),
                         pxr_cursor_optional(&rows, 8) ? ", given the small images" : "");
                status = pxr_plot_map(to, &map, diag);
        }
        return pxr_cursor_end(&rows) ? -1 : status;
}
