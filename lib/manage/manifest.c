/* SPDX-License-Identifier: MIT */
/* manifest.c - the list of an exported run's files, and checking the files against it. */
#include "manage/manifest.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "record/folder.h"

enum { MAX_BYTES = 16 << 20 };

int pxr_manifest_add(struct pxr_arena *arena, struct pxr_listed **list, const char *folder,
                     const char *name, struct pxr_diag *diag)
{
        struct pxr_listed *file = pxr_alloc(arena, sizeof(*file));

        if (!file || pxr_sha256_file(pxr_strf(arena, "%s/%s", folder, name), file->sha256, diag))
                return -1;
        file->name = pxr_strdup(arena, name);
        while (*list && strcmp((*list)->name, name) < 0)
                list = &(*list)->next;
        file->next = *list;
        *list = file;
        return 0;
}

static bool write_list(FILE *file, const void *context)
{
        for (const struct pxr_listed *listed = context; listed; listed = listed->next)
                if (fprintf(file, "%s  %s\n", listed->sha256, listed->name) < 0)
                        return false;
        return true;
}

int pxr_manifest_write(struct pxr_arena *arena, const struct pxr_listed *list, const char *folder,
                       struct pxr_diag *diag)
{
        const char *path = pxr_strf(arena, "%s/%s", folder, PXR_MANIFEST);

        return pxr_arena_failed(arena) ? -1
                                       : pxr_file_write_by(path, false, write_list, list, diag);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Whether SQLite would take a file for part of the database beside it. */
static bool is_journal(const char *name)
{
        static const char *const endings[] = { "-journal", "-wal", "-shm" };
        size_t length = strlen(name);

        for (size_t i = 0; i < PXR_COUNT(endings); i++)
                if (length >= strlen(endings[i]) &&
                    strcmp(name + length - strlen(endings[i]), endings[i]) == 0)
                        return true;
        return false;
}

/* A line: the digits of the hash, two spaces, the name. NULL: it is not one. */
static struct pxr_listed *read_line(struct pxr_arena *arena, const char *line, size_t length)
{
        enum { NAME = PXR_SHA256_HEX - 1 + 2 };
        struct pxr_listed *file = pxr_alloc(arena, sizeof(*file));

        if (!file || length <= NAME || strncmp(line + NAME - 2, "  ", 2) != 0 ||
            strspn(line, "0123456789abcdef") != NAME - 2)
                return NULL;
        memcpy(file->sha256, line, NAME - 2);
        file->name = pxr_strndup(arena, line + NAME, length - NAME);
        return pxr_path_stays_below(file->name) && !is_journal(file->name) ? file : NULL;
}

static struct pxr_listed *read_list(struct pxr_arena *arena, const char *folder, const char *name,
                                    struct pxr_diag *diag)
{
        const char *path = pxr_strf(arena, "%s/%s", folder, PXR_MANIFEST), *text, *end;
        struct pxr_listed *list = NULL;
        struct stat status;
        size_t size;

        if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
                pxr_user_error(diag, "%s: not an export: %s is missing", name, PXR_MANIFEST);
                return NULL;
        }
        text = (const char *)pxr_file_read(arena, path, MAX_BYTES, &size, diag);
        for (end = text + (text ? size : 0); text && text < end;) {
                const char *stop = memchr(text, '\n', (size_t)(end - text));
                struct pxr_listed *file =
                        stop ? read_line(arena, text, (size_t)(stop - text)) : NULL;

                if (!file) {
                        pxr_user_error(diag, "%s: invalid line in %s: '%.*s'", name, PXR_MANIFEST,
                                       (int)strcspn(text, "\n"), text);
                        return NULL;
                }
                file->next = list;
                list = file;
                text = stop + 1;
        }
        if (text && !list)
                pxr_user_error(diag, "%s: %s is empty", name, PXR_MANIFEST);
        return list;
}

static int check_file(struct pxr_arena *arena, const struct pxr_listed *file, const char *folder,
                      const char *name, struct pxr_diag *diag)
{
        const char *path = pxr_strf(arena, "%s/%s", folder, file->name);
        char hex[PXR_SHA256_HEX];
        struct stat status;
        int failed;

        failed = lstat(path, &status) != 0 ? errno : 0;
        if (failed && pxr_is_system_error(failed))
                return pxr_file_error(path, "read", failed, diag);
        if (failed || !S_ISREG(status.st_mode))
                return pxr_user_error(diag, "%s: '%s' is missing", name, file->name);
        if (pxr_sha256_file(path, hex, diag))
                return -1;
        if (strcmp(hex, file->sha256) == 0)
                return 0;
        return pxr_user_error(diag, "%s: '%s' was changed: its SHA-256 is not that in %s", name,
                              file->name, PXR_MANIFEST);
}

/* The names of a list, sorted for searching. */
struct names {
        const char **name;
        size_t count;
};

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_names(struct pxr_arena *arena, const struct pxr_listed *list, struct names *names)
{
        size_t count = 1;

        for (const struct pxr_listed *file = list; file; file = file->next)
                count++;
        names->name = pxr_alloc_array(arena, count, sizeof(*names->name));
        if (!names->name)
                return -1;
        names->name[names->count++] = PXR_MANIFEST;
        for (const struct pxr_listed *file = list; file; file = file->next)
                names->name[names->count++] = file->name;
        qsort(names->name, names->count, sizeof(*names->name), compare_names);
        return 0;
}

static bool is_listed(const struct names *names, const char *name)
{
        return bsearch(&name, names->name, names->count, sizeof(*names->name), compare_names);
}

static int check_others(const struct names *names, const char *folder, const char *name, bool alone,
                        struct pxr_diag *diag)
{
        char *const paths[] = { (char *)folder, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        int status = 0;
        FTSENT *entry;

        if (!tree)
                return pxr_system_error(diag, "cannot read %s: %s", folder, strerror(errno));
        while (!status && (errno = 0, entry = fts_read(tree))) {
                const char *inner = entry->fts_path + strlen(folder) + 1;

                if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
                    entry->fts_info == FTS_NS)
                        status = pxr_file_error(entry->fts_path, "read", entry->fts_errno, diag);
                else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP &&
                         (alone || strncmp(inner, "run.db-", 7) == 0) && !is_listed(names, inner))
                        status = pxr_user_error(diag, "%s: '%s' is not listed in %s", name, inner,
                                                PXR_MANIFEST);
        }
        if (!status && errno)
                status = pxr_file_error(folder, "read", errno, diag);
        fts_close(tree);
        return status;
}

int pxr_manifest_check(struct pxr_arena *arena, const char *folder, const char *name, bool alone,
                       struct pxr_diag *diag)
{
        const struct pxr_listed *list = read_list(arena, folder, name, diag);
        struct names names = { 0 };

        if (!list || sort_names(arena, list, &names))
                return -1;
        if (!is_listed(&names, "run.db"))
                return pxr_user_error(diag, "%s: %s does not list run.db", name, PXR_MANIFEST);
        for (const struct pxr_listed *file = list; file; file = file->next)
                if (check_file(arena, file, folder, name, diag))
                        return -1;
        return check_others(&names, folder, name, alone, diag);
}
