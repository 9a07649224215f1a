/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.c - a run's state as safetensors files beside the database.
 *
 * Parameters stand under their own names, "average.<name>" and "<moment>.<name>" beside them, the
 * counters in the metadata.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "experiment/record.h"
#include "experiment/recorded.h"
#include "experiment/state.h"
#include "record/folder.h"
#include "record/safetensors.h"

enum { GROUPS = 4 };

/* The arrays of a trainer, each with the prefix of its names in a file. */
struct group {
        const char *prefix;
        float *values;
};

static int groups_of(const struct pxr_trainer *trainer, struct group group[GROUPS])
{
        const struct pxr_optimizer *rule = trainer->settings->optimizer.variant->what;
        int count = 0;

        group[count++] = (struct group) { "", trainer->parameters };
        if (trainer->average)
                group[count++] = (struct group) { "average.", trainer->average };
        for (int i = 0; i < rule->moments; i++)
                group[count++] = (struct group) { rule->moment_names[i], trainer->moment[i] };
        return count;
}

static char *array_name(struct pxr_arena *arena, const struct group *group, const char *name)
{
        size_t length = strlen(group->prefix);
        const char *dot = length && group->prefix[length - 1] != '.' ? "." : "";

        return pxr_strf(arena, "%s%s%s", group->prefix, dot, name);
}

/* The run's own folder, relative to the database's. */
static char *relative_folder(struct pxr_arena *arena, const struct pxr_state *state)
{
        return pxr_run_folder(arena, pxr_store_path(state->order->store), state->run, state->uid);
}

/* A path relative to the database's folder, as one to open. NULL for NULL. */
static char *beside(struct pxr_arena *arena, const struct pxr_state *state, const char *relative)
{
        return relative ? pxr_beside_database(arena, pxr_store_path(state->order->store), relative)
                        : NULL;
}

static char *relative_file(struct pxr_arena *arena, const char *folder, int64_t step)
{
        return pxr_strf(arena, "%s/step-%08" PRId64 ".safetensors", folder, step);
}

char *pxr_checkpoint_file(struct pxr_arena *arena, const struct pxr_state *state)
{
        char *folder = relative_folder(arena, state);

        return beside(arena, state,
                      folder ? relative_file(arena, folder, state->trainer->step) : NULL);
}

/* --- contents ----------------------------------------------------------------------------------
 */

static int fill_arrays(struct pxr_arena *arena, const struct pxr_trainer *trainer,
                       struct pxr_safetensors *file)
{
        struct group group[GROUPS];
        int groups = groups_of(trainer, group);

        file->array = pxr_alloc_array(arena, (size_t)groups * trainer->graph->parameters + 1,
                                      sizeof(*file->array));
        if (!file->array)
                return -1;
        for (int i = 0; i < groups; i++)
                for (const struct pxr_parameter *p = trainer->graph->parameter; p; p = p->next) {
                        struct pxr_array *array = &file->array[file->arrays++];

                        array->name = array_name(arena, &group[i], p->name);
                        array->dtype = PXR_DTYPE_F32;
                        array->rank = p->rank;
                        array->data = group[i].values + p->offset;
                        for (int k = 0; k < p->rank; k++)
                                array->shape[k] = p->shape[k];
                        if (!array->name)
                                return -1;
                }
        return 0;
}

/* The counters as texts. %a keeps every bit of a double. */
static int fill_texts(struct pxr_arena *arena, const struct pxr_state *state,
                      struct pxr_safetensors *file)
{
        const struct pxr_counters *c = &state->counters;
        const struct pxr_text texts[] = {
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
                { "pending", c->pending ? "1" : "0" },
                { "stopped_early", c->stopped_early ? "1" : "0" },
                { "format", "pxr checkpoint 1" },
        };

        file->texts = PXR_COUNT(texts);
        file->text = pxr_alloc(arena, sizeof(texts));
        if (!file->text)
                return -1;
        memcpy(file->text, texts, sizeof(texts));
        for (int i = 0; i < file->texts; i++)
                if (!file->text[i].value)
                        return -1;
        return 0;
}

