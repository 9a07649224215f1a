/* SPDX-License-Identifier: MIT */
/*
 * family.c - the family of a model, shown in lists of runs: named after the layers that carry
 * information between pixels. Layers that work on each pixel alone do not count.
 */
#include "model/model.h"

struct look {
        struct pxr_dependencies deps; /* first: `read` casts it to struct look */
        int row, col;
        bool beyond;
};

static void look_at(struct pxr_dependencies *deps, int input, int row, int col, int colour)
{
        struct look *look = (struct look *)deps;

        (void)input;
        (void)colour;
        look->beyond = look->beyond || row != look->row || col != look->col;
}

/* Whether the last pixel, which most pixels come before, is computed from others. */
static bool reads_other_pixels(const struct pxr_node *node)
{
        struct look look = { { look_at }, node->shape.rows - 1, node->shape.cols - 1, false };

        for (int k = 0; k < node->inputs; k++)
                look.beyond = look.beyond || !pxr_same_size(node, node->input[k]);
        for (int colour = 0; node->op->depends && colour < node->colours; colour++)
                node->op->depends(node, look.row, look.col, colour, &look.deps);
        return look.beyond;
}

/* Layers come after those in them, so that the first that has the node is the innermost. */
static const char *layer_name(const struct pxr_model *model, const struct pxr_node *node)
{
        const struct pxr_built_layer *layer = model->layer;

        while (node->index < layer->first || node->index >= layer->end)
                layer = layer->next;
        return layer->plugin->layer->name;
}

static const char *name_of(const struct pxr_model *model, const struct pxr_node *node)
{
        int scan = pxr_lstm_scan(node);

        if (scan >= 0)
                return scan == PXR_SCAN_ROWS ? "row" : "diagonal";
        return reads_other_pixels(node) ? layer_name(model, node) : NULL;
}

const char *pxr_model_family(const struct pxr_model *model)
{
        const struct pxr_graph *graph = model->graph;
        const char *family = NULL;
        bool convolves = false;
        double most = -1;

        for (int i = 1; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                double cost = node->op->multiply_adds ? node->op->multiply_adds(node) : 0;
                const char *name;

                if (node->constant)
                        continue;
                if (pxr_is_conv(node)) {
                        convolves = true;
                } else if (cost > most && (name = name_of(model, node))) {
                        family = name;
                        most = cost;
                }
        }
        if (!family)
                family = convolves ? "pixelcnn" : model->layer->plugin->layer->name;
        return family;
}
