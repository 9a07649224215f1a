/* SPDX-License-Identifier: MIT */
/*
 * file.c - files that are written whole or not at all: beside, synced, renamed.
 *
 * Uses the C library and POSIX alone.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Make a rename in the folder of `path` last through a power cut. */
static void sync_folder(const char *path)
{
        char copy[PATH_MAX];
        int folder;

        snprintf(copy, sizeof(copy), "%s", path);
        folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
                fsync(folder);
                close(folder);
        }
}

int pxr_file_replace(const char *path, bool (*write)(FILE *file, const void *context),
                     const void *context, struct pxr_diag *diag)
{
        char partial[PATH_MAX];
        bool written;
        FILE *file;
        int failed;

        if (snprintf(partial, sizeof(partial), "%s.partial", path) >= (int)sizeof(partial))
                return pxr_user_error(diag, "%s: the name is too long", path);
        file = fopen(partial, "wb");
        if (!file)
                return pxr_system_error(diag, "%s: cannot be written: %s", partial,
                                        strerror(errno));
        written = write(file, context) && fflush(file) == 0 && fsync(fileno(file)) == 0;
        failed = errno;
        if (fclose(file) != 0 && written) {
                written = false;
                failed = errno;
        }
        if (written && rename(partial, path) != 0) {
                written = false;
                failed = errno;
        }
        if (!written) {
                unlink(partial);
                return pxr_system_error(diag, "%s: cannot be written: %s", path, strerror(failed));
        }
        sync_folder(path);
        return 0;
}

struct bytes {
        const void *bytes;
        size_t size;
};

static bool write_bytes(FILE *file, const void *context)
{
        const struct bytes *all = context;

        return fwrite(all->bytes, 1, all->size, file) == all->size;
}

int pxr_file_write(const char *path, const void *bytes, size_t size, struct pxr_diag *diag)
{
        return pxr_file_replace(path, write_bytes, &(struct bytes) { bytes, size }, diag);
}

int pxr_file_may_write(const char *path, bool replace, struct pxr_diag *diag)
{
        char copy[PATH_MAX];
        struct stat status;

        if (snprintf(copy, sizeof(copy), "%s.partial", path) >= (int)sizeof(copy))
                return pxr_user_error(diag, "%s: the name is too long", path);
        if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
                return pxr_user_error(diag, "%s: is not a plain file", path);
        if (access(path, F_OK) == 0 && !replace)
                return pxr_user_error(diag, "%s: is there already", path);
        if (access(dirname(copy), W_OK | X_OK) != 0)
                return pxr_user_error(diag, "%s: cannot be written: %s", path, strerror(errno));
        return 0;
}
