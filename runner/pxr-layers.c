/* SPDX-License-Identifier: MIT */
/*
 * pxr-layers.c - the command that lists layer plugins, documents one, checks it, or starts a new
 * one.
 *
 * Arguments and printing; what it asks is in lib/model.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "model/conformance.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "config/options.h"

/* Memory that a layer may use in its examination, where the images are tiny. */
static const size_t most_memory = (size_t)2 << 30;

static const struct pxr_location nowhere = { 0 };

static struct arguments {
        bool op, verbose;
        int seconds;
} args;

static struct pxr_plugins *plugins;

/* --- list --------------------------------------------------------------------------------------
 */

static int list(struct program *program)
{
        int usable = 0;
        bool unread = false;

        plugins = pxr_plugins_open(program->arena, program->diag);
        if (!plugins)
                return -1;
        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                usable += !file->problem;
                unread |= file->unread;
                if (file->problem)
                        say(stderr, "pxr-layers: warning: %s: %s\n", file->path, file->problem);
                else
                        say(stdout, "%-16s %s\n", file->layer->name, file->layer->summary);
        }
        if (usable == 0)
                say(stderr, "pxr-layers: no layers in %s\n", plugins->searched);
        return unread ? 1 : usable ? 0 : 2;
}

/* --- NAME --------------------------------------------------------------------------------------
 */

static int describe(struct program *program)
{
        const struct pxr_plugin_file *file;
        const struct pxr_layer *layer;

        plugins = pxr_plugins_open(program->arena, program->diag);
        if (!plugins)
                return -1;
        file = pxr_plugin_find(plugins, program->words.text[0], nowhere, program->diag);
        if (!file)
                return -1;
        layer = file->layer;
        say(stdout, "%s: %s\n", layer->name, layer->summary);
        if (layer->description) {
                putchar('\n');
                say_lines(stdout, layer->description, 2);
        }
        if (layer->options && layer->options->rows) {
                puts("\noptions");
                say_lines(stdout, pxr_options_text(program->arena, layer->options, 2), 0);
        }
        if (layer->parameters) {
                puts("\nparameters");
                for (const struct pxr_parameter_doc *p = layer->parameters; p->name; p++) {
                        say(stdout, "  %-14s %s\n", p->name, p->shape);
                        say_lines(stdout, p->meaning, 17);
                }
        }
        putchar('\n');
        say(stdout, "from %s (built for pxr %s)\n", file->path, file->version);
        return 0;
}

/* --- check -------------------------------------------------------------------------------------
 */

/* What a process of its own is to examine: this file, or the layer of this name. */
static struct pxr_plugin_file *examined;
static const char *examined_name;

/* What was skipped, for the line of a layer that passes. */
static char skipped[256];

/* Whether no failure of this test was printed before. */
static bool is_first_failure(const char *test)
{
        static const char *failed[16];
        size_t i = 0;

        while (i < PXR_COUNT(failed) && failed[i] && strcmp(failed[i], test) != 0)
                i++;
        if (i == PXR_COUNT(failed) || failed[i])
                return false;
        failed[i] = test;
        return true;
}

/* One line a case with --verbose, else the first failure of each test. */
static void print_result(void *context, const struct pxr_check_result *result)
{
        const char *why = result->problem ? result->problem : result->skipped;
        bool build = strcmp(result->test, PXR_CHECK_BUILD) == 0;
        struct pxr_child_notes *notes = context;
        const struct pxr_image_kind *of = &result->kind;
        const char *kind = brief("%dx%d, %d colour%s, %d levels", of->rows, of->cols, of->colours,
                                 pxr_plural(of->colours), of->levels);

        if (result->begins) {
                snprintf(notes->doing, sizeof(notes->doing), "%s%s for images of %s",
                         build ? "while it was built" : "in the test of its ",
                         build ? "" : result->test, kind);
                return;
        }
        notes->count += build;
        if (result->skipped && !build)
                snprintf(skipped, sizeof(skipped), "; %s skipped: %s", result->test, why);
        if (!args.verbose && (!result->problem || !is_first_failure(result->test)))
                return;
        if (!args.verbose && !notes->shown++)
                say(stdout, "FAILED\n");
        say(stdout, "  %-10s %-25s %s%s%s\n", result->test, kind,
            result->problem   ? "FAILED"
            : build           ? "not built"
            : result->skipped ? "skipped"
                              : "ok",
            why ? ": " : "", why ? why : "");
        fflush(stdout); /* before what may end the process */
}

/* End the line of a layer. */
static void print_verdict(const struct pxr_child_notes *notes, bool passed)
{
        if (args.verbose || notes->shown)
                return;
        if (!passed)
                say(stdout, "FAILED\n");
        else if (notes->count)
                say(stdout, "ok, not built for %d kind%s of image%s\n", notes->count,
                    pxr_plural(notes->count), skipped);
        else
                say(stdout, "ok%s\n", skipped);
}

