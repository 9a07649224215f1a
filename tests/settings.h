/* SPDX-License-Identifier: MIT */
/* settings.h - what the tests of training share: a `train` section from its text. */
#ifndef PXR_TESTS_SETTINGS_H
#define PXR_TESTS_SETTINGS_H

#include "graphs.h"
#include "config/options.h"
#include "train/trainer.h"

/* A `train` mapping, read as a spec's is. */
static inline const struct pxr_train_settings *read_settings(const char *text)
{
        struct pxr_source *source = allocate(1, sizeof(*source));
        struct pxr_train_settings *settings = allocate(1, sizeof(*settings));
        struct pxr_reading reading = { &pxr_train_options, settings };
        struct pxr_yaml *tree;

        *source = (struct pxr_source) { .name = "train", .text = text, .size = strlen(text) };
        tree = pxr_yaml_parse(arena, source, diag);
        ck_assert_ptr_nonnull(tree);
        ck_assert_msg(!pxr_options_read(arena, tree, "train", &reading, 1, diag), "%s",
                      pxr_diag_text(diag, 0));
        return settings;
}

#endif
