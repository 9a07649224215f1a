/* SPDX-License-Identifier: MIT */
/* schedule.c - a sweep run from end to end, however its jobs are launched. */
#include "sweep/schedule.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "experiment/recorded.h"
#include "sweep/queue.h"

/* Would this run's layers train what they did? */
static int check_run(const struct pxr_sweep_order *order, int64_t number, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        const char *which = arena ? pxr_strf(arena, "%" PRId64, number) : NULL;
        const struct pxr_run *run;
        int status = -1;

        if (!which) {
                pxr_out_of_memory(diag);
        } else {
                run = pxr_store_find_run(order->store, arena, which, diag);
                status = run ? pxr_check_layers(arena, order->store, run, diag) : -1;
        }
        pxr_arena_free(arena);
        return status;
}

/* A sweep compares its runs: a layer is to be the same in all of them. Looked at before anything is
 * changed, and not by each task of a cluster. */
static int check_layers(const struct pxr_sweep_order *order, struct pxr_arena *arena,
                        struct pxr_diag *diag)
{
        int64_t *runs;
        int count;

        if (order->task)
                return 0;
        if (pxr_store_builds_of_sweep(order->store, arena, order->sweep->name, &runs, &count, diag))
                return -1;
        for (int i = 0; i < count; i++)
                if (check_run(order, runs[i], diag)) {
                        pxr_note(diag,
                                 "the runs of sweep '%s' could not be compared: under another name "
                                 "it begins anew",
                                 order->sweep->name);
                        return -1;
                }
        return 0;
}

int pxr_sweep_run(const struct pxr_sweep_order *order, struct pxr_sweep_state *state,
                  struct pxr_diag *diag)
{
        struct pxr_queue queue = { .order = order, .diag = diag, .state = state };
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = -1;

        *state = (struct pxr_sweep_state) { .seconds_left = NAN };
        queue.self = arena ? pxr_provenance(arena, NULL, diag) : NULL;
        if (!arena)
                pxr_out_of_memory(diag);
        else if (queue.self && !check_layers(order, arena, diag) && !pxr_queue_enroll(&queue))
                status = order->launcher == PXR_LAUNCH_SLURM ? pxr_sweep_run_slurm(&queue)
                                                             : pxr_sweep_run_local(&queue);
        pxr_arena_free(arena);
        return status;
}

int pxr_sweep_attend(struct pxr_run_order *order, int64_t job, struct pxr_diag *diag)
{
        order->job.job = job;
        return pxr_store_check_job(order->store, &order->job, pxr_end_with_parent(), diag);
}

/* --- afterwards --------------------------------------------------------------------------------
 */

static int by_result(const void *left, const void *right)
{
        const struct pxr_job *a = left, *b = right;
        double x = a->archived ? INFINITY : pxr_job_result(a);
        double y = b->archived ? INFINITY : pxr_job_result(b);

        if (x != y)
                return x < y ? -1 : 1;
        return a->number < b->number ? -1 : a->number > b->number;
}

int pxr_sweep_best(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag)
{
        int wanted = 0;

        if (pxr_store_jobs(store, arena, sweep, jobs, count, diag))
                return -1;
        for (int i = 0; i < *count; i++)
                if ((*jobs)[i].wanted)
                        (*jobs)[wanted++] = (*jobs)[i];
        *count = wanted;
        qsort(*jobs, (size_t)wanted, sizeof(**jobs), by_result);
        return 0;
}
