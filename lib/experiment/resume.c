/* SPDX-License-Identifier: MIT */
/*
 * resume.c - resuming a run: whether that is possible, and from which step.
 *
 * Every check is done before the first change of a record.
 */
#include <inttypes.h>
#include <string.h>

#include "experiment/record.h"
#include "experiment/provenance_check.h"
#include "experiment/state.h"

static void warn_of_version(const struct pxr_run *old, const struct pxr_provenance *now,
                            struct pxr_diag *diag)
{
        const char *was = old->program_revision ? old->program_revision : "";
        const char *is = now->program_revision ? now->program_revision : "";

        pxr_warn(diag,
                 "run %" PRId64 " was trained by pxr %s%s%s and is resumed by pxr %s%s%s: "
                 "it may differ from a run of either",
                 old->id, old->program_version, *was ? " of revision " : "", was,
                 now->program_version, *is ? " of revision " : "", is);
}

/* Another version of a layer may be meant to compute something else. */
static int check_versions(const struct pxr_run *old, const struct pxr_build *build,
                          struct pxr_diag *diag)
{
        if (!build->versions)
                return 0;
        pxr_user_error(diag, "run %" PRId64 " was trained with another version of its layers: %s",
                       old->id, build->plugins);
        pxr_note(diag,
                 "put the plugins back that it was trained with, or train it anew: pxr-run "
                 "--from-run %" PRId64,
                 old->id);
        return -1;
}

/* Differences that are allowed. */
static void warn(const struct pxr_run *old, const struct pxr_build *build, struct pxr_diag *diag)
{
        const struct pxr_provenance *now = build->now;

        if (*build->few)
                pxr_warn(diag,
                         "run %" PRId64 " is resumed with another build of its layers (%s): %s",
                         old->id, build->few, pxr_build_words(build));
        if (!build->program)
                warn_of_version(old, now, diag);
        if (old->instruction_set && now->instruction_set &&
            strcmp(old->instruction_set, now->instruction_set) != 0)
                pxr_warn(diag,
                         "run %" PRId64
                         " was started on %s and is resumed on %s: its last bits will "
                         "differ from a run on one machine",
                         old->id, old->instruction_set, now->instruction_set);
}

/* Whether data, layers and program are those that the run was made with. */
static int check_same(struct pxr_arena *arena, const struct pxr_state *state,
                      struct pxr_build *build, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        const struct pxr_experiment *e = state->experiment;

        if (pxr_check_data(old, e->set->identity, diag) ||
            pxr_compare_build(arena, state->order->store, old, e->model, build, diag) ||
            check_versions(old, build, diag) || pxr_check_certificate(old, &e->certificate, diag) ||
            pxr_check_fingerprint(old, e->model, true, build, diag))
                return -1;
        warn(old, build, diag);
        return 0;
}

/* Load the newest checkpoint, or the initial state if none was saved. */
static int load_state(struct pxr_state *state, struct pxr_diag *diag)
{
        int found = pxr_checkpoint_resume(state, diag);

        if (found == 0)
                found = pxr_graph_init(state->trainer->graph,
                                       (uint64_t)state->experiment->settings.train.seed,
                                       state->trainer->parameters, NULL, diag);
        return found < 0 ? -1 : 0;
}

static int resume(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        struct pxr_store *store = state->order->store;
        struct pxr_run run = { 0 };
        struct pxr_build build;
        char *what, *line;

        if (check_same(arena, state, &build, diag) || load_state(state, diag))
                return -1;
        what = pxr_strf(arena, "resumed at step %" PRId64 "%s%s", state->trainer->step,
                        *build.plugins ? " with another build of its layers: " : "", build.plugins);
        line = pxr_record_process(arena, build.now, state, what, &run);
        if (!line || pxr_store_claim_run(store, old, &run, diag) ||
            pxr_record_plugins(state, diag) ||
            pxr_store_rewind(store, old->id, state->trainer->step, diag))
                return -1;
        pxr_observe_note(&state->order->observer.base, what);
        return pxr_store_add_event(store, pxr_state_moment(state), "resumed", line, diag);
}

int pxr_resume(struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = arena ? resume(arena, state, diag) : -1;

        pxr_arena_free(arena);
        return status;
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

int pxr_resumable(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;

        if (strcmp(run->status, "finished") == 0)
                return pxr_user_error(diag, "run %" PRId64 " ('%s') is finished", run->id,
                                      run->name);
        return strcmp(run->status, "running") == 0 ? check_not_running(order, diag) : 0;
}
