/* SPDX-License-Identifier: MIT */
/* json.c - JSON on stdout. */
#include "runner/json.h"

#include <stdio.h>
#include <stdlib.h>

void add_json(json_t **whole, const char *key, json_t *value)
{
        if ((key ? json_object_set_new(*whole, key, value)
                 : json_array_append_new(*whole, value)) == 0)
                return;
        json_decref(*whole);
        *whole = NULL;
}

int print_json(json_t *root, struct pxr_diag *diag)
{
        /* All of it before any is printed: with half a document nothing could be done. */
        char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;

        json_decref(root);
        if (!text)
                return pxr_system_error(diag,
                                        "the result cannot be printed as JSON: a name in it "
                                        "is not UTF-8, a number is not finite, or memory is out");
        puts(text);
        free(text);
        return 0;
}
