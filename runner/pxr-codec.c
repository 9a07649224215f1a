/* SPDX-License-Identifier: MIT */
/*
 * pxr-codec.c - the command that compresses images under the model of a recorded run, and back.
 *
 * Arguments and printing; what it does is in lib/experiment/compress.h.
 */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/version.h>

#include "experiment/compress.h"
#include "runner/common.h"
#include "runner/program.h"
#include "runner/display.h"
#include "runner/json.h"
#include "tensor/generation_schedule.h"

const char *argp_program_version = "pxr-codec " PXR_VERSION;

enum { OPTION_DB = 256, OPTION_CHECKPOINT, OPTION_DATA, OPTION_SPLIT, OPTION_FIRST, OPTION_JSON };

static const struct argp_option options[] = {
        { "out", 'o', "PATH", 0, "encode: the new file; decode: a new or empty folder", 0 },
        { "split", OPTION_SPLIT, "SPLIT", 0,
          "encode: images of the run's own data set: train, valid or test", 0 },
        { "count", 'n', "N", 0, "so many of the split (default: all)", 0 },
        { "first", OPTION_FIRST, "I", 0, "from image number I of the split on (default: 0)", 0 },
        { "data", OPTION_DATA, "PATH", 0, "where the data set lies now", 0 },
        { "db", OPTION_DB, "FILE", 0, "the run database (default: pxr.db)", 0 },
        { "checkpoint", OPTION_CHECKPOINT, "WHICH", 0,
          "best (encode's default), last, or a step (decode's: that of the file)", 0 },
        { "threads", 't', "N", 0, "workers (default: one a processor); changes no result", 0 },
        { "quiet", 'q', NULL, 0, "print errors only", 0 },
        { "json", OPTION_JSON, NULL, 0, "print the result as JSON", 0 },
        { 0 },
};

struct arguments {
        const char **word;
        size_t words;
        const char *database, *checkpoint, *data, *out, *split;
        int64_t count, first;
        int threads;
        bool json, quiet;
        bool given[PXR_COUNT(options)];
};

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        for (int i = 0; options[i].name; i++)
                arguments->given[i] = arguments->given[i] || options[i].key == key;
        switch (key) {
        case 'o':
                arguments->out = text;
                return 0;
        case OPTION_SPLIT:
                arguments->split = text;
                return 0;
        case 'n':
                arguments->count = number_option("--count", text, 1, INT32_MAX, state);
                return 0;
        case OPTION_FIRST:
                arguments->first = number_option("--first", text, 0, INT32_MAX, state);
                return 0;
        case OPTION_DATA:
                arguments->data = text;
                return 0;
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_CHECKPOINT:
                arguments->checkpoint = text;
                return 0;
        case 't':
                arguments->threads = threads_option(text, state);
                return 0;
        case 'q':
                arguments->quiet = true;
                return 0;
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case ARGP_KEY_ARG:
                arguments->word[arguments->words++] = text;
                return 0;
        case ARGP_KEY_NO_ARGS:
                argp_usage(state);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "encode RUN IMAGE.png... -o FILE\n"
                    "encode RUN --split SPLIT [--count N] [--first I] -o FILE\n"
                    "decode [RUN] FILE -o FOLDER\n"
                    "info FILE",
        .doc = "Compress images without loss, by arithmetic coding under the model of a recorded "
               "run: the proof that its NLL is real, for the file is as large as that says. "
               "RUN is a number, a name, or 'last'; decode finds the one the file was made with."
               "\v"
               "  pxr-codec encode last --split test --count 256 -o test.pxr\n"
               "  pxr-codec info test.pxr\n"
               "  pxr-codec decode test.pxr -o test\n\n"
               "The same probabilities are needed to the last bit, which another machine or "
               "another "
               "build of pxr may not compute. It is noticed, and nothing is written then.\n\n"
               "Exit status: 0 done, 1 the system failed, or the model did not give the images "
               "back, 2 a mistake in files or arguments, 130 interrupted.",
};

/* --- progress ----------------------------------------------------------------------------------
 */

