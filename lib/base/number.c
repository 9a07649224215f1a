/* SPDX-License-Identifier: MIT */
/* number.c - numbers as people are shown them, and their order. */
#include "base/number.h"

#include <math.h>
#include <stdio.h>

static const double MOST = 1e7; /* from here on three digits are enough */

char *pxr_number_text(double value, int decimals, char text[PXR_NUMBER_TEXT])
{
        if (fabs(value) >= MOST)
                snprintf(text, PXR_NUMBER_TEXT, "%.3g", value);
        else
                snprintf(text, PXR_NUMBER_TEXT, "%.*f", decimals, value);
        return text;
}

const char *pxr_plural(int64_t count)
{
        return count == 1 ? "" : "s";
}

int pxr_compare_numbers(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return (a > b) - (a < b);
}
