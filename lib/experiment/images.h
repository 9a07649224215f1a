/* SPDX-License-Identifier: MIT */
/*
 * images.h - images that a model is shown: of its data set, or of a PNG file.
 */
#ifndef PXR_EXPERIMENT_IMAGES_H
#define PXR_EXPERIMENT_IMAGES_H

#include "data/png.h"
#include "experiment/given.h"
#include "experiment/recorded.h"

/* What PNG files of a model's images are like. */
static inline struct pxr_image_kind pxr_kind_of(const struct pxr_graph *graph)
{
        return (struct pxr_image_kind) { graph->rows, graph->cols, graph->colours, graph->levels };
}

struct pxr_images {
        int count;
        uint8_t *pixels;        /* [image][row][col][colour] */
        const char **name;      /* of each: "valid:3", or the file's */
        uint32_t *number;       /* of each: its index in its split; 0 of a file */
        const int32_t *classes; /* of each, if the model is given them; else NULL */
};

/* Whether `which` names images of a data set, "test" or "test:0,5", and not a file. */
bool pxr_images_of_set(const char *which);

/* Take the images that `which` names: SPLIT:INDEX[,INDEX...] of the run's data set, which lies at
 * `path` now (NULL: where the spec says), or a PNG file, as pxr_png_read_image() reads one. A model
 * that is given the class is given `class` or, if that is -1, their labels; a file has none.
 * Returns 0 or -1. */
int pxr_images_take(struct pxr_recorded *recorded, const char *which, const char *path, int class,
                    struct pxr_images *images, struct pxr_diag *diag);

/* A data set of these images alone, as its test split: for pxr_evaluate(). NULL when memory is
 * out. */
struct pxr_dataset *pxr_images_dataset(struct pxr_arena *arena, const struct pxr_images *images,
                                       const struct pxr_graph *graph);

/* The labels of `count` images of a split, if the model is given the class; else *classes does not
 * change. They live as long as the experiment. Returns 0 or -1. */
int pxr_images_classes(const struct pxr_recorded *recorded, enum pxr_split split,
                       const int64_t *index, int count, const int32_t **classes,
                       struct pxr_diag *diag);

/* Read training images of an epoch to `pixels`, and their classes, if the model is given them, to
 * the trainer's. Returns 0 or -1. */
int pxr_read_batch(const struct pxr_experiment *experiment, int64_t epoch, const int64_t *index,
                   int count, uint8_t *pixels, struct pxr_trainer *trainer, struct pxr_diag *diag);

/* What samples of a model that is given small images are given by default: the first images of the
 * validation split (or else of the training, or of the test split), subsampled, from the first
 * again after the last. *small is NULL for any other model. Returns 0 or -1. */
int pxr_small_images(struct pxr_arena *arena, const struct pxr_graph *graph,
                     const struct pxr_dataset *set, int count, const uint8_t **small,
                     struct pxr_diag *diag);

/* Which these are, for captions. */
const char *pxr_small_images_text(struct pxr_arena *arena, const struct pxr_dataset *set);

#endif