/* Say so where it will take long. */
static void tell_fallback(struct display *display, const struct pxr_recorded *recorded)
{
        const char *op = pxr_graph_fallback(recorded->graph, PXR_F32);
        char text[256];

        if (!op)
                return;
        snprintf(text, sizeof(text),
                 "the op '%s' cannot go pixel by pixel: whole passes are made, which is slow", op);
        pxr_observe_note(&display->observer, text);
}

static struct pxr_codec_work work_of(const struct arguments *arguments, struct display *display)
{
        return (struct pxr_codec_work) { .threads = arguments->threads,
                                         .observer = &display->observer };
}

/* A result of the library as an exit status. */
static int end_of(struct display *display, int result, struct pxr_diag *diag)
{
        display_end(display);
        if (result > 0)
                fputs("interrupted; nothing is written\n", stderr);
        return result > 0 ? 130 : result < 0 ? pxr_diag_status(diag) : 0;
}

/* --- encode ------------------------------------------------------------------------------------
 */

static struct pxr_recorded *open_run(struct pxr_arena *arena, const struct arguments *arguments,
                                     const char *run, const char *checkpoint, struct pxr_diag *diag)
{
        struct pxr_store *store = pxr_recorded_store(arena, arguments->database, diag);

        return store ? pxr_recorded_open(arena, store, run, checkpoint, diag) : NULL;
}

static void print_encoded(const struct pxr_compressed *c, const char *path)
{
        double bits = c->nats / M_LN2, dimensions = (double)(c->images * c->values);

        printf("images   %" PRId64 "\n", c->images);
        printf("NLL      %.1f bytes    %.5f bits/dim\n", bits / 8, bits / dimensions);
        printf("coded    %zu bytes    %.5f bits/dim    %.4f of the NLL\n", c->payload,
               8.0 * (double)c->payload / dimensions, 8.0 * (double)c->payload / bits);
        if (c->spared > 0.0005 * bits)
                printf("spared   %.1f bytes: values less likely than 2^-32 cost 32 bits each, "
                       "whatever their NLL\n",
                       c->spared / 8);
        say(stdout, "%s    %zu bytes with its header    %.4f of the NLL\n", path, c->size,
            8.0 * (double)c->size / bits);
}

static int print_encoded_as_json(const struct pxr_compressed *c, const char *path,
                                 struct pxr_diag *diag)
{
        double bits = c->nats / M_LN2;

        return print_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}",
                                    "file", path, "images", (json_int_t)c->images, "dimensions",
                                    (json_int_t)c->values, "file_bytes", (json_int_t)c->size,
                                    "coded_bytes", (json_int_t)c->payload, "nll_nats", c->nats,
                                    "nll_bits", bits, "spared_bits", c->spared,
                                    "bits_per_dimension",
                                    8.0 * (double)c->payload / (double)(c->images * c->values),
                                    "coded_bits_by_nll_bits", 8.0 * (double)c->payload / bits,
                                    "file_bits_by_nll_bits", 8.0 * (double)c->size / bits),
                          diag);
}

/* What is asked for makes sense? Returns 0 or -1. */
static int check_encode(const struct arguments *arguments, struct pxr_diag *diag)
{
        if (!arguments->out)
                return pxr_user_error(diag, "encode wants -o FILE");
        if (arguments->words < 2)
                return pxr_user_error(diag, "encode wants a run, and images or --split");
        if (arguments->split && arguments->words > 2)
                return pxr_user_error(diag, "encode wants images or --split, not both");
        if (!arguments->split && arguments->words == 2)
                return pxr_user_error(diag, "encode wants images (IMAGE.png...) or --split");
        if (!arguments->split && (arguments->count || arguments->first || arguments->data))
                return pxr_user_error(diag, "--count, --first and --data go with --split");
        return 0;
}

static int encode(struct pxr_arena *arena, const struct arguments *arguments,
                  struct display *display, struct pxr_diag *diag)
{
        struct pxr_compression order = { .files = arguments->word + 2,
                                         .first = arguments->first,
                                         .count = arguments->count,
                                         .data_path = arguments->data,
                                         .out = arguments->out,
                                         .work = work_of(arguments, display) };
        struct pxr_compressed result;
        int split = 0, status;

