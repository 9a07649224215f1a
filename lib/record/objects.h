/* SPDX-License-Identifier: MIT */
/* objects.h - what a database's schema may hold. */
#ifndef PXR_RECORD_OBJECTS_H
#define PXR_RECORD_OBJECTS_H

#include "record/cursor.h"

/* Check that every object of a database's schema is what the steps up to `version` make, for a file
 * from elsewhere can hold SQL that runs when it is used: triggers, views, indexes of expressions,
 * tables with checks. Only plain indexes and SQLite's own statistics may be added. Reads the schema
 * alone, no row. Returns 0 or -1. */
int pxr_store_check_objects(struct pxr_store *store, int version, struct pxr_diag *diag);

#endif
