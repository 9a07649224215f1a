/* SPDX-License-Identifier: MIT */
/*
 * file.c - plain files, opened and read, and written whole or not at all: to a file beside them
 * that is synced and renamed.
 */
#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* --- reading -----------------------------------------------------------------------------------
 */

int pxr_open_plain(const char *path)
{
        /* O_NONBLOCK: opening a pipe does not wait for a writer. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), failed;
        struct stat status;

        if (fd < 0)
                return -1;
        failed = fstat(fd, &status) != 0   ? errno
                 : S_ISDIR(status.st_mode) ? EISDIR
                 : S_ISREG(status.st_mode) ? 0
                                           : ENXIO;
        if (!failed)
                return fd;
        close(fd);
        errno = failed;
        return -1;
}

bool pxr_is_system_error(int error)
{
        static const int user[] = { EACCES, EEXIST,  EISDIR,    ELOOP, ENAMETOOLONG, ENOENT,
                                    ENXIO,  ENOTDIR, ENOTEMPTY, EPERM, EROFS };

        for (size_t i = 0; i < PXR_COUNT(user); i++)
                if (error == user[i])
                        return false;
        return true;
}

int pxr_file_error_at(struct pxr_location location, const char *path, const char *verb, int error,
                      struct pxr_diag *diag)
{
        if (error == EISDIR)
                return pxr_error_at(diag, location, "%s: is a folder, not a file", path);
        if (error == ENXIO)
                return pxr_error_at(diag, location, "%s: is a device or pipe, not a file", path);
        if (error == ENOMEM)
                return pxr_out_of_memory(diag);
        if (pxr_is_system_error(error))
                return pxr_system_error(diag, "cannot %s %s: %s", verb, path, strerror(error));
        return pxr_error_at(diag, location, "cannot %s %s: %s", verb, path, strerror(error));
}

int pxr_file_error(const char *path, const char *verb, int error, struct pxr_diag *diag)
{
        return pxr_file_error_at((struct pxr_location) { 0 }, path, verb, error, diag);
}

FILE *pxr_file_open(const char *path, struct pxr_diag *diag)
{
        int fd = pxr_open_plain(path), failed;
        FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;

        if (file)
                return file;
        failed = errno;
        if (fd >= 0)
                close(fd);
        pxr_file_error(path, "open", failed, diag);
        return NULL;
}

uint8_t *pxr_file_read(struct pxr_arena *arena, const char *path, size_t limit, size_t *size,
                       struct pxr_diag *diag)
{
        FILE *file = pxr_file_open(path, diag);
        uint8_t *bytes = NULL;
        struct stat status;

        if (!file)
                return NULL;
        if (fstat(fileno(file), &status) != 0)
                pxr_file_error(path, "read", errno, diag);
        else if ((uintmax_t)status.st_size > limit)
                pxr_user_error(diag, "%s: larger than the limit of %zu bytes", path, limit);
        else if ((bytes = pxr_alloc(arena, (size_t)status.st_size + 1)))
                *size = fread(bytes, 1, (size_t)status.st_size, file);
        if (bytes && ferror(file)) {
                pxr_file_error(path, "read", errno, diag);
                bytes = NULL;
        }
        fclose(file);
        return bytes;
}

/* --- writing -----------------------------------------------------------------------------------
 */

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

int pxr_temporary_name(char path[PATH_MAX], const char *prefix)
{
        unsigned number;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                return -1;
        if (snprintf(path, PATH_MAX, "%s%06x", prefix, number & 0xffffff) < PATH_MAX)
                return 0;
        errno = ENAMETOOLONG;
        return -1;
}

/* The name of a file while it is written: one that no user would choose. */
#define PARTIAL ".partial-"
enum { PARTIAL_LENGTH = sizeof(PARTIAL "123456") - 1 };

/* The file to write for `path`: with `replace`, symbolic links are followed. */
static int find_target(const char *path, bool replace, char target[PATH_MAX], struct pxr_diag *diag)
{
        const char *slash = strrchr(path, '/');
        struct stat status;

        if (strlen(path) + PARTIAL_LENGTH >= PATH_MAX ||
            strlen(slash ? slash + 1 : path) + PARTIAL_LENGTH > NAME_MAX)
                return pxr_user_error(diag, "%s: name too long", path);
        snprintf(target, PATH_MAX, "%s", path);
        if (!replace || lstat(path, &status) != 0 || !S_ISLNK(status.st_mode))
                return 0;
        if (!realpath(path, target))
                return pxr_file_error(path, "follow symbolic link", errno, diag);
        return strlen(target) + PARTIAL_LENGTH < PATH_MAX
                       ? 0
                       : pxr_user_error(diag, "%s: name too long", target);
}

/* A new file beside the target, with the mode of the file it replaces. Returns NULL with errno. */
static FILE *open_partial(const char *target, bool replace, char partial[PATH_MAX])
{
        char prefix[PATH_MAX + PARTIAL_LENGTH];
        struct stat old;
        FILE *file = NULL;
        int fd, failed;

        snprintf(prefix, sizeof(prefix), "%s" PARTIAL, target);
        do {
                if (pxr_temporary_name(partial, prefix))
                        return NULL;
                fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        } while (fd < 0 && errno == EEXIST);
        if (fd < 0)
                return NULL;
        if (!replace || stat(target, &old) != 0 || fchmod(fd, old.st_mode & 0777) == 0)
                file = fdopen(fd, "wb");
        if (!file) {
                failed = errno;
                close(fd);
                unlink(partial);
                errno = failed;
        }
        return file;
}

int pxr_file_name(const char *partial, const char *target, bool replace)
{
        int status = replace ? rename(partial, target)
                             : renameat2(AT_FDCWD, partial, AT_FDCWD, target, RENAME_NOREPLACE);

        /* The errors of file systems that do not support the call. */
        if (status != 0 && !replace && (errno == EINVAL || errno == ENOSYS)) {
                status = link(partial, target);
                if (status == 0)
                        unlink(partial);
                else if (errno == EPERM && access(target, F_OK) != 0) /* a folder */
                        status = rename(partial, target);
        }
        if (status == 0)
                sync_folder(target);
        return status;
}

int pxr_file_write_by(const char *path, bool replace,
                      bool (*write)(FILE *file, const void *context), const void *context,
                      struct pxr_diag *diag)
{
        char target[PATH_MAX], partial[PATH_MAX];
        FILE *file;
        int failed;

        if (find_target(path, replace, target, diag))
                return -1;
        file = open_partial(target, replace, partial);
        if (!file)
                return pxr_system_error(diag, "cannot write %s: %s", path, strerror(errno));
        failed = write(file, context) && fflush(file) == 0 && fsync(fileno(file)) == 0 ? 0 : errno;
        if (fclose(file) != 0 && !failed)
                failed = errno;
        if (!failed && pxr_file_name(partial, target, replace) != 0)
                failed = errno;
        if (!failed)
                return 0;
        unlink(partial);
        if (failed == EEXIST && !replace)
                return pxr_user_error(diag, "%s: already exists", path);
        return pxr_system_error(diag, "cannot write %s: %s", path, strerror(failed));
}

struct bytes {
        const void *bytes;
        size_t size;
};

static bool write_bytes(FILE *file, const void *context)
{
        const struct bytes *all = context;

        return !all->size || fwrite(all->bytes, 1, all->size, file) == all->size;
}

int pxr_file_write(const char *path, bool replace, const void *bytes, size_t size,
                   struct pxr_diag *diag)
{
        return pxr_file_write_by(path, replace, write_bytes, &(struct bytes) { bytes, size }, diag);
}

static bool write_copy(FILE *file, const void *context)
{
        FILE *from = (FILE *)context;
        char bytes[1 << 16];
        size_t got;

        while ((got = fread(bytes, 1, sizeof(bytes), from)) > 0)
                if (fwrite(bytes, 1, got, file) != got)
                        return false;
        return !ferror(from);
}

int pxr_file_duplicate(const char *from, const char *to, bool link_it, struct pxr_diag *diag)
{
        FILE *file;
        int status;

        if (link_it && linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0) {
                sync_folder(to);
                return 0;
        }
        file = pxr_file_open(from, diag);
        if (!file)
                return -1;
        status = pxr_file_write_by(to, false, write_copy, file, diag);
        fclose(file);
        return status;
}

bool pxr_same_file(const char *a, const char *b)
{
        struct stat left, right;

        return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
               left.st_ino == right.st_ino;
}

int pxr_file_may_write(const char *path, bool replace, struct pxr_diag *diag)
{
        char target[PATH_MAX];
        struct stat status;

        if (!*path)
                return pxr_user_error(diag, "cannot write a file without a name");
        if (find_target(path, replace, target, diag))
                return -1;
        if (stat(target, &status) == 0 && !S_ISREG(status.st_mode))
                return pxr_user_error(diag, "%s: not a plain file", path);
        if (!replace && lstat(target, &status) == 0)
                return pxr_user_error(diag, "%s: already exists", path);
        if (access(dirname(target), W_OK | X_OK) != 0)
                return pxr_file_error(path, "write", errno, diag);
        return 0;
}

/* --- file systems ------------------------------------------------------------------------------
 */

bool pxr_remote_file_system(uint32_t type)
{
        static const uint32_t remote[] = {
                0x6969,     /* NFS */
                0xff534d42, /* CIFS */
                0xfe534d42, /* SMB 2 */
                0x0bd00bd0, /* Lustre */
                0x47504653, /* GPFS */
                0x19830326, /* BeeGFS */
                0x00c36400, /* Ceph */
                0xaad7aaea, /* PanFS */
                0x5346414f, /* AFS */
                0x01161970, /* GFS 2 */
                0x7461636f, /* OCFS 2 */
                0x01021997, /* 9P */
                0x65735546, /* FUSE: sshfs, GlusterFS and others */
        };

        for (size_t i = 0; i < PXR_COUNT(remote); i++)
                if (remote[i] == type)
                        return true;
        return false;
}

bool pxr_file_is_remote(const char *path)
{
        struct statfs status;

        return statfs(path, &status) == 0 && pxr_remote_file_system((uint32_t)status.f_type);
}
