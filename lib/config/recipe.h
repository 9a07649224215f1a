/* SPDX-License-Identifier: MIT */
/*
 * recipe.h - what tells runs of one recipe, several seeds of it, from others.
 */
#ifndef PXR_CONFIG_RECIPE_H
#define PXR_CONFIG_RECIPE_H

#include "base/hash.h"
#include "config/yaml.h"

/* SHA-256, in hexadecimal, of a resolved spec without its seed, and without what has no influence
 * on the NLL: how it is called, which row it reproduces, where the data lie, what is drawn or
 * evaluated besides. Returns 0 or -1. */
int pxr_spec_recipe(struct pxr_arena *arena, const char *spec, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag);

/* Parse a resolved spec that is on record. NULL after an error. */
struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec,
                                   struct pxr_diag *diag);

#endif
