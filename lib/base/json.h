/* SPDX-License-Identifier: MIT */
/* json.h - texts as JSON. Uses text.h and jansson. */
#ifndef PXR_BASE_JSON_H
#define PXR_BASE_JSON_H

#include <jansson.h>

/* A text that may hold any bytes, such as a path. In one that is not UTF-8, what JSON cannot have
 * stands as "\xff". NULL when memory is out. */
json_t *pxr_json_text(const char *text);

#endif
