/* SPDX-License-Identifier: MIT */
/* older.c - completing the structs of plugins that were built with older headers. */
#include "config.h"

#include "tensor/older.h"

#include <dlfcn.h>
#include <string.h>

enum { MOST_SECTIONS = 16 }; /* tables in tables */

/* Structs whose sizes a plugin tells: in `sizes`, in `mixed_size`, in `more_sizes`. */
enum {
        SIZE_PLUGIN,
        SIZE_LAYER,
        SIZE_OP,
        SIZE_NODE,
        SIZE_CALL,
        SIZE_OPTION,
        SIZE_DISTRIBUTION,
        SIZE_MIXED,
        SIZE_PIXEL_DISTRIBUTION,
        SIZE_OPTIONS,
        SIZE_VARIANT,
        SIZE_PARAMETER_DOC,
        SIZES
};

static const uint32_t own_sizes[] = PXR_PLUGIN_SIZES, own_more_sizes[] = PXR_PLUGIN_MORE_SIZES;

/* The end of a field, at which a struct ended once. */
#define END(type, field) (offsetof(struct type, field) + sizeof(((struct type *)0)->field))

/* Sizes from SIZE_MIXED on, in the first headers, which did not tell them. */
static const size_t first_sizes[] = {
        offsetof(struct pxr_mixed, fuses), END(pxr_pixel_distribution, log_probabilities),
        END(pxr_options, check),           END(pxr_variant, what),
        END(pxr_parameter_doc, meaning),
};

static size_t own_size(int which)
{
        return which < SIZE_MIXED    ? own_sizes[which]
               : which == SIZE_MIXED ? sizeof(struct pxr_mixed)
                                     : own_more_sizes[which - SIZE_MIXED - 1];
}

/* The size of struct number `which` in the plugin. */
static size_t size_of(const struct pxr_plugin *plugin, int which)
{
        size_t told = plugin->sizes[SIZE_PLUGIN];

        if (which < SIZE_MIXED)
                return plugin->sizes[which];
        if (which == SIZE_MIXED && told >= END(pxr_plugin, mixed_size))
                return plugin->mixed_size;
        if (which > SIZE_MIXED && told >= END(pxr_plugin, more_sizes))
                return plugin->more_sizes[which - SIZE_MIXED - 1];
        return first_sizes[which - SIZE_MIXED];
}

static bool is_shorter(const struct pxr_plugin *plugin, int which)
{
        return size_of(plugin, which) < own_size(which);
}

static const char *size_problem(size_t size, size_t own)
{
        if (size == 0 || size % sizeof(void *))
                return "the sizes of its structs are invalid";
        return size > own ? "it was built with newer headers than this program's: rebuild it with "
                            "this program's, or use a newer program"
                          : NULL;
}

const char *pxr_sizes_problem(const struct pxr_plugin *plugin)
{
        const char *problem = NULL;

        for (int i = 0; i < SIZES && !problem; i++)
                problem = size_problem(size_of(plugin, i), own_size(i));
        return problem;
}

/* Whether a struct is pxr's: plugins may pass its distributions, and its functions add its ops. It
 * is then in libpxr, or in the program if that uses it too; a plugin's is in the module, or in
 * memory of no file. */
static bool is_own(const struct pxr_plugin *plugin, const void *what)
{
        Dl_info module, place;

        return dladdr(what, &place) &&
               !(dladdr(plugin, &module) && module.dli_fbase == place.dli_fbase);
}

/* Struct number `which`: the plugin's, or a copy. */
static const void *whole(struct pxr_arena *arena, const struct pxr_plugin *plugin, int which,
                         const void *given)
{
        void *copy;

        if (!plugin || !is_shorter(plugin, which) || is_own(plugin, given))
                return given;
        copy = pxr_alloc(arena, own_size(which));
        if (copy)
                memcpy(copy, given, size_of(plugin, which));
        return copy;
}

const struct pxr_op *pxr_whole_op(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                  const struct pxr_op *op)
{
        const struct pxr_op *given = whole(arena, plugin, SIZE_OP, op);
        struct pxr_mixed *mixed;
        struct pxr_op *copy;

        if (!given || !given->mixed || !plugin || !is_shorter(plugin, SIZE_MIXED) ||
            is_own(plugin, op))
                return given;
        copy = pxr_alloc(arena, sizeof(*copy));
        mixed = pxr_alloc(arena, sizeof(*mixed));
        if (!copy || !mixed)
                return NULL;
        memcpy(mixed, given->mixed, size_of(plugin, SIZE_MIXED));
        *copy = *given;
        copy->mixed = mixed;
        return copy;
}

const struct pxr_distribution *pxr_whole_distribution(struct pxr_arena *arena,
                                                      const struct pxr_plugin *plugin,
                                                      const struct pxr_distribution *distribution)
{
        return whole(arena, plugin, SIZE_DISTRIBUTION, distribution);
}

