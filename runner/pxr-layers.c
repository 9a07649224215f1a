/* SPDX-License-Identifier: MIT */
/*
 * pxr-layers.c - the command that lists layer plugins, documents one, checks it, or starts a new
 * one.
 *
 * Arguments and printing; what it asks is in lib/model.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/version.h>

#include "base/file.h"
#include "base/apart.h"
#include "base/number.h"
#include "model/conformance.h"
#include "runner/common.h"
#include "runner/program.h"
#include "config/options.h"

const char *argp_program_version = "pxr-layers " PXR_VERSION;

/* What a layer may use in its examination, where the images are tiny. */
enum { USUAL_SECONDS = 60, MOST_SECONDS = 1000000 };
static const size_t most_memory = (size_t)2 << 30;

struct arguments {
        const char *word[2];
        int words, seconds;
};

static const struct argp_option options[] = {
        { .name = "seconds",
          .key = 's',
          .arg = "N",
          .doc = "check: end the examination of a layer after N seconds of processor time, or ten "
                 "times as many by the clock (60)" },
        { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        if (key == 's') {
                arguments->seconds = (int)number_option("--seconds", text, 1, MOST_SECONDS, state);
                return 0;
        }
        if (key != ARGP_KEY_ARG)
                return ARGP_ERR_UNKNOWN;
        if (arguments->words == 2)
                argp_error(state, "too many arguments at '%s'", text);
        arguments->word[arguments->words++] = text;
        return 0;
}

static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[list]\nNAME\ncheck [NAME]\nnew NAME",
        .doc = "List the layer plugins found, print one's options and parameters, check that one "
               "(or all) computes what it must, or write NAME.c, a plugin that builds.\v"
               "Plugins are searched for in the folders of $PXR_LAYER_PATH (separated by ':'), "
               "then among those that came with pxr. `check` loads and examines each in a process "
               "of "
               "its own.\n\n"
               "Exit status: 0 all is well, 1 the system or a check failed, 2 a mistake in the "
               "arguments.",
};

/* --- list --------------------------------------------------------------------------------------
 */

static int list(const struct pxr_plugins *plugins)
{
        int usable = 0;
        bool unread = false;

        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next)
                if (!file->problem) {
                        say(stdout, "%-16s %s\n", file->layer->name, file->layer->summary);
                        usable++;
                }
        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next)
                if (file->problem) {
                        say(stderr, "pxr-layers: warning: %s: %s\n", file->path, file->problem);
                        unread |= file->unread;
                }
        if (usable == 0)
                say(stderr, "pxr-layers: no layers in %s\n", plugins->searched);
        return unread ? 1 : usable ? 0 : 2;
}

/* --- NAME --------------------------------------------------------------------------------------
 */

/* A text of one or more lines, each set in. */
static void print_indented(const char *text, int indent)
{
        while (*text) {
                int length = (int)strcspn(text, "\n");

                say(stdout, "%*s%.*s\n", indent, "", length, text);
                text += length + (text[length] == '\n');
        }
}

static int describe(struct pxr_arena *arena, const struct pxr_plugin_file *file,
                    struct pxr_diag *diag)
{
        const struct pxr_layer *layer = file->layer;

        say(stdout, "%s: %s\n", layer->name, layer->summary);
        if (layer->description) {
                putchar('\n');
                print_indented(layer->description, 2);
        }
        if (layer->options && layer->options->rows) {
                char *text = pxr_options_text(arena, layer->options, 2);

                if (!text) {
                        pxr_out_of_memory(diag);
                        return 1;
                }
                puts("\noptions");
                say_lines(stdout, text);
        }
        if (layer->parameters) {
                puts("\nparameters");
                for (const struct pxr_parameter_doc *p = layer->parameters; p->name; p++) {
                        say(stdout, "  %-14s %s\n", p->name, p->shape);
                        if (p->meaning)
                                print_indented(p->meaning, 17);
                }
        }
        say(stdout, "\nfrom %s (built for pxr %s)\n", file->path, file->version);
        return 0;
}

/* --- check -------------------------------------------------------------------------------------
 */

/* What a process of its own is to examine: this file, or the layer of this name. */
struct examination {
        struct pxr_plugins *plugins;
        struct pxr_plugin_file *file;
        const char *name;
};

