/* SPDX-License-Identifier: MIT */
/* mark.c - tags and notes on runs, and archiving them. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "manage/manage.h"
#include "report/parts.h"
#include "record/cursor.h"
#include "record/run_state.h"

#define COLUMNS(list) list, PXR_COUNT(list)

/* Runs with the marks they have now, in the order of the words. */
static const struct pxr_column marked_columns[] = {
        { "run", "Run", PXR_ALWAYS },
        { "name", "Name", PXR_ALWAYS },
        { "tags", "Tags", PXR_IF_FILLED },
        { "note", "Note", PXR_IF_FILLED },
        { "archived_at", "Archived", PXR_IF_FILLED },
};

static const struct pxr_part marked = {
        "marks", "Marks", COLUMNS(marked_columns),
        "SELECT run, name, tags, note, archived_at FROM run_summary WHERE run = ?1"
};

/* Hand over to the table that shows the run, once the changes are in. */
static struct pxr_table *conclude(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                                  int failed, struct pxr_diag *diag)
{
        if (failed || pxr_store_commit(store, diag)) {
                pxr_store_rollback(store);
                return NULL;
        }
        return pxr_part_table(arena, store, &marked, run, diag);
}

/* What is not UTF-8 could not be shown as it is. */
static bool is_utf8(const char *text)
{
        const char *end = text + strlen(text);

        while (text < end && pxr_character(text, end))
                text += pxr_character(text, end);
        return text == end;
}

/* A comma separates tags where they are shown. */
static int check_tags(const struct pxr_words *tags, struct pxr_diag *diag)
{
        for (size_t i = 0; i < tags->count; i++) {
                const char *tag = tags->word[i];

                if (!is_utf8(tag))
                        return pxr_user_error(diag, "the tag '%s' is not UTF-8", tag);
                if (!*tag)
                        return pxr_user_error(diag, "'' is no tag: it is empty");
                if (strchr(tag, ','))
                        return pxr_user_error(diag,
                                              "'%s' is no tag: it has a comma; several tags are "
                                              "several words",
                                              tag);
                if (*tag == ' ' || tag[strlen(tag) - 1] == ' ')
                        return pxr_user_error(
                                diag, "'%s' is no tag: it begins or ends with a blank", tag);
        }
        return 0;
}

static int change_tags(struct pxr_store *store, int64_t run, const struct pxr_words *tags,
                       bool away, struct pxr_diag *diag)
{
        const char *sql = away ? "DELETE FROM tag WHERE run = ? AND tag = ?"
                               : "INSERT OR IGNORE INTO tag VALUES (?, ?)";

        for (size_t i = 0; i < tags->count; i++) {
                if (pxr_store_execute(store, diag, sql, "it", run, tags->word[i]))
                        return -1;
                if (away && sqlite3_changes(store->handle) == 0)
                        return pxr_user_error(diag, "run %" PRId64 " has no tag '%s'", run,
                                              tags->word[i]);
        }
        return 0;
}

struct pxr_table *pxr_tag_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                              const struct pxr_words *tags, bool away, struct pxr_diag *diag)
{
        const struct pxr_run *run;

        if (check_tags(tags, diag) || (tags->count && pxr_store_begin(store, diag)))
                return NULL;
        run = pxr_store_find_run(store, arena, which, diag);
        if (run && tags->count == 0)
                return pxr_part_table(arena, store, &marked, run->id, diag);
        return conclude(arena, store, run ? run->id : 0,
                        !run || change_tags(store, run->id, tags, away, diag), diag);
}

struct pxr_table *pxr_list_tags(struct pxr_arena *arena, struct pxr_store *store,
                                struct pxr_diag *diag)
{
        static const struct pxr_column list[] = { { "tag", "Tag", PXR_ALWAYS },
                                                  { "runs", "Runs", PXR_ALWAYS },
                                                  { "newest", "Newest run", PXR_ALWAYS } };
        static const struct pxr_part part = {
                "tags", "Tags", COLUMNS(list),
                "SELECT tag, count(*), max(run) FROM tag WHERE ?1 = 0 GROUP BY tag ORDER BY tag"
        };
        struct pxr_table *table = pxr_part_table(arena, store, &part, 0, diag);

