/* SPDX-License-Identifier: MIT */
/* recipe.c - reading a recorded spec, and hashing a spec without what leaves its result alone. */
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

/* Put all mappings in the order of their keys: other versions of the program have other orders. */
static void sort(struct pxr_arena *arena, struct pxr_yaml *node)
{
        size_t count = (size_t)node->count, i = 0;
        struct pxr_yaml **child = pxr_alloc_array(arena, count + 1, sizeof(struct pxr_yaml *));

        if (!child)
                return;
        for (; node->first; i++) {
                child[i] = node->first;
                pxr_yaml_remove(child[i]);
                sort(arena, child[i]);
        }
        if (node->kind == PXR_YAML_MAPPING)
                qsort(child, count, sizeof(struct pxr_yaml *), by_key);
        for (i = 0; i < count; i++)
                pxr_yaml_append(node, child[i]);
}

int pxr_spec_recipe(struct pxr_arena *arena, const char *spec, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag)
{
        struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag), *node;
        char *text;

        for (size_t i = 0; root && i < PXR_COUNT(left_out); i++)
                if ((node = pxr_yaml_find(root, left_out[i])))
                        pxr_yaml_remove(node);
        if (root)
                sort(arena, root);
        text = root ? pxr_yaml_emit(arena, root, diag) : NULL;
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
