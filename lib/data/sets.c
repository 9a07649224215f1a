/* SPDX-License-Identifier: MIT */
/* sets.c - the list of data sets. */
#include "config.h"

#include <string.h>

#include "base/text.h"
#include "data/format.h"

/* clang-format off */
#define SETS(row)               \
        row(binarized_mnist)    \
        row(cifar10)            \
        row(imagenet)           \
        row(markov_binary)      \
        row(markov_rgb)         \
        row(mnist)              \
        row(npz)                \
        row(png_folder)

#define DECLARE(name) extern const struct pxr_data_format pxr_data_##name;
#define LIST(name) &pxr_data_##name,

SETS(DECLARE)

const struct pxr_data_format *const pxr_data_formats[] = { SETS(LIST) NULL };
/* clang-format on */

enum { COUNT = PXR_COUNT(pxr_data_formats) - 1 };

const struct pxr_data_format *pxr_data_format_find(const char *name, struct pxr_location location,
                                                   struct pxr_diag *diag)
{
        const char *names[COUNT];
        struct pxr_arena *scratch;

        for (int i = 0; i < COUNT; i++) {
                names[i] = pxr_data_formats[i]->name;
                if (strcmp(names[i], name) == 0)
                        return pxr_data_formats[i];
        }
        scratch = pxr_arena_new(0, diag);
        pxr_error_at(diag, location, "unknown data set '%s'", name);
        pxr_hint_nearest(diag, name, names, COUNT);
        pxr_note(diag, "data sets: %s", pxr_join(scratch, names, COUNT, ", "));
        pxr_arena_free(scratch);
        return NULL;
}
