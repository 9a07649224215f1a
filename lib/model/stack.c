/* SPDX-License-Identifier: MIT */
/*
 * stack.c - a list of layers in a spec, checked and then built, layer by layer.
 *
 * Paths: an item of `model:` is layers.<number>.<name>; a layer in a container has the
 * container's path before its own name, and a number behind it from the second of a name on. A
 * container that builds its list several times (repeat) has the number of the repetition where its
 * own name would stand; what several such containers in one list hold is counted together.
 */
#include "model/model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"

enum { MAX_LAYERS = 10000 }; /* built: repeats within repeats multiply */

struct stack {
        struct pxr_arena *arena;
        struct pxr_model *model;
        const struct pxr_plugins *plugins;
        const struct pxr_yaml *list; /* the whole of it */
        struct pxr_built_layer *last;
        const char *base; /* path of the layer being built, without its name */
        int depth;
        bool noted; /* the overrides, below an error */
        struct pxr_diag *diag;
};

/* An item of a list: its plugin and its checked options. */
struct item {
        const struct pxr_plugin_file *plugin;
        const struct pxr_options *options;
        const char *name;
        const struct pxr_yaml *node;
        struct pxr_location location;
        void *conf;
};

static const struct pxr_options no_options = { 0 };

/* Where errors of a layer point: to its item in the spec, or to the last override of one of its
 * options, which is then to blame. */
static struct pxr_location error_location(const struct pxr_yaml *node,
                                          const struct pxr_yaml *options)
{
        struct pxr_location location = node->location;

        if (node->origin == PXR_ORIGIN_OVERRIDE)
                return location;
        for (const struct pxr_yaml *option = options->first; option; option = option->next)
                if (option->origin == PXR_ORIGIN_OVERRIDE)
                        location = option->location;
        return location;
}

static const struct item *read_item(struct stack *stack, struct pxr_yaml *node)
{
        struct item *item = pxr_alloc(stack->arena, sizeof(*item));
        struct pxr_yaml *name = pxr_layer_name(stack->arena, node, stack->diag);
        struct pxr_reading reading;

        if (!item || !name)
                return NULL;
        item->node = node;
        item->name = name->key;
        item->plugin = pxr_plugin_find(stack->plugins, name->key, name->key_location, stack->diag);
        if (item->plugin)
                item->options =
                        item->plugin->layer->options ? item->plugin->layer->options : &no_options;
        if (pxr_layer_options(stack->arena, name, item->options, stack->diag))
                return NULL;
        item->location = error_location(node, name);
        reading.options = item->options;
        reading.conf = item->conf = pxr_alloc(stack->arena, reading.options->size + 1);
        if (!item->conf ||
            pxr_options_read(stack->arena, name, item->name, &reading, 1, stack->diag))
                return NULL;
        return item;
}

/* Check a list of layers and the lists in it, so that all errors are found at once. */
static int check_list(struct stack *stack, const struct pxr_yaml *list)
{
        int status = 0;

        if (list->kind != PXR_YAML_SEQUENCE || !list->first) {
                pxr_error_at(stack->diag, list->location, "expected a list of layers");
                return -1;
        }
        for (struct pxr_yaml *node = list->first; node; node = node->next) {
                const struct item *item = read_item(stack, node);
                const struct pxr_option *row;

                if (!item) {
                        status = -1;
                        continue;
                }
                for (row = item->options->rows; row && row->type != PXR_TYPE_END; row++) {
                        const struct pxr_yaml *const *inner =
                                (const void *)((const char *)item->conf + row->offset);

                        if (row->type == PXR_TYPE_LAYERS && *inner && check_list(stack, *inner))
                                status = -1;
                }
        }
        return status;
}

/* A layer's number among those of its name directly below `base`: 1 for "conv", 3 for "conv_3"; 0:
 * it is elsewhere, or of another name. */
static int number_of(const struct pxr_built_layer *layer, const char *base, const char *name)
{
        size_t length = strlen(base), end = length + 1 + strlen(name);
        const char *path = layer->path;
        char *rest;
        long number;

        if (strncmp(path, base, length) != 0 || path[length] != '.' ||
            strncmp(path + length + 1, name, strlen(name)) != 0)
                return 0;
        if (!path[end])
                return 1;
        number = path[end] == '_' ? strtol(path + end + 1, &rest, 10) : 0;
        return number > 0 && number < INT_MAX && !*rest ? (int)number : 0;
}

/* The name of a layer, with a number behind it where layers before have it. It is unique below
 * `base`, below which several lists can be built: the repetitions of two repeats in a container. */
