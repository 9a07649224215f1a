/* SPDX-License-Identifier: MIT */
/*
 * values.c - one value of a spec: its type, its range, and its place in a struct.
 *
 * Uses base/ and tree.h.
 */
#include "spec/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/tree.h"

enum { MAX_NAMES = 64 };

/* What all readers of values are handed. */
struct value {
        struct pxr_arena *arena;
        struct pxr_yaml *node;
        const char *what;
        const struct pxr_option *row;
        void *field;
        struct pxr_diag *diag;
};

/* "conv: 'kernel' <message>" at the value. */
static int wrong(const struct value *v, const char *message)
{
        return pxr_error_at(v->diag, v->node->mark, "%s: '%s' %s", v->what, v->row->name, message);
}

static int no_number(const struct value *v, const char *kind)
{
        const struct pxr_yaml *node = v->node;

        if (node->kind != PXR_YAML_SCALAR)
                return pxr_error_at(v->diag, node->mark, "%s: '%s' wants %s", v->what, v->row->name,
                                    kind);
        pxr_error_at(v->diag, node->mark, "%s: '%s' wants %s, and '%s' is none", v->what,
                     v->row->name, kind, node->text);
        if (node->quoted)
                pxr_hint(v->diag, "in quotes it is a string");
        return -1;
}

static int out_of_range(const struct value *v)
{
        return pxr_error_at(v->diag, v->node->mark, "%s: '%s' must be from %.15g to %.15g, not %s",
                            v->what, v->row->name, v->row->minimum, v->row->maximum, v->node->text);
}

static int read_bool(const struct value *v)
{
        const struct pxr_yaml *node = v->node;
        bool plain = node->kind == PXR_YAML_SCALAR && !node->quoted;
        bool yes = plain && strcmp(node->text, "true") == 0;

        if (!yes && !(plain && strcmp(node->text, "false") == 0))
                return no_number(v, "true or false");
        *(bool *)v->field = yes;
        return 0;
}

static int read_int(const struct value *v)
{
        int64_t number;

        if (v->node->kind != PXR_YAML_SCALAR || v->node->quoted ||
            !pxr_parse_int(v->node->text, &number))
                return no_number(v, "an integer");
        if ((double)number < v->row->minimum || (double)number > v->row->maximum)
                return out_of_range(v);
        *(int64_t *)v->field = number;
        v->node->text = pxr_strf(v->arena, "%lld", (long long)number);
        return v->node->text ? 0 : pxr_out_of_memory(v->diag);
}

static int read_real(const struct value *v)
{
        double number;
        char text[40];

        if (v->node->kind != PXR_YAML_SCALAR || v->node->quoted ||
            !pxr_parse_real(v->node->text, &number))
                return no_number(v, "a number");
        if (number < v->row->minimum || number > v->row->maximum)
                return out_of_range(v);
        *(double *)v->field = number;
        /* The shortest text that reads as the same number. */
        for (int precision = 1; precision <= 17; precision++) {
                snprintf(text, sizeof(text), "%.*g", precision, number);
                if (strtod(text, NULL) == number)
                        break;
        }
        v->node->text = pxr_strdup(v->arena, text);
        return v->node->text ? 0 : pxr_out_of_memory(v->diag);
}

static int read_string(const struct value *v)
{
        if (v->node->kind != PXR_YAML_SCALAR)
                return wrong(v, "wants a string");
        *(const char **)v->field = pxr_yaml_empty(v->node) ? NULL : v->node->text;
        return 0;
}

/* Position of a scalar's text in the row's names, or -1 after an error. */
static int name_index(const struct value *v, const struct pxr_yaml *node)
{
        const char *const *names = v->row->names;
        size_t count = 0;
        const char *nearest;

        for (; names[count]; count++)
                if (node->kind == PXR_YAML_SCALAR && strcmp(names[count], node->text) == 0)
                        return (int)count;
        pxr_error_at(v->diag, node->mark, "%s: '%s' cannot be %s%s%s", v->what, v->row->name,
                     node->kind == PXR_YAML_SCALAR ? "'" : "a list or a mapping",
                     node->kind == PXR_YAML_SCALAR ? node->text : "",
                     node->kind == PXR_YAML_SCALAR ? "'" : "");
        nearest = node->kind == PXR_YAML_SCALAR ? pxr_nearest(node->text, names, count) : NULL;
        if (nearest)
                pxr_hint(v->diag, "did you mean '%s'?", nearest);
        for (size_t i = 0; i < count; i++)
                pxr_note(v->diag, "it can be %s", names[i]);
        return -1;
}

static int read_enum(const struct value *v)
{
        int index = name_index(v, v->node);

        *(int *)v->field = index;
        return index < 0 ? -1 : 0;
}

static int read_enum_set(const struct value *v)
{
        const struct pxr_yaml *name = v->node->kind == PXR_YAML_SEQUENCE ? v->node->first : v->node;
        uint32_t set = 0;

        for (; name; name = v->node->kind == PXR_YAML_SEQUENCE ? name->next : NULL) {
                int index = name_index(v, name);

                if (index < 0)
                        return -1;
                set |= (uint32_t)1 << index;
        }
        *(uint32_t *)v->field = set;
        return 0;
}

