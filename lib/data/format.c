/* SPDX-License-Identifier: MIT */
/* format.c - what data sets share. */
#include "config.h"

#include <string.h>

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

struct pxr_location pxr_data_location(const struct pxr_opening *o, const char *option)
{
        const struct pxr_yaml *node = pxr_yaml_get(o->node, option);

        return node ? node->location : o->node->location;
}

int pxr_data_cut(const struct pxr_opening *o, const char *option, int64_t count, const char *own,
                 const char *path, int64_t *train)
{
        struct pxr_location location = pxr_data_location(o, option);

        if (count > 0 && own)
                return pxr_error_at(o->diag, location, "'%s: %lld' conflicts with the existing %s",
                                    option, (long long)count, own);
        if (count > 0 && count >= *train)
                return pxr_error_at(o->diag, location,
                                    "%s: '%s: %lld' leaves no training images (there are %lld)",
                                    path, option, (long long)count, (long long)*train);
        *train -= count;
        return 0;
}

void pxr_data_interleave(const uint8_t *planes, size_t plane, uint8_t *pixels)
{
        for (size_t at = 0; at < plane; at++)
                for (size_t colour = 0; colour < 3; colour++)
                        pixels[3 * at + colour] = planes[colour * plane + at];
}

int pxr_data_read(struct pxr_reader *input, void *bytes, size_t size, const char *what,
                  struct pxr_diag *diag)
{
        int64_t got = pxr_reader_read_all(input, bytes, size, diag);

        if (got < 0 || (size_t)got == size)
                return got < 0 ? -1 : 0;
        return pxr_user_error(diag, "%s: byte %lld: unexpected end of data in %s (truncated?)",
                              pxr_reader_path(input), (long long)pxr_reader_offset(input), what);
}

int pxr_data_end(struct pxr_reader *input, int64_t count, const char *things, struct pxr_diag *diag)
{
        char more;
        int64_t got = pxr_reader_read(input, &more, 1, diag);

        if (got <= 0)
                return (int)got;
        return pxr_user_error(diag, "%s: byte %lld: junk after the last of %lld %s",
                              pxr_reader_path(input), (long long)pxr_reader_offset(input) - 1,
                              (long long)count, things);
}

int pxr_data_add_file(struct pxr_opening *o, const char *path, int64_t size, const char *sha256)
{
        struct pxr_data_file *file = pxr_alloc(o->arena, sizeof *file), **end = &o->set->files;

        if (!file)
                return -1;
        file->path = pxr_strdup(o->arena, path);
        file->sha256 = pxr_strdup(o->arena, sha256);
        file->size = size;
        while (*end)
                end = &(*end)->next;
        *end = file;
        return 0;
}

int pxr_data_record(struct pxr_opening *o, struct pxr_reader *input)
{
        char chunk[1 << 14], hex[PXR_SHA256_HEX];
        int64_t got, size;

        while ((got = pxr_reader_read(input, chunk, sizeof chunk, o->diag)) > 0)
                ;
        if (got < 0)
                return -1;
        pxr_reader_hash(input, hex, &size);
        return pxr_data_add_file(o, pxr_reader_path(input), size, hex);
}
