/* SPDX-License-Identifier: MIT */
/* recipe.c - a resolved spec's text read again, and hashed without its seed. */
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
        struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag), *seed;
        char *text;

        if (!root)
                return -1;
        seed = pxr_yaml_find(root, "train.seed");
        if (seed)
                pxr_yaml_remove(seed);
        text = pxr_yaml_emit(arena, root, diag);
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
