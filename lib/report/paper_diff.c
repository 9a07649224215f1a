/* SPDX-License-Identifier: MIT */
/*
 * paper_diff.c - two lists of layers side by side: the paper's, which leaves options open, and a
 * run's, in which every option is set.
 *
 * Layers are paired in order. A container that one side lacks (residual, skip_connections) is a
 * difference, and its layers are compared as if they stood in its place; a `repeat` is the same as
 * its layers written out.
 */
#include "report/paper_diff.h"

#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "config/tree.h"

enum { MOST_LAYERS = 4096 }; /* of one list; longer ones are cut */

struct comparison {
        struct pxr_arena *arena;
        struct pxr_paper_diff found;
};

static void remark(struct comparison *c, struct pxr_remark **list, const char *format, ...)
        PXR_PRINTF(3, 4);

static void remark(struct comparison *c, struct pxr_remark **list, const char *format, ...)
{
        struct pxr_remark *new = pxr_alloc(c->arena, sizeof(*new));
        va_list arguments;

        if (!new)
                return;
        va_start(arguments, format);
        new->text = pxr_vstrf(c->arena, format, arguments);
        va_end(arguments);
        while (*list && strcmp((*list)->text, new->text) != 0)
                list = &(*list)->next;
        if (!*list)
                *list = new;
}

const char *pxr_remarks(struct pxr_arena *arena, const struct pxr_remark *list)
{
        struct pxr_stream text;

        if (pxr_stream_open(&text, arena))
                return "";
        for (; list; list = list->next)
                fprintf(text.to, "%s%s", list->text, list->next ? "; " : "");
        return pxr_stream_close(&text);
}

/* --- values ------------------------------------------------------------------------------------
 */

static bool is_scalar(const struct pxr_yaml *node)
{
        return node && node->kind == PXR_YAML_SCALAR;
}

/* Whether the paper gives a value: not NULL, and not ~. */
static bool is_given(const struct pxr_yaml *node)
{
        return node && !pxr_yaml_empty(node);
}

static bool are_numbers(const char *a, const char *b, double *left, double *right)
{
        return pxr_parse_real(a, left) == PXR_NUMBER && pxr_parse_real(b, right) == PXR_NUMBER;
}

/* Whether the paper gives a scalar, and the run another. */
static bool differs(const struct pxr_yaml *paper, const struct pxr_yaml *run)
{
        double left, right;

        if (!is_scalar(paper) || !is_given(paper) || !is_scalar(run) ||
            strcmp(paper->text, run->text) == 0)
                return false;
        return !are_numbers(paper->text, run->text, &left, &right) || left != right;
}

static bool is_less(const char *a, const char *b)
{
        double left, right;

        return are_numbers(a, b, &left, &right) && left < right;
}

/* "rmsprop.rate 0.001": every value in `node` as a choice, each with the path that `name` begins.
 */
static void choose_all(struct comparison *c, const char *name, const struct pxr_yaml *node)
{
        if (is_scalar(node))
                remark(c, &c->found.choice, "%s %s", name, node->text);
        else if (!node->first && node->kind != PXR_YAML_SEQUENCE)
                remark(c, &c->found.choice, "%s", name);
        for (const struct pxr_yaml *child = node->first; child; child = child->next)
                choose_all(c, child->key ? pxr_strf(c->arena, "%s.%s", name, child->key) : name,
                           child);
}

/* --- layers ------------------------------------------------------------------------------------
 */

static const char *kind_of(const struct pxr_yaml *item)
{
        if (is_scalar(item))
                return item->text;
        return item->kind == PXR_YAML_MAPPING && item->first ? item->first->key : "";
}

static bool is_kind(const struct pxr_yaml *item, const char *kind)
{
        return strcmp(kind_of(item), kind) == 0;
}

/* The options of a layer, which may be no mapping; NULL: none are given. */
static const struct pxr_yaml *options_of(const struct pxr_yaml *item)
{
        return item->kind == PXR_YAML_MAPPING ? item->first : NULL;
}

/* The first of the layers in a list; NULL: it is no list, or empty. */
static const struct pxr_yaml *first_layer(const struct pxr_yaml *layers)
{
        return layers && layers->kind == PXR_YAML_SEQUENCE ? layers->first : NULL;
}

/* The list of layers in a container; NULL for any other layer. */
static const struct pxr_yaml *inner_layers(const struct pxr_yaml *item)
{
        const struct pxr_yaml *layers = pxr_yaml_get(options_of(item), "layers");

        return layers && layers->kind == PXR_YAML_SEQUENCE ? layers : NULL;
}

