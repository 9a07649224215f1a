/* SPDX-License-Identifier: MIT */
/*
 * pxr-sample.c - the command that draws from a recorded run, and looks into it.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/staging.h"
#include "experiment/draw.h"
#include "experiment/inspect.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "train/evaluate.h"

enum { MOST_RUNS = 16, MOST_PIXELS = 64, MOST_COUNT = 65536 };

enum mode { DRAW, COMPLETE, SOFTMAX, NLL_MAP };

static struct arguments {
        const char *db, *checkpoint, *data, *out, *folder;
        const char *complete, *occlude, *image, *nll_map;
        struct pxr_arguments from, softmax;
        int64_t count, seed;       /* -1: not given */
        double temperature;        /* 0: not given */
        int threads, batch, class; /* class -1: not given */
        bool force, quiet, json;

        /* What follows from these. */
        enum mode mode;
        const char *run;
        const char *images; /* of --complete, --image or --nll-map; NULL: none */
        bool from_data;     /* the last --from is 'data', which is no longer in the list */
} args = { .count = -1, .seed = -1, .class = -1 };

/* --- arguments ---------------------------------------------------------------------------------
 */

/* What is to be done, and with which images. */
static int find_mode(struct pxr_diag *diag)
{
        if (!!args.complete + (args.softmax.count > 0) + !!args.nll_map > 1)
                return pxr_user_error(diag,
                                      "--complete, --softmax and --nll-map exclude each other");
        if (args.image && !args.softmax.count)
                return pxr_user_error(diag, "--image needs --softmax");
        args.mode = args.complete        ? COMPLETE
                    : args.softmax.count ? SOFTMAX
                    : args.nll_map       ? NLL_MAP
                                         : DRAW;
        args.images = args.complete ? args.complete : args.nll_map ? args.nll_map : args.image;
        return 0;
}

/* Take the word 'data' off the end of --from; a run of that name has a number too. */
static int find_from_data(struct pxr_diag *diag)
{
        for (size_t i = 0; i < args.from.count; i++)
                if (strcmp(args.from.text[i], "data") == 0) {
                        if (i + 1 < args.from.count)
                                return pxr_user_error(diag, "--from data must be the last --from");
                        args.from_data = true;
                        args.from.count--;
                }
        return 0;
}

/* The name of the picture, and its ending. */
static int find_out(struct pxr_diag *diag)
{
        static const char *const defaults[] = { "samples.png", "completions.png", "softmax.svg",
                                                "nll-map.svg" };
        const char *usual = defaults[args.mode], *end = strchr(usual, '.'), *dot;

        if (!args.out && args.folder)
                return 0;
        if (!args.out)
                args.out = args.force ? usual : free_name(usual);
        dot = strrchr(args.out, '.');
        if (dot && strcasecmp(dot, end) == 0)
                return 0;
        return pxr_user_error(diag, "--out: expected a name that ends with %s, got '%s'", end,
                              args.out);
}

/* Refuse options that would have no effect. */
static int check(struct program *program)
{
        struct pxr_diag *diag = program->diag;
        bool draws;

        args.run = program->words.text[0];
        if (find_mode(diag) || find_from_data(diag))
                return -1;
        draws = args.mode != NLL_MAP && !(args.mode == SOFTMAX && args.images);
        if (args.from.count && args.mode != DRAW)
                return pxr_user_error(diag, "--from RUN is only for plain samples");
        if (args.from_data && (args.mode == COMPLETE || !draws))
                return pxr_user_error(diag, "--from data has no effect here: the images have small "
                                            "versions of their own");
        if (args.occlude && args.mode != COMPLETE)
                return pxr_user_error(diag, "--occlude needs --complete");
        if (!draws && (args.seed >= 0 || args.temperature > 0 || args.batch))
                return pxr_user_error(diag, "--seed, --temperature and --batch have no effect "
                                            "here: nothing is drawn");
        if (args.mode == SOFTMAX && args.count >= 0)
                return pxr_user_error(diag, "--count cannot be used with --softmax");
        if (args.folder && args.mode != DRAW && args.mode != COMPLETE)
                return pxr_user_error(diag, "--images is only for samples and completions");
        if (args.data && !(args.images ? pxr_images_of_set(args.images) : args.from_data))
                return pxr_user_error(
                        diag, "--data %s has no effect here: the run's data set is not used",
                        args.data);
        if (find_out(diag) || (args.folder && pxr_output_folder_check(args.folder, diag)))
                return -1;
        return args.out ? may_write(args.out, args.force, diag) : 0;
}

