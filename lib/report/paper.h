/* SPDX-License-Identifier: MIT */
/*
 * paper.h - the paper's tables, from reports/paper.yaml.
 */
#ifndef PXR_REPORT_PAPER_H
#define PXR_REPORT_PAPER_H

#include <stdint.h>

#include <pxr/arena.h>
#include <pxr/option.h>

struct pxr_store;

enum pxr_relation { PXR_EXACTLY, PXR_ABOUT, PXR_AT_MOST };
enum pxr_nll_unit { PXR_NATS, PXR_BITS }; /* per image; per dimension */

struct pxr_paper_row {
        const char *row, *source;  /* NULL: the paper itself */
        double value, train_value; /* 0: none; a row without a value is not in the paper */
        int relation;
        const struct pxr_yaml *needs, *excludes, *train, *model; /* may be empty */
        const struct pxr_yaml *files, *identities;               /* if not those of the table */
        const struct pxr_yaml *data;                             /* the table's */
        struct pxr_paper_row *next;
};

struct pxr_paper_table {
        int64_t table; /* its number */
        const char *title;
        int unit, split;
        int64_t images; /* of the split; 0: any number */
        const char *set;
        const struct pxr_yaml *files, *identities, *data, *transforms, *rows;
        struct pxr_paper_row *row;
        struct pxr_paper_table *next;
};

struct pxr_paper {
        struct pxr_paper_table *table;
        const char *json; /* the whole file */
};

/* Read a file of tables; NULL: the one that came with the program. NULL after errors. */
struct pxr_paper *pxr_paper_open(struct pxr_arena *arena, const char *path, struct pxr_diag *diag);

/* The table of that number; NULL if there is none, which is an error unless `diag` is NULL. */
const struct pxr_paper_table *pxr_paper_find(const struct pxr_paper *paper, int64_t number,
                                             struct pxr_diag *diag);

/* A row by its exact name, or NULL. */
const struct pxr_paper_row *pxr_paper_row(const struct pxr_paper_table *table, const char *name);

/* Make the temporary views of paper.sql, by which queries see the rows and the runs that name them.
 * Returns 0 or -1. */
int pxr_paper_views(const struct pxr_paper *paper, struct pxr_store *store, struct pxr_diag *diag);

/* Check before a run that the row its spec `reproduces` is in the file (NULL: the one that came
 * with the program). Returns 0 or -1; also 0 if the table is not in the file, or no file came with
 * the program. */
int pxr_paper_check(struct pxr_arena *arena, const char *path, const struct pxr_yaml *spec,
                    struct pxr_diag *diag);

#endif
