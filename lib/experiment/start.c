/* SPDX-License-Identifier: MIT */
/* start.c - train.start_from: initial parameters from a checkpoint of another run, or from a file.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "experiment/recorded.h"
#include "experiment/state.h"

enum { MOST_NAMED = 3 }; /* arrays in a message */

static bool is_file(const char *word)
{
        static const char suffix[] = ".safetensors";
        size_t length = strlen(word);

        return strchr(word, '/') ||
               (length >= strlen(suffix) && strcmp(word + length - strlen(suffix), suffix) == 0);
}

/* Whether it can be the part after '@': of a run, or else of its name. */
static bool is_checkpoint(const char *word)
{
        return strcmp(word, "best") == 0 || strcmp(word, "last") == 0 ||
               (*word && strspn(word, "0123456789") == strlen(word));
}

/* --- the checkpoint ----------------------------------------------------------------------------
 */

static struct pxr_safetensors *open_run(struct pxr_state *state, const char *word,
                                        struct pxr_diag *diag)
{
        struct pxr_arena *arena = state->experiment->arena;
        struct pxr_recorded from = { .store = state->order->store };
        const char *at = strrchr(word, '@'), *which = "best";
        const struct pxr_checkpoint_row *row;

        if (at && is_checkpoint(at + 1)) {
                which = at + 1;
                word = pxr_strf(arena, "%.*s", (int)(at - word), word);
        }
        from.run = pxr_store_find_run(from.store, arena, word, diag);
        row = from.run ? pxr_recorded_checkpoint(arena, &from, which, diag) : NULL;
        if (!row)
                return NULL;
        state->start_from = pxr_strf(arena, "%s@%" PRId64, from.run->uid, row->step);
        state->start_text = pxr_strf(arena, "run %" PRId64 " ('%s'), step %" PRId64, from.run->id,
                                     from.run->name, row->step);
        return pxr_checkpoint_open(arena, pxr_store_path(from.store), row, diag);
}

/* A relative path of a run on record may start from the folder in which that was started. */
static struct pxr_safetensors *open_file(struct pxr_state *state, const char *path,
                                         const struct pxr_run *recorded, struct pxr_diag *diag)
{
        struct pxr_arena *arena = state->experiment->arena;

        state->start_from = state->start_text = path;
        if (*path != '/' && recorded && recorded->folder && access(path, F_OK) != 0)
                path = pxr_strf(arena, "%s/%s", recorded->folder, path);
        return pxr_arena_failed(arena) ? NULL : pxr_safetensors_read(arena, path, diag);
}

/* --- its parameters ----------------------------------------------------------------------------
 */

static const char *shape_text(struct pxr_arena *arena, const int64_t *shape, int rank)
{
        const char *text = "";

        for (int i = 0; i < rank; i++)
                text = pxr_strf(arena, "%s%s%" PRId64, text, i > 0 ? "x" : "", shape[i]);
        return text;
}

/* What is wrong with the file's array of a parameter; NULL: nothing. */
static const char *misfit(struct pxr_arena *arena, const struct pxr_parameter *p,
                          const struct pxr_array *array)
{
        int64_t shape[PXR_TENSOR_RANK];
        const float *value;

        for (int i = 0; i < p->rank; i++)
                shape[i] = p->shape[i];
        if (!array)
                return pxr_strf(arena, "'%s' is missing in it", p->name);
        if (array->rank != p->rank || memcmp(array->shape, shape, p->rank * sizeof(*shape)) != 0)
                return pxr_strf(arena, "'%s' is %s in it, and %s here", p->name,
                                shape_text(arena, array->shape, array->rank),
                                shape_text(arena, shape, p->rank));
        value = array->data;
        for (size_t i = 0; i < p->size; i++)
                if (!isfinite(value[i]))
                        return pxr_strf(arena, "'%s' has a value that is not finite", p->name);
        return NULL;
}

/* Parameters that the file has and the model lacks. */
static const char *find_extra(struct pxr_arena *arena, const struct pxr_safetensors *file,
                              const struct pxr_graph *graph)
{
        for (int i = 0; i < file->arrays; i++) {
                const char *name = file->array[i].name;
                const struct pxr_parameter *p = graph->parameter;

                while (p && strcmp(p->name, name) != 0)
                        p = p->next;
                if (!p && strncmp(name, "layers.", strlen("layers.")) == 0)
                        return pxr_strf(arena, "'%s' is in it, and not in the model", name);
        }
        return NULL;
}

/* All parameters, or after one error none. */
static int copy(struct pxr_state *state, const struct pxr_safetensors *file, const char *word,
                struct pxr_diag *diag)
{
        struct pxr_arena *arena = state->experiment->arena;
        struct pxr_trainer *trainer = state->trainer;
        const struct pxr_parameter *first = trainer->graph->parameter, *p;
        const char *prefix = "average.", *text = "", *found;
        int faults = 0;

        if (!first || !pxr_safetensors_array(file, pxr_strf(arena, "average.%s", first->name)))
                prefix = "";
        for (p = first; p; p = p->next) {
                const char *name = pxr_strf(arena, "%s%s", prefix, p->name);

                found = misfit(arena, p, pxr_safetensors_array(file, name));
                if (found && faults++ < MOST_NAMED)
                        text = pxr_strf(arena, "%s%s%s", text, *text ? "; " : "", found);
        }
        found = find_extra(arena, file, trainer->graph);
        if (found && faults++ < MOST_NAMED)
                text = pxr_strf(arena, "%s%s%s", text, *text ? "; " : "", found);
        if (faults > MOST_NAMED)
                text = pxr_strf(arena, "%s; and %d more", text, faults - MOST_NAMED);
        if (faults)
                return pxr_user_error(diag,
                                      "train.start_from: the checkpoint of %s does not fit the "
                                      "model: %s",
                                      word, text);
        for (p = first; p; p = p->next) {
                const char *name = pxr_strf(arena, "%s%s", prefix, p->name);

                memcpy(trainer->parameters + p->offset, pxr_safetensors_array(file, name)->data,
                       p->size * sizeof(float));
        }
        if (trainer->average)
                memcpy(trainer->average, trainer->parameters, trainer->size * sizeof(float));
        state->start_text = pxr_strf(arena, "%s (%s parameters)", state->start_text,
                                     *prefix ? "averaged" : "trained");
        return pxr_arena_failed(arena) ? -1 : 0;
}

int pxr_start_parameters(struct pxr_state *state, struct pxr_diag *diag)
{
        const struct pxr_run_order *order = state->order;
        const struct pxr_run *recorded = order->resume ? order->resume : order->repeats;
        const char *word = state->experiment->settings.train.start_from;
        struct pxr_safetensors *file;

        if (!word)
                return 0;
        if (recorded && recorded->start_from)
                word = recorded->start_from;
        file = is_file(word) ? open_file(state, word, recorded, diag) : open_run(state, word, diag);
        if (!file || copy(state, file, state->start_text, diag))
                return -1;
        pxr_hash_parameters(state->trainer->parameters, state->trainer->size, state->start_hash);
        if (recorded && recorded->start_hash &&
            strcmp(recorded->start_hash, state->start_hash) != 0)
                return pxr_user_error(
                        diag,
                        "train.start_from: %s no longer holds the parameters that run "
                        "%" PRId64 " started from: their SHA-256 differs from the one "
                        "on record",
                        word, recorded->id);
        return 0;
}
