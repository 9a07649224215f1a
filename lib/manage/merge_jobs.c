/* SPDX-License-Identifier: MIT */
/* merge_jobs.c - copying sweeps and their jobs from one database into another. */
#include <inttypes.h>

#include "manage/merge.h"
#include "record/cursor.h"

/* Copies the jobs of sweep ?1 to sweep ?2, unless they went as far there; returns for each whether
 * it is new. A new job keeps its number unless another job of the sweep has it. */
static const char merge_jobs[] =
        "INSERT INTO main.job (sweep, spec_hash, state, number, varied, rung, listed, failures, "
        "message, seconds, run) SELECT ?2, there.spec_hash, "
        "iif(there.state = 'running', 'waiting', there.state), "
        "iif(there.number IN (SELECT number FROM main.job WHERE sweep = ?2), "
        "row_number() OVER (ORDER BY there.number) + (SELECT max(number) FROM "
        "(SELECT number FROM main.job WHERE sweep = ?2 UNION ALL "
        "SELECT number FROM source.job WHERE sweep = ?1)), there.number), "
        "there.varied, there.rung, there.listed, there.failures, there.message, there.seconds, "
        "(SELECT copy.id FROM source.run AS run JOIN main.run AS copy USING (uid, started_at, "
        "spec_hash) WHERE run.id = there.run AND there.state <> 'running') "
        "FROM source.job AS there LEFT JOIN main.job AS here ON here.sweep = ?2 AND "
        "here.spec_hash = there.spec_hash WHERE there.sweep = ?1 AND (here.id IS NULL OR "
        "((there.state = 'finished' AND here.state <> 'finished' OR "
        "there.state = 'failed' AND here.state IN ('waiting', 'running')) AND "
        "NOT (here.state = 'running' AND "
        "process_lives(here.host, here.process_id, here.process_start)))) "
        "ORDER BY there.number ON CONFLICT (sweep, spec_hash) DO UPDATE SET "
        "state = excluded.state, run = excluded.run, failures = excluded.failures, "
        "message = excluded.message, seconds = excluded.seconds, claims = claims + 1 "
        "RETURNING claims = 0";

/* The sweep of the same name and search. Where another search has the name, it is NAME (SEARCH). */
static const char find_sweep[] =
        "SELECT here.id FROM source.sweep AS there JOIN main.sweep AS here ON here.search = "
        "there.search AND here.name IN (there.name, there.name || ' (' || there.search || ')') "
        "WHERE there.id = ? ORDER BY here.name = there.name DESC";

static const char add_sweep[] =
        "INSERT INTO main.sweep (name, search, definition, created_at) SELECT "
        "iif(name IN (SELECT name FROM main.sweep), name || ' (' || search || ')', name), search, "
        "definition, created_at FROM source.sweep WHERE id = ? RETURNING id";

static int merge_sweep(struct pxr_store *store, int64_t from, const char *name,
                       struct pxr_table *table, struct pxr_diag *diag)
{
        int64_t into, new = 0, updated = 0;
        struct pxr_cursor rows;

        if (pxr_store_integer(store, &into, diag, find_sweep, "i", from) ||
            (!into && pxr_store_integer(store, &into, diag, add_sweep, "i", from)))
                return -1;
        rows = pxr_query(store, NULL, diag, merge_jobs, "ii", from, into);
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