static int read_interval(const struct value *v)
{
        struct pxr_interval interval = { 0 };
        char number[32], unit[32], rest;
        const char *text = v->node->kind == PXR_YAML_SCALAR ? v->node->text : "";

        if (strcmp(text, "never") == 0) {
                *(struct pxr_interval *)v->field = interval;
                return 0;
        }
        if (sscanf(text, "%31s %31s %c", number, unit, &rest) != 2 ||
            !pxr_parse_int(number, &interval.count))
                return no_number(v, "an interval, such as '5 epochs', '100 steps' or 'never'");
        if (strcmp(unit, "epoch") == 0 || strcmp(unit, "epochs") == 0)
                interval.unit = PXR_EPOCHS;
        else if (strcmp(unit, "step") == 0 || strcmp(unit, "steps") == 0)
                interval.unit = PXR_STEPS;
        else
                return no_number(v, "an interval in steps or epochs");
        if ((double)interval.count < v->row->minimum || (double)interval.count > v->row->maximum)
                return out_of_range(v);
        *(struct pxr_interval *)v->field = interval;
        return 0;
}

/* NAME alone becomes {NAME: {}}. Of several names, those that a base brought in, or that an
 * override replaces, give way. */
static int settle_choice(const struct value *v)
{
        struct pxr_yaml *node = v->node, *next, *child;
        enum pxr_origin best = PXR_ORIGIN_BASE;

        if (node->kind == PXR_YAML_SCALAR && *node->text) {
                child = pxr_yaml_new(v->arena, PXR_YAML_MAPPING, node->text, NULL, node);
                if (!child)
                        return pxr_out_of_memory(v->diag);
                node->kind = PXR_YAML_MAPPING;
                node->text = NULL;
                pxr_yaml_append(node, child);
        }
        if (node->kind != PXR_YAML_MAPPING || !node->first)
                return wrong(v, "wants a name, or NAME: {options}");
        for (child = node->first; child; child = child->next)
                if (child->origin == PXR_ORIGIN_OVERRIDE ||
                    (child->origin == PXR_ORIGIN_FILE && best != PXR_ORIGIN_OVERRIDE))
                        best = child->origin;
        for (child = node->first; child && node->count > 1; child = next) {
                next = child->next;
                if (child->origin != best)
                        pxr_yaml_remove(child);
        }
        if (node->count > 1)
                return pxr_error_at(v->diag, node->first->next->key_mark,
                                    "%s: '%s' is one of several, not '%s' and '%s' together",
                                    v->what, v->row->name, node->first->key,
                                    node->first->next->key);
        return 0;
}

static int read_choice(const struct value *v)
{
        struct pxr_choice *choice = v->field;
        const struct pxr_variant *variant = v->row->variants;
        const char *names[MAX_NAMES], *nearest;
        struct pxr_yaml *chosen;
        struct pxr_reading reading;
        size_t count = 0;

        if (settle_choice(v))
                return -1;
        chosen = v->node->first;
        for (; variant->name && strcmp(variant->name, chosen->key) != 0; variant++)
                if (count < MAX_NAMES)
                        names[count++] = variant->name;
        if (!variant->name) {
                pxr_error_at(v->diag, chosen->key_mark, "%s: there is no %s '%s'", v->what,
                             v->row->name, chosen->key);
                nearest = pxr_nearest(chosen->key, names, count);
                if (nearest)
                        pxr_hint(v->diag, "did you mean '%s'?", nearest);
                for (size_t i = 0; i < count; i++)
                        pxr_note(v->diag, "there is %s", names[i]);
                return -1;
        }
        choice->variant = variant;
        if (!variant->options) {
                static const struct pxr_options none = { 0 };

                reading = (struct pxr_reading) { &none, NULL };
                return pxr_options_read(v->arena, chosen, variant->name, &reading, 1, v->diag);
        }
        reading.options = variant->options;
        reading.conf = pxr_alloc(v->arena, variant->options->size);
        if (!reading.conf)
                return pxr_out_of_memory(v->diag);
        choice->conf = reading.conf;
        return pxr_options_read(v->arena, chosen, variant->name, &reading, 1, v->diag);
}

static int read_section(const struct value *v)
{
        struct pxr_reading reading = { v->row->section, v->field };

        return pxr_options_read(v->arena, v->node, v->row->name, &reading, 1, v->diag);
}

static int read_layers(const struct value *v)
{
        if (v->node->kind != PXR_YAML_SEQUENCE)
                return wrong(v, "wants a list of layers");
        *(const struct pxr_yaml **)v->field = v->node;
        return 0;
}

int pxr_value_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                   const struct pxr_option *row, void *conf, struct pxr_diag *diag)
{
        struct value v = { arena, node, what, row, (char *)conf + row->offset, diag };

        switch (row->type) {
        case PXR_TYPE_BOOL:
                return read_bool(&v);
        case PXR_TYPE_INT:
                return read_int(&v);
        case PXR_TYPE_REAL:
                return read_real(&v);
        case PXR_TYPE_STRING:
                return read_string(&v);
        case PXR_TYPE_ENUM:
                return read_enum(&v);
        case PXR_TYPE_ENUM_SET:
                return read_enum_set(&v);
        case PXR_TYPE_INTERVAL:
                return read_interval(&v);
        case PXR_TYPE_CHOICE:
                return read_choice(&v);
        case PXR_TYPE_SECTION:
                return read_section(&v);
        case PXR_TYPE_LAYERS:
                return read_layers(&v);
        case PXR_TYPE_NODE:
                *(const struct pxr_yaml **)v.field = node;
                break;
        case PXR_TYPE_END:
                break;
        }
        return 0;
}
