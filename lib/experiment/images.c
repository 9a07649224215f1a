/* SPDX-License-Identifier: MIT */
/*
 * images.c - taking the images that a model is shown.
 */
#include "experiment/images.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { MOST_IMAGES = 256 };

static int make_room(struct pxr_arena *arena, const struct pxr_graph *graph, int count,
                     struct pxr_images *images)
{
        images->count = count;
        images->pixels = pxr_alloc_array(arena, count, pxr_graph_values(graph));
        images->name = pxr_alloc_array(arena, count, sizeof(*images->name));
        images->number = pxr_alloc_array(arena, count, sizeof(*images->number));
        return images->pixels && images->name && images->number ? 0 : -1;
}

/* --- of the data set ---------------------------------------------------------------------------
 */

/* The split whose name and ':' a text begins with; PXR_SPLITS: none. */
static enum pxr_split split_of(const char *which)
{
        size_t word = strcspn(which, ":");
        int split;

        for (split = 0; split < PXR_SPLITS; split++)
                if (which[word] && strlen(pxr_split_names[split]) == word &&
                    strncmp(which, pxr_split_names[split], word) == 0)
                        break;
        return split;
}

bool pxr_images_of_set(const char *which)
{
        return pxr_split_find(which) >= 0 || split_of(which) < PXR_SPLITS;
}

/* The numbers after the ':', one after the other in index[MOST_IMAGES]. Returns how many, or -1. */
static int read_numbers(const char *which, int64_t *index, struct pxr_diag *diag)
{
        const char *at = strchr(which, ':') + 1;
        char *end;
        int count = 0;

        while (*at >= '0' && *at <= '9' && count < MOST_IMAGES) {
                errno = 0;
                index[count++] = strtoll(at, &end, 10);
                if (errno == ERANGE)
                        return pxr_user_error(diag, "%s: there is no number %.*s", which,
                                              (int)(end - at), at);
                if (!*end)
                        return count;
                at = *end == ',' ? end + 1 : "";
        }
        if (count == MOST_IMAGES)
                return pxr_user_error(diag, "more than %d images", MOST_IMAGES);
        return pxr_user_error(diag, "%s: images are named SPLIT:NUMBER[,NUMBER...], like test:0,5",
                              which);
}

static int check_numbers(const struct pxr_recorded *recorded, enum pxr_split split,
                         const int64_t *index, int count, struct pxr_diag *diag)
{
        int64_t there = recorded->experiment->set->count[split];

        if (there == 0)
                return pxr_user_error(diag, "the run's data set has no %s split",
                                      pxr_split_names[split]);
        for (int i = 0; i < count; i++)
                if (index[i] >= there)
                        return pxr_user_error(diag,
                                              "%s has %lld images, counted from 0: there is no "
                                              "number %lld",
                                              pxr_split_names[split], (long long)there,
                                              (long long)index[i]);
        return 0;
}

int pxr_images_classes(const struct pxr_recorded *recorded, enum pxr_split split,
                       const int64_t *index, int count, const int32_t **classes,
                       struct pxr_diag *diag)
{
        const struct pxr_experiment *e = recorded->experiment;
        int32_t *labels;

        if (!recorded->graph->class_map)
                return 0;
        *classes = labels = pxr_alloc_array(e->arena, count, sizeof(*labels));
        return labels ? pxr_dataset_read_labels(e->set, split, index, count, labels, diag) : -1;
}

static int take_numbers(struct pxr_recorded *recorded, const char *which, const char *path,
                        struct pxr_images *images, struct pxr_diag *diag)
{
        struct pxr_arena *arena = recorded->experiment->arena;
        enum pxr_split split = split_of(which);
        int64_t *index = pxr_alloc_array(arena, MOST_IMAGES, sizeof(*index));
        int count = index ? read_numbers(which, index, diag) : -1;

        if (count < 0 || pxr_recorded_data(recorded, path, diag) ||
            check_numbers(recorded, split, index, count, diag) ||
            make_room(arena, recorded->graph, count, images))
                return -1;
        for (int i = 0; i < count; i++) {
                images->number[i] = (uint32_t)index[i];
                images->name[i] =
                        pxr_strf(arena, "%s:%lld", pxr_split_names[split], (long long)index[i]);
        }
        if (pxr_images_classes(recorded, split, index, count, &images->classes, diag))
                return -1;
        return pxr_dataset_read(recorded->experiment->set, split, 0, index, count, images->pixels,
                                diag);
}

/* --- of a file ---------------------------------------------------------------------------------
 */

