/* SPDX-License-Identifier: MIT */
/*
 * option_text.c - option tables as text, for help texts and errors.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "config/values.h"

size_t pxr_option_names(const struct pxr_option *option, const char *names[PXR_MOST_NAMES])
{
        const struct pxr_variant *variant = option->variants;
        size_t count = 0;

        for (; option->names && option->names[count] && count < PXR_MOST_NAMES; count++)
                names[count] = option->names[count];
        for (; variant && variant->name && count < PXR_MOST_NAMES; variant++)
                names[count++] = variant->name;
        return count;
}

static char *names_text(struct pxr_arena *arena, const struct pxr_option *option)
{
        const char *names[PXR_MOST_NAMES];

        return pxr_join(arena, names, pxr_option_names(option, names), " or ");
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

/* What the values of a type are: with their range or their names, where the type has such. */
static const struct {
        const char *before, *after;
        char *(*values)(struct pxr_arena *arena, const struct pxr_option *option);
} types[] = {
        [PXR_TYPE_BOOL] = { "true or false", "", NULL },
        [PXR_TYPE_INT] = { "integer, ", "", pxr_option_range },
        [PXR_TYPE_REAL] = { "number, ", "", pxr_option_range },
        [PXR_TYPE_STRING] = { "string", "", NULL },
        [PXR_TYPE_ENUM] = { "one of ", "", names_text },
        [PXR_TYPE_ENUM_SET] = { "list of ", "", names_text },
        [PXR_TYPE_INTERVAL] = { "interval: '5 epochs', '100 steps' or 'never'", "", NULL },
        [PXR_TYPE_CHOICE] = { "one of ", ", with options of its own", names_text },
        [PXR_TYPE_SECTION] = { "mapping", "", NULL },
        [PXR_TYPE_LAYERS] = { "list of layers", "", NULL },
        [PXR_TYPE_NODE] = { "mapping", "", NULL },
};

char *pxr_option_description(struct pxr_arena *arena, const struct pxr_option *option)
{
        const char *values =
                types[option->type].values ? types[option->type].values(arena, option) : "";
        const char *initial = option->initial, *end = "; default ";

        if (!initial)
                end = "; required";
        else if (!*initial || option->type == PXR_TYPE_SECTION)
                end = initial = "";
        return pxr_strf(arena, "%s%s%s%s%s", types[option->type].before, values,
                        types[option->type].after, end, initial ? initial : "");
}

/* --- lines -------------------------------------------------------------------------------------
 */

enum { NAME = 14 }; /* characters of the column of names */

/* A text of one or more lines, each set in. */
static void write_text(const struct pxr_stream *stream, const char *text, int indent)
{
        while (text && *text) {
                int length = (int)strcspn(text, "\n");

                fprintf(stream->to, "%*s%.*s\n", indent, "", length, text);
                text += length + (text[length] == '\n');
        }
}

static void write_rows(const struct pxr_stream *stream, const struct pxr_options *options,
                       int indent);

static void write_variants(const struct pxr_stream *stream, const struct pxr_option *row,
                           int indent)
{
        for (const struct pxr_variant *variant = row->variants; variant->name; variant++) {
                fprintf(stream->to, "%*s%-*s %s\n", indent, "", NAME, variant->name, variant->help);
                write_rows(stream, variant->options, indent + 2);
        }
}

static void write_rows(const struct pxr_stream *stream, const struct pxr_options *options,
                       int indent)
{
        const struct pxr_option *row = options ? options->rows : NULL;

        for (; row && row->type != PXR_TYPE_END; row++) {
                char *text = pxr_option_description(stream->arena, row);

                fprintf(stream->to, "%*s%-*s %s\n", indent, "", NAME, row->name, text);
                write_text(stream, row->help, indent + NAME + 1);
                if (row->type == PXR_TYPE_CHOICE)
                        write_variants(stream, row, indent + 2);
        }
}

char *pxr_options_text(struct pxr_arena *arena, const struct pxr_options *options, int indent)
{
        struct pxr_stream stream;

        if (pxr_stream_open(&stream, arena))
                return pxr_strdup(arena, "");
        write_rows(&stream, options, indent);
        return pxr_stream_close(&stream);
}

const struct pxr_option *pxr_option_find(const struct pxr_options *options, const char *name)
{
        const struct pxr_option *row = options ? options->rows : NULL;

        while (row && row->type != PXR_TYPE_END && strcmp(row->name, name) != 0)
                row++;
        return row && row->type != PXR_TYPE_END ? row : NULL;
}

char *pxr_option_text(struct pxr_arena *arena, const struct pxr_yaml *root, const char *path)
{
        char *rest = pxr_strdup(arena, path);
        const struct pxr_options *inner = *path ? root->table : NULL; /* those at the path */
        const struct pxr_option *row = NULL;
        const struct pxr_variant *variant;
        struct pxr_option alone[2] = { { 0 } };
        struct pxr_options of_one = { .rows = alone };

        for (const char *name; inner && (name = strsep(&rest, "."));) {
                row = pxr_option_find(inner, name);
                inner = row && row->type == PXR_TYPE_SECTION ? row->section : NULL;
                if (!row || row->type != PXR_TYPE_CHOICE || !rest)
                        continue;
                variant = pxr_variant_find(row, strsep(&rest, "."));
                inner = variant ? variant->options : NULL;
        }
        if (!row || rest || row->type == PXR_TYPE_NODE || row->type == PXR_TYPE_LAYERS)
                return pxr_strdup(arena, "");
        if (inner)
                return pxr_options_text(arena, inner, 2);
        alone[0] = *row;
        return pxr_options_text(arena, &of_one, 2);
}
