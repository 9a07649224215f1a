/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - a run that is on record, made ready for use again.
 *
 * Uses every floor below.
 */
#include "experiment/recorded.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/fingerprint.h"
#include "store/folder.h"

void pxr_hash_parameters(const float *parameters, size_t size, char hex[PXR_SHA256_HEX])
{
        struct pxr_sha256 hash;

        pxr_sha256_init(&hash);
        pxr_sha256_update(&hash, parameters, size * sizeof(float));
        pxr_sha256_final(&hash, hex);
}

/* --- the build -------------------------------------------------------------------------------- */

/* Add a plugin to the list of those that are not what is on record, with the versions or else the
 * files' hashes. NULL when memory is out. */
static char *list_plugin(struct pxr_arena *arena, const char *list,
                         const struct pxr_plugin_row *old, const struct pxr_plugin_file *now,
                         const char *hex, bool *versions)
{
        const char *between = *list ? ", " : "", *name = now->layer->name;

        if (!old)
                return pxr_strf(arena, "%s%s%s", list, between, name);
        if (strcmp(old->version, now->version) == 0)
                return pxr_strf(arena, "%s%s%s %.8s (here %.8s)", list, between, name, old->sha256,
                                hex);
        *versions = true;
        return pxr_strf(arena, "%s%s%s %s (here %s)", list, between, name, old->version,
                        now->version);
}

const char *pxr_other_plugins(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                              const struct pxr_model *model, bool *versions, struct pxr_diag *diag)
{
        const struct pxr_built_layer *layer = pxr_layer_of_new_plugin(model, model->layer);
        struct pxr_plugin_row *all, *old;
        const char *list = "";

        *versions = false;
        if (pxr_store_plugins(store, arena, run, &all, diag))
                return NULL;
        for (; layer; layer = pxr_layer_of_new_plugin(model, layer->next)) {
                char hex[PXR_SHA256_HEX];

                if (pxr_sha256_file(layer->plugin->path, hex, diag))
                        return NULL;
                for (old = all; old && strcmp(old->name, layer->plugin->layer->name) != 0;)
                        old = old->next;
                if (old && strcmp(old->sha256, hex) == 0)
                        continue;
                list = list_plugin(arena, list, old, layer->plugin, hex, versions);
                if (!list) {
                        pxr_out_of_memory(diag);
                        return NULL;
                }
        }
        return list;
}

bool pxr_same_program(const struct pxr_run *run, const struct pxr_provenance *now)
{
        const char *was = run->program_revision ? run->program_revision : "";
        const char *is = now->program_revision ? now->program_revision : "";

        return strcmp(run->program_version, now->program_version) == 0 && strcmp(was, is) == 0;
}

const char *pxr_build_words(bool known)
{
        return known ? "its last bits may differ" : "whether it computes the same is not on record";
}

/* What to do about other layers. Always -1. */
static int put_back(const struct pxr_run *run, struct pxr_diag *diag)
{
        pxr_note(diag,
                 "put the plugins back that it was made with ('pxr-report show %" PRId64
                 "' tells them), or train it anew (pxr-run --from-run %" PRId64 ")",
                 run->id, run->id);
        return -1;
}

int pxr_check_certificate(const struct pxr_run *run, const struct pxr_certificate *certificate,
                          struct pxr_diag *diag)
{
        if (!run->certificate || strcmp(run->certificate, certificate->digest) == 0)
                return 0;
        pxr_user_error(diag,
                       "run %" PRId64 " had another model: the layers make another one of its "
                       "spec than they did",
                       run->id);
        return put_back(run, diag);
}

/* Does the model's fingerprint, taken for training or for use, differ from the run's? Says in what.
 */
