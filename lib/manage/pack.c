/* SPDX-License-Identifier: MIT */
/* pack.c - packing an exported run's directory into an archive, and unpacking it. */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/staging.h"
#include "data/reader.h"
#include "manage/manifest.h"
#include "record/folder.h"

/* --- packing -----------------------------------------------------------------------------------
 */

struct packing {
        const struct pxr_listed *list;
        const char *folder, *top;
};

static bool write_content(struct archive *archive, FILE *file)
{
        char bytes[1 << 16];
        size_t got;

        while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
                if (archive_write_data(archive, bytes, got) != (la_ssize_t)got)
                        return false;
        return !ferror(file);
}

/* Without the time or the user, so that the same files give the same bytes. */
static bool write_entry(struct archive *archive, const struct packing *packing, const char *name)
{
        struct archive_entry *entry = archive_entry_new();
        char path[PATH_MAX], inner[PATH_MAX];
        struct stat status;
        FILE *file;
        bool done = false;

        snprintf(path, sizeof(path), "%s/%s", packing->folder, name);
        snprintf(inner, sizeof(inner), "%s/%s", packing->top, name);
        file = pxr_file_open(path, NULL);
        if (entry && file && fstat(fileno(file), &status) == 0) {
                archive_entry_set_pathname(entry, inner);
                archive_entry_set_size(entry, status.st_size);
                archive_entry_set_filetype(entry, AE_IFREG);
                archive_entry_set_perm(entry, 0644);
                archive_entry_set_mtime(entry, 0, 0);
                done = archive_write_header(archive, entry) == ARCHIVE_OK &&
                       write_content(archive, file);
        }
        if (file)
                fclose(file);
        archive_entry_free(entry);
        return done;
}

static bool write_archive(FILE *file, const void *context)
{
        const struct packing *packing = context;
        struct archive *archive = archive_write_new();
        bool done = archive && archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK &&
                    archive_write_add_filter_gzip(archive) == ARCHIVE_OK &&
                    archive_write_set_options(archive, "gzip:!timestamp") == ARCHIVE_OK &&
                    archive_write_open_FILE(archive, file) == ARCHIVE_OK &&
                    write_entry(archive, packing, PXR_MANIFEST);

        for (const struct pxr_listed *one = packing->list; done && one; one = one->next)
                done = write_entry(archive, packing, one->name);
        if (archive && archive_write_close(archive) != ARCHIVE_OK)
                done = false;
        if (!done)
                errno = archive && archive_errno(archive) ? archive_errno(archive)
                        : errno                           ? errno
                                                          : EIO;
        int kept = errno;
        archive_write_free(archive);
        errno = kept;
        return done;
}

int pxr_pack(const struct pxr_listed *list, const char *folder, const char *top, const char *path,
             struct pxr_diag *diag)
{
        return pxr_file_write_by(path, false, write_archive,
                                 &(struct packing) { list, folder, top }, diag);
}

/* --- unpacking ---------------------------------------------------------------------------------
 */

struct unpacking {
        struct pxr_arena *arena;
        struct pxr_archive *archive;
        const char *path, *folder;
        int64_t left; /* bytes that may still be unpacked */
        struct pxr_diag *diag;
};

struct entry {
        struct pxr_reader *input;
        struct unpacking *of;
        bool failed; /* with an error recorded */
};

static int too_large(const struct unpacking *u)
{
        return pxr_user_error(u->diag,
                              "%s: decompresses to more than %d times its size, unlike any export; "
                              "nothing was imported",
                              u->path, PXR_UNPACKED_TIMES);
}

/* Refuse an entry that is too large, for the archive or for the disk, before it is written. */
static int check_size(const struct unpacking *u, const char *relative)
{
        int64_t size = pxr_archive_size(u->archive);
        struct statvfs disk;
        double free_bytes;

        if (size > u->left)
                return too_large(u);
        if (statvfs(u->folder, &disk) != 0)
                return 0;
        free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
        if ((double)size <= free_bytes)
                return 0;
        return pxr_system_error(u->diag,
                                "%s: '%s' takes %.1f MB, but only %.1f MB are free; nothing was "
                                "imported",
                                u->path, relative, (double)size / 1e6, free_bytes / 1e6);
}

static bool read_content(FILE *file, struct entry *entry)
{
        char bytes[1 << 16];
        int64_t got;

        while ((got = pxr_reader_read(entry->input, bytes, sizeof(bytes), entry->of->diag)) > 0) {
                entry->of->left -= got;
                if (entry->of->left < 0)
                        got = too_large(entry->of);
                if (got < 0)
                        break;
                if (fwrite(bytes, 1, (size_t)got, file) != (size_t)got)
                        return false;
        }
        entry->failed = got < 0;
        return got == 0;
}

/* Not synced, since an archive may hold many files: what is kept of them is synced when it is
 * copied. */
static int write_content_to(struct entry *entry, const char *path)
{
        FILE *file = fopen(path, "wbxe");
        bool written;
        int failed;

        if (!file)
                return pxr_file_error(path, "write", errno, entry->of->diag);
        written = read_content(file, entry);
        failed = errno;
        if (fclose(file) != 0 && written) {
                written = false;
                failed = errno;
        }
        if (written)
                return 0;
        return entry->failed ? -1
                             : pxr_system_error(entry->of->diag, "cannot write %s: %s", path,
                                                strerror(failed));
}

static int unpack_entry(struct unpacking *u, const char *relative)
{
        const char *to = pxr_strf(u->arena, "%s/%s", u->folder, relative);
        struct entry entry = { pxr_archive_entry(u->archive), u, false };
        int status = -1;

        if (access(to, F_OK) == 0)
                pxr_user_error(u->diag, "%s: contains '%s' twice; nothing was imported", u->path,
                               relative);
        else if (errno != ENOENT)
                pxr_file_error(relative, "unpack", errno, u->diag);
        else if (!pxr_arena_failed(u->arena) && !check_size(u, relative) &&
                 !pxr_make_folders(u->folder, relative, u->diag))
                status = write_content_to(&entry, to);
        return status;
}

/* An entry's path without the top directory; NULL after an error. */
static const char *inner_name(const char *path, const char *name, struct pxr_diag *diag)
{
        const char *slash;

        if (strncmp(name, "./", 2) == 0)
                name += 2;
        slash = strchr(name, '/');
        if (pxr_path_stays_below(name) && slash)
                return slash + 1;
        pxr_user_error(diag, "%s: '%s' is not in a directory of its own; nothing was imported",
                       path, name);
        return NULL;
}

int pxr_unpack(struct pxr_arena *arena, const char *path, const char *folder, struct pxr_diag *diag)
{
        struct unpacking u = { arena, pxr_archive_open(path, diag), path, folder, 0, diag };
        struct stat status;
        const char *name;
        int got = -1;

        if (stat(path, &status) == 0)
                u.left = pxr_unpacked_most(status.st_size);
        while (u.archive && (got = pxr_archive_next(u.archive, &name, diag)) > 0) {
                const char *relative = inner_name(path, name, diag);

                if (!relative || unpack_entry(&u, relative)) {
                        got = -1;
                        break;
                }
        }
        pxr_archive_close(u.archive);
        return got;
}
