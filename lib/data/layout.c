/* SPDX-License-Identifier: MIT */
/*
 * layout.c - how the images of an array lie, from its shape.
 *
 * A wrong guess would scramble every image silently. So a shape decides only if it is unambiguous;
 * otherwise the user states the layout.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "data/layout.h"

enum { MAX_SIDE = 4096 };

const char *const pxr_layout_names[] = { "any", "hwc", "chw", "hw", NULL };

/* The side of a square image of `colours` colours in a flat row of `size` bytes; 0: none. */
static int64_t side_of(int64_t size, int colours)
{
        int64_t side = lround(sqrt((double)size / colours));

        return side <= MAX_SIDE && side * side * colours == size ? side : 0;
}

static bool fits(const struct pxr_npy *array, enum pxr_layout_name name, struct pxr_layout *layout)
{
        const int64_t *shape = array->shape;
        int colours_at = name == PXR_LAYOUT_HWC ? 3 : 1, rows_at = name == PXR_LAYOUT_CHW ? 2 : 1;
        bool in_colour = name != PXR_LAYOUT_HW;
        int64_t rows, cols, colours;

        if (array->dimensions == 2) {
                colours = in_colour ? 3 : 1;
                rows = cols = side_of(shape[1], (int)colours);
        } else if (array->dimensions == (in_colour ? 4 : 3)) {
                colours = in_colour ? shape[colours_at] : 1;
                rows = shape[rows_at];
                cols = shape[rows_at + 1];
        } else {
                return false;
        }
        if (rows < 1 || rows > MAX_SIDE || cols < 1 || cols > MAX_SIDE ||
            (colours != 1 && colours != 3))
                return false;
        *layout = (struct pxr_layout) { .rows = (int)rows,
                                        .cols = (int)cols,
                                        .colours = (int)colours,
                                        .planar = name == PXR_LAYOUT_CHW && colours == 3 };
        return true;
}

/* An array of grey images that are 1 or 3 pixels wide or high is more likely one image in colour,
 * or N x pixels x colours. */
static bool is_doubtful(const struct pxr_npy *array)
{
        for (int i = 1; array->dimensions == 3 && i < 3; i++)
                if (array->shape[i] == 1 || array->shape[i] == 3)
                        return true;
        return false;
}

static int refuse(const char *name, const struct pxr_npy *array, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: an array of shape %s is not grey or RGB images", name,
                       array->text);
        pxr_note(diag,
                 "expected N x rows x columns x colours, N x colours x rows x columns, or N x rows "
                 "x columns, with 1 to %d rows and columns and 1 or 3 colours, or N flat rows of "
                 "square images",
                 MAX_SIDE);
        if (array->dimensions == 2)
                pxr_note(diag,
                         "use data.reshape(N, rows, columns, colours) to give a flat array its "
                         "shape");
        else if (array->dimensions == 4)
                pxr_note(diag, "use data[..., :3] to drop the fourth of four channels");
        return -1;
}

static int ask(const char *name, const struct pxr_npy *array, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: the shape %s does not determine the layout of the images", name,
                       array->text);
        if (array->dimensions == 3)
                pxr_note(diag,
                         "set 'layout: hw' if these are N grey images; images in colour have the "
                         "shape N x rows x columns x colours");
        else
                pxr_note(diag, "set 'layout: hwc' if the colours of a pixel are adjacent (N x "
                               "rows x columns x colours), 'layout: chw' if each image is planes "
                               "of red, green and blue (N x colours x rows x columns)");
        return -1;
}

int pxr_layout_find(const char *name, const struct pxr_npy *array, enum pxr_layout_name stated,
                    struct pxr_location location, bool planes, struct pxr_layout *layout,
                    struct pxr_diag *diag)
{
        int found = 0;

        if (stated != PXR_LAYOUT_ANY) {
                if (fits(array, stated, layout))
                        return 0;
                return pxr_error_at(diag, location, "%s: 'layout: %s' does not fit the shape %s",
                                    name, pxr_layout_names[stated], array->text);
        }
        if (planes && array->dimensions == 2 && fits(array, PXR_LAYOUT_CHW, layout))
                return 0;
        for (int i = PXR_LAYOUT_HWC; i <= PXR_LAYOUT_HW; i++)
                found += fits(array, (enum pxr_layout_name)i, layout);
        if (found == 0)
                return refuse(name, array, diag);
        return found > 1 || is_doubtful(array) ? ask(name, array, diag) : 0;
}
