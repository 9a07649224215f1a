/* SPDX-License-Identifier: MIT */
/*
 * values.h - reading one value by its row of an option table: for the files of this folder.
 */
#ifndef PXR_CONFIG_VALUES_H
#define PXR_CONFIG_VALUES_H

#include "config/options.h"

/* What all readers of values are handed. */
struct pxr_value {
        struct pxr_arena *arena;
        struct pxr_yaml *node;
        const char *what; /* the mapping, in errors: "conv" */
        const struct pxr_option *row;
        void *field;
        struct pxr_diag *diag;
};

/* Check `node` against `row`, set the field of `conf`, and bring the node to one form. Returns 0,
 * or -1 after an error at the node's location. */
int pxr_value_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                   const struct pxr_option *row, void *conf, struct pxr_diag *diag);

/* "conv: 'kernel' <message>" at the value. Returns -1. */
int pxr_value_wrong(const struct pxr_value *v, const char *message);

/* The names that a row's value can have, and how many. */
enum { PXR_MOST_NAMES = 128 };
size_t pxr_option_names(const struct pxr_option *option, const char *names[PXR_MOST_NAMES]);

/* "1 to 63" */
char *pxr_option_range(struct pxr_arena *arena, const struct pxr_option *option);

/* The row of an option by its name, or NULL; NULL options have none. */
const struct pxr_option *pxr_option_find(const struct pxr_options *options, const char *name);

/* A variant of a choice by its name, or NULL. */
const struct pxr_variant *pxr_variant_find(const struct pxr_option *row, const char *name);

/* names.c: values that are one of several names. */
int pxr_read_enum(const struct pxr_value *v);
int pxr_read_enum_set(const struct pxr_value *v);
int pxr_read_choice(const struct pxr_value *v);

#endif
