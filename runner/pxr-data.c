/* SPDX-License-Identifier: MIT */
/*
 * pxr-data.c - the command that lists, describes, verifies, fetches and converts data sets.
 *
 * Arguments and printing; what it does is in lib/data.
 */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/version.h>

#include "base/number.h"
#include "data/convert.h"
#include "data/fetch.h"
#include "data/format.h"
#include "data/locate.h"
#include "data/official.h"
#include "runner/common.h"
#include "runner/program.h"
#include "runner/display.h"
#include "runner/json.h"
#include "config/options.h"

const char *argp_program_version = "pxr-data " PXR_VERSION;

struct arguments {
        const char **word;
        size_t words;
        const char *folder, *url, *out;
        int container, retries;
        bool json, quiet;
};

enum { OPTION_DIR = 256, OPTION_URL, OPTION_RETRIES, OPTION_TO, OPTION_OUT, OPTION_JSON };

static const struct argp_option options[] = {
        { "json", OPTION_JSON, NULL, 0, "list, info, verify: print JSON", 0 },
        { "dir", OPTION_DIR, "FOLDER", 0, "fetch: where to put the files (default: data/SET)", 0 },
        { "url", OPTION_URL, "URL", 0, "fetch: another place on the web that has the files", 0 },
        { "retries", OPTION_RETRIES, "N", 0,
          "fetch: how often a lost connection is taken up again (default: 10)", 0 },
        { "to", OPTION_TO, "FORMAT", 0, "convert: png (the default) or npz", 0 },
        { "out", OPTION_OUT, "FOLDER", 0, "convert: a new or empty folder", 0 },
        { "quiet", 'q', NULL, 0, "show no progress", 0 },
        { 0 },
};

static int container_named(const char *text, struct argp_state *state)
{
        for (int i = 0; pxr_container_names[i]; i++)
                if (strcmp(pxr_container_names[i], text) == 0)
                        return i;
        argp_error(state, "--to wants png or npz, not '%s'", text);
        return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case OPTION_DIR:
                arguments->folder = text;
                return 0;
        case OPTION_URL:
                arguments->url = text;
                return 0;
        case OPTION_RETRIES:
                arguments->retries = (int)number_option("--retries", text, 0, 1000000, state);
                return 0;
        case OPTION_TO:
                arguments->container = container_named(text, state);
                return 0;
        case OPTION_OUT:
                arguments->out = text;
                return 0;
        case 'q':
                arguments->quiet = true;
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
        .args_doc = "list [SET]\n"
                    "info SET|PATH|SPEC [KEY=VALUE...]\n"
                    "verify SET [PATH]\n"
                    "fetch SET [FILE...]\n"
                    "convert SET|PATH|SPEC [KEY=VALUE...] --out FOLDER",
        .doc = "List the data sets, or one's options; describe a set as a spec would open it; "
               "compare its files with the official ones; fetch these; write a set as other files."
               "\v"
               "KEY=VALUE are options of the set, as they stand under 'data' in a spec:\n\n"
               "  pxr-data fetch cifar10\n"
               "  pxr-data info cifar10 valid=5000\n"
               "  pxr-data convert imagenet limit=1000 downsample=16 --out small\n\n"
               "A set is looked for in data/SET, unless path=FOLDER is given. A download that was "
               "broken off goes on where it was; a file takes its name when its SHA-256 is the "
               "official one, and one that has it already is never touched.\n\n"
               "Exit status: 0 done, 1 the system failed, or verify found a file that is not "
               "official, 2 a mistake in data or arguments, 130 interrupted.",
};

/* --- list --------------------------------------------------------------------------------------
 */

static void list_files(const struct pxr_data_format *format)
{
        const struct pxr_official *official = format->official;
        const char *folder = pxr_official_folder(format);
        int all, present = pxr_official_present(format, folder, &all);

        for (const struct pxr_official_file *file = official->files; file->name; file++)
                say(stdout, "  %-28s %s\n", file->name, display_size((double)file->size));
        say(stdout, "  from %s\n", official->url ? official->url : official->source);
        say(stdout, "  %s: %s", folder, present == 0 ? "not there" : "");
        if (present > 0)
                printf("%d of %d files", present, all);
        putchar('\n');
}

