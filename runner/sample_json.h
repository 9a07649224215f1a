/* SPDX-License-Identifier: MIT */
/* sample_json.h - what pxr-sample drew or saw, as JSON on stdout. */
#ifndef PXR_RUNNER_SAMPLE_JSON_H
#define PXR_RUNNER_SAMPLE_JSON_H

#include "experiment/draw.h"
#include "experiment/inspect.h"

/* `out` is the picture's path, `folder` that of plain images; NULL: none. All return 0 or -1. */
int print_drawn_json(const struct pxr_draw_order *order, const struct pxr_drawn *drawn,
                     const char *out, const char *folder, struct pxr_diag *diag);
int print_activations_json(const struct pxr_recorded *recorded,
                           const struct pxr_activations *activations, const char *out,
                           struct pxr_diag *diag);
int print_map_json(const struct pxr_recorded *recorded, const struct pxr_bits_map *map,
                   const char *out, struct pxr_diag *diag);

#endif
