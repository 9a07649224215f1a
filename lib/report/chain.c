/* SPDX-License-Identifier: MIT */
/*
 * chain.c - why a conditional run has no sum with the small images.
 *
 * The view chain_nll (schema.c) leaves out what does not fit; these questions tell what that was.
 */
#include "report/chain.h"

#include <inttypes.h>

#include "record/cursor.h"
#include "record/run_state.h"

enum { MOST_NEAR = 5 };

/* clang-format off */
/* The NLLs that a chain could count of a run, to go on with AND. */
#define RESULTS(run_) \
        "(SELECT 1 FROM nll WHERE nll.run = " run_ " AND name = 'final_nll' AND split <> 'train' "

/* What is amiss with a run, whichever part it is to be; else NULL. */
#define AMISS \
        "CASE WHEN " PXR_RUN_STATE " <> 'finished' THEN 'is not finished (' || " PXR_RUN_STATE \
        " || ')' WHEN archived_at IS NOT NULL THEN 'is archived' " \
        "WHEN NOT EXISTS " RESULTS("run.id") ") THEN 'was evaluated on neither valid nor test' " \
        "WHEN NOT EXISTS " RESULTS("run.id") "AND suspect IS NULL) THEN 'has a suspect NLL' END"

/* Of the large images' run itself. */
static const char own[] =
        "SELECT given, coalesce(" AMISS ", CASE WHEN given_identity IS NULL "
        "THEN 'has not on record which small images it was given' END) FROM run WHERE id = ?1";

/* Runs of the small images, or of others of that size, and why each is not counted. */
static const char near[] =
        "SELECT run.id, CASE WHEN run.data_identity IS NOT large.given_identity "
        "THEN 'has other data of that size' ELSE coalesce(" AMISS ", "
        "CASE WHEN NOT EXISTS " RESULTS("run.id") "AND suspect IS NULL AND EXISTS "
        "(SELECT 1 FROM nll AS n WHERE n.run = large.id AND n.name = 'final_nll' "
        "AND n.split = nll.split AND n.images = nll.images AND n.suspect IS NULL)) "
        "THEN 'was evaluated on other splits or another number of images' "
        "WHEN run.given IS NOT NULL THEN 'has no sum itself' "
        "ELSE 'was evaluated on fewer splits than another' END) END, count(*) OVER () "
        "FROM (SELECT id, data_set, given, given_identity FROM run WHERE id = ?1) AS large "
        "JOIN run ON run.data_identity = large.given_identity OR (run.data_set = large.data_set "
        "AND image_rows || 'x' || image_cols = large.given) "
        "ORDER BY run.data_identity IS NOT large.given_identity, run.id LIMIT ?2";
/* clang-format on */

/* The size of the small images that a run was given, NULL for none; what is amiss with it, or NULL.
 */
static int look_up(struct pxr_table *table, struct pxr_store *store, int64_t run,
                   const char **given, const char **what, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, table->arena, diag, own, "i", run);
        bool is = pxr_cursor_next(&rows);

        *given = is ? pxr_cursor_optional(&rows, 0) : NULL;
        *what = is ? pxr_cursor_optional(&rows, 1) : NULL;
        return pxr_cursor_end(&rows);
}

/* "run 2 is archived; run 4 ...": those that are near; "" for none. NULL after an error. */
static const char *list_near(struct pxr_table *table, struct pxr_store *store, int64_t run,
                             struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, table->arena, diag, near, "ii", run, (int64_t)MOST_NEAR);
        const char *list = "";
        int64_t all = 0, told = 0;

        while (list && pxr_cursor_next(&rows)) {
                all = pxr_cursor_integer(&rows, 2);
                list = pxr_strf(table->arena, "%s%srun %" PRId64 " %s", list, told++ ? "; " : "",
                                pxr_cursor_integer(&rows, 0), pxr_cursor_text(&rows, 1));
        }
        if (list && all > told)
                list = pxr_strf(table->arena, "%s; and %" PRId64 " more", list, all - told);
        return pxr_cursor_end(&rows) ? NULL : list;
}

int pxr_note_no_chain(struct pxr_table *table, struct pxr_store *store, int64_t run,
                      struct pxr_diag *diag)
{
        const char *given, *what, *list;

        if (table->rows > 0)
                return 0;
        if (look_up(table, store, run, &given, &what, diag))
                return -1;
        if (!given)
                return 0;
        if (what) {
                pxr_table_note(table, NULL, "No sum: the run %s.", what);
                return pxr_table_finish(table, diag);
        }
        list = list_near(table, store, run, diag);
        if (!list)
                return -1;
        pxr_table_note(table, NULL,
                       "No sum: no finished run of just these small images (%s) is in the "
                       "database%s%s.",
                       given, *list ? " that fits: " : "", list);
        return pxr_table_finish(table, diag);
}
