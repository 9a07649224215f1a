/* SPDX-License-Identifier: MIT */
/* dry_run.c - a model's layers, and what training it takes: as a table, or as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "experiment/experiment.h"
#include "runner/common.h"
#include "runner/dry_run.h"

/* Columns that the paths of all layers fit into, indented by their depth. */
static int path_width(const struct pxr_model *model)
{
        int width = 24;

        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next)
                if ((int)strlen(layer->path) + 2 * layer->depth > width)
                        width = (int)strlen(layer->path) + 2 * layer->depth;
        return width;
}

static void print_layers(const struct pxr_model *model)
{
        const struct pxr_graph *graph = model->graph;
        const int width = path_width(model);

        say(stdout, "%-*s %14s %12s %14s %12s\n", width, "layer", "output", "parameters",
            "multiply-adds", "sees");
        say(stdout, "%-*s %14s\n", width, "image",
            brief("%dx%dx%d", graph->rows, graph->cols, graph->colours));
        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next) {
                const struct pxr_shape *shape = &layer->output->shape;
                struct pxr_extent extent = pxr_receptive_extent(graph, layer->output);

                say(stdout, "%*s%-*s %14s %12zu %14.0f %12s\n", 2 * layer->depth, "",
                    width - 2 * layer->depth, layer->path,
                    brief("%dx%dx%d", shape->rows, shape->cols, shape->channels),
                    pxr_layer_parameters(model, layer), pxr_layer_multiply_adds(model, layer),
                    brief("%d up %d|%d", extent.above, extent.left, extent.right));
        }
}

/* All but the certificate, to be read while that is worked out. */
static void print_model(const struct pxr_experiment *e, const struct pxr_memory *memory,
                        int threads)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_dataset *set = e->set;
        int64_t epochs = e->settings.train.epochs, steps = e->steps_per_epoch;

        print_layers(e->model);
        printf("\nparameters      %zu\n", graph->parameter_values);
        printf("multiply-adds   %.0f an image, forward\n", pxr_graph_multiply_adds(graph));
        printf("memory          %.1f MB at most with %d thread%s: %.1f MB to train (%.1f MB of it "
               "activations), %.1f MB to evaluate, %.1f MB to sample\n",
               memory->all / 1e6, threads, pxr_plural(threads), memory->train / 1e6,
               memory->activations / 1e6, memory->evaluate / 1e6, memory->sample / 1e6);
        say(stdout,
            "data            %s, %dx%dx%d, %d levels; train %" PRId64 ", valid %" PRId64
            ", test %" PRId64 "\n",
            set->name, set->rows, set->cols, set->colours, set->levels, set->count[PXR_TRAIN],
            set->count[PXR_VALID], set->count[PXR_TEST]);
        printf("training        %" PRId64 " epoch%s of %" PRId64 " step%s\n", epochs,
               pxr_plural(epochs), steps, pxr_plural(steps));
        fflush(stdout);
}

static void print_certificate(const struct pxr_certificate *c)
{
        printf("receptive field %d rows up, %d columns left, %d right\n", c->extent.above,
               c->extent.left, c->extent.right);
        printf("causal          certificate %.16s, %d values changed\n", c->digest, c->probes);
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

static json_t *layers_as_json(const struct pxr_model *model)
{
        json_t *list = json_array();

        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next) {
                const struct pxr_shape *shape = &layer->output->shape;
                struct pxr_extent extent = pxr_receptive_extent(model->graph, layer->output);

                add_json(&list, NULL,
                         json_pack("{s:s, s:i, s:i, s:i, s:I, s:I, s:i, s:i, s:i}", "path",
                                   layer->path, "rows", shape->rows, "cols", shape->cols,
                                   "channels", shape->channels, "parameters",
                                   (json_int_t)pxr_layer_parameters(model, layer), "multiply_adds",
                                   (json_int_t)pxr_layer_multiply_adds(model, layer), "field_above",
                                   extent.above, "field_left", extent.left, "field_right",
                                   extent.right));
        }
        return list;
}

static int print_as_json(const struct pxr_experiment *e, const struct pxr_memory *memory,
                         int threads, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_dataset *set = e->set;
        const struct pxr_certificate *c = &e->certificate;

        return print_json(
                json_pack("{s:s, s:o, s:I, s:I, s:i, s:{s:f, s:f, s:f, s:f, s:f}, "
                          "s:{s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I}, s:I, s:I, "
                          "s:{s:s, s:i, s:i, s:i, s:i}}",
                          "name", e->settings.name, "layers", layers_as_json(e->model),
                          "parameters", (json_int_t)graph->parameter_values, "multiply_adds",
                          (json_int_t)pxr_graph_multiply_adds(graph), "threads", threads,
                          "memory_bytes", "all", memory->all, "train", memory->train, "activations",
                          memory->activations, "evaluate", memory->evaluate, "sample",
                          memory->sample, "data", "set", set->name, "rows", set->rows, "cols",
                          set->cols, "colours", set->colours, "levels", set->levels, "train",
                          (json_int_t)set->count[PXR_TRAIN], "valid",
                          (json_int_t)set->count[PXR_VALID], "test",
                          (json_int_t)set->count[PXR_TEST], "epochs",
                          (json_int_t)e->settings.train.epochs, "steps_per_epoch",
                          (json_int_t)e->steps_per_epoch, "certificate", "digest", c->digest,
                          "values_changed", c->probes, "field_above", c->extent.above, "field_left",
                          c->extent.left, "field_right", c->extent.right),
                diag);
}

/* --- both --------------------------------------------------------------------------------------
 */

/* Certified last: a model that is too large for it, or not causal, is worth looking at. */
int dry_run(struct pxr_arena *arena, struct pxr_experiment *e, const struct pxr_examination *how,
            bool json, struct pxr_diag *diag)
{
        struct pxr_memory memory = pxr_memory_of(e, how->threads);
        const char *warning = pxr_memory_warning(e, how->threads, &memory);

        if (!json)
                print_model(e, &memory, how->threads);
        if (warning)
                pxr_warn(diag, "%s", warning);
        if (pxr_certify(arena, e->model, how, &e->certificate, diag))
                return pxr_diag_status(diag);
        if (json)
                return print_as_json(e, &memory, how->threads, diag) ? pxr_diag_status(diag) : 0;
        print_certificate(&e->certificate);
        return 0;
}
