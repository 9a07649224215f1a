/* SPDX-License-Identifier: MIT */
/*
 * given.h - what a conditional model is given of an image: its small version, its class, or both.
 */
#ifndef PXR_EXPERIMENT_GIVEN_H
#define PXR_EXPERIMENT_GIVEN_H

#include <stdint.h>

#include "tensor/graph.h"

/* For the record: "32x32", "class of 10" or "32x32, class of 10"; NULL: nothing. */
const char *pxr_given(struct pxr_arena *arena, const struct pxr_graph *graph);

/* The number of classes in such a text; 0: none. NULL is allowed. */
int pxr_given_classes(const char *given);

/* For sentences: "its 4x4 version", "its class" or "its 4x4 version and its class"; NULL: nothing.
 */
const char *pxr_given_version(struct pxr_arena *arena, const struct pxr_graph *graph);

/* Check a class that images are to be drawn or evaluated of; -1: none is chosen. Returns 0, or -1
 * after an error. */
int pxr_check_class(const struct pxr_graph *graph, int class, struct pxr_diag *diag);

/* The classes of `count` samples: `chosen`, or if that is -1, all classes in turn. NULL for a model
 * that is not given the class, and when memory is out. */
const int32_t *pxr_sample_classes(struct pxr_arena *arena, const struct pxr_graph *graph, int count,
                                  int chosen);

/* Which these are, for captions; NULL for a model that is not given the class. */
const char *pxr_sample_classes_text(struct pxr_arena *arena, const struct pxr_graph *graph,
                                    int chosen);

/* How many of `count` samples, of so many classes in turn, are in a column of their grid, so that
 * each row is a class; 0 if there are no classes or fewer samples: the grid is then as usual. */
int pxr_classes_down(int classes, int64_t count);

#endif
