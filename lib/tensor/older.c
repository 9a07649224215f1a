/* SPDX-License-Identifier: MIT */
/* older.c - completing the structs of plugins that were built with older headers. */
#include "config.h"

#include "tensor/older.h"

#include <dlfcn.h>
#include <string.h>

enum { MOST_SECTIONS = 16 }; /* tables in tables */

/* Indices of pxr_plugin's `sizes`. */
enum { SIZE_PLUGIN, SIZE_LAYER, SIZE_OP, SIZE_NODE, SIZE_CALL, SIZE_OPTION, SIZE_DISTRIBUTION };

static const uint32_t own_sizes[] = PXR_PLUGIN_SIZES;

/* That of pxr_mixed, which the first headers did not tell. */
static size_t mixed_size(const struct pxr_plugin *plugin)
{
        return plugin->sizes[SIZE_PLUGIN] > offsetof(struct pxr_plugin, mixed_size)
                       ? plugin->mixed_size
                       : offsetof(struct pxr_mixed, fuses);
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

        for (size_t i = 0; i < PXR_COUNT(own_sizes) && !problem; i++)
                problem = size_problem(plugin->sizes[i], own_sizes[i]);
        return problem ? problem : size_problem(mixed_size(plugin), sizeof(struct pxr_mixed));
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

        if (!plugin || plugin->sizes[which] >= own_sizes[which] || is_own(plugin, given))
                return given;
        copy = pxr_alloc(arena, own_sizes[which]);
        if (copy)
                memcpy(copy, given, plugin->sizes[which]);
        return copy;
}

const struct pxr_op *pxr_whole_op(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                  const struct pxr_op *op)
{
        const struct pxr_op *given = whole(arena, plugin, SIZE_OP, op);
        struct pxr_mixed *mixed;
        struct pxr_op *copy;

        if (!given || !given->mixed || !plugin || mixed_size(plugin) >= sizeof(*mixed) ||
            is_own(plugin, op))
                return given;
        copy = pxr_alloc(arena, sizeof(*copy));
        mixed = pxr_alloc(arena, sizeof(*mixed));
        if (!copy || !mixed)
                return NULL;
        memcpy(mixed, given->mixed, mixed_size(plugin));
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

static const struct pxr_options *whole_options(struct pxr_arena *arena, size_t row_size,
                                               const struct pxr_options *options, int depth);

static const struct pxr_variant *whole_variants(struct pxr_arena *arena, size_t row_size,
                                                const struct pxr_variant *variants, int depth)
{
        struct pxr_variant *copy;
        size_t count = 0;

        while (variants[count].name)
                count++;
        copy = pxr_alloc_array(arena, count + 1, sizeof(*copy));
        for (size_t i = 0; i < count && copy; i++) {
                copy[i] = variants[i];
                if (copy[i].options) {
                        copy[i].options = whole_options(arena, row_size, copy[i].options, depth);
                        if (!copy[i].options)
                                return NULL;
                }
        }
        return copy;
}

/* A row and the tables below it. False when out of memory, or deeper than any table is. */
static bool copy_row(struct pxr_arena *arena, size_t row_size, struct pxr_option *row, int depth)
{
        if (row->section) {
                row->section = whole_options(arena, row_size, row->section, depth);
                if (!row->section)
                        return false;
        }
        if (row->variants) {
                row->variants = whole_variants(arena, row_size, row->variants, depth);
                if (!row->variants)
                        return false;
        }
        return true;
}

static const struct pxr_options *whole_options(struct pxr_arena *arena, size_t row_size,
                                               const struct pxr_options *options, int depth)
{
        struct pxr_options *copy = pxr_alloc(arena, sizeof(*copy));
        const char *given = (const char *)options->rows;
        struct pxr_option *rows;
        size_t count = 0;

        if (!copy || depth > MOST_SECTIONS)
                return NULL;
        *copy = *options;
        if (!given)
                return copy;
        while (((const struct pxr_option *)(given + count * row_size))->type != PXR_TYPE_END)
                count++;
        copy->rows = rows = pxr_alloc_array(arena, count + 1, sizeof(*rows));
        for (size_t i = 0; i < count && rows; i++) {
                memcpy(&rows[i], given + i * row_size, row_size);
                if (!copy_row(arena, row_size, &rows[i], depth + 1))
                        return NULL;
        }
        return rows ? copy : NULL;
}

const struct pxr_layer *pxr_whole_layer(struct pxr_arena *arena, const struct pxr_plugin *plugin,
                                        const struct pxr_layer *layer)
{
        const struct pxr_layer *given = whole(arena, plugin, SIZE_LAYER, layer);
        struct pxr_layer *copy;

        if (!given || !given->options || plugin->sizes[SIZE_OPTION] >= own_sizes[SIZE_OPTION])
                return given;
        copy = pxr_alloc(arena, sizeof(*copy));
        if (!copy)
                return NULL;
        *copy = *given;
        copy->options = whole_options(arena, plugin->sizes[SIZE_OPTION], given->options, 0);
        return copy->options ? copy : NULL;
}
