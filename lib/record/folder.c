/* SPDX-License-Identifier: MIT */
/* folder.c - names of the folders that checkpoints lie in. */
#include "record/folder.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 };

int pxr_database_path(const char *name, char path[PATH_MAX], struct pxr_diag *diag)
{
        char target[PATH_MAX];
        ssize_t length;

        if (!*name) /* to SQLite, a database that is gone at the end */
                return pxr_user_error(diag, "the database needs a name");
        if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
                return pxr_user_error(diag, "%s: the name is too long", name);
        for (int links = 0; (length = readlink(path, target, sizeof(target) - 1)) >= 0; links++) {
                const char *slash = *target == '/' ? NULL : strrchr(path, '/');
                size_t folder = slash ? (size_t)(slash + 1 - path) : 0;

                if (links == MOST_LINKS || folder + (size_t)length >= PATH_MAX)
                        return pxr_user_error(diag, "%s: cannot follow the symbolic link: %s", name,
                                              strerror(links == MOST_LINKS ? ELOOP : ENAMETOOLONG));
                memcpy(path + folder, target, (size_t)length);
                path[folder + (size_t)length] = '\0';
        }
        if (strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0)
                return pxr_user_error(
                        diag,
                        "%s: a database must be a file, named by its path (for a file "
                        "of this name: ./%s)",
                        name, path);
        return 0;
}

char *pxr_checkpoints_folder(struct pxr_arena *arena, const char *database)
{
        const char *slash = strrchr(database, '/');
        const char *name = slash ? slash + 1 : database;
        size_t length = strlen(name);

        if (length > 3 && strcmp(name + length - 3, ".db") == 0)
                length -= 3;
        return pxr_strf(arena, "%.*s.checkpoints", (int)length, name);
}

char *pxr_run_folder(struct pxr_arena *arena, const char *database, int64_t run, const char *uid)
{
        const char *all = pxr_checkpoints_folder(arena, database);

        return all ? pxr_strf(arena, "%s/%" PRId64 "-%s", all, run, uid) : NULL;
}

char *pxr_beside_database(struct pxr_arena *arena, const char *database, const char *relative)
{
        const char *slash = strrchr(database, '/');

        return pxr_strf(arena, "%.*s%s", slash ? (int)(slash + 1 - database) : 0, database,
                        relative);
}

bool pxr_is_own_checkpoint(const char *relative, const char *folder)
{
        size_t length = strlen(folder);

        return strncmp(relative, folder, length) == 0 &&
               strncmp(relative + length, "/step-", 6) == 0 &&
               !strchr(relative + length + 1, '/') && pxr_path_stays_below(relative);
}

static bool is_real_folder(const char *path)
{
        struct stat status;

        return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool pxr_is_real_run_folder(const char *path)
{
        char copy[PATH_MAX];

        snprintf(copy, sizeof(copy), "%s", path);
        return is_real_folder(path) && is_real_folder(dirname(copy));
}

int64_t pxr_checkpoint_bytes(const char *database, const char *relative)
{
        struct pxr_arena *arena = pxr_path_stays_below(relative) ? pxr_arena_new(0, NULL) : NULL;
        const char *path = arena ? pxr_beside_database(arena, database, relative) : NULL;
        struct stat status;
        int64_t bytes = path && stat(path, &status) == 0 ? (int64_t)status.st_size : -1;

        pxr_arena_free(arena);
        return bytes;
}

int pxr_make_run_folder(const char *path, struct pxr_diag *diag)
{
        char copy[PATH_MAX];

        snprintf(copy, sizeof(copy), "%s", path);
        if ((mkdir(dirname(copy), 0777) == 0 || errno == EEXIST) &&
            (mkdir(path, 0777) == 0 || errno == EEXIST)) {
                if (pxr_is_real_run_folder(path))
                        return 0;
                return pxr_user_error(diag,
                                      "%s: it, or the folder it is in, is a symbolic link or a "
                                      "file: checkpoints are written to folders beside the "
                                      "database alone",
                                      path);
        }
        return pxr_system_error(diag, "%s: the folder for checkpoints cannot be made: %s", path,
                                strerror(errno));
}

bool pxr_path_stays_below(const char *path)
{
        do {
                size_t length = strcspn(path, "/");

                if (length == 0 || (length == 1 && *path == '.') ||
                    (length == 2 && strncmp(path, "..", 2) == 0))
                        return false;
                path += length;
        } while (*path++);
        return true;
}

bool pxr_is_uid(const char *text)
{
        return strlen(text) == 8 && strspn(text, "0123456789abcdef") == 8;
}
