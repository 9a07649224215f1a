/* SPDX-License-Identifier: MIT */
/* schema.h - the steps that bring a database from one version of the schema to the next. */
#ifndef PXR_RECORD_SCHEMA_H
#define PXR_RECORD_SCHEMA_H

#include "record/cursor.h"

enum {
        PXR_APPLICATION_ID = 0x70787252, /* "pxrR", in SQLite's application_id */
        PXR_UNRELEASED_ID = 0x70787244,  /* of development versions before the first release */
};

/* The newest version of the schema; step[i] brings a database of version i to version i + 1.
 * Constant, but for tests of migration. */
extern struct pxr_schema {
        int version;
        const char *const *step;
} pxr_schema;

/* Check that every object of a database's schema is what the steps up to `version` make, for a file
 * from elsewhere can hold SQL that runs when it is used: triggers, views, indexes of expressions,
 * tables with checks. Only plain indexes and SQLite's own statistics may be added. Reads the schema
 * alone, no row. Returns 0 or -1. */
int pxr_store_check_objects(struct pxr_store *store, int version, struct pxr_diag *diag);

#endif
