/* SPDX-License-Identifier: MIT */
/* watch.c - how far runs are, and their learning curves in characters. */
#include "report/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "record/cursor.h"
#include "record/run_state.h"

/* --- reading -----------------------------------------------------------------------------------
 */

int pxr_watch_find(struct pxr_store *store, int64_t *run, int most, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, NULL, diag,
                          "SELECT id FROM run WHERE status = 'running' AND archived_at IS NULL "
                          "AND " PXR_RUN_STATE " = 'running' ORDER BY id",
                          "");
        int count = 0;

        while (count < most && pxr_cursor_next(&rows))
                run[count++] = pxr_cursor_integer(&rows, 0);
        return pxr_cursor_end(&rows) ? -1 : count;
}

enum { MOST_POINTS = 20000 };

/* The newest points, the newest first. */
static int read_curve(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                      const char *name, const char *split, struct pxr_curve *curve, bool bits,
                      struct pxr_diag *diag)
{
        struct pxr_cursor rows;
        int64_t all;

        if (pxr_store_integer(
                    store, &all, diag,
                    "SELECT count(*) FROM metric WHERE run = ? AND name = ? AND split = ?", "itt",
                    run, name, split))
                return -1;
        all = all > MOST_POINTS ? MOST_POINTS : all;
        *curve = (struct pxr_curve) { .split = split, .bits = bits };
        curve->point = pxr_alloc_array(arena, (size_t)all + 1, sizeof(*curve->point));
        rows = pxr_query(store, NULL, diag,
                         "SELECT step, epoch, sum_nats / images / iif(?4, dimensions * "
                         "0.69314718055994530942, 1) FROM metric WHERE run = ?1 AND name = ?2 AND "
                         "split = ?3 ORDER BY step DESC LIMIT ?5",
                         "ittii", run, name, split, (int64_t)bits, all);
        while (curve->point && (int64_t)curve->count < all && pxr_cursor_next(&rows))
                curve->point[curve->count++] = (struct pxr_point) {
                        .step = pxr_cursor_integer(&rows, 0),
                        .epoch = pxr_cursor_real(&rows, 1),
                        .nll = pxr_cursor_real(&rows, 2),
                };
        return pxr_cursor_end(&rows) || !curve->point ? -1 : 0;
}

static const struct pxr_point *newest(const struct pxr_curve *curve)
{
        return curve->count > 0 ? curve->point : NULL;
}

#define NEWEST(name)                                                                               \
        ", (SELECT value FROM metric WHERE run = it.id AND name = '" name "' AND split = 'train' " \
        "ORDER BY step DESC LIMIT 1)"

static const char select_run[] =
        "SELECT it.name, run_state(it.status, it.host, it.process_id, it.process_start), "
        "activity, it.message, ifnull(unit = 'bits', 0), 1.0 * steps_done / nullif(steps, 0), "
        "summary.seconds_left, it.wall_seconds, newest_nll, nll, split" NEWEST(
                "step_images_per_second") NEWEST("step_rate")
                NEWEST("step_gradient_norm") ", steps_done FROM run AS it JOIN run_summary AS "
                                             "summary ON "
                                             "summary.run = it.id WHERE it.id = ?";

/* Of the steps done, which may be more than those of the newest point: epochs go by steps. */
static double find_epoch(const struct pxr_watched *w, double steps_done)
{
        const struct pxr_point *train = newest(&w->curve[0]), *valid = newest(&w->curve[1]);
        const struct pxr_point *last =
                !train || (valid && valid->step > train->step) ? valid : train;

        if (!last || last->step < 1)
                return last ? last->epoch : NAN;
        return last->epoch / (double)last->step * fmax((double)last->step, steps_done);
}

int pxr_watch_read(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                   struct pxr_watched *w, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, select_run, "i", run);
        const struct pxr_point *train, *valid;
        bool found = pxr_cursor_next(&rows);
        double steps_done = found ? pxr_cursor_real(&rows, 14) : NAN;

        *w = (struct pxr_watched) { .run = run };
        if (found)
                *w = (struct pxr_watched) {
                        .run = run,
                        .name = pxr_visible(arena, pxr_cursor_text(&rows, 0)),
                        .state = pxr_cursor_text(&rows, 1),
                        .activity = pxr_cursor_optional(&rows, 2),
                        .message = pxr_cursor_optional(&rows, 3),
                        .bits = pxr_cursor_integer(&rows, 4) != 0,
                        .progress = pxr_cursor_real(&rows, 5),
                        .seconds_left = pxr_cursor_real(&rows, 6),
                        .wall_seconds = pxr_cursor_real(&rows, 7),
                        .train_nll = pxr_cursor_real(&rows, 8),
                        .result = pxr_cursor_real(&rows, 9),
                        .result_split = pxr_cursor_optional(&rows, 10),
                        .images_per_second = pxr_cursor_real(&rows, 11),
                        .rate = pxr_cursor_real(&rows, 12),
                        .gradient_norm = pxr_cursor_real(&rows, 13),
                };
        if (pxr_cursor_end(&rows))
                return -1;
        if (!found)
                return pxr_user_error(diag, "%s: run %lld was deleted", pxr_store_path(store),
                                      (long long)run);
        if (read_curve(arena, store, run, "step_nll", "train", &w->curve[0], w->bits, diag) ||
            read_curve(arena, store, run, "nll", "valid", &w->curve[1], w->bits, diag))
                return -1;
        train = newest(&w->curve[0]);
        valid = newest(&w->curve[1]);
        w->epoch = find_epoch(w, steps_done);
        w->valid_nll = valid ? valid->nll : NAN;
        if (isnan(w->train_nll) && train)
                w->train_nll = train->nll;
        return pxr_arena_failed(arena) ? -1 : 0;
}

