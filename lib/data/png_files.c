/* SPDX-License-Identifier: MIT */
/* png_files.c - listing folders and tar archives of PNG files, and reading one of the files. */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "data/jpeg.h"
#include "data/png_files.h"
#include "data/recognize.h"

enum { MAX_FILE = 1 << 28, TAR_BLOCK = 512, MAX_DEPTH = 32, MAX_FOLDERS = 100000 };

/* --- listing -----------------------------------------------------------------------------------*/

static int open_error(const char *path, int error, struct pxr_diag *diag)
{
        if (error == ENOENT)
                return pxr_user_error(diag, "%s: no such folder", path);
        return pxr_file_error(path, "open", error, diag);
}

static bool is_jpeg(const char *name)
{
        return pxr_jpeg_reads() &&
               fnmatch("[!.]*.@(jpg|jpeg)", name, FNM_CASEFOLD | FNM_EXTMATCH) == 0;
}

static bool is_picture(const char *name)
{
        return fnmatch("[!.]*.png", name, FNM_CASEFOLD) == 0 || is_jpeg(name);
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
        files->has_jpeg |= is_jpeg(basename(name));
        files->files[files->count++] =
                (struct pxr_png_file) { pxr_strdup(arena, name), offset, size };
        return 0;
}

/* --- other files -------------------------------------------------------------------------------*/

/* What a folder or archive holds besides PNG files: it is skipped. */
enum other { OTHER_FILE, OTHER_FOLDER, OTHER_LINK, OTHERS };

static const struct {
        const char *what; /* %s: the ending of the plural */
        const char *why;
} skipped[OTHERS] = {
        { "file%s whose name does not end with .png or .jpg", "" },
        { "folder%s", ": subfolders are read only if the folder itself contains no pictures" },
        { "symbolic link%s to folders", ", which are not followed" },
};

struct others {
        struct {
                int64_t count;
                char example[PATH_MAX];
        } of[OTHERS];
};

/* Files that a user may take for a set, and what to do with them; %s: the ending of the name. */
static const struct {
        const char *pattern, *advice;
} kinds[] = {
        { "*.@(avif|bmp|gif|heic|jpeg|jpg|jxl|pgm|ppm|tga|tif|tiff|webp)",
          "such pictures are not read: convert them to PNG ('mogrify -format png *%s' of "
          "ImageMagick)" },
        { "*.npy", "arrays are read from .npz files ('set: npz'); to make one, in Python: "
                   "numpy.savez('new.npz', data=numpy.load('FILE'))" },
        { "*.npz", "'set: npz' reads .npz files" },
        { "*.parquet",
          "Parquet is not read; if its column 'image' holds PNG files, this Python unpacks them: "
          "for i, row in enumerate(pyarrow.parquet.read_table('FILE').to_pylist()): "
          "open(f'{i:07d}.png', 'wb').write(row['image']['bytes'])" },
};

/* NULL: none of them. */
static const char *advice_on(const char *name)
{
        for (size_t i = 0; i < PXR_COUNT(kinds); i++)
                if (fnmatch(kinds[i].pattern, name, FNM_CASEFOLD | FNM_EXTMATCH) == 0)
                        return kinds[i].advice;
        return NULL;
}

static void note_advice(const char *name, struct pxr_diag *diag)
{
        const char *advice = advice_on(name), *place = advice ? strstr(advice, "%s") : NULL;

        if (place)
                pxr_note(diag, "%.*s%s%s", (int)(place - advice), advice, strrchr(name, '.'),
                         place + 2);
        else if (advice)
                pxr_note(diag, "%s", advice);
}

/* The example is a file of a known kind if possible, and the first by name: folders are listed in
 * no order. */
static void count_other(struct others *others, const char *name, enum other what)
{
        char *example = others->of[what].example;
        bool known = advice_on(name), known_before = advice_on(example);

        others->of[what].count++;
        if (!*example || (known && !known_before) ||
            (known == known_before && strcmp(name, example) < 0))
                snprintf(example, PATH_MAX, "%s", name);
}

static int report_others(const struct pxr_png_files *files, const struct others *others,
                         struct pxr_diag *diag)
{
        const char *file = others->of[OTHER_FILE].example;
        bool none = files->count == 0;

        if (none)
                pxr_user_error(diag, "%s: contains no PNG or JPEG files", files->path);
        for (int i = 0; i < OTHERS; i++) {
                int64_t count = others->of[i].count;
                const char *example = others->of[i].example;
                char text[128];

                /* Text files and labels among the images are common: no warning. */
                if (count == 0 || (i == OTHER_FILE && !none && !advice_on(file)))
                        continue;
                snprintf(text, sizeof text, skipped[i].what, pxr_plural(count));
                if (none)
                        pxr_note(diag, "it contains %" PRId64 " %s, such as %s%s", count, text,
                                 example, skipped[i].why);
                else
                        pxr_warn(diag, "%s: skipped %" PRId64 " %s, such as %s%s", files->path,
                                 count, text, example, skipped[i].why);
        }
        note_advice(file, diag);
        return none ? -1 : 0;
}

