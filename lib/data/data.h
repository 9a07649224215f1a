/* SPDX-License-Identifier: MIT */
/*
 * data.h - data sets: images of one size, in splits, with an identity; and their labels.
 *
 * Labels are read only if they are asked for, by `labels: true` in a spec's `data` or by
 * pxr_dataset_ask_labels(). They are then in set->labels, and pxr_dataset_read_labels() copies
 * those of a batch.
 *
 * A data set is described by one file of this folder and one row in sets.c (format.h).
 */
#ifndef PXR_DATA_DATA_H
#define PXR_DATA_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include <pxr/arena.h>
#include <pxr/option.h>

enum pxr_split { PXR_TRAIN, PXR_VALID, PXR_TEST, PXR_SPLITS };

/* "train", "valid", "test", NULL: for option tables too. */
extern const char *const pxr_split_names[];

/* The split that a word names, or -1. */
int pxr_split_find(const char *word);

/* A file that was read. */
struct pxr_data_file {
        const char *path;
        int64_t size;       /* bytes on disk */
        const char *sha256; /* of those bytes, in hexadecimal */
        struct pxr_data_file *next;
};

struct pxr_opening; /* a set whose options are read (format.h) */

/* An open data set. Everything is set by pxr_dataset_open() and constant afterwards, so that
 * several threads may read from it. */
struct pxr_dataset {
        const char *name;                  /* the `set` of the spec */
        const struct pxr_opening *opening; /* what it was opened with */
        int rows, cols;
        int colours;               /* 1 (grey) or 3 (red, green, blue) */
        int levels;                /* values a pixel's colour can have: 2 to 256 */
        int64_t count[PXR_SPLITS]; /* images in each split; 0: no such split */
        int64_t whole[PXR_SPLITS]; /* ... and before the data's `limit` */
        double entropy;            /* exact, nats per image; NAN: unknown */
        double floor;              /* an NLL below this many nats an image is suspect; or NAN */
        const char *digest[PXR_SPLITS]; /* SHA-256 of each split's content, whole and before any
                                           transform, in hexadecimal; NULL: no such split */
        const char *uncut;      /* the digest of train before `valid` was cut from it; or NULL */
        const char *content;    /* the identity of the images as they are in the files: without
                                   transforms, and before `valid` was cut; NULL: unknown */
        const char *identity;   /* SHA-256 over the digests, counts and transforms, hex */
        const char *transforms; /* the chain of transforms as text: "static binarization" */
        const char *transforms_of_size; /* the part of it before images are downsampled */
        bool mirrors;                   /* the chain ends with a random mirroring of train */
        struct pxr_data_file *files;

        /* The labels, of a set that was opened with `labels: true`. Label 0 is the first class. The
         * labels of a split are in the order of its images, whatever was cut off or limited. */
        const int32_t *labels[PXR_SPLITS];    /* of each image; NULL: not asked for, or no split */
        int classes;                          /* more than every label in the files; 0: unknown */
        const char *const *class_names;       /* of these; NULL: unknown */
        const char *label_digest[PXR_SPLITS]; /* SHA-256 of a split's labels, whole, in hex */
        void *state;                          /* of the format */

        /* The exact -log p of one image, in nats, under the law the set is drawn from; NULL where
         * it is unknown. Its mean over a split is the NLL of a perfect model. */
        double (*nats)(const struct pxr_dataset *set, const uint8_t *pixels);

        /* pxr_dataset_read() below, which has checked the indices. */
        int (*read)(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                    const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag);
};

/* Read the options of a spec's `data` mapping, and complete it, without opening anything. Returns
 * 0, or -1 after errors. Unless the set is unknown, *opening is what could be read, else NULL. */
int pxr_dataset_check(struct pxr_arena *arena, struct pxr_yaml *data, struct pxr_opening **opening,
                      struct pxr_diag *diag);

/* Ask for the labels of a set that is not open yet, as `labels: true` does: if the files have none,
 * opening it is an error. The labels become part of the data's identity. */
void pxr_dataset_ask_labels(struct pxr_opening *opening);

/* Check that what the `path` of a mapping names exists. Returns 0, or -1 after an error. */
int pxr_dataset_find(const struct pxr_opening *opening, struct pxr_diag *diag);

/* A set of the rows, cols, colours and levels that its images have, as far as the options
 * determine them without opening a file; NULL if they do not. Wrong options are ignored. Nothing
 * else in it is set, and it is not opened any more. */
struct pxr_dataset *pxr_dataset_foresee(struct pxr_opening *opening);

/* Open a set whose options have no errors. Relative paths are taken from the current folder. `seed`
 * is the run's: it keys what is drawn anew each epoch of training. What is drawn once (synthetic
 * images, the binarization of valid and test) has a seed among the set's own options, so that the
 * identity does not change with the run's. NULL after errors. The set lives as long as the arena.
 */
struct pxr_dataset *pxr_dataset_open_checked(struct pxr_opening *opening, uint64_t seed,
                                             struct pxr_diag *diag);

/* Check a mapping and open its set. NULL after errors. */
struct pxr_dataset *pxr_dataset_open(struct pxr_arena *arena, struct pxr_yaml *data, uint64_t seed,
                                     struct pxr_diag *diag);

/* The mapping for pxr_dataset_open() of what `name` is: a set's name, a spec (its `data`), or a
 * file or folder whose format shows from what it holds. Overrides ("limit=5", "data.limit=5") are
 * keys of the mapping. NULL after an error. */
struct pxr_yaml *pxr_data_mapping(struct pxr_arena *arena, const char *name,
                                  const char *const *overrides, size_t count,
                                  struct pxr_diag *diag);

/* The identity that the set has with its images downsampled to rows x cols, all else being the
 * same: what a conditional model is given, as the images of a run of their own. */
const char *pxr_dataset_small_identity(struct pxr_arena *arena, const struct pxr_dataset *set,
                                       int rows, int cols);

/* Copy images index[0 .. count-1] of a split to pixels[image][row][col][colour], values 0 to
 * levels - 1. `epoch` matters to sets that draw anew each epoch (stochastic binarization); the
 * valid and test splits never change with it. Returns 0 or -1. */
int pxr_dataset_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                     const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag);

/* Whether it was opened with labels. */
bool pxr_dataset_has_labels(const struct pxr_dataset *set);

/* The classes that the labels tell apart, if they were asked for, else 0. If they are unknown, as
 * before the set is opened, some number above 0. */
int pxr_dataset_classes(const struct pxr_opening *opening);

/* Copy the labels of the same images, 0 to set->classes - 1. The set must have been opened with
 * labels. Returns 0 or -1. */
int pxr_dataset_read_labels(const struct pxr_dataset *set, enum pxr_split split,
                            const int64_t *index, int count, int32_t *labels,
                            struct pxr_diag *diag);

#endif