static const char *free_name(const struct stack *stack, const char *name, const char *base)
{
        const struct pxr_built_layer *layer = stack->model->layer;
        bool taken = false;
        int last = 0;

        for (; layer; layer = layer->next) {
                int number = number_of(layer, base, name);

                taken = taken || number == 1;
                last = number > last ? number : last;
        }
        return taken ? pxr_strf(stack->arena, "%s_%d", name, last + 1) : name;
}

/* Add up what a layer's own nodes and those within it cost. */
static void count_costs(const struct pxr_graph *graph, struct pxr_built_layer *layer)
{
        for (int i = layer->first; i < layer->end; i++) {
                const struct pxr_node *node = graph->node[i];

                for (int k = 0; k < node->parameters; k++)
                        if (node->parameter[k]->node == node)
                                layer->parameters += node->parameter[k]->size;
                if (node->op->multiply_adds)
                        layer->multiply_adds += node->op->multiply_adds(node);
        }
}

static int record(struct stack *stack, const struct item *item, const char *path, int first,
                  const struct pxr_node *output)
{
        struct pxr_graph *graph = stack->model->graph;
        struct pxr_built_layer *layer = pxr_alloc(graph->arena, sizeof(*layer));

        if (!layer)
                return -1;
        if (stack->model->layers == MAX_LAYERS)
                return pxr_error_at(stack->diag, item->location,
                                    "a model can have %d layers and no more, each counted as often "
                                    "as it is repeated",
                                    MAX_LAYERS);
        *layer = (struct pxr_built_layer) { .path = path,
                                            .plugin = item->plugin,
                                            .depth = stack->depth,
                                            .first = first,
                                            .end = graph->nodes,
                                            .output = output };
        count_costs(graph, layer);
        if (stack->last)
                stack->last->next = layer;
        else
                stack->model->layer = layer;
        stack->last = layer;
        stack->model->layers++;
        return 0;
}

/* Check what a build function returned. `errors`: as many as there were before. False after an
 * error, also one after which the layer continued. */
static bool check_built(struct pxr_builder *outer, struct pxr_builder *inner,
                        const struct pxr_node *map, int errors)
{
        if (pxr_diag_errors(outer->diag) > errors)
                return false;
        if (!map)
                pxr_layer_error(inner, "the layer could not be built and did not say why");
        else if (!pxr_graph_has(outer->graph, map))
                pxr_layer_error(inner, "the layer did not return a node of this model");
        else if (inner->skips != outer->skips)
                pxr_layer_error(inner, "a pxr_skip_open() is without its pxr_skip_close(), or the "
                                       "other way round");
        /* Later colours could not see those that have no channel. */
        else if (!map->constant && map->shape.channels / map->gates < map->colours)
                pxr_layer_error(inner,
                                "%d features cannot be divided among %d colours: each needs at "
                                "least one",
                                map->shape.channels / map->gates, map->colours);
        return pxr_diag_errors(outer->diag) == errors;
}

/* A layer that fails where the spec has it may do so for what an override made of another. */
static void note_overrides(const struct stack *stack, const struct pxr_yaml *node)
{
        const char *origin;

        if (node->origin != PXR_ORIGIN_OVERRIDE) {
                for (node = node->first; node; node = node->next)
                        note_overrides(stack, node);
                return;
        }
        origin = pxr_yaml_origin(stack->arena, node);
        if (origin)
                pxr_note(stack->diag, "see also %s", origin);
}

/* Build one layer, whose path is `base`.`name`. */
static struct pxr_node *build_item(struct pxr_builder *builder, const struct item *item,
                                   const char *base, const char *name, struct pxr_node *input)
{
        struct stack *stack = builder->stack;
        struct pxr_builder inner = *builder;
        const char *outer_base = stack->base;
        int first = stack->model->graph->nodes, errors = pxr_diag_errors(stack->diag);
        struct pxr_node *output;

        inner.layer = pxr_strf(stack->model->graph->arena, "%s.%s", base, name);
        inner.location = item->location;
        inner.plugin = item->plugin->entry;
        stack->base = base;
        stack->depth++;
        output = item->plugin->layer->build(&inner, item->conf, input);
        stack->depth--;
        stack->base = outer_base;
        if (check_built(builder, &inner, output, errors) &&
            !record(stack, item, inner.layer, first, output))
                return output;
        if (!stack->noted && item->location.source == item->node->location.source)
                note_overrides(stack, stack->list);
        stack->noted = true;
        return NULL;
}