static void print_result(void *context, const struct pxr_check_result *result)
{
        const char *why = result->problem ? result->problem : result->skipped;
        bool build = strcmp(result->test, PXR_CHECK_BUILD) == 0;
        struct pxr_apart_notes *notes = context;
        char kind[64];

        snprintf(kind, sizeof(kind), "%dx%d, %d colour%s, %d levels", result->kind.rows,
                 result->kind.cols, result->kind.colours, pxr_plural(result->kind.colours),
                 result->kind.levels);
        if (result->begins) {
                snprintf(notes->doing, sizeof(notes->doing), "%s%s for images of %s",
                         build ? "while it was built" : "in the test of its ",
                         build ? "" : result->test, kind);
                return;
        }
        notes->count += build;
        say(stdout, "  %-10s %-25s %s%s%s\n", result->test, kind,
            result->problem   ? "FAILED"
            : build           ? "not built"
            : result->skipped ? "skipped"
                              : "ok",
            why ? ": " : "", why ? why : "");
        fflush(stdout); /* before what may end the process */
}

/* In a process of its own: load one module, and unload it. Leaves what is wrong with it. */
static int try_to_load(void *context, struct pxr_apart_notes *notes)
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
static int examine(void *context, struct pxr_apart_notes *notes)
{
        struct examination *e = context;
        struct pxr_diag *diag = pxr_diag_new();
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        const struct pxr_plugin_file *file = e->file;
        int status = arena && diag ? 0 : -1;

        for (struct pxr_plugin_file *f = e->plugins->file; f && !status; f = f->next) {
                snprintf(notes->doing, sizeof(notes->doing), "while %.200s was loaded", f->path);
                if (!f->problem)
                        status = pxr_plugin_load(arena, f);
        }
        if (status)
                pxr_out_of_memory(diag);
        else if (!file)
                file = pxr_plugin_named(e->plugins, e->name, diag);
        if (!status && file && !file->problem) {
                say(stdout, "%s\n", file->layer->name);
                fflush(stdout);
                snprintf(notes->text, sizeof(notes->text), "%s", file->layer->name);
                status = pxr_check_layer(e->plugins, file, print_result, notes, diag);
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

/* The limits of one process, and what it left. */
static int run_apart(int (*work)(void *context, struct pxr_apart_notes *notes), void *context,
                     int seconds, struct pxr_apart_notes *notes, char *how, size_t size,
                     struct pxr_diag *diag)
{
        const struct pxr_apart apart = {
                .work = work, .context = context, .seconds = seconds, .memory = most_memory
        };
        int status = pxr_apart(&apart, notes, how, size);

        if (status == PXR_APART_FAILED)
                pxr_system_error(diag, "no process can be started: %s", strerror(errno));
        return status;
}

/* Try each module alone, so that one that cannot be loaded does not keep the others from their
 * examination. */
static int try_all(struct pxr_arena *arena, struct pxr_plugins *plugins, int seconds,
                   struct pxr_diag *diag)
{
        for (struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                struct pxr_apart_notes notes;
                char how[128];
                int status;

                if (file->problem)
                        continue;
                status = run_apart(try_to_load, file, seconds, &notes, how, sizeof(how), diag);
                if (status == PXR_APART_FAILED)
                        return -1;
                if (status == PXR_APART_DIED)
                        file->problem = pxr_strf(arena, "%s, %s", how, notes.doing);
                else if (*notes.text)
                        file->problem = pxr_strdup(arena, notes.text);
                if ((status == PXR_APART_DIED || *notes.text) && !file->problem)
                        return pxr_out_of_memory(diag);
        }
        return 0;
}

/* Examine a file, or the layer of a name. Returns the exit status that it means. Adds to *not_built
 * the kinds of image that it was not tested on. */
static int check_one(struct examination *e, int seconds, int *not_built, struct pxr_diag *diag)
{
        struct pxr_apart_notes notes;
        char how[128];
        int status = run_apart(examine, e, seconds, &notes, how, sizeof(how), diag);

        if (status == PXR_APART_FAILED)
                return 1;
        *not_built += notes.count;
        if (status != PXR_APART_DIED)
                return status;
        if (!*notes.text)
                say(stdout, "%s\n", e->file ? e->file->path : e->name);
        say(stdout, "  FAILED: %s, %s\n", how, notes.doing);
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

static int check(struct pxr_arena *arena, const char *name, int seconds, struct pxr_diag *diag)
{
        struct pxr_plugins *plugins = pxr_plugins_search(arena, diag);
        struct examination e = { .plugins = plugins, .name = name };
        int failed = 0, not_built = 0, status;

        if (!plugins || try_all(arena, plugins, seconds, diag))
                return pxr_diag_status(diag);
        if (name) {
                status = check_one(&e, seconds, &not_built, diag);
                if (status < 2)
                        print_summary(status, not_built);
                return status;
        }
        for (e.file = plugins->file; e.file; e.file = e.file->next) {
                if (e.file->problem) {
                        say(stdout, "%s\n", e.file->path);
                        say(stdout, "  FAILED: %s\n", e.file->problem);
                }
                failed += e.file->problem || check_one(&e, seconds, &not_built, diag) != 0;
        }
        print_summary(failed, not_built);
        return failed ? 1 : pxr_diag_status(diag);
}

/* --- new ---------------------------------------------------------------------------------------
 */

static const char template[] =
        "/* %1$s.c - a layer for pxr.\n"
        " *\n"
        " * Build:  cc -shared -fPIC -O2 $(pkg-config --cflags pxr) -o %1$s.so %1$s.c\n"
        " * Check:  PXR_LAYER_PATH=. pxr-layers check %1$s\n"
        " * Use:    PXR_LAYER_PATH=. pxr-run SPEC, with `- %1$s` in the spec's model\n"
        " */\n"
        "#include <pxr/elementwise.h>\n"
        "#include <pxr/layer.h>\n"
        "\n"
        "/* The value of x, and the slope in terms of that value y. */\n"
        "PXR_ELEMENTWISE(%1$s_op, \"%1$s\", tanh(x), 1 - y * y)\n"
        "\n"
        "static struct pxr_node *build(struct pxr_builder *builder, const void *conf,\n"
        "                              struct pxr_node *input)\n"
        "{\n"
        "        (void)conf;\n"
        "        return pxr_add_elementwise(builder, &%1$s_op, input);\n"
        "}\n"
        "\n"
        "static const struct pxr_layer %1$s_layer = {\n"
        "        .name = \"%1$s\",\n"
        "        .summary = \"tanh(x)\",\n"
        "        .build = build,\n"
        "};\n"
        "PXR_PLUGIN(%1$s_layer)\n";

static int is_identifier(const char *name)
{
        return *name >= 'a' && *name <= 'z' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name) &&
               strlen(name) < 64;
}

/* Is the name taken? A layer of a name that is there could never be found. */
static int check_new(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        const struct pxr_plugins *plugins;

        if (!is_identifier(name))
                return pxr_user_error(diag,
                                      "'%s' can be no layer's name: lower-case letters, "
                                      "digits and _ are wanted, beginning with a letter",
                                      name);
        plugins = pxr_plugins_open(arena, diag);
        if (!plugins)
                return -1;
        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next)
                if (file->layer && strcmp(file->layer->name, name) == 0)
                        return pxr_user_error(diag, "there is a layer '%s' already: %s", name,
                                              file->path);
        return 0;
}

/* Write NAME.c here, unless there is one. */
static int write_new(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        char path[80];
        FILE *file;
        int failed;

        if (check_new(arena, name, diag))
                return -1;
        snprintf(path, sizeof(path), "%s.c", name);
        file = fopen(path, "wx");
        if (!file)
                return pxr_file_error(path, "cannot be written", errno, diag);
        failed = fprintf(file, template, name) < 0;
        failed |= fclose(file) != 0;
        if (failed) {
                pxr_system_error(diag, "%s: cannot be written: %s", path, strerror(errno));
                remove(path);
                return -1;
        }
        say(stdout, "%s is written; its head says how to build and check it\n", path);
        return 0;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   struct pxr_diag *diag)
{
        const char *first = arguments->word[0] ? arguments->word[0] : "list";
        const char *second = arguments->word[1];
        const struct pxr_plugin_file *file;
        struct pxr_plugins *plugins;

        if (strcmp(first, "new") == 0) {
                if (second)
                        return write_new(arena, second, diag) ? pxr_diag_status(diag) : 0;
                pxr_user_error(diag, "new wants the name of the layer: pxr-layers new NAME");
                return 2;
        }
        if (strcmp(first, "check") == 0)
                return check(arena, second, arguments->seconds, diag);
        plugins = pxr_plugins_open(arena, diag);
        if (!plugins)
                return pxr_diag_status(diag);
        if (second) {
                pxr_user_error(diag, "'%s' is not expected after '%s'", second, first);
                return 2;
        }
        if (strcmp(first, "list") == 0)
                return list(plugins);
        file = pxr_plugin_named(plugins, first, diag);
        return file ? describe(arena, file, diag) : pxr_diag_status(diag);
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .seconds = USUAL_SECONDS };
        struct program program;

        program_begin(&program, "pxr-layers", argc, argv);
        program_parse(&program, &argp, argc, argv, &arguments);
        return program_end(&program, execute(program.arena, &arguments, program.diag));
}
