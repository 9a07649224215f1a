/* SPDX-License-Identifier: MIT */
/* sample_json.c - what pxr-sample drew or saw, as JSON. */
#include "runner/sample_json.h"

#include "base/json.h"
#include "runner/common.h"

static json_t *run_as_json(const struct pxr_recorded *r)
{
        return json_pack("{s:I, s:s, s:s, s:I, s:s}", "run", (json_int_t)r->run->id, "uid",
                         r->run->uid, "name", r->run->name, "step", (json_int_t)r->step,
                         "parameters", r->parameter_hash);
}

/* What a conditional model is given: the size of the small image. */
static void tell_given(json_t **root, const struct pxr_graph *graph)
{
        if (graph->small_rows)
                add_json(root, "given",
                         json_sprintf("%dx%d", graph->small_rows, graph->small_cols));
}

static json_t *drawn_as_json(const struct pxr_draw_order *order, const struct pxr_drawn *drawn,
                             int k)
{
        json_t *images = json_array(), *root = run_as_json(order->chain[k]);

        if (k == 0) /* all of a chain is drawn from the one seed that was asked for */
                add_json(&root, "seed", json_integer((json_int_t)order->seed));
        add_json(&root, "temperature", json_real(order->temperature));
        add_json(&root, "count", json_integer(drawn[k].count));
        tell_given(&root, order->chain[k]->graph);
        for (int i = 0; i < drawn[k].count; i++) {
                json_t *image = json_pack("{s:i, s:o}", "image", i, "log_likelihood",
                                          json_number(-drawn[k].nats[i]));

                if (drawn[k].hidden_nats)
                        add_json(&image, "drawn_log_likelihood",
                                 json_number(-drawn[k].hidden_nats[i]));
                if (order->images) {
                        add_json(&image, "of",
                                 json_string(order->images->name[i % order->images->count]));
                        add_json(&image, "completion", json_integer(i / order->images->count));
                }
                add_json(&images, NULL, image);
        }
        add_json(&root, "images", images);
        return root;
}

int print_drawn_json(const struct pxr_draw_order *order, const struct pxr_drawn *drawn,
                     const char *out, const char *folder, struct pxr_diag *diag)
{
        json_t *root = drawn_as_json(order, drawn, 0), *from = json_array();

        if (out)
                add_json(&root, "out", pxr_json_text(out));
        if (folder)
                add_json(&root, "folder", pxr_json_text(folder));
        if (order->images) {
                add_json(&root, "occluded", json_string(order->occlusion.text));
                add_json(&root, "exact", json_boolean(pxr_completions_exact(order)));
        }
        for (int k = 1; k < order->length; k++)
                add_json(&from, NULL, drawn_as_json(order, drawn, k));
        add_json(&root, "from", from);
        return print_json(root, diag);
}

int print_activations_json(const struct pxr_recorded *recorded,
                           const struct pxr_activations *activations, const char *out,
                           struct pxr_diag *diag)
{
        json_t *root = run_as_json(recorded), *list = json_array();

        for (int i = 0; i < activations->count; i++) {
                const struct pxr_softmax_panel *a = &activations->list[i];
                json_t *values = json_array();

                for (int level = 0; level < recorded->graph->levels; level++)
                        add_json(&values, NULL, json_number(a->probability[level]));
                add_json(&list, NULL,
                         json_pack("{s:s, s:i, s:i, s:s?, s:i, s:o}", "image", a->image, "row",
                                   a->row, "column", a->col, "colour",
                                   a->colour < 0 ? NULL : pxr_colour_names[a->colour], "value",
                                   a->value, "probabilities", values));
        }
        tell_given(&root, recorded->graph);
        if (activations->temperature > 0) {
                add_json(&root, "seed", json_integer((json_int_t)activations->seed));
                add_json(&root, "temperature", json_real(activations->temperature));
        }
        add_json(&root, "out", pxr_json_text(out));
        add_json(&root, "distributions", list);
        return print_json(root, diag);
}

int print_map_json(const struct pxr_recorded *recorded, const struct pxr_bits_map *map,
                   const char *out, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;
        json_t *root = run_as_json(recorded), *rows = json_array();

        for (int row = 0; row < graph->rows; row++) {
                json_t *cols = json_array();

                for (int col = 0; col < graph->cols; col++)
                        add_json(&cols, NULL, json_number(map->bits[row * graph->cols + col]));
                add_json(&rows, NULL, cols);
        }
        tell_given(&root, graph);
        add_json(&root, "out", pxr_json_text(out));
        add_json(&root, "of", pxr_json_text(map->which));
        add_json(&root, "images", json_integer(map->nll.images));
        add_json(&root, "of_images", json_integer(map->all));
        add_json(&root, "nats_per_image", json_number(pxr_nats_per_image(&map->nll)));
        add_json(&root, "bits_per_pixel", rows);
        return print_json(root, diag);
}
