/* SPDX-License-Identifier: MIT */
/* schema.h - the steps that bring a database from one version of the schema to the next. */
#ifndef PXR_RECORD_SCHEMA_H
#define PXR_RECORD_SCHEMA_H

enum { PXR_APPLICATION_ID = 0x70787244 }; /* "pxrD", in SQLite's application_id */

extern const char *const pxr_schema_steps[]; /* [version - 1] */
extern const int pxr_schema_version;         /* the newest */

#endif
