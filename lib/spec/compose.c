/* SPDX-License-Identifier: MIT */
/*
 * compose.c - one spec from several sources: a file, the files it extends, overrides.
 *
 * Uses base/ and tree.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/tree.h"

enum { MAX_EXTENDS = 16 }; /* files that extend one another */

/* The files being loaded, innermost first: to notice a spec that extends itself. */
struct loading {
        const char *path;
        const struct loading *outer;
        int depth;
};

/* Read a whole file, but not more than a spec can have. */
static struct pxr_source *read_source(struct pxr_arena *arena, const char *path,
                                      struct pxr_diag *diag)
{
        bool standard = strcmp(path, "-") == 0;
        FILE *file = standard ? stdin : fopen(path, "rb");
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));
        char *text = pxr_alloc(arena, PXR_SPEC_MAX_BYTES + 2);
        int failed;

        if (!source || !text) {
                pxr_out_of_memory(diag);
                if (file && !standard)
                        fclose(file);
                return NULL;
        }
        if (!file) {
                pxr_user_error(diag, "%s: cannot be opened: %s", path, strerror(errno));
                return NULL;
        }
        source->name = standard ? "standard input" : pxr_strdup(arena, path);
        source->size = fread(text, 1, PXR_SPEC_MAX_BYTES + 1, file);
        source->text = text;
        failed = ferror(file) ? errno : 0;
        if (!standard)
                fclose(file);
        if (failed) {
                pxr_user_error(diag, "%s: cannot be read: %s", path, strerror(failed));
                return NULL;
        }
        return source;
}

/* Join `base` into `spec`: what the spec has stays, mappings are joined key by key. */
static void join(struct pxr_yaml *spec, struct pxr_yaml *base)
{
        struct pxr_yaml *next;

        for (struct pxr_yaml *child = base->first; child; child = next) {
                struct pxr_yaml *own = pxr_yaml_get(spec, child->key);

                next = child->next;
                if (!own)
                        pxr_yaml_append(spec, child);
                else if (own->kind == PXR_YAML_MAPPING && child->kind == PXR_YAML_MAPPING)
                        join(own, child);
        }
}

static struct pxr_yaml *load(struct pxr_arena *arena, const char *path, const struct loading *outer,
                             struct pxr_diag *diag);

static int extend(struct pxr_arena *arena, struct pxr_yaml *spec, const struct pxr_yaml *name,
                  const struct loading *self, struct pxr_diag *diag)
{
        const char *slash = strrchr(self->path, '/');
        struct pxr_yaml *base;
        char *path;

        if (name->kind != PXR_YAML_SCALAR || !*name->text)
                return pxr_error_at(diag, name->mark, "'extends' wants a file, or a list of files");
        if (slash && *name->text != '/')
                path = pxr_strf(arena, "%.*s/%s", (int)(slash - self->path), self->path,
                                name->text);
        else
                path = pxr_strdup(arena, name->text);
        if (!path)
                return pxr_out_of_memory(diag);
        for (const struct loading *at = self; at; at = at->outer) {
                char left[PATH_MAX], right[PATH_MAX];

                if (realpath(at->path, left) && realpath(path, right) && strcmp(left, right) == 0)
                        return pxr_error_at(diag, name->mark, "'%s' extends itself", path);
        }
        if (self->depth >= MAX_EXTENDS)
                return pxr_error_at(diag, name->mark, "more than %d specs extend one another",
                                    MAX_EXTENDS);
        base = load(arena, path, self, diag);
        if (!base) {
                struct pxr_mark mark = name->mark;

                pxr_note(diag, "'%s' is extended on line %d of %s", name->text, mark.line,
                         mark.source->name);
                return -1;
        }
        pxr_yaml_set_origin(base, PXR_ORIGIN_BASE);
        join(spec, base);
        return 0;
}

/* A file with what it extends. The first of several bases wins over the later ones. */
static struct pxr_yaml *load(struct pxr_arena *arena, const char *path, const struct loading *outer,
                             struct pxr_diag *diag)
{
        struct loading self = { path, outer, outer ? outer->depth + 1 : 1 };
        struct pxr_source *source = read_source(arena, path, diag);
        struct pxr_yaml *spec = source ? pxr_yaml_parse(arena, source, diag) : NULL;
        struct pxr_yaml *extends;

