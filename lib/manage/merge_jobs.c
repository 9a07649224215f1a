/* SPDX-License-Identifier: MIT */
/* merge_jobs.c - copying sweeps and their jobs from one database into another. */
#include <inttypes.h>

#include "manage/merge.h"
#include "manage/texts.h" /* made by the Makefile */
#include "record/cursor.h"

static int merge_sweep(struct pxr_store *store, int64_t from, const char *name,
                       struct pxr_table *table, struct pxr_diag *diag)
{
        int64_t into, new = 0, updated = 0;
        struct pxr_cursor rows;

        if (pxr_store_integer(store, &into, diag, FIND_SWEEP_SQL, "i", from) ||
            (!into && pxr_store_integer(store, &into, diag, ADD_SWEEP_SQL, "i", from)))
                return -1;
        rows = pxr_query(store, NULL, diag, MERGE_JOBS_SQL, "ii", from, into);
        while (pxr_cursor_next(&rows))
                *(pxr_cursor_integer(&rows, 0) ? &new : &updated) += 1;
        if (new || updated)
                pxr_table_note(table, NULL,
                               "Sweep '%s': %" PRId64 " jobs new, %" PRId64 " updated.", name, new,
                               updated);
        return pxr_cursor_end(&rows);
}

int pxr_merge_jobs(struct pxr_arena *arena, struct pxr_store *store, struct pxr_table *table,
                   struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT id, name FROM source.sweep ORDER BY id", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows))
                status = merge_sweep(store, pxr_cursor_integer(&rows, 0), pxr_cursor_text(&rows, 1),
                                     table, diag);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}
