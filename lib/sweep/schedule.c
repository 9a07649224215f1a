/* SPDX-License-Identifier: MIT */
/* schedule.c - a sweep run from end to end, however its jobs are launched. Uses queue.h. */
#include "sweep/schedule.h"

#include <math.h>
#include <stdlib.h>

#include "experiment/recorded.h"
#include "sweep/queue.h"

/* A sweep compares its runs: they are to be of the same layers. What they are is looked at once,
 * before anything is changed, and not by each task of a cluster. */
static int check_layers(const struct pxr_sweep_order *order, struct pxr_arena *arena,
                        struct pxr_diag *diag)
{
        const char *newest;
        const struct pxr_run *run;

        if (order->task)
                return 0;
        newest = pxr_store_newest_of_sweep(order->store, arena, order->sweep->name, diag);
        if (!newest || !*newest)
                return newest ? 0 : -1;
        run = pxr_store_find_run(order->store, arena, newest, diag);
        if (!run)
                return -1;
        if (!pxr_check_layers(arena, order->store, run, diag))
                return 0;
        pxr_note(diag,
                 "the runs of sweep '%s' could not be compared: under another name it begins anew",
                 order->sweep->name);
        return -1;
}

int pxr_sweep_run(const struct pxr_sweep_order *order, struct pxr_sweep_state *state,
                  struct pxr_diag *diag)
{
        struct pxr_queue queue = { .order = order, .diag = diag, .state = state };
        struct pxr_arena *arena = pxr_arena_new(0);
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
