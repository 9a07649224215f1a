/* SPDX-License-Identifier: MIT */
/* recipe.c - reading a recorded spec, and hashing a spec without what leaves its result alone. */
#include "config/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec, struct pxr_diag *diag)
{
        return pxr_yaml_parse(arena, pxr_source_new(arena, "the run's spec", spec), diag);
}

static int by_key(const void *left, const void *right)
{
        const struct pxr_yaml *const *a = left, *const *b = right;

        return strcmp((*a)->key, (*b)->key);
}

/* Keys that do not change the NLL, except by chance. */
static const char *const left_out[] = { "name",       "description", "reproduces",     "data.path",
                                        "train.seed", "sample",      "evaluate.at_end" };

/* A copy without the nodes of `without`, whose mappings are in the order of their keys: other
 * versions of the program have other orders. */
static struct pxr_yaml *copy(struct pxr_arena *arena, const struct pxr_yaml *node,
                             const struct pxr_yaml *const without[PXR_COUNT(left_out)])
{
        const struct pxr_yaml **child =
                pxr_alloc_array(arena, (size_t)node->count + 1, sizeof(const struct pxr_yaml *));
        struct pxr_yaml *made = pxr_alloc(arena, sizeof(*made)), *made_child;
        size_t count = 0;

        if (!child || !made)
                return NULL;
        *made = (struct pxr_yaml) {
                .kind = node->kind, .text = node->text, .quoted = node->quoted, .key = node->key
        };
        for (const struct pxr_yaml *at = node->first; at; at = at->next) {
                size_t i = 0;

                while (i < PXR_COUNT(left_out) && without[i] != at)
                        i++;
                if (i == PXR_COUNT(left_out))
                        child[count++] = at;
        }
        if (node->kind == PXR_YAML_MAPPING)
                qsort(child, count, sizeof(const struct pxr_yaml *), by_key);
        for (size_t i = 0; i < count; i++)
                if ((made_child = copy(arena, child[i], without)))
                        pxr_yaml_append(made, made_child);
        return made;
}

int pxr_spec_recipe(struct pxr_arena *arena, const struct pxr_yaml *root, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag)
{
        const struct pxr_yaml *without[PXR_COUNT(left_out)];
        struct pxr_yaml *kept;
        char *text;

        for (size_t i = 0; i < PXR_COUNT(left_out); i++)
                without[i] = pxr_yaml_find((struct pxr_yaml *)root, left_out[i]);
        kept = copy(arena, root, without);
        text = kept && !pxr_arena_failed(arena) ? pxr_yaml_emit(arena, kept, diag) : NULL;
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
