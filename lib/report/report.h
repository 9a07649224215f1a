/* SPDX-License-Identifier: MIT */
/*
 * report.h - the reports on a run database: tables, and a page.
 *
 * Each function but the page's gives a list of tables (table.h) that lives as long as the arena, or
 * NULL after an error. The database is only read.
 */
#ifndef PXR_REPORT_REPORT_H
#define PXR_REPORT_REPORT_H

#include "report/paper.h"
#include "report/table.h"
#include "record/database.h"
#include "train/evaluate.h"

/* Table `number` of the paper with our runs beside it. A run counts for a row if its spec names the
 * row, its data are those of the row (by hash), its NLL is neither conditional nor suspect, and its
 * model is no smaller. Runs that differ only in their seed are averaged. The spec with the best
 * validation NLL is shown; if none has one, that with the best test NLL, with a footnote. Footnotes
 * also list how the spec differs from the row. */
struct pxr_table *pxr_report_paper_table(struct pxr_arena *arena, struct pxr_store *store,
                                         const struct pxr_paper *paper, int64_t number,
                                         struct pxr_diag *diag);

/* reports/runs.sql: the newest `limit` runs (0: all) for which `where` is true (NULL: all), an SQL
 * expression on the report's columns, in the order of their numbers or the newest first. `all`
 * includes the columns that only programs see. */
enum pxr_archived { PXR_NOT_ARCHIVED, PXR_ARCHIVED_TOO, PXR_ARCHIVED_ALONE };
struct pxr_runs_wanted {
        const char *where;
        int64_t limit;
        bool all, newest_first;
        enum pxr_archived archived;
};
struct pxr_table *pxr_report_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_runs_wanted *wanted, struct pxr_diag *diag);

/* The reports of the folder show, and the learning curve: facts, results, chain, curve, layers,
 * files, plugins, checkpoints, samples, events; spec and difference only if `part` names them.
 * `all_steps`: every point of the curve. */
struct pxr_table *pxr_report_show(struct pxr_arena *arena, struct pxr_store *store,
                                  const char *which, const char *part, bool all_steps,
                                  struct pxr_diag *diag);

/* Runs side by side: in which values their specs differ, their results, in what they were made
 * under different circumstances, and their curves. `part` is NULL (all), "spec", "results",
 * "circumstances" or "curve". */
struct pxr_table *pxr_report_compare(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *const *which, size_t count, const char *part,
                                     bool all_steps, struct pxr_diag *diag);

/* Whether run `which` has the same parameters, NLLs and pictures as run `of`, which it repeats, to
 * the bit; if not, what else was different. Returns 0 or -1. */
struct pxr_repetition {
        int64_t of;
        bool same;
        const char *text; /* "differs from run 3: parameters; ..." */
        const struct pxr_table
                *circumstances; /* what, in the old run, in the new; NULL where same */
};
int pxr_report_repetition(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                          const char *of, struct pxr_repetition *verdict, struct pxr_diag *diag);

/* The reports of the folder sweep: jobs, the best of them, and the effect of each key that varies.
 * `part` is NULL (all), "jobs", "best" or "effects". */
struct pxr_table *pxr_report_sweep(struct pxr_arena *arena, struct pxr_store *store,
                                   const char *name, const char *part, struct pxr_diag *diag);

/* The signs of the folder doctor that are found in one run or (`which` NULL) in all. A sign with a
 * mistake is an error that is recorded, and the others are looked for. */
struct pxr_table *pxr_report_doctor(struct pxr_arena *arena, struct pxr_store *store,
                                    const struct pxr_paper *paper, const char *which,
                                    struct pxr_diag *diag);

/* All of it as one HTML page that needs no other file and no network: the runs, the paper's tables,
 * and of each run curves, samples, where the nats are, spec and provenance. NULL after an error. */
struct pxr_page_wanted {
        const char *database; /* its name, as given */
        const char *where;    /* as in pxr_runs_wanted */
        int64_t limit;        /* list only the newest of them; 0: all */
        int64_t details;      /* show so many of those, the newest, in detail; negative: 20 */
};
const char *pxr_report_page(struct pxr_arena *arena, struct pxr_store *store,
                            const struct pxr_paper *paper, const struct pxr_page_wanted *wanted,
                            struct pxr_diag *diag);

#endif