        if (table && table->rows == 0)
                pxr_table_note(table, NULL, "No run has a tag.");
        return table;
}

struct pxr_table *pxr_note_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                               const char *note, struct pxr_diag *diag)
{
        const struct pxr_run *run;

        if (note && !is_utf8(note)) {
                pxr_user_error(diag, "the note is not UTF-8");
                return NULL;
        }
        if (note && pxr_store_begin(store, diag))
                return NULL;
        run = pxr_store_find_run(store, arena, which, diag);
        if (run && !note)
                return pxr_part_table(arena, store, &marked, run->id, diag);
        return conclude(arena, store, run ? run->id : 0,
                        !run || pxr_store_execute(store, diag,
                                                  "UPDATE run SET note = nullif(?2, '') WHERE id = "
                                                  "?1",
                                                  "it", run->id, note),
                        diag);
}

/* --- archiving ---------------------------------------------------------------------------------
 */

static const char set_archived[] =
        "UPDATE run SET archived_at = coalesce(archived_at, strftime('%Y-%m-%d %H:%M:%S', 'now')) "
        "WHERE id = ?";
static const char set_back[] = "UPDATE run SET archived_at = NULL WHERE id = ?";

/* `sql` NULL: only list it. */
static int archive(struct pxr_arena *arena, struct pxr_store *store, struct pxr_table *table,
                   const char *which, const char *sql, struct pxr_diag *diag)
{
        const struct pxr_run *run = pxr_store_find_run(store, arena, which, diag);
        struct pxr_cell *cell;

        if (!run)
                return -1;
        if (sql && pxr_store_execute(store, diag, sql, "i", run->id))
                return -1;
        cell = pxr_table_row(table);
        cell[0] = pxr_integer_cell(run->id);
        cell[1] = pxr_text_cell(table, run->name);
        cell[2] = pxr_text_cell(table, pxr_run_state(run));
        return 0;
}

struct pxr_table *pxr_archive_runs(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_words *runs, enum pxr_archiving what,
                                   struct pxr_diag *diag)
{
        static const struct pxr_column list[] = { { "run", "Run", PXR_ALWAYS },
                                                  { "name", "Name", PXR_ALWAYS },
                                                  { "status", "Status", PXR_ALWAYS } };
        static const char *const title[] = { [PXR_ARCHIVE_LIST] = "To be archived",
                                             [PXR_ARCHIVE] = "Archived",
                                             [PXR_UNARCHIVE] = "Taken back from the archive" };
        static const char *const sql[] = {
                [PXR_ARCHIVE] = set_archived, [PXR_UNARCHIVE] = set_back
        };
        struct pxr_table *table = pxr_table_new(arena, "archive", title[what], list, 3);
        int status = 0;

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (sql[what] ? pxr_store_begin(store, diag) : pxr_store_execute(store, diag, "BEGIN", ""))
                return NULL;
        for (size_t i = 0; !status && i < runs->count; i++)
                status = archive(arena, store, table, runs->word[i], sql[what], diag);
        if (status || pxr_store_commit(store, diag)) {
                pxr_store_rollback(store);
                return NULL;
        }
        if (what == PXR_ARCHIVE_LIST)
                pxr_table_note(table, NULL,
                               "They are no longer listed or counted then: not in a table, nor as "
                               "the best of a sweep.");
        if (what != PXR_UNARCHIVE)
                pxr_table_note(table, NULL,
                               "Nothing of them is lost: 'runs --archived' lists them, "
                               "'unarchive' takes them back.");
        return pxr_table_finish(table, diag) ? NULL : table;
}
