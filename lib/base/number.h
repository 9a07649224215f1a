/* SPDX-License-Identifier: MIT */
/* number.h - numbers as people are shown them. */
#ifndef PXR_BASE_NUMBER_H
#define PXR_BASE_NUMBER_H

#include <stdint.h>

enum { PXR_NUMBER_TEXT = 48 }; /* characters of one, its NUL included */

/* An NLL, or another number that a training which diverged makes huge, with `decimals` of them (12
 * at most): "81.7900". From ten million on it has three digits, "2.16e+36". Returns `text`. */
char *pxr_number_text(double value, int decimals, char text[PXR_NUMBER_TEXT]);

/* How the word for so many things ends: "" for one, else "s". */
const char *pxr_plural(int64_t count);

#endif
