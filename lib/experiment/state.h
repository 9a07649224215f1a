/* SPDX-License-Identifier: MIT */
/*
 * state.h - a run while it runs, and its parts: records, checkpoints, resuming, what remains.
 */
#ifndef PXR_EXPERIMENT_STATE_H
#define PXR_EXPERIMENT_STATE_H

#include "base/hash.h"
#include "experiment/run.h"
#include "record/provenance.h"
#include "sample/generate.h"
#include "train/spike.h"

/* Everything beside the trainer's arrays that a resumed run must find again. */
struct pxr_counters {
        struct pxr_nll epoch_nll; /* of the training images of this epoch so far */
        double best;              /* lowest validation nats per image; INFINITY: none yet */
        int64_t best_step;
        int64_t since_best; /* evaluations since */
        bool pending;       /* what is due at this step is not done yet */
        bool stopped_early;
        struct pxr_usual usual; /* of the steps so far */
        int64_t spikes;         /* loss spikes so far */
        struct pxr_nll log_nll; /* of the training images since the last point of train.log */
        double log_norm;        /* sum of the gradient norms since then */
        int64_t log_steps;      /* ... of so many steps */
};

/* What this process did of a kind of work, and in what time. */
struct pxr_measured {
        double images, seconds;
};

/* Images that are trained on, evaluated and drawn. */
struct pxr_remaining {
        double trained, evaluated, drawn;
};

/* Metrics of one step, which are means since the point before it. */
struct pxr_log_point {
        struct pxr_moment at;
        struct pxr_nll nll;
        double gradient_norm, rate, images_per_second;
        double seconds; /* wall time of the run */
};

enum { PXR_LOG_POINTS = 256 };

/* What log.c keeps. */
struct pxr_log {
        struct pxr_log_point point[PXR_LOG_POINTS]; /* that are not in the database yet */
        int points;
        int64_t images; /* trained on since the last point, by this process */
        double spent;   /* ... in so many seconds */
        double next;    /* when to write again; of pxr_now() */
        bool lost;      /* the database was moved or deleted: the run stops at the next step */
        const char *activity;
        double seconds_left;
        bool draws;        /* the current work: samples, or else an evaluation */
        double work_began; /* of pxr_now() */
        struct pxr_observer observer;
};

struct pxr_state {
        const struct pxr_run_order *order;
        struct pxr_experiment *experiment;
        struct pxr_trainer *trainer;
        struct pxr_counters counters;
        int64_t run;
        double recorded;       /* the wall time up to here is on record; of pxr_now() */
        double began;          /* of this process, by pxr_now() */
        double seconds_before; /* wall time of the run before that */
        double pace;           /* images a second that were trained on lately; NAN: not known yet */
        struct pxr_measured evaluated, drawn;
        struct pxr_remaining due; /* evaluated and drawn at this step, still to do */
        bool concludes;           /* training has ended: only what is due remains */
        struct pxr_log log;
        struct pxr_nll nll[PXR_SPLITS]; /* of the last evaluation of each split */
        int64_t nll_step[PXR_SPLITS];   /* ... at this step; -1: not in float32 */
        struct pxr_evaluation evaluation;
        struct pxr_generation generation;    /* .count is 0 before the first samples */
        struct pxr_generation *drawing;      /* rank 0's share of it, if there are other ranks */
        uint8_t *samples;                    /* [image][row][col][colour]: the last ones */
        char uid[PXR_UID];                   /* of the run */
        const char *start_from, *start_text; /* of train.start_from; for the record, for people */
        char start_hash[PXR_SHA256_HEX];     /* of these initial parameters */
        char result_hash[PXR_SHA256_HEX];    /* of the result's parameters; "": no result yet */
};

static inline struct pxr_moment pxr_step_moment(const struct pxr_state *state, int64_t step)
{
        return (struct pxr_moment) { state->run, step,
                                     pxr_experiment_epoch(state->experiment, step) };
}

static inline struct pxr_moment pxr_state_moment(const struct pxr_state *state)
{
        return pxr_step_moment(state, state->trainer->step);
}

/* The NLL of no images yet. */
struct pxr_nll pxr_no_images(const struct pxr_graph *graph);

/* --- course.c ----------------------------------------------------------------------------------
 */

/* The order of the training images in an epoch, which depends on seed and epoch alone. */
void pxr_epoch_order(const struct pxr_experiment *experiment, int64_t epoch, int64_t *order);

/* --- record.c ----------------------------------------------------------------------------------
 */

/* Record a new run with its provenance, data files, plugins, layers and receptive field, all or
 * nothing. Sets state->run. */
int pxr_record_run(struct pxr_state *state, struct pxr_diag *diag);

/* Record the spec of a run that is extended, and that it is. Returns 0 or -1. */
int pxr_record_extension(struct pxr_state *state, struct pxr_diag *diag);

/* Record the plugins of the run's layers, as they are now. Returns 0 or -1. */
int pxr_record_plugins(struct pxr_state *state, struct pxr_diag *diag);

/* Record an NLL of the parameters at `step` and notify the observer. `final`: the run's result. */
int pxr_record_nll(struct pxr_state *state, int64_t step, enum pxr_split split,
                   const struct pxr_nll *nll, bool final, struct pxr_diag *diag);

