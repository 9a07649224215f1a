/* SPDX-License-Identifier: MIT */
/*
 * resume.c - resuming a run: whether that is possible, and from which step.
 *
 * Every check is done before the first change of a record.
 */
#include <inttypes.h>
#include <string.h>

#include "experiment/provenance_check.h"
#include "experiment/state.h"
#include "record/cursor.h"

/* Differences that are allowed. */
static void warn(const struct pxr_experiment *e, const struct pxr_run *old,
                 const struct pxr_build *build, struct pxr_diag *diag)
{
        const struct pxr_run *now = build->now;
        const char *instruction_set = pxr_instruction_set(e, now);

        if (*build->few)
                pxr_warn(diag,
                         "run %" PRId64 " is resumed with another build of its layers (%s): %s",
                         old->id, build->few, pxr_build_text(build));
        if (!build->program)
                pxr_warn(diag,
                         "run %" PRId64 " was trained by %s and is resumed by %s: it may differ "
                         "from a run of either",
                         old->id,
                         pxr_program_text(e->arena, old->program_version, old->program_revision),
                         pxr_program_text(e->arena, now->program_version, now->program_revision));
        if (old->instruction_set && instruction_set &&
            strcmp(old->instruction_set, instruction_set) != 0)
                pxr_warn(diag,
                         "run %" PRId64
                         " was started on %s and is resumed on %s: its last bits will "
                         "differ from a run on one machine",
                         old->id, old->instruction_set, instruction_set);
}

/* Whether the state that was loaded, if any was, can be extended. */
static int check_state(const struct pxr_state *state, bool loaded, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        int64_t stopped = 0; /* an older checkpoint, if that of the end is gone, does not say so */

        if (!loaded)
                return pxr_user_error(diag,
                                      "run %" PRId64
                                      " ('%s') has no checkpoint on record to extend "
                                      "it from: repeat it with --from-run, and extend the new run",
                                      old->id, old->name);
        if (!state->counters.stopped_early && state->experiment->settings.train.patience > 0 &&
            pxr_store_integer(state->order->store, &stopped, diag,
                              "SELECT status = 'finished' AND steps > (SELECT max(step) FROM "
                              "metric WHERE run = id AND name = 'nll') FROM run WHERE id = ?",
                              "i", old->id))
                return -1;
        if (state->counters.stopped_early || stopped)
                return pxr_user_error(diag,
                                      "run %" PRId64 " ('%s') was stopped by train.patience before "
                                      "its last epoch: more epochs would change nothing",
                                      old->id, old->name);
        return 0;
}

/* Claim the run and record from where it is resumed, all or nothing. */
static int record(struct pxr_state *state, const struct pxr_run *now, const char *line,
                  struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        struct pxr_store *store = state->order->store;
        int status;

        if (pxr_store_begin(store, diag))
                return -1;
        status = pxr_store_claim_run(store, old, now, diag) || pxr_record_plugins(state, diag) ||
                                 (state->order->extension && pxr_record_extension(state, diag)) ||
                                 pxr_store_rewind(store, old->id, state->trainer->step, diag) ||
                                 pxr_store_add_event(store, pxr_state_moment(state), "resumed",
                                                     line, diag)
                         ? -1
                         : 0;
        return pxr_store_conclude(store, status, diag);
}

int pxr_resume(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        const struct pxr_experiment *e = state->experiment;
        struct pxr_store *store = state->order->store;
        struct pxr_build build;
        char *what, *line;
        int loaded;

        if (pxr_check_data(old, e->set->identity, diag) ||
            pxr_check_model(e->arena, store, old, e, PXR_TO_RESUME, &build, diag))
                return -1;
        warn(e, old, &build, diag);
        /* Without any checkpoint, the state is that of a new run. */
        loaded = pxr_checkpoint_resume(state, diag);
        if (loaded < 0 || (!loaded && pxr_start_parameters(state, diag)))
                return -1;
        if (state->order->extension && check_state(state, loaded, diag))
                return -1;
        what = pxr_strf(e->arena, "resumed at step %" PRId64, state->trainer->step);
        line = pxr_record_process(
                state,
                pxr_strf(e->arena, "%s%s%s", what,
                         *build.plugins ? " with another build of its layers: " : "",
                         build.plugins),
                build.now);
        if (pxr_arena_failed(e->arena) || record(state, build.now, line, diag))
                return -1;
        pxr_observe_note(&state->order->observer.base, what);
        return 0;
}

/* Refuse a run that is running, or may be: processes of other hosts cannot be seen. */
static int check_not_running(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;

        if (run->host && !pxr_process_host(run->host)) {
                pxr_user_error(diag,
                               "run %" PRId64 " ('%s') may still be running on host '%s', as "
                               "process %" PRId64,
                               run->id, run->name, run->host, run->process_id);
                pxr_note(diag,
                         "if that process has ended, mark the run and resume again: sqlite3 %s "
                         "\"UPDATE run SET status = 'interrupted' WHERE id = %" PRId64 "\"",
                         pxr_store_path(order->store), run->id);
                return -1;
        }
        if (pxr_process_lives(run->host, run->process_id, run->process_start))
                return pxr_user_error(diag,
                                      "run %" PRId64 " ('%s') is still running, as process "
                                      "%" PRId64,
                                      run->id, run->name, run->process_id);
        return 0;
}

/* A finished run can be extended, unless other runs are compared with it. */
static int check_extensible(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;
        int64_t jobs;

        if (strcmp(run->status, "finished") != 0)
                return pxr_user_error(diag,
                                      "run %" PRId64 " ('%s') is not finished: resume it without "
                                      "train.epochs first, then extend it",
                                      run->id, run->name);
        if (pxr_store_integer(order->store, &jobs, diag, "SELECT count(*) FROM job WHERE run = ?",
                              "i", run->id))
                return -1;
        if (jobs > 0)
                return pxr_user_error(diag,
                                      "run %" PRId64 " ('%s') belongs to a sweep, which compares "
                                      "runs of the same length: repeat it with --from-run, and "
                                      "extend the new run",
                                      run->id, run->name);
        return 0;
}

int pxr_resumable(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;

        if (order->extension)
                return check_extensible(order, diag);
        if (strcmp(run->status, "finished") == 0) {
                pxr_user_error(diag, "run %" PRId64 " ('%s') is finished", run->id, run->name);
                pxr_hint(diag, "to train it further: --resume %" PRId64 " train.epochs=N", run->id);
                return -1;
        }
        return strcmp(run->status, "running") == 0 ? check_not_running(order, diag) : 0;
}
