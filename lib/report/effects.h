/* SPDX-License-Identifier: MIT */
/* effects.h - what each swept key has to do with the NLL. */
#ifndef PXR_REPORT_EFFECTS_H
#define PXR_REPORT_EFFECTS_H

#include "report/swept.h"
#include "report/table.h"

/* Table "effects": for each value of each key the mean and the best NLL of its runs but those that
 * diverged, which are counted; for a key drawn from a range its thirds, and the rank correlation.
 * Of halving, the lowest rung alone. NULL after an error. */
struct pxr_table *pxr_effects_table(struct pxr_arena *arena, const struct pxr_swept *swept,
                                    struct pxr_diag *diag);

/* Spearman's rank correlation of two lists, equal values sharing their mean rank. NAN when either
 * is the same throughout. `room` holds 3 * count numbers. */
double pxr_rank_correlation(const double *x, const double *y, int count, double *room);

#endif
