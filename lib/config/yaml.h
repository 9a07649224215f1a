/* SPDX-License-Identifier: MIT */
/*
 * yaml.h - a spec as a tree whose every node knows where it came from.
 *
 * libyaml parses; this folder turns its events into nodes in an arena, refuses what a spec has no
 * use for (aliases to oneself, duplicate keys, several documents, tags), joins `extends`, and
 * applies `key=value` overrides.
 */
#ifndef PXR_CONFIG_YAML_H
#define PXR_CONFIG_YAML_H

#include <pxr/arena.h>
#include <pxr/diag.h>

#include "base/hash.h"

struct pxr_options;

enum pxr_yaml_kind { PXR_YAML_SCALAR, PXR_YAML_SEQUENCE, PXR_YAML_MAPPING };

enum pxr_origin {
        PXR_ORIGIN_FILE,     /* the spec itself */
        PXR_ORIGIN_BASE,     /* a file it extends */
        PXR_ORIGIN_OVERRIDE, /* the command line, or a sweep */
        PXR_ORIGIN_DEFAULT,  /* an option table */
};

struct pxr_yaml {
        enum pxr_yaml_kind kind;
        enum pxr_origin origin;
        struct pxr_location location;
        const char *text; /* SCALAR: as written, without quotes, NUL-ended */
        bool quoted;      /* SCALAR: a quoted scalar is a string, never a number */
        const char *key;  /* the node's key in its mapping; NULL elsewhere */
        struct pxr_location key_location;
        struct pxr_yaml *parent;
        struct pxr_yaml *first; /* SEQUENCE, MAPPING: children, in order */
        struct pxr_yaml *last;
        struct pxr_yaml *next;
        int count;                       /* children */
        const struct pxr_options *table; /* of a root whose options were read: theirs */
};

/* Bounds on what is read: beyond them the spec is refused with one error. */
enum {
        PXR_SPEC_MAX_BYTES = 1 << 20, /* one file, and the scalars of all */
        PXR_SPEC_MAX_FILES = 64,      /* a spec and all it extends */
        PXR_SPEC_MAX_NODES = 100000,  /* of all files, after aliases are expanded */
        PXR_SPEC_MAX_DEPTH = 64,
        /* A resolved spec, in which every default is written out, and its text. */
        PXR_TREE_MAX_BYTES = 1 << 26,
        PXR_TREE_MAX_NODES = 1 << 20,
        PXR_TREE_MAX_DEPTH = 256,
};

/* A source of this name for a text, both of which must outlive it. NULL when out of memory. */
struct pxr_source *pxr_source_new(struct pxr_arena *arena, const char *name, const char *text);

/* Parse `source` (NULL: out of memory) whole, in the bounds of a resolved spec. NULL after an
 * error. An empty document is an empty mapping. */
struct pxr_yaml *pxr_yaml_parse(struct pxr_arena *arena, const struct pxr_source *source,
                                struct pxr_diag *diag);

/* Where an override is written down, if that is not the command line: a sweep's file has its key at
 * one location, and its value at another. */
struct pxr_override_location {
        struct pxr_location key;      /* its source NULL: the command line */
        const struct pxr_yaml *value; /* as it stands there, or what it was drawn from */
};

/* Read a spec file ("-" is the standard input), join what it `extends` (paths relative to the
 * file that names them; mappings are joined key by key, everything else is replaced, and of
 * several bases the first wins), then apply `overrides` ("train.batch=32", "model.1.repeat=3") in
 * order. Errors in them point to their `locations` (NULL: all are of the command line). NULL after
 * errors. */
struct pxr_yaml *pxr_spec_load(struct pxr_arena *arena, const char *path,
                               const char *const *overrides,
                               const struct pxr_override_location *locations, size_t count,
                               struct pxr_diag *diag);

/* Apply one override, "KEY=VALUE", to a tree that no spec was loaded for. Returns 0 or -1. */
int pxr_spec_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      struct pxr_diag *diag);

/* Make the scalar `node` this text as it is, whatever YAML would read in it. `key` is its path, for
 * errors. Returns 0 or -1. */
int pxr_spec_set_text(struct pxr_arena *arena, struct pxr_yaml *node, const char *key,
                      const char *text, struct pxr_diag *diag);

/* A child by key; NULL if there is none or `node` is no mapping (or NULL). */
struct pxr_yaml *pxr_yaml_get(const struct pxr_yaml *node, const char *key);

/* A node by dotted path ("model.1.repeat"), or NULL. */
struct pxr_yaml *pxr_yaml_find(struct pxr_yaml *root, const char *path);

/* The dotted path of a node, "" for the root. */
char *pxr_yaml_path(struct pxr_arena *arena, const struct pxr_yaml *node);

/* "experiments/a.yaml:12:9", "command line: train.batch=32", or "default". */
char *pxr_yaml_origin(struct pxr_arena *arena, const struct pxr_yaml *node);

/* What `path` is set to and where that came from: "train.batch = 32 (command line: ...)". For a
 * section, a line for each value in it; "" is the whole spec. NULL after an error: no such key
 * (with the nearest). */
char *pxr_yaml_explain(struct pxr_arena *arena, struct pxr_yaml *root, const char *path,
                       struct pxr_diag *diag);

/* The tree as YAML text in block style, made by libyaml's emitter; the same tree gives the same
 * bytes, and pxr_yaml_parse() gives the same tree again. NULL after an error: a tree beyond the
 * bounds of a resolved spec. */
char *pxr_yaml_emit(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_diag *diag);

/* The same with the keys of mappings in alphabetical order, as other versions of the program have
 * other orders, and without the nodes of mappings in `left_out`, which NULL ends. */
char *pxr_yaml_emit_sorted(struct pxr_arena *arena, const struct pxr_yaml *node,
                           const struct pxr_yaml *const *left_out, struct pxr_diag *diag);

/* The same as one line in flow style, without a line break at its end: what can stand behind
 * "KEY=". */
char *pxr_yaml_emit_line(struct pxr_arena *arena, const struct pxr_yaml *node,
                         struct pxr_diag *diag);

/* A value as JSON in one line; a text as a JSON string; a word as a number, if it is one, or as a
 * string. */
char *pxr_yaml_json(struct pxr_arena *arena, const struct pxr_yaml *node);
char *pxr_json_string(struct pxr_arena *arena, const char *text);
char *pxr_json_word(struct pxr_arena *arena, const char *text);

/* Parse the resolved spec of a run. NULL after an error. */
struct pxr_yaml *pxr_spec_recorded(struct pxr_arena *arena, const char *spec,
                                   struct pxr_diag *diag);

/* SHA-256, in hexadecimal, of a resolved spec without its seed, and without what does not change
 * the NLL: its name, the row it reproduces, the path of its data, what is drawn or evaluated
 * besides. Runs that differ in their seed alone have it in common. Returns 0 or -1. */
int pxr_spec_recipe(struct pxr_arena *arena, struct pxr_yaml *root, char hex[PXR_SHA256_HEX],
                    struct pxr_diag *diag);

#endif
