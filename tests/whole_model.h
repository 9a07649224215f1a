/* SPDX-License-Identifier: MIT */
/* whole_model.h - a model built from a spec, in double, with noise for parameters and images. */
#ifndef PXR_TESTS_WHOLE_MODEL_H
#define PXR_TESTS_WHOLE_MODEL_H

#include <check.h>
#include <math.h>
#include <string.h>

#include "model/model.h"
#include "config/yaml.h"
#include "tensor/workspace.h"

enum { IMAGES = 4, MAX_VALUES = 64 };

static struct pxr_arena *arena;
static struct pxr_diag *diag;
static struct pxr_plugins *plugins;

static inline void setup(void)
{
        diag = pxr_diag_new();
        arena = pxr_arena_new(0, diag);
        plugins = pxr_plugins_open(arena, diag);
        ck_assert_ptr_nonnull(plugins);
}

static inline void teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

/* Everything in double. All parameters are noise, those that masks hide as well. */
struct subject {
        struct pxr_model *model;
        struct pxr_graph *graph;
        struct pxr_workspace *workspace;
        struct pxr_random random;
        double *parameters;
        int values, levels, channels; /* channels: logits of one value */
        uint8_t pixels[IMAGES * MAX_VALUES];
};

static inline struct pxr_model *build(const char *layers, struct pxr_image_kind kind)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));
        struct pxr_yaml *stack;

        *source = (struct pxr_source) { "spec", layers, strlen(layers) };
        stack = pxr_yaml_parse(arena, source, diag);
        ck_assert_ptr_nonnull(stack);
        return pxr_model_build(arena, plugins, stack, &kind, 0, false, diag);
}

static inline void free_workspace(void *what)
{
        pxr_workspace_free(what);
}

static inline struct subject *subject(const char *layers, struct pxr_image_kind kind)
{
        struct subject *s = pxr_alloc(arena, sizeof(*s));

        s->model = build(layers, kind);
        ck_assert_msg(s->model != NULL, "%s", pxr_diag_text(diag, 0));
        s->graph = s->model->graph;
        s->random = pxr_random(7, PXR_RANDOM_TEST, 0, 0, 0);
        s->workspace = pxr_workspace_new(s->graph, PXR_F64, PXR_FOR_TRAINING, IMAGES, true, diag);
        ck_assert_ptr_nonnull(s->workspace);
        pxr_arena_defer(arena, free_workspace, s->workspace);
        s->parameters = pxr_alloc_array(arena, s->graph->parameter_values + 1, sizeof(double));
        for (size_t i = 0; i < s->graph->parameter_values; i++)
                s->parameters[i] = 0.4 * pxr_random_normal(&s->random);
        s->values = kind.rows * kind.cols * kind.colours;
        s->levels = kind.levels;
        s->channels = s->graph->logits->shape.channels / kind.colours;
        ck_assert_int_le(s->values, MAX_VALUES);
        for (int i = 0; i < IMAGES * s->values; i++)
                s->pixels[i] = (uint8_t)pxr_random_below(&s->random, kind.levels);
        return s;
}

static inline double *parameter(const struct subject *s, const char *name)
{
        for (const struct pxr_parameter *p = s->graph->parameter; p; p = p->next)
                if (strcmp(p->name, name) == 0)
                        return s->parameters + p->offset;
        ck_abort_msg("there is no parameter %s", name);
        return NULL;
}

static inline const double *logits_of(const struct subject *s, int value, int image)
{
        int colours = s->graph->colours, pixel = value / colours;

        return pxr_workspace_logits(s->workspace, pixel / s->graph->cols, pixel % s->graph->cols,
                                    value % colours, image);
}

static inline double nats(struct subject *s, const uint8_t *pixels)
{
        double nll = 0;

        pxr_workspace_load(s->workspace, pixels, 1);
        pxr_workspace_forward(s->workspace, s->parameters);
        pxr_workspace_loss(s->workspace, 0, &nll);
        return nll;
}

/* Over all images there are. */
static inline void sums_to_one(const char *layers, struct pxr_image_kind kind)
{
        struct subject *s = subject(layers, kind);
        uint8_t pixels[MAX_VALUES] = { 0 };
        double total = 0;
        int at;

        do {
                total += exp(-nats(s, pixels));
                for (at = 0; at < s->values && ++pixels[at] == s->levels; at++)
                        pixels[at] = 0;
        } while (at < s->values);
        ck_assert_double_eq_tol(total, 1, 1e-12);
}

/* Add a case of its own for one test, named like it. */
#define ADD_MODEL_TEST(suite, test)                                 \
        do {                                                        \
                TCase *tcase_ = add_case(suite, #test);             \
                tcase_add_checked_fixture(tcase_, setup, teardown); \
                tcase_add_test(tcase_, test);                       \
        } while (0)

#endif
