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
};

/* What this process did of a kind of work, and in what time. */
struct pxr_measured {
        double images, seconds;
};

struct pxr_state {
        const struct pxr_run_order *order;
        struct pxr_experiment *experiment;
        struct pxr_trainer *trainer;
        struct pxr_counters counters;
        int64_t run;
        double recorded; /* the wall time up to here is on record; of pxr_now() */
        struct pxr_measured evaluated, drawn;
        struct pxr_nll nll[PXR_SPLITS]; /* of the last evaluation of each split */
        int64_t nll_step[PXR_SPLITS];   /* ... at this step; -1: not in float32 */
        struct pxr_evaluation evaluation;
        struct pxr_generation generation; /* .count is 0 before the first samples */
        uint8_t *samples;                 /* [image][row][col][colour]: the last ones */
        char uid[PXR_UID];                /* of the run */
        char result_hash[PXR_SHA256_HEX]; /* of the result's parameters; "": no result yet */
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

/* --- record.c ----------------------------------------------------------------------------------
 */

/* Record a new run with its provenance, data files, plugins, layers and receptive field, all or
 * nothing. Sets state->run. */
int pxr_record_run(struct pxr_state *state, struct pxr_diag *diag);

/* Record the plugins of the run's layers, as they are now. Returns 0 or -1. */
int pxr_record_plugins(struct pxr_state *state, struct pxr_diag *diag);

/* Record an NLL of the parameters at `step` and notify the observer. `final`: the run's result. */
int pxr_record_nll(struct pxr_state *state, int64_t step, enum pxr_split split,
                   const struct pxr_nll *nll, bool final, struct pxr_diag *diag);

/* Record where the nats of the last evaluation are. */
int pxr_record_map(struct pxr_state *state, int64_t step, const struct pxr_nll *nll,
                   struct pxr_diag *diag);

/* Draw samples with the parameters at `step` and record them as a grid. Returns 0, 1 when stopped,
 * or -1. */
int pxr_record_samples(struct pxr_state *state, int64_t step, const float *parameters,
                       struct pxr_diag *diag);

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

/* --- remaining.c -------------------------------------------------------------------------------
 */

/* Steps of an interval; 0: never. */
int64_t pxr_period(const struct pxr_experiment *e, struct pxr_interval every);

/* Images that are trained on, evaluated and drawn after `step`, up to the end of the run. */
struct pxr_remaining {
        double trained, evaluated, drawn;
};

struct pxr_remaining pxr_images_remaining(const struct pxr_experiment *e, int64_t step);

/* Seconds up to the end of the run, at `pace` images of training a second; NAN if that is NAN. The
 * pace of evaluation and of drawing is the one so far; before the first, three times and once that
 * of training. */
double pxr_seconds_remaining(const struct pxr_state *state, double pace);

#endif
