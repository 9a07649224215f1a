/* SPDX-License-Identifier: MIT */
/* page_live.c - what a page in a browser compares, to know which of its parts changed. */
#include <inttypes.h>
#include <sys/stat.h>

#include "base/text.h"
#include "record/cursor.h"
#include "report/html.h"
#include "report/report.h"

/* It differs whenever the page shows something else of a run. */
static const char stamp[] =
        "SELECT (SELECT count(*) || ' ' || max(step) FROM metric WHERE run = id), "
        "(SELECT count(*) || ' ' || max(id) FROM sample WHERE run = run.id), "
        "(SELECT count(*) FROM event WHERE run = run.id), "
        "(SELECT count(*) || ' ' || max(step) FROM checkpoint WHERE run = run.id), "
        "(SELECT group_concat(tag) FROM tag WHERE run = run.id), note, resumes, "
        "run_state(status, host, process_id, process_start) FROM run WHERE id = ?";

static int put_run(FILE *to, struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                   struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, stamp, "i", run);
        const char *text = "";

        if (pxr_cursor_next(&rows))
                for (int i = 0; i < 8; i++)
                        text = pxr_strf(arena, "%s%s,", text, pxr_cursor_text(&rows, i));
        fprintf(to, "[%" PRId64 ",", run);
        pxr_html_json_text(to, text);
        putc(']', to);
        return pxr_cursor_end(&rows);
}

/* When the database's file and its log were written last: any record may be new. An empty log is
 * made whenever the database is opened, and says nothing. */
static void put_time(FILE *to, const struct pxr_store *store, struct pxr_arena *arena)
{
        const char *const paths[] = { pxr_store_path(store),
                                      pxr_strf(arena, "%s-wal", pxr_store_path(store)) };
        struct stat status;

        for (size_t i = 0; i < PXR_COUNT(paths); i++)
                if (stat(paths[i], &status) == 0 && status.st_size > 0)
                        fprintf(to, "%jd.%09ld %jd ", (intmax_t)status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec, (intmax_t)status.st_size);
}

static int put_state(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                     const struct pxr_page_wanted *wanted, struct pxr_diag *diag)
{
        struct pxr_runs_wanted newest = { .where = wanted->where,
                                          .limit = PXR_PAGE_CURVES,
                                          .newest_first = true };
        int64_t results, details = wanted->details < 0 ? PXR_PAGE_DETAILS : wanted->details;
        const struct pxr_table *list;

        if (details > newest.limit)
                newest.limit = details;
        if (wanted->limit > 0 && wanted->limit < newest.limit)
                newest.limit = wanted->limit;
        list = pxr_report_runs(arena, store, &newest, diag);
        if (!list ||
            pxr_store_integer(store, &results, diag,
                              "SELECT count(*) FROM run WHERE finished_at IS NOT NULL", ""))
                return -1;
        fputs("{\"list\":\"", to);
        put_time(to, store, arena);
        fprintf(to, "\",\"results\":%" PRId64 ",\"details\":%" PRId64 ",\"runs\":[", results,
                details);
        for (size_t i = 0; i < list->rows; i++) {
                if (i)
                        putc(',', to);
                if (put_run(to, store, arena, list->cell[i * list->columns].integer, diag))
                        return -1;
        }
        fputs("]}", to);
        return 0;
}

const char *pxr_report_page_state(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_page_wanted *wanted, struct pxr_diag *diag)
{
        struct pxr_stream stream;
        const char *text;
        int status;

        if (pxr_stream_open(&stream, arena))
                return NULL;
        status = put_state(stream.to, arena, store, wanted, diag);
        text = pxr_stream_close(&stream);
        return status || pxr_arena_failed(arena) ? NULL : text;
}