/* Record the nats of each image of the last evaluation, to compare runs image by image. */
int pxr_record_images(struct pxr_state *state, int64_t step, const struct pxr_nll *nll,
                      struct pxr_diag *diag);

/* Record where the nats of the last evaluation are. */
int pxr_record_map(struct pxr_state *state, int64_t step, const struct pxr_nll *nll,
                   struct pxr_diag *diag);

/* Draw samples with the parameters at `step` and record them as a grid. Returns 0, 1 when stopped,
 * or -1. */
int pxr_record_samples(struct pxr_state *state, int64_t step, const float *parameters,
                       struct pxr_diag *diag);

/* The samples of a run: all but the parameters, and the small images of a conditional model. */
struct pxr_generation pxr_generation_of(const struct pxr_experiment *experiment, int threads,
                                        const struct pxr_observer *observer);

/* What the kernels of a run use here: "AVX-512", with "AMX-BF16" in mixed precision. NULL: not
 * known. */
const char *pxr_instruction_set(const struct pxr_experiment *e, const struct pxr_run *now);

/* Say, and put on record, which op of a run in mixed precision is computed in float32. */
int pxr_record_unmixed(struct pxr_state *state, struct pxr_diag *diag);

/* What this process is, as columns of table `run` and as a line for an event: "started", or
 * "resumed at step 5", then program, host and threads. */
char *pxr_record_process(const struct pxr_state *state, const char *what, struct pxr_run *now);

/* --- checkpoint.c ------------------------------------------------------------------------------
 */

/* Save the state, put it on record (as the best when it is of the best step so far), and remove
 * checkpoints nobody needs: the last two and the best stay. Files in the run's own folder that are
 * not on record go too. Returns 0 or -1. */
int pxr_checkpoint_save(struct pxr_state *state, struct pxr_diag *diag);

/* The file of the checkpoint at the step that the run is at. */
char *pxr_checkpoint_file(struct pxr_arena *arena, const struct pxr_state *state);

/* Load the newest checkpoint that is intact. Returns 1, 0 when none was ever saved, or -1 after an
 * error, also when none is intact or one cannot be read now. */
int pxr_checkpoint_resume(struct pxr_state *state, struct pxr_diag *diag);

/* Read the parameters, or their average, of the checkpoint at `step`. */
int pxr_checkpoint_parameters(struct pxr_state *state, int64_t step, bool average,
                              float *parameters, struct pxr_diag *diag);

/* --- resume.c ----------------------------------------------------------------------------------
 */

/* Whether the row of the run to resume allows it. Returns 0 or -1. */
int pxr_resumable(const struct pxr_run_order *order, struct pxr_diag *diag);

/* Resume a run: load its state, claim it, and record that. Returns 0, or -1 with the records
 * unchanged. */
int pxr_resume(struct pxr_state *state, struct pxr_diag *diag);

/* --- start.c -----------------------------------------------------------------------------------
 */

/* Initialize the parameters by train.start_from, if the spec has it; of a run that is resumed or
 * repeated, from the checkpoint on record. Returns 0 or -1. */
int pxr_start_parameters(struct pxr_state *state, struct pxr_diag *diag);

/* --- remaining.c -------------------------------------------------------------------------------
 */

/* Steps of an interval; 0: never. */
int64_t pxr_period(const struct pxr_experiment *e, struct pxr_interval every);

/* What is done after `step`, up to the end of the run. */
struct pxr_remaining pxr_images_remaining(const struct pxr_experiment *e, int64_t step);

/* Images of a split that an evaluation along the way takes. */
int64_t pxr_images_along_the_way(const struct pxr_experiment *e, int split);

/* Seconds up to the end of the run, with what is due at this step, at `pace` images of training a
 * second; NAN if that is NAN. The pace of evaluation and of drawing is the one so far; before the
 * first, three times and once that of training. */
double pxr_seconds_remaining(const struct pxr_state *state, double pace);

/* --- log.c -------------------------------------------------------------------------------------
 */

/* Steps from one point of train.log to the next, up to `step`; 0: never. */
int64_t pxr_log_period(const struct pxr_experiment *e, int64_t step);

/* Count a step of training that took so many seconds; at each point, keep its metrics. Returns 0 or
 * -1. */
int pxr_log_step(struct pxr_state *state, int images, double seconds, struct pxr_diag *diag);

/* Record all points and the progress of the run now, and a checkpoint unless that is NULL: all or
 * nothing, since a run resumed from a checkpoint does not pass the points before it again. Returns
 * 0 or -1. */
int pxr_log_write(struct pxr_state *state, const struct pxr_checkpoint_row *checkpoint,
                  struct pxr_diag *diag);

/* Say what the run is doing. Now and then this records points and progress; if the database is busy
 * or cannot be written, it is tried again later. */
void pxr_log_progress(struct pxr_state *state, const char *activity, double seconds_left);

/* An evaluation, or else the drawing of samples, begins. state->log.observer then follows it: the
 * time left becomes that of the whole run. */
void pxr_log_begin_work(struct pxr_state *state, bool draws);

#endif
