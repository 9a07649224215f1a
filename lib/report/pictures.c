/* SPDX-License-Identifier: MIT */
/* pictures.c - the pictures of a run in an HTML page. */
#include "report/pictures.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "data/png.h"
#include "experiment/given.h"
#include "record/cursor.h"
#include "report/html.h"
#include "report/plot.h"
#include "sample/grid.h"

/* --- the gallery -------------------------------------------------------------------------------
 */

enum { MOST_ROWS = 10, MOST_COLUMNS = 10 };

/* The samples of the newest seed; how many there are of it, and of other seeds. */
static const char gallery_sql[] =
        "WITH drawn AS (SELECT * FROM sample WHERE run = ? AND kind = 'samples'), newest AS "
        "(SELECT seed, count FROM drawn ORDER BY step DESC, id DESC LIMIT 1) "
        "SELECT drawn.id, step, epoch, drawn.count, seed, newest.count, count(*) OVER () AS "
        "all_of, "
        "(SELECT count(*) FROM drawn) - count(*) OVER () "
        "FROM drawn JOIN newest USING (seed) ORDER BY step, drawn.id";
enum { ID, STEP, EPOCH, COUNT, SEED, NEWEST_COUNT, OF_SEED, OF_OTHERS };

/* A picture on record, decoded; *picture is NULL where it is gone or invalid. Returns 0 or -1. */
static int read_picture(const struct pxr_page_run *r, int64_t id,
                        const struct pxr_picture **picture)
{
        struct pxr_cursor rows = pxr_query(r->store, r->arena, r->diag,
                                           "SELECT png FROM sample WHERE id = ?", "i", id);
        size_t size = 0;
        const void *png = pxr_cursor_next(&rows) ? pxr_cursor_blob(&rows, 0, &size) : NULL;

        *picture = png ? pxr_png_decode(r->arena, "samples", png, size, NULL) : NULL;
        return pxr_cursor_end(&rows);
}

/* The row of a checkpoint. A picture that is no such grid leaves its cells empty. */
static int put_checkpoint(const struct pxr_page_run *r, struct pxr_cursor *rows, int columns)
{
        int64_t count = pxr_cursor_integer(rows, COUNT), step = pxr_cursor_integer(rows, STEP);
        struct pxr_grid grid = { .images = count > INT_MAX ? 0 : (int)count,
                                 .rows = r->run->image_rows,
                                 .cols = r->run->image_cols,
                                 .colours = r->run->image_colours,
                                 .down = pxr_classes_down(pxr_given_classes(r->run->given),
                                                          count) };
        uint8_t *pixels = pxr_alloc_array(r->arena, (size_t)grid.rows * grid.cols, grid.colours);
        const struct pxr_picture *picture;

        if (!pixels || read_picture(r, pxr_cursor_integer(rows, ID), &picture))
                return -1;
        pxr_html(r->to, "<tr><th scope=\"row\">epoch %.4g<small>step %" PRId64 "</small></th>",
                 pxr_cursor_real(rows, EPOCH), step);
        for (int i = 0; i < columns; i++) {
                pxr_html(r->to, "<td>");
                if (picture && pxr_grid_cut(&grid, picture, i, pixels)) {
                        pxr_html(r->to,
                                 "<img width=\"%d\" height=\"%d\" alt=\"sample %d at step %" PRId64
                                 "\" src=\"",
                                 grid.cols, grid.rows, i + 1, step);
                        if (pxr_html_png(r->to, grid.rows, grid.cols, grid.colours, pixels,
                                         r->diag))
                                return -1;
                        pxr_html(r->to, "\">");
                }
                pxr_html(r->to, "</td>");
        }
        pxr_html(r->to, "</tr>\n");
        return 0;
}

/* The gallery whose first row is at hand: of so many checkpoints, MOST_ROWS at most. */
static int put_gallery(const struct pxr_page_run *r, struct pxr_cursor *rows)
{
        int64_t all = pxr_cursor_integer(rows, OF_SEED), shown = all < MOST_ROWS ? all : MOST_ROWS;
        int64_t others = pxr_cursor_integer(rows, OF_OTHERS), seed = pxr_cursor_integer(rows, SEED);
        int64_t count = pxr_cursor_integer(rows, NEWEST_COUNT), row = 1;
        int columns = count < MOST_COLUMNS ? (int)count : MOST_COLUMNS;

        pxr_html(r->to,
                 "<div class=\"box fit\" role=\"region\" tabindex=\"0\" aria-label=\"samples by "
                 "checkpoint\"><table class=\"gallery\"><thead><tr><th scope=\"col\">Sample"
                 "</th>");
        for (int i = 0; i < columns; i++)
                pxr_html(r->to, "<th scope=\"col\">%d</th>", i + 1);
        pxr_html(r->to, "</tr></thead><tbody>\n");
        for (int64_t number = 1; number == 1 || pxr_cursor_next(rows); number++)
                if (number == row * all / shown) { /* the last one among them */
                        if (put_checkpoint(r, rows, columns))
                                return -1;
                        row++;
                }
        pxr_html(r->to,
                 "</tbody></table></div>\n<p class=\"note\">Each column is one sample: the same "
                 "random numbers (seed %" PRId64 "), under the parameters of each checkpoint.",
                 seed);
        if (shown < all)
                pxr_html(r->to, " %" PRId64 " of %" PRId64 " checkpoints are shown.", shown, all);
        if (others > 0)
                pxr_html(r->to,
                         " Left out: %" PRId64
                         " grids drawn with other seeds, which are other samples.",
                         others);
        pxr_html(r->to, "</p>\n");
        return 0;
}

