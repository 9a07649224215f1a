/* SPDX-License-Identifier: MIT */
/* staging.c - folders that get their content all at once. */
#include "config.h"

#include "base/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Remove a folder that no process has locked. */
static void clear_one(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                pxr_remove_folder(path);
        close(fd);
}

void pxr_staging_clear(const char *prefix)
{
        const char *slash = strrchr(prefix, '/'), *name = slash ? slash + 1 : prefix;
        char folder[PATH_MAX], path[PATH_MAX];
        struct dirent *entry;
        DIR *list;

        snprintf(folder, sizeof(folder), "%.*s", (int)(name - prefix), prefix);
        list = opendir(*folder ? folder : ".");
        while (list && (entry = readdir(list)))
                if (pxr_is_staging(entry->d_name, name) &&
                    snprintf(path, sizeof(path), "%s%s", folder, entry->d_name) < (int)sizeof(path))
                        clear_one(path);
        if (list)
                closedir(list);
}

/* Lock a folder that was just made. Returns false if another process has removed it as left over.
 */
static bool hold(struct pxr_staging *staging)
{
        struct stat status;

        if (flock(staging->fd, LOCK_EX | LOCK_NB) == 0 && lstat(staging->path, &status) == 0)
                return true;
        close(staging->fd);
        staging->fd = -1;
        return false;
}

