/* SPDX-License-Identifier: MIT */
/* format.c - what data sets share. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "config/yaml.h"
#include "data/format.h"

const char *const pxr_split_names[] = { "train", "valid", "test", NULL };

int pxr_split_find(const char *word)
{
        for (int split = 0; split < PXR_SPLITS; split++)
                if (strcmp(pxr_split_names[split], word) == 0)
                        return split;
        return -1;
}

struct pxr_location pxr_data_place(const struct pxr_data_common *common, const char *option)
{
        const struct pxr_yaml *node = pxr_yaml_get(common->node, option);

        return node ? node->mark : common->node->mark;
}

uint8_t *pxr_images_add(struct pxr_images *images)
{
        if (images->count == images->room) {
                int64_t room = images->room ? images->room * 2 : 64;
                size_t size;
                uint8_t *pixels;

                if (__builtin_mul_overflow((size_t)room, images->size, &size))
                        return NULL;
                pixels = realloc(images->pixels, size);
                if (!pixels)
                        return NULL;
                images->pixels = pixels;
                images->room = room;
        }
        return images->pixels + images->size * (size_t)images->count++;
}

int pxr_images_keep(struct pxr_images *images, struct pxr_arena *arena, struct pxr_diag *diag)
{
        uint8_t *exact = realloc(images->pixels, images->size * (size_t)images->count);

        if (exact)
                images->pixels = exact;
        if (pxr_arena_defer(arena, free, images->pixels)) {
                images->pixels = NULL;
                return pxr_out_of_memory(diag);
        }
        return 0;
}

void pxr_data_interleave(const uint8_t *planes, size_t plane, uint8_t *pixels)
{
        for (size_t at = 0; at < plane; at++)
                for (size_t colour = 0; colour < 3; colour++)
                        pixels[3 * at + colour] = planes[colour * plane + at];
}

const char *pxr_data_digest(struct pxr_arena *arena, const void *bytes, size_t size,
                            struct pxr_diag *diag)
{
        char hex[PXR_SHA256_HEX], *copy;

        pxr_sha256(bytes, size, hex);
        copy = pxr_strdup(arena, hex);
        if (!copy)
                pxr_out_of_memory(diag);
        return copy;
}

int pxr_data_add_file(struct pxr_arena *arena, struct pxr_dataset *set, const char *path,
                      int64_t size, const char *sha256, struct pxr_diag *diag)
{
        struct pxr_data_file *file = pxr_alloc(arena, sizeof *file), **end = &set->files;

        if (!file || !path)
                return pxr_out_of_memory(diag);
        file->path = pxr_strdup(arena, path);
        file->sha256 = pxr_strdup(arena, sha256);
        file->size = size;
        if (!file->path || !file->sha256)
                return pxr_out_of_memory(diag);
        while (*end)
                end = &(*end)->next;
        *end = file;
        return 0;
}