/* --- saving ------------------------------------------------------------------------------------
 */

/* Keep the last two checkpoints and the best one. A file goes after its row, so that no row is ever
 * without its file. Files in another folder than the run's own stay: the database was renamed, or
 * it is a copy, and the original needs them. */
static int prune(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_checkpoint_row *list, *row;
        char *folder = relative_folder(arena, state);
        int kept = 0;

        if (!folder)
                return pxr_out_of_memory(diag);
        if (pxr_store_checkpoints(state->order->store, arena, state->run, &list, diag))
                return -1;
        for (row = list; row; row = row->next) {
                char *path;

                if (row->best || kept++ < 2)
                        continue;
                path = beside(arena, state, row->path);
                if (pxr_store_remove_checkpoint(state->order->store, state->run, row->step, diag))
                        return -1;
                if (path && pxr_is_own_checkpoint(row->path, folder))
                        unlink(path);
        }
        return 0;
}

static bool is_named(const struct pxr_checkpoint_row *list, const char *relative)
{
        while (list && strcmp(list->path, relative) != 0)
                list = list->next;
        return list != NULL;
}

/* Remove what a killed process left in the run's own folder, and checkpoints that a resumed run
 * went back behind: files that are not on record. Not before a later checkpoint is. */
static int sweep(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        char *folder = relative_folder(arena, state);
        char *path = beside(arena, state, folder);
        struct pxr_checkpoint_row *list;
        struct dirent *entry;
        DIR *stream;

        if (!path)
                return pxr_out_of_memory(diag);
        if (pxr_store_checkpoints(state->order->store, arena, state->run, &list, diag))
                return -1;
        stream = pxr_is_real_run_folder(path) ? opendir(path) : NULL;
        while (stream && (entry = readdir(stream))) {
                char *relative = pxr_strf(arena, "%s/%s", folder, entry->d_name);
                char *full = beside(arena, state, relative);

                if (full && strncmp(entry->d_name, "step-", 5) == 0 && !is_named(list, relative))
                        unlink(full);
        }
        if (stream)
                closedir(stream);
        return 0;
}

/* A process that has taken up the run sweeps away files that are not on record, this one among
 * them: then it is that which is reported. */
static int write_and_hash(const char *path, struct pxr_safetensors *file, char hex[PXR_SHA256_HEX],
                          struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_diag *own = pxr_diag_new();
        int status = own ? 0 : pxr_out_of_memory(diag);

        if (own && (pxr_safetensors_write(path, file, own) || pxr_sha256_file(path, hex, own))) {
                status = -1;
                if (!pxr_store_check_claim(state->order->store, state->run, diag))
                        pxr_system_error(diag, "%s", pxr_diag_first_error(own));
        }
        pxr_diag_free(own);
        return status;
}

/* With the time it took to get there. */
static int record(struct pxr_state *state, const struct pxr_checkpoint_row *row,
                  struct pxr_diag *diag)
{
        struct pxr_store *store = state->order->store;
        double now = pxr_now();

        if (pxr_store_begin(store, diag))
                return -1;
        if (pxr_store_add_checkpoint(store, state->run, row, diag) ||
            pxr_store_add_seconds(store, state->run, now - state->recorded, diag)) {
                pxr_store_rollback(store);
                return -1;
        }
        if (pxr_store_commit(store, diag))
                return -1;
        state->recorded = now;
        pxr_store_flush(store);
        return 0;
}

