/* SPDX-License-Identifier: MIT */
/* fit.c - cropping and resizing images. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/fit.h"

enum { MOST = 4096 };

/* "64x48", or "64" for a square. */
static int read_size(struct pxr_opening *o, const char *option, const char *text,
                     struct pxr_size *size, struct pxr_diag *diag)
{
        int end = 0, count = sscanf(text, "%5dx%5d%n", &size->rows, &size->cols, &end);

        if (count == 1) {
                sscanf(text, "%*5d%n", &end);
                size->cols = size->rows;
        }
        if (count >= 1 && end > 0 && !text[end] && size->rows >= 1 && size->rows <= MOST &&
            size->cols >= 1 && size->cols <= MOST)
                return 0;
        return pxr_error_at(diag, pxr_data_location(o, option),
                            "data: %s: expected ROWSxCOLUMNS%s, from 1 to %d each, got '%s'",
                            option, strcmp(option, "crop") == 0 ? " or 'square'" : "", MOST, text);
}

int pxr_fit_read(struct pxr_opening *o, struct pxr_diag *diag)
{
        const char *crop = o->common.crop, *resize = o->common.resize;
        int failed = 0;

        if (crop && strcmp(crop, "square") == 0)
                o->fit.square = true;
        else if (crop)
                failed = read_size(o, "crop", crop, &o->fit.crop, diag);
        if (resize)
                failed |= read_size(o, "resize", resize, &o->fit.resize, diag);
        if (failed)
                o->fit = (struct pxr_fit) { 0 };
        return failed;
}

bool pxr_fit_asked(const struct pxr_opening *o)
{
        return o->fit.square || o->fit.crop.rows > 0 || o->fit.resize.rows > 0;
}

/* The part of an image that is kept. */
static struct pxr_size cropped(const struct pxr_fit *fit, int rows, int cols)
{
        int side = rows < cols ? rows : cols;

        if (fit->square)
                return (struct pxr_size) { side, side };
        return fit->crop.rows > 0 ? fit->crop : (struct pxr_size) { rows, cols };
}

int pxr_fit_size(const struct pxr_fit *fit, const char *name, int *rows, int *cols,
                 struct pxr_diag *diag)
{
        struct pxr_size kept = cropped(fit, *rows, *cols);

        if (kept.rows > *rows || kept.cols > *cols)
                return pxr_user_error(diag, "%s: %d x %d pixels are fewer than 'crop: %dx%d'", name,
                                      *rows, *cols, kept.rows, kept.cols);
        *rows = fit->resize.rows > 0 ? fit->resize.rows : kept.rows;
        *cols = fit->resize.rows > 0 ? fit->resize.cols : kept.cols;
        return 0;
}

/* The part of old pixel `at` that new pixel `to` covers, where `old` pixels become `new` ones: in
 * units of which an old pixel has `new` and a new one `old`. */
static int64_t overlap(int at, int to, int old, int new)
{
        int64_t from = (int64_t)at * new, start = (int64_t)to *old;
        int64_t end = from + new < start + old ? from + new : start + old;

        return end - (from > start ? from : start);
}

/* The mean of `from` over what new pixel (row, col) covers. */
static uint8_t mean(const uint8_t *from, size_t down, size_t across, struct pxr_size old,
                    struct pxr_size new, int row, int col)
{
        int first_row = (int)((int64_t)row * old.rows / new.rows);
        int first_col = (int)((int64_t)col * old.cols / new.cols);
        int64_t sum = 0, all = (int64_t)old.rows * old.cols;

        for (int r = first_row;
             r < old.rows && (int64_t)r * new.rows < (int64_t)(row + 1) * old.rows; r++) {
                int64_t part = overlap(r, row, old.rows, new.rows);

                for (int c = first_col;
                     c < old.cols && (int64_t)c * new.cols < (int64_t)(col + 1) * old.cols; c++)
                        sum += part * overlap(c, col, old.cols, new.cols) *
                               from[(size_t)r * down + (size_t)c * across];
        }
        return (uint8_t)((sum + all / 2) / all);
}

void pxr_fit_image(const struct pxr_fit *fit, const uint8_t *from, int rows, int cols, int colours,
                   uint8_t *to)
{
        struct pxr_size kept = cropped(fit, rows, cols);
        struct pxr_size new = fit->resize.rows > 0 ? fit->resize : kept;
        size_t across = (size_t)colours, down = across * (size_t)cols;

        from += (size_t)((rows - kept.rows) / 2) * down + (size_t)((cols - kept.cols) / 2) * across;
        for (int row = 0; row < new.rows; row++)
                for (int col = 0; col < new.cols; col++)
                        for (int colour = 0; colour < colours; colour++)
                                *to++ = mean(from + colour, down, across, kept, new, row, col);
}

const char *pxr_fit_text(struct pxr_arena *arena, const struct pxr_fit *fit)
{
        const char *crop = "", *resize = "";

        if (fit->square)
                crop = "; cropped to the central square";
        else if (fit->crop.rows > 0)
                crop = pxr_strf(arena, "; cropped to the central %d x %d", fit->crop.rows,
                                fit->crop.cols);
        if (fit->resize.rows > 0)
                resize = pxr_strf(arena, "; resized to %d x %d (area averages)", fit->resize.rows,
                                  fit->resize.cols);
        return pxr_strf(arena, "%s%s", crop, resize);
}
