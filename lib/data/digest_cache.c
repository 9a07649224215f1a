/* SPDX-License-Identifier: MIT */
/* digest_cache.c - digests of large sets, kept between runs. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "data/format.h"
#include "data/digest_cache.h"

/* The first line: a version of the form of the file and of the keys. */
static const char head[] = "pxr digests 1\n";

/* The path of the file of a key. With `make`, its folders are made. False: there is no cache. */
static bool cache_path(const char *key, bool make, char path[PATH_MAX])
{
        const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
        int length;

        if (cache && cache[0] == '/')
                length = snprintf(path, PATH_MAX, "%s", cache);
        else if (home && home[0] == '/')
                length = snprintf(path, PATH_MAX, "%s/.cache", home);
        else
                return false;
        if (length < 0 || length + 2 * PXR_SHA256_HEX > PATH_MAX)
                return false;
        if (make)
                mkdir(path, 0700);
        strcat(path, "/pxr");
        if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
                return false;
        snprintf(path + length + 4, PATH_MAX - (size_t)length - 4, "/digests-%s", key);
        return true;
}

static bool is_complete(const struct pxr_dataset *set)
{
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0 && !set->digest[i])
                        return false;
        return set->files != NULL;
}

/* Read the lines of a file. One of another form leaves the set incomplete. */
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
        char path[PATH_MAX];
        FILE *file = cache_path(key, false, path) ? fopen(path, "re") : NULL;

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
        char path[PATH_MAX], temporary[PATH_MAX + 8];
        FILE *note;
        int file;
        bool failed;

        for (const struct pxr_data_file *f = set->files; f; f = f->next)
                if (strchr(f->path, '\n'))
                        return;
        if (pxr_arena_failed(o->arena) || !cache_path(key, true, path))
                return;
        snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
        file = mkstemp(temporary);
        note = file >= 0 ? fdopen(file, "w") : NULL;
        if (!note) {
                if (file >= 0)
                        close(file);
                return;
        }
        fputs(head, note);
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0)
                        fprintf(note, "split %s %s\n", pxr_split_names[i], set->digest[i]);
        for (const struct pxr_data_file *f = set->files; f; f = f->next)
                fprintf(note, "file %" PRId64 " %s %s\n", f->size, f->sha256, f->path);
        failed = ferror(note);
        failed |= fclose(note) != 0;
        if (failed || rename(temporary, path) != 0)
                remove(temporary);
}
