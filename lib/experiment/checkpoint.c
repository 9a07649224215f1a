/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.c - a run's state in its checkpoints: arrays of the trainer, counters as metadata.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment/state.h"
#include "record/checkpoint.h"
#include "record/folder.h"

enum { GROUPS = 4 };

static const char average_prefix[] = "average.";

static int groups_of(const struct pxr_trainer *trainer, struct pxr_checkpoint_values group[GROUPS])
{
        const struct pxr_optimizer *rule = trainer->settings->optimizer.variant->what;
        int count = 0;

        group[count++] = (struct pxr_checkpoint_values) { "", trainer->parameters };
        if (trainer->average)
                group[count++] =
                        (struct pxr_checkpoint_values) { average_prefix, trainer->average };
        for (int i = 0; i < rule->moments; i++)
                group[count++] = (struct pxr_checkpoint_values) { rule->moment_names[i],
                                                                  trainer->moment[i] };
        return count;
}

char *pxr_checkpoint_file(struct pxr_arena *arena, const struct pxr_state *state)
{
        return pxr_checkpoint_path(arena, state->order->store, state->run, state->uid,
                                   state->trainer->step);
}

/* --- contents ----------------------------------------------------------------------------------
 */

static const char layout[] = "float32 in C order; weights of convolutions are rows, columns, in, "
                             "out; masked taps are no "
                             "part of the model whatever their weights";

/* What the arrays are, for others to read, and the counters as texts. %a keeps every bit of a
 * double. */
static int fill_texts(struct pxr_arena *arena, const struct pxr_state *state,
                      struct pxr_safetensors *file, struct pxr_diag *diag)
{
        const struct pxr_counters *c = &state->counters;
        const char *spec = pxr_yaml_emit(arena, state->experiment->root, diag);
        const struct pxr_text texts[] = {
                { "spec", spec },
                { "data_identity", state->experiment->set->identity },
                { "evaluated", state->trainer->average ? average_prefix : "" },
                { "layout", layout },
                { "step", pxr_strf(arena, "%" PRId64, state->trainer->step) },
                { "epoch_sum", pxr_strf(arena, "%a", c->epoch_nll.sum) },
                { "epoch_sum_squares", pxr_strf(arena, "%a", c->epoch_nll.sum_squares) },
                { "epoch_images", pxr_strf(arena, "%" PRId64, c->epoch_nll.images) },
                { "best", pxr_strf(arena, "%a", c->best) },
                { "best_step", pxr_strf(arena, "%" PRId64, c->best_step) },
                { "since_best", pxr_strf(arena, "%" PRId64, c->since_best) },
                { "gradient_norm", pxr_strf(arena, "%a", state->trainer->gradient_norm) },
                { "rate", pxr_strf(arena, "%a", state->trainer->rate) },
                { "usual_steps", pxr_strf(arena, "%" PRId64, c->usual.steps) },
                { "usual_nats", pxr_strf(arena, "%a", c->usual.nats) },
                { "usual_norm", pxr_strf(arena, "%a", c->usual.norm) },
                { "spikes", pxr_strf(arena, "%" PRId64, c->spikes) },
                { "log_sum", pxr_strf(arena, "%a", c->log_nll.sum) },
                { "log_sum_squares", pxr_strf(arena, "%a", c->log_nll.sum_squares) },
                { "log_images", pxr_strf(arena, "%" PRId64, c->log_nll.images) },
                { "log_norm", pxr_strf(arena, "%a", c->log_norm) },
                { "log_steps", pxr_strf(arena, "%" PRId64, c->log_steps) },
                { "pending", c->pending ? "1" : "0" },
                { "stopped_early", c->stopped_early ? "1" : "0" },
                { "format", "pxr checkpoint 1" },
        };

        file->texts = PXR_COUNT(texts);
        file->text = pxr_alloc(arena, sizeof(texts));
        if (!spec || !file->text)
                return -1;
        memcpy(file->text, texts, sizeof(texts));
        return 0;
}

/* --- saving ------------------------------------------------------------------------------------
 */

