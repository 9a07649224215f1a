/* SPDX-License-Identifier: MIT */
/* manifest.c - the list of an exported run's files, and checking the files against it. */
#include "manage/manifest.h"

#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "record/folder.h"

enum { MAX_BYTES = 16 << 20 };

static int compare_names(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* List everything in a directory that is not a directory, sorted, without hashes. */
static int list_files(struct pxr_arena *arena, const char *folder, struct pxr_listed **list,
                      struct pxr_diag *diag)
{
        char *const paths[] = { (char *)folder, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
        FTSENT *entry = NULL;
        int failed = 0;

        for (*list = NULL; tree && !failed && (errno = 0, entry = fts_read(tree));) {
                if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
                    entry->fts_info == FTS_NS) {
                        failed = entry->fts_errno;
                } else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP) {
                        if (!(*list = pxr_alloc(arena, sizeof(**list))))
                                break;
                        (*list)->name = pxr_strdup(arena, entry->fts_path + strlen(folder) + 1);
                        (*list)->bytes = entry->fts_statp->st_size;
                        list = &(*list)->next;
                }
        }
        if (!entry)
                failed = errno;
        if (failed)
                pxr_file_error(entry ? entry->fts_path : folder, "read", failed, diag);
        if (tree)
                fts_close(tree);
        return failed || pxr_arena_failed(arena) ? -1 : 0;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static bool write_list(FILE *file, const void *context)
{
        for (const struct pxr_listed *listed = context; listed; listed = listed->next)
                if (fprintf(file, "%s  %s\n", listed->sha256, listed->name) < 0)
                        return false;
        return true;
}

int pxr_manifest_write(struct pxr_arena *arena, const char *folder, struct pxr_listed **list,
                       struct pxr_diag *diag)
{
        const char *path = pxr_strf(arena, "%s/%s", folder, PXR_MANIFEST);

        if (list_files(arena, folder, list, diag))
                return -1;
        for (struct pxr_listed *file = *list; file; file = file->next)
                if (pxr_sha256_file(pxr_strf(arena, "%s/%s", folder, file->name), file->sha256,
                                    diag))
                        return -1;
        return pxr_file_write_by(path, false, write_list, *list, diag);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Whether SQLite would take a file for part of the database beside it. */
static bool is_journal(const char *name)
{
        const char *ending = strrchr(name, '-');

        return ending && (strcmp(ending, "-journal") == 0 || strcmp(ending, "-wal") == 0 ||
                          strcmp(ending, "-shm") == 0);
}

enum { DIGITS = PXR_SHA256_HEX - 1, NAME = DIGITS + 2 };

/* Whether a line is the digits of a hash, two spaces, and the name of a file below the folder. */
static bool is_line(const char *line)
{
        return strlen(line) > NAME && strspn(line, "0123456789abcdef") == DIGITS &&
               strncmp(line + DIGITS, "  ", 2) == 0 && pxr_path_stays_below(line + NAME) &&
               !is_journal(line + NAME) && pxr_is_utf8(line + NAME);
}

static int read_lines(json_t *list, char *text, const char *export, struct pxr_diag *diag)
{
        char *line;

        while ((line = strsep(&text, "\n")) && text) {
                if (!is_line(line) || json_object_get(list, line + NAME))
                        return pxr_user_error(diag, "%s: invalid line in %s: '%s'", export,
                                              PXR_MANIFEST, line);
                if (json_object_set_new(list, line + NAME, json_stringn(line, DIGITS)))
                        return pxr_out_of_memory(diag);
        }
        return *line ? pxr_user_error(diag, "%s: %s is cut short", export, PXR_MANIFEST) : 0;
}

struct check {
        struct pxr_arena *arena;
        const char *folder, *export; /* the folder's name in messages */
        struct pxr_diag *diag;
};

/* Read the manifest into an object of names and hashes. */
static int read_list(const struct check *c, json_t *list)
{
        const char *path = pxr_strf(c->arena, "%s/%s", c->folder, PXR_MANIFEST);
        struct stat status;
        char *text;
        size_t size;

        if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
                return pxr_user_error(c->diag, "%s: not an export: %s is missing", c->export,
                                      PXR_MANIFEST);
        text = (char *)pxr_file_read(c->arena, path, MAX_BYTES, &size, c->diag);
        if (!text)
                return -1;
        if (size == 0 || strlen(text) != size)
                return pxr_user_error(c->diag, "%s: %s is %s", c->export, PXR_MANIFEST,
                                      size ? "not a text" : "empty");
        if (read_lines(list, text, c->export, c->diag))
                return -1;
        return json_object_get(list, "run.db")
                       ? 0
                       : pxr_user_error(c->diag, "%s: %s does not list run.db", c->export,
                                        PXR_MANIFEST);
}

static int check_file(const struct check *c, const char *name, const char *sha256)
{
        const char *path = pxr_strf(c->arena, "%s/%s", c->folder, name);
        char hex[PXR_SHA256_HEX];
        struct stat status;
        int failed = lstat(path, &status) != 0 ? errno : 0;

        if (failed && pxr_is_system_error(failed))
                return pxr_file_error(path, "read", failed, c->diag);
        if (failed || !S_ISREG(status.st_mode))
                return pxr_user_error(c->diag, "%s: '%s' is missing", c->export, name);
        if (pxr_sha256_file(path, hex, c->diag))
                return -1;
        if (strcmp(hex, sha256) == 0)
                return 0;
        return pxr_user_error(c->diag, "%s: '%s' was changed: its SHA-256 is not that in %s",
                              c->export, name, PXR_MANIFEST);
}

/* Refuse files that are not listed: all, or those that SQLite would take for part of run.db. */
static int check_others(const struct check *c, json_t *list, bool all)
{
        struct pxr_listed *file;

        if (list_files(c->arena, c->folder, &file, c->diag))
                return -1;
        for (; file; file = file->next)
                if ((all || strncmp(file->name, "run.db-", 7) == 0) &&
                    strcmp(file->name, PXR_MANIFEST) != 0 && !json_object_get(list, file->name))
                        return pxr_user_error(c->diag, "%s: '%s' is not listed in %s", c->export,
                                              file->name, PXR_MANIFEST);
        return 0;
}

int pxr_manifest_check(struct pxr_arena *arena, const char *folder, const char *name, bool alone,
                       struct pxr_diag *diag)
{
        const struct check c = { arena, folder, name, diag };
        json_t *list = json_object(), *sha256;
        int status = list ? read_list(&c, list) : pxr_out_of_memory(diag);
        const char *file;

        json_object_foreach(list, file, sha256) if (!status) status =
                check_file(&c, file, json_string_value(sha256));
        if (!status)
                status = check_others(&c, list, alone);
        json_decref(list);
        return status;
}