struct pxr_node *pxr_build_layers(struct pxr_builder *builder, const char *part,
                                  const struct pxr_yaml *layers, struct pxr_node *input)
{
        struct stack *stack = builder->stack;
        struct pxr_arena *arena = stack->model->graph->arena;
        const char *base = part ? pxr_strf(arena, "%s.%s", stack->base, part) : builder->layer;

        if (!layers)
                return pxr_layer_error(builder, "there is no list of layers to build");
        for (struct pxr_yaml *node = layers->first; node && input; node = node->next) {
                const struct item *item = read_item(stack, node);

                if (!item)
                        return NULL;
                input = build_item(builder, item, base, free_name(stack, item->name, base), input);
        }
        return input;
}

/* The items of `model:` itself, which are numbered. */
static struct pxr_node *build_model(struct pxr_builder *builder, const struct pxr_yaml *list)
{
        struct stack *stack = builder->stack;
        struct pxr_graph *graph = stack->model->graph;
        struct pxr_node *output = graph->node[0];
        int number = 0;

        for (struct pxr_yaml *node = list->first; node && output; node = node->next, number++) {
                const char *base = pxr_strf(graph->arena, "layers.%d", number);
                const struct item *item = read_item(stack, node);

                if (!item)
                        return NULL;
                if (graph->logits) {
                        pxr_error_at(stack->diag, node->location,
                                     "nothing can follow the output: the layer above ends the "
                                     "model");
                        return NULL;
                }
                output = build_item(builder, item, base, item->name, output);
        }
        return output;
}

/* The output must depend on all parameters: nothing would ever change others, and a model that is
 * said to be conditional would not be. */
static int check_needed(struct stack *stack)
{
        const struct pxr_graph *graph = stack->model->graph;
        bool *needed = pxr_alloc_array(stack->arena, graph->nodes, sizeof(*needed));

        if (!needed)
                return -1;
        pxr_graph_needed(graph, needed);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                if (needed[i] || node->parameters == 0)
                        continue;
                pxr_error_at(stack->diag, node->location,
                             "%s: the output of the model does not depend on its parameters",
                             node->layer);
                pxr_note(stack->diag, "nothing uses what follows the last 'skip', and a "
                                      "'multi_scale' must hold a layer that it can condition: an "
                                      "LSTM, a convolution or the output");
                return -1;
        }
        if (graph->class_map && !needed[graph->class_map->index])
                return pxr_error_at(stack->diag, graph->class_map->location,
                                    "%s: the output of the model does not depend on the class",
                                    graph->class_map->layer);
        return 0;
}

struct pxr_model *pxr_model_build(struct pxr_arena *arena, const struct pxr_plugins *plugins,
                                  struct pxr_yaml *model, const struct pxr_image_kind *kind,
                                  int classes, bool part, struct pxr_diag *diag)
{
        struct pxr_model *built = pxr_alloc(arena, sizeof(*built));
        struct stack stack = {
                .arena = arena, .model = built, .plugins = plugins, .list = model, .diag = diag
        };
        struct pxr_builder builder = { .diag = diag, .stack = &stack };
        struct pxr_node *output;

        if (!built)
                return NULL;
        built->graph = builder.graph =
                pxr_graph_new(arena, kind->rows, kind->cols, kind->colours, kind->levels, diag);
        if (built->graph)
                built->graph->classes = classes;
        if (!built->graph || check_list(&stack, model) || !(output = build_model(&builder, model)))
                return NULL;
        builder.layer = "head";
        if (!built->graph->logits && part)
                pxr_output_conv(&builder, output, &pxr_categorical);
        if (!built->graph->logits) {
                pxr_error_at(diag, model->location, "the model has no output");
                pxr_note(diag, "end it with 'sigmoid' (2 levels) or 'softmax'");
                return NULL;
        }
        if (pxr_graph_check_sizes(built->graph, diag) || check_needed(&stack))
                return NULL;
        return pxr_arena_failed(arena) ? NULL : built;
}

int pxr_model_check(struct pxr_arena *arena, const struct pxr_plugins *plugins,
                    struct pxr_yaml *model, struct pxr_diag *diag)
{
        struct stack stack = { .arena = arena, .plugins = plugins, .diag = diag };

        return check_list(&stack, model);
}

const struct pxr_built_layer *pxr_layer_of_new_plugin(const struct pxr_model *model,
                                                      const struct pxr_built_layer *layer)
{
        for (; layer; layer = layer->next) {
                const struct pxr_built_layer *first = model->layer;

                while (first->plugin != layer->plugin)
                        first = first->next;
                if (first == layer)
                        return layer;
        }
        return NULL;
}
