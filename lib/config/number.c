/* SPDX-License-Identifier: MIT */
/*
 * number.c - numbers as YAML 1.2's core schema has them (section 10.3.2).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"

static size_t digits(const char *text)
{
        return strspn(text, "0123456789");
}

enum pxr_parsed pxr_parse_int(const char *text, int64_t *value)
{
        size_t sign = *text == '-' || *text == '+', length = digits(text + sign);
        long long number;
        int base = 10;

        if (strncmp(text, "0x", 2) == 0) {
                base = 16;
                length = strspn(text + 2, "0123456789abcdefABCDEF");
        } else if (strncmp(text, "0o", 2) == 0) {
                base = 8;
                length = strspn(text + 2, "01234567");
        }
        if (base != 10) {
                text += 2;
                sign = 0;
        }
        if (length == 0 || text[sign + length] != '\0')
                return PXR_NO_NUMBER;
        errno = 0;
        number = strtoll(text, NULL, base);
        if (errno == ERANGE)
                return PXR_NUMBER_TOO_LARGE;
        *value = number;
        return PXR_NUMBER;
}

/* Is it a number with a decimal point or an exponent, or a plain decimal one? */
static bool is_decimal(const char *text)
{
        const char *at = text + (*text == '-' || *text == '+');
        size_t whole = digits(at), part = 0;

        at += whole;
        if (*at == '.') {
                part = digits(at + 1);
                at += 1 + part;
        }
        if (whole + part == 0)
                return false;
        if (*at == 'e' || *at == 'E') {
                at += 1 + (at[1] == '-' || at[1] == '+');
                if (digits(at) == 0)
                        return false;
                at += digits(at);
        }
        return *at == '\0';
}

enum pxr_parsed pxr_parse_real(const char *text, double *value)
{
        int64_t integer;
        double number;
        char *end;

        if (!is_decimal(text)) { /* 0x1f and 0o17 are numbers too */
                enum pxr_parsed parsed = pxr_parse_int(text, &integer);

                if (parsed == PXR_NUMBER)
                        *value = (double)integer;
                return parsed;
        }
        number = strtod(text, &end);
        if (*end) /* a locale whose numbers have no point */
                return PXR_NO_NUMBER;
        if (!isfinite(number))
                return PXR_NUMBER_TOO_LARGE;
        *value = number;
        return PXR_NUMBER;
}

char *pxr_format_real(double value, char text[PXR_REAL_TEXT])
{
        if (fabs(value) < 1e15 && floor(value) == value) { /* 100 rather than 1e+02 */
                snprintf(text, PXR_REAL_TEXT, "%.0f", value);
                return text;
        }
        for (int precision = 1; precision <= 17; precision++) {
                snprintf(text, PXR_REAL_TEXT, "%.*g", precision, value);
                if (strtod(text, NULL) == value)
                        break;
        }
        return text;
}
