/* SPDX-License-Identifier: MIT */
/*
 * log.c - what a run at work records between evaluations: metrics by step, and how far it is.
 *
 * Which steps are recorded depends on the spec alone. When they are written depends on the clock:
 * points wait in memory and go to the database together, with the progress of the run, so that
 * training does not wait for the disk.
 */
#include <math.h>

#include "base/clock.h"
#include "experiment/state.h"

enum { POINTS = 200, MOST_STEPS = 500 }; /* of train.log: auto */

enum {
        PAUSE = 2,  /* seconds between writes, at least */
        SHARE = 200 /* writing takes at most this part of the time, 1 / SHARE */
};

int64_t pxr_log_period(const struct pxr_experiment *e, int64_t step)
{
        int64_t period = pxr_stage_end(e, step - 1) / POINTS;

        if (e->settings.train.log.unit != PXR_AUTO)
                return pxr_period(e, e->settings.train.log);
        return period < 1 ? 1 : period > MOST_STEPS ? MOST_STEPS : period;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static int write_point(const struct pxr_state *state, const struct pxr_log_point *p,
                       struct pxr_diag *diag)
{
        struct pxr_store *store = state->order->store;
        const char *split = pxr_split_names[PXR_TRAIN];
        const struct pxr_nll_row row = {
                .split = split,
                .name = "step_nll",
                .sum_nats = p->nll.sum,
                .sum_squares = p->nll.sum_squares,
                .images = p->nll.images,
                .dimensions = p->nll.dimensions,
                .standard_error = pxr_standard_error(&p->nll),
        };

        return pxr_store_add_nll(store, p->at, &row, diag) ||
                               pxr_store_add_metric(store, p->at, split, "step_gradient_norm",
                                                    p->gradient_norm, diag) ||
                               pxr_store_add_metric(store, p->at, split, "step_rate", p->rate,
                                                    diag) ||
                               pxr_store_add_metric(store, p->at, split, "step_images_per_second",
                                                    p->images_per_second, diag) ||
                               pxr_store_add_metric(store, p->at, split, "step_seconds", p->seconds,
                                                    diag)
                       ? -1
                       : 0;
}

/* Within a transaction that began at `began`, which ends here. The points stay if it fails. */
static int write(struct pxr_state *state, const struct pxr_checkpoint_row *checkpoint, double began,
                 struct pxr_diag *diag)
{
        struct pxr_log *log = &state->log;
        const struct pxr_usual *usual = &state->counters.usual;
        const struct pxr_run_progress progress = {
                .step = state->trainer->step,
                .steps = state->experiment->all_steps,
                .activity = log->activity,
                .train_nats = usual->steps > 0 ? usual->nats : NAN,
                .seconds_left = log->seconds_left,
                .seconds = began - state->recorded,
        };
        int status = pxr_store_add_progress(state->order->store, state->run, &progress, diag);

        for (int i = 0; i < log->points && !status; i++)
                status = write_point(state, &log->point[i], diag);
        if (checkpoint && !status)
                status =
                        pxr_store_add_checkpoint(state->order->store, state->run, checkpoint, diag);
        status = pxr_store_conclude(state->order->store, status, diag);
        if (!status) {
                log->points = 0;
                state->recorded = began;
        }
        return status;
}

static void plan_next(struct pxr_log *log, double began)
{
        double now = pxr_now();

        log->next = now + fmax(PAUSE, SHARE * (now - began));
}

int pxr_log_write(struct pxr_state *state, const struct pxr_checkpoint_row *checkpoint,
                  struct pxr_diag *diag)
{
        double began = pxr_now();
        int status;

        if (pxr_store_begin(state->order->store, diag))
                return -1;
        status = write(state, checkpoint, began, diag);
        plan_next(&state->log, began);
        return status;
}

void pxr_log_progress(struct pxr_state *state, const char *activity, double seconds_left)
{
        double began = pxr_now();

        state->log.activity = activity;
        state->log.seconds_left = seconds_left;
        if (began < state->log.next)
                return;
        if (!pxr_store_try_begin(state->order->store) && write(state, NULL, began, NULL))
                state->log.lost = !pxr_store_in_place(state->order->store);
        plan_next(&state->log, began);
}

/* --- steps -------------------------------------------------------------------------------------
 */

static void add_point(struct pxr_state *state)
{
        struct pxr_counters *c = &state->counters;
        struct pxr_log *log = &state->log;

        log->point[log->points++] = (struct pxr_log_point) {
                .at = pxr_state_moment(state),
                .nll = c->log_nll,
                .gradient_norm = c->log_norm / (double)c->log_steps,
                .rate = state->trainer->rate,
                .images_per_second = (double)log->images / log->spent,
                .seconds = state->seconds_before + pxr_now() - state->began,
        };
        c->log_nll = pxr_no_images(state->experiment->model->graph);
        c->log_norm = 0;
        c->log_steps = 0;
        log->images = 0;
        log->spent = 0;
}

int pxr_log_step(struct pxr_state *state, int images, double seconds, struct pxr_diag *diag)
{
        struct pxr_counters *c = &state->counters;
        struct pxr_log *log = &state->log;
        int64_t step = state->trainer->step, period = pxr_log_period(state->experiment, step);

        if (period == 0)
                return log->lost ? pxr_log_write(state, NULL, diag) : 0;
        for (int i = 0; i < images; i++)
                pxr_nll_add(&c->log_nll, state->trainer->nll[i]);
        c->log_norm += state->trainer->gradient_norm;
        c->log_steps++;
        log->images += images;
        log->spent += seconds;
        if (step % period == 0 || pxr_is_stage_end(state->experiment, step))
                add_point(state);
        return log->points == PXR_LOG_POINTS || log->lost ? pxr_log_write(state, NULL, diag) : 0;
}

/* --- progress of evaluations and samples -------------------------------------------------------
 */

/* Seconds to the end of the run, with `p` done of the current evaluation or samples. */
static double seconds_left(const struct pxr_state *state, const struct pxr_progress *p)
{
        struct pxr_state now = *state;
        struct pxr_measured *measured = now.log.draws ? &now.drawn : &now.evaluated;
        double images = (double)p->done;

        /* Drawing counts pixels. */
        if (now.log.draws && p->all > 0)
                images *= (double)now.experiment->settings.sample.count / (double)p->all;
        *(now.log.draws ? &now.due.drawn : &now.due.evaluated) -= images;
        if (measured->images == 0 && images > 0)
                *measured = (struct pxr_measured) { images, pxr_now() - now.log.work_began };
        return pxr_seconds_remaining(&now, now.pace);
}

static bool follow(void *context, const struct pxr_progress *progress)
{
        struct pxr_state *state = context;
        struct pxr_progress whole = *progress;

        whole.seconds_left = seconds_left(state, progress);
        pxr_log_progress(state, progress->what, whole.seconds_left);
        return pxr_observe(&state->order->observer.base, &whole);
}

void pxr_log_begin_work(struct pxr_state *state, bool draws)
{
        state->log.observer = (struct pxr_observer) { .context = state, .progress = follow };
        state->log.work_began = pxr_now();
        state->log.draws = draws;
}
