/* SPDX-License-Identifier: MIT */
/*
 * file.c - whole files, read, and written whole or not at all: beside, synced, renamed.
 *
 * Uses the C library and POSIX.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read to the end; what is no file (a pipe) tells no size. */
static uint8_t *read_all(struct pxr_arena *arena, FILE *file, const char *path, size_t limit,
                         size_t *size, struct pxr_diag *diag)
{
        size_t room = 1 << 16;
        uint8_t *bytes = pxr_alloc(arena, room);

        *size = 0;
        while (bytes) {
                *size += fread(bytes + *size, 1, room - *size, file);
                if (*size > limit) {
                        pxr_user_error(diag, "%s: is larger than %zu bytes", path, limit);
                        return NULL;
                }
                if (*size < room && ferror(file)) {
                        pxr_user_error(diag, "%s: cannot be read: %s", path, strerror(errno));
                        return NULL;
                }
                if (*size < room)
                        return bytes;
                uint8_t *more = pxr_alloc_array(arena, room, 2);

                if (more)
                        memcpy(more, bytes, room);
                bytes = more;
                room *= 2;
        }
        pxr_out_of_memory(diag);
        return NULL;
}

uint8_t *pxr_file_read(struct pxr_arena *arena, const char *path, size_t limit, size_t *size,
                       struct pxr_diag *diag)
{
        FILE *file = fopen(path, "rbe");
        uint8_t *bytes;

        if (!file) {
                pxr_user_error(diag, "%s: cannot be opened: %s", path, strerror(errno));
                return NULL;
        }
        bytes = read_all(arena, file, path, limit, size, diag);
        fclose(file);
        return bytes;
}

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
        file = fopen(partial, "wbe");
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

        if (!*path)
                return pxr_user_error(diag, "a file without a name cannot be written");
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
