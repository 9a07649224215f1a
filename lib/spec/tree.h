/* SPDX-License-Identifier: MIT */
/*
 * tree.h - changing a spec's tree: for the files of this folder.
 */
#ifndef PXR_SPEC_TREE_H
#define PXR_SPEC_TREE_H

#include "spec/yaml.h"

/* Parse source->text from byte `from` on, with marks that count from the start of the text. */
struct pxr_yaml *pxr_yaml_parse_at(struct pxr_arena *arena, const struct pxr_source *source,
                                   size_t from, struct pxr_diag *diag);

/* Add a child at the end. */
void pxr_yaml_append(struct pxr_yaml *parent, struct pxr_yaml *child);

/* Put `child` where `old` is. */
void pxr_yaml_replace(struct pxr_yaml *old, struct pxr_yaml *child);

/* Take a child out. */
void pxr_yaml_remove(struct pxr_yaml *child);

/* A new empty mapping or a scalar, under `key` at the marks of `like`; NULL when memory is out. */
struct pxr_yaml *pxr_yaml_new(struct pxr_arena *arena, enum pxr_yaml_kind kind, const char *key,
                              const char *text, const struct pxr_yaml *like);

/* Set the origin of a node and everything in it. */
void pxr_yaml_set_origin(struct pxr_yaml *node, enum pxr_origin origin);

/* Is it a scalar with nothing in it, as after `train:`? */
bool pxr_yaml_empty(const struct pxr_yaml *node);

#endif
