/* SPDX-License-Identifier: MIT */
/* table.c - checks an option table, which may be a plugin's. */
#include <stdalign.h>
#include <string.h>

#include "config/options.h"

enum { MOST_SECTIONS = 16, MOST_BYTES = 1 << 20 }; /* tables in tables; the struct of one */

#define FIELD(type)                         \
        {                                   \
                sizeof(type), alignof(type) \
        }

/* The field that a row fills; for a section, the section's struct. */
static const struct {
        size_t size, alignment;
} fields[] = {
        [PXR_TYPE_BOOL] = FIELD(bool),
        [PXR_TYPE_INT] = FIELD(int64_t),
        [PXR_TYPE_REAL] = FIELD(double),
        [PXR_TYPE_STRING] = FIELD(const char *),
        [PXR_TYPE_ENUM] = FIELD(int),
        [PXR_TYPE_ENUM_SET] = FIELD(uint32_t),
        [PXR_TYPE_INTERVAL] = FIELD(struct pxr_interval),
        [PXR_TYPE_CHOICE] = FIELD(struct pxr_choice),
        [PXR_TYPE_SECTION] = { 0, 1 },
        [PXR_TYPE_LAYERS] = FIELD(const struct pxr_yaml *),
        [PXR_TYPE_NODE] = FIELD(const struct pxr_yaml *),
};

static const char *table_problem(struct pxr_arena *arena, const struct pxr_options *options,
                                 int depth);

static const char *row_problem(struct pxr_arena *arena, const struct pxr_options *options,
                               const struct pxr_option *row, int depth)
{
        size_t type = (size_t)row->type, size;
        const char *problem = NULL;

        if (!row->name)
                return "an option has no name";
        if (type >= PXR_COUNT(fields))
                return pxr_strf(arena, "the option '%s' has no type that there is", row->name);
        size = row->type == PXR_TYPE_SECTION && row->section ? row->section->size
                                                             : fields[type].size;
        if (size > options->size || row->offset > options->size - size)
                return pxr_strf(arena, "the option '%s' lies outside its struct of %zu bytes",
                                row->name, options->size);
        if (row->offset % fields[type].alignment)
                return pxr_strf(arena, "the option '%s' lies across the fields of its struct",
                                row->name);
        if ((row->type == PXR_TYPE_ENUM || row->type == PXR_TYPE_ENUM_SET) && !row->names)
                return pxr_strf(arena, "the option '%s' has no names to choose from", row->name);
        if (row->type == PXR_TYPE_CHOICE && !row->variants)
                return pxr_strf(arena, "the option '%s' has no variants to choose from", row->name);
        if (row->type == PXR_TYPE_SECTION && !row->section)
                return pxr_strf(arena, "the option '%s' has no table of its section", row->name);
        if (row->type == PXR_TYPE_SECTION)
                problem = table_problem(arena, row->section, depth + 1);
        for (const struct pxr_variant *v = row->variants;
             row->type == PXR_TYPE_CHOICE && !problem && v->name; v++)
                problem = v->options ? table_problem(arena, v->options, depth + 1) : NULL;
        return problem;
}

static const char *table_problem(struct pxr_arena *arena, const struct pxr_options *options,
                                 int depth)
{
        const struct pxr_option *row = options->rows;
        const char *problem = NULL;

        if (depth > MOST_SECTIONS)
                return "its option tables lie in each other without end";
        if (options->size > MOST_BYTES)
                return pxr_strf(arena, "the struct of its options has %zu bytes", options->size);
        for (; row && row->type != PXR_TYPE_END && !problem; row++) {
                problem = row_problem(arena, options, row, depth);
                for (const struct pxr_option *other = options->rows; !problem && other < row;
                     other++)
                        if (strcmp(other->name, row->name) == 0)
                                problem = pxr_strf(arena, "two options are named '%s'", row->name);
        }
        return problem;
}

const char *pxr_options_problem(struct pxr_arena *arena, const struct pxr_options *options)
{
        return table_problem(arena, options, 0);
}
