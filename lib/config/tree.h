/* SPDX-License-Identifier: MIT */
/*
 * tree.h - changing a spec's tree: for the files of this folder.
 */
#ifndef PXR_CONFIG_TREE_H
#define PXR_CONFIG_TREE_H

#include "config/yaml.h"

/* How much is read, and how much has been: several texts can share one account. */
struct pxr_bounds {
        size_t max_bytes; /* of one text, and of all scalars together */
        int max_nodes, max_depth;
        size_t bytes;
        int nodes, depth;
};

/* clang-format off */
#define PXR_SPEC_BOUNDS { PXR_SPEC_MAX_BYTES, PXR_SPEC_MAX_NODES, PXR_SPEC_MAX_DEPTH, 0, 0, 0 }
#define PXR_TREE_BOUNDS { PXR_TREE_MAX_BYTES, PXR_TREE_MAX_NODES, PXR_TREE_MAX_DEPTH, 0, 0, 0 }
/* clang-format on */

/* Parse source->text from byte `from` on, with locations that count from the start of the text, as
 * something that lies bounds->depth levels deep. Nothing at all is an empty scalar. */
struct pxr_yaml *pxr_yaml_parse_at(struct pxr_arena *arena, const struct pxr_source *source,
                                   size_t from, struct pxr_bounds *bounds, struct pxr_diag *diag);

/* Apply one "KEY=VALUE" to a spec; `where` may be NULL. Returns 0, or -1 after an error. */
int pxr_yaml_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      const struct pxr_override_location *where, struct pxr_bounds *bounds,
                      struct pxr_diag *diag);

/* Add a child at the end. */
void pxr_yaml_append(struct pxr_yaml *parent, struct pxr_yaml *child);

/* Take a child out. */
void pxr_yaml_remove(struct pxr_yaml *child);

/* A new empty mapping or a scalar, under `key` at the locations of `like`; NULL when memory is out.
 */
struct pxr_yaml *pxr_yaml_new(struct pxr_arena *arena, enum pxr_yaml_kind kind, const char *key,
                              const char *text, const struct pxr_yaml *like);

/* Set the origin of a node and everything in it. */
void pxr_yaml_set_origin(struct pxr_yaml *node, enum pxr_origin origin);

/* Is it a scalar with nothing in it, as after `train:`, or one of YAML's words for that (~, null)?
 */
bool pxr_yaml_empty(const struct pxr_yaml *node);

/* Give `node`, which keeps its place and key, the value of another, which is not used again. */
void pxr_yaml_become(struct pxr_yaml *node, const struct pxr_yaml *value);

/* Make a scalar an empty mapping. */
void pxr_yaml_become_mapping(struct pxr_yaml *node);

/* Make a scalar NAME the mapping {NAME: {}}. Returns 0 or -1. */
int pxr_yaml_name_to_mapping(struct pxr_arena *arena, struct pxr_yaml *node);

/* Make a value a mapping {key: VALUE}, or, with a `key` of NULL, a list [VALUE]. Returns 0 or -1.
 */
int pxr_yaml_wrap(struct pxr_arena *arena, struct pxr_yaml *node, const char *key);

/* The child of a mapping or a sequence that the first name of a dotted path means, or NULL; *rest
 * is what follows the name and its dot. */
struct pxr_yaml *pxr_yaml_step(const struct pxr_yaml *node, const char *path, const char **rest);

#endif
