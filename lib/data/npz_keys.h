/* SPDX-License-Identifier: MIT */
/*
 * npz_keys.h - which arrays of an .npz file are images and labels.
 *
 * Images are the array that is named, else `data`, else those named by splits, as Keras and
 * MedMNIST have them (x_train, train_images ...), else the only one that can be images. Their
 * labels are the array `labels`, `label`, `y` or `targets`, or y_train, train_labels and so on.
 */
#ifndef PXR_DATA_NPZ_KEYS_H
#define PXR_DATA_NPZ_KEYS_H

#include "data/format.h"

/* The arrays of a split, without ".npy"; NULL: none. */
struct pxr_npz_keys {
        const char *images, *labels;
};

/* Choose from the arrays of a file. `key`: the name of the images; NULL: not stated. An array
 * that is not one of several splits is put in keys[PXR_TRAIN]. Returns 0 or -1. */
int pxr_npz_choose(struct pxr_opening *o, const char *path, const char *key,
                   struct pxr_npz_keys keys[PXR_SPLITS]);

#endif
