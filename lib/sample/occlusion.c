/* SPDX-License-Identifier: MIT */
/*
 * occlusion.c - reading the hidden region of an image.
 */
#include "sample/occlusion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rectangle {
        int row, col, rows, cols;
};

static const struct side {
        const char *name;
        bool of_rows, at_end;
} sides[] = { { "bottom", true, true },
              { "top", true, false },
              { "left", false, false },
              { "right", false, true } };

static int misread(const char *text, struct pxr_diag *diag)
{
        pxr_user_error(diag, "invalid region '%s'", text);
        pxr_note(diag, "expected bottom:PART, top:PART, left:PART or right:PART, where PART is the "
                       "hidden part, such as 0.5, or rect:ROW,COL,ROWS,COLS");
        return -1;
}

/* "bottom:0.5" and its like. */
static int read_side(const char *text, int rows, int cols, struct rectangle *r,
                     struct pxr_diag *diag)
{
        const struct side *side = sides, *end = sides + PXR_COUNT(sides);
        size_t word = strcspn(text, ":");
        char *rest;
        double part;
        int all, hidden, first;

        while (side < end && (strncmp(text, side->name, word) != 0 || side->name[word]))
                side++;
        if (side == end || text[word] != ':' || !text[word + 1])
                return misread(text, diag);
        part = strtod(text + word + 1, &rest);
        if (*rest)
                return misread(text, diag);
        if (!(part > 0 && part <= 1))
                return pxr_user_error(diag, "%s: the part must be over 0 and at most 1", text);
        all = side->of_rows ? rows : cols;
        hidden = (int)lround(part * all);
        if (hidden == 0)
                return pxr_user_error(diag, "%s: hides nothing: less than half of one of %d %s",
                                      text, all, side->of_rows ? "rows" : "columns");
        first = side->at_end ? all - hidden : 0;
        *r = side->of_rows ? (struct rectangle) { first, 0, hidden, cols }
                           : (struct rectangle) { 0, first, rows, hidden };
        return 0;
}

static int read_rectangle(const char *text, int rows, int cols, struct rectangle *r,
                          struct pxr_diag *diag)
{
        int end = 0;

        if (sscanf(text, "rect:%9d,%9d,%9d,%9d%n", &r->row, &r->col, &r->rows, &r->cols, &end) <
                    4 ||
            text[end])
                return misread(text, diag);
        if (r->row >= 0 && r->col >= 0 && r->rows > 0 && r->cols > 0 && r->rows <= rows - r->row &&
            r->cols <= cols - r->col)
                return 0;
        return pxr_user_error(diag,
                              "%s: is not within the image, which has %d rows and %d columns, "
                              "counted from 0",
                              text, rows, cols);
}

int pxr_occlusion_read(struct pxr_arena *arena, const char *text, int rows, int cols,
                       struct pxr_occlusion *occlusion, struct pxr_diag *diag)
{
        struct rectangle r = { 0 };
        bool *hidden;

        if (strncmp(text, "rect:", 5) == 0 ? read_rectangle(text, rows, cols, &r, diag)
                                           : read_side(text, rows, cols, &r, diag))
                return -1;
        hidden = pxr_alloc_array(arena, (size_t)rows * cols, sizeof(*hidden));
        if (!hidden)
                return -1;
        for (int row = r.row; row < r.row + r.rows; row++)
                for (int col = r.col; col < r.col + r.cols; col++)
                        hidden[row * cols + col] = true;
        occlusion->text = text;
        occlusion->hidden = hidden;
        occlusion->exact = true;
        for (int i = 1; i < rows * cols; i++)
                if (hidden[i - 1] && !hidden[i])
                        occlusion->exact = false;
        return 0;
}
