/* SPDX-License-Identifier: MIT */
/*
 * experiment.c - from a spec to what it describes.
 */
#include "experiment/experiment.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/options.h"
#include "record/database.h"
#include "tensor/mixed.h"

static const struct pxr_option reproduces_rows[] = {
        PXR_INT(struct pxr_reproduces, table, "0", 0, 99, "number of the paper's table; 0: none"),
        PXR_STRING(struct pxr_reproduces, row, PXR_UNSET, "the row, as the paper has it"),
        PXR_END,
};

static const struct pxr_options reproduces_options = { .rows = reproduces_rows,
                                                       .size = sizeof(struct pxr_reproduces) };

static const struct pxr_option evaluate_rows[] = {
        PXR_INTERVAL(struct pxr_evaluate_settings, every, "1 epoch",
                     "how often the NLL is computed; it always is after the last step"),
        PXR_ENUM_SET(
                struct pxr_evaluate_settings, splits, "[valid, test]", pxr_split_names,
                "on which splits; unless they are named, those the data set lacks are left out"),
        PXR_ENUM_SET(struct pxr_evaluate_settings, at_end, "[]", pxr_split_names,
                     "on which splits at the end alone, beside those"),
        PXR_INT(struct pxr_evaluate_settings, limit, "0", 0, 1e12,
                "images of a split that are used along the way; 0: all. The end uses all"),
        PXR_ENUM(struct pxr_evaluate_settings, precision, "f32", pxr_precision_names,
                 "along the way: float32, or bfloat16, as train.precision. The end is always "
                 "evaluated in float32"),
        PXR_END,
};

static const struct pxr_options evaluate_options = { .rows = evaluate_rows,
                                                     .size = sizeof(struct pxr_evaluate_settings) };

static const struct pxr_option sample_rows[] = {
        PXR_INTERVAL(struct pxr_sample_settings, every, "never",
                     "how often a grid of samples is recorded; it always is at the end"),
        PXR_INT(struct pxr_sample_settings, count, "64", 0, 4096, "images in it; 0: no samples"),
        PXR_INT(struct pxr_sample_settings, seed, "1", 0, 9007199254740992.0,
                "of the samples' random numbers"),
        PXR_END,
};

static const struct pxr_options sample_options = { .rows = sample_rows,
                                                   .size = sizeof(struct pxr_sample_settings) };

static const struct pxr_option rows[] = {
        PXR_STRING(struct pxr_settings, name, NULL, "what the run is called"),
        PXR_STRING(struct pxr_settings, description, PXR_UNSET, "for readers"),
        PXR_SECTION(struct pxr_settings, reproduces, &reproduces_options,
                    "the published result this is to reproduce"),
        PXR_NODE(struct pxr_settings, data, NULL, "the data set"),
        PXR_LAYERS(struct pxr_settings, model, "the layers, from the image to the output"),
        PXR_SECTION(struct pxr_settings, train, &pxr_train_options, "training"),
        PXR_SECTION(struct pxr_settings, evaluate, &evaluate_options, "evaluation"),
        PXR_SECTION(struct pxr_settings, sample, &sample_options, "samples"),
        PXR_END,
};

const struct pxr_options pxr_settings_options = { .rows = rows,
                                                  .size = sizeof(struct pxr_settings) };

int pxr_spec_move_data(struct pxr_arena *arena, struct pxr_yaml *root, const char *path,
                       struct pxr_diag *diag)
{
        const struct pxr_yaml *set = pxr_yaml_find(root, "data.set");
        struct pxr_yaml *node = pxr_yaml_find(root, "data.path");

        if (!node || node->kind != PXR_YAML_SCALAR)
                return pxr_user_error(diag, "%s: the run's data set (%s) is not read from files",
                                      path,
                                      set && set->kind == PXR_YAML_SCALAR ? set->text : "unnamed");
        if (pxr_spec_set_text(arena, node, "data.path", path, diag))
                return -1;
        node->location.line = 0; /* nobody wrote "data.path=PATH": there is no line to show */
        return 0;
}

/* Where the data of a recorded spec are found from `folder` but not from here; NULL: at its
 * data.path. */
static const char *find_data(struct pxr_arena *arena, struct pxr_yaml *root, const char *folder)
{
        const struct pxr_yaml *node = pxr_yaml_find(root, "data.path");
        char there[PATH_MAX], here[PATH_MAX];
        const char *path;

        if (!folder || !node || node->kind != PXR_YAML_SCALAR || *node->text == '/')
                return NULL;
        path = pxr_strf(arena, "%s/%s", folder, node->text);
        if (access(path, F_OK) != 0 ||
            (realpath(path, there) && realpath(node->text, here) && strcmp(there, here) == 0))
                return NULL;
        return path;
}

