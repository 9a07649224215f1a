/* SPDX-License-Identifier: MIT */
/*
 * graph.h - the graph: nodes in an order in which each can be computed, and their parameters.
 *
 * Built once, in an arena, and constant from then on.
 */
#ifndef PXR_TENSOR_GRAPH_H
#define PXR_TENSOR_GRAPH_H

#include <pxr/abi.h>
#include <pxr/arena.h>
#include <pxr/build.h>

/* The most values that an array may have for one image. Their bytes always fit a size_t. */
#define PXR_MOST_VALUES ((size_t)1 << 40)

/* What is known of the images a model is for. */
struct pxr_image_kind {
        int rows, cols, colours, levels;
};

struct pxr_graph {
        struct pxr_arena *arena;
        int rows, cols, colours, levels; /* of the image */
        int small_rows, small_cols;      /* of the small image the model is given; 0: none */
        int classes;                     /* of the images' labels; 0: they have none */
        struct pxr_node *class_map;      /* the class that the model is given; NULL: none */
        struct pxr_node **node;          /* node[0] is the image */
        int nodes;
        int capacity;
        struct pxr_parameter *parameter; /* the first */
        struct pxr_parameter *last_parameter;
        int parameters;
        size_t parameter_values; /* of all parameters together */
        struct pxr_node *logits; /* NULL until pxr_output() */
        const struct pxr_distribution *distribution;
        const struct pxr_pixel_distribution *pixel; /* NULL: `distribution`, which else has no more
                                                       than its name */
        const void *pixel_conf;
};

/* What a build function is handed: the graph, and the layer it is building. */
struct pxr_builder {
        struct pxr_graph *graph;
        struct pxr_diag *diag;
        const char *layer; /* dotted path of the layer being built */
        struct pxr_location location;
        const struct pxr_plugin *plugin; /* of the layer; NULL: it is this program's */
        void *stack;                     /* of model/: how nested layers are built */
        struct pxr_node *condition;      /* the map that conditions the layers built; NULL: none */
        bool class_conditions;           /* so does the class */
        struct pxr_skips *skips;         /* of model/: the innermost open collection; NULL: none */
};

/* A graph with only the image node. NULL when out of memory. */
struct pxr_graph *pxr_graph_new(struct pxr_arena *arena, int rows, int cols, int colours,
                                int levels, struct pxr_diag *diag);

/* The starting values of all parameters: graph->parameter_values floats (or doubles, where the
 * pointer is not NULL), keyed by the seed and each parameter's name. Returns 0 or -1. */
int pxr_graph_init(const struct pxr_graph *graph, uint64_t seed, float *f32, double *f64,
                   struct pxr_diag *diag);

/* The random numbers of a parameter's starting values. */
struct pxr_random pxr_initial_random(uint64_t seed, const char *name);

/* "weight", or "left.weight" if `prefix` is "left". */
const char *pxr_join_names(struct pxr_arena *arena, const char *prefix, const char *name);

/* Whether a pointer is to a node of the graph; what it points to is not read. */
bool pxr_graph_has(const struct pxr_graph *graph, const struct pxr_node *node);

/* Check the sizes of scratch and state that the ops require. Returns 0, or -1 after an error that
 * names the op. */
int pxr_graph_check_sizes(const struct pxr_graph *graph, struct pxr_diag *diag);

/* Which nodes the logits depend on: needed[nodes]. The image always is one. */
void pxr_graph_needed(const struct pxr_graph *graph, bool *needed);

/* Whether the maps of two nodes have the same rows and columns. Node 0 has the image's. */
static inline bool pxr_same_size(const struct pxr_node *a, const struct pxr_node *b)
{
        return a->shape.rows == b->shape.rows && a->shape.cols == b->shape.cols;
}

/* Values of one image: rows x cols x colours. */
static inline size_t pxr_graph_values(const struct pxr_graph *graph)
{
        return (size_t)graph->rows * graph->cols * graph->colours;
}

/* Whether the model is given something of an image besides its earlier values. */
static inline bool pxr_is_conditional(const struct pxr_graph *graph)
{
        return graph->small_rows || graph->class_map;
}

/* Multiply-adds of one image's forward pass. */
double pxr_graph_multiply_adds(const struct pxr_graph *graph);

/* Multiply-adds of one image's backward pass through a node: as many as in the forward pass for the
 * gradient of its parameters, and as many again for that of its inputs, if one depends on
 * parameters. `needs_grad` tells which nodes do (pxr_graph_needs_grad()). */
double pxr_backward_multiply_adds(const struct pxr_node *node, const bool *needs_grad);

/* Which nodes a gradient flows through: needs_grad[nodes], those that depend on parameters. */
void pxr_graph_needs_grad(const struct pxr_graph *graph, bool *needs_grad);

/* Subsample a map of the image's size, with `pixel` bytes per pixel, to the small image's: keep the
 * pixel at the top left of each block. */
void pxr_subsample_map(const struct pxr_graph *graph, size_t pixel, const uint8_t *map,
                       uint8_t *small);

/* The same of images, from pixels[image][row][col][colour] to small[image][row][col][colour]. */
void pxr_graph_subsample(const struct pxr_graph *graph, const uint8_t *pixels, int images,
                         uint8_t *small);

/* The same for the small image of a conditional model. */
extern const struct pxr_op pxr_small_image_op;

/* The class of each image. Its `input` is int32_t[image]; a class out of range becomes NaN. */
extern const struct pxr_op pxr_class_op;

/* The image: pixel values v of 0 .. levels - 1 as 2 v / (levels - 1) - 1. Its `input` is the bytes
 * [pixel][image][colour]. */
extern const struct pxr_op pxr_image_op;

/* A sum of two maps, and a rectifier: what a product before them can compute too. */
extern const struct pxr_op pxr_add_op, pxr_relu_op;

/* `map` plus `vector`, a map of one pixel with the same channels and gates, at every pixel. */
struct pxr_node *pxr_add_everywhere(struct pxr_builder *builder, struct pxr_node *map,
                                    struct pxr_node *vector);

/* Whether a node is a convolution, masked or not. */
bool pxr_is_conv(const struct pxr_node *node);

/* enum pxr_scan of an LSTM; -1 for other nodes. */
int pxr_lstm_scan(const struct pxr_node *node);

#endif
