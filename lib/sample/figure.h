/* SPDX-License-Identifier: MIT */
/*
 * figure.h - plots as self-contained SVG files.
 */
#ifndef PXR_SAMPLE_FIGURE_H
#define PXR_SAMPLE_FIGURE_H

#include "data/png.h"

/* The distribution over the levels of one colour of a pixel, given all values before it. */
struct pxr_softmax_panel {
        const char *title; /* "valid:3, row 10, column 14, red" */
        const char *image; /* "valid:3"; it, row and column are for the caller */
        int row, col;
        int colour;                /* 0, 1, 2: red, green, blue; -1: grey */
        const double *probability; /* [levels] */
        int value;                 /* what the image has there */
};

struct pxr_softmax_plot {
        const char *title;
        int levels;
        const struct pxr_softmax_panel *panel;
        int panels;
        struct pxr_png_texts texts; /* kept in the file's metadata */
};

/* Panels of bars on one scale, with axes and labels (Figure 6 of the paper). Returns the text, in
 * the arena; NULL when out of memory. */
const char *pxr_softmax_svg(struct pxr_arena *arena, const struct pxr_softmax_plot *plot);

struct pxr_map_plot {
        const char *title;
        const char *unit; /* of the values: "bits per pixel" */
        int rows, cols;
        const double *value; /* [row][col], none below 0 */
        struct pxr_png_texts texts;
};

/* A heat map with axes and a labelled colour bar, of the scale of pxr_heat_end(). As above. */
const char *pxr_map_svg(struct pxr_arena *arena, const struct pxr_map_plot *plot);

/* The end of a heat map's scale: the highest value; or, if that is over 1.5 times the 99th
 * percentile, the percentile, so that a few outliers do not make all others look alike. NaN is
 * ignored; 1 if no value is over 0. Sets *highest to the highest value. */
double pxr_heat_end(const double *value, size_t count, double *highest);

/* The colour at `part` (0 to 1, clamped) of a heat map's scale, from dark to light, which also
 * works in grey. */
void pxr_heat(double part, uint8_t rgb[3]);

/* The step of an axis: 1, 2 or 5 times a power of ten, at most `most` of which fit into `all`. */
double pxr_tick_step(double all, int most);

#endif
