/* SPDX-License-Identifier: MIT */
/* merge_jobs.c - copying sweeps and their jobs from one database into another. */
#include <inttypes.h>
#include <string.h>

#include "manage/merge.h"
#include "record/cursor.h"
#include "record/provenance.h"

struct merge {
        struct pxr_arena *arena;
        struct pxr_store *from, *into;
        struct pxr_diag *diag;
        int64_t new, updated;
};

static int rank(const char *state)
{
        return strcmp(state, "finished") == 0 ? 2 : strcmp(state, "failed") == 0;
}

/* Whether the target has the job in a state that is to stay. */
static int is_settled(struct merge *m, int64_t sweep, const char *spec_hash, const char *state,
                      bool *exists, bool *settled)
{
        struct pxr_cursor rows = pxr_query(m->into, NULL, m->diag,
                                           "SELECT state, host, process_id, process_start FROM job "
                                           "WHERE sweep = ? AND spec_hash = ?",
                                           "it", sweep, spec_hash);

        *exists = pxr_cursor_next(&rows);
        *settled = *exists &&
                   (rank(state) <= rank(pxr_cursor_text(&rows, 0)) ||
                    (strcmp(pxr_cursor_text(&rows, 0), "running") == 0 &&
                     pxr_process_lives(pxr_cursor_optional(&rows, 1), pxr_cursor_integer(&rows, 2),
                                       pxr_cursor_optional(&rows, 3))));
        return pxr_cursor_end(&rows);
}

/* A new job keeps its number unless another job of the sweep has it. */
static const char merge_job[] =
        "INSERT INTO job (sweep, spec_hash, state, number, varied, rung, listed, failures, "
        "message, seconds, run) VALUES (?1, ?2, iif(?3 = 'running', 'waiting', ?3), "
        "iif(EXISTS (SELECT 1 FROM job WHERE sweep = ?1 AND number = ?4), "
        "(SELECT max(number) + 1 FROM job WHERE sweep = ?1), ?4), ?5, ?6, ?7, ?8, ?9, ?10, "
        "iif(?3 = 'running', NULL, (SELECT id FROM run WHERE uid = ?11 AND started_at = ?12 AND "
        "spec_hash = ?13))) ON CONFLICT (sweep, spec_hash) DO UPDATE SET state = excluded.state, "
        "run = excluded.run, failures = excluded.failures, message = excluded.message, "
        "seconds = excluded.seconds, claims = claims + 1";

static int merge_jobs(struct merge *m, int64_t from, int64_t into)
{
        struct pxr_cursor rows =
                pxr_query(m->from, NULL, m->diag,
                          "SELECT job.spec_hash, state, number, varied, rung, listed, failures, "
                          "job.message, seconds, uid, started_at, run.spec_hash FROM job "
                          "LEFT JOIN run ON run.id = job.run WHERE sweep = ? ORDER BY number",
                          "i", from);
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *spec_hash = pxr_cursor_text(&rows, 0),
                           *state = pxr_cursor_text(&rows, 1);
                bool exists, settled;

                status = is_settled(m, into, spec_hash, state, &exists, &settled);
                if (status || settled)
                        continue;
                status = pxr_store_execute(
                        m->into, m->diag, merge_job, "ittitiiitdttt", into, spec_hash, state,
                        pxr_cursor_integer(&rows, 2), pxr_cursor_text(&rows, 3),
                        pxr_cursor_integer(&rows, 4), pxr_cursor_integer(&rows, 5),
                        pxr_cursor_integer(&rows, 6), pxr_cursor_optional(&rows, 7),
                        sqlite3_column_double(rows.statement, 8), pxr_cursor_optional(&rows, 9),
                        pxr_cursor_optional(&rows, 10), pxr_cursor_optional(&rows, 11));
                m->new += !exists;
                m->updated += exists;
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* The sweep's number in the target. Where another search has its name, it becomes NAME (SEARCH). */
static int find_or_add_sweep(struct merge *m, struct pxr_cursor *row, int64_t *sweep)
{
        const char *name = pxr_cursor_text(row, 1), *search = pxr_cursor_text(row, 2);
        const char *longer = pxr_strf(m->arena, "%s (%s)", name, search);

        if (pxr_store_integer(m->into, sweep, m->diag,
                              "SELECT id FROM sweep WHERE search = ?2 AND name IN (?1, ?3) "
                              "ORDER BY name = ?1 DESC",
                              "ttt", name, search, longer))
                return -1;
        if (*sweep)
                return 0;
        if (pxr_store_execute(m->into, m->diag,
                              "INSERT INTO sweep (name, search, definition, created_at) VALUES "
                              "(iif(EXISTS (SELECT 1 FROM sweep WHERE name = ?1), ?3, ?1), ?2, "
                              "?4, ?5)",
                              "ttttt", name, search, longer, pxr_cursor_text(row, 3),
                              pxr_cursor_text(row, 4)))
                return -1;
        *sweep = sqlite3_last_insert_rowid(m->into->handle);
        return 0;
}

int pxr_merge_jobs(struct pxr_arena *arena, struct pxr_store *from, struct pxr_store *into,
                   struct pxr_table *table, struct pxr_diag *diag)
{
        struct merge m = { arena, from, into, diag, 0, 0 };
        struct pxr_cursor rows = pxr_query(
                from, arena, diag,
                "SELECT id, name, search, definition, created_at FROM sweep ORDER BY id", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                int64_t sweep;

                m.new = m.updated = 0;
                status = find_or_add_sweep(&m, &rows, &sweep) ||
                                         merge_jobs(&m, pxr_cursor_integer(&rows, 0), sweep)
                                 ? -1
                                 : 0;
                if (!status && (m.new || m.updated))
                        pxr_table_note(table, NULL,
                                       "Sweep '%s': %" PRId64 " jobs new, %" PRId64 " updated.",
                                       pxr_cursor_text(&rows, 1), m.new, m.updated);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}
