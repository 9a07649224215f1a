/* SPDX-License-Identifier: MIT */
/*
 * pxr-sample.c - the command that draws from a recorded run, and looks into it.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "experiment/draw.h"
#include "experiment/inspect.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/display.h"
#include "runner/sample_json.h"
#include "sample/generate.h"
#include "tensor/generation_schedule.h"
#include "train/evaluate.h"

enum { MOST_RUNS = 16, MOST_SPOTS = 64, MOST_COUNT = 65536 };

enum mode { DRAW, COMPLETE, SOFTMAX, NLL_MAP };

struct arguments {
        const char *db, *checkpoint, *data, *out, *folder;
        const char *complete, *occlude, *image, *nll_map;
        struct list from, softmax;
        int64_t count, seed; /* -1: not given */
        double temperature;  /* 0: not given */
        int threads, batch;
        bool force, quiet, json;

        /* What follows from these. */
        enum mode mode;
        const char *run;
        const char *images; /* of --complete, --image or --nll-map; NULL: none */
        bool from_data;     /* the last --from is 'data', which is no longer in the list */
};

/* --- arguments ---------------------------------------------------------------------------------
 */

/* What is to be done, and with which images. */
static int find_mode(struct arguments *a, struct pxr_diag *diag)
{
        if (!!a->complete + (a->softmax.count > 0) + !!a->nll_map > 1)
                return pxr_user_error(diag,
                                      "--complete, --softmax and --nll-map exclude each other");
        if (a->image && !a->softmax.count)
                return pxr_user_error(diag, "--image needs --softmax");
        a->mode = a->complete ? COMPLETE : a->softmax.count ? SOFTMAX : a->nll_map ? NLL_MAP : DRAW;
        a->images = a->complete ? a->complete : a->nll_map ? a->nll_map : a->image;
        return 0;
}

/* Take the word 'data' off the end of --from; a run of that name has a number too. */
static int find_from_data(struct arguments *a, struct pxr_diag *diag)
{
        for (size_t i = 0; i < a->from.count; i++)
                if (strcmp(a->from.text[i], "data") == 0) {
                        if (i + 1 < a->from.count)
                                return pxr_user_error(diag, "--from data must be the last --from");
                        a->from_data = true;
                        a->from.count--;
                }
        return 0;
}

/* The name of the picture, and its ending. */
static int find_out(struct arguments *a, struct pxr_diag *diag)
{
        static const char *const defaults[] = { "samples.png", "completions.png", "softmax.svg",
                                                "nll-map.svg" };
        const char *usual = defaults[a->mode], *end = strchr(usual, '.'), *dot;

        if (!a->out && a->folder)
                return 0;
        if (!a->out)
                a->out = a->force ? usual : free_name(usual);
        dot = strrchr(a->out, '.');
        if (dot && strcasecmp(dot, end) == 0)
                return 0;
        return pxr_user_error(diag, "--out: expected a name that ends with %s, got '%s'", end,
                              a->out);
}

/* Refuse options that would have no effect. */
static int check(struct program *program)
{
        struct arguments *a = program->arguments;
        struct pxr_diag *diag = program->diag;
        bool draws;

        a->run = program->words.text[0];
        if (find_mode(a, diag) || find_from_data(a, diag))
                return -1;
        draws = a->mode != NLL_MAP && !(a->mode == SOFTMAX && a->images);
        if (a->from.count && a->mode != DRAW)
                return pxr_user_error(diag, "--from RUN is only for plain samples");
        if (a->from_data && (a->mode == COMPLETE || !draws))
                return pxr_user_error(diag, "--from data has no effect here: the images have small "
                                            "versions of their own");
        if (a->occlude && a->mode != COMPLETE)
                return pxr_user_error(diag, "--occlude needs --complete");
        if (!draws && (a->seed >= 0 || a->temperature > 0 || a->batch))
                return pxr_user_error(diag, "--seed, --temperature and --batch have no effect "
                                            "here: nothing is drawn");
        if (a->mode == SOFTMAX && a->count >= 0)
                return pxr_user_error(diag, "--count cannot be used with --softmax");
        if (a->folder && a->mode != DRAW && a->mode != COMPLETE)
                return pxr_user_error(diag, "--images is only for samples and completions");
        if (a->data && !(a->images ? pxr_images_of_set(a->images) : a->from_data))
                return pxr_user_error(
                        diag, "--data %s has no effect here: the run's data set is not used",
                        a->data);
        if (find_out(a, diag) || (a->folder && pxr_output_folder_check(a->folder, diag)))
                return -1;
        return a->out ? may_write(a->out, a->force, diag) : 0;
}

