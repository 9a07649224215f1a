/* SPDX-License-Identifier: MIT */
/*
 * graph.c - making nodes and parameters, and the parameters' starting values.
 */
#include "tensor/graph.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/older.h"

struct pxr_graph *pxr_graph_new(struct pxr_arena *arena, int rows, int cols, int colours,
                                int levels, struct pxr_diag *diag)
{
        struct pxr_graph *graph = pxr_alloc(arena, sizeof(*graph));
        struct pxr_builder builder = { .graph = graph, .diag = diag, .layer = "image" };

        if (!graph)
                return NULL;
        *graph = (struct pxr_graph) {
                .arena = arena, .rows = rows, .cols = cols, .colours = colours, .levels = levels
        };
        if (!pxr_add_node(&builder, &(struct pxr_new_node) { .op = &pxr_image_op,
                                                             .conf = &levels,
                                                             .conf_size = sizeof(levels),
                                                             .shape = { rows, cols, colours } }))
                return NULL;
        return graph;
}

/* Append a node to the graph's order. */
static int append(struct pxr_graph *graph, struct pxr_node *node)
{
        if (graph->nodes == graph->capacity) {
                int capacity = graph->capacity ? 2 * graph->capacity : 64;
                struct pxr_node **grown =
                        pxr_alloc_array(graph->arena, capacity, sizeof(struct pxr_node *));

                if (!grown)
                        return -1;
                if (graph->nodes)
                        memcpy(grown, graph->node, graph->nodes * sizeof(struct pxr_node *));
                graph->node = grown;
                graph->capacity = capacity;
        }
        node->index = graph->nodes;
        graph->node[graph->nodes++] = node;
        return 0;
}

bool pxr_graph_has(const struct pxr_graph *graph, const struct pxr_node *node)
{
        /* Mostly one of the last. */
        for (int i = graph->nodes - 1; i >= 0; i--)
                if (graph->node[i] == node)
                        return true;
        return false;
}

/* Multiply *size by an extent. False where the product is more than any array can have. */
static bool extend(size_t *size, int extent)
{
        return !__builtin_mul_overflow(*size, (size_t)extent, size) && *size <= PXR_MOST_VALUES;
}

static bool is_too_large(struct pxr_shape shape)
{
        size_t size = 1;

        return !extend(&size, shape.rows) || !extend(&size, shape.cols) ||
               !extend(&size, shape.channels);
}

/* The first input that is not a node of this graph, or -1. */
static int foreign_input(const struct pxr_graph *graph, const struct pxr_new_node *n)
{
        for (int i = 0; i < n->inputs; i++)
                if (n->input[i] && !pxr_graph_has(graph, n->input[i]))
                        return i;
        return -1;
}

/* A plugin may pass anything. */
static bool is_sound(struct pxr_builder *builder, const struct pxr_new_node *n)
{
        const struct pxr_op *op = n->op;
        int gates = n->gates ? n->gates : 1;

        if (!op || !op->name)
                pxr_layer_error(builder, op ? "an op has no name" : "a node has no op");
        else if (builder->graph->logits)
                pxr_layer_error(builder, "nothing can follow the output of the model");
        else if (n->inputs < 0 || n->inputs > PXR_MAX_INPUTS)
                pxr_layer_error(builder, "op '%s' cannot have %d inputs", op->name, n->inputs);
        else if (!op->kernels[PXR_F32].forward || !op->kernels[PXR_F64].forward)
                pxr_layer_error(builder, "op '%s' has no forward pass in both precisions",
                                op->name);
        else if (n->shape.rows < 1 || n->shape.cols < 1 || n->shape.channels < 1)
                pxr_layer_error(builder, "op '%s' cannot make a map of %dx%dx%d", op->name,
                                n->shape.rows, n->shape.cols, n->shape.channels);
        else if (is_too_large(n->shape))
                pxr_layer_error(builder, "op '%s' cannot make a map of %dx%dx%d: it is too large",
                                op->name, n->shape.rows, n->shape.cols, n->shape.channels);
        else if (foreign_input(builder->graph, n) >= 0)
                pxr_layer_error(builder, "input %d of op '%s' is not a node of this model",
                                foreign_input(builder->graph, n), op->name);
        else if ((n->conf_size && !n->conf) || n->conf_size > PXR_MOST_VALUES)
                pxr_layer_error(builder, "op '%s' has settings of %zu bytes%s", op->name,
                                n->conf_size, n->conf ? ", which is too much" : " at NULL");
        else if (gates < 1 || n->shape.channels % gates)
                pxr_layer_error(builder, "op '%s' cannot cut %d channels into %d gates", op->name,
                                n->shape.channels, gates);
        else
                return true;
        return false;
}

