/* SPDX-License-Identifier: MIT */
/*
 * graph.c - making nodes and parameters, and the parameters' starting values.
 *
 * Uses base/.
 */
#include "tensor/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pxr_graph *pxr_graph_new(struct pxr_arena *arena, int rows, int cols, int colours,
                                int levels, struct pxr_diag *diag)
{
        struct pxr_graph *graph = pxr_alloc(arena, sizeof(*graph));
        struct pxr_builder builder = { .graph = graph, .diag = diag, .layer = "image" };

        if (!graph) {
                pxr_out_of_memory(diag);
                return NULL;
        }
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

struct pxr_node *pxr_add_node(struct pxr_builder *builder, const struct pxr_new_node *new_node)
{
        struct pxr_graph *graph = builder->graph;
        struct pxr_node *node;
        void *conf;

        for (int i = 0; i < new_node->inputs; i++)
                if (!new_node->input[i])
                        return NULL;
        node = pxr_alloc(graph->arena, sizeof(*node));
        conf = pxr_alloc(graph->arena, new_node->conf_size + 1);
        if (!node || !conf || append(graph, node)) {
                pxr_out_of_memory(builder->diag);
                return NULL;
        }
        if (new_node->conf_size)
                memcpy(conf, new_node->conf, new_node->conf_size);
        node->op = new_node->op;
        node->conf = conf;
        node->shape = new_node->shape;
        node->colours = graph->colours;
        node->gates = new_node->gates ? new_node->gates : 1;
        node->layer = builder->layer;
        node->mark = builder->mark;
        node->inputs = new_node->inputs;
        node->constant = node->index > 0;
        for (int i = 0; i < new_node->inputs; i++) {
                node->input[i] = new_node->input[i];
                node->constant = node->constant && node->input[i]->constant;
        }
        return node;
}

int pxr_add_parameter(struct pxr_builder *builder, struct pxr_node *node, const char *name,
                      pxr_init *init, int rank, const int *shape)
{
        struct pxr_graph *graph = builder->graph;
        struct pxr_parameter *parameter;

        if (!node)
                return -1;
        assert(rank > 0 && rank <= PXR_MAX_RANK && node->parameters < PXR_MAX_PARAMETERS);
        parameter = pxr_alloc(graph->arena, sizeof(*parameter));
        if (!parameter)
                return pxr_out_of_memory(builder->diag);
        parameter->name = pxr_strf(graph->arena, "%s.%s", builder->layer, name);
        if (!parameter->name)
                return pxr_out_of_memory(builder->diag);
        for (struct pxr_parameter *other = graph->parameter; other; other = other->next)
                if (strcmp(other->name, parameter->name) == 0) {
                        pxr_layer_error(builder, "the parameter %s exists already",
                                        parameter->name);
                        return -1;
                }
        parameter->node = node;
        parameter->init = init;
        parameter->rank = rank;
        parameter->size = 1;
        for (int i = 0; i < rank; i++) {
                parameter->shape[i] = shape[i];
                parameter->size *= shape[i];
        }
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

int pxr_share_parameter(struct pxr_node *node, const struct pxr_node *owner, int number)
{
        if (!node || !owner)
                return -1;
        assert(number < owner->parameters && node->parameters < PXR_MAX_PARAMETERS);
        node->parameter[node->parameters++] = owner->parameter[number];
        return 0;
}

struct pxr_node *pxr_output(struct pxr_builder *builder, struct pxr_node *logits,
                            const struct pxr_distribution *distribution)
{
        struct pxr_graph *graph = builder->graph;
        int channels = distribution->channels(graph->levels);

        if (!logits)
                return NULL;
        if (graph->logits)
                return pxr_layer_error(builder, "the model has an output already");
        if (channels == 0)
                return pxr_layer_error(builder,
                                       "the %s distribution cannot have %d levels, which "
                                       "the data has",
                                       distribution->name, graph->levels);
        if (logits->shape.channels != channels * graph->colours ||
            logits->shape.rows != graph->rows || logits->shape.cols != graph->cols)
                return pxr_layer_error(builder, "the output must be %dx%dx%d, and is %dx%dx%d",
                                       graph->rows, graph->cols, channels * graph->colours,
                                       logits->shape.rows, logits->shape.cols,
                                       logits->shape.channels);
        graph->logits = logits;
        graph->distribution = distribution;
        return logits;
}

int pxr_image_colours(const struct pxr_builder *builder)
{
        return builder->graph->colours;
}

int pxr_image_levels(const struct pxr_builder *builder)
{
        return builder->graph->levels;
}

struct pxr_node *pxr_layer_error(struct pxr_builder *builder, const char *format, ...)
{
        va_list arguments;
        char *text;

        va_start(arguments, format);
        text = pxr_vstrf(builder->graph->arena, format, arguments);
        va_end(arguments);
        pxr_error_at(builder->diag, builder->mark, "%s: %s", builder->layer,
                     text ? text : "out of memory");
        return NULL;
}

void pxr_init_zeros(const struct pxr_parameter *parameter, struct pxr_random *random,
                    double *values)
{
        (void)parameter;
        (void)random;
        (void)values;
}

int pxr_graph_init(const struct pxr_graph *graph, uint64_t seed, float *single, double *twice,
                   struct pxr_diag *diag)
{
        const struct pxr_parameter *parameter;

        for (parameter = graph->parameter; parameter; parameter = parameter->next) {
                double *values = calloc(parameter->size, sizeof(double));
                uint64_t key = pxr_hash_name(parameter->name);
                struct pxr_random random =
                        pxr_random(seed, PXR_RANDOM_INIT, (uint32_t)key, (uint32_t)(key >> 32), 0);

                if (!values)
                        return pxr_out_of_memory(diag);
                parameter->init(parameter, &random, values);
                for (size_t i = 0; i < parameter->size; i++) {
                        if (single)
                                single[parameter->offset + i] = (float)values[i];
                        if (twice)
                                twice[parameter->offset + i] = values[i];
                }
                free(values);
        }
        return 0;
}

double pxr_graph_multiply_adds(const struct pxr_graph *graph)
{
        double sum = 0;

        for (int i = 0; i < graph->nodes; i++)
                if (graph->node[i]->op->multiply_adds)
                        sum += graph->node[i]->op->multiply_adds(graph->node[i]);
        return sum;
}
