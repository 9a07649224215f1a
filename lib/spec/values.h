/* SPDX-License-Identifier: MIT */
/*
 * values.h - reading one value by its row of an option table.
 */
#ifndef PXR_SPEC_VALUES_H
#define PXR_SPEC_VALUES_H

#include "spec/options.h"

/* Check `node` against `row`, set the field of `conf`, and bring the node to one form. Returns 0,
 * or -1 after an error at the node's mark. */
int pxr_value_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                   const struct pxr_option *row, void *conf, struct pxr_diag *diag);

#endif
