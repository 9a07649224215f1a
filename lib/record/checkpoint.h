/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.h - a run's checkpoints: safetensors files in its folder, with a row for each.
 *
 * Parameters have their own names; "average.<name>" and "<moment>.<name>" are beside them.
 */
#ifndef PXR_RECORD_CHECKPOINT_H
#define PXR_RECORD_CHECKPOINT_H

#include "base/hash.h"
#include "record/database.h"
#include "record/safetensors.h"
#include "tensor/graph.h"

/* Values of all parameters of a graph, with the prefix of their names in a file. */
struct pxr_checkpoint_values {
        const char *prefix; /* "", or one that ends with '.', or a moment's name */
        float *values;
};

/* Have the file hold these values, which must outlive it. Returns 0 or -1. */
int pxr_checkpoint_fill(struct pxr_arena *arena, const struct pxr_graph *graph,
                        const struct pxr_checkpoint_values *values, int count,
                        struct pxr_safetensors *file);

/* Copy the values out of a file: all, or after an error none. */
int pxr_checkpoint_copy(struct pxr_arena *arena, const struct pxr_graph *graph,
                        const struct pxr_safetensors *file,
                        const struct pxr_checkpoint_values *values, int count,
                        struct pxr_diag *diag);

/* A whole number from 0 to `most` of a file's metadata, 0 where it is missing. Returns 0 or -1. */
int pxr_checkpoint_number(const struct pxr_safetensors *file, const char *key, int64_t most,
                          int64_t *value, struct pxr_diag *diag);

/* The path of a run's checkpoint, to open. */
char *pxr_checkpoint_path(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                          const char *uid, int64_t step);

/* Write the file of a checkpoint, and fill its row but for `epoch` and `best`; row->step is given.
 * The caller records the row, then calls pxr_checkpoint_recorded(). Returns 0 or -1. */
int pxr_checkpoint_write(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                         const char *uid, struct pxr_safetensors *file,
                         struct pxr_checkpoint_row *row, struct pxr_diag *diag);

/* After a checkpoint was recorded: remove the files in the run's own folder that are not on record
 * (any more). Returns 0 or -1. */
int pxr_checkpoint_recorded(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                            const char *uid, struct pxr_diag *diag);

/* Open a checkpoint's file if it is what was recorded, by its SHA-256 and step. NULL after an
 * error. */
struct pxr_safetensors *pxr_checkpoint_open(struct pxr_arena *arena, const char *database,
                                            const struct pxr_checkpoint_row *row,
                                            struct pxr_diag *diag);

/* Read the parameters (`average`: the averaged ones) of a checkpoint that is on record. Returns 0
 * or -1. */
int pxr_checkpoint_read(struct pxr_arena *arena, const char *database,
                        const struct pxr_checkpoint_row *row, const struct pxr_graph *graph,
                        bool average, float *parameters, struct pxr_diag *diag);

/* SHA-256 of `size` parameters, in hexadecimal. */
void pxr_hash_parameters(const float *parameters, size_t size, char hex[PXR_SHA256_HEX]);

#endif
