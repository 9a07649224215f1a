/* SPDX-License-Identifier: MIT */
/* json.c - JSON on stdout. */
#include "runner/json.h"

#include <math.h>

#include "base/json.h"

void add_json(json_t **whole, const char *key, json_t *value)
{
        if ((key ? json_object_set_new(*whole, key, value)
                 : json_array_append_new(*whole, value)) == 0)
                return;
        json_decref(*whole);
        *whole = NULL;
}

json_t *json_number(double value)
{
        return isfinite(value) ? json_real(value) : json_null();
}

int print_json(json_t *root, struct pxr_diag *diag)
{
        int status = pxr_json_write(root, stdout);

        json_decref(root);
        return status ? pxr_system_error(
                                diag, "the result cannot be printed as JSON: a name in it is not "
                                      "UTF-8, a number is not finite, or memory is out")
                      : 0;
}