int pxr_staging_make(struct pxr_staging *staging, const char *prefix, struct pxr_diag *diag)
{
        staging->fd = -1;
        pxr_staging_clear(prefix);
        do {
                if (pxr_temporary_name(staging->path, prefix))
                        return pxr_file_error(prefix, "create folder", errno, diag);
                if (mkdir(staging->path, 0777) == 0)
                        staging->fd = open(staging->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                else if (errno == EEXIST)
                        continue;
                if (staging->fd < 0) {
                        pxr_system_error(diag, "cannot create folder %s: %s", staging->path,
                                         strerror(errno));
                        rmdir(staging->path);
                        return -1;
                }
        } while (staging->fd < 0 || !hold(staging));
        return 0;
}

void pxr_staging_remove(struct pxr_staging *staging)
{
        if (staging->fd < 0)
                return;
        pxr_remove_folder(staging->path);
        close(staging->fd);
        staging->fd = -1;
}

int pxr_staging_name(struct pxr_staging *staging, const char *path, struct pxr_diag *diag)
{
        if (pxr_file_name(staging->path, path, false) != 0)
                return errno == EEXIST ? pxr_user_error(diag, "%s: already exists", path)
                                       : pxr_system_error(diag, "cannot rename %s to %s: %s",
                                                          staging->path, path, strerror(errno));
        fsync(staging->fd);
        close(staging->fd);
        staging->fd = -1;
        return 0;
}

bool pxr_is_staging(const char *name, const char *prefix)
{
        size_t length = strlen(prefix);

        return strncmp(name, prefix, length) == 0 && strlen(name) == length + 6 &&
               strspn(name + length, "0123456789abcdef") == 6;
}

/* --- folders of output -------------------------------------------------------------------------*/

#define OUTPUT_PREFIX ".pxr-partial-"

static bool is_dot(const char *name)
{
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Ignore what killed processes have left. */
static int check_empty(const char *path, struct pxr_diag *diag)
{
        DIR *stream = opendir(path);
        struct dirent *entry;
        bool empty = true;

        if (!stream)
                return pxr_file_error(path, "read", errno, diag);
        while ((entry = readdir(stream)))
                empty &= is_dot(entry->d_name) || pxr_is_staging(entry->d_name, OUTPUT_PREFIX);
        closedir(stream);
        return empty ? 0 : pxr_user_error(diag, "%s: the folder is not empty", path);
}

/* Check the path and note what is there. */
static int look(struct pxr_output_folder *folder, const char *path, struct pxr_diag *diag)
{
        struct stat status;
        size_t length = strlen(path);

        *folder = (struct pxr_output_folder) { .staging.fd = -1 };
        if (length > PATH_MAX - 2 * NAME_MAX)
                return pxr_user_error(diag, "%.60s...: path too long", path);
        while (length > 1 && path[length - 1] == '/')
                length--;
        snprintf(folder->path, sizeof(folder->path), "%.*s", (int)length, path);
        folder->exists = stat(path, &status) == 0;
        if (!folder->exists)
                return pxr_file_may_write(folder->path, false, diag);
        if (!S_ISDIR(status.st_mode))
                return pxr_user_error(diag, "%s: not a folder", path);
        if (access(path, W_OK) != 0)
                return pxr_file_error(path, "write", errno, diag);
        return check_empty(path, diag);
}

int pxr_output_folder_check(const char *path, struct pxr_diag *diag)
{
        struct pxr_output_folder folder;

        return look(&folder, path, diag);
}

int pxr_output_folder_begin(struct pxr_output_folder *folder, const char *path,
                            struct pxr_diag *diag)
{
        char prefix[PATH_MAX + sizeof(OUTPUT_PREFIX)];

        if (look(folder, path, diag))
                return -1;
        snprintf(prefix, sizeof(prefix), "%s%s" OUTPUT_PREFIX, folder->path,
                 folder->exists ? "/" : "");
        return pxr_staging_make(&folder->staging, prefix, diag);
}

static int move_all(const struct pxr_output_folder *folder, struct pxr_diag *diag)
{
        DIR *stream = opendir(folder->staging.path);
        struct dirent *entry;
        char to[PATH_MAX + NAME_MAX + 2];
        int status = 0;

        if (!stream)
                return pxr_file_error(folder->staging.path, "read", errno, diag);
        while (status == 0 && (entry = readdir(stream))) {
                if (is_dot(entry->d_name))
                        continue;
                snprintf(to, sizeof(to), "%s/%s", folder->path, entry->d_name);
                if (renameat(dirfd(stream), entry->d_name, AT_FDCWD, to) != 0)
                        status = pxr_file_error(to, "write", errno, diag);
        }
        closedir(stream);
        return status;
}

int pxr_output_folder_end(struct pxr_output_folder *folder, int status, struct pxr_diag *diag)
{
        if (status == 0)
                status = folder->exists ? move_all(folder, diag)
                                        : pxr_staging_name(&folder->staging, folder->path, diag);
        pxr_staging_remove(&folder->staging);
        return status;
}

/* --- whole folders -----------------------------------------------------------------------------*/

/* Walk through a folder, removing its content if `removing`. Adds the sizes of files to *bytes.
 * Returns 0 or -1. */
static int walk(const char *path, bool removing, int64_t *bytes)
{
        char *const paths[] = { (char *)path, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        int status = tree ? 0 : -1;
        FTSENT *entry;

        while (tree && (entry = fts_read(tree))) {
                if (entry->fts_info == FTS_D)
                        continue;
                if (entry->fts_info == FTS_F)
                        *bytes += entry->fts_statp->st_size;
                if (removing && remove(entry->fts_accpath) != 0)
                        status = -1;
        }
        if (tree)
                fts_close(tree);
        return status;
}

int64_t pxr_folder_bytes(const char *path)
{
        int64_t bytes = 0;

        walk(path, false, &bytes);
        return bytes;
}

int pxr_remove_folder(const char *path)
{
        int64_t bytes = 0;

        return walk(path, true, &bytes);
}

int pxr_make_folders(const char *folder, const char *relative, struct pxr_diag *diag)
{
        char path[PATH_MAX];

        for (const char *slash = strchr(relative, '/'); slash; slash = strchr(slash + 1, '/')) {
                if (snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(slash - relative),
                             relative) >= (int)sizeof(path))
                        return pxr_user_error(diag, "%s: path too long", relative);
                if (mkdir(path, 0777) != 0 && errno != EEXIST)
                        return pxr_system_error(diag, "cannot create folder %s: %s", path,
                                                strerror(errno));
        }
        return 0;
}
