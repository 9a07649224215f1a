/* SPDX-License-Identifier: MIT */
/* png_images.c - images of a number of levels, each in a PNG file. */
#include "data/png_images.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/staging.h"
#include "data/format.h"

enum { MAX_FILE = 1 << 28 };

static size_t size_of(const struct pxr_png_kind *kind)
{
        return (size_t)kind->rows * (size_t)kind->cols * (size_t)kind->colours;
}

/* --- reading -----------------------------------------------------------------------------------*/

int pxr_png_to_levels(const char *name, const struct pxr_png_kind *kind, uint8_t *pixels,
                      struct pxr_diag *diag)
{
        size_t size = size_of(kind), colours = (size_t)kind->colours, cols = (size_t)kind->cols;

        for (size_t i = 0; i < size && kind->levels < 256; i++) {
                int level = pxr_byte_level(pixels[i], kind->levels);

                if (pxr_level_byte(level, kind->levels) != pixels[i])
                        return pxr_user_error(diag,
                                              "%s: row %zu, column %zu: the value %d is not one "
                                              "of %d levels from 0 to 255%s",
                                              name, i / colours / cols, i / colours % cols,
                                              pixels[i], kind->levels,
                                              kind->levels == 2 ? ": make it black and white" : "");
                pixels[i] = (uint8_t)level;
        }
        return 0;
}

int pxr_png_read_image(const char *path, const struct pxr_png_kind *kind, uint8_t *pixels,
                       struct pxr_diag *diag)
{
        struct pxr_arena *scratch = pxr_arena_new(0, diag);
        size_t size;
        uint8_t *bytes;
        int status = -1;

        if (!scratch)
                return pxr_out_of_memory(diag);
        bytes = pxr_file_read(scratch, path, MAX_FILE, &size, diag);
        if (bytes)
                status = pxr_png_decode_exactly(path, bytes, size, kind->rows, kind->cols,
                                                kind->colours, pixels, diag);
        pxr_arena_free(scratch);
        return status ? -1 : pxr_png_to_levels(path, kind, pixels, diag);
}

/* --- writing -----------------------------------------------------------------------------------*/

int pxr_png_write(const char *path, const struct pxr_picture *picture, struct pxr_diag *diag)
{
        size_t size;
        uint8_t *bytes = pxr_png_encode(picture, &size, diag);
        FILE *file;
        bool failed;

        if (!bytes)
                return -1;
        file = fopen(path, "wxe");
        failed = !file || fwrite(bytes, 1, size, file) != size;
        failed |= file && fclose(file) != 0;
        free(bytes);
        return failed ? pxr_system_error(diag, "cannot write %s: %s", path, strerror(errno)) : 0;
}

/* An image's PNG; `bytes` has room for its values as bytes. */
static int write_image(const char *path, const struct pxr_png_kind *kind, const uint8_t *pixels,
                       struct pxr_png_texts texts, uint8_t *bytes, struct pxr_diag *diag)
{
        const struct pxr_picture picture = { .rows = kind->rows,
                                             .cols = kind->cols,
                                             .colours = kind->colours,
                                             .pixels = bytes,
                                             .texts = texts.text,
                                             .text_count = texts.count };

        for (size_t i = 0; i < size_of(kind); i++)
                bytes[i] = pxr_level_byte(pixels[i], kind->levels);
        return pxr_png_write(path, &picture, diag);
}

int pxr_png_write_images(const char *folder, const struct pxr_png_kind *kind, int64_t count,
                         const char *const *names, const uint8_t *pixels,
                         const struct pxr_png_texts *texts, struct pxr_diag *diag)
{
        struct pxr_output_folder output;
        int status = pxr_output_folder_begin(&output, folder, diag);
        uint8_t *bytes = malloc(size_of(kind));
        char path[PATH_MAX + NAME_MAX + 2];

        if (!bytes)
                status = pxr_out_of_memory(diag);
        for (int64_t i = 0; i < count && status == 0; i++, pixels += size_of(kind)) {
                snprintf(path, sizeof path, "%s/%s", output.staging.path, names[i]);
                status = write_image(path, kind, pixels,
                                     texts ? texts[i] : (struct pxr_png_texts) { 0 }, bytes, diag);
        }
        free(bytes);
        return pxr_output_folder_end(&output, status, diag);
}
