/* SPDX-License-Identifier: MIT */
/*
 * pxr-sample.c - the command that draws from a recorded run, and looks into it.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "experiment/draw.h"
#include "experiment/inspect.h"
#include "runner/common.h"
#include "runner/display.h"
#include "runner/program.h"
#include "runner/sample_json.h"
#include "sample/generate.h"
#include "tensor/generation_schedule.h"
#include "train/evaluate.h"

const char *argp_program_version = "pxr-sample " PXR_VERSION;

enum { MOST_RUNS = 16, MOST_SPOTS = 64, MOST_COUNT = 65536 };

enum mode { DRAW, COMPLETE, SOFTMAX, NLL_MAP };

struct arguments {
        enum mode mode;
        const char *run, *database, *checkpoint, *data;
        const char *out;             /* the picture; NULL: none */
        const char *folder;          /* of plain images; NULL: none */
        const char *from[MOST_RUNS]; /* ends with NULL */
        bool from_data;              /* ... and then --from data */
        const char *images;          /* of --complete, --image or --nll-map */
        const char *occlude;
        const char *spot[MOST_SPOTS];
        int froms, spots;
        int64_t count, seed; /* -1: not given */
        double temperature;  /* 0: not given */
        int threads, batch;
        bool force, quiet, json;
};

enum {
        OPTION_DB = 256,
        OPTION_CHECKPOINT,
        OPTION_FROM,
        OPTION_COUNT,
        OPTION_SEED,
        OPTION_TEMPERATURE,
        OPTION_BATCH,
        OPTION_OUT,
        OPTION_IMAGES,
        OPTION_JSON,
        OPTION_COMPLETE,
        OPTION_OCCLUDE,
        OPTION_SOFTMAX,
        OPTION_IMAGE,
        OPTION_NLL_MAP,
        OPTION_DATA
};

static const struct argp_option options[] = {
        { NULL, 0, NULL, 0, "Which run:", 1 },
        { "db", OPTION_DB, "FILE", 0, "the run database (default: pxr.db)", 1 },
        { "checkpoint", OPTION_CHECKPOINT, "WHICH", 0,
          "best (on the validation split; the default), last, or a step: of RUN; those of --from "
          "are "
          "taken at their best",
          1 },
        { "from", OPTION_FROM, "RUN|data", 0,
          "what small images a conditional RUN is given: those that this run draws (one more "
          "--from "
          "for what that one is given), or, with the word 'data', those of RUN's data set: "
          "its validation split's, from the first on (or else the training split's, or test's)",
          1 },
        { "data", OPTION_DATA, "PATH", 0, "where the run's data set lies now", 1 },
        { NULL, 0, NULL, 0, "What is drawn:", 2 },
        { "count", OPTION_COUNT, "N", 0,
          "images (default: the spec's sample.count); completions of each image (4); for --nll-map "
          "so many of the images, the first (all)",
          2 },
        { "seed", OPTION_SEED, "N", 0, "of the random numbers (default: the spec's sample.seed)",
          2 },
        { "temperature", OPTION_TEMPERATURE, "T", 0,
          "divide logits by T: below 1 likelier images, above 1 more varied ones", 2 },
        { "complete", OPTION_COMPLETE, "IMAGES", 0, "draw the hidden part of these images anew",
          2 },
        { "occlude", OPTION_OCCLUDE, "REGION", 0,
          "what is hidden of them: bottom:0.5 (the default), top:, left:, right:PART, or "
          "rect:ROW,COL,ROWS,COLS",
          2 },
        { NULL, 0, NULL, 0, "Instead of drawing:", 3 },
        { "softmax", OPTION_SOFTMAX, "ROW,COL[,COLOUR]", 0,
          "plot the distribution of this pixel, of all its colours or of one (red, green, blue); "
          "may be given several times; of an image that is drawn, at its --temperature",
          3 },
        { "image", OPTION_IMAGE, "IMAGES", 0,
          "the images of --softmax (default: one that is drawn)", 3 },
        { "nll-map", OPTION_NLL_MAP, "IMAGES|SPLIT", 0,
          "plot the bits that each pixel costs, a mean over images", 3 },
        { NULL, 0, NULL, 0, "How, and where to:", 4 },
        { "out", OPTION_OUT, "FILE", 0,
          "the picture (default: samples.png, completions.png, softmax.svg or nll-map.svg; where "
          "that "
          "is there already samples-2.png and so on)",
          4 },
        { "force", 'f', NULL, 0, "overwrite it", 4 },
        { "images", OPTION_IMAGES, "FOLDER", 0,
          "write each image that is drawn to a PNG of its own, in a new or empty folder, and the "
          "picture of all with --out alone",
          4 },
        { "threads", 't', "N", 0, "workers (default: one a processor); changes no result", 4 },
        { "batch", OPTION_BATCH, "N", 0,
          "images at work at once, of all workers together, to bound memory (default: up to 32 for "
          "each worker); changes no result",
          4 },
        { "quiet", 'q', NULL, 0, "print errors only", 4 },
        { "json", OPTION_JSON, NULL, 0, "print the result as JSON", 4 },
        { 0 },
};