/* The length of a word that looks like a split, "tset" or "tset:0,5", up to its ':'; 0: a file. */
static int split_like(const char *which)
{
        size_t word = strspn(which, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-");
        bool numbers = which[word] == ':' && !which[word + strspn(which + word, ":0123456789,")];

        return which[word] == '\0' || numbers ? (int)word : 0;
}

static int take_file(struct pxr_recorded *recorded, const char *path, struct pxr_images *images,
                     struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;
        const struct pxr_image_kind kind = pxr_kind_of(graph);

        if (make_room(recorded->experiment->arena, graph, 1, images))
                return -1;
        images->name[0] = pxr_visible(recorded->experiment->arena, path);
        if (split_like(path) && access(path, F_OK) != 0)
                return pxr_user_error(diag,
                                      "%s: there is no split '%.*s' (train, valid or test), and no "
                                      "file of that name",
                                      path, split_like(path), path);
        if (pxr_png_read_image(path, &kind, images->pixels, diag) == 0)
                return 0;
        if (access(path, F_OK) != 0)
                pxr_note(diag, "an image is a PNG file, or SPLIT:NUMBER[,NUMBER...] of the run's "
                               "data set, like test:0,5");
        return -1;
}

int pxr_images_take(struct pxr_recorded *recorded, const char *which, const char *path, int class,
                    struct pxr_images *images, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;

        *images = (struct pxr_images) { 0 };
        if (pxr_check_class(graph, class, diag) ||
            (split_of(which) < PXR_SPLITS ? take_numbers(recorded, which, path, images, diag)
                                          : take_file(recorded, which, images, diag)))
                return -1;
        if (!graph->class_map || (images->classes && class < 0))
                return 0;
        if (class < 0)
                return pxr_user_error(diag,
                                      "%s: the model is given the class of an image: name it "
                                      "with --class",
                                      images->name[0]);
        images->classes =
                pxr_sample_classes(recorded->experiment->arena, graph, images->count, class);
        return images->classes ? 0 : -1;
}

/* --- as a data set -----------------------------------------------------------------------------
 */

static int read_taken(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                      const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_images *images = set->state;
        size_t size = (size_t)set->rows * set->cols * set->colours;

        (void)split, (void)epoch, (void)diag;
        for (int i = 0; i < count; i++)
                memcpy(pixels + i * size, images->pixels + index[i] * size, size);
        return 0;
}

struct pxr_dataset *pxr_images_dataset(struct pxr_arena *arena, const struct pxr_images *images,
                                       const struct pxr_graph *graph)
{
        struct pxr_dataset *set = pxr_alloc(arena, sizeof(*set));

        if (!set)
                return NULL;
        *set = (struct pxr_dataset) { .name = "images",
                                      .rows = graph->rows,
                                      .cols = graph->cols,
                                      .colours = graph->colours,
                                      .levels = graph->levels,
                                      .count = { [PXR_TEST] = images->count },
                                      .entropy = NAN,
                                      .floor = NAN,
                                      .labels = { [PXR_TEST] = images->classes },
                                      .classes = graph->classes,
                                      .state = (void *)images,
                                      .read = read_taken };
        return set;
}

/* --- training images ---------------------------------------------------------------------------
 */

int pxr_read_batch(const struct pxr_experiment *e, int64_t epoch, const int64_t *index, int count,
                   uint8_t *pixels, struct pxr_trainer *trainer, struct pxr_diag *diag)
{
        if (pxr_dataset_read(e->set, PXR_TRAIN, epoch, index, count, pixels, diag))
                return -1;
        return e->model->graph->class_map ? pxr_dataset_read_labels(e->set, PXR_TRAIN, index, count,
                                                                    trainer->classes, diag)
                                          : 0;
}

/* --- small images ------------------------------------------------------------------------------
 */

static enum pxr_split small_images_split(const struct pxr_dataset *set)
{
        return set->count[PXR_VALID] > 0   ? PXR_VALID
               : set->count[PXR_TRAIN] > 0 ? PXR_TRAIN
                                           : PXR_TEST;
}

const char *pxr_small_images_text(struct pxr_arena *arena, const struct pxr_dataset *set)
{
        return pxr_strf(arena, "small versions of the data set's images, %s:0 on",
                        pxr_split_names[small_images_split(set)]);
}

int pxr_small_images(struct pxr_arena *arena, const struct pxr_graph *graph,
                     const struct pxr_dataset *set, int count, const uint8_t **small,
                     struct pxr_diag *diag)
{
        enum pxr_split split = small_images_split(set);
        size_t size = (size_t)graph->small_rows * graph->small_cols * graph->colours;
        uint8_t *image = pxr_alloc(arena, pxr_graph_values(graph));
        uint8_t *list = size ? pxr_alloc_array(arena, count, size) : NULL;

        *small = list;
        for (int i = 0; list && i < count; i++) {
                int64_t index = i % set->count[split];

                if (!image || pxr_dataset_read(set, split, 0, &index, 1, image, diag))
                        return -1;
                pxr_graph_subsample(graph, image, 1, list + i * size);
        }
        return pxr_arena_failed(arena) ? -1 : 0;
}
