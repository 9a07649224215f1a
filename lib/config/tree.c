/* SPDX-License-Identifier: MIT */
/*
 * tree.c - finding one's way in a spec's tree, and changing it.
 */
#include "config/tree.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { MAX_SHOWN = 100 }; /* bytes of an override that are shown where a value comes from */

void pxr_yaml_append(struct pxr_yaml *parent, struct pxr_yaml *child)
{
        if (parent->last)
                parent->last->next = child;
        else
                parent->first = child;
        parent->last = child;
        child->parent = parent;
        child->next = NULL;
        parent->count++;
}

void pxr_yaml_remove(struct pxr_yaml *child)
{
        struct pxr_yaml *parent = child->parent, **link = &parent->first, *before = NULL;

        for (; *link != child; link = &before->next)
                before = *link;
        *link = child->next;
        if (!child->next)
                parent->last = before;
        parent->count--;
        child->parent = child->next = NULL;
}

struct pxr_yaml *pxr_yaml_new(struct pxr_arena *arena, enum pxr_yaml_kind kind, const char *key,
                              const char *text, const struct pxr_yaml *like)
{
        struct pxr_yaml *node = pxr_alloc(arena, sizeof(*node));

        if (!node)
                return NULL;
        node->kind = kind;
        node->key = key;
        node->text = text;
        node->origin = like->origin;
        node->location = like->location;
        node->key_location = like->location;
        return node;
}

void pxr_yaml_set_origin(struct pxr_yaml *node, enum pxr_origin origin)
{
        node->origin = origin;
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                pxr_yaml_set_origin(child, origin);
}

bool pxr_yaml_empty(const struct pxr_yaml *node)
{
        static const char *const words[] = { "", "~", "null", "Null", "NULL" };

        if (node->kind != PXR_YAML_SCALAR || node->quoted)
                return false;
        for (size_t i = 0; i < PXR_COUNT(words); i++)
                if (strcmp(node->text, words[i]) == 0)
                        return true;
        return false;
}

void pxr_yaml_become(struct pxr_yaml *node, const struct pxr_yaml *value)
{
        node->kind = value->kind;
        node->origin = value->origin;
        node->location = value->location;
        node->text = value->text;
        node->quoted = value->quoted;
        node->first = value->first;
        node->last = value->last;
        node->count = value->count;
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                child->parent = node;
}

void pxr_yaml_become_mapping(struct pxr_yaml *node)
{
        node->kind = PXR_YAML_MAPPING;
        node->text = NULL;
        node->quoted = false;
}

int pxr_yaml_name_to_mapping(struct pxr_arena *arena, struct pxr_yaml *node)
{
        struct pxr_yaml *child = pxr_yaml_new(arena, PXR_YAML_MAPPING, node->text, NULL, node);

        if (!child)
                return -1;
        pxr_yaml_become_mapping(node);
        pxr_yaml_append(node, child);
        return 0;
}

int pxr_yaml_wrap(struct pxr_arena *arena, struct pxr_yaml *node, const char *key)
{
        struct pxr_yaml *inner = pxr_yaml_new(arena, node->kind, key, NULL, node);

        if (!inner)
                return -1;
        pxr_yaml_become(inner, node);
        pxr_yaml_become(node,
                        &(struct pxr_yaml) { .kind = key ? PXR_YAML_MAPPING : PXR_YAML_SEQUENCE,
                                             .origin = node->origin,
                                             .location = node->location });
        pxr_yaml_append(node, inner);
        return 0;
}

struct pxr_yaml *pxr_yaml_get(const struct pxr_yaml *node, const char *key)
{
        if (!node || node->kind != PXR_YAML_MAPPING)
                return NULL;
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                if (strcmp(child->key, key) == 0)
                        return child;
        return NULL;
}

/* Is the child number `index` of a collection the one that a name means? */
static bool goes_by(const struct pxr_yaml *child, int index, const char *name, size_t length)
{
        char number[16];

        if (child->key)
                return strncmp(child->key, name, length) == 0 && !child->key[length];
        snprintf(number, sizeof(number), "%d", index);
        return strlen(number) == length && strncmp(number, name, length) == 0;
}

struct pxr_yaml *pxr_yaml_step(const struct pxr_yaml *node, const char *path, const char **rest)
{
        size_t length = strcspn(path, ".");
        int index = 0;

        *rest = path + length + (path[length] == '.');
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                if (goes_by(child, index++, path, length))
                        return child;
        return NULL;
}

struct pxr_yaml *pxr_yaml_find(struct pxr_yaml *root, const char *path)
{
        while (root && *path)
                root = pxr_yaml_step(root, path, &path);
        return root;
}

char *pxr_yaml_path(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        char *above;
        int number = 0;

        if (!node->parent)
                return pxr_strdup(arena, "");
        above = pxr_yaml_path(arena, node->parent);
        if (node->key)
                return pxr_strf(arena, "%s%s%s", above, *above ? "." : "", node->key);
        for (const struct pxr_yaml *child = node->parent->first; child != node; child = child->next)
                number++;
        return pxr_strf(arena, "%s%s%d", above, *above ? "." : "", number);
}

char *pxr_yaml_origin(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        const struct pxr_source *source = node->location.source;
        bool shown;

        if (node->origin == PXR_ORIGIN_DEFAULT || !source)
                return pxr_strdup(arena, "default");
        if (node->origin != PXR_ORIGIN_OVERRIDE)
                return pxr_strf(arena, "%s:%d:%d", source->name, node->location.line,
                                node->location.column);
        shown = source->size <= MAX_SHOWN && pxr_one_line(source->text);
        return pxr_strf(arena, "%s: %.*s%s", source->name,
                        (int)(shown ? source->size : strcspn(source->text, "=")), source->text,
                        shown ? "" : "=...");
}