const struct pxr_pixel_distribution *
pxr_whole_pixel_distribution(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                             const struct pxr_pixel_distribution *distribution)
{
        return whole(arena, plugin, SIZE_PIXEL_DISTRIBUTION, distribution);
}

/* Element i of an array of structs number `which`. */
static const void *element(const struct pxr_plugin *plugin, int which, const void *array, size_t i)
{
        return (const char *)array + i * size_of(plugin, which);
}

/* The length of an array that ends with a struct that begins with a NULL pointer: it has no name.
 */
static size_t count_named(const struct pxr_plugin *plugin, int which, const void *array)
{
        size_t count = 0;

        while (*(const char *const *)element(plugin, which, array, count))
                count++;
        return count;
}

static size_t count_rows(const struct pxr_plugin *plugin, const struct pxr_option *rows)
{
        size_t count = 0;

        while (((const struct pxr_option *)element(plugin, SIZE_OPTION, rows, count))->type !=
               PXR_TYPE_END)
                count++;
        return count;
}

/* A copy of `count` elements, with an empty one behind them. NULL when out of memory. */
static void *copy_array(struct pxr_arena *arena, const struct pxr_plugin *plugin, int which,
                        const void *array, size_t count)
{
        size_t own = own_size(which);
        char *copy = pxr_alloc_array(arena, count + 1, own);

        for (size_t i = 0; i < count && copy; i++)
                memcpy(copy + i * own, element(plugin, which, array, i), size_of(plugin, which));
        return copy;
}

static const struct pxr_options *whole_options(struct pxr_arena *arena,
                                               const struct pxr_plugin *plugin,
                                               const struct pxr_options *options, int depth);

static const struct pxr_variant *whole_variants(struct pxr_arena *arena,
                                                const struct pxr_plugin *plugin,
                                                const struct pxr_variant *variants, int depth)
{
        size_t count = count_named(plugin, SIZE_VARIANT, variants);
        struct pxr_variant *copy = copy_array(arena, plugin, SIZE_VARIANT, variants, count);

        for (size_t i = 0; copy && i < count; i++)
                if (copy[i].options) {
                        copy[i].options = whole_options(arena, plugin, copy[i].options, depth);
                        if (!copy[i].options)
                                return NULL;
                }
        return copy;
}

/* The tables below a row. False when out of memory, or deeper than any table is. */
static bool complete_row(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                         struct pxr_option *row, int depth)
{
        if (row->section) {
                row->section = whole_options(arena, plugin, row->section, depth);
                if (!row->section)
                        return false;
        }
        if (row->variants) {
                row->variants = whole_variants(arena, plugin, row->variants, depth);
                if (!row->variants)
                        return false;
        }
        return true;
}

static const struct pxr_options *whole_options(struct pxr_arena *arena,
                                               const struct pxr_plugin *plugin,
                                               const struct pxr_options *options, int depth)
{
        struct pxr_options *copy = pxr_alloc(arena, sizeof(*copy));
        struct pxr_option *rows;
        size_t count;

        if (!copy || depth > MOST_SECTIONS)
                return NULL;
        memcpy(copy, options, size_of(plugin, SIZE_OPTIONS));
        if (!copy->rows)
                return copy;
        count = count_rows(plugin, copy->rows);
        copy->rows = rows = copy_array(arena, plugin, SIZE_OPTION, copy->rows, count);
        for (size_t i = 0; rows && i < count; i++)
                if (!complete_row(arena, plugin, &rows[i], depth + 1))
                        return NULL;
        return rows ? copy : NULL;
}

const struct pxr_layer *pxr_whole_layer(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                        const struct pxr_layer *layer)
{
        const struct pxr_layer *given = whole(arena, plugin, SIZE_LAYER, layer);
        bool options = is_shorter(plugin, SIZE_OPTIONS) || is_shorter(plugin, SIZE_OPTION) ||
                       is_shorter(plugin, SIZE_VARIANT);
        bool docs = is_shorter(plugin, SIZE_PARAMETER_DOC);
        struct pxr_layer *copy;

        if (!given || !((options && given->options) || (docs && given->parameters)))
                return given;
        copy = pxr_alloc(arena, sizeof(*copy));
        if (!copy)
                return NULL;
        *copy = *given;
        if (options && given->options)
                copy->options = whole_options(arena, plugin, given->options, 0);
        if (docs && given->parameters)
                copy->parameters =
                        copy_array(arena, plugin, SIZE_PARAMETER_DOC, given->parameters,
                                   count_named(plugin, SIZE_PARAMETER_DOC, given->parameters));
        return pxr_arena_failed(arena) || (given->options && !copy->options) ? NULL : copy;
}
