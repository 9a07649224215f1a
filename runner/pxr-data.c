/* SPDX-License-Identifier: MIT */
/*
 * pxr-data.c - the command that lists, describes, verifies, fetches and converts data sets.
 *
 * Arguments and printing; what it does is in lib/data.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "data/convert.h"
#include "data/fetch.h"
#include "data/format.h"
#include "data/official.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "config/options.h"

static struct arguments {
        const char *folder, *url, *out;
        int container, retries;
        bool json, quiet;
} args;

/* --- list --------------------------------------------------------------------------------------
 */

static void print_set(const struct pxr_data_format *format)
{
        const struct pxr_official *official = format->official;
        const char *folder = official ? pxr_official_folder(format) : NULL;
        int all, present;

        say(stdout, "%s: %s\n", format->name, format->help);
        if (!official)
                return;
        present = pxr_official_present(format, folder, &all);
        for (const struct pxr_official_file *file = official->files; file->name; file++)
                say(stdout, "  %-28s %s\n", file->name, size_text((double)file->size));
        say(stdout, "  from %s\n", official->url ? official->url : official->source);
        say(stdout, "  %s: %s\n", folder,
            present ? brief("%d of %d files", present, all) : "not there");
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

static int list(struct program *program)
{
        const char *name = program->words.text[0];
        const struct pxr_data_format *one =
                name ? pxr_data_format_find(name, (struct pxr_location) { 0 }, program->diag)
                     : NULL;

        if (name && !one)
                return -1;
        if (!one && args.json)
                return list_as_json(program->diag);
        for (int i = 0; pxr_data_formats[i]; i++)
                if (!one || one == pxr_data_formats[i])
                        print_set(pxr_data_formats[i]);
        if (!one)
                return 0;
        puts("\noptions");
        say_lines(stdout, pxr_options_text(program->arena, one->options, 2), 0);
        say_lines(stdout, pxr_options_text(program->arena, &pxr_data_common_options, 2), 0);
        return 0;
}

/* --- info --------------------------------------------------------------------------------------
 */

static struct pxr_dataset *open_set(struct program *program)
{
        const struct pxr_arguments *words = &program->words;
        struct pxr_yaml *data = pxr_data_mapping(program->arena, words->text[0], words->text + 1,
                                                 words->count - 1, program->diag);

        return data ? pxr_dataset_open(program->arena, data, 1, program->diag) : NULL;
}

static void print_classes(const struct pxr_dataset *set)
{
        say(stdout, "labels      of %d class%s\n", set->classes, set->classes == 1 ? "" : "es");
        for (int i = 0; set->class_names && i < set->classes; i++)
                say(stdout, "            %d %s\n", i, set->class_names[i]);
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
        if (pxr_dataset_has_labels(set))
                print_classes(set);
        say(stdout, "transforms  %s\n", set->transforms);
        say(stdout, "identity    %s\n", set->identity);
        if (!isnan(set->entropy))
                printf("entropy     %.6f nats an image, %.6f bits/dim (exact)\n", set->entropy,
                       set->entropy / (M_LN2 * set->rows * set->cols * set->colours));
        for (const struct pxr_data_file *file = set->files; file; file = file->next) {
                say(stdout, "file        %s, %s%s\n", file->path, size_text((double)file->size),
                    pxr_official_sha256(file->sha256) ? ", official" : "");
                say(stdout, "            SHA-256 %s\n", file->sha256);
        }
}

/* The names of the classes, or null for each that has none; NULL: no labels. */
static json_t *classes_as_json(const struct pxr_dataset *set)
{
        json_t *classes = pxr_dataset_has_labels(set) ? json_array() : NULL;

        for (int i = 0; classes && i < set->classes; i++)
                add_json(&classes, NULL,
                         set->class_names ? json_string(set->class_names[i]) : json_null());
        return classes;
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
        return print_json(
                json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o*, s:s, s:s, s:o, s:o}", "set",
                          set->name, "rows", set->rows, "cols", set->cols, "colours", set->colours,
                          "levels", set->levels, "splits", splits, "classes", classes_as_json(set),
                          "transforms", set->transforms, "identity", set->identity,
                          "entropy_nats_per_image", json_number(set->entropy), "files", files),
                diag);
}

static int info(struct program *program)
{
        const struct pxr_dataset *set = open_set(program);

        if (!set)
                return -1;
        if (args.json)
                return print_info_as_json(set, program->diag);
        print_info(set);
        return 0;
}

/* --- verify ------------------------------------------------------------------------------------
 */