/* --- printing ----------------------------------------------------------------------------------
 */

struct work {
        const struct arguments *arguments;
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        struct pxr_recorded *chain[MOST_RUNS]; /* chain[0] is RUN */
        int length;
        struct display *display;
};

/* " given its 4x4 version" of a conditional run, else nothing. */
static void write_given(const struct pxr_recorded *r, char text[64])
{
        *text = '\0';
        if (r->graph->small_rows)
                snprintf(text, 64, " given its %dx%d version", r->graph->small_rows,
                         r->graph->small_cols);
}

/* Why completions are not from the exact distribution given the known pixels. */
static void print_not_exact(const struct work *c, const struct pxr_draw_order *order)
{
        if (!order->occlusion.exact)
                display_line(c->display, "each hidden pixel was drawn given the pixels before it, "
                                         "not those after it");
        if (c->chain[0]->graph->small_rows)
                display_line(c->display, "the completions are not exact: the small versions show "
                                         "part of what is hidden");
}

/* "log-likelihood -12.3 nats/image (+- 0.1)" of so many images. */
static void write_likelihood(const double *nats, int count, char text[160])
{
        const struct pxr_nll nll = pxr_nll_of(nats, count);
        char error[ERROR_TEXT], number[PXR_NUMBER_TEXT];

        snprintf(text, 160, "log-likelihood %s nats%s%s",
                 pxr_number_text(-pxr_nats_per_image(&nll), 4, number), count > 1 ? "/image" : "",
                 error_text(pxr_standard_error(&nll), error));
}

/* The images, and how a spec reads them, where their path can stand in one as it is. */
static void print_folder(const struct work *c, const struct pxr_draw_order *order)
{
        const char *folder = c->arguments->folder;

        if (folder[strcspn(folder, " \t,:{}[]'\"#&*!|>%@`\\")])
                display_line(c->display, "images in %s", folder);
        else
                display_line(c->display,
                             "images in %s; as a set: {set: png_folder, path: %s, levels: %d}",
                             folder, folder, order->chain[0]->graph->levels);
}

static void print_drawn(const struct work *c, const struct pxr_draw_order *order,
                        const struct pxr_drawn *drawn)
{
        for (int k = order->length - 1; k >= 0; k--) {
                const struct pxr_recorded *r = c->chain[k];
                char whole[160], given[64], part[224] = "";

                write_likelihood(drawn[k].nats, drawn[k].count, whole);
                write_given(r, given);
                if (drawn[k].hidden_nats) {
                        char hidden[160];

                        write_likelihood(drawn[k].hidden_nats, drawn[k].count, hidden);
                        snprintf(part, sizeof(part), " of the drawn pixels %s; of all", hidden);
                }
                display_line(c->display, "run %" PRId64 " (%s), step %" PRId64 ": %d %s%s,%s %s%s",
                             r->run->id, r->run->name, r->step, drawn[k].count,
                             order->images ? "completion" : "sample", drawn[k].count > 1 ? "s" : "",
                             part, whole, given);
        }
        if (order->images)
                print_not_exact(c, order);
        if (c->arguments->folder)
                print_folder(c, order);
        if (c->arguments->out)
                display_line(c->display, "in %s", c->arguments->out);
}

/* --- doing it ----------------------------------------------------------------------------------
 */

/* Write the picture, and free it; it may be NULL after an error. */
static int write_picture(const struct work *c, void *bytes, size_t size)
{
        int status = -1;

        display_end(c->display);
        if (bytes)
                status = pxr_file_write(c->arguments->out, c->arguments->force, bytes, size,
                                        c->diag);
        free(bytes);
        return status;
}

/* Say which runs are slow, and why. */
static void print_fallback(const struct work *c)
{
        for (int k = 0; k < c->length; k++) {
                const char *op = pxr_graph_fallback(c->chain[k]->graph, PXR_F32);

                if (op)
                        display_line(c->display,
                                     "op '%s' has no 'advance': each value takes a whole pass, "
                                     "which is slow",
                                     op);
        }
}

/* The order for `count` images; settings not given are those of the run's spec. */
static struct pxr_draw_order order_of(struct work *c, int64_t count)
{
        const struct arguments *a = c->arguments;
        const struct pxr_sample_settings *spec = &c->chain[0]->experiment->settings.sample;

        return (struct pxr_draw_order) {
                .chain = c->chain,
                .length = c->length,
                .from_data = a->from_data,
                .seed = (uint64_t)(a->seed >= 0 ? a->seed : spec->seed),
                .temperature = a->temperature > 0 ? a->temperature : 1,
                .count = (int)count,
                .grid = a->mode != SOFTMAX && a->out,
                .threads = a->threads,
                .batch = a->batch,
                .data = a->data,
                .observer = &c->display->observer,
        };
}

