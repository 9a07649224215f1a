/* SPDX-License-Identifier: MIT */
/* png_files.c - listing folders and tar archives of PNG files, and reading one of the files. Uses
 * base/ and libarchive. */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/png_files.h"

enum { MAX_FILE = 1 << 28, TAR_BLOCK = 512 };

/* --- listing -----------------------------------------------------------------------------------*/

static int open_error(const char *path, int error, struct pxr_diag *diag)
{
        if (error == ENOENT)
                return pxr_user_error(diag, "%s: no such folder", path);
        if (error == EMFILE || error == ENFILE || error == EIO)
                return pxr_system_error(diag, "%s: cannot be opened: %s", path, strerror(error));
        return pxr_user_error(diag, "%s: cannot be opened: %s", path, strerror(error));
}

static const char *last_part(const char *name)
{
        const char *slash = strrchr(name, '/');

        return slash ? slash + 1 : name;
}

static bool is_png(const char *name)
{
        size_t length = strlen(name);

        return name[0] != '.' && length > 4 && strcasecmp(name + length - 4, ".png") == 0;
}

static int compare(const void *a, const void *b)
{
        const struct pxr_png_file *one = a, *other = b;

        return strcmp(one->name, other->name);
}

static int add(struct pxr_arena *arena, struct pxr_png_files *files, const char *name,
               int64_t offset, int64_t size, struct pxr_diag *diag)
{
        if (files->count == files->room) {
                int64_t room = files->room ? 2 * files->room : 1024;
                struct pxr_png_file *more = realloc(files->files, (size_t)room * sizeof *more);

                if (!more)
                        return pxr_out_of_memory(diag);
                files->files = more;
                files->room = room;
        }
        name = pxr_strdup(arena, name);
        if (!name)
                return pxr_out_of_memory(diag);
        files->files[files->count++] = (struct pxr_png_file) { name, offset, size };
        return 0;
}

static int list_folder(struct pxr_arena *arena, struct pxr_png_files *files, struct pxr_diag *diag)
{
        int copy = fcntl(files->handle, F_DUPFD_CLOEXEC, 0);
        DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
        struct dirent *entry;
        int failed = 0;

        if (!folder) {
                if (copy >= 0)
                        close(copy);
                return open_error(files->path, errno, diag);
        }
        while (!failed && (errno = 0, entry = readdir(folder)))
                if (is_png(entry->d_name))
                        failed = add(arena, files, entry->d_name, 0, 0, diag);
        if (!failed && errno)
                failed = pxr_system_error(diag, "%s: cannot be listed: %s", files->path,
                                          strerror(errno));
        closedir(folder);
        return failed;
}

/* --- archives ----------------------------------------------------------------------------------*/