/* --- printing ----------------------------------------------------------------------------------
 */

/* The run, and those of --from, each of which draws the small images for the one before it. */
static struct pxr_recorded *chain[MOST_RUNS];
static int chain_length;

/* "run 3 (rates), step 100" */
static const char *run_text(const struct program *p, const struct pxr_recorded *r)
{
        return pxr_strf(p->arena, "run %" PRId64 " (%s), step %" PRId64, r->run->id, r->run->name,
                        r->step);
}

/* " given its 4x4 version" of a conditional run, else nothing. */
static const char *given_text(const struct pxr_recorded *r)
{
        const char *given = pxr_given_version(r->experiment->arena, r->graph);

        return given ? brief(" given %s", given) : "";
}

/* "log-likelihood -12.3 nats/image (+- 0.1)" of `count` images; `of` what, or "". */
static const char *likelihood_text(const char *of, const double *nats, int count)
{
        const struct pxr_nll nll = pxr_nll_of(nats, count);

        return brief("log-likelihood%s %s nats%s%s", of, number_text(-pxr_nats_per_image(&nll), 4),
                     count > 1 ? "/image" : "", error_text(pxr_standard_error(&nll)));
}

/* Why completions are not from the exact distribution given the known pixels. */
static void print_not_exact(const struct pxr_draw_order *order)
{
        if (!order->occlusion.exact)
                display_line("each hidden pixel was drawn given the pixels before it, not those "
                             "after it");
        if (order->chain[0]->graph->small_rows)
                display_line("the completions are not exact: the small versions show part of what "
                             "is hidden");
}

/* Where the images are and, if their path needs no quotes in YAML, how a spec reads them. */
static void print_folder(const struct pxr_draw_order *order)
{
        bool plain = !args.folder[strcspn(args.folder, " \t,:{}[]'\"#&*!|>%@`\\")];

        if (plain)
                display_line("images in %s; as a set: {set: png_folder, path: %s, levels: %d}",
                             args.folder, args.folder, order->chain[0]->graph->levels);
        else
                display_line("images in %s", args.folder);
}

