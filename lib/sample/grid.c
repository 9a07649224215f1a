/* SPDX-License-Identifier: MIT */
/*
 * grid.c - laying out images in a grid.
 */
#include "sample/grid.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"

enum { GAP = 2, AIM = 640 }; /* pixels between images; a grid is drawn about AIM pixels wide */
enum { DARK = 112, LIGHT = 144 };

struct layout {
        int across, down; /* images */
        int zoom;         /* side of one pixel */
        int cols, rows;   /* of the picture */
};

static struct layout lay_out(const struct pxr_grid *grid)
{
        struct layout layout = { .across = grid->across ? grid->across : 1 };
        int side;

        while (!grid->across && layout.across < grid->images &&
               layout.across * layout.across * grid->cols < grid->images * grid->rows)
                layout.across++;
        if (grid->down)
                layout.across = (grid->images + grid->down - 1) / grid->down;
        layout.down = grid->down ? grid->down : (grid->images + layout.across - 1) / layout.across;
        side = layout.across * grid->cols;
        layout.zoom = side < AIM ? AIM / side : 1;
        if (layout.zoom > 16)
                layout.zoom = 16;
        while (layout.zoom > 1 &&
               layout.down * (grid->rows * layout.zoom + GAP) + GAP > PXR_PNG_MAX_SIDE)
                layout.zoom--;
        layout.cols = layout.across * (grid->cols * layout.zoom + GAP) + GAP;
        layout.rows = layout.down * (grid->rows * layout.zoom + GAP) + GAP;
        return layout;
}

/* Are there images, and no more pixels in them than a picture may have? Else they cannot be laid
 * out: sizes on record may be anything. */
static bool is_possible(const struct pxr_grid *grid)
{
        return grid->images > 0 && grid->rows > 0 && grid->rows <= PXR_PNG_MAX_SIDE &&
               grid->cols > 0 && grid->cols <= PXR_PNG_MAX_SIDE &&
               grid->images <= PXR_PNG_MAX_PIXELS / grid->rows / grid->cols;
}

int pxr_grid_check(const struct pxr_grid *grid, struct pxr_diag *diag)
{
        struct layout layout;

        if (!is_possible(grid))
                return pxr_user_error(diag,
                                      "%d images of %d x %d pixels do not fit into one picture",
                                      grid->images, grid->rows, grid->cols);
        layout = lay_out(grid);
        if (layout.rows <= PXR_PNG_MAX_SIDE && layout.cols <= PXR_PNG_MAX_SIDE)
                return 0;
        return pxr_user_error(diag,
                              "%d images do not fit into one picture: it would have %d x %d pixels",
                              grid->images, layout.cols, layout.rows);
}

/* Where an image is in the picture. */
static void find_corner(const struct pxr_grid *grid, const struct layout *layout, int image,
                        int *top, int *left)
{
        int row = grid->down ? image % layout->down : image / layout->across;
        int col = grid->down ? image / layout->down : image % layout->across;

        *top = GAP + row * (grid->rows * layout->zoom + GAP);
        *left = GAP + col * (grid->cols * layout->zoom + GAP);
}

/* What the picture shows of one colour of a pixel, a row and a column of the zoomed image. */
static uint8_t shade(const struct pxr_grid *grid, const struct layout *layout, int image, int row,
                     int col, int colour)
{
        size_t pixel = (size_t)(row / layout->zoom) * grid->cols + col / layout->zoom;
        size_t at = ((size_t)image * grid->rows * grid->cols + pixel) * grid->colours + colour;
        int square = layout->zoom > 1 ? (layout->zoom + 1) / 2 : 1;

        if (grid->hidden && image % layout->across == 0 && grid->hidden[pixel])
                return (row / square + col / square) % 2 ? LIGHT : DARK;
        return pxr_level_byte(grid->pixels[at], grid->levels);
}

static void draw_image(const struct pxr_grid *grid, const struct layout *layout, int image,
                       uint8_t *picture)
{
        int top, left;

        find_corner(grid, layout, image, &top, &left);
        for (int row = 0; row < grid->rows * layout->zoom; row++)
                for (int col = 0; col < grid->cols * layout->zoom; col++) {
                        uint8_t *to = picture + ((size_t)(top + row) * layout->cols + left + col) *
                                                        grid->colours;

                        for (int colour = 0; colour < grid->colours; colour++)
                                to[colour] = shade(grid, layout, image, row, col, colour);
                }
}

uint8_t *pxr_grid_png(const struct pxr_grid *grid, size_t *size, struct pxr_diag *diag)
{
        struct layout layout = lay_out(grid);
        size_t bytes = (size_t)layout.rows * layout.cols * grid->colours;
        uint8_t *picture = malloc(bytes), *png;

        if (!picture) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        memset(picture, 128, bytes);
        for (int image = 0; image < grid->images; image++)
                draw_image(grid, &layout, image, picture);
        png = pxr_png_encode(&(struct pxr_picture) { .rows = layout.rows,
                                                     .cols = layout.cols,
                                                     .colours = grid->colours,
                                                     .pixels = picture,
                                                     .texts = grid->texts },
                             size, diag);
        free(picture);
        return png;
}

bool pxr_grid_cut(const struct pxr_grid *grid, const struct pxr_picture *picture, int image,
                  uint8_t *pixels)
{
        struct layout layout;
        int top, left;

        if (!is_possible(grid))
                return false;
        layout = lay_out(grid);
        find_corner(grid, &layout, image, &top, &left);
        if (picture->rows != layout.rows || picture->cols != layout.cols ||
            picture->colours != grid->colours || image < 0 || image >= grid->images)
                return false;
        for (int row = 0; row < grid->rows; row++)
                for (int col = 0; col < grid->cols; col++) {
                        size_t at = (size_t)(top + row * layout.zoom) * layout.cols + left +
                                    col * layout.zoom;

                        memcpy(pixels, picture->pixels + at * grid->colours, grid->colours);
                        pixels += grid->colours;
                }
        return true;
}