static void list(void)
{
        for (int i = 0; pxr_data_formats[i]; i++) {
                say(stdout, "%s: %s\n", pxr_data_formats[i]->name, pxr_data_formats[i]->help);
                if (pxr_data_formats[i]->official)
                        list_files(pxr_data_formats[i]);
        }
}

static json_t *files_as_json(const struct pxr_official *official)
{
        json_t *files = json_array();

        for (const struct pxr_official_file *file = official->files; file->name; file++)
                add_json(&files, NULL,
                         json_pack("{s:s, s:I, s:s}", "name", file->name, "size",
                                   (json_int_t)file->size, "sha256", file->sha256));
        return files;
}

static int list_as_json(struct pxr_diag *diag)
{
        json_t *root = json_array();

        for (int i = 0; pxr_data_formats[i]; i++) {
                const struct pxr_data_format *format = pxr_data_formats[i];
                const struct pxr_official *official = format->official;
                const char *folder = official ? pxr_official_folder(format) : NULL;
                int all, present = official ? pxr_official_present(format, folder, &all) : 0;
                json_t *set = json_pack("{s:s, s:s}", "set", format->name, "help", format->help);

                if (official)
                        json_object_update_new(set,
                                               json_pack("{s:s?, s:s, s:s, s:i, s:o}", "url",
                                                         official->url, "source", official->source,
                                                         "folder", folder, "present", present,
                                                         "files", files_as_json(official)));
                add_json(&root, NULL, set);
        }
        return print_json(root, diag);
}

static int print_rows(struct pxr_arena *arena, const struct pxr_options *table)
{
        char *text = pxr_options_text(arena, table, 2);

        if (!text)
                return 1;
        say_lines(stdout, text);
        return 0;
}

static int list_set(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        const struct pxr_data_format *format =
                pxr_data_format_find(name, (struct pxr_location) { 0 }, diag);

        if (!format)
                return 2;
        say(stdout, "%s: %s\n", format->name, format->help);
        if (format->official)
                list_files(format);
        puts("\noptions");
        return print_rows(arena, format->options) || print_rows(arena, &pxr_data_common_options);
}

/* --- info --------------------------------------------------------------------------------------
 */

static struct pxr_dataset *open_set(struct pxr_arena *arena, const struct arguments *arguments,
                                    struct pxr_diag *diag)
{
        struct pxr_yaml *data = pxr_data_mapping(arena, arguments->word[1], arguments->word + 2,
                                                 arguments->words - 2, diag);

        return data ? pxr_dataset_open(arena, data, 1, diag) : NULL;
}

static void print_info(const struct pxr_dataset *set)
{
        say(stdout, "set         %s\n", set->name);
        say(stdout, "images      %d x %d, %s, %d levels\n", set->rows, set->cols,
            set->colours == 1 ? "grey" : "in colour", set->levels);
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0) {
                        say(stdout, "%-11s %" PRId64 " image%s\n", pxr_split_names[i],
                            set->count[i], pxr_plural(set->count[i]));
                        say(stdout, "            of %" PRId64 " before transforms, SHA-256 %s\n",
                            set->whole[i], set->digest[i]);
                }
        say(stdout, "transforms  %s\n", set->transforms);
        say(stdout, "identity    %s\n", set->identity);
        if (!isnan(set->entropy))
                printf("entropy     %.6f nats an image, %.6f bits/dim (exact)\n", set->entropy,
                       set->entropy / (M_LN2 * set->rows * set->cols * set->colours));
        for (const struct pxr_data_file *file = set->files; file; file = file->next) {
                say(stdout, "file        %s, %s%s\n", file->path, display_size((double)file->size),
                    pxr_official_sha256(file->sha256) ? ", official" : "");
                say(stdout, "            SHA-256 %s\n", file->sha256);
        }
}

