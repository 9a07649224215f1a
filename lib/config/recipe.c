/* SPDX-License-Identifier: MIT */
/* recipe.c - reading a recorded spec, and hashing a spec without what leaves its result alone. */
#include <string.h>

#include "config/tree.h"

struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec, struct pxr_diag *diag)
{
        return pxr_yaml_parse(arena, pxr_source_new(arena, "the run's spec", spec), diag);
}

/* Keys that do not change the NLL, except by chance. */
static const char *const left_out[] = {
        "name",       "description", "reproduces", "data.path",
        "train.seed", "train.log",   "sample",     "evaluate.at_end"
};

int pxr_spec_recipe(struct pxr_arena *arena, struct pxr_yaml *root, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag)
{
        const struct pxr_yaml *node[PXR_COUNT(left_out) + 1] = { NULL };
        char *text;
        int nodes = 0;

        for (size_t i = 0; i < PXR_COUNT(left_out); i++)
                if ((node[nodes] = pxr_yaml_find(root, left_out[i])))
                        nodes++;
        text = pxr_yaml_emit_sorted(arena, root, node, diag);
        if (!text)
                return -1;
        pxr_sha256(text, strlen(text), hex);
        return 0;
}