/* --- arguments ---------------------------------------------------------------------------------
 */

static double temperature_of(const char *text, struct argp_state *state)
{
        char *end;
        double temperature = strtod(text, &end);

        if (*end || end == text || !(temperature >= 1e-3 && temperature <= 1e3))
                argp_error(state, "--temperature wants a number from 0.001 to 1000, not '%s'",
                           text);
        return temperature;
}

static void set_mode(struct arguments *arguments, enum mode mode, struct argp_state *state)
{
        if (arguments->mode != DRAW && arguments->mode != mode)
                argp_error(state, "--complete, --softmax and --nll-map exclude one another");
        arguments->mode = mode;
}

static void set_images(struct arguments *arguments, const char *text, struct argp_state *state)
{
        if (arguments->images)
                argp_error(state, "images are named twice: '%s' and '%s'", arguments->images, text);
        arguments->images = text;
}

/* Append to a list that has room for `most`. */
static void append(const char **list, int *count, int most, const char *text,
                   struct argp_state *state)
{
        if (*count == most)
                argp_error(state, "'%s' is one too many: %d at most", text, most);
        list[(*count)++] = text;
}

/* A run that is named like the word is meant by its number. */
static void add_from(struct arguments *arguments, const char *text, struct argp_state *state)
{
        if (arguments->from_data)
                argp_error(state, "--from %s: nothing can follow --from data", text);
        arguments->from_data = strcmp(text, "data") == 0;
        if (!arguments->from_data)
                append(arguments->from, &arguments->froms, MOST_RUNS - 1, text, state);
}

/* The endings that the picture's name may have. */
static void check_out(struct arguments *arguments, struct argp_state *state)
{
        static const char *const defaults[] = { "samples.png", "completions.png", "softmax.svg",
                                                "nll-map.svg" };
        const char *usual = defaults[arguments->mode], *end = strchr(usual, '.'), *dot;

        if (!arguments->out && arguments->folder)
                return;
        if (!arguments->out)
                arguments->out = arguments->force ? usual : free_name(usual);
        dot = strrchr(arguments->out, '.');
        if (!dot || strcasecmp(dot, end) != 0)
                argp_error(state, "--out: the picture is written as %s: '%s' should end with %s",
                           strcmp(end, ".png") == 0 ? "PNG" : "SVG", arguments->out, end);
}