static void print_drawn(const struct program *p, const struct pxr_draw_order *order,
                        const struct pxr_drawn *drawn)
{
        for (int k = order->length - 1; k >= 0; k--) {
                const struct pxr_recorded *r = order->chain[k];
                const double *hidden = drawn[k].hidden_nats;
                int count = drawn[k].count;

                display_line("%s: %d %s%s, %s%s%s%s", run_text(p, r), count,
                             order->images ? "completion" : "sample", pxr_plural(count),
                             hidden ? likelihood_text(" of the drawn pixels", hidden, count) : "",
                             hidden ? ", " : "",
                             likelihood_text(hidden ? " of all pixels" : "", drawn[k].nats, count),
                             given_text(r));
        }
        if (order->images)
                print_not_exact(order);
        if (args.folder)
                print_folder(order);
        if (args.out)
                display_line("in %s", args.out);
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

/* The run, what a conditional one is given, and `rest`. */
static json_t *run_as_json(const struct pxr_recorded *r, json_t *rest)
{
        const char *given = pxr_given(r->experiment->arena, r->graph);
        json_t *root =
                json_pack("{s:I, s:s, s:s, s:I, s:s, s:s*}", "run", (json_int_t)r->run->id, "uid",
                          r->run->uid, "name", r->run->name, "step", (json_int_t)r->step,
                          "parameters", r->parameter_hash, "given", given);

        if (json_object_update_new(root, rest) == 0)
                return root;
        json_decref(root);
        return NULL;
}

static json_t *list_of_numbers(const double *number, int count)
{
        json_t *list = json_array();

        for (int i = 0; i < count; i++)
                add_json(&list, NULL, json_number(number[i]));
        return list;
}

/* All of a chain is drawn from the one seed that was asked for. */
static json_t *drawn_as_json(const struct pxr_draw_order *order, const struct pxr_drawn *drawn,
                             int k)
{
        const struct pxr_images *of = order->images;
        const double *hidden = drawn[k].hidden_nats;
        const int32_t *classes = drawn[k].classes;
        json_t *images = json_array();

        for (int i = 0; i < drawn[k].count; i++)
                add_json(&images, NULL,
                         json_pack("{s:i, s:o, s:o*, s:o*, s:s*, s:o*}", "image", i,
                                   "log_likelihood", json_number(-drawn[k].nats[i]),
                                   "drawn_log_likelihood", hidden ? json_number(-hidden[i]) : NULL,
                                   "class", classes ? json_integer(classes[i]) : NULL, "of",
                                   of ? of->name[i % of->count] : NULL, "completion",
                                   of ? json_integer(i / of->count) : NULL));
        return run_as_json(order->chain[k],
                           json_pack("{s:o*, s:f, s:i, s:o}", "seed",
                                     k ? NULL : json_integer((json_int_t)order->seed),
                                     "temperature", order->temperature, "count", drawn[k].count,
                                     "images", images));
}

static int print_drawn_json(const struct program *p, const struct pxr_draw_order *order,
                            const struct pxr_drawn *drawn)
{
        json_t *root = drawn_as_json(order, drawn, 0), *from = json_array();

        for (int k = 1; k < order->length; k++)
                add_json(&from, NULL, drawn_as_json(order, drawn, k));
        add_json(&root, "from", from);
        if (args.out)
                add_json(&root, "out", pxr_json_text(args.out));
        if (args.folder)
                add_json(&root, "folder", pxr_json_text(args.folder));
        if (order->images) {
                add_json(&root, "occluded", json_string(order->occlusion.text));
                add_json(&root, "exact", json_boolean(pxr_completions_exact(order)));
        }
        return print_json(root, p->diag);
}

static int print_activations_json(const struct program *p,
                                  const struct pxr_activations *activations)
{
        const struct pxr_recorded *recorded = chain[0];
        bool drawn = activations->temperature > 0;
        json_t *list = json_array();

        for (int i = 0; i < activations->count; i++) {
                const struct pxr_softmax_panel *a = &activations->list[i];

                add_json(&list, NULL,
                         json_pack("{s:s, s:i, s:i, s:s?, s:i, s:o}", "image", a->image, "row",
                                   a->row, "column", a->col, "colour",
                                   a->colour < 0 ? NULL : pxr_colour_names[a->colour], "value",
                                   a->value, "probabilities",
                                   list_of_numbers(a->probability, recorded->graph->levels)));
        }
        return print_json(
                run_as_json(recorded,
                            json_pack("{s:o*, s:o*, s:o, s:o}", "seed",
                                      drawn ? json_integer((json_int_t)activations->seed) : NULL,
                                      "temperature",
                                      drawn ? json_real(activations->temperature) : NULL, "out",
                                      pxr_json_text(args.out), "distributions", list)),
                p->diag);
}

static int print_map_json(const struct program *p, const struct pxr_bits_map *map)
{
        const struct pxr_graph *graph = chain[0]->graph;
        json_t *rows = json_array();

        for (int row = 0; row < graph->rows; row++)
                add_json(&rows, NULL, list_of_numbers(map->bits + row * graph->cols, graph->cols));
        return print_json(
                run_as_json(chain[0],
                            json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "out",
                                      pxr_json_text(args.out), "of", pxr_json_text(map->which),
                                      "images", (json_int_t)map->nll.images, "of_images",
                                      (json_int_t)map->all, "nats_per_image",
                                      json_number(pxr_nats_per_image(&map->nll)), "bits_per_pixel",
                                      rows)),
                p->diag);
}

/* --- doing it ----------------------------------------------------------------------------------
 */

/* Write the picture, which is NULL after an error. */
static int write_picture(const struct program *p, const void *bytes, size_t size)
{
        int status = bytes ? pxr_file_write(args.out, args.force, bytes, size, p->diag) : -1;

        display_end();
        return status;
}

/* The order for `count` images; settings not given are those of the run's spec. */
static struct pxr_draw_order order_of(int64_t count)
{
        const struct pxr_sample_settings *spec = &chain[0]->experiment->settings.sample;

        return (struct pxr_draw_order) {
                .chain = chain,
                .length = chain_length,
                .from_data = args.from_data,
                .seed = (uint64_t)(args.seed >= 0 ? args.seed : spec->seed),
                .temperature = args.temperature > 0 ? args.temperature : 1,
                .class = args.class,
                .count = (int)count,
                .grid = args.mode != SOFTMAX && args.out,
                .threads = args.threads,
                .batch = args.batch,
                .data = args.data,
                .observer = &display,
        };
}