struct pxr_node *pxr_add_node(struct pxr_builder *builder, const struct pxr_new_node *new_node)
{
        struct pxr_graph *graph = builder->graph;
        const struct pxr_op *op;
        struct pxr_node *node;
        void *conf;

        if (!is_sound(builder, new_node))
                return NULL;
        for (int i = 0; i < new_node->inputs; i++)
                if (!new_node->input[i])
                        return NULL;
        node = pxr_alloc(graph->arena, sizeof(*node));
        conf = pxr_alloc(graph->arena, new_node->conf_size + 1);
        op = pxr_whole_op(graph->arena, builder->plugin, new_node->op);
        if (!node || !conf || !op || append(graph, node))
                return NULL;
        if (new_node->conf_size)
                memcpy(conf, new_node->conf, new_node->conf_size);
        node->op = op;
        node->conf = conf;
        node->shape = new_node->shape;
        node->colours = graph->colours;
        node->gates = new_node->gates ? new_node->gates : 1;
        node->layer = builder->layer;
        node->location = builder->location;
        node->inputs = new_node->inputs;
        node->constant = node->index > 0;
        for (int i = 0; i < new_node->inputs; i++) {
                node->input[i] = new_node->input[i];
                node->constant = node->constant && node->input[i]->constant;
        }
        return node;
}

static bool has_parameter(const struct pxr_graph *graph, const char *name)
{
        const struct pxr_parameter *parameter = graph->parameter;

        while (parameter && strcmp(parameter->name, name) != 0)
                parameter = parameter->next;
        return parameter != NULL;
}

/* "LAYER.NAME", with a number behind it if that is in use. */
static const char *free_parameter_name(const struct pxr_builder *builder, const char *name)
{
        const struct pxr_graph *graph = builder->graph;
        const char *first = pxr_strf(graph->arena, "%s.%s", builder->layer, name), *found = first;

        for (int i = 2; !pxr_arena_failed(graph->arena) && has_parameter(graph, found); i++)
                found = pxr_strf(graph->arena, "%s_%d", first, i);
        return found;
}

int pxr_add_parameter(struct pxr_builder *builder, struct pxr_node *node, const char *name,
                      pxr_init *init, int rank, const int *shape)
{
        struct pxr_graph *graph = builder->graph;
        struct pxr_parameter *parameter;
        bool sound = rank > 0 && rank <= PXR_MAX_RANK;
        size_t size = 1;

        if (!node)
                return -1;
        if (!pxr_graph_has(graph, node) || !name || !init) {
                pxr_layer_error(builder, !name   ? "a parameter has no name"
                                         : !init ? "a parameter has no function that starts it"
                                                 : "a parameter is not given a node of this model");
                return -1;
        }
        for (int i = 0; sound && i < rank; i++)
                sound = shape[i] > 0;
        for (int i = 0; sound && i < rank; i++)
                if (!extend(&size, shape[i])) {
                        pxr_layer_error(builder, "the parameter '%s' of op '%s' is too large", name,
                                        node->op->name);
                        return -1;
                }
        if (!sound || node->parameters == PXR_MAX_PARAMETERS) {
                pxr_layer_error(builder, "op '%s' cannot have %s '%s'", node->op->name,
                                sound ? "one more parameter," : "a parameter of this shape,", name);
                return -1;
        }
        parameter = pxr_alloc(graph->arena, sizeof(*parameter));
        if (!parameter)
                return -1;
        parameter->name = free_parameter_name(builder, name);
        parameter->node = node;
        parameter->init = init;
        parameter->rank = rank;
        parameter->size = size;
        memcpy(parameter->shape, shape, rank * sizeof(*shape));
        parameter->offset = graph->parameter_values;
        graph->parameter_values += parameter->size;
        graph->parameters++;
        if (graph->last_parameter)
                graph->last_parameter->next = parameter;
        else
                graph->parameter = parameter;
        graph->last_parameter = parameter;
        node->parameter[node->parameters++] = parameter;
        return 0;
}

const char *pxr_join_names(struct pxr_arena *arena, const char *prefix, const char *name)
{
        return prefix ? pxr_strf(arena, "%s.%s", prefix, name) : name;
}

/* Check that the backward pass can go from the logits to every parameter. */
static int check_backward(const struct pxr_graph *graph, struct pxr_diag *diag)
{
        bool *needs_grad = calloc(graph->nodes, sizeof(bool));
        int status = needs_grad ? 0 : pxr_out_of_memory(diag);

        if (needs_grad)
                pxr_graph_needs_grad(graph, needs_grad);
        for (int i = 0; i < graph->nodes && !status; i++) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_kernels *kernels = node->op->kernels;

                if (needs_grad[i] && (!kernels[PXR_F32].backward || !kernels[PXR_F64].backward))
                        status = pxr_error_at(diag, node->location,
                                              "%s: its op '%s' has no backward pass, which the "
                                              "parameters in or below it need",
                                              node->layer, node->op->name);
        }
        free(needs_grad);
        return status;
}

