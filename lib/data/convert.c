/* SPDX-License-Identifier: MIT */
/* convert.c - writing a set as PNG or .npz files. */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "data/convert.h"
#include "data/format.h"
#include "data/png_images.h"

enum { NPY_HEAD = 128 };

const char *const pxr_container_names[] = { "png", "npz", NULL };

/* The work. */
struct conversion {
        const struct pxr_dataset *set;
        const char *folder, *into; /* the user's, and the one in it until all is there */
        const struct pxr_observer *observer;
        size_t size;     /* bytes of an image */
        uint8_t *pixels; /* the image at hand, as bytes from 0 to 255 */
        int64_t done, all;
};

/* Read image `index`. Returns 0, 1 to stop, or -1. */
static int read_image(struct conversion *c, enum pxr_split split, int64_t index,
                      struct pxr_diag *diag)
{
        if (pxr_observe_count(c->observer, c->folder, "images", c->done, c->all))
                return 1;
        if (pxr_dataset_read(c->set, split, 0, &index, 1, c->pixels, diag))
                return -1;
        for (size_t i = 0; i < c->size && c->set->levels < 256; i++)
                c->pixels[i] = pxr_level_byte(c->pixels[i], c->set->levels);
        if (index + 1 < c->set->count[split]) {
                index++;
                pxr_dataset_expect(c->set, split, 0, &index, 1);
        }
        c->done++;
        return 0;
}

/* --- png ---------------------------------------------------------------------------------------*/

static int write_png(struct conversion *c, const char *path, struct pxr_diag *diag)
{
        const struct pxr_picture picture = { .rows = c->set->rows,
                                             .cols = c->set->cols,
                                             .colours = c->set->colours,
                                             .pixels = c->pixels };

        return pxr_png_write(path, &picture, diag);
}

static int split_to_png(struct conversion *c, enum pxr_split split, struct pxr_diag *diag)
{
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", c->into, pxr_split_names[split]);
        if (mkdir(path, 0777) != 0)
                return pxr_file_error(path, "the folder cannot be made", errno, diag);
        for (int64_t i = 0; i < c->set->count[split]; i++) {
                int result = read_image(c, split, i, diag);

                if (result != 0)
                        return result;
                snprintf(path, sizeof path, "%s/%s/%07lld.png", c->into, pxr_split_names[split],
                         (long long)i);
                if (write_png(c, path, diag))
                        return -1;
        }
        return 0;
}

/* --- npz ---------------------------------------------------------------------------------------*/

static int archive_failed(struct archive *archive, const char *path, struct pxr_diag *diag)
{
        const char *what = archive_error_string(archive);

        return pxr_system_error(diag, "%s: cannot be written: %s", path, what ? what : "?");
}

static int start_npz(struct conversion *c, struct archive *archive, int64_t images,
                     const char *path, struct pxr_diag *diag)
{
        struct archive_entry *entry = archive_entry_new();
        char head[NPY_HEAD];
        bool failed;

        if (!entry)
                return pxr_out_of_memory(diag);
        archive_write_set_format_zip(archive);
        archive_write_zip_set_compression_deflate(archive);
        archive_entry_set_pathname(entry, "data.npy");
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, NPY_HEAD + images * (int64_t)c->size);
        memset(head, ' ', sizeof head);
        memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
        head[10 + snprintf(head + 10, sizeof head - 10,
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (%lld, %d, %d%s), }",
                           (long long)images, c->set->rows, c->set->cols,
                           c->set->colours == 3 ? ", 3" : "")] = ' ';
        head[NPY_HEAD - 1] = '\n';
        failed = archive_write_open_filename(archive, path) != ARCHIVE_OK ||
                 archive_write_header(archive, entry) != ARCHIVE_OK ||
                 archive_write_data(archive, head, NPY_HEAD) != NPY_HEAD;
        archive_entry_free(entry);
        return failed ? archive_failed(archive, path, diag) : 0;
}

static int images_to_npz(struct conversion *c, enum pxr_split split, struct archive *archive,
                         const char *path, struct pxr_diag *diag)
{
        for (int64_t i = 0; i < c->set->count[split]; i++) {
                int result = read_image(c, split, i, diag);

                if (result != 0)
                        return result;
                if (archive_write_data(archive, c->pixels, c->size) != (la_ssize_t)c->size)
                        return archive_failed(archive, path, diag);
        }
        return archive_write_close(archive) == ARCHIVE_OK ? 0 : archive_failed(archive, path, diag);
}

