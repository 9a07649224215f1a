/* SPDX-License-Identifier: MIT */
/*
 * number.c - numbers as YAML 1.2's core schema has them (section 10.3.2).
 *
 * Uses nothing.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spec/options.h"

static size_t digits(const char *text)
{
        return strspn(text, "0123456789");
}

bool pxr_parse_int(const char *text, int64_t *value)
{
        size_t sign = *text == '-' || *text == '+', length = digits(text + sign);
        int base = 10;
        char *end;

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
                return false;
        errno = 0;
        *value = strtoll(text, &end, base);
        return errno == 0 && *end == '\0';
}

bool pxr_parse_real(const char *text, double *value)
{
        const char *at = text + (*text == '-' || *text == '+');
        size_t whole = digits(at), part = 0;
        char *end;

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
        if (*at != '\0')
                return false;
        *value = strtod(text, &end);
        return *end == '\0' && isfinite(*value);
}
