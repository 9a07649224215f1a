/* SPDX-License-Identifier: MIT */
/*
 * recipe.h - the hash that runs which differ in their seed alone have in common.
 */
#ifndef PXR_CONFIG_RECIPE_H
#define PXR_CONFIG_RECIPE_H

#include "base/hash.h"
#include "config/yaml.h"

/* SHA-256, in hexadecimal, of a resolved spec without its seed, and without what does not change
 * the NLL: its name, the row it reproduces, the path of its data, what is drawn or evaluated
 * besides. Returns 0 or -1. */
int pxr_spec_recipe(struct pxr_arena *arena, const char *spec, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag);

/* Parse the resolved spec of a run. NULL after an error. */
struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec,
                                   struct pxr_diag *diag);

#endif
