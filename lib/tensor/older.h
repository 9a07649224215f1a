/* SPDX-License-Identifier: MIT */
/*
 * older.h - structs of plugins that were built with older headers, which end earlier (<pxr/abi.h>).
 *
 * Each function returns the struct itself if it is as long as this program's, else a copy whose
 * further fields are zero.
 */
#ifndef PXR_TENSOR_OLDER_H
#define PXR_TENSOR_OLDER_H

#include <pxr/arena.h>
#include <pxr/layer.h>

/* What is wrong with the sizes of a plugin's structs, such as that they are longer than this
 * program's. NULL: nothing. */
const char *pxr_sizes_problem(const struct pxr_plugin *plugin);

/* A layer with its tables of options. NULL when out of memory, or if its tables contain each other.
 */
const struct pxr_layer *pxr_whole_layer(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                        const struct pxr_layer *layer);

/* An op, and a distribution, which may also be libpxr's own. `plugin` NULL: it is this
 * program's. NULL
 * when out of memory. */
const struct pxr_op *pxr_whole_op(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                  const struct pxr_op *op);
const struct pxr_distribution *pxr_whole_distribution(struct pxr_arena *arena,
                                                      const struct pxr_plugin *plugin,
                                                      const struct pxr_distribution *distribution);
const struct pxr_pixel_distribution *
pxr_whole_pixel_distribution(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                             const struct pxr_pixel_distribution *distribution);

#endif