/* Have the spec of a finished run train for more epochs, and keep for how many it did. */
static int extend(struct pxr_arena *arena, struct pxr_yaml *root, const char *extension,
                  struct pxr_diag *diag)
{
        const struct pxr_yaml *epochs = pxr_yaml_find(root, "train.epochs");
        const struct pxr_yaml *list = pxr_yaml_find(root, "train.extended_from");
        const char *more = strchr(extension, '=') + 1, *text = "";
        int64_t was, now;

        if (!epochs || pxr_parse_int(epochs->text, &was) != PXR_NUMBER)
                return pxr_user_error(diag, "train.epochs of the run is not a number");
        if (pxr_parse_int(more, &now) != PXR_NUMBER || now <= was)
                return pxr_user_error(diag,
                                      "%s: expected a number above %" PRId64
                                      ", the epochs that the "
                                      "run is finished with",
                                      extension, was);
        for (const struct pxr_yaml *item = list ? list->first : NULL; item; item = item->next)
                text = pxr_strf(arena, "%s%s, ", text, item->text);
        if (pxr_spec_override(arena, root,
                              pxr_strf(arena, "train.extended_from=[%s%" PRId64 "]", text, was),
                              diag))
                return -1;
        return pxr_spec_override(arena, root, extension, diag);
}

static struct pxr_yaml *load_recorded(struct pxr_arena *arena, const struct pxr_spec_origin *origin,
                                      struct pxr_diag *diag)
{
        const char *path = origin->data_path;
        struct pxr_yaml *root =
                pxr_yaml_parse(arena, pxr_source_new(arena, origin->path, origin->recorded), diag);

        if (root && origin->extension && extend(arena, root, origin->extension, diag))
                return NULL;
        if (root && !path)
                path = find_data(arena, root, origin->folder);
        return root && path && pxr_spec_move_data(arena, root, path, diag) ? NULL : root;
}

static int check_name(const struct pxr_experiment *e, struct pxr_diag *diag)
{
        const char *fault = e->settings.name ? pxr_run_name_fault(e->settings.name) : NULL;

        if (!fault)
                return 0;
        pxr_error_at(diag, pxr_yaml_get(e->root, "name")->location, "the name '%s' %s",
                     pxr_visible(e->arena, e->settings.name), fault);
        pxr_hint(diag, "choose another");
        return -1;
}

/* Stages follow one another. */
static int check_stages(const struct pxr_experiment *e, struct pxr_diag *diag)
{
        const struct pxr_yaml *list = e->settings.train.extended_from;
        int64_t before = 0, epochs;

        if (list && list->kind != PXR_YAML_SEQUENCE)
                return pxr_error_at(diag, list->location,
                                    "train.extended_from: expected a list, such as [20, 30]");
        for (const struct pxr_yaml *item = list ? list->first : NULL; item; item = item->next) {
                if (item->kind != PXR_YAML_SCALAR ||
                    pxr_parse_int(item->text, &epochs) != PXR_NUMBER || epochs <= before ||
                    epochs >= e->settings.train.epochs)
                        return pxr_error_at(diag, item->location,
                                            "train.extended_from: expected a list of rising "
                                            "numbers below train.epochs (%" PRId64 ")",
                                            e->settings.train.epochs);
                before = epochs;
        }
        return 0;
}

/* Patience counts evaluations of the validation split: without any, training would never stop
 * early, and nobody would know why. Checked again when the data set is open. */
static int check_patience(const struct pxr_experiment *e, struct pxr_diag *diag)
{
        const struct pxr_yaml *node = pxr_yaml_find(e->root, "train.patience");
        const char *why = NULL;

        if (e->settings.train.patience == 0 || !node)
                return 0;
        if (!(e->settings.evaluate.splits >> PXR_VALID & 1))
                why = "evaluate.splits lacks 'valid'";
        else if (e->settings.evaluate.every.unit == PXR_NEVER)
                why = "evaluate.every is 'never'";
        else if (e->set && e->set->count[PXR_VALID] == 0)
                why = "the data set has no validation split";
        if (!why)
                return 0;
        return pxr_error_at(diag, node->location, "train.patience requires validation NLLs: %s",
                            why);
}

