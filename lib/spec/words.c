/* SPDX-License-Identifier: MIT */
/*
 * words.c - option tables in words, for help texts and errors.
 *
 * Uses base/.
 */
#include <math.h>
#include <stdio.h>

#include "spec/options.h"

static const char *name_of(const struct pxr_option *option, int index)
{
        if (option->names)
                return option->names[index];
        return option->variants ? option->variants[index].name : NULL;
}

char *pxr_option_names(struct pxr_arena *arena, const struct pxr_option *option)
{
        char *list = pxr_strdup(arena, "");

        for (int i = 0; list && name_of(option, i); i++) {
                const char *between = i == 0 ? "" : name_of(option, i + 1) ? ", " : " or ";

                list = pxr_strf(arena, "%s%s%s", list, between, name_of(option, i));
        }
        return list;
}

/* A bound as its user would write it: integers never with an exponent. */
static const char *bound_text(const struct pxr_option *option, double bound, char *text)
{
        if (option->type == PXR_TYPE_REAL || fabs(bound) >= 1e18)
                return pxr_format_real(bound, text);
        snprintf(text, PXR_REAL_TEXT, "%.0f", bound);
        return text;
}

char *pxr_option_range(struct pxr_arena *arena, const struct pxr_option *option)
{
        char least[PXR_REAL_TEXT], most[PXR_REAL_TEXT];

        return pxr_strf(arena, "%s to %s", bound_text(option, option->minimum, least),
                        bound_text(option, option->maximum, most));
}

/* `before` with a part that may not have been made. */
static char *words(struct pxr_arena *arena, const char *before, const char *part, const char *after)
{
        return part ? pxr_strf(arena, "%s%s%s", before, part, after) : NULL;
}

static char *type_words(struct pxr_arena *arena, const struct pxr_option *option)
{
        switch (option->type) {
        case PXR_TYPE_BOOL:
                return pxr_strdup(arena, "true or false");
        case PXR_TYPE_INT:
                return words(arena, "integer, ", pxr_option_range(arena, option), "");
        case PXR_TYPE_REAL:
                return words(arena, "number, ", pxr_option_range(arena, option), "");
        case PXR_TYPE_STRING:
                return pxr_strdup(arena, "string");
        case PXR_TYPE_ENUM:
                return words(arena, "one of ", pxr_option_names(arena, option), "");
        case PXR_TYPE_ENUM_SET:
                return words(arena, "list of ", pxr_option_names(arena, option), "");
        case PXR_TYPE_INTERVAL:
                return pxr_strdup(arena, "interval: '5 epochs', '100 steps' or 'never'");
        case PXR_TYPE_CHOICE:
                return words(arena, "one of ", pxr_option_names(arena, option),
                             ", with options of its own");
        case PXR_TYPE_SECTION:
        case PXR_TYPE_NODE:
                return pxr_strdup(arena, "mapping");
        case PXR_TYPE_LAYERS:
                return pxr_strdup(arena, "list of layers");
        case PXR_TYPE_END:
                break;
        }
        return pxr_strdup(arena, "");
}

char *pxr_option_words(struct pxr_arena *arena, const struct pxr_option *option)
{
        char *type = type_words(arena, option);

        if (!type || option->type == PXR_TYPE_SECTION)
                return type;
        if (!option->initial)
                return pxr_strf(arena, "%s; required", type);
        if (!*option->initial)
                return type;
        return pxr_strf(arena, "%s; default %s", type, option->initial);
}