int pxr_checkpoint_save(struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_safetensors file = { 0 };
        struct pxr_moment now = pxr_state_moment(state);
        struct pxr_checkpoint_values group[GROUPS];
        int groups = groups_of(state->trainer, group);
        const struct pxr_counters *c = &state->counters;
        struct pxr_checkpoint_row row = { .step = now.step,
                                          .epoch = now.epoch,
                                          .best = isfinite(c->best) && c->best_step == now.step };
        struct pxr_store *store = state->order->store;
        int status = -1;

        /* The file comes first: it stays even if the database was moved or deleted. */
        if (arena && !pxr_checkpoint_fill(arena, state->trainer->graph, group, groups, &file) &&
            !fill_texts(arena, state, &file, diag) &&
            !pxr_checkpoint_write(arena, store, state->run, state->uid, &file, &row, diag) &&
            !pxr_log_write(state, &row, diag))
                status = pxr_checkpoint_recorded(arena, store, state->run, state->uid, diag);
        pxr_arena_free(arena);
        return status;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static double number(const struct pxr_safetensors *file, const char *key, double otherwise)
{
        const char *text = pxr_safetensors_text(file, key);

        char *end;
        double value;

        if (!text)
                return otherwise;
        value = strtod(text, &end);
        return end == text || *end ? NAN : value;
}

/* All or, after an error, none. A file from elsewhere may say anything. */
static int take_counters(struct pxr_state *state, const struct pxr_safetensors *file,
                         const struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        struct pxr_counters c = state->counters; /* what a file does not hold stays as it is */

        c.best = number(file, "best", INFINITY);
        if (row->step > state->trainer->all_steps)
                return pxr_user_error(diag,
                                      "%s: it is of step %" PRId64 ", and the training ends at "
                                      "step %" PRId64,
                                      file->path, row->step, state->trainer->all_steps);
        if (pxr_checkpoint_number(file, "epoch_images", INT64_MAX, &c.epoch_nll.images, diag) ||
            pxr_checkpoint_number(file, "best_step", row->step, &c.best_step, diag) ||
            pxr_checkpoint_number(file, "since_best", row->step, &c.since_best, diag) ||
            pxr_checkpoint_number(file, "usual_steps", INT64_MAX, &c.usual.steps, diag) ||
            pxr_checkpoint_number(file, "spikes", INT64_MAX, &c.spikes, diag) ||
            pxr_checkpoint_number(file, "log_images", INT64_MAX, &c.log_nll.images, diag) ||
            pxr_checkpoint_number(file, "log_steps", row->step, &c.log_steps, diag))
                return -1;
        if (isnan(c.best))
                return pxr_user_error(diag, "%s: 'best' in its metadata is not a number",
                                      file->path);
        c.epoch_nll.sum = number(file, "epoch_sum", 0);
        c.epoch_nll.sum_squares = number(file, "epoch_sum_squares", 0);
        c.log_nll.sum = number(file, "log_sum", 0);
        c.log_nll.sum_squares = number(file, "log_sum_squares", 0);
        c.log_norm = number(file, "log_norm", 0);
        c.usual.nats = number(file, "usual_nats", 0);
        c.usual.norm = number(file, "usual_norm", 0);
        c.pending = number(file, "pending", 0) != 0;
        c.stopped_early = number(file, "stopped_early", 0) != 0;
        state->counters = c;
        state->trainer->step = row->step;
        state->trainer->gradient_norm = number(file, "gradient_norm", 0);
        state->trainer->rate = number(file, "rate", 0);
        return 0;
}

/* Whether the error `own` shows that a checkpoint is not what was saved. One that could not be read
 * now may be sound, and is no reason to go back to an older one. */
static bool is_damage(struct pxr_arena *arena, const struct pxr_state *state,
                      const struct pxr_checkpoint_row *row, const struct pxr_diag *own)
{
        const char *path =
                pxr_beside_database(arena, pxr_store_path(state->order->store), row->path);

        if (pxr_diag_status(own) != PXR_FAULT_USER)
                return false;
        return access(path, R_OK) == 0 || errno == ENOENT || errno == ENOTDIR;
}

static int not_read(const struct pxr_state *state, const struct pxr_checkpoint_row *row,
                    const struct pxr_diag *own, struct pxr_diag *diag)
{
        const char *error = pxr_diag_first_error(own);

        if (pxr_diag_status(own) == PXR_FAULT_USER)
                pxr_user_error(diag, "%s", error);
        else
                pxr_system_error(diag, "%s", error);
        pxr_note(diag,
                 "run %" PRId64 " was not resumed, and nothing was changed: its checkpoint of step "
                 "%" PRId64 " may be sound; resume again when it can be read",
                 state->run, row->step);
        return -1;
}

/* Read the state of one checkpoint. Returns 1, 0 when it is damaged (*why says how), or -1. */
static int try(struct pxr_arena *arena, struct pxr_state *state,
               const struct pxr_checkpoint_row *row, char **why, struct pxr_diag *diag)
{
        struct pxr_diag *own = pxr_diag_new();
        struct pxr_safetensors *file =
                own ? pxr_checkpoint_open(arena, pxr_store_path(state->order->store), row, own)
                    : NULL;
        struct pxr_checkpoint_values group[GROUPS];
        int groups = groups_of(state->trainer, group), status = -1;

        if (!own)
                return pxr_out_of_memory(diag);
        if (file && !pxr_checkpoint_copy(arena, state->trainer->graph, file, group, groups, own) &&
            !take_counters(state, file, row, own)) {
                status = 1;
        } else if (!is_damage(arena, state, row, own)) {
                not_read(state, row, own, diag);
        } else {
                *why = pxr_strf(arena, "the checkpoint of step %" PRId64 " is skipped: %s",
                                row->step, pxr_diag_first_error(own));
                status = pxr_arena_failed(arena) ? -1 : 0;
        }
        pxr_diag_free(own);
        return status;
}

/* Starting again would discard the records so far: the user decides. */
static int none_usable(const struct pxr_state *state, char *const *why, int count,
                       struct pxr_diag *diag)
{
        pxr_user_error(diag,
                       "run %" PRId64 " cannot be resumed: none of its checkpoints is usable; "
                       "nothing was changed",
                       state->run);
        for (int i = 0; i < count; i++)
                pxr_note(diag, "%s", why[i]);
        pxr_note(diag, "put the files back, or start from the beginning with a new run");
        return -1;
}

static int resume(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_checkpoint_row *list, *row;
        int count = 0, damaged = 0, status = 0;
        char **why;

        if (pxr_store_checkpoints(state->order->store, arena, state->run, &list, diag))
                return -1;
        for (row = list; row; row = row->next)
                count++;
        why = pxr_alloc_array(arena, (size_t)count + 1, sizeof(*why));
        if (!why)
                return -1;
        for (row = list; row && !status; row = row->next) {
                status = try(arena, state, row, &why[damaged], diag);
                damaged += !status;
        }
        if (status < 0)
                return -1;
        if (!status)
                return count ? none_usable(state, why, count, diag) : 0;
        for (int i = 0; i < damaged; i++) {
                pxr_observe_note(&state->order->observer.base, why[i]);
                pxr_warn(diag, "%s", why[i]);
        }
        return 1;
}

int pxr_checkpoint_resume(struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = arena ? resume(arena, state, diag) : -1;

        pxr_arena_free(arena);
        return status;
}

int pxr_checkpoint_parameters(struct pxr_state *state, int64_t step, bool average,
                              float *parameters, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_checkpoint_row *row = NULL;
        int status = -1;

        if (arena && !pxr_store_checkpoints(state->order->store, arena, state->run, &row, diag)) {
                while (row && row->step != step)
                        row = row->next;
                if (!row)
                        pxr_system_error(diag, "the checkpoint of step %" PRId64 " is gone", step);
                else
                        status = pxr_checkpoint_read(arena, pxr_store_path(state->order->store),
                                                     row, state->trainer->graph, average,
                                                     parameters, diag);
        }
        pxr_arena_free(arena);
        return status;
}
