/* SPDX-License-Identifier: MIT */
/*
 * options.h - reading a mapping of a spec by its option tables, and printing a table.
 *
 * Reading completes the tree: a key that is absent is added with its default and the origin
 * PXR_ORIGIN_DEFAULT, and values are brought to one form (0x10 to 16, 1.0e-3 to 0.001, "a" to a):
 * one value, one text. So the tree, once read, is the resolved spec.
 */
#ifndef PXR_CONFIG_OPTIONS_H
#define PXR_CONFIG_OPTIONS_H

#include <pxr/option.h>

#include "config/yaml.h"

enum { PXR_REAL_TEXT = 32 }; /* characters of a number, its NUL included */

/* One table and the struct it fills. */
struct pxr_reading {
        const struct pxr_options *options;
        void *conf; /* options->size bytes, zeroed */
};

/* Fill the structs of all `readings` from one mapping, whose keys are the tables' rows together
 * (a data set: the keys every set has, and its own). `what` names the mapping in errors ("conv").
 * Records every error it finds, then returns -1 if there was one. `arena` keeps strings, choices
 * and added nodes. */
int pxr_options_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                     const struct pxr_reading *readings, int count, struct pxr_diag *diag);

/* The name of the layer that is an item of a list: `relu`, `repeat: 7` with further keys beside it,
 * `residual: [...]`, `conv: {...}`. It is the key of the returned node. NULL after an error. */
struct pxr_yaml *pxr_layer_name(struct pxr_arena *arena, struct pxr_yaml *item,
                                struct pxr_diag *diag);

/* Make this node a mapping of the layer's options: its value may set the main option or the list of
 * layers, and further keys may stand beside it. Then the item is {NAME: {options}}. `options` is
 * NULL after an error about the name. Returns 0 or -1. */
int pxr_layer_options(struct pxr_arena *arena, struct pxr_yaml *name,
                      const struct pxr_options *options, struct pxr_diag *diag);

/* What an unknown option `name`, at or below `node`, may have been meant to be: of the `names` the
 * nearest, or one that is a word of it ('rate' for 'learning_rate'), with `before` before it; the
 * paths of options of that name elsewhere in the spec. "'rate'", "'train.seed' or 'sample.seed'";
 * NULL: nothing. */
char *pxr_option_meant(struct pxr_arena *arena, const struct pxr_yaml *node, const char *name,
                       const char *before, const char *const *names, size_t count);

/* What is wrong with a table itself, which a plugin may have made: a row without a name, a field
 * outside its struct, a type without what it needs. NULL: nothing. */
const char *pxr_options_problem(struct pxr_arena *arena, const struct pxr_options *options);

enum pxr_parsed { PXR_NO_NUMBER, PXR_NUMBER, PXR_NUMBER_TOO_LARGE };

/* Numbers as YAML 1.2's core schema has them: 1e-3, .5, 0x1f, 0o17, -3. A number that does not fit
 * leaves *value alone. */
enum pxr_parsed pxr_parse_int(const char *text, int64_t *value);
enum pxr_parsed pxr_parse_real(const char *text, double *value);

/* The shortest text that reads as the same number. Returns `text`. */
char *pxr_format_real(double value, char text[PXR_REAL_TEXT]);

/* A row's value type, default and range as text, for help texts: "integer, 1 to 63, default 3". */
char *pxr_option_description(struct pxr_arena *arena, const struct pxr_option *option);

/* All rows of a table as lines that are set in by `indent`, each with that text and its help, and
 * those of the variants of a choice below it. */
char *pxr_options_text(struct pxr_arena *arena, const struct pxr_options *options, int indent);

/* What the option at a path of a resolved spec is for, as lines; "" where it has no row in the
 * tables of the spec: the root, a data set's, a layer's. */
char *pxr_option_text(struct pxr_arena *arena, const struct pxr_yaml *root, const char *path);

#endif
