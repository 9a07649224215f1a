/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - a run that is on record, made ready for use again.
 */
#include "experiment/recorded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "experiment/given.h"
#include "experiment/provenance_check.h"
#include "record/folder.h"

static void close_store(void *store)
{
        pxr_store_close(store);
}

struct pxr_store *pxr_recorded_store(struct pxr_arena *arena, const char *database, bool changes,
                                     struct pxr_diag *diag)
{
        struct pxr_store *store = NULL;

        if (changes)
                store = pxr_store_change(database, diag);
        else if (!pxr_store_exists(database, diag))
                store = pxr_store_open(database, false, diag);
        return store && pxr_arena_defer(arena, close_store, store) == 0 ? store : NULL;
}

struct pxr_store *pxr_recorded_look(struct pxr_arena *arena, const char *database,
                                    struct pxr_diag *diag)
{
        struct pxr_store *store = pxr_store_look(database, diag);

        return store && pxr_arena_defer(arena, close_store, store) == 0 ? store : NULL;
}

/* Read the run's spec and build its model. No data are opened. */
static struct pxr_experiment *build(struct pxr_arena *arena, const struct pxr_run *run,
                                    struct pxr_diag *diag)
{
        const struct pxr_spec_origin origin = pxr_run_origin(arena, run, NULL);
        const struct pxr_image_kind kind = { run->image_rows, run->image_cols, run->image_colours,
                                             run->image_levels };
        struct pxr_experiment *e;

        if (kind.rows < 1 || kind.cols < 1 || kind.colours < 1 || kind.levels < 1) {
                pxr_user_error(diag, "run %" PRId64 ": invalid size of its images on record",
                               run->id);
                return NULL;
        }
        e = pxr_experiment_model(arena, &origin, &kind, pxr_given_classes(run->given), diag);
        return e && !pxr_certify_dependencies(arena, e->model, &e->certificate, diag) ? e : NULL;
}

int pxr_check_layers(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                     struct pxr_diag *diag)
{
        struct pxr_experiment *e = build(arena, run, diag);
        struct pxr_build here;

        return e ? pxr_check_model(arena, store, run, e, PXR_TO_TRAIN, &here, diag) : -1;
}

/* The layers must make the model that was trained, and compute what it did. Only rounding may
 * differ, with a warning. */
static int check_build(struct pxr_arena *arena, const struct pxr_recorded *recorded,
                       struct pxr_diag *diag)
{
        const struct pxr_run *run = recorded->run;
        struct pxr_build here;

        if (pxr_check_model(arena, recorded->store, run, recorded->experiment, PXR_TO_DRAW, &here,
                            diag))
                return -1;
        if (*here.plugins || !here.program)
                pxr_warn(diag, "run %" PRId64 " was made by another build (%s%s%s): %s", run->id,
                         pxr_program_text(arena, run->program_version, run->program_revision),
                         *here.few ? "; layers " : "", here.few, pxr_build_text(&here));
        return 0;
}

/* Below an error with one checkpoint of a run, say which others there are: their files too. */
static void note_others(const struct pxr_recorded *recorded, const struct pxr_checkpoint_row *list,
                        int64_t step, struct pxr_diag *diag)
{
        for (const struct pxr_checkpoint_row *row = list; row; row = row->next)
                if (row->step != step &&
                    pxr_checkpoint_bytes(pxr_store_path(recorded->store), row->path) == row->size)
                        pxr_note(diag, "there is one of step %" PRId64 "%s", row->step,
                                 row->best ? " (best)" : "");
}

