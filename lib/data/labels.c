/* SPDX-License-Identifier: MIT */
/* labels.c - the labels of a set's images while it is opened, and reading them. */
#include "config.h"

#include <stdlib.h>

#include "base/hash.h"
#include "data/labels.h"

struct pxr_labels {
        int32_t *of; /* malloc() */
        int64_t count, room;
};

void pxr_dataset_ask_labels(struct pxr_opening *opening)
{
        opening->common.labels = true;
}

static void clean(void *what)
{
        struct pxr_labels *labels = what;

        free(labels->of);
}

static struct pxr_labels *begin(struct pxr_opening *o)
{
        struct pxr_labels *labels = pxr_alloc(o->arena, sizeof *labels);

        return labels && pxr_arena_defer(o->arena, clean, labels) == 0 ? labels : NULL;
}

int pxr_labels_add(struct pxr_opening *o, const char *where, int64_t label)
{
        struct pxr_labels *labels = o->labels = o->labels ? o->labels : begin(o);

        if (!labels)
                return -1;
        if (label < 0 || label >= PXR_CLASSES_MOST)
                return pxr_user_error(
                        o->diag, "%s: label %lld of image %lld is out of range, 0 to %d", where,
                        (long long)label, (long long)labels->count + 1, PXR_CLASSES_MOST - 1);
        if (labels->count == labels->room) {
                int64_t room = labels->room ? 2 * labels->room : 1024;
                int32_t *more = realloc(labels->of, (size_t)room * sizeof *more);

                if (!more)
                        return pxr_out_of_memory(o->diag);
                labels->of = more;
                labels->room = room;
        }
        labels->of[labels->count++] = (int32_t)label;
        return 0;
}

int64_t pxr_labels_count(const struct pxr_opening *o)
{
        return o->labels ? o->labels->count : 0;
}

/* Of the labels as 32-bit numbers, least significant byte first. */
static void hash_labels(const int32_t *labels, int64_t count, char hex[PXR_SHA256_HEX])
{
        struct pxr_sha256 hash;

        pxr_sha256_init(&hash);
        for (int64_t i = 0; i < count; i++) {
                uint32_t label = (uint32_t)labels[i];
                uint8_t bytes[4];

                for (int j = 0; j < 4; j++)
                        bytes[j] = (uint8_t)(label >> 8 * j);
                pxr_sha256_update(&hash, bytes, sizeof bytes);
        }
        pxr_sha256_final(&hash, hex);
}

int pxr_labels_split(struct pxr_opening *o, enum pxr_split split, const int64_t *order,
                     int64_t first, int64_t count)
{
        char hex[PXR_SHA256_HEX];
        int32_t *labels;

        if (!o->labels)
                return 0;
        if (first + count > o->labels->count)
                return pxr_system_error(o->diag, "%s: there are fewer labels than images",
                                        o->set->name);
        labels = pxr_alloc_array(o->arena, (size_t)count, sizeof *labels);
        if (!labels)
                return -1;
        for (int64_t i = 0; i < count; i++)
                labels[i] = o->labels->of[order ? order[first + i] : first + i];
        hash_labels(labels, count, hex);
        o->set->labels[split] = labels;
        o->set->label_digest[split] = pxr_strdup(o->arena, hex);
        return 0;
}

int pxr_labels_finish(struct pxr_opening *o)
{
        struct pxr_dataset *set = o->set;
        int32_t most = 0;

        if (!o->common.labels)
                return 0;
        for (int split = 0; split < PXR_SPLITS; split++)
                if (set->count[split] > 0 && !set->labels[split])
                        return pxr_error_at(o->diag, pxr_data_location(o, "labels"),
                                            "data: %s: 'labels: true', but the %s images have no "
                                            "labels",
                                            set->name, pxr_split_names[split]);
        for (int64_t i = 0; o->labels && i < o->labels->count; i++)
                most = o->labels->of[i] > most ? o->labels->of[i] : most;
        if (set->classes == 0)
                set->classes = most + 1;
        return 0;
}

bool pxr_dataset_has_labels(const struct pxr_dataset *set)
{
        return set->opening->common.labels;
}

int pxr_dataset_classes(const struct pxr_opening *opening)
{
        enum { SOME = 2 };

        if (!opening->common.labels)
                return 0;
        return opening->set->classes > 0 ? opening->set->classes : SOME;
}

int pxr_dataset_read_labels(const struct pxr_dataset *set, enum pxr_split split,
                            const int64_t *index, int count, int32_t *labels, struct pxr_diag *diag)
{
        if (!set->labels[split])
                return pxr_system_error(diag, "%s: opened without labels", set->name);
        for (int i = 0; i < count; i++) {
                if (index[i] < 0 || index[i] >= set->count[split])
                        return pxr_system_error(diag, "%s: no image %lld among the %lld of %s",
                                                set->name, (long long)index[i],
                                                (long long)set->count[split],
                                                pxr_split_names[split]);
                labels[i] = set->labels[split][index[i]];
        }
        return 0;
}
