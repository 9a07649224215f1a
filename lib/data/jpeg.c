/* SPDX-License-Identifier: MIT */
/* jpeg.c - pictures from JPEG. */
#include "config.h"

#include "data/jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "data/png.h"

bool pxr_jpeg_is(const void *bytes, size_t size)
{
        return size >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0;
}

#ifdef PXR_HAVE_JPEG

#include <turbojpeg.h>

/* The exact inverse transform, and no file with faults or with scans without end. */
enum { FLAGS = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS };

bool pxr_jpeg_reads(void)
{
        return true;
}

static int invalid(const char *name, tjhandle turbo, struct pxr_diag *diag)
{
        return pxr_user_error(diag, "%s: invalid JPEG: %s", name, tjGetErrorStr2(turbo));
}

/* Returns 0 or -1. */
static int read_header(const char *name, tjhandle turbo, const void *bytes, size_t size, int *rows,
                       int *cols, int *colours, struct pxr_diag *diag)
{
        int sampling, space;

        if (tjDecompressHeader3(turbo, bytes, size, cols, rows, &sampling, &space) != 0)
                return invalid(name, turbo, diag);
        if (space == TJCS_CMYK || space == TJCS_YCCK)
                return pxr_user_error(diag, "%s: expected a grey or RGB image, got CMYK", name);
        if (*rows > PXR_PNG_MAX_SIDE || *cols > PXR_PNG_MAX_SIDE ||
            (int64_t)*rows * *cols > PXR_PNG_MAX_PIXELS)
                return pxr_user_error(diag, "%s: %d x %d pixels are too many; the limit is 2^26",
                                      name, *rows, *cols);
        *colours = space == TJCS_GRAY ? 1 : 3;
        return 0;
}

uint8_t *pxr_jpeg_decode(const char *name, const void *bytes, size_t size, int *rows, int *cols,
                         int *colours, struct pxr_diag *diag)
{
        tjhandle turbo = tjInitDecompress();
        uint8_t *pixels = NULL;
        int failed;

        if (!turbo) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        failed = read_header(name, turbo, bytes, size, rows, cols, colours, diag);
        if (!failed) {
                pixels = malloc((size_t)*rows * (size_t)*cols * (size_t)*colours);
                failed = pixels ? 0 : pxr_out_of_memory(diag);
        }
        if (!failed && tjDecompress2(turbo, bytes, size, pixels, *cols, 0, *rows,
                                     *colours == 1 ? TJPF_GRAY : TJPF_RGB, FLAGS) != 0)
                failed = invalid(name, turbo, diag);
        tjDestroy(turbo);
        if (!failed)
                return pixels;
        free(pixels);
        return NULL;
}

#else

bool pxr_jpeg_reads(void)
{
        return false;
}

uint8_t *pxr_jpeg_decode(const char *name, const void *bytes, size_t size, int *rows, int *cols,
                         int *colours, struct pxr_diag *diag)
{
        (void)bytes, (void)size, (void)rows, (void)cols, (void)colours;
        pxr_user_error(diag, "%s: cannot read JPEG: pxr was built without libjpeg-turbo", name);
        pxr_note(diag,
                 "install libturbojpeg0-dev, configure and build again, or convert the images "
                 "to PNG");
        return NULL;
}

#endif