        if (!spec)
                return NULL;
        if (spec->kind != PXR_YAML_MAPPING) {
                pxr_error_at(diag, spec->mark, "a spec is a mapping (name: ..., data: ...)");
                return NULL;
        }
        extends = pxr_yaml_get(spec, "extends");
        if (!extends)
                return spec;
        pxr_yaml_remove(extends);
        if (extends->kind != PXR_YAML_SEQUENCE)
                return extend(arena, spec, extends, &self, diag) ? NULL : spec;
        for (struct pxr_yaml *name = extends->first; name; name = name->next)
                if (extend(arena, spec, name, &self, diag))
                        return NULL;
        return spec;
}

/* --- overrides ---------------------------------------------------------------------------------
 */

/* The child of `node` that the path's next name means; made where a mapping lacks it. A scalar NAME
 * that a path goes on from (`optimizer: rmsprop`, `- relu`) stands for {NAME: {}}. */
static struct pxr_yaml *descend(struct pxr_arena *arena, struct pxr_yaml *node, const char *name,
                                struct pxr_mark mark, struct pxr_diag *diag)
{
        struct pxr_yaml *child;

        if (pxr_yaml_empty(node)) {
                node->kind = PXR_YAML_MAPPING;
        } else if (node->kind == PXR_YAML_SCALAR && strcmp(node->text, name) == 0) {
                child = pxr_yaml_new(arena, PXR_YAML_MAPPING, node->text, NULL, node);
                if (!child)
                        goto no_memory;
                node->kind = PXR_YAML_MAPPING;
                pxr_yaml_append(node, child);
        }
        child = pxr_yaml_find(node, name);
        if (child)
                return child;
        if (node->kind == PXR_YAML_SEQUENCE) {
                pxr_error_at(diag, mark, "'%s' is no number of the list's items, 0 to %d", name,
                             node->count - 1);
                return NULL;
        }
        if (node->kind == PXR_YAML_SCALAR) {
                pxr_error_at(diag, mark, "there is nothing below '%s' in the spec", node->text);
                return NULL;
        }
        child = pxr_yaml_new(arena, PXR_YAML_MAPPING, name, NULL, node);
        if (!child)
                goto no_memory;
        child->mark = child->key_mark = mark;
        child->origin = PXR_ORIGIN_OVERRIDE;
        pxr_yaml_append(node, child);
        return child;

no_memory:
        pxr_out_of_memory(diag);
        return NULL;
}

int pxr_yaml_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      struct pxr_diag *diag)
{
        const char *equals = strchr(argument, '=');
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));
        struct pxr_yaml *node = root, *value;
        const char *at = argument;

        if (!equals || equals == argument)
                return pxr_user_error(diag, "'%s' is no override: KEY=VALUE is wanted", argument);
        if (!source || !(source->text = pxr_strdup(arena, argument)))
                return pxr_out_of_memory(diag);
        source->name = "command line";
        source->size = strlen(argument);
        value = pxr_yaml_parse_at(arena, source, equals + 1 - argument, diag);
        if (!value)
                return -1;
        if (equals[1] == '\0') /* nothing: an empty value, not an empty mapping */
                *value = (struct pxr_yaml) { .kind = PXR_YAML_SCALAR,
                                             .text = "",
                                             .mark = value->mark };
        while (at < equals) {
                size_t length = strcspn(at, ".=");
                char *name = pxr_strndup(arena, at, length);
                struct pxr_mark mark = { source, 1, (int)(at - argument) + 1, (int)length };

                if (!name)
                        return pxr_out_of_memory(diag);
                if (!length)
                        return pxr_error_at(diag, mark, "a name is missing here");
                node = descend(arena, node, name, mark, diag);
                if (!node)
                        return -1;
                at += length + (at[length] == '.');
        }
        pxr_yaml_set_origin(value, PXR_ORIGIN_OVERRIDE);
        pxr_yaml_replace(node, value);
        if (value->key)
                value->key_mark = (struct pxr_mark) { source, 1, 1, (int)(equals - argument) };
        return 0;
}

struct pxr_yaml *pxr_spec_load(struct pxr_arena *arena, const char *path,
                               const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        struct pxr_yaml *root = load(arena, path, NULL, diag);
        int status = 0;

        for (size_t i = 0; root && i < count; i++)
                if (pxr_yaml_override(arena, root, overrides[i], diag))
                        status = -1;
        return status ? NULL : root;
}