/* A tar archive ends with blocks of zeros; one that ends without is a part of one. */
static int check_end(const struct pxr_png_files *files, int64_t end, struct pxr_diag *diag)
{
        static const char zeros[TAR_BLOCK];
        char block[TAR_BLOCK];

        end = (end + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (pread(files->handle, block, sizeof block, end) == sizeof block &&
            memcmp(block, zeros, sizeof zeros) == 0)
                return 0;
        return pxr_user_error(diag,
                              "%s: byte %lld: the mark of the archive's end is missing "
                              "(truncated?)",
                              files->path, (long long)end);
}

static int unsound(const struct pxr_png_files *files, struct archive *tar, struct pxr_diag *diag)
{
        const char *what = archive_error_string(tar);

        return pxr_user_error(diag, "%s: neither a folder nor a sound tar archive, unpacked: %s",
                              files->path, what ? what : "unknown fault");
}

static int list_entries(struct pxr_arena *arena, struct pxr_png_files *files, struct archive *tar,
                        struct pxr_diag *diag)
{
        struct archive_entry *entry;
        int64_t end = 0;
        int result;

        while ((result = archive_read_next_header(tar, &entry)) == ARCHIVE_OK ||
               result == ARCHIVE_WARN) {
                const char *name = archive_entry_pathname(entry);
                int64_t offset = archive_filter_bytes(tar, 0), size = archive_entry_size(entry);

                end = offset + size;
                if (!name || archive_entry_filetype(entry) != AE_IFREG || !is_png(last_part(name)))
                        continue;
                if (add(arena, files, name, offset, size, diag))
                        return -1;
        }
        return result == ARCHIVE_EOF ? check_end(files, end, diag) : unsound(files, tar, diag);
}

static int check_names(const struct pxr_png_files *files, struct pxr_diag *diag)
{
        for (int64_t i = 1; i < files->count; i++)
                if (strcmp(files->files[i - 1].name, files->files[i].name) == 0)
                        return pxr_user_error(diag, "%s: holds %s twice", files->path,
                                              files->files[i].name);
        return 0;
}

/* The position in the file is libarchive's; later reads do not depend on it. */
static int list_archive(struct pxr_arena *arena, struct pxr_png_files *files, struct pxr_diag *diag)
{
        struct archive *tar = archive_read_new();
        int failed;

        if (!tar)
                return pxr_out_of_memory(diag);
        files->archive = true;
        archive_read_support_format_tar(tar);
        if (archive_read_open_fd(tar, files->handle, 1 << 16) == ARCHIVE_OK)
                failed = list_entries(arena, files, tar, diag);
        else
                failed = unsound(files, tar, diag);
        archive_read_free(tar);
        return failed;
}

/* --- opening -----------------------------------------------------------------------------------*/

static void close_files(void *what)
{
        struct pxr_png_files *files = what;

        free(files->files);
        if (files->handle >= 0)
                close(files->handle);
}

static int list(struct pxr_arena *arena, struct pxr_png_files *files, struct pxr_diag *diag)
{
        struct stat status;
        int failed;

        files->handle = open(files->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (files->handle < 0 || fstat(files->handle, &status))
                return open_error(files->path, errno, diag);
        if (S_ISDIR(status.st_mode))
                failed = list_folder(arena, files, diag);
        else
                failed = list_archive(arena, files, diag);
        if (failed)
                return -1;
        if (files->count == 0)
                return pxr_user_error(diag, "%s: holds no PNG files", files->path);
        qsort(files->files, (size_t)files->count, sizeof *files->files, compare);
        return check_names(files, diag);
}

struct pxr_png_files *pxr_png_files_open(struct pxr_arena *arena, const char *path,
                                         struct pxr_diag *diag)
{
        struct pxr_png_files *files = pxr_alloc(arena, sizeof *files);

        if (files) {
                files->handle = -1;
                files->path = pxr_strdup(arena, path);
        }
        if (!files || !files->path || pxr_arena_defer(arena, close_files, files)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return list(arena, files, diag) ? NULL : files;
}

/* --- one file ----------------------------------------------------------------------------------*/

void pxr_png_files_path(const struct pxr_png_files *files, int64_t index, char path[PATH_MAX])
{
        snprintf(path, PATH_MAX, files->archive ? "%s: %s" : "%s/%s", files->path,
                 files->files[index].name);
}

const char *pxr_png_files_name(const struct pxr_png_files *files, int64_t index)
{
        return last_part(files->files[index].name);
}

/* Read `size` bytes from `offset` on. Returns what went wrong, or NULL. */
static const char *read_bytes(int file, int64_t offset, size_t size, uint8_t *bytes)
{
        for (size_t done = 0; done < size;) {
                ssize_t got = pread(file, bytes + done, size - done, offset + (int64_t)done);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return strerror(errno);
                if (got == 0)
                        return "the file ends too early (truncated?)";
                done += (size_t)got;
        }
        return NULL;
}

/* Where the bytes of a file lie: a descriptor, which is the caller's to close unless it is the
 * archive's, offset and size. Returns what went wrong, or NULL. */
static const char *find_bytes(const struct pxr_png_files *files, int64_t index, int *file,
                              int64_t *offset, size_t *size)
{
        const struct pxr_png_file *entry = &files->files[index];
        struct stat status;

        *file = files->handle;
        *offset = entry->offset;
        *size = (size_t)entry->size;
        if (files->archive)
                return entry->size > MAX_FILE ? "it is no file of a picture" : NULL;
        *file = openat(files->handle, entry->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (*file < 0 || fstat(*file, &status))
                return strerror(errno);
        *size = (size_t)status.st_size;
        return !S_ISREG(status.st_mode) || status.st_size > MAX_FILE ? "it is no file of a picture"
                                                                     : NULL;
}

uint8_t *pxr_png_files_bytes(const struct pxr_png_files *files, int64_t index, size_t *size,
                             struct pxr_diag *diag)
{
        int file;
        int64_t offset;
        const char *problem = find_bytes(files, index, &file, &offset, size);
        uint8_t *bytes = problem ? NULL : malloc(*size + 1);
        char path[PATH_MAX];

        if (!problem)
                problem = bytes ? read_bytes(file, offset, *size, bytes) : strerror(ENOMEM);
        if (!files->archive && file >= 0)
                close(file);
        if (!problem)
                return bytes;
        free(bytes);
        pxr_png_files_path(files, index, path);
        pxr_user_error(diag, "%s: cannot be read: %s", path, problem);
        return NULL;
}

int64_t pxr_png_files_state(const struct pxr_png_files *files, int64_t index, char *text,
                            size_t room)
{
        const struct pxr_png_file *file = &files->files[index];
        struct stat s;
        int failed = files->archive ? fstat(files->handle, &s)
                                    : fstatat(files->handle, file->name, &s, 0);
        int length;

        if (failed)
                return -1;
        length = snprintf(text, room, "%s/%s %lld %lld %llu %llu %lld.%ld %lld.%ld", files->path,
                          file->name, (long long)file->offset, (long long)s.st_size,
                          (unsigned long long)s.st_dev, (unsigned long long)s.st_ino,
                          (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec,
                          (long long)s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
        return length > 0 && (size_t)length < room ? s.st_ctim.tv_sec : -1;
}