static int print_info_as_json(const struct pxr_dataset *set, struct pxr_diag *diag)
{
        json_t *splits = json_object(), *files = json_array();

        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0)
                        add_json(&splits, pxr_split_names[i],
                                 json_pack("{s:I, s:I, s:s}", "images", (json_int_t)set->count[i],
                                           "whole_images", (json_int_t)set->whole[i], "sha256",
                                           set->digest[i]));
        for (const struct pxr_data_file *file = set->files; file; file = file->next)
                add_json(&files, NULL,
                         json_pack("{s:s, s:I, s:s, s:b}", "path", file->path, "size",
                                   (json_int_t)file->size, "sha256", file->sha256, "official",
                                   pxr_official_sha256(file->sha256)));
        return print_json(json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:s, s:s, s:o, s:o}", "set",
                                    set->name, "rows", set->rows, "cols", set->cols, "colours",
                                    set->colours, "levels", set->levels, "splits", splits,
                                    "transforms", set->transforms, "identity", set->identity,
                                    "entropy_nats_per_image",
                                    isnan(set->entropy) ? json_null() : json_real(set->entropy),
                                    "files", files),
                          diag);
}

static int info(struct pxr_arena *arena, const struct arguments *arguments, struct pxr_diag *diag)
{
        const struct pxr_dataset *set = open_set(arena, arguments, diag);

        if (!set)
                return pxr_diag_status(diag);
        if (arguments->json)
                return print_info_as_json(set, diag) ? 1 : 0;
        print_info(set);
        return 0;
}

/* --- verify ------------------------------------------------------------------------------------
 */

struct verdicts {
        struct display *display;
        bool as_json;
        json_t *json; /* NULL when it cannot be made */
};

static void print_verdict(void *context, const struct pxr_verified *file)
{
        struct verdicts *verdicts = context;

        display_end(verdicts->display);
        if (verdicts->as_json)
                add_json(&verdicts->json, NULL,
                         json_pack("{s:s, s:s, s:s, s:I, s:s}", "path", file->path, "verdict",
                                   pxr_verdict_names[file->verdict], "words", file->words, "size",
                                   (json_int_t)file->size, "sha256", file->sha256));
        else
                say(stdout, "%-13s %s%s%s\n", pxr_verdict_names[file->verdict], file->path,
                    *file->words ? ": " : "", file->words);
}

static int verify(const struct arguments *arguments, struct display *display, struct pxr_diag *diag)
{
        const struct pxr_data_format *set = pxr_official_find(arguments->word[1], diag);
        struct verdicts verdicts = { display, arguments->json,
                                     arguments->json ? json_array() : NULL };
        const char *path;
        int failures;

        if (!set)
                return 2;
        path = arguments->words > 2 ? arguments->word[2] : pxr_official_folder(set);
        watch_signals();
        failures = pxr_verify(set, path, &display->observer, print_verdict, &verdicts, diag);
        display_end(display);
        if (verdicts.as_json && print_json(verdicts.json, diag))
                return 1;
        if (failures == PXR_VERIFY_STOPPED)
                return 130;
        return failures < 0 ? pxr_diag_status(diag) : failures > 0;
}

/* --- fetch -------------------------------------------------------------------------------------
 */

static int fetch(const struct arguments *arguments, struct display *display, struct pxr_diag *diag)
{
        const struct pxr_data_format *set = pxr_official_find(arguments->word[1], diag);
        const struct pxr_fetch order = { .url = arguments->url,
                                         .folder = arguments->folder,
                                         .retries = arguments->retries,
                                         .pause = 1,
                                         .stall = 60,
                                         .observer = &display->observer };
        int result;

        if (!set)
                return 2;
        watch_signals();
        result = pxr_fetch_set(&order, set, arguments->word + 2, arguments->words - 2, diag);
        display_end(display);
        if (result == PXR_FETCH_STOPPED) {
                fputs("interrupted; the same command goes on from there\n", stderr);
                return 130;
        }
        if (result == PXR_FETCHED && !arguments->quiet)
                say(stdout, "data: {set: %s, path: %s}\n", set->name,
                    arguments->folder ? arguments->folder : pxr_official_folder(set));
        return result < 0 ? pxr_diag_status(diag) : 0;
}

