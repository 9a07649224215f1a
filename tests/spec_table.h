/* SPDX-License-Identifier: MIT */
/*
 * spec_table.h - a table with an option of every type, layers of every shape, and reading by them:
 * for the tests of specs and their fuzz target.
 */
#ifndef PXR_TESTS_SPEC_TABLE_H
#define PXR_TESTS_SPEC_TABLE_H

#include <string.h>

#include <pxr/arena.h>

#include "config/options.h"

struct table_sgd {
        double rate, momentum;
};

struct table_adam {
        double rate;
        int64_t steps;
};

struct table_inner {
        int64_t depth;
        const char *label;
};

struct table {
        bool flag;
        int64_t whole, seed;
        double real;
        const char *name, *note;
        int mask;
        uint32_t splits;
        struct pxr_interval every, pause;
        struct pxr_choice optimizer, schedule;
        struct table_inner inner;
        const struct pxr_yaml *layers, *node;
};

static const struct pxr_option table_sgd_rows[] = {
        PXR_REAL(struct table_sgd, rate, "0.1", 0, 1e6, "learning rate"),
        PXR_REAL(struct table_sgd, momentum, "0.9", 0, 1, "momentum"),
        PXR_END,
};
static const struct pxr_options table_sgd_options = { .rows = table_sgd_rows,
                                                      .size = sizeof(struct table_sgd) };

static const struct pxr_option table_adam_rows[] = {
        PXR_REAL(struct table_adam, rate, NULL, 0, 1e6, "learning rate"),
        PXR_INT(struct table_adam, steps, "10", 1, 1e6, "steps"),
        PXR_END,
};
static const struct pxr_options table_adam_options = { .rows = table_adam_rows,
                                                       .size = sizeof(struct table_adam) };

static const struct pxr_variant table_optimizers[] = {
        { "sgd", "gradient descent", &table_sgd_options, NULL },
        { "adam", "Adam", &table_adam_options, NULL },
        { "none", "no optimizer", NULL, NULL },
        { 0 },
};

static const struct pxr_option table_inner_rows[] = {
        PXR_INT(struct table_inner, depth, "1", 1, 9, "how deep"),
        PXR_STRING(struct table_inner, label, PXR_UNSET, "for readers"),
        PXR_END,
};
static const struct pxr_options table_inner_options = { .rows = table_inner_rows,
                                                        .size = sizeof(struct table_inner),
                                                        .main = "depth" };

static const char *const table_masks[] = { "A", "B", NULL };
static const char *const table_splits[] = { "train", "valid", "test", NULL };

static const struct pxr_option table_rows[] = {
        PXR_STRING(struct table, name, NULL, "what it is called"),
        PXR_BOOL(struct table, flag, "false", "a flag"),
        PXR_INT(struct table, whole, "3", -63, 63, "odd"),
        PXR_INT(struct table, seed, "1", 0, 9007199254740992.0, "of random numbers"),
        PXR_REAL(struct table, real, "0.5", 0, 1, "a part"),
        PXR_STRING(struct table, note, PXR_UNSET, "for readers"),
        PXR_ENUM(struct table, mask, "B", table_masks, "kind of mask"),
        PXR_ENUM_SET(struct table, splits, "[valid, test]", table_splits, "splits"),
        PXR_INTERVAL(struct table, every, "1 epoch", "how often"),
        PXR_INTERVAL(struct table, pause, PXR_UNSET, "how long"),
        PXR_CHOICE(struct table, optimizer, "sgd", table_optimizers, "update rule"),
        PXR_CHOICE(struct table, schedule, PXR_UNSET, table_optimizers, "may be absent"),
        PXR_SECTION(struct table, inner, &table_inner_options, "a section"),
        PXR_LAYERS(struct table, layers, "the layers"),
        PXR_NODE(struct table, node, "{}", "anything"),
        PXR_END,
};

static const char *table_check(const void *conf, const char **message)
{
        const struct table *table = conf;

        if (table->whole % 2)
                return NULL;
        *message = "must be odd";
        return "whole";
}

static const struct pxr_options table_options = { .rows = table_rows,
                                                  .size = sizeof(struct table),
                                                  .check = table_check };

/* --- layers ------------------------------------------------------------------------------------
 */

struct table_layer {
        int64_t count;
        const struct pxr_yaml *layers;
};

static const struct pxr_option table_plain_rows[] = {
        PXR_INT(struct table_layer, count, "1", 1, 99, "how often"),
        PXR_END,
};
static const struct pxr_option table_list_rows[] = {
        PXR_INT(struct table_layer, count, NULL, 1, 99, "how often"),
        PXR_LAYERS(struct table_layer, layers, "the layers"),
        PXR_END,
};

static const struct {
        const char *name;
        struct pxr_options options;
} table_layers[] = {
        { "relu", { .rows = NULL } },
        { "conv", { .rows = table_plain_rows, .size = sizeof(struct table_layer) } },
        { "repeat",
          { .rows = table_list_rows, .size = sizeof(struct table_layer), .main = "count" } },
        { "residual", { .rows = table_list_rows + 1, .size = sizeof(struct table_layer) } },
};

static inline const struct pxr_options *table_find(const struct pxr_yaml *name,
                                                   struct pxr_diag *diag)
{
        for (size_t i = 0; i < sizeof(table_layers) / sizeof(table_layers[0]); i++)
                if (strcmp(table_layers[i].name, name->key) == 0)
                        return &table_layers[i].options;
        pxr_error_at(diag, name->key_location, "there is no layer '%s'", name->key);
        return NULL;
}

/* Read a list of layers, and the lists in it. */
static inline int table_read_layers(struct pxr_arena *arena, const struct pxr_yaml *list,
                                    struct pxr_diag *diag)
{
        int status = 0;

        for (struct pxr_yaml *item = list->first; item; item = item->next) {
                struct table_layer layer = { 0 };
                struct pxr_reading reading = { .conf = &layer };
                struct pxr_yaml *name = pxr_layer_name(arena, item, diag);

                reading.options = name ? table_find(name, diag) : NULL;
                if (!name || pxr_layer_options(arena, name, reading.options, diag) ||
                    pxr_options_read(arena, name, name->key, &reading, 1, diag) ||
                    (layer.layers && table_read_layers(arena, layer.layers, diag)))
                        status = -1;
        }
        return status;
}

/* Read a whole spec by the table. */
static inline int table_read(struct pxr_arena *arena, struct pxr_yaml *root, struct table *table,
                             struct pxr_diag *diag)
{
        struct pxr_reading reading = { &table_options, table };
        int status;

        *table = (struct table) { 0 };
        status = pxr_options_read(arena, root, "spec", &reading, 1, diag);
        if (table->layers && table_read_layers(arena, table->layers, diag))
                status = -1;
        return status;
}

#endif