        if (check_encode(arguments, diag))
                return 2;
        if (arguments->split && (split = pxr_split_find(arguments->split)) < 0) {
                pxr_user_error(diag, "--split wants train, valid or test, not '%s'",
                               arguments->split);
                return 2;
        }
        order.split = (enum pxr_split)split;
        order.file_count = arguments->words - 2;
        order.recorded = open_run(arena, arguments, arguments->word[1],
                                  arguments->checkpoint ? arguments->checkpoint : "best", diag);
        if (!order.recorded)
                return pxr_diag_status(diag);
        tell_fallback(display, order.recorded);
        watch_signals();
        status = end_of(display, pxr_compress(arena, &order, &result, diag), diag);
        if (status)
                return status;
        if (arguments->json)
                return print_encoded_as_json(&result, arguments->out, diag) ? 1 : 0;
        if (!arguments->quiet)
                print_encoded(&result, arguments->out);
        return 0;
}

/* --- decode ------------------------------------------------------------------------------------
 */

static int decode(struct pxr_arena *arena, const struct arguments *arguments,
                  struct display *display, struct pxr_diag *diag)
{
        const struct pxr_codec_work work = work_of(arguments, display);
        const struct pxr_recorded *recorded;
        const struct pxr_codec_file *file;
        const char *path = arguments->word[arguments->words - 1], *run, *checkpoint;
        size_t size;
        int status;

        if (!arguments->out || arguments->words < 2) {
                pxr_user_error(diag, "decode wants a file and -o FOLDER");
                return 2;
        }
        file = pxr_codec_file_read(arena, path, &size, diag);
        if (!file)
                return pxr_diag_status(diag);
        run = arguments->words > 2 ? arguments->word[1] : file->uid;
        checkpoint = arguments->checkpoint ? arguments->checkpoint
                                           : pxr_strf(arena, "%" PRId64, file->step);
        recorded = checkpoint ? open_run(arena, arguments, run, checkpoint, diag) : NULL;
        if (!recorded) {
                pxr_note(diag, "%s was made with run '%s' (%s), step %" PRId64, path, file->run,
                         file->uid, file->step);
                return pxr_diag_status(diag);
        }
        tell_fallback(display, recorded);
        watch_signals();
        status = end_of(display,
                        pxr_decompress(arena, recorded, file, path, arguments->out, &work, diag),
                        diag);
        if (status)
                return status;
        if (arguments->json)
                return print_json(json_pack("{s:s, s:I}", "folder", arguments->out, "images",
                                            (json_int_t)file->images),
                                  diag)
                               ? 1
                               : 0;
        if (!arguments->quiet)
                say(stdout, "%" PRId64 " image%s in %s\n", file->images,
                    file->images == 1 ? ", as it was, is" : "s, as they were, are", arguments->out);
        return 0;
}

/* --- info --------------------------------------------------------------------------------------
 */

static void print_info(const struct pxr_codec_file *file, size_t size)
{
        double bits = file->nats / M_LN2;

        say(stdout, "images      %" PRId64 " of %d x %d, %s, %d levels\n", file->images, file->rows,
            file->cols, file->colours == 1 ? "grey" : "in colour", file->levels);
        if (file->names)
                say(stdout, "from        %s%s\n", file->names[0], file->images > 1 ? " ..." : "");
        else
                say(stdout, "from        %s, number %" PRId64 " on, of data %s\n", file->split,
                    file->first, file->data);
        printf("size        %zu bytes, %zu of them coded: %.4f of the NLL\n", size,
               pxr_codec_file_payload(file), 8.0 * (double)pxr_codec_file_payload(file) / bits);
        say(stdout, "model       run '%s' (%s), step %" PRId64 "\n", file->run, file->uid,
            file->step);
        say(stdout, "parameters  SHA-256 %s\n", file->parameters);
        say(stdout, "certificate %s\n", file->certificate);
        say(stdout, "pixels      SHA-256 %s\n", file->pixels);
        say(stdout, "made by     %s\n", file->program);
        say(stdout, "on          %s\n", file->numerics);
}

