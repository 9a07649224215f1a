/* SPDX-License-Identifier: MIT */
/* curves.h - learning curves, the scale to draw them in, and sparklines. */
#ifndef PXR_REPORT_CURVES_H
#define PXR_REPORT_CURVES_H

#include "record/database.h"

/* The learning curves of a run: its NLLs along the way, split by split in the order train, valid,
 * test, in bits per dimension or nats per image, with no more points than can be told apart.
 * Returns 0 or -1. */
struct pxr_point {
        int64_t step;
        double epoch, nll;
};
struct pxr_curve {
        const char *split; /* NULL: no more curves */
        size_t count, all; /* points; how many are on record */
        struct pxr_point *point;
        struct pxr_point final; /* the result, if there is one and it is finite */
        bool has_final;
        bool bits;
        int64_t dimensions;
};
enum { PXR_CURVES = 4 }; /* the splits, and room for the unforeseen */
int pxr_report_curves(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                      struct pxr_curve curve[PXR_CURVES], struct pxr_diag *diag);

/* How high a scale from `low` may reach so that points up to `others` keep a third of it. Points
 * above it may be clipped, unless a curve has so few that each counts. */
double pxr_highest_end(double low, double others);
enum { PXR_FEW_POINTS = 8 };

/* Points above this NLL are clipped: it is a multiple of the better ones, as after training
 * diverged, and would leave them no room. INFINITY: none are. */
double pxr_curve_ceiling(const struct pxr_curve *curve, int curves);

/* A curve as a line of characters; an arrow is a point above the ceiling. */
char *pxr_sparkline(struct pxr_arena *arena, const struct pxr_curve *curve, int width);

#endif
