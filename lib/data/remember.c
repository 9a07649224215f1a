/* SPDX-License-Identifier: MIT */
/* remember.c - digests of large sets, kept between runs. */
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
#include "data/remember.h"

/* What a note starts with: a version, for its form and that of the keys. */
static const char head[] = "pxr digests 1\n";

/* The path of a note. With `make`, its folders are made. False where there can be none. */
static bool note_path(const char *key, bool make, char path[PATH_MAX])
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

static int recall_split(struct pxr_arena *arena, const char *name, const char *hex,
                        struct pxr_dataset *set)
{
        int split = pxr_split_find(name);

        if (split < 0)
                return 0;
        set->digest[split] = pxr_strdup(arena, hex);
        return set->digest[split] ? 0 : -1;
}

static bool is_complete(const struct pxr_dataset *set)
{
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0 && !set->digest[i])
                        return false;
        return set->files != NULL;
}

/* Read the lines of a note. A note of another form leaves the set incomplete. */
static int recall(struct pxr_arena *arena, FILE *note, struct pxr_dataset *set,
                  struct pxr_diag *diag)
{
        char line[PATH_MAX + 128], name[8], hex[PXR_SHA256_HEX];
        int64_t size;
        int at;

        if (!fgets(line, sizeof line, note) || strcmp(line, head) != 0)
                return 0;
        while (fgets(line, sizeof line, note)) {
                line[strcspn(line, "\n")] = '\0';
                if (sscanf(line, "split %7[a-z] %64[0-9a-f]", name, hex) == 2 &&
                    strlen(hex) == PXR_SHA256_HEX - 1) {
                        if (recall_split(arena, name, hex, set))
                                return pxr_out_of_memory(diag);
                } else if (sscanf(line, "file %" SCNd64 " %64[0-9a-f] %n", &size, hex, &at) == 2 &&
                           strlen(hex) == PXR_SHA256_HEX - 1) {
                        if (pxr_data_add_file(arena, set, line + at, size, hex, diag))
                                return -1;
                }
        }
        return 0;
}

int pxr_recall_digests(struct pxr_arena *arena, const char *key, struct pxr_dataset *set,
                       struct pxr_diag *diag)
{
        char path[PATH_MAX];
        FILE *note = note_path(key, false, path) ? fopen(path, "re") : NULL;
        int failed;

        if (!note)
                return 0;
        failed = recall(arena, note, set, diag);
        fclose(note);
        if (failed)
                return -1;
        if (is_complete(set))
                return 1;
        for (int i = 0; i < PXR_SPLITS; i++)
                set->digest[i] = NULL;
        set->files = NULL;
        return 0;
}

void pxr_remember_digests(const char *key, const struct pxr_dataset *set)
{
        char path[PATH_MAX], temporary[PATH_MAX + 8];
        FILE *note;
        int file;
        bool failed;

        for (const struct pxr_data_file *f = set->files; f; f = f->next)
                if (strchr(f->path, '\n'))
                        return;
        if (!note_path(key, true, path))
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