static int do_order(struct work *c, const struct pxr_draw_order *order, struct pxr_drawn *drawn)
{
        if (pxr_draw_check(order, c->diag))
                return -1;
        print_fallback(c);
        return pxr_draw(c->arena, order, drawn, c->diag);
}

static int draw(struct work *c)
{
        const struct arguments *a = c->arguments;
        int64_t usual = c->chain[0]->experiment->settings.sample.count;
        struct pxr_draw_order order = order_of(c, a->count > 0          ? a->count
                                                  : a->mode == COMPLETE ? 4
                                                  : usual > 0           ? usual
                                                                        : 64);
        struct pxr_drawn drawn[MOST_RUNS];
        struct pxr_images images;
        bool there = a->folder && access(a->folder, F_OK) == 0;
        size_t size = 0;
        uint8_t *png;
        int status;

        if (a->mode == COMPLETE) {
                if (pxr_occlusion_read(c->arena, a->occlude ? a->occlude : "bottom:0.5",
                                       c->chain[0]->graph->rows, c->chain[0]->graph->cols,
                                       &order.occlusion, c->diag) ||
                    pxr_images_take(c->chain[0], a->images, a->data, &images, c->diag))
                        return -1;
                order.images = &images;
        }
        status = do_order(c, &order, drawn);
        if (status)
                return status;
        png = a->out ? pxr_drawn_png(c->arena, &order, drawn, &size, c->diag) : NULL;
        if (a->out && !png)
                return -1;
        if (a->folder && pxr_drawn_write(c->arena, &order, drawn, a->folder, c->diag)) {
                free(png);
                return -1;
        }
        if (a->out && write_picture(c, png, size)) {
                if (a->folder) { /* write both or neither: a second try would be refused */
                        pxr_remove_folder(a->folder);
                        if (there)
                                mkdir(a->folder, 0777);
                }
                return -1;
        }
        display_end(c->display);
        print_drawn(c, &order, drawn);
        return a->json ? print_drawn_json(&order, drawn, a->out, a->folder, c->diag) : 0;
}

/* The images whose distributions are shown: those named, or one that is drawn. */
static int softmax_images(struct work *c, struct pxr_images *images,
                          struct pxr_activations *activations)
{
        static const char *name[] = { "a sample" };
        struct pxr_draw_order order = order_of(c, 1);
        struct pxr_drawn drawn;
        int status;

        if (c->arguments->images)
                return pxr_images_take(c->chain[0], c->arguments->images, c->arguments->data,
                                       images, c->diag);
        order.alone = true;
        status = do_order(c, &order, &drawn);
        *images = (struct pxr_images) { .count = 1, .pixels = drawn.pixels, .name = name };
        activations->seed = order.seed;
        activations->temperature = order.temperature;
        return status;
}

static int softmax(struct work *c)
{
        const struct arguments *a = c->arguments;
        struct pxr_activations activations = { 0 };
        struct pxr_spot spot[MOST_SPOTS];
        struct pxr_images images;
        size_t size = 0;
        char *svg, given[64];
        int status;

        for (int i = 0; i < (int)a->softmax.count; i++)
                if (pxr_spot_read(a->softmax.text[i], c->chain[0]->graph, &spot[i], c->diag))
                        return -1;
        status = softmax_images(c, &images, &activations);
        if (status || pxr_activations(c->chain[0], &images, spot, (int)a->softmax.count,
                                      &activations, c->diag))
                return status ? status : -1;
        svg = pxr_activations_svg(c->chain[0], &activations, &size, c->diag);
        if (write_picture(c, svg, size))
                return -1;
        write_given(c->chain[0], given);
        display_line(c->display,
                     "%d distribution%s of run %" PRId64 " (%s), step %" PRId64 "%s, in %s",
                     activations.count, pxr_plural(activations.count), c->chain[0]->run->id,
                     c->chain[0]->run->name, c->chain[0]->step, given, a->out);
        return a->json ? print_activations_json(c->chain[0], &activations, a->out, c->diag) : 0;
}

