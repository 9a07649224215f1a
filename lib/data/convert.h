/* SPDX-License-Identifier: MIT */
/*
 * convert.h - writing a set as other files.
 */
#ifndef PXR_DATA_CONVERT_H
#define PXR_DATA_CONVERT_H

#include "base/progress.h"
#include "data/data.h"

enum pxr_container {
        PXR_TO_PNG, /* folders train, valid, test of files 0000000.png: what png_folder reads */
        PXR_TO_NPZ, /* files train.npz, val.npz, test.npz: what npz reads */
};

/* "png", "npz", NULL. */
extern const char *const pxr_container_names[];

/* Write all splits of a set, as of epoch 0, to the new or empty folder `folder`. Levels are spread
 * from 0 to 255. A set with labels is refused, since they are not written. Returns 0, 1 if the
 * observer stopped it, or -1; in both cases nothing is left there. */
int pxr_convert(const struct pxr_dataset *set, enum pxr_container container, const char *folder,
                const struct pxr_observer *observer, struct pxr_diag *diag);

#endif
