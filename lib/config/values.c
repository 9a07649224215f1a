/* SPDX-License-Identifier: MIT */
/*
 * values.c - one value of a spec: its type, its range, and its place in a struct.
 */
#include "config/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "config/tree.h"

int pxr_value_wrong(const struct pxr_value *v, const char *message)
{
        return pxr_error_at(v->diag, v->node->location, "%s: '%s' %s", v->what, v->row->name,
                            message);
}

/* Another kind of value is expected. */
static int misfit(const struct pxr_value *v, const char *kind)
{
        const struct pxr_yaml *node = v->node;
        const char *got = node->kind == PXR_YAML_SEQUENCE  ? "a list"
                          : node->kind == PXR_YAML_MAPPING ? "a mapping"
                          : pxr_yaml_empty(node)           ? "nothing"
                                                           : pxr_strf(v->arena, "'%s'", node->text);

        return pxr_error_at(v->diag, node->location, "%s: '%s': expected %s, got %s", v->what,
                            v->row->name, kind, got);
}

static int out_of_range(const struct pxr_value *v)
{
        return pxr_error_at(v->diag, v->node->location, "%s: '%s' must be from %s, not %s", v->what,
                            v->row->name, pxr_option_range(v->arena, v->row), v->node->text);
}

/* Bring a scalar to the form that everything which means the same has. */
static int set_form(const struct pxr_value *v, const char *text)
{
        v->node->text = pxr_strdup(v->arena, text);
        v->node->quoted = false;
        return 0;
}

/* --- true and false ----------------------------------------------------------------------------
 */

/* Is the text one of the words of a list, in any case? */
static bool among(const char *text, const char *const *words)
{
        for (; *words; words++)
                if (strcasecmp(text, *words) == 0)
                        return true;
        return false;
}

static const char *const yes_words[] = { "yes", "y", "on", "1", NULL };
static const char *const no_words[] = { "no", "n", "off", "0", NULL };

static int read_bool(const struct pxr_value *v)
{
        static const char *const forms[][3] = { { "false", "False", "FALSE" },
                                                { "true", "True", "TRUE" } };
        const struct pxr_yaml *node = v->node;

        for (int i = 0; i < 6 && node->kind == PXR_YAML_SCALAR && !node->quoted; i++)
                if (strcmp(node->text, forms[i / 3][i % 3]) == 0) {
                        *(bool *)v->field = i / 3;
                        return set_form(v, forms[i / 3][0]);
                }
        misfit(v, "true or false");
        if (node->kind == PXR_YAML_SCALAR && among(node->text, yes_words))
                pxr_hint(v->diag, "write true");
        else if (node->kind == PXR_YAML_SCALAR && among(node->text, no_words))
                pxr_hint(v->diag, "write false");
        else if (node->kind == PXR_YAML_SCALAR && node->quoted)
                pxr_hint(v->diag, "in quotes it is a string");
        return -1;
}

/* --- numbers -----------------------------------------------------------------------------------
 */

/* What the user meant, where that is plain: 1e3 or 1_000 for 1000, a number in quotes. */
static void hint_number(const struct pxr_value *v)
{
        const struct pxr_yaml *node = v->node;
        char plain[PXR_REAL_TEXT], *to = plain;
        double number;

        if (node->kind != PXR_YAML_SCALAR || strlen(node->text) >= sizeof(plain))
                return;
        for (const char *from = node->text; *from; from++)
                if (*from != '_' && *from != ',')
                        *to++ = *from;
        *to = '\0';
        if (pxr_parse_real(plain, &number) != PXR_NUMBER)
                return;
        if (v->row->type == PXR_TYPE_INT && (floor(number) != number || fabs(number) > 1e15))
                return;
        if (node->quoted)
                pxr_hint(v->diag, "in quotes it is a string");
        else if (v->row->type == PXR_TYPE_INT)
                pxr_hint(v->diag, "write %.0f", number);
        else
                pxr_hint(v->diag, "write %s", plain);
}

/* Did a text parse as a number? Otherwise the error is recorded. */
static bool is_number(const struct pxr_value *v, enum pxr_parsed parsed, const char *kind)
{
        if (parsed == PXR_NUMBER)
                return true;
        if (parsed == PXR_NUMBER_TOO_LARGE) {
                out_of_range(v);
                return false;
        }
        misfit(v, kind);
        hint_number(v);
        return false;
}

/* Compared as integers: not every one of them is a double. */
static bool in_range(int64_t number, const struct pxr_option *row)
{
        return (row->minimum < -9.2e18 || number >= (int64_t)row->minimum) &&
               (row->maximum > 9.2e18 || number <= (int64_t)row->maximum);
}

static int read_int(const struct pxr_value *v)
{
        bool plain = v->node->kind == PXR_YAML_SCALAR && !v->node->quoted;
        int64_t number = 0;
        char text[32];

        if (!is_number(v, plain ? pxr_parse_int(v->node->text, &number) : PXR_NO_NUMBER,
                       "an integer"))
                return -1;
        if (!in_range(number, v->row))
                return out_of_range(v);
        *(int64_t *)v->field = number;
        snprintf(text, sizeof(text), "%lld", (long long)number);
        return set_form(v, text);
}

