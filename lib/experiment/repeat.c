/* SPDX-License-Identifier: MIT */
/* repeat.c - a run's spec and data found again, perhaps from another folder. */
#include "experiment/repeat.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/recipe.h"

static bool same_file(const char *a, const char *b)
{
        char left[PATH_MAX], right[PATH_MAX];

        return realpath(a, left) && realpath(b, right) && strcmp(left, right) == 0;
}

int pxr_run_data(struct pxr_arena *arena, const struct pxr_run *run, const char **path,
                 struct pxr_diag *diag)
{
        struct pxr_yaml *root = pxr_spec_recorded(arena, run->spec, diag);
        const struct pxr_yaml *node = root ? pxr_yaml_find(root, "data.path") : NULL;
        const char *there;

        *path = NULL;
        if (!root)
                return -1;
        if (!run->folder || !node || node->kind != PXR_YAML_SCALAR || *node->text == '/')
                return 0;
        there = pxr_strf(arena, "%s/%s", run->folder, node->text);
        if (!there)
                return pxr_out_of_memory(diag);
        if (access(there, F_OK) == 0 && !same_file(there, node->text))
                *path = there;
        return 0;
}

int pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run, const char *path,
                   struct pxr_spec_origin *origin, struct pxr_diag *diag)
{
        if (!path && pxr_run_data(arena, run, &path, diag))
                return -1;
        *origin =
                (struct pxr_spec_origin) { .path = pxr_strf(arena, "spec of run %" PRId64, run->id),
                                           .recorded = run->spec,
                                           .data_path = path };
        return origin->path ? 0 : pxr_out_of_memory(diag);
}

static bool is_found(const struct pxr_plugins *plugins, const char *name)
{
        const struct pxr_plugin_file *file = plugins->file;

        while (file && !(file->layer && strcmp(file->layer->name, name) == 0))
                file = file->next;
        return file != NULL;
}

void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag)
{
        const struct pxr_plugins *plugins = pxr_plugins_open(arena, NULL);
        struct pxr_plugin_row *list;

        if (!plugins || pxr_store_plugins(store, arena, run->id, &list, NULL))
                return;
        for (; list; list = list->next)
                if (!is_found(plugins, list->name))
                        pxr_note(diag,
                                 "the run had '%s' from %s%s%s: set PXR_LAYER_PATH to its folder",
                                 list->name, *list->path != '/' && run->folder ? run->folder : "",
                                 *list->path != '/' && run->folder ? "/" : "", list->path);
}
