/* SPDX-License-Identifier: MIT */
/*
 * locate.h - from what a user names to a set's `data` mapping.
 */
#ifndef PXR_DATA_LOCATE_H
#define PXR_DATA_LOCATE_H

#include "config/yaml.h"

/* The mapping for pxr_dataset_open() of what `name` is: a set's name, a spec (its `data`), or a
 * file or folder whose format shows from what it holds. Overrides ("limit=5", "data.limit=5") are
 * keys of the mapping. NULL after an error. */
struct pxr_yaml *pxr_data_mapping(struct pxr_arena *arena, const char *name,
                                  const char *const *overrides, size_t count,
                                  struct pxr_diag *diag);

#endif