static int do_order(const struct program *p, const struct pxr_draw_order *order,
                    struct pxr_drawn *drawn)
{
        if (pxr_draw_check(order, p->diag))
                return -1;
        for (int k = 0; k < chain_length; k++)
                display_slow(chain[k]->graph);
        return pxr_draw(p->arena, order, drawn, p->diag);
}

static int draw(const struct program *p)
{
        int64_t usual = chain[0]->experiment->settings.sample.count;
        struct pxr_draw_order order = order_of(args.count > 0          ? args.count
                                               : args.mode == COMPLETE ? 4
                                               : usual > 0             ? usual
                                                                       : 64);
        struct pxr_drawn drawn[MOST_RUNS];
        struct pxr_images images;
        bool there = args.folder && access(args.folder, F_OK) == 0;
        size_t size = 0;
        uint8_t *png;
        int status;

        if (args.mode == COMPLETE) {
                if (pxr_occlusion_read(p->arena, args.occlude ? args.occlude : "bottom:0.5",
                                       chain[0]->graph->rows, chain[0]->graph->cols,
                                       &order.occlusion, p->diag) ||
                    pxr_images_take(chain[0], args.images, args.data, args.class, &images, p->diag))
                        return -1;
                order.images = &images;
        }
        status = do_order(p, &order, drawn);
        if (status)
                return status;
        png = args.out ? pxr_drawn_png(p->arena, &order, drawn, &size, p->diag) : NULL;
        if (args.out && !png)
                return -1;
        if (args.folder && pxr_drawn_write(p->arena, &order, drawn, args.folder, p->diag))
                return -1;
        if (args.out && write_picture(p, png, size)) {
                if (args.folder) { /* write both or neither: a second try would be refused */
                        pxr_remove_folder(args.folder);
                        if (there)
                                mkdir(args.folder, 0777);
                }
                return -1;
        }
        display_end();
        print_drawn(p, &order, drawn);
        return args.json ? print_drawn_json(p, &order, drawn) : 0;
}

/* The images whose distributions are shown: those named, or one that is drawn. */
static int softmax_images(const struct program *p, struct pxr_images *images,
                          struct pxr_activations *activations)
{
        static const char *name[] = { "a sample" };
        struct pxr_draw_order order = order_of(1);
        struct pxr_drawn drawn;
        int status;

        if (args.images)
                return pxr_images_take(chain[0], args.images, args.data, args.class, images,
                                       p->diag);
        order.alone = true;
        status = do_order(p, &order, &drawn);
        *images = (struct pxr_images) {
                .count = 1, .pixels = drawn.pixels, .classes = drawn.classes, .name = name
        };
        activations->seed = order.seed;
        activations->temperature = order.temperature;
        return status;
}

static int softmax(const struct program *p)
{
        struct pxr_activations activations = { 0 };
        struct pxr_chosen_pixel chosen[MOST_PIXELS];
        struct pxr_images images;
        const char *svg;
        int status;

        for (int i = 0; i < (int)args.softmax.count; i++)
                if (pxr_pixel_read(args.softmax.text[i], chain[0]->graph, &chosen[i], p->diag))
                        return -1;
        status = softmax_images(p, &images, &activations);
        if (status || pxr_activations(chain[0], &images, chosen, (int)args.softmax.count,
                                      &activations, p->diag))
                return status ? status : -1;
        svg = pxr_activations_svg(chain[0], &activations, p->diag);
        if (write_picture(p, svg, svg ? strlen(svg) : 0))
                return -1;
        display_line("%d distribution%s of %s%s, in %s", activations.count,
                     pxr_plural(activations.count), run_text(p, chain[0]), given_text(chain[0]),
                     args.out);
        return args.json ? print_activations_json(p, &activations) : 0;
}

static int nll_map(const struct program *p)
{
        struct pxr_bits_map map;
        const char *svg;
        int status;

        status = pxr_bits_map(chain[0], args.images, args.data, args.class,
                              args.count > 0 ? args.count : 0, args.threads, &display, &map,
                              p->diag);
        if (status)
                return status;
        svg = pxr_bits_map_svg(chain[0], &map, p->diag);
        if (write_picture(p, svg, svg ? strlen(svg) : 0))
                return -1;
        display_line("%s: %s nats/image%s, %s bits/dim%s; in %s", map.images,
                     number_text(pxr_nats_per_image(&map.nll), 4),
                     error_text(pxr_standard_error(&map.nll)),
                     number_text(pxr_bits_per_dimension(&map.nll), 4), given_text(chain[0]),
                     args.out);
        return args.json ? print_map_json(p, &map) : 0;
}

