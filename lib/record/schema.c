/* SPDX-License-Identifier: MIT */
/* schema.c - the run database's schema: version 1, and the steps to the newest version. */
#include "record/schema.h"

#include <stddef.h>

#include "record/texts.h" /* made of schema.sql by the Makefile */

#define SQL_TEXT "TEXT NOT NULL"
#define SQL_OPTIONAL "TEXT"
#define SQL_INTEGER "INTEGER NOT NULL DEFAULT 0"
#define SQL_SMALL SQL_INTEGER
#define SQL_FLAG SQL_INTEGER
#define SQL_REAL "REAL"

static const char version_1[] =
        "CREATE TABLE run (\n"
        "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
        "  uid TEXT NOT NULL, -- 8 random hexadecimal digits, part of its folder's name\n"
#define COLUMN(kind, name, text) "  " #name " " SQL_##kind ", -- " text "\n"
#include "record/run_columns.h"
        "  status TEXT NOT NULL\n"
        "    CHECK (status IN ('running', 'interrupted', 'finished', 'failed')),\n"
        "  message TEXT, -- why it failed or was interrupted\n"
        "  resumes INTEGER NOT NULL DEFAULT 0, -- how often it was resumed\n"
        "  started_at TEXT NOT NULL, finished_at TEXT,\n"
        "  wall_seconds REAL NOT NULL DEFAULT 0,\n"
        "  steps INTEGER NOT NULL DEFAULT 0, -- of its training; 0: not on record\n"
        "  steps_done INTEGER NOT NULL DEFAULT 0, -- when it was last seen\n"
        "  activity TEXT, -- 'training', 'evaluating valid', ... when it was last seen\n"
        "  train_nats REAL, -- mean NLL of its last training images, nats per image\n"
        "  seconds_left REAL, -- up to its end, when it was last seen; NULL: not known\n"
        "  progress_at TEXT, -- when its process last recorded these\n"
        "  parameter_hash TEXT, -- SHA-256 of the parameters that final_nll is of\n"
        "  raw_parameter_hash TEXT, -- of the same without train.average; NULL: not used\n"
        "  archived_at TEXT, -- NULL: it is listed and counted\n"
        "  note TEXT -- by its user\n"
        ");\n" SCHEMA_SQL;

/* Before the first release, version 1 itself is changed. A step that was released never changes:
 * then append one, before NULL. */
static const char *const steps[] = { version_1, NULL };

struct pxr_schema pxr_schema = { sizeof(steps) / sizeof(steps[0]) - 1, steps };