static bool differs(const struct pxr_run *run, const struct pxr_fingerprint *now, bool training,
                    struct pxr_diag *diag)
{
        if (!pxr_fingerprint_same(now->nll, run->fingerprint_nll, PXR_F64))
                pxr_user_error(diag,
                               "run %" PRId64 " was made with layers that compute something else: "
                               "under the same parameters the same image has %.10g nats here, and "
                               "had %.10g",
                               run->id, now->nll, run->fingerprint_nll);
        else if (!pxr_fingerprint_same(now->gradient, run->fingerprint_gradient, PXR_F64))
                pxr_user_error(diag,
                               "run %" PRId64 " was trained with layers whose backward pass "
                               "computes something else: the gradient of the same image sums to "
                               "%.10g here, and did to %.10g",
                               run->id, now->gradient, run->fingerprint_gradient);
        else if (!pxr_fingerprint_same(now->single, run->fingerprint_single, PXR_F32))
                pxr_user_error(diag,
                               "run %" PRId64 " was made with layers that compute something else "
                               "in single precision: %sthe same image has %.7g nats here, and had "
                               "%.7g",
                               run->id, training ? "" : "pixel by pixel ", now->single,
                               run->fingerprint_single);
        else
                return false;
        return true;
}

int pxr_check_fingerprint(const struct pxr_run *run, const struct pxr_model *model, bool training,
                          const char *plugins, bool *known, struct pxr_diag *diag)
{
        struct pxr_fingerprint was = { run->fingerprint_nll, run->fingerprint_gradient,
                                       run->fingerprint_single };
        struct pxr_fingerprint now;

        *known = pxr_fingerprint_known(&was);
        if (isnan(was.nll) && isnan(was.gradient) && isnan(was.single))
                return 0;
        if (pxr_fingerprint_take(model, training, &now, diag))
                return -1;
        if (!differs(run, &now, training, diag))
                return 0;
        if (*plugins)
                pxr_note(diag, "these layers are from other files than then: %s", plugins);
        else
                pxr_note(diag, "no layer is from another file: pxr itself is another, or what a "
                               "layer is linked with");
        return put_back(run, diag);
}

/* What was trained is still what is used when the layers, however they were built, make the same
 * graph with the same dependencies of the spec, and compute the same. Only rounding may be another.
 */
static int check_build(struct pxr_arena *arena, struct pxr_recorded *recorded,
                       struct pxr_diag *diag)
{
        const struct pxr_run *run = recorded->run;
        struct pxr_experiment *e = recorded->experiment;
        const struct pxr_provenance *now = pxr_provenance(arena, NULL, diag);
        const char *revision = run->program_revision, *plugins;
        bool versions, known;

        if (!now || pxr_certify_dependencies(arena, e->model, &e->certificate, diag) ||
            pxr_check_certificate(run, &e->certificate, diag))
                return -1;
        plugins = pxr_other_plugins(arena, recorded->store, run->id, e->model, &versions, diag);
        if (!plugins)
                return -1;
        if (pxr_check_fingerprint(run, e->model, false, plugins, &known, diag))
                return -1;
        if (!*plugins && pxr_same_program(run, now))
                return 0;
        pxr_warn(diag, "run %" PRId64 " was made by another build (pxr %s%s%s%s%s): %s", run->id,
                 run->program_version, revision ? " of revision " : "", revision ? revision : "",
                 *plugins ? "; layers " : "", plugins, pxr_build_words(known));
        return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void close_store(void *store)
{
        pxr_store_close(store);
}

struct pxr_store *pxr_recorded_store(struct pxr_arena *arena, const char *database,
                                     struct pxr_diag *diag)
{
        struct pxr_store *store;

        if (pxr_store_exists(database, diag))
                return NULL;
        store = pxr_store_open(database, false, diag);
        if (store && pxr_arena_defer(arena, close_store, store)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return store;
}

/* A run recorded before the kind of its images was tells it by its data set alone. */
static struct pxr_experiment *build(struct pxr_arena *arena, const struct pxr_run *run,
                                    struct pxr_diag *diag)
{
        const struct pxr_spec_origin origin = { .path = "the run's spec", .recorded = run->spec };
        const struct pxr_image_kind kind = { run->image_rows, run->image_cols, run->image_colours,
                                             run->image_levels };

