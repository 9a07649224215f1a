/* SPDX-License-Identifier: MIT */
/* import.c - exported runs, taken in. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/staging.h"
#include "manage/manifest.h"
#include "manage/merge.h"
#include "record/folder.h"

struct import {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        const char *folder;          /* the database's of checkpoints, to open */
        struct pxr_staging *staging; /* one for each word */
        const char **database;       /* "FOLDER/run.db" */
};

/* Have the folder of what was exported, unpacked where it is an archive; NULL after an error. */
static const char *make_ready(struct import *import, size_t i, const char *word)
{
        const char *prefix;
        struct stat status;

        if (stat(word, &status) != 0) {
                pxr_file_error(word, "cannot be opened", errno, import->diag);
                return NULL;
        }
        if (S_ISDIR(status.st_mode))
                return word;
        prefix = pxr_strf(import->arena, "%s/" PXR_IMPORT_PREFIX, import->folder);
        if (!prefix) {
                pxr_out_of_memory(import->diag);
                return NULL;
        }
        if (mkdir(import->folder, 0777) != 0 && errno != EEXIST) {
                pxr_file_error(import->folder, "the folder cannot be made", errno, import->diag);
                return NULL;
        }
        if (pxr_staging_make(&import->staging[i], prefix, import->diag) ||
            pxr_unpack(import->arena, word, import->staging[i].path, import->diag))
                return NULL;
        return import->staging[i].path;
}

static int check(struct import *import, size_t i, const char *word)
{
        const char *folder = make_ready(import, i, word);

        if (!folder ||
            pxr_manifest_check(import->arena, folder, word, folder != word, import->diag))
                return -1;
        import->database[i] = pxr_strf(import->arena, "%s/run.db", folder);
        return import->database[i] ? 0 : pxr_out_of_memory(import->diag);
}

/* Before anything is unpacked beside it: can the database be written at all? */
static int check_database(const char *into, struct pxr_diag *diag)
{
        struct pxr_store *store;

        if (access(into, F_OK) != 0 && errno == ENOENT)
                return 0;
        store = pxr_store_change(into, diag);
        pxr_store_close(store);
        return store ? 0 : -1;
}

/* Into the database whose file is `into`. */
static struct pxr_table *import_all(struct pxr_arena *arena, const char *into,
                                    const struct pxr_words *from, struct pxr_diag *diag)
{
        const char *folder = pxr_checkpoints_folder(arena, into);
        struct import import = {
                .arena = arena,
                .diag = diag,
                .folder = folder ? pxr_beside_database(arena, into, folder) : NULL,
                .staging = pxr_alloc_array(arena, from->count, sizeof(struct pxr_staging)),
                .database = pxr_alloc_array(arena, from->count, sizeof(char *)),
        };
        struct pxr_table *table = NULL;
        int status = 0;

        if (!import.folder || !import.staging || !import.database) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (check_database(into, diag))
                return NULL;
        for (size_t i = 0; i < from->count; i++)
                import.staging[i].fd = -1;
        for (size_t i = 0; !status && i < from->count; i++)
                status = check(&import, i, from->word[i]);
        if (!status)
                table = pxr_merge_with(arena, into,
                                       &(struct pxr_words) { import.database, from->count },
                                       from->word, diag);
        for (size_t i = 0; i < from->count; i++)
                pxr_staging_remove(&import.staging[i]);
        rmdir(import.folder); /* where there is nothing in it */
        return table;
}

struct pxr_table *pxr_import(struct pxr_arena *arena, const char *into,
                             const struct pxr_words *from, struct pxr_diag *diag)
{
        char path[PATH_MAX];

        return pxr_database_path(into, path, diag) ? NULL : import_all(arena, path, from, diag);
}