/* How often the layers in a layer occur: those of a repeat several times. */
static int times_of(const struct pxr_yaml *item)
{
        const struct pxr_yaml *count = pxr_yaml_get(options_of(item), "count");
        int64_t times;

        if (!is_kind(item, "repeat") || !is_scalar(count) ||
            pxr_parse_int(count->text, &times) != PXR_NUMBER || times < 1 || times > MOST_LAYERS)
                return 1;
        return (int)times;
}

/* Layers of a kind in a list and in its containers. */
static int count_layers(const struct pxr_yaml *layers, const char *kind)
{
        enum { MOST = 1000000000 };
        int64_t count = 0;

        for (const struct pxr_yaml *item = first_layer(layers); item && count < MOST;
             item = item->next)
                count += is_kind(item, kind) +
                         (int64_t)times_of(item) * count_layers(inner_layers(item), kind);
        return count < MOST ? (int)count : MOST;
}

/* A layer of a list that is being compared. */
struct layer {
        const struct pxr_yaml *item;
        const char *kind, *where; /* "conv", "conv 2 in residual" */
        struct layer *next;
};

/* Name each layer: by its number among its kind where there are several, and what it is in. */
static void name_layers(struct comparison *c, struct layer *list, const char *in)
{
        for (struct layer *layer = list; layer; layer = layer->next) {
                int number = 0, all = 0;

                for (const struct layer *other = list; other; other = other->next) {
                        all += strcmp(other->kind, layer->kind) == 0;
                        if (other == layer)
                                number = all;
                }
                layer->where = all > 1 ? pxr_strf(c->arena, "%s %d%s", layer->kind, number, in)
                                       : pxr_strf(c->arena, "%s%s", layer->kind, in);
        }
}

static struct layer *list_layers(struct comparison *c, const struct pxr_yaml *layers,
                                 const char *in)
{
        struct layer *list = NULL, **end = &list;
        const struct pxr_yaml *item = first_layer(layers);

        for (int i = 0; item && i < MOST_LAYERS; i++, item = item->next) {
                if (!(*end = pxr_alloc(c->arena, sizeof(**end))))
                        break;
                (*end)->item = item;
                (*end)->kind = kind_of(item);
                end = &(*end)->next;
        }
        name_layers(c, list, in);
        return list;
}

/* Put the layers in a container in its place, so many times. */
static void splice(struct comparison *c, struct layer **at, int times)
{
        const struct pxr_yaml *layers = inner_layers((*at)->item);
        struct layer *rest = (*at)->next;
        long all = (long)layers->count * times;

        for (const struct layer *layer = rest; layer; layer = layer->next)
                all++;
        if (all > MOST_LAYERS)
                times = 1;
        while (times-- > 0)
                for (*at = list_layers(c, layers, ""); *at;)
                        at = &(*at)->next;
        *at = rest;
}

/* Whether there is a layer of a kind from here on; `deep`: in containers too. */
static bool has_kind(const struct layer *list, const char *kind, bool deep)
{
        for (; list; list = list->next)
                if (strcmp(list->kind, kind) == 0 ||
                    (deep && count_layers(inner_layers(list->item), kind) > 0))
                        return true;
        return false;
}

static bool is_repeat(const struct layer *layer)
{
        return inner_layers(layer->item) && strcmp(layer->kind, "repeat") == 0;
}

static bool is_container(const struct layer *layer)
{
        return inner_layers(layer->item) && strcmp(layer->kind, "repeat") != 0;
}

static void compare_lists(struct comparison *c, struct layer *paper, struct layer *run);

/* One option of a layer of the run; `paper` NULL: the paper has no such layer or option. */
static void compare_option(struct comparison *c, const struct layer *layer,
                           const struct pxr_yaml *paper, const struct pxr_yaml *run)
{
        /* With less of these, a model is another. */
        static const char *const sizes[][2] = {
                { "features", "features" },
                { "hidden", "hidden units" },
                { "kernel", NULL },
                { "state_kernel", NULL },
        };

        if (!is_given(paper) && is_scalar(run))
                remark(c, &c->found.choice, "%s of %s %s", run->key,
                       paper ? layer->where : layer->kind, run->text);
        if (!differs(paper, run))
                return;
        if (strcmp(run->key, "count") == 0) {
                remark(c, &c->found.other, "%s layers or blocks, not %s", run->text, paper->text);
                return;
        }
        for (size_t i = 0; i < PXR_COUNT(sizes); i++)
                if (strcmp(run->key, sizes[i][0]) == 0 && is_less(run->text, paper->text)) {
                        const char *noun = sizes[i][1];

                        remark(c, &c->found.other, "%s %s of %s, not %s",
                               noun ? run->text : run->key, noun ? noun : run->text, layer->where,
                               paper->text);
                        return;
                }
        remark(c, &c->found.difference, "%s of %s: %s, not %s", run->key, layer->where, run->text,
               paper->text);
}

