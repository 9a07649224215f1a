/* SPDX-License-Identifier: MIT */
/* run_state.c - is a run that is said to be running at work? */
#include "record/run_state.h"

#include <string.h>

#include "record/provenance.h"
#include "record/cursor.h"

static const char *state_of(const char *status, const char *host, int64_t process_id,
                            const char *process_start)
{
        return status && strcmp(status, "running") == 0 && host && pxr_process_host(host) &&
                               !pxr_process_lives(host, process_id, process_start)
                       ? "killed"
                       : status;
}

const char *pxr_run_state(const struct pxr_run *run)
{
        return state_of(run->status, run->host, run->process_id, run->process_start);
}

static void run_state(sqlite3_context *context, int count, sqlite3_value **value)
{
        (void)count;
        sqlite3_result_text(context,
                            state_of((const char *)sqlite3_value_text(value[0]),
                                     (const char *)sqlite3_value_text(value[1]),
                                     sqlite3_value_int64(value[2]),
                                     (const char *)sqlite3_value_text(value[3])),
                            -1, SQLITE_TRANSIENT);
}

static void process_lives(sqlite3_context *context, int count, sqlite3_value **value)
{
        (void)count;
        sqlite3_result_int(context, pxr_process_lives((const char *)sqlite3_value_text(value[0]),
                                                      sqlite3_value_int64(value[1]),
                                                      (const char *)sqlite3_value_text(value[2])));
}

int pxr_store_know_states(struct pxr_store *store, struct pxr_diag *diag)
{
        return sqlite3_create_function(store->handle, "run_state", 4, SQLITE_UTF8, NULL, run_state,
                                       NULL, NULL) == SQLITE_OK &&
                               sqlite3_create_function(store->handle, "process_lives", 3,
                                                       SQLITE_UTF8, NULL, process_lives, NULL,
                                                       NULL) == SQLITE_OK
                       ? 0
                       : pxr_store_failed(store, diag);
}