/* In a process of its own: load one module, and unload it. Leaves what is wrong with it. */
static int try_to_load(void *context, struct pxr_child_notes *notes)
{
        struct pxr_plugin_file *file = context;
        struct pxr_arena *arena = pxr_arena_new(0, NULL);

        snprintf(notes->doing, sizeof(notes->doing), "while it was loaded");
        if (!arena || pxr_plugin_load(arena, file))
                snprintf(notes->text, sizeof(notes->text), "out of memory");
        else if (file->problem)
                snprintf(notes->text, sizeof(notes->text), "%s", file->problem);
        snprintf(notes->doing, sizeof(notes->doing), "while it was unloaded");
        pxr_arena_free(arena);
        return 0;
}

/* In a process of its own: put a layer to the tests, and print how it does. */
static int examine(void *context, struct pxr_child_notes *notes)
{
        struct pxr_diag *diag = pxr_diag_new();
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        const struct pxr_plugin_file *file = examined;
        int status = arena && diag ? 0 : -1;

        (void)context;
        for (struct pxr_plugin_file *f = plugins->file; f && !status; f = f->next) {
                snprintf(notes->doing, sizeof(notes->doing), "while %.200s was loaded", f->path);
                if (!f->problem)
                        status = pxr_plugin_load(arena, f);
        }
        if (status)
                pxr_out_of_memory(diag);
        else if (!file)
                file = pxr_plugin_find(plugins, examined_name, nowhere, diag);
        if (!status && file && !file->problem) {
                say(stdout, args.verbose ? "%s\n" : "%-16s ", file->layer->name);
                fflush(stdout);
                snprintf(notes->text, sizeof(notes->text), "%s", file->layer->name);
                status = pxr_check_layer(plugins, file, print_result, notes, diag);
                print_verdict(notes, status == 0);
        } else {
                status = -1;
        }
        if (status < 0)
                status = pxr_diag_status(diag);
        pxr_diag_write(diag, "pxr-layers", stderr);
        snprintf(notes->doing, sizeof(notes->doing), "while it was unloaded");
        pxr_diag_free(diag);
        pxr_arena_free(arena);
        return status;
}

/* What the last process left, and how it died. */
static struct pxr_child_notes left;
static char how[128];

static int run_in_child(int (*work)(void *context, struct pxr_child_notes *notes), void *context,
                        struct pxr_diag *diag)
{
        const struct pxr_task task = {
                .work = work, .context = context, .seconds = args.seconds, .memory = most_memory
        };
        int status = pxr_child_run(&task, &left, how, sizeof(how));

        if (status == PXR_CHILD_FAILED)
                pxr_system_error(diag, "cannot start a process: %s", strerror(errno));
        return status;
}

/* Try each module alone, so that one that cannot be loaded does not keep the others from their
 * examination. */
static int try_all(struct pxr_arena *arena, struct pxr_diag *diag)
{
        for (struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                int status = file->problem ? 0 : run_in_child(try_to_load, file, diag);

                if (status == PXR_CHILD_FAILED)
                        return -1;
                if (status == PXR_CHILD_DIED)
                        file->problem = pxr_strf(arena, "%s, %s", how, left.doing);
                else if (!file->problem && *left.text)
                        file->problem = pxr_strdup(arena, left.text);
        }
        return pxr_arena_failed(arena) ? -1 : 0;
}

/* Examine a file, or the layer of a name. Returns the exit status that it means. Adds to *not_built
 * the kinds of image that it was not tested on. */
static int check_one(int *not_built, struct pxr_diag *diag)
{
        int status = run_in_child(examine, NULL, diag);

        if (status == PXR_CHILD_FAILED)
                return 1;
        *not_built += left.count;
        if (status != PXR_CHILD_DIED)
                return status;
        if (!*left.text)
                say(stdout, "%s\n", examined ? examined->path : examined_name);
        else
                print_verdict(&left, false);
        say(stdout, "  FAILED: %s, %s\n", how, left.doing);
        return 1;
}

/* What of the tests holds in the end, and on how little. */
static void print_summary(bool failed, int not_built)
{
        fputs(failed ? "not all passed" : "all passed", stdout);
        if (not_built)
                say(stdout, ", but for %d kind%s of image that a layer was not built for",
                    not_built, pxr_plural(not_built));
        putchar('\n');
}