static void compare_options(struct comparison *c, const struct layer *paper,
                            const struct layer *run)
{
        const struct pxr_yaml *wanted = options_of(paper->item), *found = options_of(run->item);

        if (found && found->kind == PXR_YAML_MAPPING)
                for (const struct pxr_yaml *option = found->first; option; option = option->next)
                        if (option != inner_layers(run->item))
                                compare_option(c, run, pxr_yaml_get(wanted, option->key), option);
        if (!wanted || wanted->kind != PXR_YAML_MAPPING)
                return;
        /* A run made before there was an option does not have it on record. */
        for (const struct pxr_yaml *option = wanted->first; option; option = option->next)
                if (is_scalar(option) && is_given(option) && !pxr_yaml_get(found, option->key))
                        remark(c, &c->found.difference, "%s of %s: not on record, not %s",
                               option->key, run->where, option->text);
}

/* The innermost container is the block that a deep model is made of: with fewer of its layers the
 * model is another. A missing connection or activation is a mere difference. */
static void check_block(struct comparison *c, const struct layer *paper, const struct layer *run)
{
        const struct pxr_yaml *block = inner_layers(paper->item);

        for (const struct pxr_yaml *item = first_layer(block); item; item = item->next)
                if (inner_layers(item))
                        return;
        for (const struct pxr_yaml *item = first_layer(block); item; item = item->next) {
                const char *kind = kind_of(item);
                int wanted = count_layers(block, kind);
                int found = count_layers(inner_layers(run->item), kind);

                if (strcmp(kind, "relu") != 0 && strcmp(kind, "skip") != 0 && found < wanted)
                        remark(c, &c->found.other, "%d %s in %s, not %d", found, kind, run->where,
                               wanted);
        }
}

static void compare_layers(struct comparison *c, const struct layer *paper, const struct layer *run)
{
        bool named = strcmp(run->kind, "repeat") != 0 && strcmp(run->kind, "skip_connections") != 0;
        const char *in = named ? pxr_strf(c->arena, " in %s", run->kind) : "";

        compare_options(c, paper, run);
        check_block(c, paper, run);
        compare_lists(c, list_layers(c, inner_layers(paper->item), in),
                      list_layers(c, inner_layers(run->item), in));
}

/* Whether `run` begins with layers of the kinds of `block`. */
static bool begins_with(const struct layer *run, const struct layer *block)
{
        for (; run && block && strcmp(run->kind, block->kind) == 0; run = run->next)
                block = block->next;
        return !block;
}

/* Where the paper repeats layers that the run has written out: compare them copy by copy, and move
 * *run behind them. Returns the number of copies. */
static int compare_copies(struct comparison *c, const struct layer *repeat, struct layer **run)
{
        const struct layer *block = list_layers(c, inner_layers(repeat->item), "");
        const struct pxr_yaml *count = pxr_yaml_get(options_of(repeat->item), "count");
        int64_t wanted;
        int copies = 0;

        for (; block && begins_with(*run, block); copies++)
                for (const struct layer *layer = block; layer; layer = layer->next) {
                        compare_layers(c, layer, *run);
                        *run = (*run)->next;
                }
        if (copies > 0 && is_scalar(count) && pxr_parse_int(count->text, &wanted) == PXR_NUMBER &&
            wanted != copies)
                remark(c, &c->found.other, "%d layers or blocks, not %s", copies, count->text);
        return copies;
}

/* Count a layer of one list as missing, or additional, and go on behind it. */
static void skip_layer(struct comparison *c, struct layer **layer, const char *word)
{
        remark(c, &c->found.difference, "%s %s", word, (*layer)->where);
        *layer = (*layer)->next;
}

/* The next layers of the paper and of the run are of different kinds: go on with one of them. */
static void resolve_mismatch(struct comparison *c, struct layer **paper, struct layer **run)
{
        struct layer *left = *paper, *right = *run;

        if (is_container(left) && !has_kind(right, left->kind, true)) {
                remark(c, &c->found.difference, "without %s", left->where);
                splice(c, paper, 1);
        } else if (is_container(right) && !has_kind(left, right->kind, true)) {
                remark(c, &c->found.difference, "with %s", right->where);
                splice(c, run, 1);
        } else if (is_repeat(left)) {
                if (compare_copies(c, left, run) > 0)
                        *paper = left->next;
                else if (has_kind(right, "repeat", false))
                        skip_layer(c, run, "with");
                else
                        splice(c, paper, 1);
        } else if (is_repeat(right) && !has_kind(left, "repeat", false)) {
                splice(c, run, times_of(right->item));
        } else if (!has_kind(right, left->kind, false)) {
                skip_layer(c, paper, "without");
        } else {
                skip_layer(c, run, "with");
        }
}