static int save(struct pxr_arena *arena, struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_safetensors file = { 0 };
        struct pxr_moment now = pxr_state_moment(state);
        char *folder = relative_folder(arena, state), *path, hex[PXR_SHA256_HEX];
        char *relative = folder ? relative_file(arena, folder, now.step) : NULL;
        const struct pxr_counters *c = &state->counters;
        struct pxr_checkpoint_row row = { .step = now.step,
                                          .epoch = now.epoch,
                                          .best = isfinite(c->best) && c->best_step == now.step };
        struct stat status;

        if (!folder || fill_arrays(arena, state->trainer, &file) || fill_texts(arena, state, &file))
                return pxr_out_of_memory(diag);
        folder = beside(arena, state, folder);
        path = beside(arena, state, relative);
        if (!folder || !path)
                return pxr_out_of_memory(diag);
        if (pxr_store_check_claim(state->order->store, state->run, diag) ||
            pxr_make_run_folder(folder, diag))
                return -1;
        if (write_and_hash(path, &file, hex, state, diag))
                return -1;
        row.path = relative;
        row.sha256 = hex;
        row.size = stat(path, &status) == 0 ? status.st_size : 0;
        return record(state, &row, diag) || prune(arena, state, diag) || sweep(arena, state, diag)
                       ? -1
                       : 0;
}

int pxr_checkpoint_save(struct pxr_state *state, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = arena ? save(arena, state, diag) : pxr_out_of_memory(diag);

        pxr_arena_free(arena);
        return status;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The array of a parameter in a file, NULL after an error. */
static const struct pxr_array *find_array(struct pxr_arena *arena,
                                          const struct pxr_safetensors *file,
                                          const struct group *group, const struct pxr_parameter *p,
                                          struct pxr_diag *diag)
{
        char *name = array_name(arena, group, p->name);
        const struct pxr_array *array = name ? pxr_safetensors_array(file, name) : NULL;

        if (array && array->dtype == PXR_DTYPE_F32 && pxr_array_size(array) == (int64_t)p->size)
                return array;
        if (name)
                pxr_user_error(diag, "%s: '%s' is missing or of another shape", file->path, name);
        else
                pxr_out_of_memory(diag);
        return NULL;
}

/* Copy the arrays of groups out of a file: all, or after an error none. */
static int take_groups(struct pxr_arena *arena, const struct pxr_graph *graph,
                       const struct pxr_safetensors *file, const struct group *group, int groups,
                       struct pxr_diag *diag)
{
        for (int copy = 0; copy < 2; copy++)
                for (int i = 0; i < groups; i++)
                        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                                const struct pxr_array *array =
                                        find_array(arena, file, &group[i], p, diag);

                                if (!array)
                                        return -1;
                                if (copy)
                                        memcpy(group[i].values + p->offset, array->data,
                                               p->size * sizeof(float));
                        }
        return 0;
}

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

