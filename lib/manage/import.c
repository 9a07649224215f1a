/* SPDX-License-Identifier: MIT */
/* import.c - importing exported runs. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/staging.h"
#include "manage/manifest.h"
#include "manage/manage.h"
#include "record/folder.h"

struct import {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        const char *folder;          /* of the target's checkpoints */
        struct pxr_staging *staging; /* for each export */
        const char **database;       /* "FOLDER/run.db" */
};

/* The directory of an export, unpacked if it is an archive; NULL after an error. */
static const char *unpack(struct import *import, size_t i, const char *path)
{
        const char *prefix = pxr_strf(import->arena, "%s/" PXR_IMPORT_PREFIX, import->folder);
        struct stat status;

        if (stat(path, &status) != 0) {
                pxr_file_error(path, "open", errno, import->diag);
                return NULL;
        }
        if (S_ISDIR(status.st_mode))
                return path;
        if (pxr_arena_failed(import->arena))
                return NULL;
        if (mkdir(import->folder, 0777) != 0 && errno != EEXIST) {
                pxr_file_error(import->folder, "create directory", errno, import->diag);
                return NULL;
        }
        if (pxr_staging_make(&import->staging[i], prefix, import->diag) ||
            pxr_unpack(import->arena, path, import->staging[i].path, import->diag))
                return NULL;
        return import->staging[i].path;
}

static int check(struct import *import, size_t i, const char *path)
{
        const char *folder = unpack(import, i, path);

        if (!folder ||
            pxr_manifest_check(import->arena, folder, path, folder != path, import->diag))
                return -1;
        import->database[i] = pxr_strf(import->arena, "%s/run.db", folder);
        return pxr_arena_failed(import->arena) ? -1 : 0;
}

/* Check that the target can be written before anything is unpacked. */
static int check_database(const char *into, struct pxr_diag *diag)
{
        struct pxr_store *store;

        if (access(into, F_OK) != 0 && errno == ENOENT)
                return 0;
        store = pxr_store_change(into, diag);
        pxr_store_close(store);
        return store ? 0 : -1;
}

static struct pxr_table *import_all(struct pxr_arena *arena, const char *into,
                                    const struct pxr_arguments *from, struct pxr_diag *diag)
{
        struct import import = {
                .arena = arena,
                .diag = diag,
                .folder = pxr_beside_database(arena, into, pxr_checkpoints_folder(arena, into)),
                .staging = pxr_alloc_array(arena, from->count, sizeof(struct pxr_staging)),
                .database = pxr_alloc_array(arena, from->count, sizeof(char *)),
        };
        struct pxr_table *table = NULL;
        int status = 0;

        if (pxr_arena_failed(arena))
                return NULL;
        if (check_database(into, diag))
                return NULL;
        for (size_t i = 0; i < from->count; i++)
                import.staging[i].fd = -1;
        for (size_t i = 0; !status && i < from->count; i++)
                status = check(&import, i, from->text[i]);
        if (!status)
                table = pxr_merge(arena, into,
                                  &(struct pxr_arguments) { import.database, from->count },
                                  from->text, diag);
        for (size_t i = 0; i < from->count; i++)
                pxr_staging_remove(&import.staging[i]);
        rmdir(import.folder); /* if it is empty */
        return table;
}

struct pxr_table *pxr_import(struct pxr_arena *arena, const char *into,
                             const struct pxr_arguments *from, struct pxr_diag *diag)
{
        char path[PATH_MAX];

        return pxr_database_path(into, path, diag) ? NULL : import_all(arena, path, from, diag);
}