/* Open the run and those it is to be given images from. */
static int open_runs(const struct program *p)
{
        struct pxr_store *store = pxr_recorded_store(p->arena, args.db, false, p->diag);

        for (; store && chain_length <= (int)args.from.count; chain_length++) {
                int k = chain_length;

                chain[k] = pxr_recorded_open(p->arena, store, k ? args.from.text[k - 1] : args.run,
                                             k ? "best" : args.checkpoint, p->diag);
                if (!chain[k])
                        return -1;
        }
        return store ? 0 : -1;
}

static int run(struct program *p)
{
        static int (*const modes[])(const struct program *) = { draw, draw, softmax, nll_map };
        int status;

        if (check(p) || open_runs(p))
                return -1;
        begin_work(args.quiet || args.json ? NULL : stdout);
        status = display_stopped(modes[args.mode](p));
        return pxr_diag_errors(p->diag) ? -1 : status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        { .help = "Which run:" },
        { OPTION_DB },
        { "checkpoint", 0, "WHICH",
          "checkpoint of RUN: best (by validation NLL), last, or a step; runs of --from use their "
          "best",
          FIELD(checkpoint), .initial = "best" },
        { "from", 0, "RUN|data",
          "source of the small images for a conditional RUN: another run that draws them (repeat "
          "--from for its own source), or 'data', the validation images of RUN's data set (without "
          "them, the training or test images)",
          FIELD(from), .most = MOST_RUNS - 1 },
        { OPTION_DATA },
        { .help = "What to draw:" },
        { "count", 0, "N",
          "number of images (default: sample.count of the spec), of completions of each image "
          "(default: 4), or of images for --nll-map (default: all)",
          FIELD(count), .least = 1, .most = MOST_COUNT },
        { "seed", 0, "N", "seed of the random numbers (default: sample.seed of the spec)",
          FIELD(seed) },
        { "class", 0, "N",
          "class of the images, for a RUN that is given it (default: of samples, all classes in "
          "turn, one a row of the picture; of images of the data set, their labels)",
          FIELD(class), .most = INT32_MAX },
        { "temperature", 0, "T",
          "divide logits by T: below 1 gives likelier images, above 1 more varied ones",
          FIELD(temperature), .least = 1e-3, .most = 1e3 },
        { "complete", 0, "IMAGES", "draw the hidden part of these images", FIELD(complete) },
        { "occlude", 0, "REGION",
          "the part to hide: bottom:PART, top:PART, left:PART, right:PART, or "
          "rect:ROW,COL,ROWS,COLS (default: bottom:0.5)",
          FIELD(occlude) },
        { .help = "Instead of drawing:" },
        { "softmax", 0, "ROW,COL[,COLOUR]",
          "plot the distribution of this pixel, for all its colours or one (red, green, blue); can "
          "be repeated",
          FIELD(softmax), .most = MOST_PIXELS },
        { "image", 0, "IMAGES", "the images for --softmax (default: one drawn image)",
          FIELD(image) },
        { "nll-map", 0, "IMAGES|SPLIT", "plot the mean cost of each pixel, in bits",
          FIELD(nll_map) },
        { .help = "Output and speed:" },
        { "out", 0, "FILE",
          "the picture (default: samples.png, completions.png, softmax.svg or nll-map.svg; if it "
          "exists, samples-2.png and so on)",
          FIELD(out) },
        { "force", 'f', NULL, "overwrite the picture", FIELD(force) },
        { "images", 0, "FOLDER",
          "write each drawn image to its own PNG file, in a new or empty folder; the picture of "
          "all is then written only with --out",
          FIELD(folder) },
        { OPTION_WORKERS("; does not change results") },
        { "batch", 0, "N",
          "draw at most N images at once, which bounds memory (default: 32 per worker); does not "
          "change results",
          FIELD(batch), .least = 1, .most = MOST_COUNT },
        { OPTION_QUIET },
        { OPTION_JSON },
        { 0 },
};

const struct command command = {
        .name = "pxr-sample",
        .summary = "Draw images from a recorded RUN (its number or name, or 'last').",
        .text = PXR_SAMPLE_TEXT,
        .options = options,
        .verbs = (const struct command_verb[]) { { NULL, "RUN", "run", .run = run }, { 0 } },
};
