/* SPDX-License-Identifier: MIT */
/* run_database.h - what the tests of the run database share: opening, a run, looking from outside.
 */
#ifndef PXR_TESTS_RUN_DATABASE_H
#define PXR_TESTS_RUN_DATABASE_H

#include <math.h>
#include <sqlite3.h>

#include "scratch.h"
#include "record/database.h"

static inline struct pxr_store *open_store(const char *path, bool writable)
{
        struct pxr_store *store = pxr_store_open(path, writable, diag);

        ck_assert_msg(store != NULL, "%s", pxr_diag_text(diag, 0));
        return store;
}

/* Record a run; its number. */
static inline int64_t add_run(struct pxr_store *store, const char *name)
{
        struct pxr_run run = {
                .name = name,
                .spec = pxr_strf(arena, "name: %s\nseed: 7\n", name),
                .spec_json = pxr_strf(arena, "{\"name\": \"%s\", \"seed\": 7}", name),
                .spec_hash = "aa",
                .origins = "",
                .seed = -7,
                .program_version = "0",
                .process_id = 4711,
                .process_start = "boot 12",
                .data_set = "set",
                .data_identity = "bb",
                .data_entropy = NAN,
                .certificate = "cc",
        };

        OK(pxr_store_add_run(store, &run, diag));
        return run.id;
}

/* Record a picture of a sample. */
static inline int add_picture(struct pxr_store *store, struct pxr_moment at, int64_t seed,
                              const void *png, size_t size)
{
        return pxr_store_add_sample(store, at,
                                    &(struct pxr_sample_row) { .kind = "samples",
                                                               .seed = seed,
                                                               .count = 1,
                                                               .temperature = 1,
                                                               .parameter_hash = "dd",
                                                               .log_likelihood = -3.5,
                                                               .png = png,
                                                               .size = size },
                                    diag);
}

static inline int append_row(void *context, int columns, char **value, char **names)
{
        char **text = context;

        (void)names;
        for (int i = 0; i < columns; i++)
                *text = pxr_strf(arena, "%s%s%s", *text, i ? "|" : "", value[i] ? value[i] : "");
        *text = pxr_strf(arena, "%s\n", *text);
        return 0;
}

/* Run SQL as another program would; the rows it gives, as the sqlite3 shell prints them. */
static inline char *sql_of(const char *path, const char *statements)
{
        char *text = pxr_strdup(arena, "");
        sqlite3 *handle = NULL;

        ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
        sqlite3_busy_timeout(handle, 10000);
        ck_assert_msg(sqlite3_exec(handle, statements, append_row, &text, NULL) == SQLITE_OK,
                      "%s: %s", statements, sqlite3_errmsg(handle));
        sqlite3_close(handle);
        return text;
}

static inline char *sql(const char *statements)
{
        return sql_of(in_scratch("runs.db"), statements);
}

#endif
