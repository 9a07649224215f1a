/* SPDX-License-Identifier: MIT */
/* run.c - running a sweep from start to end, with either launcher. */
#include "sweep/schedule.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/program.h"
#include "experiment/recorded.h"
#include "sweep/queue.h"

/* A sweep compares its runs, so the layers must compute the same in all of them. Checked before
 * anything is changed, and not again by each cluster task. */
static int check_layers(const struct pxr_sweep_options *options, struct pxr_arena *arena,
                        struct pxr_diag *diag)
{
        int64_t *runs;
        int count;

        if (options->task)
                return 0;
        if (pxr_store_builds_of_sweep(options->store, arena, options->sweep->name, &runs, &count,
                                      diag))
                return -1;
        for (int i = 0; i < count; i++) {
                struct pxr_arena *own = pxr_arena_new(0, diag);
                const struct pxr_run *run =
                        own ? pxr_store_find_run(options->store, own,
                                                 pxr_strf(arena, "%" PRId64, runs[i]), diag)
                            : NULL;
                int status = run ? pxr_check_layers(own, options->store, run, diag) : -1;

                pxr_arena_free(own);
                if (status) {
                        pxr_note(diag,
                                 "its results could not be compared with those of sweep '%s' on "
                                 "record: give the sweep another name to start over",
                                 options->sweep->name);
                        return -1;
                }
        }
        return 0;
}

/* Without setpriv (local.c), runs of several ranks would outlive a sweep that is killed. */
static int check_setpriv(const struct pxr_sweep_options *options, struct pxr_arena *arena,
                         struct pxr_diag *diag)
{
        static const char *const trial[] = { "setpriv", "--pdeathsig", "USR1", "true", NULL };
        struct pxr_answer answer;

        if (options->ranks == 1 || options->launcher == PXR_LAUNCH_SLURM)
                return 0;
        if (pxr_program_ask(arena, trial, "", 0, &answer, diag) == 0 && answer.status == 0)
                return 0;
        if (pxr_diag_errors(diag))
                return -1;
        return pxr_user_error(diag, "--ranks requires the program setpriv with --pdeathsig "
                                    "(on Debian: apt install util-linux)");
}

int pxr_sweep_run(const struct pxr_sweep_options *options, struct pxr_sweep_state *state,
                  struct pxr_diag *diag)
{
        struct pxr_queue queue = { .options = options, .diag = diag, .state = state };
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = -1;

        *state = (struct pxr_sweep_state) { .seconds_left = NAN };
        queue.self = arena ? pxr_provenance(arena, NULL) : NULL;
        if (queue.self && !check_setpriv(options, arena, diag) &&
            !check_layers(options, arena, diag) && !pxr_queue_enroll(&queue))
                status = (options->launcher == PXR_LAUNCH_SLURM
                                  ? pxr_sweep_run_slurm
                                  : pxr_sweep_run_local)(&queue, arena);
        pxr_arena_free(arena);
        return status;
}

int pxr_sweep_attend(struct pxr_run_order *order, int64_t job, struct pxr_diag *diag)
{
        order->job.job = job;
        /* SIGTERM may come several times, as the parent's threads end one by one. With several
         * ranks the parent is mpirun, which has a signal of its own when the sweep ends. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        /* This fails if pxr-sweep has ended already. */
        return pxr_store_check_job(order->store, &order->job, getenv(pxr_claim_variable), diag);
}