static int check(struct program *program)
{
        struct pxr_diag *diag = program->diag;
        int failed = 0, not_built = 0, status;

        plugins = pxr_plugins_search(program->arena, diag);
        if (!plugins || try_all(program->arena, diag))
                return -1;
        examined_name = program->words.text[0];
        if (examined_name) {
                status = check_one(&not_built, diag);
                if (status < 2)
                        print_summary(status, not_built);
                return status;
        }
        for (examined = plugins->file; examined; examined = examined->next) {
                if (examined->problem) {
                        say(stdout, "%s\n", examined->path);
                        say(stdout, "  FAILED: %s\n", examined->problem);
                }
                failed += examined->problem || check_one(&not_built, diag) != 0;
        }
        print_summary(failed, not_built);
        return failed > 0;
}

/* --- new ---------------------------------------------------------------------------------------
 */

static int is_identifier(const char *name)
{
        return *name >= 'a' && *name <= 'z' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name) &&
               strlen(name) < 64;
}

/* Refuse an invalid name, and one that is in use: the new layer could never be found. */
static int check_new(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        if (!is_identifier(name))
                return pxr_user_error(diag,
                                      "invalid layer name '%s': use lower-case letters, digits "
                                      "and _, beginning with a letter",
                                      name);
        plugins = pxr_plugins_open(arena, diag);
        if (!plugins)
                return -1;
        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next)
                if (file->layer && strcmp(file->layer->name, name) == 0)
                        return pxr_user_error(diag, "layer '%s' already exists: %s", name,
                                              file->path);
        return 0;
}

/* The files of a new layer. %1$s in names and texts stands for the layer's name. */
struct new_file {
        const char *name, *text;
};

static const struct new_file layer_files[] = {
        { "%1$s.c", NEW_LAYER_TEXT },
        { 0 },
};
static const struct new_file op_files[] = {
        { "%1$s.c", NEW_OP_TEXT },
        { "%1$s_kernels.h", NEW_OP_KERNELS_TEXT },
        { 0 },
};
static const struct new_file common_files[] = {
        { "Makefile", NEW_MAKEFILE_TEXT },
        { "%1$s.yaml", NEW_SPEC_TEXT },
        { "README.md", NEW_README_TEXT },
        { 0 },
};

static int write_files(struct pxr_arena *arena, const struct new_file *files, const char *folder,
                       const char *name, struct pxr_diag *diag)
{
        for (; files->name; files++) {
                const char *file = pxr_strf(arena, files->name, name);
                const char *text = pxr_strf(arena, files->text, name);

                if (pxr_arena_failed(arena) ||
                    pxr_file_write(pxr_strf(arena, "%s/%s", folder, file), false, text,
                                   strlen(text), diag))
                        return -1;
        }
        return 0;
}

static void print_files(struct pxr_arena *arena, const struct new_file *files, const char *name)
{
        for (; files->name; files++)
                say(stdout, "  %s/%s\n", name, pxr_strf(arena, files->name, name));
}

/* Write the folder NAME, whole or not at all. */
static int write_new(struct program *program)
{
        const char *name = program->words.text[0];
        const struct new_file *files = args.op ? op_files : layer_files;
        struct pxr_arena *arena = program->arena;
        struct pxr_diag *diag = program->diag;
        struct pxr_output_folder folder;
        int status;

        if (check_new(arena, name, diag))
                return -1;
        status = pxr_output_folder_begin(&folder, name, diag);
        if (!status)
                status = write_files(arena, files, folder.staging.path, name, diag);
        if (!status)
                status = write_files(arena, common_files, folder.staging.path, name, diag);
        if (pxr_output_folder_end(&folder, status, diag))
                return -1;
        say(stdout, "wrote\n");
        print_files(arena, files, name);
        print_files(arena, common_files, name);
        say(stdout, "to build and check it: make -C %s check\n", name);
        return 0;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        { "op", 0, NULL, "give the new layer an op of its own, with all kernels", FIELD(op),
          .verbs = "new" },
        { "verbose", 'v', NULL, "print each test of a layer, for each kind of image",
          FIELD(verbose), .verbs = "check" },
        { "seconds", 's', "N",
          "stop checking a layer after N seconds of processor time or 10 N of wall time",
          FIELD(seconds), .least = 1, .most = 1000000, .initial = "60", .verbs = "check" },
        { 0 },
};

static const struct command_verb verbs[] = {
        { .help = "Commands:" },
        { "list", "", "list the layers (the default)", .run = list },
        { "check", "[LAYER]", "check that one layer, or all, compute what they declare",
          .run = check },
        { "new", "NAME", "write the folder NAME: a layer that builds, and a spec",
          .run = write_new },
        { NULL, "LAYER", "print the options and parameters of a layer", .run = describe },
        { 0 },
};

const struct command command = {
        .name = "pxr-layers",
        .summary = "List the layer plugins, document one, check them, or start a new one.",
        .text = PXR_LAYERS_TEXT,
        .options = options,
        .verbs = verbs,
        .usual = "list",
};
