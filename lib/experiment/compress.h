/* SPDX-License-Identifier: MIT */
/*
 * compress.h - images to a file and back, under the model of a recorded run.
 */
#ifndef PXR_EXPERIMENT_COMPRESS_H
#define PXR_EXPERIMENT_COMPRESS_H

#include "data/data.h"
#include "experiment/recorded.h"
#include "codec/codec_file.h"

/* How it is done. */
struct pxr_codec_work {
        int threads;
        const struct pxr_observer *observer; /* of the images coded; NULL: none */
};

/* What to compress: PNG files, or some images of a split. */
struct pxr_compression {
        struct pxr_recorded *recorded;
        const char *const *files;
        size_t file_count; /* 0: of a split */
        enum pxr_split split;
        int64_t first, count; /* count 0: all from `first` on */
        int class; /* of files, for a model that is given it; -1: none is chosen. Images of a split
                      have labels */
        const char *data_path; /* where the data set lies now; NULL: where it did */
        const char *out;
        bool replace; /* a file at `out` is overwritten */
        struct pxr_codec_work work;
};

/* Compress to a new file, whose description goes to *file, without the streams. Returns 0, 1 when
 * the observer stopped it, or -1 after an error. */
int pxr_compress(struct pxr_arena *arena, const struct pxr_compression *order,
                 struct pxr_codec_file *file, struct pxr_diag *diag);

/* Decompress a file to a new or empty folder of PNG files. Nothing is written unless every pixel is
 * what was compressed. `path` names it in errors. Returns as above. */
int pxr_decompress(struct pxr_arena *arena, const struct pxr_recorded *recorded,
                   const struct pxr_codec_file *file, const char *path, const char *folder,
                   const struct pxr_codec_work *work, struct pxr_diag *diag);

#endif
