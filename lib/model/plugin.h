/* SPDX-License-Identifier: MIT */
/*
 * plugin.h - finding and loading layer plugins.
 *
 * A plugin is a shared module NAME.so in one of the folders searched: those of $PXR_LAYER_PATH
 * (separated by ':'), then the build tree's when the program runs from one, else the one installed
 * with the program. A file that cannot be used is remembered with the reason.
 */
#ifndef PXR_MODEL_PLUGIN_H
#define PXR_MODEL_PLUGIN_H

#include <pxr/arena.h>
#include <pxr/layer.h>

#include "config/yaml.h"

/* One file found, or a folder of $PXR_LAYER_PATH that cannot be read. */
struct pxr_plugin_file {
        const char *path;
        const char *problem;            /* why it cannot be used; NULL: all is well */
        const struct pxr_layer *layer;  /* NULL where there is a problem */
        const char *version;            /* of pxr that it was built with */
        const struct pxr_plugin *entry; /* what it exports; NULL: it is this program's */
        bool unread; /* the system failed to read it: it may be what is looked for */
        struct pxr_plugin_file *next;
};

struct pxr_plugins {
        struct pxr_plugin_file *file; /* by folder, then by name */
        const char *searched;         /* the folders, for messages */
};

/* Search without loading anything: only what is not a plain file has a problem. Warns of folders
 * and files that other users can write to, once of each. Lasts as long as the arena. NULL only when
 * out of memory. */
struct pxr_plugins *pxr_plugins_search(struct pxr_arena *arena, struct pxr_diag *diag);

/* Load one, which has no problem yet, and set its problem or its layer. It runs the module's code,
 * and so may do anything. Returns 0, or -1 when out of memory. */
int pxr_plugin_load(struct pxr_arena *arena, struct pxr_plugin_file *file);

/* Search and load. Lasts as long as the arena. NULL only when out of memory: a file that cannot be
 * used is no error until its layer is looked for. */
struct pxr_plugins *pxr_plugins_open(struct pxr_arena *arena, struct pxr_diag *diag);

/* The layer of this name. NULL after an error at `location`: no such layer (with the nearest name),
 * or two files that offer it. */
const struct pxr_plugin_file *pxr_plugin_find(const struct pxr_plugins *plugins, const char *name,
                                              struct pxr_location location, struct pxr_diag *diag);

#endif
