/* SPDX-License-Identifier: MIT */
/* recipe.c - a resolved spec's text read again, and hashed without what its result does not hang
 * on but for luck. */
#include "spec/recipe.h"

#include <string.h>

#include "spec/tree.h"

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
        for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
                if ((node = pxr_yaml_find(root, left_out[i])))
                        pxr_yaml_remove(node);
        text = pxr_yaml_emit(arena, root, diag);
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
