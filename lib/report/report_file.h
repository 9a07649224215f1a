/* SPDX-License-Identifier: MIT */
/*
 * report_file.h - reports that are files: NAME.sql, a head in a comment and one query.
 *
 * docs/reports.md describes the form. Files lie in the folder that came with pxr and in those of
 * $PXR_REPORT_PATH; a name that is in two of them is refused.
 */
#ifndef PXR_REPORT_REPORT_FILE_H
#define PXR_REPORT_REPORT_FILE_H

#include "config/yaml.h"
#include "record/database.h"
#include "report/table.h"

enum pxr_argument_type {
        PXR_ARGUMENT_TEXT,
        PXR_ARGUMENT_NUMBER,
        PXR_ARGUMENT_RUN,
        PXR_ARGUMENT_SWEEP
};

/* A column or an argument that the head describes. */
struct pxr_report_item {
        const char *name;
        struct pxr_location location;
        const char *heading; /* of a column */
        int format, show;    /* enum pxr_column_format, enum pxr_shown */
        const char *initial; /* of an argument; NULL: it is required */
        int type;            /* enum pxr_argument_type */
        const char *help;
        struct pxr_report_item *next;
};

struct pxr_report_file {
        const char *name, *path;
        const char *title, *description, *advice, *empty;
        const char *sql; /* the whole file: its head is a comment to SQLite */
        struct pxr_source source;
        bool shipped;                                       /* came with pxr */
        const struct pxr_yaml *columns, *arguments, *notes; /* of the head */
        struct pxr_report_item *column, *argument;
        struct pxr_report_file *next;
};

/* Refuse reports of $PXR_REPORT_PATH that have the name of one of these subcommands (ended by
 * NULL), which would be run in their place. Returns 0 or -1. */
int pxr_report_refuse(struct pxr_arena *arena, const char *const *subcommand,
                      struct pxr_diag *diag);

/* All reports of a folder, "" or "doctor", by name; without those that have a mistake, which is
 * recorded. Returns 0 and sets *list, or -1. */
int pxr_report_files(struct pxr_arena *arena, const char *folder, struct pxr_report_file **list,
                     struct pxr_diag *diag);

/* The report of that name, or NULL after an error, which suggests the nearest name of a report or
 * of `others` (ended by NULL). */
struct pxr_report_file *pxr_report_file_find(struct pxr_arena *arena, const char *folder,
                                             const char *name, const char *const *others,
                                             struct pxr_diag *diag);

/* A table of the reports that are called by name, with their arguments and titles; without those
 * that have a mistake, which is recorded. */
struct pxr_table *pxr_report_list(struct pxr_arena *arena, struct pxr_diag *diag);

/* What a report is called with. */
struct pxr_report_call {
        const char *const *argument; /* as typed, in the order of the head's arguments */
        size_t arguments;
        const char *where; /* NULL: all rows; an SQL expression on the report's columns */
        const char *sort; /* by this column, empty cells last; "-nll": descending; NULL: as it is */
        int64_t limit;    /* the first so many rows; 0: all */
        bool programs;    /* with the columns that only programs are given */
};

/* Run the query under its guard, into a table. NULL after an error. */
struct pxr_table *pxr_report_file_table(struct pxr_arena *arena, struct pxr_store *store,
                                        const struct pxr_report_file *file,
                                        const struct pxr_report_call *call, struct pxr_diag *diag);

/* The same of the report of that name. */
struct pxr_table *pxr_report_by_name(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *folder, const char *name,
                                     const struct pxr_report_call *call, struct pxr_diag *diag);

/* Add the SQL functions that reports and conditions may call (docs/reports.md). Returns 0 or -1. */
int pxr_report_functions(struct pxr_store *store, struct pxr_diag *diag);

/* A table of a report that has several: what it is called, and the report file it is made by. */
struct pxr_report_part {
        const char *name, *folder, *file; /* file: NULL where it has the same name */
        size_t arguments;                 /* so many of the first; 0: one */
        bool hidden;                      /* unless it is asked for by name */
};
/* A row of such a list (report.h). */
#define PXR_PART(folder_, name_, ...) { .name = #name_, .folder = #folder_, __VA_ARGS__ },

/* The tables of `part`, which ends with one without a name; of those that are not hidden and not
 * empty, or of the one called `wanted`. NULL after an error. */
struct pxr_table *pxr_report_parts(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_report_part *part, const char *const *argument,
                                   const char *wanted, struct pxr_diag *diag);

#endif
