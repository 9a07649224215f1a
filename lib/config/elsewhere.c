/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.c - where in a spec an option is that was set at the wrong place.
 */
#include <string.h>
#include <strings.h>

#include "config/values.h"

enum { MAX_SHOWN = 3, SHORTEST_WORD = 3, LONG_NAME = 6 };

/* How well an option answers to a name that was given. */
enum match { NO_MATCH, ALIKE, SAME };

struct search {
        struct pxr_arena *arena;
        const char *name;
        enum match least;
        int found;
        char *list;
};

/* Words that other programs add to an option's name. */
static bool adds_nothing(const char *word, size_t length)
{
        static const char *const words[] = { "learning", "size", "num", "number", "n", "of" };

        for (size_t i = 0; i < PXR_COUNT(words); i++)
                if (strlen(words[i]) == length && strncasecmp(words[i], word, length) == 0)
                        return true;
        return false;
}

/* Whether `key` is `name` under another name: rate for lr or learning_rate, batch for batch-size,
 * but not decay for weight_decay. */
static bool is_word_of(const char *key, const char *name)
{
        size_t length = strlen(name);
        bool found = false;

        if (strcasecmp(key, "lr") == 0)
                key = "learning_rate";
        while (*key) {
                size_t word = strcspn(key, "_- ");

                if (word == length && length >= SHORTEST_WORD && strncasecmp(key, name, word) == 0)
                        found = true;
                else if (!adds_nothing(key, word))
                        return false;
                key += word + (key[word] != '\0');
        }
        return found;
}

/* The name nearest to `name`, or one that is a word of it; NULL: none. */
static const char *find_alike(const char *name, const char *const *names, size_t count)
{
        const char *nearest = pxr_nearest(name, names, count);

        for (size_t i = 0; i < count && !nearest; i++)
                if (is_word_of(name, names[i]))
                        nearest = names[i];
        return nearest;
}

/* Whether a name is another but for what may stand at the end of one of them: epoch, epochs. */
static bool is_plural_of(const char *a, const char *b)
{
        size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb;

        return shorter >= SHORTEST_WORD && la + lb == 2 * shorter + 1 &&
               strncasecmp(a, b, shorter) == 0;
}

/* Short names are near to too many of a whole spec's. */
static enum match match_of(const struct search *search, const struct pxr_option *row)
{
        const char *name = search->name;

        if (strcasecmp(name, row->name) == 0)
                return SAME;
        if (is_word_of(name, row->name) || is_plural_of(name, row->name) ||
            (strlen(name) >= LONG_NAME && pxr_nearest(name, &row->name, 1)))
                return ALIKE;
        return NO_MATCH;
}

static void add(struct search *search, const char *path)
{
        if (search->found++ < MAX_SHOWN)
                search->list = pxr_strf(search->arena, "%s%s'%s'", search->list,
                                        search->found > 1 ? " or " : "", path);
}

/* The variant that the spec has chosen, or that is the default. */
static const struct pxr_variant *chosen_of(const struct pxr_option *row,
                                           const struct pxr_yaml *node)
{
        const struct pxr_variant *chosen = NULL;

        if (node && node->kind == PXR_YAML_SCALAR)
                return pxr_variant_find(row, node->text);
        for (const struct pxr_yaml *child = node ? node->first : NULL; child && !chosen;
             child = child->next)
                chosen = child->key ? pxr_variant_find(row, child->key) : NULL;
        return chosen || !row->initial ? chosen : pxr_variant_find(row, row->initial);
}

/* Go through the options below `path`, which the spec has at `node` or, NULL, leaves unset. */
static void look(struct search *search, const struct pxr_options *options,
                 const struct pxr_yaml *node, const char *path)
{
        const struct pxr_option *row = options ? options->rows : NULL;

        for (; row && row->type != PXR_TYPE_END; row++) {
                const struct pxr_yaml *child = node ? pxr_yaml_get(node, row->name) : NULL;
                const struct pxr_variant *variant;
                char *full = pxr_strf(search->arena, "%s%s%s", path, *path ? "." : "", row->name);

                if (match_of(search, row) >= search->least)
                        add(search, full);
                if (row->type == PXR_TYPE_SECTION)
                        look(search, row->section, child, full);
                if (row->type != PXR_TYPE_CHOICE || !(variant = chosen_of(row, child)))
                        continue;
                full = pxr_strf(search->arena, "%s.%s", full, variant->name);
                look(search, variant->options, child, full);
        }
}

/* In the whole spec of `node`: those of the same name, or else, if `alike`, those like it. */
static char *find_elsewhere(struct pxr_arena *arena, const struct pxr_yaml *node, const char *name,
                            bool alike)
{
        struct search search = { .arena = arena, .name = name };

        while (node->parent)
                node = node->parent;
        for (search.least = SAME; !search.found && search.least > NO_MATCH; search.least--) {
                search.list = pxr_strdup(arena, "");
                look(&search, node->table, node, "");
                if (!alike)
                        break;
        }
        return search.found ? search.list : NULL;
}

char *pxr_option_meant(struct pxr_arena *arena, const struct pxr_yaml *node, const char *name,
                       const char *before, const char *const *names, size_t count)
{
        const char *here = find_alike(name, names, count);
        char *elsewhere = NULL;

        if (!here || strcasecmp(here, name) != 0)
                elsewhere = find_elsewhere(arena, node, name, !here);
        if (!here)
                return elsewhere;
        return elsewhere ? pxr_strf(arena, "'%s%s', or %s", before, here, elsewhere)
                         : pxr_strf(arena, "'%s%s'", before, here);
}
