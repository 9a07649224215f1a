/* SPDX-License-Identifier: MIT */
/*
 * departures.c - two lists of layers side by side: the paper's, which leaves things open, and a
 * run's, in which everything is set.
 *
 * Layers are paired in order. A container that one side lacks (residual, skip_connections) is a
 * remark of its own, and what is in it goes on being compared; a `repeat` is the same as its layers
 * written out. What is the same remark for several layers is made once.
 */
#include "report/departures.h"

#include <stdlib.h>
#include <string.h>

#include "config/options.h"

enum { MOST_LAYERS = 4096 }; /* of one list; a longer one is not taken apart */

struct comparison {
        struct pxr_arena *arena;
        struct pxr_departures *found;
        bool short_of; /* memory is out */
};

static void remark(struct comparison *c, struct pxr_remark **list, const char *format, ...)
{
        struct pxr_remark *new = pxr_alloc(c->arena, sizeof(*new));
        va_list arguments;

        va_start(arguments, format);
        if (new)
                new->text = pxr_vstrf(c->arena, format, arguments);
        va_end(arguments);
        if (!new || !new->text) {
                c->short_of = true;
                return;
        }
        for (; *list; list = &(*list)->next)
                if (strcmp((*list)->text, new->text) == 0)
                        return;
        *list = new;
}

const char *pxr_remarks(struct pxr_arena *arena, const struct pxr_remark *list)
{
        size_t size = 1;
        char *text, *end;

        for (const struct pxr_remark *item = list; item; item = item->next)
                size += strlen(item->text) + 2;
        text = end = pxr_alloc(arena, size);
        for (; text && list; list = list->next)
                end = stpcpy(stpcpy(end, list->text), list->next ? "; " : "");
        return text;
}

/* --- values ------------------------------------------------------------------------------------
 */

