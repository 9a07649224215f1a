/* SPDX-License-Identifier: MIT */
/* annotate.c - tags and notes on runs, and archiving them. */
#include <inttypes.h>
#include <string.h>

#include "manage/manage.h"
#include "record/cursor.h"
#include "record/run_state.h"
#include "report/report_file.h"

/* --- tags and notes ----------------------------------------------------------------------------
 */

/* Tags are shown as they are, with commas between them. */
static int check_tags(const struct pxr_arguments *tags, struct pxr_diag *diag)
{
        for (size_t i = 0; i < tags->count; i++) {
                const char *tag = tags->text[i];
                const char *fault = !pxr_is_utf8(tag)  ? "it is not UTF-8"
                                    : !*tag            ? "it is empty"
                                    : strchr(tag, ',') ? "tags cannot contain commas"
                                    : *tag == ' ' || tag[strlen(tag) - 1] == ' '
                                            ? "tags cannot begin or end with a space"
                                            : NULL;

                if (fault)
                        return pxr_user_error(diag, "invalid tag '%s': %s", tag, fault);
        }
        return 0;
}

static int change_tags(struct pxr_store *store, int64_t run, const struct pxr_arguments *tags,
                       bool remove, struct pxr_diag *diag)
{
        const char *sql = remove ? "DELETE FROM tag WHERE run = ? AND tag = ?"
                                 : "INSERT OR IGNORE INTO tag (run, tag) VALUES (?, ?)";

        for (size_t i = 0; i < tags->count; i++) {
                if (pxr_store_execute(store, diag, sql, "it", run, tags->text[i]))
                        return -1;
                if (remove && sqlite3_changes(store->handle) == 0)
                        return pxr_user_error(diag, "run %" PRId64 " has no tag '%s'", run,
                                              tags->text[i]);
        }
        return 0;
}

/* End the transaction, and show the run's tags and note. */
static struct pxr_table *conclude(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_run *run, int status, struct pxr_diag *diag)
{
        const char *number = run ? pxr_strf(arena, "%" PRId64, run->id) : NULL;
        const struct pxr_report_call call = { .argument = &number, .arguments = 1 };

        return pxr_store_conclude(store, status, diag)
                       ? NULL
                       : pxr_report_by_name(arena, store, "manage", "annotations", &call, diag);
}

struct pxr_table *pxr_tag_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                              const struct pxr_arguments *tags, bool remove, struct pxr_diag *diag)
{
        const struct pxr_run *run;
        int status;

        if (check_tags(tags, diag) || pxr_store_begin_for(store, tags->count > 0, diag))
                return NULL;
        run = pxr_store_find_run(store, arena, which, diag);
        status = run ? change_tags(store, run->id, tags, remove, diag) : -1;
        return conclude(arena, store, run, status, diag);
}

struct pxr_table *pxr_list_tags(struct pxr_arena *arena, struct pxr_store *store,
                                struct pxr_diag *diag)
{
        const struct pxr_report_call call = { 0 };

        return pxr_report_by_name(arena, store, "manage", "tags", &call, diag);
}

struct pxr_table *pxr_note_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                               const char *note, struct pxr_diag *diag)
{
        const struct pxr_run *run;
        int status;

        if (note && !pxr_is_utf8(note)) {
                pxr_user_error(diag, "the note is not UTF-8");
                return NULL;
        }
        if (pxr_store_begin_for(store, note != NULL, diag))
                return NULL;
        run = pxr_store_find_run(store, arena, which, diag);
        status = run ? 0 : -1;
        if (run && note)
                status = pxr_store_execute(store, diag,
                                           "UPDATE run SET note = nullif(?2, '') WHERE id = ?1",
                                           "it", run->id, note);
        return conclude(arena, store, run, status, diag);
}

/* --- archiving ---------------------------------------------------------------------------------
 */

/* `sql` NULL: only list the run. */
static int archive(struct pxr_arena *arena, struct pxr_store *store, struct pxr_table *table,
                   const char *which, const char *sql, struct pxr_diag *diag)
{
        const struct pxr_run *run = pxr_store_find_run(store, arena, which, diag);
        struct pxr_cell *cell;

        if (!run || (sql && pxr_store_execute(store, diag, sql, "i", run->id)))
                return -1;
        cell = pxr_table_row(table);
        cell[0] = pxr_integer_cell(run->id);
        cell[1] = pxr_text_cell(table, run->name);
        cell[2] = pxr_text_cell(table, pxr_run_state(run));
        return 0;
}

struct pxr_table *pxr_archive_runs(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_arguments *runs, enum pxr_archiving what,
                                   struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = { { "run", "Run", PXR_ALWAYS },
                                                     { "name", "Name", PXR_ALWAYS },
                                                     { "status", "Status", PXR_ALWAYS } };
        static const struct {
                const char *title, *sql;
        } actions[] = {
                [PXR_ARCHIVE_LIST] = { "To be archived", NULL },
                [PXR_ARCHIVE] = { "Archived", "UPDATE run SET archived_at = coalesce(archived_at, "
                                              "strftime('%Y-%m-%d %H:%M:%S', 'now')) WHERE id = "
                                              "?" },
                [PXR_UNARCHIVE] = { "Removed from the archive",
                                    "UPDATE run SET archived_at = NULL WHERE id = ?" },
        };
        const char *sql = actions[what].sql;
        struct pxr_table *table =
                pxr_table_new(arena, "archive", actions[what].title, columns, PXR_COUNT(columns));
        int status = 0;

        if (!table || pxr_store_begin_for(store, sql != NULL, diag))
                return NULL;
        for (size_t i = 0; !status && i < runs->count; i++)
                status = archive(arena, store, table, runs->text[i], sql, diag);
        if (pxr_store_conclude(store, status, diag))
                return NULL;
        if (what == PXR_ARCHIVE_LIST)
                pxr_table_note(table, NULL,
                               "Archived runs are not listed or counted: not in tables, nor as "
                               "the best of a sweep.");
        if (what != PXR_UNARCHIVE)
                pxr_table_note(table, NULL,
                               "Nothing is deleted: 'runs --archived' lists them, 'unarchive' "
                               "brings them back.");
        return pxr_table_finish(table, diag) ? NULL : table;
}
