/* SPDX-License-Identifier: MIT */
/*
 * tree.c - finding one's way in a spec's tree, and changing it.
 *
 * Uses base/.
 */
#include "spec/tree.h"

#include <stdlib.h>
#include <string.h>

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

/* The child before `child`, or NULL. */
static struct pxr_yaml *before(const struct pxr_yaml *child)
{
        struct pxr_yaml *at = child->parent->first;

        if (at == child)
                return NULL;
        while (at->next != child)
                at = at->next;
        return at;
}

/* Make `next` follow `previous` (NULL: be the first child), where `old` was. */
static void relink(struct pxr_yaml *old, struct pxr_yaml *previous, struct pxr_yaml *next,
                   struct pxr_yaml *last)
{
        struct pxr_yaml *parent = old->parent;

        if (previous)
                previous->next = next;
        else
                parent->first = next;
        if (parent->last == old)
                parent->last = last;
        old->parent = old->next = NULL;
}

void pxr_yaml_replace(struct pxr_yaml *old, struct pxr_yaml *child)
{
        if (!old->parent) /* the root */
                return;
        child->next = old->next;
        child->parent = old->parent;
        child->key = old->key;
        child->key_mark = old->key_mark;
        relink(old, before(old), child, child);
}

void pxr_yaml_remove(struct pxr_yaml *child)
{
        struct pxr_yaml *previous = before(child);

        child->parent->count--;
        relink(child, previous, child->next, previous);
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
        node->mark = like->mark;
        node->key_mark = like->mark;
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
        return node->kind == PXR_YAML_SCALAR && !node->quoted && !*node->text;
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

/* A child by key, or by its number in a sequence. */
static struct pxr_yaml *step(struct pxr_yaml *node, const char *name, size_t length)
{
        char key[256], *end;
        struct pxr_yaml *child = node->first;
        long number;

        if (length >= sizeof(key))
                return NULL;
        memcpy(key, name, length);
        key[length] = '\0';
        if (node->kind == PXR_YAML_MAPPING)
                return pxr_yaml_get(node, key);
        number = strtol(key, &end, 10);
        if (node->kind != PXR_YAML_SEQUENCE || *end || end == key || number < 0)
                return NULL;
        while (child && number--)
                child = child->next;
        return child;
}

struct pxr_yaml *pxr_yaml_find(struct pxr_yaml *root, const char *path)
{
        while (root && *path) {
                size_t length = strcspn(path, ".");

                root = step(root, path, length);
                path += length + (path[length] == '.');
        }
        return root;
}

char *pxr_yaml_path(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        char *above;
        int number = 0;

        if (!node->parent)
                return pxr_strdup(arena, "");
        above = pxr_yaml_path(arena, node->parent);
        if (!above)
                return NULL;
        if (node->key)
                return pxr_strf(arena, "%s%s%s", above, *above ? "." : "", node->key);
        for (const struct pxr_yaml *child = node->parent->first; child != node; child = child->next)
                number++;
        return pxr_strf(arena, "%s%s%d", above, *above ? "." : "", number);
}

char *pxr_yaml_origin(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        if (node->origin == PXR_ORIGIN_DEFAULT || !node->mark.source)
                return pxr_strdup(arena, "default");
        if (node->origin == PXR_ORIGIN_OVERRIDE)
                return pxr_strf(arena, "%s: %s", node->mark.source->name, node->mark.source->text);
        return pxr_strf(arena, "%s:%d:%d", node->mark.source->name, node->mark.line,
                        node->mark.column);
}
