/* SPDX-License-Identifier: MIT */
/* jpeg.h - pictures from JPEG, through libjpeg-turbo, where pxr was built with it. */
#ifndef PXR_DATA_JPEG_H
#define PXR_DATA_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/diag.h>

/* Whether pxr was built with libjpeg-turbo. */
bool pxr_jpeg_reads(void);

/* Whether these bytes begin like a JPEG file. */
bool pxr_jpeg_is(const void *bytes, size_t size);

/* Decode a JPEG to pixels[row][col][colour], grey or RGB as the file is, and set *rows, *cols and
 * *colours. CMYK and a file with any fault are errors. `name` names it in errors. Returns the
 * pixels, to be freed, or NULL. The same file gives the same pixels on every machine. */
uint8_t *pxr_jpeg_decode(const char *name, const void *bytes, size_t size, int *rows, int *cols,
                         int *colours, struct pxr_diag *diag);

#endif