/* --- folders -----------------------------------------------------------------------------------*/

/* Listing a folder and its subfolders. */
struct listing {
        struct pxr_arena *arena;
        struct pxr_png_files *files;
        struct others *others;
        bool below; /* descend into subfolders */
        int folders;
        struct pxr_diag *diag;
};

/* Splits must not be merged into one because their folders have unexpected names. */
static int check_split_name(const struct listing *l, const char *relative, const char *name)
{
        static const char *const names[] = { "train", "training",   "val",  "valid",
                                             "dev",   "validation", "test", "testing" };

        for (size_t i = 0; i < PXR_COUNT(names); i++)
                if (strcasecmp(name, names[i]) == 0) {
                        pxr_user_error(l->diag, "%s: the folder %s looks like a split",
                                       l->files->path, relative);
                        pxr_note(
                                l->diag,
                                "splits are read from the folders train, valid and test in 'path'; "
                                "rename the folder, or set 'path' to the folder that contains it");
                        return -1;
                }
        return 0;
}

/* Visit an entry. Returns 0, 1 not to descend into it, or -1. */
static int visit(struct listing *l, const FTSENT *entry)
{
        const char *relative = entry->fts_path + strlen(l->files->path);
        struct stat status;

        relative += strspn(relative, "/");
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR)
                return open_error(entry->fts_path, entry->fts_errno, l->diag);
        if (entry->fts_level == FTS_ROOTLEVEL || entry->fts_info == FTS_DP)
                return 0;
        if (entry->fts_name[0] == '.')
                return 1;
        if (is_picture(entry->fts_name))
                return add(l->arena, l->files, relative, 0, 0, l->diag) ? -1 : 1;
        if (entry->fts_info == FTS_D && l->below) {
                if (entry->fts_level > MAX_DEPTH || ++l->folders > MAX_FOLDERS)
                        return pxr_user_error(l->diag,
                                              "%s: more than %d folders, or nested more than %d "
                                              "deep",
                                              l->files->path, MAX_FOLDERS, MAX_DEPTH);
                return check_split_name(l, relative, entry->fts_name);
        }
        count_other(l->others, relative,
                    entry->fts_info == FTS_D ? OTHER_FOLDER
                    : entry->fts_info == FTS_SL && stat(entry->fts_path, &status) == 0 &&
                                    S_ISDIR(status.st_mode)
                            ? OTHER_LINK
                            : OTHER_FILE);
        return 1;
}

