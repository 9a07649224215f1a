/* SPDX-License-Identifier: MIT */
/*
 * occlusion.c - reading what is hidden of an image.
 */
#include "sample/occlusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rectangle {
        int row, col, rows, cols;
};

static const char *const sides[] = { "bottom", "top", "left", "right" };

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
        size_t word = strcspn(text, ":");
        char *end;
        double part;
        int side, all, hidden;

        for (side = 0; side < 4; side++)
                if (strncmp(text, sides[side], word) == 0 && strlen(sides[side]) == word)
                        break;
        if (side == 4 || text[word] != ':' || !text[word + 1])
                return misread(text, diag);
        part = strtod(text + word + 1, &end);
        if (*end)
                return misread(text, diag);
        if (!(part > 0 && part <= 1))
                return pxr_user_error(diag, "%s: the part must be over 0 and at most 1", text);
        all = side < 2 ? rows : cols;
        hidden = (int)lround(part * all);
        if (hidden == 0)
                return pxr_user_error(diag, "%s: hides nothing: less than half of one of %d %s",
                                      text, all, side < 2 ? "rows" : "columns");
        *r = (struct rectangle) { 0, 0, rows, cols };
        if (side < 2) {
                r->rows = hidden;
                r->row = side == 0 ? rows - hidden : 0;
        } else {
                r->cols = hidden;
                r->col = side == 3 ? cols - hidden : 0;
        }
        return 0;
}

static int read_rectangle(const char *text, int rows, int cols, struct rectangle *r,
                          struct pxr_diag *diag)
{
        const char *at = text + strlen("rect:");
        long number[4];

        for (int i = 0; i < 4; i++) {
                char *end;

                if (*at < '0' || *at > '9')
                        return misread(text, diag);
                number[i] = strtol(at, &end, 10);
                if (*end != (i < 3 ? ',' : '\0'))
                        return misread(text, diag);
                at = end + 1;
        }
        if (number[2] < 1 || number[3] < 1 || number[2] > rows || number[3] > cols ||
            number[0] > rows - number[2] || number[1] > cols - number[3])
                return pxr_user_error(diag,
                                      "%s: is not within the image, which has %d rows and %d "
                                      "columns, counted from 0",
                                      text, rows, cols);
        *r = (struct rectangle) { (int)number[0], (int)number[1], (int)number[2], (int)number[3] };
        return 0;
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
