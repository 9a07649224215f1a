/* SPDX-License-Identifier: MIT */
/* convert.c - writing a set as PNG or .npz files. */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "data/convert.h"
#include "data/format.h"
#include "data/png.h"

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
        c->done++;
        return 0;
}

/* --- png ---------------------------------------------------------------------------------------*/

static int split_to_png(struct conversion *c, enum pxr_split split, struct pxr_diag *diag)
{
        const struct pxr_picture picture = { .rows = c->set->rows,
                                             .cols = c->set->cols,
                                             .colours = c->set->colours,
                                             .pixels = c->pixels };
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", c->into, pxr_split_names[split]);
        if (mkdir(path, 0777) != 0)
                return pxr_file_error(path, "create folder", errno, diag);
        for (int64_t i = 0; i < c->set->count[split]; i++) {
                int result = read_image(c, split, i, diag);

                if (result != 0)
                        return result;
                snprintf(path, sizeof path, "%s/%s/%07lld.png", c->into, pxr_split_names[split],
                         (long long)i);
                if (pxr_png_write(path, &picture, diag))
                        return -1;
        }
        return 0;
}

/* --- npz ---------------------------------------------------------------------------------------*/

static int archive_failed(struct archive *archive, const char *path, struct pxr_diag *diag)
{
        const char *what = archive_error_string(archive);

        return pxr_system_error(diag, "cannot write %s: %s", path, what ? what : "?");
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
        struct pxr_output_folder output;
        struct conversion c = { .set = set,
                                .folder = folder,
                                .into = output.staging.path,
                                .observer = observer,
                                .size = pxr_image_size(set) };
        int result;

        if (pxr_dataset_has_labels(set)) /* rather than lose them without a word */
                return pxr_user_error(diag, "cannot write labels: convert with 'labels=false'");
        result = pxr_output_folder_begin(&output, folder, diag);
        if (result == 0)
                result = write_splits(&c, container, diag);
        return pxr_output_folder_end(&output, result, diag);
}
