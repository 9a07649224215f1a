/* SPDX-License-Identifier: MIT */
/* spec_schema.h - the JSON Schema of specs, for editors. */
#ifndef PXR_EXPERIMENT_SPEC_SCHEMA_H
#define PXR_EXPERIMENT_SPEC_SCHEMA_H

#include <jansson.h>

#include "model/plugin.h"

/* The schema of a spec that has these layers and any data set of pxr. A new reference; NULL when
 * out of memory. */
json_t *pxr_spec_schema(const struct pxr_plugins *plugins);

#endif