static void compare_lists(struct comparison *c, struct layer *paper, struct layer *run)
{
        while (paper && run && !pxr_arena_failed(c->arena)) {
                if (strcmp(paper->kind, run->kind) != 0) {
                        resolve_mismatch(c, &paper, &run);
                        continue;
                }
                compare_layers(c, paper, run);
                paper = paper->next;
                run = run->next;
        }
        while (paper)
                skip_layer(c, &paper, "without");
        while (run)
                skip_layer(c, &run, "with");
}

static void compare_models(struct comparison *c, const struct pxr_paper_row *row,
                           const struct pxr_yaml *model)
{
        for (const struct pxr_yaml *kind = row->needs->first; kind; kind = kind->next)
                if (count_layers(model, kind->text) == 0)
                        remark(c, &c->found.other, "no %s", kind->text);
        for (const struct pxr_yaml *kind = row->excludes->first; kind; kind = kind->next)
                if (count_layers(model, kind->text) > 0)
                        remark(c, &c->found.other, "a %s", kind->text);
        if (row->model->first)
                compare_lists(c, list_layers(c, row->model, ""), list_layers(c, model, ""));
        /* However its layers are written, a shallower model is another. */
        for (const struct pxr_yaml *kind = row->needs->first; kind && !c->found.other;
             kind = kind->next) {
                int paper = count_layers(row->model, kind->text);
                int run = count_layers(model, kind->text);

                if (run < paper)
                        remark(c, &c->found.other, "%d %s, not %d", run, kind->text, paper);
        }
}

/* --- data and training -------------------------------------------------------------------------
 */

/* What is done to the data in training; which data they are is a matter of their identity. */
static void compare_data(struct comparison *c, const struct pxr_yaml *paper,
                         const struct pxr_yaml *run)
{
        for (const struct pxr_yaml *wanted = paper->first; wanted; wanted = wanted->next) {
                const struct pxr_yaml *value = pxr_yaml_get(run, wanted->key);

                if (differs(wanted, value))
                        remark(c, &c->found.difference, "data.%s %s, not %s", wanted->key,
                               value->text, wanted->text);
        }
}

/* {rmsprop: {...}} against {adam: {...}} */
static void compare_variants(struct comparison *c, const struct pxr_yaml *paper,
                             const struct pxr_yaml *run)
{
        const char *wanted = kind_of(paper), *found = kind_of(run);

        if (strcmp(wanted, found) != 0)
                remark(c, &c->found.difference, "%s %s, not %s", run->key, found, wanted);
        if (run->kind == PXR_YAML_MAPPING && run->first && run->first->kind == PXR_YAML_MAPPING)
                choose_all(c, found, run->first);
}

static void compare_training(struct comparison *c, const struct pxr_yaml *paper,
                             const struct pxr_yaml *run)
{
        /* These change the pace of a result alone; of `precision`, see below. */
        static const char *const left_out[] = { "seed",      "checkpoint", "micro_batch",
                                                "recompute", "log",        "precision" };
        const struct pxr_yaml *patience = pxr_yaml_get(run, "patience");
        const struct pxr_yaml *precision = pxr_yaml_get(run, "precision");
        int64_t evaluations;

        if (is_scalar(patience) && pxr_parse_int(patience->text, &evaluations) == PXR_NUMBER &&
            evaluations > 0)
                c->found.patience = patience->text;
        if (is_scalar(precision) && strcmp(precision->text, "f32") != 0)
                c->found.precision = precision->text;
        if (!run || run->kind != PXR_YAML_MAPPING)
                return;
        for (const struct pxr_yaml *value = run->first; value; value = value->next) {
                const struct pxr_yaml *wanted = pxr_yaml_get(paper, value->key);
                bool counts = c->found.patience || strcmp(value->key, "patience") != 0;

                for (size_t i = 0; i < PXR_COUNT(left_out); i++)
                        counts = counts && strcmp(value->key, left_out[i]) != 0;
                if (!counts)
                        continue;
                if (!is_given(wanted))
                        choose_all(c, value->key, value);
                else if (wanted->kind == PXR_YAML_MAPPING)
                        compare_variants(c, wanted, value);
                else if (differs(wanted, value))
                        remark(c, &c->found.difference, "%s %s, not %s", value->key, value->text,
                               wanted->text);
        }
}

struct pxr_paper_diff pxr_paper_diff(struct pxr_arena *arena, const struct pxr_paper_row *row,
                                     const struct pxr_yaml *spec)
{
        struct comparison c = { .arena = arena };

        compare_models(&c, row, pxr_yaml_get(spec, "model"));
        compare_data(&c, row->data, pxr_yaml_get(spec, "data"));
        compare_training(&c, row->train, pxr_yaml_get(spec, "train"));
        return c.found;
}