static int print_info_as_json(const struct pxr_codec_file *file, size_t size, struct pxr_diag *diag)
{
        return print_json(json_pack("{s:I, s:i, s:i, s:i, s:i, s:I, s:I, s:f, s:s, s:s, s:I, s:s, "
                                    "s:s, s:s, s:s, s:s, "
                                    "s:s?, s:I}",
                                    "images", (json_int_t)file->images, "rows", file->rows, "cols",
                                    file->cols, "colours", file->colours, "levels", file->levels,
                                    "file_bytes", (json_int_t)size, "coded_bytes",
                                    (json_int_t)pxr_codec_file_payload(file), "nll_nats",
                                    file->nats, "run", file->run, "uid", file->uid, "step",
                                    (json_int_t)file->step, "parameters", file->parameters,
                                    "certificate", file->certificate, "pixels", file->pixels,
                                    "program", file->program, "numerics", file->numerics, "split",
                                    file->split, "first", (json_int_t)file->first),
                          diag);
}

static int info(struct pxr_arena *arena, const struct arguments *arguments, struct pxr_diag *diag)
{
        const struct pxr_codec_file *file;
        size_t size;

        file = pxr_codec_file_read(arena, arguments->word[1], &size, diag);
        if (!file)
                return pxr_diag_status(diag);
        if (arguments->json)
                return print_info_as_json(file, size, diag) ? 1 : 0;
        if (!arguments->quiet)
                print_info(file, size);
        return 0;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

enum { ENCODE, DECODE, INFO, COMMANDS };
static const char *const commands[] = { "encode", "decode", "info" };

static bool goes_with(int option, int command)
{
        switch (option) {
        case 'q':
        case OPTION_JSON:
                return true;
        case 'o':
        case 't':
        case OPTION_DB:
        case OPTION_CHECKPOINT:
                return command != INFO;
        default:
                return command == ENCODE;
        }
}

/* Are the words so many as the command has, and the options its own? Returns 0 or -1. */
static int check_command(const struct arguments *arguments, int command, struct pxr_diag *diag)
{
        static const size_t most[] = { SIZE_MAX, 3, 2 };

        if (arguments->words > most[command])
                return pxr_user_error(diag, "%s: '%s' is one word too many", commands[command],
                                      arguments->word[most[command]]);
        if (arguments->words < 2)
                return pxr_user_error(diag, "%s wants %s", commands[command],
                                      command == ENCODE ? "a run" : "a file");
        for (int i = 0; options[i].name; i++)
                if (arguments->given[i] && !goes_with(options[i].key, command))
                        return pxr_user_error(diag, "--%s does not go with %s", options[i].name,
                                              commands[command]);
        return 0;
}

static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   struct pxr_diag *diag)
{
        const char *command = arguments->word[0], *nearest;
        struct display display;
        int which = 0;

        while (which < COMMANDS && strcmp(commands[which], command) != 0)
                which++;
        if (which == COMMANDS) {
                pxr_user_error(diag, "there is no command '%s'", command);
                nearest = pxr_nearest(command, commands, COMMANDS);
                if (nearest)
                        pxr_hint(diag, "did you mean '%s'?", nearest);
                return 2;
        }
        if (check_command(arguments, which, diag))
                return 2;
        display_init(&display, arguments->quiet || arguments->json ? NULL : stderr);
        return which == ENCODE   ? encode(arena, arguments, &display, diag)
               : which == DECODE ? decode(arena, arguments, &display, diag)
                                 : info(arena, arguments, diag);
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db", .threads = usual_threads() };
        struct program program;
        int status;

        program_begin(&program, "pxr-codec", argc, argv);
        arguments.word = program.words;
        program_parse(&program, &argp, argc, argv, &arguments);
        status = execute(program.arena, &arguments, program.diag);
        return program_end(&program, status);
}