const struct pxr_checkpoint_row *pxr_recorded_checkpoint(struct pxr_arena *arena,
                                                         const struct pxr_recorded *recorded,
                                                         const char *word, struct pxr_diag *diag)
{
        const struct pxr_run *run = recorded->run;
        bool best = strcmp(word, "best") == 0, last = strcmp(word, "last") == 0;
        struct pxr_checkpoint_row *list, *row;
        char *end;
        long long step = strtoll(word, &end, 10);

        if (!best && !last && (*end || end == word)) {
                pxr_user_error(diag, "a checkpoint is 'best', 'last' or a step, not '%s'", word);
                return NULL;
        }
        if (pxr_store_checkpoints(recorded->store, arena, run->id, &list, diag))
                return NULL;
        if (!list) {
                pxr_user_error(diag, "run %" PRId64 " ('%s') has no checkpoint yet", run->id,
                               run->name);
                return NULL;
        }
        for (row = list; row && !last && (best ? !row->best : row->step != step); row = row->next)
                ;
        if (row || best)
                return row ? row : list;
        pxr_user_error(diag, "run %" PRId64 " has no checkpoint of step %s", run->id, word);
        note_others(recorded, list, step, diag);
        return NULL;
}

static int take_parameters(struct pxr_arena *arena, struct pxr_recorded *recorded,
                           const struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        size_t size = recorded->graph->parameter_values;
        float *parameters = pxr_pages_new((size + 1) * sizeof(float));
        char *hex = pxr_alloc(arena, PXR_SHA256_HEX);
        bool average = recorded->experiment->settings.train.average > 0;
        struct pxr_checkpoint_row *list;

        if (!parameters || pxr_arena_defer(arena, free, parameters) ||
            !hex) /* the arena frees it */
                return pxr_out_of_memory(diag);
        if (pxr_checkpoint_read(arena, pxr_store_path(recorded->store), row, recorded->graph,
                                average, parameters, diag)) {
                if (!pxr_store_checkpoints(recorded->store, arena, recorded->run->id, &list, diag))
                        note_others(recorded, list, row->step, diag);
                return -1;
        }
        pxr_hash_parameters(parameters, size, hex);
        recorded->parameters = parameters;
        recorded->parameter_hash = hex;
        recorded->step = row->step;
        return 0;
}

struct pxr_recorded *pxr_recorded_open(struct pxr_arena *arena, struct pxr_store *store,
                                       const char *which, const char *checkpoint,
                                       struct pxr_diag *diag)
{
        struct pxr_recorded *recorded = pxr_alloc(arena, sizeof(*recorded));
        const struct pxr_checkpoint_row *row;

        if (!recorded)
                return NULL;
        recorded->store = store;
        recorded->run = pxr_store_find_run(store, arena, which, diag);
        row = recorded->run ? pxr_recorded_checkpoint(arena, recorded, checkpoint, diag) : NULL;
        recorded->experiment = row ? build(arena, recorded->run, diag) : NULL;
        if (!recorded->experiment || check_build(arena, recorded, diag))
                return NULL;
        recorded->graph = recorded->experiment->model->graph;
        return take_parameters(arena, recorded, row, diag) ? NULL : recorded;
}

int pxr_recorded_data(struct pxr_recorded *recorded, const char *path, struct pxr_diag *diag)
{
        struct pxr_experiment *e = recorded->experiment;

        if (path && pxr_spec_move_data(e->arena, e->root, path, diag))
                return -1;
        if (path || !e->set)
                e->set = pxr_dataset_open(e->arena, (struct pxr_yaml *)e->settings.data,
                                          (uint64_t)e->settings.train.seed, diag);
        return e->set ? pxr_check_data(recorded->run, e->set->identity, diag) : -1;
}

/* --- repeating and resuming --------------------------------------------------------------------
 */

struct pxr_spec_origin pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run,
                                      const char *path)
{
        return (struct pxr_spec_origin) { .path = pxr_strf(arena, "spec of run %" PRId64, run->id),
                                          .recorded = run->spec,
                                          .folder = run->folder,
                                          .data_path = path };
}

void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag)
{
        const struct pxr_plugins *plugins = pxr_plugins_open(arena, NULL);
        struct pxr_plugin_row *list;

        if (!plugins || pxr_store_plugins(store, arena, run->id, &list, NULL))
                return;
        for (; list; list = list->next)
                if (!pxr_plugin_find(plugins, list->name, (struct pxr_location) { 0 }, NULL))
                        pxr_note(diag,
                                 "the run had '%s' from %s%s%s: set PXR_LAYER_PATH to its folder",
                                 list->name, *list->path != '/' && run->folder ? run->folder : "",
                                 *list->path != '/' && run->folder ? "/" : "", list->path);
}