static int walk(struct listing *l)
{
        char *paths[] = { (char *)l->files->path, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
        FTSENT *entry;
        int status = 0;

        while (tree && status >= 0 && (errno = 0, entry = fts_read(tree))) {
                status = visit(l, entry);
                if (status > 0)
                        fts_set(tree, entry, FTS_SKIP);
        }
        if (status >= 0 && errno)
                status = pxr_file_error(l->files->path, "list", errno, l->diag);
        if (tree)
                fts_close(tree);
        return status < 0 ? -1 : 0;
}

static int list_folder(struct pxr_arena *arena, struct pxr_png_files *files, struct others *others,
                       struct pxr_diag *diag)
{
        struct listing listing = { .arena = arena, .files = files, .others = others, .diag = diag };

        if (walk(&listing))
                return -1;
        if (files->count > 0 || others->of[OTHER_FOLDER].count == 0)
                return 0;
        *others = (struct others) { 0 };
        listing.below = true;
        return walk(&listing);
}

/* --- archives ----------------------------------------------------------------------------------*/

/* A tar archive ends with blocks of zeros; without them it is truncated. */
static int check_end(const struct pxr_png_files *files, int64_t end, struct pxr_diag *diag)
{
        static const char zeros[TAR_BLOCK];
        char block[TAR_BLOCK];

        end = (end + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (pread(files->handle, block, sizeof block, end) == sizeof block &&
            memcmp(block, zeros, sizeof zeros) == 0)
                return 0;
        return pxr_user_error(diag,
                              "%s: byte %lld: the archive's end marker is missing (truncated?)",
                              files->path, (long long)end);
}

static int unsound(const struct pxr_png_files *files, struct archive *tar, struct pxr_diag *diag)
{
        const char *what = archive_error_string(tar);

        if (pxr_file_refuse(files->path, 1 << PXR_FILE_TAR, diag))
                return -1;
        pxr_user_error(diag, "%s: not a folder or a valid, uncompressed tar archive: %s",
                       files->path, what ? what : "unknown error");
        note_advice(files->path, diag);
        return -1;
}

static int list_entries(struct pxr_arena *arena, struct pxr_png_files *files, struct others *others,
                        struct archive *tar, struct pxr_diag *diag)
{
        struct archive_entry *entry;
        int64_t end = 0;
        int result;

        while ((result = archive_read_next_header(tar, &entry)) == ARCHIVE_OK ||
               result == ARCHIVE_WARN) {
                const char *name = archive_entry_pathname(entry);
                int64_t offset = archive_filter_bytes(tar, 0), size = archive_entry_size(entry);

                end = offset + size;
                if (!name || archive_entry_filetype(entry) != AE_IFREG || *basename(name) == '.')
                        continue;
                if (!is_picture(basename(name)))
                        count_other(others, name, OTHER_FILE);
                else if (add(arena, files, name, offset, size, diag))
                        return -1;
        }
        return result == ARCHIVE_EOF ? check_end(files, end, diag) : unsound(files, tar, diag);
}

static int check_names(const struct pxr_png_files *files, struct pxr_diag *diag)
{
        for (int64_t i = 1; i < files->count; i++)
                if (strcmp(files->files[i - 1].name, files->files[i].name) == 0)
                        return pxr_user_error(diag, "%s: contains %s twice", files->path,
                                              files->files[i].name);
        return 0;
}

/* libarchive moves the position in the file; later reads do not depend on it. */
static int list_archive(struct pxr_arena *arena, struct pxr_png_files *files, struct others *others,
                        struct pxr_diag *diag)
{
        struct archive *tar = archive_read_new();
        int failed;

        if (!tar)
                return pxr_out_of_memory(diag);
        files->archive = true;
        archive_read_support_format_tar(tar);
        if (archive_read_open_fd(tar, files->handle, 1 << 16) == ARCHIVE_OK)
                failed = list_entries(arena, files, others, tar, diag);
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
        struct others others = { 0 };
        struct stat status;
        int failed;

        files->handle = open(files->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (files->handle < 0 || fstat(files->handle, &status))
                return open_error(files->path, errno, diag);
        if (S_ISDIR(status.st_mode))
                failed = list_folder(arena, files, &others, diag);
        else
                failed = list_archive(arena, files, &others, diag);
        if (failed || report_others(files, &others, diag))
                return -1;
        qsort(files->files, (size_t)files->count, sizeof *files->files, compare);
        return check_names(files, diag);
}

struct pxr_png_files *pxr_png_files_open(struct pxr_arena *arena, const char *path,
                                         struct pxr_diag *diag)
{
        struct pxr_png_files *files = pxr_alloc(arena, sizeof *files);

        if (!files)
                return NULL;
        files->handle = -1;
        files->path = pxr_strdup(arena, path);
        if (pxr_arena_defer(arena, close_files, files))
                return NULL;
        return list(arena, files, diag) ? NULL : files;
}

/* --- one file ----------------------------------------------------------------------------------*/

void pxr_png_files_path(const struct pxr_png_files *files, int64_t index, char path[PATH_MAX])
{
        snprintf(path, PATH_MAX, files->archive ? "%s: %s" : "%s/%s", files->path,
                 files->files[index].name);
}

/* Read an entry from the open `file`. Returns an error message, or NULL. */
static const char *read_entry(const struct pxr_png_files *files, const struct pxr_png_file *entry,
                              int file, uint8_t **bytes, size_t *size)
{
        struct stat status;
        ssize_t got;

        if (file < 0 || fstat(file, &status))
                return strerror(errno);
        *size = (size_t)(files->archive ? entry->size : status.st_size);
        if (!S_ISREG(status.st_mode) || *size > MAX_FILE)
                return "not an image file";
        *bytes = malloc(*size + 1);
        got = *bytes ? pread(file, *bytes, *size, entry->offset) : -1;
        if (got < 0)
                return strerror(errno);
        return (size_t)got < *size ? "unexpected end of file (truncated?)" : NULL;
}

uint8_t *pxr_png_files_bytes(const struct pxr_png_files *files, int64_t index, size_t *size,
                             struct pxr_diag *diag)
{
        const struct pxr_png_file *entry = &files->files[index];
        int file = files->archive
                           ? files->handle
                           : openat(files->handle, entry->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        uint8_t *bytes = NULL;
        const char *problem = read_entry(files, entry, file, &bytes, size);
        char path[PATH_MAX];

        if (!files->archive && file >= 0)
                close(file);
        if (!problem)
                return bytes;
        free(bytes);
        pxr_png_files_path(files, index, path);
        pxr_user_error(diag, "cannot read %s: %s", path, problem);
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
