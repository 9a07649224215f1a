/* SPDX-License-Identifier: MIT */
/*
 * graphs.h - what the tests of ops and models share: building a graph, and numbers to fill it with.
 */
#ifndef PXR_TESTS_GRAPHS_H
#define PXR_TESTS_GRAPHS_H

#include <string.h>

#include "suite.h"
#include "tensor/workspace.h"

static struct pxr_arena *arena;
static struct pxr_diag *diag;

static inline void graph_setup(void)
{
        diag = pxr_diag_new();
        arena = pxr_arena_new(0, diag);
        ck_assert(arena && diag);
}

static inline void graph_teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

static inline void *allocate(size_t count, size_t size)
{
        void *memory = pxr_alloc_array(arena, count + 1, size);

        ck_assert_ptr_nonnull(memory);
        return memory;
}

/* A builder on a graph that holds the image alone: builder.graph->node[0]. */
static inline struct pxr_builder new_builder(int rows, int cols, int colours, int levels)
{
        struct pxr_builder builder = { .diag = diag, .layer = "layers.0.test" };

        builder.graph = pxr_graph_new(arena, rows, cols, colours, levels, diag);
        ck_assert_ptr_nonnull(builder.graph);
        return builder;
}

/* Each convolution needs a name of its own. */
static inline struct pxr_node *new_conv(struct pxr_builder *builder, const char *name, int kernel,
                                        int mask, int features, int gates, struct pxr_node *input)
{
        return pxr_conv(builder, name,
                        &(struct pxr_conv) { .kernel = kernel,
                                             .mask = mask,
                                             .features = features,
                                             .gates = gates,
                                             .bias = true,
                                             .gain = 1 },
                        input);
}

/* End the graph at `logits`. */
static inline void end_graph(struct pxr_builder *builder, struct pxr_node *logits,
                             const struct pxr_distribution *distribution)
{
        ck_assert_msg(pxr_output(builder, logits, distribution) != NULL, "%s",
                      pxr_diag_errors(diag) ? pxr_diag_text(diag, 0) : "no logits");
}

/* Starting values, with biases that are not all zero. Masked weights stay zero. */
static inline double *random_parameters(const struct pxr_graph *graph, uint64_t seed)
{
        double *values = allocate(graph->parameter_values, sizeof(double));
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_TEST, 1, 0, 0);

        ck_assert_int_eq(pxr_graph_init(graph, seed, NULL, values, diag), 0);
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                for (size_t i = 0; p->rank == 1 && i < p->size; i++)
                        values[p->offset + i] += 0.3 * pxr_random_normal(&random);
        return values;
}

static inline float *as_floats(const double *values, size_t size)
{
        float *floats = allocate(size, sizeof(float));

        for (size_t i = 0; i < size; i++)
                floats[i] = (float)values[i];
        return floats;
}

/* Random images [image][row][col][colour]. */
static inline uint8_t *random_images(const struct pxr_graph *graph, int images, uint64_t seed)
{
        size_t size = (size_t)graph->rows * graph->cols * graph->colours * images;
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_TEST, 2, 0, 0);
        uint8_t *pixels = allocate(size, 1);

        for (size_t i = 0; i < size; i++)
                pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        return pixels;
}

/* A workspace for the rest of the test. */
static inline void free_workspace(void *workspace)
{
        pxr_workspace_free(workspace);
}

static inline struct pxr_workspace *new_workspace(const struct pxr_graph *graph,
                                                  enum pxr_precision precision, enum pxr_use use,
                                                  int images, bool checked)
{
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, precision, use, images, checked, diag);

        ck_assert_ptr_nonnull(workspace);
        ck_assert_int_eq(pxr_arena_defer(arena, free_workspace, workspace), 0);
        return workspace;
}

/* Add a case of its own for one test, with a fixture that ends with graph_teardown(). */
#define ADD_CASE(suite, test, setup_) ADD_LOOP(suite, test, setup_, 1)
#define ADD_LOOP(suite, test, setup_, times)                               \
        do {                                                               \
                TCase *tcase_ = add_case(suite, #test);                    \
                tcase_add_checked_fixture(tcase_, setup_, graph_teardown); \
                tcase_add_loop_test(tcase_, test, 0, times);               \
        } while (0)

/* With arena and diag. */
#define ADD_GRAPH_TEST(suite, test) ADD_CASE(suite, test, graph_setup)

#endif