/* The names of the splits that a data set has images of. */
static const char *splits_there(struct pxr_arena *arena, const struct pxr_dataset *set)
{
        const char *there = "";

        for (int split = 0; split < PXR_SPLITS; split++)
                if (set->count[split] > 0)
                        there = pxr_strf(arena, "%s%s%s", there, *there ? ", " : "",
                                         pxr_split_names[split]);
        return there;
}

/* A split that the spec names must exist, so that no NLL is found missing at the end of the
 * training. The default names those that exist. */
static int check_splits(const struct pxr_experiment *e, const char *section, const char *option,
                        struct pxr_diag *diag)
{
        const struct pxr_yaml *node = pxr_yaml_get(e->root, section);
        int status = 0;

        node = node ? pxr_yaml_get(node, option) : NULL;
        if (!node || node->origin == PXR_ORIGIN_DEFAULT)
                return 0;
        for (const struct pxr_yaml *name = node->first; name; name = name->next) {
                int split = pxr_split_find(name->text);

                if (split < 0 || e->set->count[split] > 0)
                        continue;
                status = pxr_error_at(diag, name->location,
                                      "%s: '%s' names '%s', of which the data set has no images",
                                      section, option, name->text);
                pxr_note(diag, "it has images in %s: name these alone%s",
                         splits_there(e->arena, e->set),
                         strcmp(section, "data") == 0 ? "" : ", or see data.splits");
        }
        return status;
}

/* Report a sweep by one error instead of one for each of its keys. */
static int check_no_sweep(const struct pxr_yaml *root, const char *path, struct pxr_diag *diag)
{
        const struct pxr_yaml *vary = pxr_yaml_get(root, "vary");

        if (!vary || pxr_yaml_get(root, "model"))
                return 0;
        pxr_error_at(diag, vary->key_location, "this is a sweep, not a spec");
        pxr_hint(diag, "run it with 'pxr-sweep %s'", path);
        return -1;
}

/* Sections, data and layers are checked although one of them is wrong, so that all errors of a spec
 * show at once: e->faults says which. NULL where nothing can be checked. What is on record keeps
 * its name. */
static struct pxr_experiment *read_spec(struct pxr_arena *arena,
                                        const struct pxr_spec_origin *origin, struct pxr_diag *diag)
{
        struct pxr_experiment *e = pxr_alloc(arena, sizeof(*e));
        struct pxr_settings *settings;
        struct pxr_reading reading;

        if (!e)
                return NULL;
        settings = &e->settings;
        reading = (struct pxr_reading) { &pxr_settings_options, settings };
        e->arena = arena;
        e->root = origin->recorded ? load_recorded(arena, origin, diag)
                                   : pxr_spec_load(arena, origin->path, origin->overrides,
                                                   origin->locations, origin->count, diag);
        if (!e->root || check_no_sweep(e->root, origin->path, diag))
                return NULL;
        e->plugins = pxr_plugins_open(arena, diag);
        if (!e->plugins)
                return NULL;
        if (pxr_options_read(arena, e->root, "spec", &reading, 1, diag))
                e->faults = PXR_BAD_REST;
        if (!settings->data ||
            pxr_dataset_check(arena, (struct pxr_yaml *)settings->data, &e->opening, diag))
                e->faults |= PXR_BAD_DATA;
        if (!settings->model ||
            pxr_model_check(arena, e->plugins, (struct pxr_yaml *)settings->model, diag))
                e->faults |= PXR_BAD_MODEL;
        if (!origin->recorded && check_name(e, diag))
                e->faults |= PXR_BAD_REST;
        if (!e->faults && (check_patience(e, diag) || check_stages(e, diag)))
                e->faults = PXR_BAD_REST;
        return e;
}

struct pxr_experiment *pxr_experiment_read(struct pxr_arena *arena,
                                           const struct pxr_spec_origin *origin,
                                           struct pxr_diag *diag)
{
        struct pxr_experiment *e = read_spec(arena, origin, diag);

        return e && !e->faults ? e : NULL;
}

struct pxr_experiment *pxr_experiment_model(struct pxr_arena *arena,
                                            const struct pxr_spec_origin *origin,
                                            const struct pxr_image_kind *kind, int classes,
                                            struct pxr_diag *diag)
{
        struct pxr_experiment *e = pxr_experiment_read(arena, origin, diag);

        if (e)
                e->model = pxr_model_build(
                        arena, e->plugins, (struct pxr_yaml *)e->settings.model, kind,
                        classes ? classes : pxr_dataset_classes(e->opening), false, diag);
        return e && e->model ? e : NULL;
}

/* Open the data of a spec that has no errors. Of another, see whether they are there. What is on
 * record was accepted with its splits. */
