/* SPDX-License-Identifier: MIT */
/* digest_cache.c - digests of large sets, kept between runs. */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/format.h"
#include "data/digest_cache.h"

/* The first line: the version of the file format and of the keys. */
static const char head[] = "pxr digests 1\n";

/* The folder that has the cache's folder pxr; NULL: there is no cache. */
static const char *cache_folder(struct pxr_arena *arena)
{
        const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

        if (cache && cache[0] == '/')
                return cache;
        return home && home[0] == '/' ? pxr_strf(arena, "%s/.cache", home) : NULL;
}

static const char *cache_path(struct pxr_arena *arena, const char *folder, const char *key)
{
        return pxr_strf(arena, "%s/pxr/digests-%s", folder, key);
}

static bool is_complete(const struct pxr_dataset *set)
{
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0 && !set->digest[i])
                        return false;
        return set->files != NULL;
}

/* Read the lines of a file. An invalid line leaves the set incomplete. */
static void load(struct pxr_opening *o, FILE *file)
{
        char line[PATH_MAX + 128], name[8], hex[PXR_SHA256_HEX];
        int64_t size;
        int at, split;

        if (!fgets(line, sizeof line, file) || strcmp(line, head) != 0)
                return;
        while (fgets(line, sizeof line, file)) {
                line[strcspn(line, "\n")] = '\0';
                if (sscanf(line, "split %7[a-z] %64[0-9a-f]", name, hex) == 2 &&
                    strlen(hex) == PXR_SHA256_HEX - 1 && (split = pxr_split_find(name)) >= 0)
                        o->set->digest[split] = pxr_strdup(o->arena, hex);
                else if (sscanf(line, "file %" SCNd64 " %64[0-9a-f] %n", &size, hex, &at) == 2 &&
                         strlen(hex) == PXR_SHA256_HEX - 1)
                        pxr_data_add_file(o, line + at, size, hex);
        }
}

bool pxr_digests_load(struct pxr_opening *o, const char *key)
{
        const char *folder = cache_folder(o->arena);
        FILE *file = folder ? fopen(cache_path(o->arena, folder, key), "re") : NULL;

        if (!file)
                return false;
        load(o, file);
        fclose(file);
        if (is_complete(o->set))
                return true;
        for (int i = 0; i < PXR_SPLITS; i++)
                o->set->digest[i] = NULL;
        o->set->files = NULL;
        return false;
}

void pxr_digests_save(const struct pxr_opening *o, const char *key)
{
        const struct pxr_dataset *set = o->set;
        const char *folder = cache_folder(o->arena);
        char *text = pxr_strdup(o->arena, head);

        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0)
                        text = pxr_strf(o->arena, "%ssplit %s %s\n", text, pxr_split_names[i],
                                        set->digest[i]);
        for (const struct pxr_data_file *f = set->files; f; f = f->next) {
                if (strchr(f->path, '\n'))
                        return;
                text = pxr_strf(o->arena, "%sfile %" PRId64 " %s %s\n", text, f->size, f->sha256,
                                f->path);
        }
        if (!folder || pxr_arena_failed(o->arena))
                return;
        mkdir(folder, 0700);
        mkdir(pxr_strf(o->arena, "%s/pxr", folder), 0700);
        pxr_file_write(cache_path(o->arena, folder, key), true, text, strlen(text), NULL);
}
