/* SPDX-License-Identifier: MIT */
/*
 * provenance_check.c - whether data, plugins, program, model and what it computes are still those
 * that a run was made with.
 */
#include "experiment/provenance_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "model/fingerprint.h"

enum { MOST_NAMED = 3 }; /* plugins in a message */

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

/* The plugins of a model that are not the files the run was made with; NULL after an error. */
static const char *list_plugins(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                                const struct pxr_model *model, bool *versions,
                                struct pxr_diag *diag)
{
        const struct pxr_built_layer *layer = pxr_layer_of_new_plugin(model, model->layer);
        struct pxr_plugin_row *all, *old;
        const char *list = "";

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
        }
        return list;
}

/* The first of the list, for a message. NULL when memory is out. */
static const char *shorten(struct pxr_arena *arena, const char *list)
{
        const char *end = list;
        int more = 0;

        for (int i = 0; i < MOST_NAMED && end; i++)
                end = strstr(i ? end + 1 : end, ", ");
        for (const char *at = end; at; at = strstr(at + 1, ", "))
                more++;
        return more > 1 ? pxr_strf(arena, "%.*s and %d more", (int)(end - list), list, more) : list;
}

static bool same_program(const struct pxr_run *run, const struct pxr_provenance *now)
{
        const char *was = run->program_revision ? run->program_revision : "";
        const char *is = now->program_revision ? now->program_revision : "";

        return strcmp(run->program_version, now->program_version) == 0 && strcmp(was, is) == 0;
}

int pxr_compare_build(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                      const struct pxr_model *model, struct pxr_build *build, struct pxr_diag *diag)
{
        *build = (struct pxr_build) { .now = pxr_provenance(arena, NULL) };
        if (!build->now)
                return -1;
        build->program = same_program(run, build->now);
        build->plugins = list_plugins(arena, store, run->id, model, &build->versions, diag);
        if (!build->plugins)
                return -1;
        build->few = shorten(arena, build->plugins);
        return pxr_arena_failed(arena) ? -1 : 0;
}

const char *pxr_build_words(const struct pxr_build *build)
{
        return build->known ? "its last bits may differ"
                            : "whether it computes the same is not on record";
}

/* What to do about other layers. Always -1. */
static int put_back(const struct pxr_run *run, struct pxr_diag *diag)
{
        pxr_note(diag,
                 "put back the plugins it was made with ('pxr-report show %" PRId64
                 "' lists them), or train it again (pxr-run --from-run %" PRId64 ")",
                 run->id, run->id);
        return -1;
}

int pxr_check_data(const struct pxr_run *run, const char *identity, struct pxr_diag *diag)
{
        if (strcmp(run->data_identity, identity) == 0)
                return 0;
        return pxr_user_error(diag,
                              "run %" PRId64 " was trained on other data: the data set's identity "
                              "is not the one on record",
                              run->id);
}

int pxr_check_certificate(const struct pxr_run *run, const struct pxr_certificate *certificate,
                          struct pxr_diag *diag)
{
        if (!run->certificate || strcmp(run->certificate, certificate->digest) == 0)
                return 0;
        pxr_user_error(diag,
                       "run %" PRId64 " had another model: the layers no longer build the same "
                       "one from its spec",
                       run->id);
        return put_back(run, diag);
}

/* Compare what is computed in training. 0: the same, 1: not, which is said; or -1. */
static int compare_training(const struct pxr_run *run, const struct pxr_model *model,
                            struct pxr_diag *diag)
{
        struct pxr_fingerprint now;

        if (pxr_fingerprint_take(model, &now, diag))
                return -1;
        if (!pxr_fingerprint_same(now.nll, run->fingerprint_nll, PXR_F64))
                return -pxr_user_error(diag,
                                       "run %" PRId64
                                       " was made with layers that compute something "
                                       "else: a fixed image has %.10g nats here, and had %.10g",
                                       run->id, now.nll, run->fingerprint_nll);
        if (!pxr_fingerprint_same(now.gradient, run->fingerprint_gradient, PXR_F64))
                return -pxr_user_error(
                        diag,
                        "run %" PRId64 " was trained with layers whose backward pass "
                        "computes something else: the gradient of a fixed image sums "
                        "to %.10g here, and did to %.10g",
                        run->id, now.gradient, run->fingerprint_gradient);
        if (!pxr_fingerprint_same(now.single, run->fingerprint_single, PXR_F32))
                return -pxr_user_error(
                        diag,
                        "run %" PRId64 " was made with layers that compute something "
                        "else in single precision: the first pixels of a fixed image "
                        "have %.7g nats here, and had %.7g",
                        run->id, now.single, run->fingerprint_single);
        return 0;
}

/* Compare what is computed in drawing and decoding. 0: the same, 1: not, which is said; or -1. */
static int compare_use(const struct pxr_run *run, const struct pxr_model *model,
                       struct pxr_diag *diag)
{
        double single;

        if (pxr_fingerprint_use(model, &single, diag))
                return -1;
        if (pxr_fingerprint_same(single, run->fingerprint_single, PXR_F32))
                return 0;
        return -pxr_user_error(diag,
                               "run %" PRId64 " was made with layers that compute something else: "
                               "pixel by pixel, the first pixels of a fixed image have %.7g nats "
                               "here, and had %.7g",
                               run->id, single, run->fingerprint_single);
}

int pxr_check_fingerprint(const struct pxr_run *run, const struct pxr_model *model, bool training,
                          struct pxr_build *build, struct pxr_diag *diag)
{
        struct pxr_fingerprint was = { run->fingerprint_nll, run->fingerprint_gradient,
                                       run->fingerprint_single };
        int differs;

        if (run->fingerprint_version != PXR_FINGERPRINT_VERSION)
                return 0;
        build->known = pxr_fingerprint_known(&was);
        differs = training ? compare_training(run, model, diag) : compare_use(run, model, diag);
        if (differs <= 0)
                return differs;
        if (*build->few)
                pxr_note(diag, "these layers are from other files than then: %s", build->few);
        else
                pxr_note(diag, "no layer is from another file: pxr itself is another, or what a "
                               "layer is linked with");
        return put_back(run, diag);
}