int pxr_page_gallery(const struct pxr_page_run *r)
{
        struct pxr_cursor rows =
                pxr_query(r->store, r->arena, r->diag, gallery_sql, "i", r->run->id);
        bool sized = r->run->image_rows && r->run->image_cols && r->run->image_colours;
        int status = 0;

        if (pxr_cursor_next(&rows)) {
                if (pxr_cursor_integer(&rows, OF_SEED) == 1 &&
                    pxr_cursor_integer(&rows, OF_OTHERS) == 0) {
                        pxr_html(r->to,
                                 "<p class=\"none\">Samples were drawn at one step only. To see "
                                 "them mature, draw some during training, as with "
                                 "<code>sample: {every: 1 epoch}</code> in the spec.</p>\n");
                } else {
                        pxr_html(r->to, "<h3>The same samples, maturing</h3>\n");
                        if (sized)
                                status = put_gallery(r, &rows);
                        else
                                pxr_html(r->to, "<p class=\"none\">The size of this run's images "
                                                "is not on record.</p>\n");
                }
        }
        return pxr_cursor_end(&rows) ? -1 : status;
}

/* --- grids -------------------------------------------------------------------------------------
 */

static void put_caption(const struct pxr_page_run *r, struct pxr_cursor *rows)
{
        double log_likelihood = pxr_cursor_real(rows, 6);
        char number[PXR_NUMBER_TEXT];

        pxr_html(r->to, "%" PRId64 " sample%s of step %" PRId64 " (epoch %.4g), seed %" PRId64,
                 pxr_cursor_integer(rows, 4), pxr_plural(pxr_cursor_integer(rows, 4)),
                 pxr_cursor_integer(rows, 1), pxr_cursor_real(rows, 2),
                 pxr_cursor_integer(rows, 3));
        if (isfinite(log_likelihood))
                pxr_html(r->to, "; mean log-likelihood %s nats/image",
                         pxr_number_text(log_likelihood, 2, number));
}

/* The shades are those of record_field() in experiment/record.c. */
static void put_field_caption(FILE *to)
{
        pxr_html(to, "receptive field: "
                     "<span class=\"shade\" style=\"--own:#fff\">the pixel in the middle</span>, "
                     "<span class=\"shade\" style=\"--own:#aaa\">pixels that its prediction "
                     "depends on</span>, "
                     "<span class=\"shade\" style=\"--own:#404040\">all others</span>");
}

int pxr_page_pictures(const struct pxr_page_run *r)
{
        struct pxr_cursor rows = pxr_query(
                r->store, r->arena, r->diag,
                "SELECT kind, step, epoch, seed, count, png, log_likelihood FROM sample AS "
                "s WHERE run = ? "
                "AND id = (SELECT id FROM sample WHERE run = s.run AND kind = s.kind "
                "ORDER BY step DESC, id DESC LIMIT 1) ORDER BY kind <> 'samples', kind",
                "i", r->run->id);
        bool any = false;

        while (pxr_cursor_next(&rows)) {
                const char *kind = pxr_cursor_text(&rows, 0);
                bool samples = strcmp(kind, "samples") == 0;
                size_t size;
                const void *png = pxr_cursor_blob(&rows, 5, &size);

                if (!any)
                        pxr_html(r->to, "<h3>Pictures</h3>\n<div class=\"pictures\">\n");
                any = true;
                pxr_html(r->to, "<figure class=\"%s\"><img alt=\"%s\" src=\"data:image/png;base64,",
                         samples ? "grid" : "small", kind);
                pxr_html_base64(r->to, png, size);
                pxr_html(r->to, "\"><figcaption>");
                if (samples)
                        put_caption(r, &rows);
                else if (strcmp(kind, "receptive field") == 0)
                        put_field_caption(r->to);
                else
                        pxr_html(r->to, "%s", kind);
                pxr_html(r->to, "</figcaption></figure>\n");
        }
        if (any)
                pxr_html(r->to, "</div>\n");
        return pxr_cursor_end(&rows);
}

/* --- the map of the NLL ------------------------------------------------------------------------
 */

/* The map of a row, in the unit of such images; false when it is invalid. */
static bool read_map(struct pxr_cursor *rows, struct pxr_value_map *map)
{
        size_t size, values;
        const uint8_t *bytes = pxr_cursor_blob(rows, 7, &size);
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

int pxr_page_map(const struct pxr_page_run *r)
{
        struct pxr_cursor rows =
                pxr_query(r->store, r->arena, r->diag,
                          "SELECT split, step, epoch, images, rows, cols, colours, nats "
                          "FROM nll_map JOIN run ON run.id = run WHERE run = ? "
                          "ORDER BY split = 'test' DESC, split = 'valid' DESC LIMIT 1",
                          "i", r->run->id);
        const char *given = r->run->given;
        struct pxr_value_map map;
        int status = 0;

        if (pxr_cursor_next(&rows) && read_map(&rows, &map)) {
                pxr_html(r->to,
                         "<h3>Where the %s are</h3>\n<p class=\"note\">The NLL of each pixel%s, a "
                         "mean over %" PRId64 " images of %s, at step %" PRId64
                         " (epoch %.4g)%s%s.</p>\n",
                         map.colours == 3 ? "bits" : "nats",
                         map.colours == 3 ? " and colour, in the order of generation" : "",
                         pxr_cursor_integer(&rows, 3), pxr_cursor_text(&rows, 0),
                         pxr_cursor_integer(&rows, 1), pxr_cursor_real(&rows, 2),
                         given ? ", given " : "", given ? given : "");
                status = pxr_plot_map(r->to, &map, r->diag);
        }
        return pxr_cursor_end(&rows) ? -1 : status;
}