int pxr_share_parameter(struct pxr_node *node, const struct pxr_node *owner, int number)
{
        if (!node || !owner || number < 0 || number >= owner->parameters ||
            node->parameters == PXR_MAX_PARAMETERS)
                return -1;
        node->parameter[node->parameters++] = owner->parameter[number];
        return 0;
}

static const char incomplete[] = "the output's distribution lacks a name or a function";

static bool is_whole(const struct pxr_distribution *d)
{
        bool whole = d && d->name && d->channels;

        for (int p = 0; whole && p < PXR_PRECISIONS; p++)
                whole = d->nll[p] && d->probabilities[p] && d->log_probabilities[p];
        return whole;
}

/* End the graph with so many channels of logits. NULL after an error. */
static struct pxr_node *end_graph(struct pxr_builder *builder, struct pxr_node *logits,
                                  const struct pxr_distribution *distribution, int channels)
{
        struct pxr_graph *graph = builder->graph;

        if (!pxr_graph_has(graph, logits))
                return pxr_layer_error(builder, "the output is not a node of this model");
        if (graph->logits)
                return pxr_layer_error(builder, "the model has an output already");
        if (channels == 0)
                return pxr_layer_error(builder,
                                       "the %s distribution cannot have %d levels, which "
                                       "the data has",
                                       distribution->name, graph->levels);
        if (logits->shape.channels != channels || logits->shape.rows != graph->rows ||
            logits->shape.cols != graph->cols)
                return pxr_layer_error(builder, "the output must be %dx%dx%d, got %dx%dx%d",
                                       graph->rows, graph->cols, channels, logits->shape.rows,
                                       logits->shape.cols, logits->shape.channels);
        if (check_backward(graph, builder->diag))
                return NULL;
        graph->logits = logits;
        graph->distribution = distribution;
        return logits;
}

struct pxr_node *pxr_output(struct pxr_builder *builder, struct pxr_node *logits,
                            const struct pxr_distribution *distribution)
{
        const struct pxr_graph *graph = builder->graph;

        if (!logits)
                return NULL;
        if (distribution)
                distribution = pxr_whole_distribution(graph->arena, builder->plugin, distribution);
        if (!is_whole(distribution))
                return pxr_layer_error(builder, incomplete);
        return end_graph(builder, logits, distribution,
                         distribution->channels(graph->levels) * graph->colours);
}

struct pxr_node *pxr_output_pixels(struct pxr_builder *builder, struct pxr_node *logits,
                                   const struct pxr_pixel_distribution *distribution,
                                   const void *conf, size_t conf_size)
{
        struct pxr_graph *graph = builder->graph;
        struct pxr_distribution *named = pxr_alloc(graph->arena, sizeof(*named));
        void *copy = pxr_alloc(graph->arena, conf_size + 1);
        bool whole;

        if (distribution)
                distribution =
                        pxr_whole_pixel_distribution(graph->arena, builder->plugin, distribution);
        whole = distribution && distribution->name && distribution->channels;
        if (!logits || !named || !copy)
                return NULL;
        for (int p = 0; whole && p < PXR_PRECISIONS; p++)
                whole = distribution->nll[p] && distribution->probabilities[p] &&
                        distribution->log_probabilities[p];
        if (!whole)
                return pxr_layer_error(builder, incomplete);
        if (conf_size)
                memcpy(copy, conf, conf_size);
        named->name = distribution->name;
        logits = end_graph(builder, logits, named,
                           distribution->channels(graph->levels, graph->colours, copy));
        graph->pixel = logits ? distribution : NULL;
        graph->pixel_conf = copy;
        return logits;
}

int pxr_expect_image(struct pxr_builder *builder, const struct pxr_node *input)
{
        if (input->index == 0)
                return 0;
        pxr_layer_error(builder, "it is a whole model and must be the first layer");
        return -1;
}

int pxr_image_colours(const struct pxr_builder *builder)
{
        return builder->graph->colours;
}

int pxr_image_rows(const struct pxr_builder *builder)
{
        return builder->graph->rows;
}

int pxr_image_cols(const struct pxr_builder *builder)
{
        return builder->graph->cols;
}

int pxr_image_levels(const struct pxr_builder *builder)
{
        return builder->graph->levels;
}

int pxr_image_classes(const struct pxr_builder *builder)
{
        return builder->graph->classes;
}