/* --- drawing -----------------------------------------------------------------------------------
 */

enum { LABEL = 9, ACROSS = 2, DOWN = 4, MOST_ROWS = 64, MOST_COLUMNS = 512 }; /* dots of a cell */

struct canvas {
        uint8_t cell[MOST_ROWS][MOST_COLUMNS]; /* dots as bits of a Braille character */
        bool mark[MOST_ROWS][MOST_COLUMNS];
        int rows, columns;
        int64_t last; /* step at the right */
        double low, high;
};

/* The scale shows the better half of the points in at least a third of its height: a model that is
 * not trained yet is far above it. Returns whether there is a finite point. */
static bool choose_scale(struct canvas *c, const struct pxr_curve curve[2])
{
        size_t count = 0;
        double *nll = malloc((curve[0].count + curve[1].count + 1) * sizeof(*nll));

        for (int k = 0; nll && k < 2; k++)
                for (size_t i = 0; i < curve[k].count; i++) {
                        if (curve[k].point[i].step > c->last)
                                c->last = curve[k].point[i].step;
                        if (isfinite(curve[k].point[i].nll))
                                nll[count++] = curve[k].point[i].nll;
                }
        if (count > 0) {
                qsort(nll, count, sizeof(*nll), pxr_compare_numbers);
                c->low = nll[0];
                c->high = fmin(nll[count - 1], pxr_highest_end(c->low, nll[count / 2]));
                if (!(c->high > c->low))
                        c->high = c->low + 1e-3 * fabs(c->low) + 1e-9;
        }
        free(nll);
        return count > 0 && c->last > 0;
}

static int dot_row(const struct canvas *c, double nll)
{
        double row = (c->high - nll) / (c->high - c->low) * (c->rows * DOWN - 1);

        return row <= 0 ? 0 : row >= c->rows * DOWN - 1 ? c->rows * DOWN - 1 : (int)lround(row);
}

static int dot_column(const struct canvas *c, int64_t step)
{
        return step < 0 ? 0
                        : (int)((double)step / (double)c->last * (c->columns * ACROSS - 1) + 0.5);
}

static void set_dot(struct canvas *c, int column, int row)
{
        static const uint8_t bit[DOWN][ACROSS] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };

        c->cell[row / DOWN][column / ACROSS] |= bit[row % DOWN][column % ACROSS];
}

/* A line through the mean of each column of dots. */
static void draw_line(struct canvas *c, const struct pxr_curve *curve)
{
        double sum[MOST_COLUMNS * ACROSS] = { 0 };
        int count[MOST_COLUMNS * ACROSS] = { 0 }, before = -1, row = 0;

        for (size_t i = 0; i < curve->count; i++) {
                int column = dot_column(c, curve->point[i].step);

                if (!isfinite(curve->point[i].nll))
                        continue;
                sum[column] += curve->point[i].nll;
                count[column]++;
        }
        for (int column = 0; column < c->columns * ACROSS; column++) {
                int to, steps;

                if (count[column] == 0)
                        continue;
                to = dot_row(c, sum[column] / count[column]);
                steps = before < 0                        ? 1
                        : abs(to - row) > column - before ? abs(to - row)
                                                          : column - before;
                for (int k = 1; k <= steps; k++)
                        set_dot(c, before < 0 ? column : before + (column - before) * k / steps,
                                before < 0 ? to : row + (to - row) * k / steps);
                before = column;
                row = to;
        }
}

static void put_row(FILE *to, const struct canvas *c, int row)
{
        for (int column = 0; column < c->columns; column++) {
                unsigned dots = c->cell[row][column];

                if (c->mark[row][column])
                        putc('o', to);
                else if (dots)
                        fprintf(to, "\xe2%c%c", 0xa0 + (dots >> 6), 0x80 + (dots & 0x3f));
                else
                        putc(' ', to);
        }
        putc('\n', to);
}

void pxr_watch_draw(FILE *to, const struct pxr_watched *w, int rows, int columns)
{
        struct canvas c = { .rows = rows - 1 < MOST_ROWS ? rows - 1 : MOST_ROWS,
                            .columns = columns - LABEL < MOST_COLUMNS ? columns - LABEL
                                                                      : MOST_COLUMNS };
        char text[PXR_NUMBER_TEXT];

        if (c.rows < 2 || c.columns < 20 || !choose_scale(&c, w->curve))
                return;
        draw_line(&c, &w->curve[0]);
        for (size_t i = 0; i < w->curve[1].count; i++)
                if (isfinite(w->curve[1].point[i].nll))
                        c.mark[dot_row(&c, w->curve[1].point[i].nll) / DOWN]
                              [dot_column(&c, w->curve[1].point[i].step) / ACROSS] = true;
        for (int row = 0; row < c.rows; row++) {
                bool end = row == 0 || row == c.rows - 1;

                fprintf(to, "%*s ", LABEL - 1,
                        end ? pxr_number_text(row ? c.low : c.high, w->bits ? 4 : 3, text) : "");
                put_row(to, &c, row);
        }
        fprintf(to, "%*s0%*lld steps\n", LABEL, "", c.columns - 1 - (int)strlen(" steps"),
                (long long)c.last);
}