static int open_data(struct pxr_experiment *e, bool recorded, struct pxr_diag *diag)
{
        int errors = pxr_diag_errors(diag);

        if (e->faults & PXR_BAD_DATA)
                return -1;
        if (e->faults)
                return pxr_dataset_find(e->opening, diag);
        e->set = pxr_dataset_open_checked(e->opening, (uint64_t)e->settings.train.seed, diag);
        if (!e->set)
                return -1;
        if (!recorded) {
                check_splits(e, "data", "splits", diag);
                check_splits(e, "evaluate", "splits", diag);
                check_splits(e, "evaluate", "at_end", diag);
        }
        check_patience(e, diag);
        return pxr_diag_errors(diag) > errors ? -1 : 0;
}

static int count_steps(struct pxr_experiment *e, struct pxr_diag *diag)
{
        const struct pxr_train_settings *train = &e->settings.train;
        int64_t images = e->set->count[PXR_TRAIN];

        if (images == 0 && train->epochs > 0)
                return pxr_error_at(diag, pxr_yaml_find(e->root, "train.epochs")->location,
                                    "the data set has no training split: train.epochs must be 0");
        e->steps_per_epoch = (images + train->batch - 1) / train->batch;
        e->all_steps = e->steps_per_epoch * train->epochs;
        return 0;
}

/* The data cannot be read, and so the size of the images is unknown. Report an error of the model
 * if it has the same for images of every kind: it is then none of the size. */
static void try_kinds(struct pxr_experiment *e, struct pxr_diag *diag)
{
        static const struct pxr_image_kind kinds[] = { { 32, 32, 3, 256 },
                                                       { 32, 32, 1, 256 },
                                                       { 28, 28, 1, 2 } };
        int classes = pxr_dataset_classes(e->opening);
        const struct pxr_yaml *model = e->settings.model;
        char *first = NULL;
        bool same = true;

        for (size_t i = 0; i < PXR_COUNT(kinds) && same; i++) {
                struct pxr_diag *quiet = pxr_diag_new();
                const char *error;

                if (!quiet)
                        return;
                pxr_model_build(e->arena, e->plugins, (struct pxr_yaml *)model, &kinds[i], classes,
                                false, quiet);
                error = pxr_diag_first_error(quiet);
                same = error && (!first || strcmp(error, first) == 0);
                first = error ? pxr_strdup(e->arena, error) : NULL;
                pxr_diag_free(quiet);
        }
        if (same)
                pxr_model_build(e->arena, e->plugins, (struct pxr_yaml *)model, &kinds[0], classes,
                                false, diag);
}

/* A model is built although its data have errors, if the size of their images is known: its own
 * errors show at once. */
struct pxr_experiment *pxr_experiment_build(struct pxr_arena *arena,
                                            const struct pxr_spec_origin *origin,
                                            struct pxr_diag *diag)
{
        struct pxr_experiment *e = read_spec(arena, origin, diag);
        const struct pxr_dataset *set;

        if (!e)
                return NULL;
        if (open_data(e, origin->recorded, diag))
                e->faults |= PXR_BAD_DATA;
        if (e->faults & PXR_BAD_MODEL || !e->opening)
                return NULL;
        set = e->set ? e->set : pxr_dataset_foresee(e->opening);
        if (!set) {
                try_kinds(e, diag);
                return NULL;
        }
        e->model = pxr_model_build(
                arena, e->plugins, (struct pxr_yaml *)e->settings.model,
                &(struct pxr_image_kind) { set->rows, set->cols, set->colours, set->levels },
                pxr_dataset_classes(e->opening), false, diag);
        return e->model && !e->faults && !count_steps(e, diag) ? e : NULL;
}

int64_t pxr_stage_end(const struct pxr_experiment *e, int64_t step)
{
        const struct pxr_yaml *list = e->settings.train.extended_from;
        int64_t epochs;

        for (const struct pxr_yaml *item = list ? list->first : NULL; item; item = item->next)
                if (pxr_parse_int(item->text, &epochs) == PXR_NUMBER &&
                    epochs * e->steps_per_epoch > step)
                        return epochs * e->steps_per_epoch;
        return e->all_steps;
}

bool pxr_is_stage_end(const struct pxr_experiment *e, int64_t step)
{
        return step > 0 && pxr_stage_end(e, step - 1) == step;
}

double pxr_experiment_epoch(const struct pxr_experiment *experiment, int64_t step)
{
        return experiment->steps_per_epoch ? (double)step / (double)experiment->steps_per_epoch : 0;
}
