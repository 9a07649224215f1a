/* SPDX-License-Identifier: MIT */
/*
 * resume.c - going on with a run: whether it may be, and from where.
 *
 * Nothing on record is changed before everything that could speak against it has been looked at.
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
                 "run %" PRId64 " was trained by pxr %s%s%s and goes on with pxr %s%s%s: "
                 "it may differ from a run of either",
                 old->id, old->program_version, *was ? " of revision " : "", was,
                 now->program_version, *is ? " of revision " : "", is);
}

/* Another version of a layer may be meant to compute something else, and a run is of one. */
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

/* What is not what it was, but may be. */
static void warn(const struct pxr_run *old, const struct pxr_build *build, struct pxr_diag *diag)
{
        const struct pxr_provenance *now = build->now;

        if (*build->few)
                pxr_warn(diag, "run %" PRId64 " goes on with another build of its layers (%s): %s",
                         old->id, build->few, pxr_build_words(build));
        if (!build->program)
                warn_of_version(old, now, diag);
        if (old->instruction_set && now->instruction_set &&
            strcmp(old->instruction_set, now->instruction_set) != 0)
                pxr_warn(diag,
                         "run %" PRId64 " began on %s and goes on on %s: its last bits will "
                         "differ from a run on one machine",
                         old->id, old->instruction_set, now->instruction_set);
}

/* Is what the run was made with still what is here? */
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

/* The state of the newest checkpoint; of a run that never got as far as one, the start. */
static int take_state(struct pxr_state *state, struct pxr_diag *diag)
{
        int found = pxr_checkpoint_resume(state, diag);

        if (found == 0)
                found = pxr_graph_init(state->trainer->graph,
                                       (uint64_t)state->experiment->settings.train.seed,
                                       state->trainer->parameters, NULL, diag);
        return found < 0 ? -1 : 0;
}

static int take_up(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        struct pxr_store *store = state->order->store;
        struct pxr_run run = { 0 };
        struct pxr_build build;
        char *what, *line;

        if (check_same(arena, state, &build, diag) || take_state(state, diag))
                return -1;
        what = pxr_strf(arena, "resumed at step %" PRId64 "%s%s", state->trainer->step,
                        *build.plugins ? " with another build of its layers: " : "", build.plugins);
        if (!what)
                return pxr_out_of_memory(diag);
        line = pxr_record_process(arena, build.now, state, what, &run, diag);
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
        int status = arena ? take_up(arena, state, diag) : pxr_out_of_memory(diag);

        pxr_arena_free(arena);
        return status;
}

/* A run that is at work, or may be: on another host nobody can look. */
static int check_not_running(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;

        if (run->host && !pxr_process_host(run->host)) {
                pxr_user_error(diag,
                               "run %" PRId64 " ('%s') is running on host '%s', as process "
                               "%" PRId64 ", for all that can be seen from here",
                               run->id, run->name, run->host, run->process_id);
                pxr_note(diag,
                         "if that process is surely dead, say so and resume again: sqlite3 %s "
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
