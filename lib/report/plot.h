/* SPDX-License-Identifier: MIT */
/*
 * plot.h - plots in an HTML page: learning curves and heat maps. They can be read without a script;
 * page.js shows the values under a pointer.
 */
#ifndef PXR_REPORT_PLOT_H
#define PXR_REPORT_PLOT_H

#include <stdio.h>

#include "report/curves.h"

/* A level marked in a plot by a horizontal line. */
struct pxr_plot_line {
        const char *name; /* "exact entropy" */
        double value;     /* NAN: there is none */
};

struct pxr_curve_plot {
        const struct pxr_curve *curve; /* [PXR_CURVES] */
        bool bits;                     /* in bits per dimension, not nats per image */
        struct pxr_plot_line line[2];  /* in that unit */
};

/* Learning curves over epochs. */
void pxr_plot_curves(FILE *to, const struct pxr_curve_plot *plot);

struct pxr_value_map {
        int rows, cols, colours;
        const double *value; /* [row][col][colour]; negative values and NaN are drawn as 0 */
        const char *unit;    /* of one: "bits per value" */
};

/* Heat maps of one scale, one a colour, with their colour bar. Returns 0, or -1 after an error. */
int pxr_plot_map(FILE *to, const struct pxr_value_map *map, struct pxr_diag *diag);

#endif