        return kind.rows ? pxr_experiment_model(arena, &origin, &kind, diag)
                         : pxr_experiment_build(arena, &origin, diag);
}

int pxr_check_layers(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                     struct pxr_diag *diag)
{
        struct pxr_experiment *e = build(arena, run, diag);
        const char *plugins;
        bool versions, known;

        if (!e || pxr_certify_dependencies(arena, e->model, &e->certificate, diag) ||
            pxr_check_certificate(run, &e->certificate, diag))
                return -1;
        plugins = pxr_other_plugins(arena, store, run->id, e->model, &versions, diag);
        return plugins ? pxr_check_fingerprint(run, e->model, true, plugins, &known, diag) : -1;
}

/* Below an error with one checkpoint of a run, say which others there are: their files too. */
static void note_others(const struct pxr_recorded *recorded, const struct pxr_checkpoint_row *list,
                        int64_t step, struct pxr_diag *diag)
{
        for (const struct pxr_checkpoint_row *row = list; row; row = row->next)
                if (row->step != step &&
                    pxr_checkpoint_bytes(recorded->database, row->path) == row->size)
                        pxr_note(diag, "there is one of step %" PRId64 "%s", row->step,
                                 row->best ? " (best)" : "");
}

/* The checkpoint that a word names; NULL after an error. */
static const struct pxr_checkpoint_row *choose(struct pxr_arena *arena,
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
        if (pxr_checkpoint_read(arena, recorded->database, row, recorded->graph, average,
                                parameters, diag)) {
                if (!pxr_store_checkpoints(recorded->store, arena, recorded->run->id, &list, diag))
                        note_others(recorded, list, row->step, diag);
                return -1;
        }
        pxr_hash_parameters(parameters, size, hex);
        recorded->parameters = parameters;
        recorded->parameter_hash = hex;
        recorded->step = row->step;
        recorded->epoch = row->epoch;
        return 0;
}

struct pxr_recorded *pxr_recorded_open(struct pxr_arena *arena, const char *database,
                                       struct pxr_store *store, const char *which,
                                       const char *checkpoint, struct pxr_diag *diag)
{
        struct pxr_recorded *recorded = pxr_alloc(arena, sizeof(*recorded));
        const struct pxr_checkpoint_row *row;

        if (!recorded) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        recorded->database = database;
        recorded->store = store;
        recorded->run = pxr_store_find_run(store, arena, which, diag);
        row = recorded->run ? choose(arena, recorded, checkpoint, diag) : NULL;
        recorded->experiment = row ? build(arena, recorded->run, diag) : NULL;
        if (!recorded->experiment || check_build(arena, recorded, diag))
                return NULL;
        recorded->graph = recorded->experiment->model->graph;
        return take_parameters(arena, recorded, row, diag) ? NULL : recorded;
}

/* Have the run's data set lie at `path`. Every set that has a path has it on record. */
static int set_path(struct pxr_experiment *e, const char *path, struct pxr_diag *diag)
{
        const struct pxr_yaml *set = pxr_yaml_get(e->settings.data, "set");
        struct pxr_yaml *node = pxr_yaml_get(e->settings.data, "path");

        if (node && node->kind == PXR_YAML_SCALAR) {
                if (pxr_spec_set_text(e->arena, node, "data.path", path, diag))
                        return -1;
                node->mark.line = 0; /* nobody wrote "data.path=": there is no line to show */
                return 0;
        }
        return pxr_user_error(diag,
                              "%s: the run's data set (%s) is not read from files: it lies nowhere",
                              path, set && set->kind == PXR_YAML_SCALAR ? set->text : "unnamed");
}

int pxr_recorded_data(struct pxr_recorded *recorded, const char *path, struct pxr_diag *diag)
{
        struct pxr_experiment *e = recorded->experiment;

        if (path && set_path(e, path, diag))
                return -1;
        if (path || !e->set)
                e->set = pxr_dataset_open(e->arena, (struct pxr_yaml *)e->settings.data,
                                          (uint64_t)e->settings.train.seed, diag);
        if (!e->set)
                return -1;
        if (strcmp(e->set->identity, recorded->run->data_identity) != 0)
                return pxr_user_error(diag,
                                      "run %" PRId64 " was trained on other data: the data set's "
                                      "identity is not the one on record",
                                      recorded->run->id);
        return 0;
}
