/* SPDX-License-Identifier: MIT */
/*
 * override.c - "train.batch=32": one value of a spec replaced from the command line, or by a sweep.
 */
#include <string.h>

#include "base/text.h"
#include "config/tree.h"

/* One override, and how far its path has been followed. */
struct override {
        struct pxr_arena *arena;
        const struct pxr_source *source;
        const struct pxr_override_location *where; /* NULL: the source itself */
        struct pxr_diag *diag;
        struct pxr_location location; /* of the name in hand */
};

/* Make a scalar that the path goes on from a mapping: NAME (`optimizer: rmsprop`, `- relu`) stands
 * for {NAME: {}}, and anything but that name is replaced, as every value is. */
static int open_scalar(const struct override *o, struct pxr_yaml *node, const char *name)
{
        if (!node->quoted && strcmp(node->text, name) == 0)
                return pxr_yaml_name_to_mapping(o->arena, node);
        if (!pxr_yaml_empty(node)) {
                node->location = o->location;
                node->origin = PXR_ORIGIN_OVERRIDE;
        }
        pxr_yaml_become_mapping(node);
        return 0;
}

static int no_item(const struct override *o, const struct pxr_yaml *list, const char *name)
{
        if (!list->count)
                return pxr_error_at(o->diag, o->location, "no item '%s': the list is empty", name);
        return pxr_error_at(o->diag, o->location, "no item '%s': the list has items 0 to %d", name,
                            list->count - 1);
}

/* The child of `node` that a name of the path means; made where a mapping lacks it. */
static struct pxr_yaml *descend(const struct override *o, struct pxr_yaml *node, const char *name)
{
        struct pxr_yaml *child;
        const char *rest;

        if (node->kind == PXR_YAML_SCALAR && open_scalar(o, node, name))
                return NULL;
        child = pxr_yaml_step(node, name, &rest);
        if (child)
                return child;
        if (node->kind == PXR_YAML_SEQUENCE) {
                no_item(o, node, name);
                return NULL;
        }
        child = pxr_yaml_new(
                o->arena, PXR_YAML_MAPPING, name, NULL,
                &(struct pxr_yaml) { .origin = PXR_ORIGIN_OVERRIDE, .location = o->location });
        if (child)
                pxr_yaml_append(node, child);
        return child;
}

/* The node that the path from `at` to `equals` leads to, made where it is not there. */
static struct pxr_yaml *follow(struct override *o, struct pxr_yaml *root, const char *equals,
                               struct pxr_bounds *bounds)
{
        const char *text = o->source->text, *at = text;
        struct pxr_yaml *node = root;

        do {
                size_t length = strcspn(at, ".=");
                char *name = pxr_strndup(o->arena, at, length);

                o->location = (struct pxr_location) { o->source, 1, pxr_characters(text, at) + 1,
                                                      pxr_characters(at, at + length) };
                if (o->where)
                        o->location = o->where->key;
                if (!length || !pxr_one_line(name)) {
                        pxr_error_at(o->diag, o->location,
                                     length ? "a name cannot hold control characters"
                                            : "a name is missing here");
                        return NULL;
                }
                if (++bounds->depth >= bounds->max_depth) {
                        pxr_error_at(o->diag, o->location,
                                     "a spec can be %d levels deep and no more", bounds->max_depth);
                        return NULL;
                }
                node = descend(o, node, name);
                at += length;
        } while (node && at++ < equals);
        return node;
}

/* Give a value the locations that it has where it is written; a value that was drawn from a range,
 * and is not written anywhere, those of the range. */
static void set_locations(struct pxr_yaml *node, const struct pxr_yaml *written)
{
        const struct pxr_yaml *from = written->first;
        bool alike = written->kind == node->kind && written->count == node->count;

        node->location = written->location;
        for (struct pxr_yaml *child = node->first; child; child = child->next) {
                const struct pxr_yaml *like = alike ? from : written;

                if (child->key)
                        child->key_location = like->key ? like->key_location : like->location;
                set_locations(child, like);
                from = alike ? from->next : NULL;
        }
}

int pxr_yaml_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      const struct pxr_override_location *where, struct pxr_bounds *bounds,
                      struct pxr_diag *diag)
{
        const char *equals = strchr(argument, '=');
        const struct pxr_source *source =
                pxr_source_new(arena, "command line", pxr_strdup(arena, argument));
        struct override o = { .arena = arena,
                              .source = source,
                              .where = where && where->key.source ? where : NULL,
                              .diag = diag };
        struct pxr_yaml *node, *value;

        if (!equals || equals == argument)
                return pxr_user_error(diag, "invalid override '%s': expected KEY=VALUE", argument);
        if (!pxr_is_utf8(argument))
                return pxr_user_error(diag, "'%s' is not UTF-8 text", argument);
        if (!source)
                return -1;
        if (strncmp(argument, "extends=", 8) == 0)
                return pxr_error_at(
                        diag, o.where ? o.where->key : (struct pxr_location) { source, 1, 1, 7 },
                        "'extends' is allowed in files only");
        bounds->depth = 0;
        node = follow(&o, root, source->text + (equals - argument), bounds);
        if (!node)
                return -1;
        value = pxr_yaml_parse_at(arena, source, (size_t)(equals + 1 - argument), bounds, diag);
        if (!value)
                return -1;
        pxr_yaml_set_origin(value, PXR_ORIGIN_OVERRIDE);
        if (o.where)
                set_locations(value, o.where->value);
        pxr_yaml_become(node, value);
        if (node->key)
                node->key_location = o.location;
        return 0;
}

int pxr_spec_set_text(struct pxr_arena *arena, struct pxr_yaml *node, const char *key,
                      const char *text, struct pxr_diag *diag)
{
        const char *argument = pxr_strf(arena, "%s=%s", key, text);
        const struct pxr_source *source = pxr_source_new(arena, "command line", argument);

        if (!pxr_is_utf8(text))
                return pxr_user_error(diag, "'%s' is not UTF-8 text", text);
        if (!source)
                return -1;
        node->text = argument + strlen(key) + 1;
        node->quoted = true;
        node->origin = PXR_ORIGIN_OVERRIDE;
        node->location = (struct pxr_location) { source, 1, (int)strlen(key) + 2,
                                                 pxr_characters(text, text + strlen(text)) };
        return 0;
}
