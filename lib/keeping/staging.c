/* SPDX-License-Identifier: MIT */
/* staging.c - folders in which something is put together before it gets its place. */
#include "config.h"

#include "keeping/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int pxr_staging_make(struct pxr_staging *staging, const char *prefix, struct pxr_diag *diag)
{
        unsigned number;
        int made;

        staging->fd = -1;
        do {
                if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                        return pxr_system_error(diag, "no random numbers: %s", strerror(errno));
                if (snprintf(staging->path, sizeof(staging->path), "%s%06x", prefix,
                             number & 0xffffff) >= (int)sizeof(staging->path))
                        return pxr_user_error(diag, "%s: the name is too long", prefix);
                made = mkdir(staging->path, 0777);
        } while (made != 0 && errno == EEXIST);
        if (made == 0)
                staging->fd = open(staging->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (staging->fd < 0) {
                pxr_system_error(diag, "%s: the folder cannot be made: %s", staging->path,
                                 strerror(errno));
                if (made == 0)
                        rmdir(staging->path);
                return -1;
        }
        flock(staging->fd, LOCK_EX | LOCK_NB); /* nobody else knows of it */
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
        struct stat status;

        if (renameat2(AT_FDCWD, staging->path, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
                bool unknown = errno == EINVAL || errno == ENOSYS;

                if (errno == EEXIST || lstat(path, &status) == 0)
                        return pxr_user_error(diag, "%s: is there already", path);
                if (!unknown || rename(staging->path, path) != 0)
                        return pxr_system_error(diag, "%s: cannot be made: %s", path,
                                                strerror(errno));
        }
        fsync(staging->fd);
        close(staging->fd);
        staging->fd = -1;
        return 0;
}

bool pxr_is_staging(const char *name)
{
        size_t length = strlen(PXR_IMPORT_PREFIX);

        return strncmp(name, PXR_IMPORT_PREFIX, length) == 0 && strlen(name) == length + 6 &&
               strspn(name + length, "0123456789abcdef") == 6;
}

/* Go through a folder, removing what is in it or not. Returns 0 or -1; the bytes go to *bytes. */
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
                        return pxr_user_error(diag, "%s: the name is too long", relative);
                if (mkdir(path, 0777) != 0 && errno != EEXIST)
                        return pxr_system_error(diag, "%s: the folder cannot be made: %s", path,
                                                strerror(errno));
        }
        return 0;
}
