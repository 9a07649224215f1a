/* SPDX-License-Identifier: MIT */
/* recipe.c - a resolved spec's text read again, and hashed without what its result does not hang
 * on but for luck. */
#include "config/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec, struct pxr_diag *diag)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));

        if (!source) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        *source = (struct pxr_source) { .name = "the run's spec",
                                        .text = spec,
                                        .size = strlen(spec) };
        return pxr_yaml_parse(arena, source, diag);
}

static int by_key(const void *left, const void *right)
{
        const struct pxr_yaml *const *a = left, *const *b = right;

        return strcmp((*a)->key, (*b)->key);
}

/* Mappings in the order of their keys: programs of other versions have had other orders. */
static int sort_keys(struct pxr_arena *arena, struct pxr_yaml *node)
{
        struct pxr_yaml **child = pxr_alloc_array(arena, (size_t)node->count + 1, sizeof(*child));
        size_t count = 0;

        if (!child)
                return -1;
        for (struct pxr_yaml *at = node->first; at; at = at->next) {
                if (sort_keys(arena, at))
                        return -1;
                child[count++] = at;
        }
        if (node->kind != PXR_YAML_MAPPING)
                return 0;
        qsort(child, count, sizeof(struct pxr_yaml *), by_key);
        for (size_t i = 0; i < count; i++) {
                pxr_yaml_remove(child[i]);
                pxr_yaml_append(node, child[i]);
        }
        return 0;
}

int pxr_spec_recipe(struct pxr_arena *arena, const char *spec, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag)
{
        static const char *const left_out[] = { "name",           "description", "reproduces",
                                                "data.path",      "train.seed",  "sample",
                                                "evaluate.at_end" };
        struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag), *node;
        char *text;

        if (!root)
                return -1;
        for (size_t i = 0; i < PXR_COUNT(left_out); i++)
                if ((node = pxr_yaml_find(root, left_out[i])))
                        pxr_yaml_remove(node);
        if (sort_keys(arena, root))
                return pxr_out_of_memory(diag);
        text = pxr_yaml_emit(arena, root, diag);
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