/* `context` is a JSON list to add to, NULL when it cannot be made. */
static void print_verdict(void *context, const struct pxr_verified *file)
{
        const char *verdict = pxr_verdict_names[file->verdict];

        display_end();
        if (args.json)
                add_json(context, NULL,
                         json_pack("{s:s, s:s, s:s, s:I, s:s}", "path", file->path, "verdict",
                                   verdict, "text", file->text, "size", (json_int_t)file->size,
                                   "sha256", file->sha256));
        else
                say(stdout, "%-13s %s%s%s\n", verdict, file->path, *file->text ? ": " : "",
                    file->text);
}

static int verify(struct program *program)
{
        const struct pxr_arguments *words = &program->words;
        const struct pxr_data_format *set = pxr_official_find(words->text[0], program->diag);
        json_t *verdicts = args.json ? json_array() : NULL;
        int failures;

        if (!set)
                return -1;
        begin_work(args.quiet ? NULL : stderr);
        failures = pxr_verify(set, words->count > 1 ? words->text[1] : pxr_official_folder(set),
                              &display, print_verdict, &verdicts, program->diag);
        display_end();
        if (args.json && print_json(verdicts, program->diag))
                return 1;
        if (failures == PXR_VERIFY_STOPPED)
                return 130;
        return failures < 0 ? -1 : failures > 0;
}

/* --- fetch -------------------------------------------------------------------------------------
 */

static int fetch(struct program *program)
{
        const struct pxr_arguments *words = &program->words;
        const struct pxr_data_format *set = pxr_official_find(words->text[0], program->diag);
        const struct pxr_fetch order = { .url = args.url,
                                         .folder = args.folder,
                                         .retries = args.retries,
                                         .pause = 1,
                                         .stall = 60,
                                         .observer = &display };
        int result;

        if (!set)
                return -1;
        begin_work(args.quiet ? NULL : stderr);
        result = pxr_fetch_set(&order, set, words->text + 1, words->count - 1, program->diag);
        display_end();
        if (result == PXR_FETCH_STOPPED) {
                fputs("interrupted; give the same command again to continue\n", stderr);
                return 130;
        }
        if (result == PXR_FETCHED && !args.quiet)
                say(stdout, "data: {set: %s, path: %s}\n", set->name,
                    args.folder ? args.folder : pxr_official_folder(set));
        return result < 0 ? -1 : 0;
}

/* --- convert -----------------------------------------------------------------------------------
 */

static int convert(struct program *program)
{
        const struct pxr_dataset *set = open_set(program);
        bool npz = args.container == PXR_TO_NPZ;
        int status;

        if (!set)
                return -1;
        begin_work(args.quiet ? NULL : stderr);
        status = display_stopped(pxr_convert(set, (enum pxr_container)args.container, args.out,
                                             &display, program->diag));
        if (status == 0 && !args.quiet)
                say(stdout, "data: {set: %s, path: %s%s%s}\n", npz ? "npz" : "png_folder", args.out,
                    npz ? brief(", layout: %s", set->colours == 3 ? "hwc" : "hw") : "",
                    set->levels < 256 ? brief(", levels: %d", set->levels) : "");
        return status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        { "json", 0, NULL, "print JSON", FIELD(json), .verbs = "list, info, verify" },
        { "dir", 0, "FOLDER", "where to put the files (default: data/SET)", FIELD(folder),
          .verbs = "fetch" },
        { "url", 0, "URL", "download from another web address", FIELD(url), .verbs = "fetch" },
        { "retries", 0, "N", "resume a lost connection up to N times", FIELD(retries),
          .most = 1000000, .initial = "10", .verbs = "fetch" },
        { "to", 0, "FORMAT", "file format", FIELD(container), .choices = pxr_container_names,
          .initial = "png", .verbs = "convert" },
        { "out", 0, "FOLDER", "a new or empty folder", FIELD(out), .verbs = "convert",
          .required = "convert" },
        { "quiet", 'q', NULL, "print no progress", FIELD(quiet) },
        { 0 },
};

static const struct command_verb verbs[] = {
        { .help = "Commands:" },
        { "list", "[SET]", "list the data sets, or the options of one", .run = list },
        { "info", "SET [KEY=VALUE...]", "describe a data set with options as in a spec",
          .run = info },
        { "verify", "SET [PATH]", "compare the files of a set with the official ones",
          .run = verify },
        { "fetch", "SET [FILE...]", "download the official files", .run = fetch },
        { "convert", "SET [KEY=VALUE...]", "write a data set as PNG or .npz files",
          .run = convert },
        { 0 },
};

const struct command command = {
        .name = "pxr-data",
        .summary = "List, describe, verify, download and convert data sets.",
        .text = PXR_DATA_TEXT,
        .options = options,
        .verbs = verbs,
};
