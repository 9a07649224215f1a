/* SPDX-License-Identifier: MIT */
/*
 * words.c - option tables and values in words, for help texts and --explain.
 *
 * Uses base/ and tree.h.
 */
#include <string.h>

#include "spec/options.h"
#include "spec/tree.h"

/* "A, B or C" */
static const char *join_names(struct pxr_arena *arena, const struct pxr_option *option)
{
        const char *list = "";

        for (int i = 0;; i++) {
                const char *name = option->names      ? option->names[i]
                                   : option->variants ? option->variants[i].name
                                                      : NULL;

                if (!name)
                        return list;
                list = pxr_strf(arena, "%s%s%s", list, i ? ", " : "", name);
                if (!list)
                        return "";
        }
}

static char *type_words(struct pxr_arena *arena, const struct pxr_option *option)
{
        switch (option->type) {
        case PXR_TYPE_BOOL:
                return pxr_strdup(arena, "true or false");
        case PXR_TYPE_INT:
                return pxr_strf(arena, "integer, %.15g to %.15g", option->minimum, option->maximum);
        case PXR_TYPE_REAL:
                return pxr_strf(arena, "number, %.15g to %.15g", option->minimum, option->maximum);
        case PXR_TYPE_STRING:
                return pxr_strdup(arena, "string");
        case PXR_TYPE_ENUM:
                return pxr_strf(arena, "one of %s", join_names(arena, option));
        case PXR_TYPE_ENUM_SET:
                return pxr_strf(arena, "list of %s", join_names(arena, option));
        case PXR_TYPE_INTERVAL:
                return pxr_strdup(arena, "interval: '5 epochs', '100 steps' or 'never'");
        case PXR_TYPE_CHOICE:
                return pxr_strf(arena, "one of %s, with options of its own",
                                join_names(arena, option));
        case PXR_TYPE_SECTION:
        case PXR_TYPE_NODE:
                return pxr_strdup(arena, "mapping");
        case PXR_TYPE_LAYERS:
                return pxr_strdup(arena, "list of layers");
        case PXR_TYPE_END:
                break;
        }
        return pxr_strdup(arena, "");
}

char *pxr_option_words(struct pxr_arena *arena, const struct pxr_option *option)
{
        char *type = type_words(arena, option);

        if (!type || option->type == PXR_TYPE_SECTION)
                return type;
        if (!option->initial)
                return pxr_strf(arena, "%s; required", type);
        if (!*option->initial)
                return type;
        return pxr_strf(arena, "%s; default %s", type, option->initial);
}

/* Lines for every scalar in `node`, put behind `text`. */
static char *explain_node(struct pxr_arena *arena, const struct pxr_yaml *node, char *text)
{
        char *path, *origin;

        for (const struct pxr_yaml *child = node->first; child && text; child = child->next)
                text = explain_node(arena, child, text);
        if (node->first || !text)
                return text;
        path = pxr_yaml_path(arena, node);
        origin = pxr_yaml_origin(arena, node);
        if (!path || !origin)
                return NULL;
        return pxr_strf(arena, "%s%s = %s (%s)\n", text, path,
                        node->kind == PXR_YAML_SCALAR    ? node->text
                        : node->kind == PXR_YAML_MAPPING ? "{}"
                                                         : "[]",
                        origin);
}

static void hint_key(const struct pxr_yaml *mapping, const char *name, struct pxr_diag *diag)
{
        const char *names[256], *nearest;
        size_t count = 0;

        for (const struct pxr_yaml *child = mapping->first; child && count < 256;
             child = child->next)
                if (child->key)
                        names[count++] = child->key;
        nearest = pxr_nearest(name, names, count);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
}

char *pxr_yaml_explain(struct pxr_arena *arena, struct pxr_yaml *root, const char *path,
                       struct pxr_diag *diag)
{
        struct pxr_yaml *node = root;
        const char *at = path;
        char *text;

        while (*at) {
                size_t length = strcspn(at, ".");
                char *name = pxr_strndup(arena, at, length);
                struct pxr_yaml *child = name ? pxr_yaml_find(node, name) : NULL;

                if (!child) {
                        pxr_user_error(diag, "the spec has no key '%s'", path);
                        if (name)
                                hint_key(node, name, diag);
                        return NULL;
                }
                node = child;
                at += length + (at[length] == '.');
        }
        text = explain_node(arena, node, pxr_strdup(arena, ""));
        if (!text)
                pxr_out_of_memory(diag);
        return text;
}