void pxr_subsample_map(const struct pxr_graph *graph, size_t pixel, const uint8_t *map,
                       uint8_t *small)
{
        for (int row = 0; row < graph->small_rows; row++)
                for (int col = 0; col < graph->small_cols; col++, small += pixel) {
                        int r = row * (graph->rows / graph->small_rows);
                        int c = col * (graph->cols / graph->small_cols);

                        memcpy(small, map + ((size_t)r * graph->cols + c) * pixel, pixel);
                }
}

void pxr_graph_subsample(const struct pxr_graph *graph, const uint8_t *pixels, int images,
                         uint8_t *small)
{
        size_t size = (size_t)graph->rows * graph->cols * graph->colours;
        size_t small_size = (size_t)graph->small_rows * graph->small_cols * graph->colours;

        for (int image = 0; image < images; image++)
                pxr_subsample_map(graph, graph->colours, pixels + image * size,
                                  small + image * small_size);
}

struct pxr_node *pxr_layer_error(struct pxr_builder *builder, const char *format, ...)
{
        va_list arguments;
        char *text;

        va_start(arguments, format);
        text = pxr_vstrf(builder->graph->arena, format, arguments);
        va_end(arguments);
        pxr_error_at(builder->diag, builder->location, "%s: %s", builder->layer, text);
        return NULL;
}

void pxr_init_zeros(const struct pxr_parameter *parameter, struct pxr_random *random,
                    double *values)
{
        (void)parameter;
        (void)random;
        (void)values;
}

struct pxr_random pxr_initial_random(uint64_t seed, const char *name)
{
        uint64_t key = pxr_hash_name(name);

        return pxr_random(seed, PXR_RANDOM_INIT, (uint32_t)key, (uint32_t)(key >> 32), 0);
}

int pxr_graph_init(const struct pxr_graph *graph, uint64_t seed, float *f32, double *f64,
                   struct pxr_diag *diag)
{
        const struct pxr_parameter *parameter;

        for (parameter = graph->parameter; parameter; parameter = parameter->next) {
                double *values = calloc(parameter->size, sizeof(double));
                struct pxr_random random = pxr_initial_random(seed, parameter->name);

                if (!values)
                        return pxr_out_of_memory(diag);
                parameter->init(parameter, &random, values);
                for (size_t i = 0; i < parameter->size; i++) {
                        if (f32)
                                f32[parameter->offset + i] = (float)values[i];
                        if (f64)
                                f64[parameter->offset + i] = values[i];
                }
                free(values);
        }
        return 0;
}

int pxr_graph_check_sizes(const struct pxr_graph *graph, struct pxr_diag *diag)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_op *op = node->op;
                const struct {
                        size_t (*size)(const struct pxr_node *node, int images);
                        const char *name;
                } ask[] = { { op->scratch, "scratch" },
                            { op->state, "state" },
                            { op->advance_state, "state for advance" } };

                for (int k = 0; k < 3; k++) {
                        size_t size = ask[k].size ? ask[k].size(node, 1) : 0;

                        if (size > PXR_MOST_VALUES)
                                return pxr_error_at(
                                        diag, node->location,
                                        "%s: op '%s' requires %zu values of %s, which is too many",
                                        node->layer, op->name, size, ask[k].name);
                }
        }
        return 0;
}

void pxr_graph_needed(const struct pxr_graph *graph, bool *needed)
{
        memset(needed, 0, graph->nodes * sizeof(bool));
        needed[0] = needed[graph->logits->index] = true;
        for (int i = graph->nodes - 1; i >= 0; i--)
                for (int k = 0; needed[i] && k < graph->node[i]->inputs; k++)
                        needed[graph->node[i]->input[k]->index] = true;
}

double pxr_graph_multiply_adds(const struct pxr_graph *graph)
{
        double sum = 0;

        for (int i = 0; i < graph->nodes; i++)
                if (graph->node[i]->op->multiply_adds)
                        sum += graph->node[i]->op->multiply_adds(graph->node[i]);
        return sum;
}

void pxr_graph_needs_grad(const struct pxr_graph *graph, bool *needs_grad)
{
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];

                needs_grad[i] = node->parameters > 0;
                for (int k = 0; k < node->inputs; k++)
                        needs_grad[i] = needs_grad[i] || needs_grad[node->input[k]->index];
        }
}

double pxr_backward_multiply_adds(const struct pxr_node *node, const bool *needs_grad)
{
        double forward = node->op->multiply_adds ? node->op->multiply_adds(node) : 0;
        bool inputs = false;

        for (int k = 0; k < node->inputs; k++)
                inputs = inputs || needs_grad[node->input[k]->index];
        return forward * ((node->parameters > 0) + inputs);
}