static int nll_map(struct work *c)
{
        const struct arguments *a = c->arguments;
        struct pxr_bits_map map;
        size_t size = 0;
        char *svg, error[64], given[64], nats[PXR_NUMBER_TEXT], bits[PXR_NUMBER_TEXT];
        int status;

        status = pxr_bits_map(c->chain[0], a->images, a->data, a->count > 0 ? a->count : 0,
                              a->threads, &c->display->observer, &map, c->diag);
        if (status)
                return status;
        error_text(pxr_standard_error(&map.nll), error);
        write_given(c->chain[0], given);
        svg = pxr_bits_map_svg(c->chain[0], &map, &size, c->diag);
        if (write_picture(c, svg, size))
                return -1;
        display_line(c->display, "%s: %s nats/image%s, %s bits/dim%s; in %s", map.images,
                     pxr_number_text(pxr_nats_per_image(&map.nll), 4, nats), error,
                     pxr_number_text(pxr_bits_per_dimension(&map.nll), 4, bits), given, a->out);
        return a->json ? print_map_json(c->chain[0], &map, a->out, c->diag) : 0;
}

/* Open the run and those it is to be given images from. */
static int open_runs(struct work *c)
{
        const struct arguments *a = c->arguments;
        struct pxr_store *store = pxr_recorded_store(c->arena, a->db, c->diag);

        for (int k = 0; store && k <= (int)a->from.count; k++) {
                c->chain[k] = pxr_recorded_open(c->arena, store, k ? a->from.text[k - 1] : a->run,
                                                k ? "best" : a->checkpoint, c->diag);
                if (!c->chain[k])
                        return -1;
                c->length++;
        }
        return store ? 0 : -1;
}

static int run(struct program *program)
{
        static int (*const modes[])(struct work *) = { draw, draw, softmax, nll_map };
        const struct arguments *arguments = program->arguments;
        struct display display;
        struct work work = { .arguments = arguments,
                             .arena = program->arena,
                             .diag = program->diag,
                             .display = &display };
        int status;

        if (check(program) || open_runs(&work))
                return -1;
        display_init(&display, arguments->quiet || arguments->json ? NULL : stdout);
        watch_signals();
        status = modes[arguments->mode](&work);
        display_end(&display);
        if (status > 0)
                fputs("interrupted; nothing was written\n", stderr);
        return status > 0 && !pxr_diag_errors(program->diag) ? 130 : status > 0 ? -1 : status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        { .help = "Which run:" },
        OPTION_DB,
        { "checkpoint", 0, "WHICH",
          "checkpoint of RUN: best (by validation NLL), last, or a step; runs of --from use their "
          "best",
          FIELD(checkpoint), .initial = "best" },
        { "from", 0, "RUN|data",
          "source of the small images for a conditional RUN: another run that draws them (repeat "
          "--from for its own source), or 'data', the validation images of RUN's data set (without "
          "them, the training or test images)",
          FIELD(from), .most = MOST_RUNS - 1 },
        OPTION_DATA,
        { .help = "What to draw:" },
        { "count", 0, "N",
          "number of images (default: sample.count of the spec), of completions of each image "
          "(default: 4), or of images for --nll-map (default: all)",
          FIELD(count), .least = 1, .most = MOST_COUNT },
        { "seed", 0, "N", "seed of the random numbers (default: sample.seed of the spec)",
          FIELD(seed) },
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
          FIELD(softmax), .most = MOST_SPOTS },
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
        OPTION_THREADS("worker threads (default: one per processor); does not change results"),
        { "batch", 0, "N",
          "draw at most N images at once, which bounds memory (default: 32 per worker); does not "
          "change results",
          FIELD(batch), .least = 1, .most = MOST_COUNT },
        OPTION_QUIET,
        OPTION_JSON,
        { 0 },
};

static const struct command_verb verbs[] = {
        { NULL, "RUN", "draw", .run = run },
        { 0 },
};

static const struct command command = {
        .name = "pxr-sample",
        .summary = "Draw images from a recorded RUN (its number or name, or 'last').",
        .text = "IMAGES is a PNG file of the model's size with the model's levels (0 and 255 for "
                "a black and white model), or images of the run's data set by number: test:0,5. "
                "The database is only read.\n\n"
                "Image i for a given seed does not depend on --count; completion k of an image "
                "does not depend on the other images.\n\n"
                "Completions with bottom:PART are drawn from the model's exact distribution "
                "given the known pixels. With any other region, each hidden pixel is drawn given "
                "the pixels before it, row by row from the top left; known pixels after it have "
                "no influence. A conditional RUN is given the small versions of the images, "
                "which show part of what is hidden: its completions are not exact, and its "
                "likelihoods are conditional on the small version.\n\n"
                "Exit status: 0 success, 1 system failure, 2 invalid arguments or data, 130 "
                "interrupted.",
        .options = options,
        .verbs = verbs,
};

int main(int argc, char **argv)
{
        return command_main(
                &command, argc, argv,
                &(struct arguments) { .count = -1, .seed = -1, .threads = usual_threads() });
}
