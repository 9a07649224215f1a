/* SPDX-License-Identifier: MIT */
/* repeat.c - the spec of a recorded run, to be run again. */
#include "experiment/repeat.h"

#include <inttypes.h>
#include <string.h>

void pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run, const char *path,
                    struct pxr_spec_origin *origin)
{
        *origin =
                (struct pxr_spec_origin) { .path = pxr_strf(arena, "spec of run %" PRId64, run->id),
                                           .recorded = run->spec,
                                           .folder = run->folder,
                                           .data_path = path };
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
