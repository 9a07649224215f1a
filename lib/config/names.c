/* SPDX-License-Identifier: MIT */
/*
 * names.c - values that are one of several names: an enum, a set of them, a choice with options.
 */
#include <string.h>

#include "base/text.h"
#include "config/tree.h"
#include "config/values.h"

/* Behind an error about a name: the nearest one, and all there are. */
static void show_names(const struct pxr_value *v, const char *name)
{
        const char *names[PXR_MOST_NAMES];
        size_t count = pxr_option_names(v->row, names);

        pxr_hint_nearest(v->diag, name, names, count);
        pxr_note(v->diag, "it can be %s", pxr_join(v->arena, names, count, " or "));
}

/* Position of a scalar's text in the row's names, or -1 after an error. */
static int name_index(const struct pxr_value *v, struct pxr_yaml *node)
{
        bool scalar = node->kind == PXR_YAML_SCALAR;
        const char *got = scalar ? "empty" : "a list or a mapping";

        for (int i = 0; scalar && v->row->names[i]; i++)
                if (strcmp(v->row->names[i], node->text) == 0) {
                        node->quoted = false;
                        return i;
                }
        if (scalar && !pxr_yaml_empty(node))
                got = pxr_strf(v->arena, "'%s'", node->text);
        pxr_error_at(v->diag, node->location, "%s: '%s' cannot be %s", v->what, v->row->name, got);
        show_names(v, scalar ? node->text : "");
        return -1;
}

int pxr_read_enum(const struct pxr_value *v)
{
        int index = name_index(v, v->node);

        if (index < 0)
                return -1;
        *(int *)v->field = index;
        return 0;
}

/* A set has no order and nothing twice. Its names are listed as the table has them. */
int pxr_read_enum_set(const struct pxr_value *v)
{
        struct pxr_yaml *node = v->node, *member[32] = { 0 }, *next;
        uint32_t set = 0;
        int status = 0;

        if (node->kind == PXR_YAML_SCALAR && pxr_yaml_wrap(v->arena, node, NULL))
                return -1;
        if (node->kind == PXR_YAML_MAPPING)
                return pxr_value_wrong(v, "must be a list of names, not a mapping");
        for (struct pxr_yaml *name = node->first; name; name = name->next) {
                int index = name_index(v, name);

                if (index < 0) {
                        status = -1;
                        continue;
                }
                set |= (uint32_t)1 << index;
                if (!member[index])
                        member[index] = name;
        }
        if (status)
                return -1;
        for (struct pxr_yaml *name = node->first; name; name = next) {
                next = name->next;
                pxr_yaml_remove(name);
        }
        for (int i = 0; i < 32; i++)
                if (member[i])
                        pxr_yaml_append(node, member[i]);
        *(uint32_t *)v->field = set;
        return 0;
}

/* --- choices -----------------------------------------------------------------------------------
 */

/* NAME alone becomes {NAME: {}}. */
static int open_choice(const struct pxr_value *v)
{
        struct pxr_yaml *node = v->node;

        if (node->kind == PXR_YAML_SCALAR && !pxr_yaml_empty(node))
                return pxr_yaml_name_to_mapping(v->arena, node);
        if (node->kind == PXR_YAML_MAPPING && node->first)
                return 0;
        pxr_value_wrong(v, "must be a name, or NAME: {options}");
        show_names(v, "");
        return -1;
}

/* Does a child of a choice give way to another? The command line goes before the files, and of
 * files, which were joined in their order, the earlier before the later. */
static bool gives_way(const struct pxr_yaml *child, const struct pxr_yaml *other)
{
        if (child->origin == PXR_ORIGIN_OVERRIDE)
                return false;
        return other->origin == PXR_ORIGIN_OVERRIDE ||
               child->key_location.source != other->key_location.source;
}

/* Of several names one is left, unless one and the same source has two. */
static int settle_choice(const struct pxr_value *v)
{
        struct pxr_yaml *node = v->node, *best = node->first, *next;

        for (struct pxr_yaml *child = best->next; child; child = child->next)
                if (best->origin != PXR_ORIGIN_OVERRIDE && child->origin == PXR_ORIGIN_OVERRIDE)
                        best = child;
        for (struct pxr_yaml *child = node->first; child; child = next) {
                next = child->next;
                if (child != best && gives_way(child, best))
                        pxr_yaml_remove(child);
        }
        if (node->count == 1)
                return 0;
        return pxr_error_at(v->diag, node->first->next->key_location,
                            "%s: '%s' is one of several, not '%s' and '%s' together", v->what,
                            v->row->name, node->first->key, node->first->next->key);
}

const struct pxr_variant *pxr_variant_find(const struct pxr_option *row, const char *name)
{
        const struct pxr_variant *variant = row->variants;

        while (variant->name && strcmp(variant->name, name) != 0)
                variant++;
        return variant->name ? variant : NULL;
}

/* Where an option belongs that stands where a name is due: "'train.optimizer.adam.rate'" for
 * train.optimizer.rate. Looked for before names give way. NULL: there is none. */
static char *find_misplaced(const struct pxr_value *v)
{
        const struct pxr_yaml *child = v->node->first;

        while (child && pxr_variant_find(v->row, child->key))
                child = child->next;
        return child ? pxr_option_meant(v->arena, v->node, child->key, "", NULL, 0) : NULL;
}

int pxr_read_choice(const struct pxr_value *v)
{
        const struct pxr_variant *variant;
        struct pxr_choice *choice = v->field;
        struct pxr_reading reading;
        struct pxr_yaml *chosen;
        char *meant;

        if (open_choice(v))
                return -1;
        meant = find_misplaced(v);
        if (settle_choice(v)) {
                if (meant)
                        pxr_hint(v->diag, "did you mean %s?", meant);
                return -1;
        }
        chosen = v->node->first;
        variant = pxr_variant_find(v->row, chosen->key);
        if (!variant) {
                pxr_error_at(v->diag, chosen->key_location, "%s: unknown %s '%s'", v->what,
                             v->row->name, chosen->key);
                if (meant)
                        pxr_hint(v->diag, "did you mean %s?", meant);
                show_names(v, chosen->key);
                return -1;
        }
        choice->variant = variant;
        reading.options = variant->options ? variant->options : &(struct pxr_options) { 0 };
        reading.conf = variant->options ? pxr_alloc(v->arena, variant->options->size) : NULL;
        if (variant->options && !reading.conf)
                return -1;
        choice->conf = reading.conf;
        return pxr_options_read(v->arena, chosen, variant->name, &reading, 1, v->diag);
}