static bool is_empty(const struct pxr_yaml *node)
{
        return node->kind == PXR_YAML_SCALAR && !node->quoted &&
               (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static bool same_scalar(const char *a, const char *b)
{
        double left, right;

        if (strcmp(a, b) == 0)
                return true;
        return pxr_parse_real(a, &left) == PXR_NUMBER && pxr_parse_real(b, &right) == PXR_NUMBER &&
               left == right;
}

static bool is_fewer(const char *a, const char *b)
{
        double left, right;

        return pxr_parse_real(a, &left) == PXR_NUMBER && pxr_parse_real(b, &right) == PXR_NUMBER &&
               left < right;
}

/* "rmsprop.rate 0.001": every value in `node` as a choice, each named from `name` on. */
static void choose_all(struct comparison *c, const char *name, const struct pxr_yaml *node)
{
        const char *dotted;

        if (node->kind == PXR_YAML_SCALAR) {
                remark(c, &c->found->choice, "%s %s", name, node->text);
                return;
        }
        if (!node->first)
                remark(c, &c->found->choice, "%s", name);
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                dotted = child->key ? pxr_strf(c->arena, "%s.%s", name, child->key) : name;
                if (dotted)
                        choose_all(c, dotted, child);
                else
                        c->short_of = true;
        }
}

/* --- layers ------------------------------------------------------------------------------------
 */

/* A layer of a list, with where it stands in words. */
struct layer {
        const char *kind;
        const struct pxr_yaml *conf;   /* its options; may be no mapping */
        const struct pxr_yaml *layers; /* those in it, or NULL */
        const char *where;             /* "conv 2 in residual" */
};

struct list {
        struct layer *layer;
        int count;
};

static const struct pxr_yaml *inner_layers(const struct pxr_yaml *conf)
{
        const struct pxr_yaml *layers = pxr_yaml_get(conf, "layers");

        return layers && layers->kind == PXR_YAML_SEQUENCE ? layers : NULL;
}

static const char *kind_of(const struct pxr_yaml *item)
{
        if (item->kind == PXR_YAML_SCALAR)
                return item->text;
        return item->kind == PXR_YAML_MAPPING && item->first ? item->first->key : "";
}

/* Name each: by its number among its kind where there are several. */
static void name_places(struct comparison *c, struct list *list, const char *in)
{
        for (int i = 0; i < list->count; i++) {
                int before = 0, all = 0;
                const char *kind = list->layer[i].kind;

                for (int k = 0; k < list->count; k++)
                        if (strcmp(list->layer[k].kind, kind) == 0) {
                                before += k < i;
                                all++;
                        }
                list->layer[i].where =
                        all > 1 ? pxr_strf(c->arena, "%s %d%s%s", kind, before + 1,
                                           *in ? " in " : "", in)
                                : pxr_strf(c->arena, "%s%s%s", kind, *in ? " in " : "", in);
                if (!list->layer[i].where)
                        c->short_of = true;
        }
}

static struct list list_layers(struct comparison *c, const struct pxr_yaml *node, const char *in)
{
        struct list list = { 0 };
        int count = node && node->kind == PXR_YAML_SEQUENCE ? node->count : 0;

        if (count > MOST_LAYERS)
                count = MOST_LAYERS;
        list.layer = pxr_alloc_array(c->arena, (size_t)count + 1, sizeof(*list.layer));
        if (!list.layer) {
                c->short_of = true;
                return list;
        }
        if (count > 0)
                for (const struct pxr_yaml *item = node->first; item && list.count < count;
                     item = item->next) {
                        struct layer *layer = &list.layer[list.count++];

                        layer->kind = kind_of(item);
                        layer->conf = item->kind == PXR_YAML_MAPPING ? item->first : NULL;
                        layer->layers = layer->conf ? inner_layers(layer->conf) : NULL;
                }
        name_places(c, &list, in);
        return list;
}

/* Put the layers in number `at` in its place. */
static void splice(struct comparison *c, struct list *list, int at, int times, const char *in)
{
        struct list inner = list_layers(c, list->layer[at].layers, in);
        struct list whole = { 0 };

        if ((long)inner.count * times + list->count > MOST_LAYERS)
                times = 1;
        whole.layer = pxr_alloc_array(c->arena, (size_t)(list->count + inner.count * times + 1),
                                      sizeof(*whole.layer));
        if (!whole.layer) {
                c->short_of = true;
                list->count = 0;
                return;
        }
        for (int i = 0; i < list->count; i++) {
                if (i != at) {
                        whole.layer[whole.count++] = list->layer[i];
                        continue;
                }
                for (int k = 0; k < inner.count * times; k++)
                        whole.layer[whole.count++] = inner.layer[k % inner.count];
        }
        *list = whole;
}

static bool has_kind(const struct list *list, int from, const char *kind)
{
        for (int i = from; i < list->count; i++)
                if (strcmp(list->layer[i].kind, kind) == 0)
                        return true;
        return false;
}

/* Is there a layer of a kind in a list of a spec, or in its containers? */
static bool has_layer(const struct pxr_yaml *layers, const char *kind)
{
        if (!layers || layers->kind != PXR_YAML_SEQUENCE)
                return false;
        for (const struct pxr_yaml *item = layers->first; item; item = item->next) {
                if (strcmp(kind_of(item), kind) == 0)
                        return true;
                if (item->kind == PXR_YAML_MAPPING && item->first &&
                    has_layer(inner_layers(item->first), kind))
                        return true;
        }
        return false;
}

/* The same, but in containers too. */
static bool has_within(const struct list *list, int from, const char *kind)
{
        for (int i = from; i < list->count; i++)
                if (strcmp(list->layer[i].kind, kind) == 0 ||
                    has_layer(list->layer[i].layers, kind))
                        return true;
        return false;
}

/* What the layers in a repeat of the run come to, written out. */
static int times_of(const struct layer *repeat)
{
        const struct pxr_yaml *count = pxr_yaml_get(repeat->conf, "count");
        int64_t times;

        if (!count || count->kind != PXR_YAML_SCALAR ||
            pxr_parse_int(count->text, &times) != PXR_NUMBER || times < 1 || times > MOST_LAYERS)
                return 1;
        return (int)times;
}

/* Layers of a kind, those in repeats as often as they are repeated. */
static int count_layers(const struct pxr_yaml *layers, const char *kind)
{
        int count = 0;

        if (!layers || layers->kind != PXR_YAML_SEQUENCE)
                return 0;
        for (const struct pxr_yaml *item = layers->first; item; item = item->next) {
                const struct layer layer = { .conf = item->first };
                bool repeat = strcmp(kind_of(item), "repeat") == 0;

                count += strcmp(kind_of(item), kind) == 0;
                if (item->kind == PXR_YAML_MAPPING && item->first)
                        count += (repeat ? times_of(&layer) : 1) *
                                 count_layers(inner_layers(item->first), kind);
        }
        return count;
}

static void compare_lists(struct comparison *c, struct list paper, struct list run);

/* A container is named by its kind; a repeat is not one, to a reader. */
static const char *name_inside(const struct layer *layer)
{
        if (strcmp(layer->kind, "repeat") == 0 || strcmp(layer->kind, "skip_connections") == 0)
                return "";
        return layer->kind;
}

/* One option of a layer: `paper` may be NULL (not described), or empty (not said). */
static void compare_option(struct comparison *c, const struct layer *layer,
                           const struct pxr_yaml *paper, const struct pxr_yaml *run)
{
        bool kernel = strcmp(run->key, "kernel") == 0 || strcmp(run->key, "state_kernel") == 0;
        bool size = strcmp(run->key, "features") == 0 || strcmp(run->key, "hidden") == 0;
        bool count = strcmp(run->key, "count") == 0;

        if (!paper || is_empty(paper)) {
                const char *name = paper ? layer->where : layer->kind;

                if (run->kind == PXR_YAML_SCALAR)
                        remark(c, &c->found->choice, "%s of %s %s", run->key, name, run->text);
                return;
        }
        if (paper->kind != PXR_YAML_SCALAR || run->kind != PXR_YAML_SCALAR ||
            same_scalar(paper->text, run->text))
                return;
        if (count)
                remark(c, &c->found->other, "%s layers or blocks, not %s", run->text, paper->text);
        else if (size && is_fewer(run->text, paper->text))
                remark(c, &c->found->other, "%s %s of %s, not %s", run->text,
                       *run->key == 'h' ? "hidden units" : "features", layer->where, paper->text);
        else if (kernel && is_fewer(run->text, paper->text))
                remark(c, &c->found->other, "%s %s of %s, not %s", run->key, run->text,
                       layer->where, paper->text);
        else
                remark(c, &c->found->departure, "%s of %s: %s, not %s", run->key, layer->where,
                       run->text, paper->text);
}

/* What the paper says of a layer, and a run from before the option has not on record. */
static void compare_unset(struct comparison *c, const struct layer *paper, const struct layer *run)
{
        if (!paper->conf || paper->conf->kind != PXR_YAML_MAPPING)
                return;
        for (const struct pxr_yaml *option = paper->conf->first; option; option = option->next)
                if (option->kind == PXR_YAML_SCALAR && !is_empty(option) &&
                    !(run->conf && pxr_yaml_get(run->conf, option->key)))
                        remark(c, &c->found->departure, "%s of %s: not on record, not %s",
                               option->key, run->where, option->text);
}

static bool has_containers(const struct pxr_yaml *layers)
{
        for (const struct pxr_yaml *item = layers->first; item; item = item->next)
                if (item->kind == PXR_YAML_MAPPING && item->first && inner_layers(item->first))
                        return true;
        return false;
}

/* The innermost container is what a deep model is made of: with fewer of its layers it makes
 * another. A connection, or a bend between two layers, is told as a departure. */
static void check_block(struct comparison *c, const struct layer *paper, const struct layer *run)
{
        if (!paper->layers || has_containers(paper->layers))
                return;
        for (const struct pxr_yaml *item = paper->layers->first; item; item = item->next) {
                const char *kind = kind_of(item);
                int wanted = count_layers(paper->layers, kind);
                int found = count_layers(run->layers, kind);

                if (strcmp(kind, "relu") != 0 && strcmp(kind, "skip") != 0 && found < wanted)
                        remark(c, &c->found->other, "%d %s in %s, not %d", found, kind, run->where,
                               wanted);
        }
}

static void compare_layers(struct comparison *c, const struct layer *paper, const struct layer *run)
{
        const char *in = name_inside(run);

        if (run->conf && run->conf->kind == PXR_YAML_MAPPING)
                for (const struct pxr_yaml *option = run->conf->first; option;
                     option = option->next)
                        if (option != run->layers)
                                compare_option(c, run,
                                               paper->conf ? pxr_yaml_get(paper->conf, option->key)
                                                           : NULL,
                                               option);
        compare_unset(c, paper, run);
        check_block(c, paper, run);
        if (paper->layers || run->layers)
                compare_lists(c, list_layers(c, paper->layers, in),
                              list_layers(c, run->layers, in));
}

/* Does the run have, at `at`, the kinds of layers that are in `inner`? */
static bool same_kinds(const struct list *inner, const struct list *run, int at)
{
        if (at + inner->count > run->count || inner->count == 0)
                return false;
        for (int i = 0; i < inner->count; i++)
                if (strcmp(inner->layer[i].kind, run->layer[at + i].kind) != 0)
                        return false;
        return true;
}

/* The paper repeats layers that the run has written out: pair them copy by copy. Returns the layers
 * of the run that are dealt with. */
static int compare_copies(struct comparison *c, const struct layer *repeat, const struct list *run,
                          int at)
{
        struct list inner = list_layers(c, repeat->layers, "");
        const struct pxr_yaml *count = pxr_yaml_get(repeat->conf, "count");
        int64_t wanted;
        int copies = 0;

        while (same_kinds(&inner, run, at + copies * inner.count)) {
                for (int i = 0; i < inner.count; i++)
                        compare_layers(c, &inner.layer[i],
                                       &run->layer[at + copies * inner.count + i]);
                copies++;
        }
        if (copies > 0 && count && pxr_parse_int(count->text, &wanted) == PXR_NUMBER &&
            wanted != copies)
                remark(c, &c->found->other, "%d layers or blocks, not %s", copies, count->text);
        return copies * inner.count;
}

static void without(struct comparison *c, const struct layer *layer)
{
        remark(c, &c->found->departure, "without %s", layer->where);
}

static void with(struct comparison *c, const struct layer *layer)
{
        remark(c, &c->found->departure, "with %s", layer->where);
}

/* The paper's repeat against other layers of the run. */
static void misfit_repeat(struct comparison *c, struct list *paper, int *i, struct list *run,
                          int *j)
{
        int copied = compare_copies(c, &paper->layer[*i], run, *j);

        if (copied > 0) {
                *j += copied;
                ++*i;
        } else if (has_kind(run, *j, "repeat")) {
                with(c, &run->layer[(*j)++]);
        } else {
                splice(c, paper, *i, 1, "");
        }
}

static bool is_container(const struct layer *layer)
{
        return layer->layers && strcmp(layer->kind, "repeat") != 0;
}

/* The paper's layer `*i` and the run's `*j` are of different kinds. */
static void misfit(struct comparison *c, struct list *paper, int *i, struct list *run, int *j)
{
        const struct layer *left = &paper->layer[*i], *right = &run->layer[*j];

        if (is_container(left) && !has_within(run, *j, left->kind)) {
                without(c, left);
                splice(c, paper, *i, 1, "");
        } else if (is_container(right) && !has_within(paper, *i, right->kind)) {
                with(c, right);
                splice(c, run, *j, 1, "");
        } else if (left->layers && !is_container(left)) {
                misfit_repeat(c, paper, i, run, j);
        } else if (right->layers && !is_container(right) && !has_kind(paper, *i, "repeat")) {
                splice(c, run, *j, times_of(right), "");
        } else if (!has_kind(run, *j, left->kind)) {
                without(c, left);
                ++*i;
        } else {
                with(c, right);
                ++*j;
        }
}

static void compare_lists(struct comparison *c, struct list paper, struct list run)
{
        int i = 0, j = 0;

        while (!c->short_of && i < paper.count && j < run.count) {
                if (strcmp(paper.layer[i].kind, run.layer[j].kind) == 0) {
                        compare_layers(c, &paper.layer[i++], &run.layer[j++]);
                        continue;
                }
                misfit(c, &paper, &i, &run, &j);
        }
        for (; i < paper.count; i++)
                without(c, &paper.layer[i]);
        for (; j < run.count; j++)
                with(c, &run.layer[j]);
}

/* --- which layers there are at all -------------------------------------------------------------
 */

static void check_layers(struct comparison *c, const struct pxr_paper_row *row,
                         const struct pxr_yaml *model)
{
        for (const struct pxr_yaml *kind = row->needs->first; kind; kind = kind->next)
                if (!has_layer(model, kind->text))
                        remark(c, &c->found->other, "no %s", kind->text);
        for (const struct pxr_yaml *kind = row->excludes->first; kind; kind = kind->next)
                if (has_layer(model, kind->text))
                        remark(c, &c->found->other, "a %s", kind->text);
}

/* However the layers are written: a shallower model is another, where nothing has said so yet. */
static void check_depth(struct comparison *c, const struct pxr_paper_row *row,
                        const struct pxr_yaml *model)
{
        for (const struct pxr_yaml *kind = row->needs->first; kind && !c->found->other;
             kind = kind->next) {
                int paper = count_layers(row->model, kind->text);
                int run = count_layers(model, kind->text);

                if (run < paper)
                        remark(c, &c->found->other, "%d %s, not %d", run, kind->text, paper);
        }
}

/* --- data --------------------------------------------------------------------------------------
 */

/* Which data they are is a matter of their identity; what is done to them in training is not. */
static void compare_data(struct comparison *c, const struct pxr_yaml *paper,
                         const struct pxr_yaml *run)
{
        for (const struct pxr_yaml *wanted = paper->first; wanted; wanted = wanted->next) {
                const struct pxr_yaml *value = pxr_yaml_get(run, wanted->key);

                if (value && value->kind == PXR_YAML_SCALAR && wanted->kind == PXR_YAML_SCALAR &&
                    !same_scalar(value->text, wanted->text))
                        remark(c, &c->found->departure, "data.%s %s, not %s", wanted->key,
                               value->text, wanted->text);
        }
}

/* --- training ----------------------------------------------------------------------------------
 */

/* Settings that change nothing but the place and the pace of a result. */
static bool matters(const char *key)
{
        return strcmp(key, "seed") != 0 && strcmp(key, "checkpoint") != 0 &&
               strcmp(key, "micro_batch") != 0 && strcmp(key, "recompute") != 0;
}

/* {rmsprop: {...}} against {adam: {...}} */
static void compare_choices(struct comparison *c, const char *key, const struct pxr_yaml *paper,
                            const struct pxr_yaml *run)
{
        const char *wanted = kind_of(paper), *got = kind_of(run);

        if (strcmp(wanted, got) != 0)
                remark(c, &c->found->departure, "%s %s, not %s", key, got, wanted);
        if (run->kind == PXR_YAML_MAPPING && run->first && run->first->kind == PXR_YAML_MAPPING)
                choose_all(c, got, run->first);
}

static void compare_training(struct comparison *c, const struct pxr_yaml *paper,
                             const struct pxr_yaml *run)
{
        if (!run || run->kind != PXR_YAML_MAPPING)
                return;
        for (const struct pxr_yaml *value = run->first; value; value = value->next) {
                const struct pxr_yaml *wanted = pxr_yaml_get(paper, value->key);

                if (!matters(value->key))
                        continue;
                if (!wanted || is_empty(wanted))
                        choose_all(c, value->key, value);
                else if (wanted->kind == PXR_YAML_SCALAR && value->kind == PXR_YAML_SCALAR &&
                         !same_scalar(wanted->text, value->text))
                        remark(c, &c->found->departure, "%s %s, not %s", value->key, value->text,
                               wanted->text);
                else if (wanted->kind == PXR_YAML_MAPPING)
                        compare_choices(c, value->key, wanted, value);
        }
}

/* The train.patience of a run that could stop early, or NULL. */
static const char *patience_of(const struct pxr_yaml *train)
{
        const struct pxr_yaml *value = train ? pxr_yaml_get(train, "patience") : NULL;
        int64_t evaluations;

        return value && value->kind == PXR_YAML_SCALAR &&
                               pxr_parse_int(value->text, &evaluations) == PXR_NUMBER &&
                               evaluations > 0
                       ? value->text
                       : NULL;
}

int pxr_departures(struct pxr_arena *arena, const struct pxr_paper_row *row,
                   const struct pxr_yaml *spec, struct pxr_departures *found, struct pxr_diag *diag)
{
        struct comparison c = { .arena = arena, .found = found };
        const struct pxr_yaml *model = pxr_yaml_get(spec, "model");

        *found = (struct pxr_departures) { 0 };
        check_layers(&c, row, model);
        if (row->model->first)
                compare_lists(&c, list_layers(&c, row->model, ""), list_layers(&c, model, ""));
        if (!c.short_of)
                check_depth(&c, row, model);
        compare_data(&c, row->data, pxr_yaml_get(spec, "data"));
        compare_training(&c, row->train, pxr_yaml_get(spec, "train"));
        found->patience = patience_of(pxr_yaml_get(spec, "train"));
        return c.short_of ? pxr_out_of_memory(diag) : 0;
}
