/* SPDX-License-Identifier: MIT */
/*
 * provenance_check.c - whether data, layers, program and what they compute are still those that a
 * run was made with.
 */
#include "experiment/provenance_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "model/fingerprint.h"

enum { MOST_NAMED = 3 }; /* plugins in a message */

const char *pxr_program_text(struct pxr_arena *arena, const char *version, const char *revision)
{
        return revision && *revision ? pxr_strf(arena, "pxr %s of revision %s", version, revision)
                                     : pxr_strf(arena, "pxr %s", version);
}

const char *pxr_build_text(const struct pxr_build *build)
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

/* --- files and versions ------------------------------------------------------------------------
 */

/* A plugin that is not the file on record, with the versions or else the files' hashes. */
static const char *describe_plugin(struct pxr_arena *arena, const struct pxr_plugin_row *was,
                                   const struct pxr_plugin_file *is, const char *hex)
{
        const char *name = is->layer->name;

        if (!was)
                return name;
        return strcmp(was->version, is->version) == 0
                       ? pxr_strf(arena, "%s %.8s (here %.8s)", name, was->sha256, hex)
                       : pxr_strf(arena, "%s %s (here %s)", name, was->version, is->version);
}

/* List the plugins of a model that are not the files the run was made with. */
static int compare_plugins(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                           const struct pxr_model *model, struct pxr_build *build,
                           struct pxr_diag *diag)
{
        const struct pxr_built_layer *layer = pxr_layer_of_new_plugin(model, model->layer);
        struct pxr_plugin_row *all, *was;
        int count = 0;

        if (pxr_store_plugins(store, arena, run, &all, diag))
                return -1;
        for (; layer; layer = pxr_layer_of_new_plugin(model, layer->next)) {
                const struct pxr_plugin_file *is = layer->plugin;
                char hex[PXR_SHA256_HEX];

                if (pxr_sha256_file(is->path, hex, diag))
                        return -1;
                for (was = all; was && strcmp(was->name, is->layer->name) != 0;)
                        was = was->next;
                if (was && strcmp(was->sha256, hex) == 0)
                        continue;
                build->versions |= was && strcmp(was->version, is->version) != 0;
                build->plugins = pxr_strf(arena, "%s%s%s", build->plugins, count > 0 ? ", " : "",
                                          describe_plugin(arena, was, is, hex));
                if (++count <= MOST_NAMED)
                        build->few = build->plugins;
        }
        if (count == MOST_NAMED + 1)
                build->few = build->plugins;
        else if (count > MOST_NAMED)
                build->few = pxr_strf(arena, "%s and %d more", build->few, count - MOST_NAMED);
        return pxr_arena_failed(arena) ? -1 : 0;
}

/* --- what is computed --------------------------------------------------------------------------
 */

static int differs(const struct pxr_run *run, const char *what, double was, double is,
                   const struct pxr_build *build, struct pxr_diag *diag)
{
        pxr_user_error(diag,
                       "run %" PRId64 " was made with layers that compute something else: %s is "
                       "%.10g here, and was %.10g",
                       run->id, what, is, was);
        if (*build->few)
                pxr_note(diag, "these layers are from other files than then: %s", build->few);
        else
                pxr_note(diag, "no layer is from another file: pxr itself is another, or what a "
                               "layer is linked with");
        return put_back(run, diag);
}

/* Returns 0, or -1 where what is computed is on record and differs. */
static int check_fingerprint(const struct pxr_run *run, const struct pxr_model *model,
                             enum pxr_reuse purpose, struct pxr_build *build, struct pxr_diag *diag)
{
        const struct pxr_fingerprint was = { run->fingerprint_nll, run->fingerprint_gradient,
                                             run->fingerprint_single };
        struct pxr_fingerprint is = was;
        bool draws = purpose == PXR_TO_DRAW;

        if (run->fingerprint_version != PXR_FINGERPRINT_VERSION)
                return 0;
        build->known = pxr_fingerprint_known(&was);
        if (pxr_fingerprint_take(model, draws, &is, diag))
                return -1;
        if (!pxr_fingerprint_same(is.nll, was.nll, PXR_F64))
                return differs(run, "the NLL of a fixed image", was.nll, is.nll, build, diag);
        if (!pxr_fingerprint_same(is.gradient, was.gradient, PXR_F64))
                return differs(run, "the gradient of a fixed image", was.gradient, is.gradient,
                               build, diag);
        if (!pxr_fingerprint_same(is.single, was.single, PXR_F32))
                return differs(run,
                               draws ? "pixel by pixel, the NLL of a fixed image's first pixels"
                                     : "in single precision, the NLL of a fixed image's first "
                                       "pixels",
                               was.single, is.single, build, diag);
        return 0;
}

int pxr_check_model(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                    const struct pxr_experiment *e, enum pxr_reuse purpose, struct pxr_build *build,
                    struct pxr_diag *diag)
{
        struct pxr_run *now = pxr_provenance(arena, NULL);

        if (!now)
                return -1;
        *build = (struct pxr_build) { .now = now, .plugins = "", .few = "" };
        build->program =
                strcmp(pxr_program_text(arena, run->program_version, run->program_revision),
                       pxr_program_text(arena, now->program_version, now->program_revision)) == 0;
        if (compare_plugins(arena, store, run->id, e->model, build, diag))
                return -1;
        /* Another version of a layer may be meant to compute something else. */
        if (purpose == PXR_TO_RESUME && build->versions) {
                pxr_user_error(diag,
                               "run %" PRId64 " was trained with another version of its layers: %s",
                               run->id, build->plugins);
                return put_back(run, diag);
        }
        if (run->certificate && strcmp(run->certificate, e->certificate.digest) != 0) {
                pxr_user_error(diag,
                               "run %" PRId64 " had another model: the layers no longer build the "
                               "same one from its spec",
                               run->id);
                return put_back(run, diag);
        }
        return check_fingerprint(run, e->model, purpose, build, diag);
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