static int split_to_npz(struct conversion *c, enum pxr_split split, struct pxr_diag *diag)
{
        static const char *const names[] = { "train", "val", "test" };
        struct archive *archive = archive_write_new();
        char path[PATH_MAX];
        int result;

        if (!archive)
                return pxr_out_of_memory(diag);
        snprintf(path, sizeof path, "%s/%s.npz", c->into, names[split]);
        result = start_npz(c, archive, c->set->count[split], path, diag);
        if (result == 0)
                result = images_to_npz(c, split, archive, path, diag);
        archive_write_free(archive);
        return result;
}

/* --- both --------------------------------------------------------------------------------------*/

/* What is put together in the folder, which is the user's: a name that nobody else gives. */
#define PREFIX ".pxr-convert-"

/* Is nothing in the folder but what a killed process may have left of such work? */
static int check_empty(const char *folder, struct pxr_diag *diag)
{
        DIR *stream = opendir(folder);
        struct dirent *entry;
        bool empty = true;

        if (!stream)
                return pxr_system_error(diag, "%s: cannot be read: %s", folder, strerror(errno));
        while ((entry = readdir(stream)))
                empty &= strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                         pxr_is_staging(entry->d_name, PREFIX);
        closedir(stream);
        return empty ? 0 : pxr_user_error(diag, "%s: the folder is not empty", folder);
}

/* Begin in the folder, which is made where it is not there: *made tells. A set takes its place in
 * it when it is whole; what is there already is not to be mixed with a set. */
static int start(const char *folder, struct pxr_staging *staging, bool *made, struct pxr_diag *diag)
{
        char prefix[PATH_MAX];
        struct stat status;
        int why;

        *made = mkdir(folder, 0777) == 0;
        why = errno;
        if (!*made && (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)))
                return pxr_file_error(folder, "the folder cannot be made", why, diag);
        if (access(folder, W_OK) != 0)
                return pxr_file_error(folder, "cannot be written", errno, diag);
        snprintf(prefix, sizeof prefix, "%s/" PREFIX, folder);
        return check_empty(folder, diag) || pxr_staging_make(staging, prefix, diag) ? -1 : 0;
}

/* All that was put together to the folder itself. */
static int give_places(const char *staging, const char *folder, struct pxr_diag *diag)
{
        DIR *stream = opendir(staging);
        struct dirent *entry;
        char to[PATH_MAX];
        int status = 0;

        if (!stream)
                return pxr_system_error(diag, "%s: cannot be read: %s", staging, strerror(errno));
        while (status == 0 && (entry = readdir(stream))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                snprintf(to, sizeof to, "%s/%s", folder, entry->d_name);
                if (renameat(dirfd(stream), entry->d_name, AT_FDCWD, to) != 0)
                        status = pxr_system_error(diag, "%s: cannot be made: %s", to,
                                                  strerror(errno));
        }
        closedir(stream);
        return status;
}

static int write_splits(struct conversion *c, enum pxr_container container, struct pxr_diag *diag)
{
        int result;

        for (int i = 0; i < PXR_SPLITS; i++)
                c->all += c->set->count[i];
        c->pixels = malloc(c->size);
        result = c->pixels ? 0 : pxr_out_of_memory(diag);
        for (int i = 0; i < PXR_SPLITS && result == 0; i++)
                if (c->set->count[i] > 0)
                        result = container == PXR_TO_PNG ? split_to_png(c, i, diag)
                                                         : split_to_npz(c, i, diag);
        free(c->pixels);
        return result;
}

int pxr_convert(const struct pxr_dataset *set, enum pxr_container container, const char *folder,
                const struct pxr_observer *observer, struct pxr_diag *diag)
{
        struct conversion c = { .set = set,
                                .folder = folder,
                                .observer = observer,
                                .size = (size_t)set->rows * (size_t)set->cols *
                                        (size_t)set->colours };
        struct pxr_staging staging = { .fd = -1 };
        bool made = false;
        int result;

        if (strlen(folder) > PATH_MAX - 64)
                return pxr_user_error(diag, "%.60s...: the path is too long", folder);
        result = start(folder, &staging, &made, diag);
        c.into = staging.path;
        if (result == 0)
                result = write_splits(&c, container, diag);
        if (result == 0)
                result = give_places(staging.path, folder, diag);
        pxr_staging_remove(&staging);
        if (result != 0 && made)
                rmdir(folder);
        return result;
}
