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
        const char *sort; /* as in struct pxr_report_call; NULL: by number */
        bool all, newest_first;
        enum pxr_archived archived;
};
struct pxr_table *pxr_report_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_runs_wanted *wanted, struct pxr_diag *diag);

/* The tables of the reports that have several, which `part` can name: PART(FOLDER, NAME, ...) for
 * the file NAME.sql of the folder, with more fields of struct pxr_report_part. */
#define PXR_SHOW_PARTS(PART)                                        \
        PART(show, facts)                                           \
        PART(show, results)                                         \
        /* Chains are found among all runs, which takes a while. */ \
        PART(show, chain, .hidden = run && !run->given_identity)    \
        PART(show, curve, .file = all_steps ? "points" : "curve")   \
        PART(show, layers)                                          \
        PART(show, files)                                           \
        PART(show, plugins)                                         \
        PART(show, checkpoints)                                     \
        PART(show, samples)                                         \
        PART(show, events)                                          \
        PART(show, spec, .hidden = true)                            \
        PART(show, difference, .hidden = true)
#define PXR_COMPARE_PARTS(PART)      \
        PART(compare, spec)          \
        PART(compare, results)       \
        PART(compare, circumstances) \
        PART(show, curve, .file = all_steps ? "points" : "curve")
#define PXR_SWEEP_PARTS(PART)                             \
        PART(sweep, jobs)                                 \
        PART(sweep, best, .file = "jobs", .arguments = 2) \
        PART(sweep, effects)

/* A run: PXR_SHOW_PARTS, those that are hidden only if `part` names them. `all_steps`: every point
 * of the curve. */
struct pxr_table *pxr_report_show(struct pxr_arena *arena, struct pxr_store *store,
                                  const char *which, const char *part, bool all_steps,
                                  struct pxr_diag *diag);

/* Runs side by side: PXR_COMPARE_PARTS, or the one that `part` names. */
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

/* A sweep: PXR_SWEEP_PARTS, or the one that `part` names. */
struct pxr_table *pxr_report_sweep(struct pxr_arena *arena, struct pxr_store *store,
                                   const char *name, const char *part, struct pxr_diag *diag);

/* The signs of the folder doctor that are found in one run or (`which` NULL) in all. A sign with a
 * mistake is an error that is recorded, and the others are looked for. */
struct pxr_table *pxr_report_doctor(struct pxr_arena *arena, struct pxr_store *store,
                                    const struct pxr_paper *paper, const char *which,
                                    struct pxr_diag *diag);

/* All of it as one HTML page that needs no other file and no network: the runs, the paper's tables,
 * and of each run curves, samples, where the nats are, spec and provenance. A part that does not
 * exist is "". NULL after an error. */
struct pxr_page_wanted {
        const char *database; /* its name, as given */
        const char *where;    /* as in pxr_runs_wanted */
        int64_t limit;        /* list only the newest of them; 0: all */
        int64_t details;      /* show so many of those, the newest, in detail; negative: 20 */
        bool live;            /* sent by a server, of which it asks parts that changed */
        const char *part;     /* that part alone: "runs", "paper", "curves-7", "run-7"; NULL: all */
};
enum {
        PXR_PAGE_DETAILS = 20, /* runs with a section of their own, by default */
        PXR_PAGE_CURVES = 100, /* the newest runs of the list have their curves in one plot */
};
const char *pxr_report_page(struct pxr_arena *arena, struct pxr_store *store,
                            const struct pxr_paper *paper, const struct pxr_page_wanted *wanted,
                            struct pxr_diag *diag);

/* What of a live page may have changed, as JSON: {"list": TEXT, "results": N, "details": N, "runs":
 * [[RUN, TEXT], ...]}. Where a value differs from the one before, that part of the page is another.
 * NULL after an error. */
const char *pxr_report_page_state(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_page_wanted *wanted, struct pxr_diag *diag);

#endif