/* What would change nothing is refused, as it was meant to. */
static void check(struct arguments *arguments, struct argp_state *state)
{
        bool draws =
                arguments->mode != NLL_MAP && !(arguments->mode == SOFTMAX && arguments->images);

        if (!arguments->run)
                argp_error(state, "which RUN? Its number, its name, or 'last'");
        if (arguments->froms && arguments->mode != DRAW)
                argp_error(state, "--from RUN goes with plain samples alone");
        if (arguments->from_data && (arguments->mode == COMPLETE || !draws))
                argp_error(state, "--from data means nothing here: images are given their own "
                                  "small versions");
        if (arguments->occlude && arguments->mode != COMPLETE)
                argp_error(state, "--occlude goes with --complete");
        if (arguments->images && arguments->mode == DRAW)
                argp_error(state, "--image goes with --softmax");
        if (!draws && (arguments->seed >= 0 || arguments->temperature > 0 || arguments->batch))
                argp_error(state, "nothing is drawn: --seed, --temperature and --batch mean "
                                  "nothing here");
        if (arguments->mode == SOFTMAX && arguments->count >= 0)
                argp_error(state, "--count does not go with --softmax");
        if (arguments->folder && arguments->mode != DRAW && arguments->mode != COMPLETE)
                argp_error(state, "--images goes with samples and completions");
        check_out(arguments, state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_CHECKPOINT:
                arguments->checkpoint = text;
                return 0;
        case OPTION_FROM:
                add_from(arguments, text, state);
                return 0;
        case OPTION_DATA:
                arguments->data = text;
                return 0;
        case OPTION_COUNT:
                arguments->count = number_option("--count", text, 1, MOST_COUNT, state);
                return 0;
        case OPTION_SEED:
                arguments->seed = number_option("--seed", text, 0, INT64_MAX, state);
                return 0;
        case OPTION_TEMPERATURE:
                arguments->temperature = temperature_of(text, state);
                return 0;
        case OPTION_BATCH:
                arguments->batch = (int)number_option("--batch", text, 1, MOST_COUNT, state);
                return 0;
        case OPTION_OUT:
                arguments->out = text;
                return 0;
        case OPTION_IMAGES:
                arguments->folder = text;
                return 0;
        case OPTION_COMPLETE:
                set_mode(arguments, COMPLETE, state);
                set_images(arguments, text, state);
                return 0;
        case OPTION_OCCLUDE:
                arguments->occlude = text;
                return 0;
        case OPTION_SOFTMAX:
                set_mode(arguments, SOFTMAX, state);
                append(arguments->spot, &arguments->spots, MOST_SPOTS, text, state);
                return 0;
        case OPTION_IMAGE:
                set_images(arguments, text, state);
                return 0;
        case OPTION_NLL_MAP:
                set_mode(arguments, NLL_MAP, state);
                set_images(arguments, text, state);
                return 0;
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case 'f':
                arguments->force = true;
                return 0;
        case 'q':
                arguments->quiet = true;
                return 0;
        case 't':
                arguments->threads = threads_option(text, state);
                return 0;
        case ARGP_KEY_ARG:
                if (arguments->run)
                        argp_error(state, "one RUN at a time: '%s' is one too many", text);
                arguments->run = text;
                return 0;
        case ARGP_KEY_END:
                check(arguments, state);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "RUN",
        .doc = "Draw images from a recorded RUN (its number, its name, or 'last').\v"
               "IMAGES is a PNG file of the model's size, whose values must be the model's levels "
               "(0 and 255 for a model of black and white), or images of the run's data set by "
               "their numbers: test:0,5. The database is only read.\n\n"
               "Image i of a seed is the same however many are drawn, and completion k of an image "
               "whatever others are completed. Completions with "
               "bottom:PART are drawn from the model's exact distribution given what is known. "
               "With any other region each hidden pixel is drawn given all pixels before it, row "
               "by row from the top left, and not those after it, which are kept as they are. A "
               "conditional RUN is given the images' own small versions, which show part of what "
               "is hidden: its completions are not exact, and its likelihoods are those given the "
               "small version.\n\n"
               "Exit status: 0 done, 1 the system failed, 2 a mistake in arguments or data, 130 "
               "interrupted.",
};

/* --- printing ----------------------------------------------------------------------------------
 */

/* What everything below needs. */
struct command {
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

/* Why completions are not from the exact law given what is known. */
static void print_not_exact(const struct command *c, const struct pxr_draw_order *order)
{
        if (!order->occlusion.exact)
                display_line(c->display, "each hidden pixel was drawn given those before it, not "
                                         "those after it");
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
static void print_folder(const struct command *c, const struct pxr_draw_order *order)
{
        const char *folder = c->arguments->folder;

        if (folder[strcspn(folder, " \t,:{}[]'\"#&*!|>%@`\\")])
                display_line(c->display, "images in %s", folder);
        else
                display_line(c->display,
                             "images in %s; as a set: {set: png_folder, path: %s, levels: %d}",
                             folder, folder, order->chain[0]->graph->levels);
}

static void print_drawn(const struct command *c, const struct pxr_draw_order *order,
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
static int write_picture(const struct command *c, void *bytes, size_t size)
{
        int status = -1;

        display_end(c->display);
        if (bytes)
                status = pxr_file_write(c->arguments->out, c->arguments->force, bytes, size,
                                        c->diag);
        free(bytes);
        return status;
}

/* Say once of each run that is slow, and why. */
static void tell_fallback(const struct command *c)
{
        for (int k = 0; k < c->length; k++) {
                const char *op = pxr_graph_fallback(c->chain[k]->graph, PXR_F32);

                if (op)
                        display_line(c->display,
                                     "op '%s' cannot go step by step: images are made by a whole "
                                     "pass for each value, slowly",
                                     op);
        }
}

/* The order for `count` images; settings not given are those of the run's spec. */
static struct pxr_draw_order order_of(struct command *c, int64_t count)
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

static int do_order(struct command *c, const struct pxr_draw_order *order, struct pxr_drawn *drawn)
{
        if (pxr_draw_check(order, c->diag))
                return -1;
        tell_fallback(c);
        return pxr_draw(c->arena, order, drawn, c->diag);
}

static int draw(struct command *c)
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
                if (a->folder) { /* both or neither: a repeat would be refused because of it */
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
static int softmax_images(struct command *c, struct pxr_images *images,
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

static int softmax(struct command *c)
{
        const struct arguments *a = c->arguments;
        struct pxr_activations activations = { 0 };
        struct pxr_spot spot[MOST_SPOTS];
        struct pxr_images images;
        size_t size = 0;
        char *svg, given[64];
        int status;

        for (int i = 0; i < a->spots; i++)
                if (pxr_spot_read(a->spot[i], c->chain[0]->graph, &spot[i], c->diag))
                        return -1;
        status = softmax_images(c, &images, &activations);
        if (status || pxr_activations(c->chain[0], &images, spot, a->spots, &activations, c->diag))
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

static int nll_map(struct command *c)
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
static int open_runs(struct command *c)
{
        const struct arguments *a = c->arguments;
        struct pxr_store *store = pxr_recorded_store(c->arena, a->database, c->diag);

        for (int k = 0; store && k <= a->froms; k++) {
                c->chain[k] = pxr_recorded_open(c->arena, store, k ? a->from[k - 1] : a->run,
                                                k ? "best" : a->checkpoint, c->diag);
                if (!c->chain[k])
                        return -1;
                c->length++;
        }
        return store ? 0 : -1;
}

/* Would --data change nothing? */
static int check_data(const struct command *c)
{
        const struct arguments *a = c->arguments;

        if (!a->data || (a->images ? pxr_images_of_set(a->images) : a->from_data))
                return 0;
        return pxr_user_error(c->diag, "--data %s: the run's data set is not needed here", a->data);
}

static int check_picture(const struct command *c)
{
        const struct arguments *a = c->arguments;
        int status;

        if (a->folder && pxr_output_folder_check(a->folder, c->diag))
                return -1;
        if (!a->out)
                return 0;
        status = pxr_file_may_write(a->out, a->force, c->diag);
        if (status && !a->force && access(a->out, F_OK) == 0)
                pxr_note(c->diag, "--force overwrites it; --out FILE writes another");
        return status;
}

/* Everything between the arguments and the exit status. */
static int execute(struct command *c)
{
        static int (*const modes[])(struct command *) = { draw, draw, softmax, nll_map };
        struct display display;
        int status;

        if (check_picture(c) || open_runs(c) || check_data(c))
                return pxr_diag_status(c->diag);
        display_init(&display, c->arguments->quiet || c->arguments->json ? NULL : stdout);
        c->display = &display;
        watch_signals();
        status = modes[c->arguments->mode](c);
        display_end(c->display);
        if (status > 0)
                fputs("interrupted; nothing is written\n", stderr);
        return pxr_diag_errors(c->diag) ? pxr_diag_status(c->diag) : status > 0 ? 130 : 0;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db",
                                       .checkpoint = "best",
                                       .count = -1,
                                       .seed = -1,
                                       .threads = usual_threads() };
        struct program program;
        struct command command;

        program_begin(&program, "pxr-sample", argc, argv);
        program_parse(&program, &argp, argc, argv, &arguments);
        command = (struct command) { .arguments = &arguments,
                                     .arena = program.arena,
                                     .diag = program.diag };
        return program_end(&program, execute(&command));
}
