/* SPDX-License-Identifier: MIT */
/* number.h - numbers as people are shown them, and their order. */
#ifndef PXR_BASE_NUMBER_H
#define PXR_BASE_NUMBER_H

#include <stdint.h>

enum { PXR_NUMBER_TEXT = 48 }; /* characters of one, its NUL included */

/* An NLL, or another number that becomes huge when training diverges, with `decimals` (at most 12)
 * decimals: "81.7900". From ten million on it has three digits: "2.16e+36". Returns `text`. */
char *pxr_number_text(double value, int decimals, char text[PXR_NUMBER_TEXT]);

/* The plural ending of an English noun: "" for 1, else "s". */
const char *pxr_plural(int64_t count);

/* The order of two doubles, for qsort(). */
int pxr_compare_numbers(const void *left, const void *right);

#endif