/* A whole number from 0 to `most` into *value, 0 where it is missing. Returns 0 or -1. */
static int whole_number(const struct pxr_safetensors *file, const char *key, int64_t most,
                        int64_t *value, struct pxr_diag *diag)
{
        const char *text = pxr_safetensors_text(file, key);
        char *end;

        *value = 0;
        if (!text)
                return 0;
        errno = 0;
        *value = strtoll(text, &end, 10);
        if (end != text && !*end && !errno && *value >= 0 && *value <= most)
                return 0;
        return pxr_user_error(diag,
                              "%s: '%s' is '%.40s' in its metadata: expected a whole number from 0 "
                              "to %" PRId64,
                              file->path, key, text, most);
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
        if (whole_number(file, "epoch_images", INT64_MAX, &c.epoch_nll.images, diag) ||
            whole_number(file, "best_step", row->step, &c.best_step, diag) ||
            whole_number(file, "since_best", row->step, &c.since_best, diag) ||
            whole_number(file, "usual_steps", INT64_MAX, &c.usual.steps, diag) ||
            whole_number(file, "spikes", INT64_MAX, &c.spikes, diag))
                return -1;
        if (isnan(c.best))
                return pxr_user_error(diag, "%s: 'best' is no number in its metadata", file->path);
        c.epoch_nll.sum = number(file, "epoch_sum", 0);
        c.epoch_nll.sum_squares = number(file, "epoch_sum_squares", 0);
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

/* A file is of the step that its row tells, or it was put there for another. */
static int check_step(const struct pxr_safetensors *file, const struct pxr_checkpoint_row *row,
                      struct pxr_diag *diag)
{
        int64_t step;

        if (whole_number(file, "step", INT64_MAX, &step, diag))
                return -1;
        if (step == row->step && pxr_safetensors_text(file, "step"))
                return 0;
        return pxr_user_error(diag,
                              "%s: it is of step %" PRId64 " by its metadata, and of step %" PRId64
                              " on record",
                              file->path, step, row->step);
}

/* A checkpoint's file if it is the one that was recorded; NULL after an error. */
static struct pxr_safetensors *open_recorded(struct pxr_arena *arena, const char *database,
                                             const struct pxr_checkpoint_row *row,
                                             struct pxr_diag *diag)
{
        char *path = pxr_beside_database(arena, database, row->path), hex[PXR_SHA256_HEX];
        struct pxr_safetensors *file;

        if (!path) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (pxr_sha256_file(path, hex, diag))
                return NULL;
        if (strcmp(hex, row->sha256) != 0) {
                pxr_user_error(diag,
                               "%s: it is not what was saved: its SHA-256 differs from the "
                               "one on record",
                               path);
                return NULL;
        }
        file = pxr_safetensors_read(arena, path, diag);
        return file && !check_step(file, row, diag) ? file : NULL;
}

/* Whether the error `own` shows that a checkpoint is not what was saved. One that could not be read
 * now may be sound, and is no reason to go back to an older one. */
static bool is_damage(struct pxr_arena *arena, const struct pxr_state *state,
                      const struct pxr_checkpoint_row *row, const struct pxr_diag *own)
{
        const char *path = beside(arena, state, row->path);

        if (!path || pxr_diag_status(own) != PXR_FAULT_USER)
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

/* Take up one checkpoint. Returns 1, 0 when it is damaged, as *why tells, or -1 after an error. */
static int try(struct pxr_arena *arena, struct pxr_state *state,
               const struct pxr_checkpoint_row *row, char **why, struct pxr_diag *diag)
{
        struct pxr_diag *own = pxr_diag_new();
        struct pxr_safetensors *file =
                own ? open_recorded(arena, pxr_store_path(state->order->store), row, own) : NULL;
        struct group group[GROUPS];
        int groups = groups_of(state->trainer, group), status = -1;

        if (!own)
                return pxr_out_of_memory(diag);
        if (file && !take_groups(arena, state->trainer->graph, file, group, groups, own) &&
            !take_counters(state, file, row, own)) {
                status = 1;
        } else if (!is_damage(arena, state, row, own)) {
                not_read(state, row, own, diag);
        } else {
                *why = pxr_strf(arena, "the checkpoint of step %" PRId64 " is passed over: %s",
                                row->step, pxr_diag_first_error(own));
                status = *why ? 0 : pxr_out_of_memory(diag);
        }
        pxr_diag_free(own);
        return status;
}

/* To begin again would throw away what is on record: that is for the user to decide. */
static int none_usable(const struct pxr_state *state, char *const *why, int count,
                       struct pxr_diag *diag)
{
        pxr_user_error(diag,
                       "run %" PRId64 " cannot be gone on with: none of its checkpoints can be "
                       "used; nothing was changed",
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
                return pxr_out_of_memory(diag);
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
        int status = arena ? resume(arena, state, diag) : pxr_out_of_memory(diag);

        pxr_arena_free(arena);
        return status;
}

int pxr_checkpoint_read(struct pxr_arena *arena, const char *database,
                        const struct pxr_checkpoint_row *row, const struct pxr_graph *graph,
                        bool average, float *parameters, struct pxr_diag *diag)
{
        struct group group = { average ? "average." : "", parameters };
        struct pxr_safetensors *file = open_recorded(arena, database, row, diag);

        return file ? take_groups(arena, graph, file, &group, 1, diag) : -1;
}

int pxr_checkpoint_parameters(struct pxr_state *state, int64_t step, bool average,
                              float *parameters, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_checkpoint_row *row = NULL;
        int status = -1;

        if (!arena)
                return pxr_out_of_memory(diag);
        if (!pxr_store_checkpoints(state->order->store, arena, state->run, &row, diag)) {
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
