/* SPDX-License-Identifier: MIT */
/*
 * resume.c - going on with a run: whether it may be, and from where.
 *
 * Nothing on record is changed before everything that could speak against it has been looked at.
 * Uses every floor below.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "experiment/record.h"
#include "experiment/state.h"
#include "store/provenance.h"

/* Is what the run was made with still what is here? */
static int check_same(const struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        const struct pxr_experiment *e = state->experiment;
        struct pxr_arena *arena = pxr_arena_new(0);
        const struct pxr_provenance *now = arena ? pxr_provenance(arena, "/", diag) : NULL;
        int status = now ? 0 : -1;

        if (strcmp(old->data_identity, e->set->identity) != 0)
                status = pxr_user_error(diag,
                                        "run %" PRId64 " was trained on other data: the "
                                        "data set's identity is not the one on record",
                                        old->id);
        else if (strcmp(old->certificate, e->certificate.digest) != 0)
                status = pxr_user_error(diag,
                                        "run %" PRId64 " had another model: a layer plugin "
                                        "has changed since",
                                        old->id);
        else if (now && old->instruction_set && now->instruction_set &&
                 strcmp(old->instruction_set, now->instruction_set) != 0)
                pxr_warn(diag,
                         "run %" PRId64 " began on %s and goes on on %s: its last bits will "
                         "differ from a run on one machine",
                         old->id, old->instruction_set, now->instruction_set);
        pxr_arena_free(arena);
        return status;
}

int pxr_resume(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run *old = state->order->resume;
        struct pxr_arena *arena = pxr_arena_new(0);
        const struct pxr_provenance *now = arena ? pxr_provenance(arena, "/", diag) : NULL;
        char text[96];
        int status = now ? check_same(state, diag) : -1, found = -1;

        if (!status)
                found = pxr_checkpoint_resume(state, diag);
        if (found == 0) /* it never got as far as a checkpoint: from the start */
                found = pxr_graph_init(state->trainer->graph,
                                       (uint64_t)state->experiment->settings.train.seed,
                                       state->trainer->parameters, NULL, diag);
        if (found < 0 || status ||
            pxr_store_take_run(state->order->store, old, now->process_id, now->process_start,
                               diag) ||
            pxr_store_rewind(state->order->store, old->id, state->trainer->step, diag)) {
                pxr_arena_free(arena);
                return -1;
        }
        snprintf(text, sizeof(text), "resumed at step %" PRId64, state->trainer->step);
        pxr_tell(state, text);
        pxr_arena_free(arena);
        return pxr_store_add_event(state->order->store, pxr_state_moment(state), "resumed", text,
                                   diag);
}

int pxr_resumable(const struct pxr_run_order *order, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume;

        if (strcmp(run->status, "finished") == 0)
                return pxr_user_error(diag, "run %" PRId64 " ('%s') is finished", run->id,
                                      run->name);
        if (strcmp(run->status, "running") == 0 &&
            pxr_process_lives(run->host, run->process_id, run->process_start))
                return pxr_user_error(diag,
                                      "run %" PRId64 " ('%s') is still running, as process "
                                      "%" PRId64,
                                      run->id, run->name, run->process_id);
        return 0;
}