/* --- convert -----------------------------------------------------------------------------------
 */

static int convert(struct pxr_arena *arena, const struct arguments *arguments,
                   struct display *display, struct pxr_diag *diag)
{
        const struct pxr_dataset *set;
        int result;

        if (!arguments->out) {
                pxr_user_error(diag, "convert wants --out FOLDER");
                return 2;
        }
        set = open_set(arena, arguments, diag);
        if (!set)
                return pxr_diag_status(diag);
        watch_signals();
        result = pxr_convert(set, (enum pxr_container)arguments->container, arguments->out,
                             &display->observer, diag);
        display_end(display);
        if (result > 0) {
                say(stderr, "interrupted; nothing of the set is in %s\n", arguments->out);
                return 130;
        }
        if (result == 0 && !arguments->quiet) {
                say(stdout, "data: {set: %s, path: %s", arguments->container ? "npz" : "png_folder",
                    arguments->out);
                if (arguments->container == PXR_TO_NPZ)
                        say(stdout, ", layout: %s", set->colours == 3 ? "hwc" : "hw");
                printf(set->levels < 256 ? ", levels: %d}\n" : "}\n", set->levels);
        }
        return result < 0 ? pxr_diag_status(diag) : 0;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

static const struct {
        const char *name;
        size_t least, most; /* words, its own included */
} commands[] = {
        { "list", 1, 2 },         { "info", 2, SIZE_MAX },    { "verify", 2, 3 },
        { "fetch", 2, SIZE_MAX }, { "convert", 2, SIZE_MAX },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* Is it a command, with as many words as it takes? */
static int check_words(const struct arguments *arguments, struct pxr_diag *diag)
{
        const char *names[COMMANDS], *nearest;

        for (int i = 0; i < COMMANDS; i++) {
                names[i] = commands[i].name;
                if (strcmp(names[i], arguments->word[0]) != 0)
                        continue;
                if (arguments->words < commands[i].least)
                        return pxr_user_error(diag, "%s wants the name of a set%s", names[i],
                                              i == 1 || i == 4 ? ", a path or a spec" : "");
                if (arguments->words > commands[i].most)
                        return pxr_user_error(diag, "%s: '%s' is one word too many", names[i],
                                              arguments->word[commands[i].most]);
                return 0;
        }
        pxr_user_error(diag, "there is no command '%s'", arguments->word[0]);
        nearest = pxr_nearest(arguments->word[0], names, COMMANDS);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        return -1;
}

static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   struct pxr_diag *diag)
{
        const char *command = arguments->word[0];
        struct display display;

        if (check_words(arguments, diag))
                return 2;
        display_init(&display, arguments->quiet ? NULL : stderr);
        if (strcmp(command, "info") == 0)
                return info(arena, arguments, diag);
        if (strcmp(command, "verify") == 0)
                return verify(arguments, &display, diag);
        if (strcmp(command, "fetch") == 0)
                return fetch(arguments, &display, diag);
        if (strcmp(command, "convert") == 0)
                return convert(arena, arguments, &display, diag);
        if (arguments->words > 1)
                return list_set(arena, arguments->word[1], diag);
        if (arguments->json)
                return list_as_json(diag) ? 1 : 0;
        list();
        return 0;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .retries = 10 };
        struct program program;
        int status;

        program_begin(&program, "pxr-data", argc, argv);
        arguments.word = program.words;
        program_parse(&program, &argp, argc, argv, &arguments);
        status = execute(program.arena, &arguments, program.diag);
        return program_end(&program, status);
}
