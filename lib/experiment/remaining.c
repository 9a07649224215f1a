/* SPDX-License-Identifier: MIT */
/* remaining.c - the images that a run has yet to train on, evaluate and draw, and their time. */
#include "experiment/state.h"

int64_t pxr_period(const struct pxr_experiment *e, struct pxr_interval every)
{
        if (every.unit == PXR_NEVER)
                return 0;
        return every.unit == PXR_EPOCHS ? every.count * e->steps_per_epoch : every.count;
}

/* Images of the training that were done after `step` steps: the last batch of an epoch may be a
 * part of one. */
static int64_t images_trained(const struct pxr_experiment *e, int64_t step)
{
        int64_t within = step % e->steps_per_epoch * e->settings.train.batch;

        return step / e->steps_per_epoch * e->set->count[PXR_TRAIN] + within;
}

/* Multiples of the period in step + 1 ... last. */
static int64_t count_due(const struct pxr_experiment *e, struct pxr_interval every, int64_t step,
                         int64_t last)
{
        int64_t period = pxr_period(e, every);

        return period > 0 && last > step ? last / period - step / period : 0;
}

int64_t pxr_images_along_the_way(const struct pxr_experiment *e, int split)
{
        int64_t limit = e->settings.evaluate.limit, count = e->set->count[split];

        return limit > 0 && limit < count ? limit : count;
}

struct pxr_remaining pxr_images_remaining(const struct pxr_experiment *e, int64_t step)
{
        const struct pxr_evaluate_settings *evaluate = &e->settings.evaluate;
        const struct pxr_sample_settings *sample = &e->settings.sample;
        /* The last step is always evaluated. */
        int64_t evaluations =
                count_due(e, evaluate->every, step, e->all_steps - 1) + (step < e->all_steps);
        int64_t grids = count_due(e, sample->every, step, e->all_steps - 1) + 1;
        struct pxr_remaining left = { .drawn = (double)(grids * sample->count) };

        if (step < e->all_steps)
                left.trained = (double)(images_trained(e, e->all_steps) - images_trained(e, step));
        for (int split = 0; split < PXR_SPLITS; split++) {
                int64_t images = pxr_images_along_the_way(e, split), all = e->set->count[split];
                bool listed = evaluate->splits >> split & 1;

                if (listed)
                        left.evaluated += (double)(evaluations * images);
                /* An evaluation of the whole split after the last step is the result. */
                if ((listed || evaluate->at_end >> split & 1) && !(listed && images == all))
                        left.evaluated += (double)all;
        }
        return left;
}

static double seconds(double images, const struct pxr_measured *measured, double guess)
{
        if (images <= 0)
                return 0;
        return images * (measured->images > 0 ? measured->seconds / measured->images : guess);
}

double pxr_seconds_remaining(const struct pxr_state *state, double pace)
{
        struct pxr_remaining left = { 0 };

        if (!state->concludes)
                left = pxr_images_remaining(state->experiment, state->trainer->step);
        return seconds(left.trained, &(struct pxr_measured) { 0 }, 1 / pace) +
               seconds(left.evaluated + state->due.evaluated, &state->evaluated, 1 / (3 * pace)) +
               seconds(left.drawn + state->due.drawn, &state->drawn, 1 / pace);
}
