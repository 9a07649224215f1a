/* SPDX-License-Identifier: MIT */
/*
 * pxr-codec.c - the command that compresses images under the model of a recorded run, and back.
 *
 * Arguments and printing; what it does is in lib/experiment/compress.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "experiment/compress.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"

static struct arguments {
        const char *db, *checkpoint, *data, *out;
        int64_t count, first;
        int split, threads; /* split -1: images are given */
        int class;          /* -1: not given */
        bool json, quiet, force;
} args = { .split = -1, .class = -1 };

/* Open the run, and say so if its model is slow. NULL after an error. */
static struct pxr_recorded *open_run(const struct program *program, const char *run,
                                     const char *checkpoint)
{
        struct pxr_store *store = pxr_recorded_store(program->arena, args.db, false, program->diag);
        struct pxr_recorded *recorded =
                store ? pxr_recorded_open(program->arena, store, run, checkpoint, program->diag)
                      : NULL;

        begin_work(args.quiet || args.json ? NULL : stderr);
        if (recorded)
                display_slow(recorded->graph);
        return recorded;
}

/* --- encode ------------------------------------------------------------------------------------
 */

/* Of one image. */
static int64_t values_of(const struct pxr_codec_file *c)
{
        return (int64_t)c->rows * c->cols * c->colours;
}

static void print_encoded(const struct pxr_codec_file *c, const char *path)
{
        double bits = c->nats / M_LN2, dimensions = (double)(c->images * values_of(c));

        printf("images   %" PRId64 "\n", c->images);
        printf("NLL      %.1f bytes    %.5f bits/dim\n", bits / 8, bits / dimensions);
        printf("coded    %zu bytes    %.5f bits/dim    %.4f of the NLL\n", c->payload,
               8.0 * (double)c->payload / dimensions, 8.0 * (double)c->payload / bits);
        if (c->streams.spared > 0.0005 * bits)
                printf("spared   %.1f bytes: values less likely than 2^-32 cost 32 bits each, "
                       "whatever their NLL\n",
                       c->streams.spared / 8);
        say(stdout, "%s    %zu bytes with its header    %.4f of the NLL\n", path, c->size,
            8.0 * (double)c->size / bits);
}

static int print_encoded_as_json(const struct pxr_codec_file *c, const char *path,
                                 struct pxr_diag *diag)
{
        double bits = c->nats / M_LN2;

        return print_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}",
                                    "file", path, "images", (json_int_t)c->images, "dimensions",
                                    (json_int_t)values_of(c), "file_bytes", (json_int_t)c->size,
                                    "coded_bytes", (json_int_t)c->payload, "nll_nats", c->nats,
                                    "nll_bits", bits, "spared_bits", c->streams.spared,
                                    "bits_per_dimension",
                                    8.0 * (double)c->payload / (double)(c->images * values_of(c)),
                                    "coded_bits_by_nll_bits", 8.0 * (double)c->payload / bits,
                                    "file_bits_by_nll_bits", 8.0 * (double)c->size / bits),
                          diag);
}

static int check_encode(const struct program *program)
{
        bool images = program->words.count > 1, split = args.split >= 0;

        if (images == split)
                return pxr_user_error(program->diag, "encode: expected images or --split%s",
                                      split ? ", not both" : "");
        if (!split && (args.count || args.first || args.data))
                return pxr_user_error(program->diag, "--count, --first and --data need --split");
        if (split && args.class >= 0)
                return pxr_user_error(program->diag,
                                      "--class has no effect with --split: the model "
                                      "is given the labels of its images");
        return may_write(args.out, args.force, program->diag);
}

static int encode(struct program *program)
{
        struct pxr_compression order = { .files = program->words.text + 1,
                                         .file_count = program->words.count - 1,
                                         .split = args.split >= 0 ? args.split : 0,
                                         .first = args.first,
                                         .count = args.count,
                                         .class = args.class,
                                         .data_path = args.data,
                                         .out = args.out,
                                         .replace = args.force,
                                         .work = { args.threads, &display } };
        struct pxr_codec_file result;
        int status;

        if (check_encode(program))
                return -1;
        order.recorded = open_run(program, program->words.text[0],
                                  args.checkpoint ? args.checkpoint : "best");
        if (!order.recorded)
                return -1;
        status = display_stopped(pxr_compress(program->arena, &order, &result, program->diag));
        if (status)
                return status;
        if (args.json)
                return print_encoded_as_json(&result, args.out, program->diag);
        if (!args.quiet)
                print_encoded(&result, args.out);
        return 0;
}

/* --- decode ------------------------------------------------------------------------------------
 */

static int decode(struct program *program)
{
        const struct pxr_arguments *words = &program->words;
        const struct pxr_codec_work work = { args.threads, &display };
        const char *path = words->text[words->count - 1];
        const struct pxr_codec_file *file;
        const struct pxr_recorded *recorded;
        int status;

        file = pxr_codec_file_read(program->arena, path, program->diag);
        if (!file)
                return -1;
        recorded = open_run(program, words->count > 1 ? words->text[0] : file->uid,
                            args.checkpoint ? args.checkpoint : brief("%" PRId64, file->step));
        if (!recorded) {
                pxr_note(program->diag, "%s was made with run '%s' (%s), step %" PRId64, path,
                         file->run, file->uid, file->step);
                return -1;
        }
        status = display_stopped(pxr_decompress(program->arena, recorded, file, path, args.out,
                                                &work, program->diag));
        if (status)
                return status;
        if (args.json)
                return print_json(json_pack("{s:s, s:I}", "folder", args.out, "images",
                                            (json_int_t)file->images),
                                  program->diag);
        if (!args.quiet)
                say(stdout, "%" PRId64 " image%s restored in %s\n", file->images,
                    pxr_plural(file->images), args.out);
        return 0;
}

