/* SPDX-License-Identifier: MIT */
/*
 * stack_reference.h - builds a stack from its text, runs it forward in double precision on random
 * images and weights, and compares its layers one by one with plain loops (reference.h).
 *
 * The loops start from the pixels and never read a map of the model.
 */
#ifndef PXR_TESTS_STACK_REFERENCE_H
#define PXR_TESTS_STACK_REFERENCE_H

#include "reference.h"
#include "stacks.h"

enum { IMAGES = 2 };

struct stack {
        const struct pxr_model *model;
        const struct pxr_graph *graph;
        const double *parameters;
        const uint8_t *pixels;
        struct pxr_workspace *workspace;
};

static inline struct stack run_stack(struct pxr_image_kind kind, const char *text)
{
        struct stack s = { .model = build_stack(kind, text) };

        s.graph = s.model->graph;
        s.parameters = arbitrary_parameters(s.graph, 7);
        s.pixels = random_images(s.graph, IMAGES, 3);
        s.workspace = new_workspace(s.graph, PXR_F64, PXR_FOR_EVALUATION, IMAGES, true);
        pxr_workspace_load(s.workspace, s.pixels, IMAGES);
        pxr_workspace_forward(s.workspace, s.parameters);
        return s;
}

/* The values of the parameter `part` of the layer `path`, and its last dimension. */
static inline const double *values_of(const struct stack *s, const char *path, const char *part,
                                      int *outputs)
{
        const struct pxr_parameter *parameter =
                find_parameter(s->graph, pxr_strf(arena, "%s.%s", path, part));

        if (outputs)
                *outputs = parameter->shape[parameter->rank - 1];
        return s->parameters + parameter->offset;
}

/* One image as the network reads it, from -1 to 1: every `stride`-th pixel of every `stride`-th
 * row. */
static inline struct map image_of(const struct stack *s, int image, int stride)
{
        const struct pxr_graph *g = s->graph;
        const uint8_t *pixels = s->pixels + (size_t)image * g->rows * g->cols * g->colours;
        struct map map = new_map(g->rows / stride, g->cols / stride, g->colours);

        for (int row = 0; row < map.rows; row++)
                for (int col = 0; col < map.cols; col++)
                        for (int c = 0; c < g->colours; c++) {
                                int v = pixels[(row * stride * g->cols + col * stride) *
                                                       g->colours +
                                               c];

                                *at(&map, row, col, c) = v / ((g->levels - 1) / 2.0) - 1;
                        }
        return map;
}

/* The masked convolution of `x` by the layer `path`, without a condition. */
static inline struct map convolved(const struct stack *s, const char *path, const struct map *x,
                                   int mask, int kernel)
{
        int outputs;
        const double *weight = values_of(s, path, "weight", &outputs);

        return masked_conv(x, weight, values_of(s, path, "bias", NULL), mask, kernel,
                           s->graph->colours, outputs, 1);
}

static inline void add_map(struct map *to, const struct map *x)
{
        ck_assert_int_eq(to->channels, x->channels);
        for (int i = 0; i < to->rows * to->cols * to->channels; i++)
                to->value[i] += x->value[i];
}

static inline struct map rectified(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int i = 0; i < x->rows * x->cols * x->channels; i++)
                y.value[i] = x->value[i] > 0 ? x->value[i] : 0;
        return y;
}

/* The map that the layer `path` computed must equal this one. */
static inline void expect_made(const struct stack *s, const char *path, int image,
                               const struct map *expected)
{
        const struct pxr_built_layer *layer = s->model->layer;
        struct map got;

        while (layer && strcmp(layer->path, path) != 0)
                layer = layer->next;
        ck_assert_msg(layer != NULL, "there is no layer %s", path);
        got = node_map(s->workspace, PXR_F64, layer->output, IMAGES, image);
        expect_same_map(&got, expected, 1e-11, path);
}

#endif
