/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - shared by the tests of models: building a model from the text of its `model:` list, of
 * built-in layers and of layers that a test defines.
 */
#ifndef PXR_TESTS_STACKS_H
#define PXR_TESTS_STACKS_H

#include "graphs.h"
#include "model/model.h"

static struct pxr_plugins *plugins;

enum { CLASSES = 3 }; /* of the images of all stacks */

static inline void stack_setup(void)
{
        graph_setup();
        plugins = pxr_plugins_open(arena, diag);
        ck_assert_ptr_nonnull(plugins);
}

/* Let the stacks of this test use `layer`. */
static inline void add_layer(const struct pxr_layer *layer)
{
        struct pxr_plugin_file *file = allocate(1, sizeof(*file));

        *file = (struct pxr_plugin_file) {
                .path = layer->name, .layer = layer, .version = PXR_VERSION, .next = plugins->file
        };
        plugins->file = file;
}

/* NULL after an error, which is in `diag`. */
static inline struct pxr_model *try_stack(struct pxr_image_kind kind, const char *text)
{
        struct pxr_source *source = allocate(1, sizeof(*source));
        struct pxr_yaml *list;

        *source = (struct pxr_source) { .name = "model", .text = text, .size = strlen(text) };
        list = pxr_yaml_parse(arena, source, diag);
        ck_assert_ptr_nonnull(list);
        return pxr_model_build(arena, plugins, list, &kind, CLASSES, false, diag);
}

static inline struct pxr_model *build_stack(struct pxr_image_kind kind, const char *text)
{
        struct pxr_model *model = try_stack(kind, text);

        ck_assert_msg(model != NULL, "%s", pxr_diag_text(diag, 0));
        return model;
}

/* With arena, diag and plugins. */
#define ADD_STACK_TEST(suite, test) ADD_CASE(suite, test, stack_setup)
#define ADD_STACK_LOOP(suite, test, times) ADD_LOOP(suite, test, stack_setup, times)

#endif