static int read_real(const struct pxr_value *v)
{
        bool plain = v->node->kind == PXR_YAML_SCALAR && !v->node->quoted;
        char text[PXR_REAL_TEXT];
        double number = 0;

        if (!is_number(v, plain ? pxr_parse_real(v->node->text, &number) : PXR_NO_NUMBER,
                       "a number"))
                return -1;
        if (number < v->row->minimum || number > v->row->maximum)
                return out_of_range(v);
        *(double *)v->field = number;
        return set_form(v, pxr_format_real(number, text));
}

/* --- intervals ---------------------------------------------------------------------------------
 */

static enum pxr_unit unit_of(const char *text)
{
        if (strcmp(text, "epoch") == 0 || strcmp(text, "epochs") == 0)
                return PXR_EPOCHS;
        return strcmp(text, "step") == 0 || strcmp(text, "steps") == 0 ? PXR_STEPS : PXR_NEVER;
}

static int read_interval(const struct pxr_value *v)
{
        static const char wanted[] = "an interval, such as '5 epochs', '100 steps' or 'never'";
        bool automatic = v->row->initial && strcmp(v->row->initial, "auto") == 0;
        struct pxr_interval interval = { 0 };
        char number[32] = "", unit[32] = "", form[64], rest;
        const char *text = v->node->kind == PXR_YAML_SCALAR ? v->node->text : "";
        enum pxr_parsed parsed;

        if (strcmp(text, "never") == 0) {
                *(struct pxr_interval *)v->field = interval;
                return set_form(v, "never");
        }
        if (automatic && strcmp(text, "auto") == 0) {
                *(struct pxr_interval *)v->field = (struct pxr_interval) { 0, PXR_AUTO };
                return set_form(v, "auto");
        }
        if (sscanf(text, "%31s %31s %c", number, unit, &rest) != 2)
                return misfit(v, automatic ? "'auto' or an interval, such as '100 steps'" : wanted);
        parsed = pxr_parse_int(number, &interval.count);
        interval.unit = unit_of(unit);
        if (parsed == PXR_NO_NUMBER)
                return misfit(v, wanted);
        if (interval.unit == PXR_NEVER)
                return misfit(v, "an interval in steps or epochs");
        if (parsed == PXR_NUMBER_TOO_LARGE || !in_range(interval.count, v->row))
                return out_of_range(v);
        *(struct pxr_interval *)v->field = interval;
        snprintf(form, sizeof(form), "%lld %s%s", (long long)interval.count,
                 interval.unit == PXR_STEPS ? "step" : "epoch", pxr_plural(interval.count));
        return set_form(v, form);
}

/* --- strings -----------------------------------------------------------------------------------
 */

/* Would a reader of YAML, ours or another, take the text for something else than a string? */
static bool needs_quotes(const struct pxr_yaml *node)
{
        static const char *const words[] = { "true", "false", "yes", "no", "on",   "off",  "y",
                                             "n",    "null",  "~",   "",   ".inf", ".nan", NULL };
        int64_t integer;
        double real;

        return among(node->text, words) || pxr_parse_int(node->text, &integer) != PXR_NO_NUMBER ||
               pxr_parse_real(node->text, &real) != PXR_NO_NUMBER;
}

static int read_string(const struct pxr_value *v)
{
        struct pxr_yaml *node = v->node;

        if (node->kind != PXR_YAML_SCALAR)
                return misfit(v, "a string");
        if (!pxr_yaml_empty(node)) {
                node->quoted = needs_quotes(node);
                *(const char **)v->field = node->text;
                return 0;
        }
        if (!v->row->initial || *v->row->initial)
                return misfit(v, "a string");
        *(const char **)v->field = NULL;
        return set_form(v, "null");
}

/* --- any value ---------------------------------------------------------------------------------
 */

static int read_section(const struct pxr_value *v)
{
        struct pxr_reading reading = { v->row->section, v->field };

        return pxr_options_read(v->arena, v->node, v->row->name, &reading, 1, v->diag);
}

static int read_node(const struct pxr_value *v)
{
        *(const struct pxr_yaml **)v->field = v->node;
        return 0;
}

static int read_layers(const struct pxr_value *v)
{
        if (v->node->kind != PXR_YAML_SEQUENCE)
                return misfit(v, "a list of layers");
        return read_node(v);
}

int pxr_value_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                   const struct pxr_option *row, void *conf, struct pxr_diag *diag)
{
        static int (*const readers[])(const struct pxr_value *v) = {
                [PXR_TYPE_BOOL] = read_bool,         [PXR_TYPE_INT] = read_int,
                [PXR_TYPE_REAL] = read_real,         [PXR_TYPE_STRING] = read_string,
                [PXR_TYPE_ENUM] = pxr_read_enum,     [PXR_TYPE_ENUM_SET] = pxr_read_enum_set,
                [PXR_TYPE_INTERVAL] = read_interval, [PXR_TYPE_CHOICE] = pxr_read_choice,
                [PXR_TYPE_SECTION] = read_section,   [PXR_TYPE_LAYERS] = read_layers,
                [PXR_TYPE_NODE] = read_node,
        };
        struct pxr_value v = { arena, node, what, row, (char *)conf + row->offset, diag };

        return readers[row->type](&v);
}