/* --- info --------------------------------------------------------------------------------------
 */

static void print_info(const struct pxr_codec_file *file)
{
        double bits = file->nats / M_LN2;

        say(stdout, "images      %" PRId64 " of %d x %d, %s, %d levels\n", file->images, file->rows,
            file->cols, file->colours == 1 ? "grey" : "in colour", file->levels);
        if (file->names)
                say(stdout, "from        %s%s\n", file->names[0], file->images > 1 ? " ..." : "");
        else
                say(stdout, "from        %s, number %" PRId64 " on, of data %s\n", file->split,
                    file->first, file->data);
        printf("size        %zu bytes, %zu of them coded: %.4f of the NLL\n", file->size,
               file->payload, 8.0 * (double)file->payload / bits);
        say(stdout, "model       run '%s' (%s), step %" PRId64 "\n", file->run, file->uid,
            file->step);
        say(stdout, "parameters  SHA-256 %s\n", file->parameters);
        say(stdout, "certificate %s\n", file->certificate);
        say(stdout, "pixels      SHA-256 %s\n", file->pixels);
        if (file->classes)
                say(stdout, "classes     %d%s\n", file->classes[0], file->images > 1 ? " ..." : "");
        say(stdout, "made by     %s\n", file->program);
        say(stdout, "on          %s\n", file->numerics);
}

static int print_info_as_json(const struct pxr_codec_file *file, struct pxr_diag *diag)
{
        json_t *classes = file->classes ? json_array() : NULL;

        for (int64_t i = 0; file->classes && i < file->images; i++)
                add_json(&classes, NULL, json_integer(file->classes[i]));
        return print_json(json_pack("{s:I, s:i, s:i, s:i, s:i, s:I, s:I, s:f, s:s, s:s, s:I, "
                                    "s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:o*}",
                                    "images", (json_int_t)file->images, "rows", file->rows, "cols",
                                    file->cols, "colours", file->colours, "levels", file->levels,
                                    "file_bytes", (json_int_t)file->size, "coded_bytes",
                                    (json_int_t)file->payload, "nll_nats", file->nats, "run",
                                    file->run, "uid", file->uid, "step", (json_int_t)file->step,
                                    "parameters", file->parameters, "certificate",
                                    file->certificate, "pixels", file->pixels, "program",
                                    file->program, "numerics", file->numerics, "split", file->split,
                                    "first", (json_int_t)file->first, "classes", classes),
                          diag);
}

static int info(struct program *program)
{
        const struct pxr_codec_file *file;

        file = pxr_codec_file_read(program->arena, program->words.text[0], program->diag);
        if (!file)
                return -1;
        if (args.json)
                return print_info_as_json(file, program->diag);
        if (!args.quiet)
                print_info(file);
        return 0;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        { "out", 'o', "PATH", "the compressed file; for decode, a new or empty folder", FIELD(out),
          .verbs = "encode, decode", .required = "encode, decode" },
        { "force", 'f', NULL, "overwrite the file of --out", FIELD(force), .verbs = "encode" },
        { "split", 0, "SPLIT", "images of the run's own data set", FIELD(split),
          .choices = pxr_split_names, .verbs = "encode" },
        { "count", 'n', "N", "number of images of the split (default: all)", FIELD(count),
          .least = 1, .most = INT32_MAX, .verbs = "encode" },
        { "first", 0, "I", "number of the first image of the split", FIELD(first),
          .most = INT32_MAX, .initial = "0", .verbs = "encode" },
        { "class", 0, "N", "class of the images, for a RUN that is given it; a split has labels",
          FIELD(class), .most = INT32_MAX, .verbs = "encode" },
        { OPTION_DATA, .verbs = "encode" },
        { OPTION_DB, .verbs = "encode, decode" },
        { "checkpoint", 0, "WHICH",
          "best, last, or a step (default: best; of decode, the step in the file)",
          FIELD(checkpoint), .verbs = "encode, decode" },
        { OPTION_WORKERS("; does not change results"), .verbs = "encode, decode" },
        { OPTION_QUIET },
        { OPTION_JSON },
        { 0 },
};

static const struct command_verb verbs[] = {
        { .help = "Commands:" },
        { "encode", "RUN [IMAGE.png...]", "compress images, or those of --split, into a file",
          .run = encode },
        { "decode", "[RUN] FILE", "restore the images", .run = decode },
        { "info", "FILE", "describe a compressed file", .run = info },
        { 0 },
};

const struct command command = {
        .name = "pxr-codec",
        .summary = "Compress images without loss, by arithmetic coding under the model of a "
                   "recorded run. The file is as small as the NLL says: the proof that the NLL is "
                   "real.",
        .text = PXR_CODEC_TEXT,
        .options = options,
        .verbs = verbs,
};
