/* SPDX-License-Identifier: MIT */
/*
 * words.c - option tables in words, for help texts and errors.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/tree.h"

static const char *name_of(const struct pxr_option *option, int index)
{
        if (option->names)
                return option->names[index];
        return option->variants ? option->variants[index].name : NULL;
}

char *pxr_option_names(struct pxr_arena *arena, const struct pxr_option *option)
{
        char *list = pxr_strdup(arena, "");

        for (int i = 0; name_of(option, i); i++) {
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

static char *type_words(struct pxr_arena *arena, const struct pxr_option *option)
{
        switch (option->type) {
        case PXR_TYPE_BOOL:
                return pxr_strdup(arena, "true or false");
        case PXR_TYPE_INT:
                return pxr_strf(arena, "integer, %s", pxr_option_range(arena, option));
        case PXR_TYPE_REAL:
                return pxr_strf(arena, "number, %s", pxr_option_range(arena, option));
        case PXR_TYPE_STRING:
                return pxr_strdup(arena, "string");
        case PXR_TYPE_ENUM:
                return pxr_strf(arena, "one of %s", pxr_option_names(arena, option));
        case PXR_TYPE_ENUM_SET:
                return pxr_strf(arena, "list of %s", pxr_option_names(arena, option));
        case PXR_TYPE_INTERVAL:
                return pxr_strdup(arena, "interval: '5 epochs', '100 steps' or 'never'");
        case PXR_TYPE_CHOICE:
                return pxr_strf(arena, "one of %s, with options of its own",
                                pxr_option_names(arena, option));
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

        if (option->type == PXR_TYPE_SECTION)
                return type;
        if (!option->initial)
                return pxr_strf(arena, "%s; required", type);
        if (!*option->initial)
                return type;
        return pxr_strf(arena, "%s; default %s", type, option->initial);
}

/* --- lines -------------------------------------------------------------------------------------
 */

enum { NAME = 14 }; /* characters of the column of names */

struct lines {
        struct pxr_arena *arena;
        FILE *to;
};

/* A text of one or more lines, each set in. */
static void write_text(const struct lines *lines, const char *text, int indent)
{
        while (text && *text) {
                int length = (int)strcspn(text, "\n");

                fprintf(lines->to, "%*s%.*s\n", indent, "", length, text);
                text += length + (text[length] == '\n');
        }
}

static void write_rows(struct lines *lines, const struct pxr_options *options, int indent);

static void write_variants(struct lines *lines, const struct pxr_option *row, int indent)
{
        for (const struct pxr_variant *variant = row->variants; variant->name; variant++) {
                fprintf(lines->to, "%*s%-*s %s\n", indent, "", NAME, variant->name, variant->help);
                write_rows(lines, variant->options, indent + 2);
        }
}

static void write_rows(struct lines *lines, const struct pxr_options *options, int indent)
{
        const struct pxr_option *row = options ? options->rows : NULL;

        for (; row && row->type != PXR_TYPE_END; row++) {
                char *text = pxr_option_words(lines->arena, row);

                fprintf(lines->to, "%*s%-*s %s\n", indent, "", NAME, row->name, text);
                write_text(lines, row->help, indent + NAME + 1);
                if (row->type == PXR_TYPE_CHOICE)
                        write_variants(lines, row, indent + 2);
        }
}

/* What was written, kept in the arena. Closes `lines`. */
static char *keep(struct lines *lines, char **text, size_t *size)
{
        bool failed = ferror(lines->to) | fclose(lines->to);
        char *kept = failed ? NULL : pxr_strndup(lines->arena, *text, *size);

        free(*text);
        return pxr_arena_failed(lines->arena) ? NULL : kept;
}

char *pxr_options_text(struct pxr_arena *arena, const struct pxr_options *options, int indent)
{
        char *text = NULL;
        size_t size = 0;
        struct lines lines = { arena, open_memstream(&text, &size) };

        if (!lines.to)
                return NULL;
        write_rows(&lines, options, indent);
        return keep(&lines, &text, &size);
}

/* Whether the first name of a path is `name`; *rest is then what follows it. */
static bool begins(const char *path, const char *name, const char **rest)
{
        size_t length = strcspn(path, ".");

        if (strlen(name) != length || strncmp(path, name, length) != 0)
                return false;
        *rest = path + length + (path[length] == '.');
        return true;
}

/* The row of a path, or NULL; *inner are the options at it, if it is a section or a variant. */
static const struct pxr_option *row_at(const struct pxr_options *options, const char *path,
                                       const struct pxr_options **inner)
{
        const struct pxr_option *row = options ? options->rows : NULL;
        const struct pxr_variant *variant;

        *inner = NULL;
        while (row && row->type != PXR_TYPE_END && !begins(path, row->name, &path))
                row++;
        if (!row || row->type == PXR_TYPE_END)
                return NULL;
        if (row->type == PXR_TYPE_SECTION)
                *inner = row->section;
        variant = row->type == PXR_TYPE_CHOICE && *path ? row->variants : NULL;
        while (variant && variant->name && !begins(path, variant->name, &path))
                variant++;
        if (variant)
                *inner = variant->options;
        if (*path)
                return row_at(*inner, path, inner);
        return row;
}

char *pxr_option_text(struct pxr_arena *arena, const struct pxr_yaml *root, const char *path)
{
        const struct pxr_options *inner;
        const struct pxr_option *row = *path ? row_at(root->table, path, &inner) : NULL;
        struct pxr_option alone[2] = { { 0 } };
        struct pxr_options of_one = { .rows = alone };

        if (!row || row->type == PXR_TYPE_NODE || row->type == PXR_TYPE_LAYERS)
                return pxr_strdup(arena, "");
        if (inner)
                return pxr_options_text(arena, inner, 2);
        alone[0] = *row;
        return pxr_options_text(arena, &of_one, 2);
}
