/* SPDX-License-Identifier: MIT */
/*
 * describe.c - man pages and tables for completion, made from the tables of a command.
 *
 * The Makefile has each command write them when it is built, so they follow from what --help
 * follows from.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <pxr/version.h>

#include "base/file.h"
#include "runner/command.h"

/* A file that is being made, and what of. */
struct description {
        FILE *to;
        struct pxr_arena *arena;
        const struct command_verb *verb; /* NULL: the whole command */
};

/* --- roff --------------------------------------------------------------------------------------
 */

/* One character of a text: none of roff's own, and hyphens that can be copied as such. */
static void put_character(FILE *to, char c)
{
        if (c == '\\')
                fputs("\\e", to);
        else if (c == '-')
                fputs("\\-", to);
        else
                putc(c, to);
}

/* Whether an option such as "--out" or "-q" begins at `at`. */
static bool option_begins(const char *text, const char *at)
{
        bool apart = at == text || strchr(" \n('[|\"", at[-1]);

        return apart && *at == '-' && (isalpha((unsigned char)at[1]) || strncmp(at, "--", 2) == 0);
}

/* Whether a placeholder such as "FILE" begins at `at`. */
static bool placeholder_begins(const char *text, const char *at)
{
        return isupper((unsigned char)*at) && (at == text || !isalnum((unsigned char)at[-1]));
}

/* A text with its options in bold and, in a synopsis, its placeholders in italics. */
static void put_text(FILE *to, const char *text, size_t length, bool synopsis)
{
        size_t end = 0; /* of the word that is set apart */

        for (size_t i = 0; i < length; i++) {
                const char *at = text + i;

                if (i >= end && option_begins(text, at)) {
                        fputs("\\fB", to);
                        end = i + strspn(at, "-abcdefghijklmnopqrstuvwxyz?0123456789");
                } else if (i >= end && synopsis && placeholder_begins(text, at)) {
                        fputs("\\fI", to);
                        end = i + strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
                }
                if ((i == 0 || at[-1] == '\n') && strchr(".'", *at))
                        fputs("\\&", to);
                put_character(to, *at);
                if (i + 1 == end)
                        fputs("\\fR", to);
        }
}

static void put_line(FILE *to, const char *text)
{
        put_text(to, text, strlen(text), false);
        putc('\n', to);
}

/* A help text as a sentence. */
static void put_sentence(FILE *to, const char *text)
{
        size_t length = strlen(text);

        putc(toupper((unsigned char)*text), to);
        put_text(to, text + 1, length - 1, false);
        fputs(length && text[length - 1] == '.' ? "\n" : ".\n", to);
}

/* --- man pages ---------------------------------------------------------------------------------
 */

/* "pxr-run", "pxr-report-show": the name of a page. */
static const char *page_of(struct pxr_arena *arena, const struct command_verb *verb)
{
        return verb ? pxr_strf(arena, "%s-%s", command.name, verb->name) : command.name;
}

/* The first sentence of the command's summary, as the help of a subcommand. */
static const char *short_summary(struct pxr_arena *arena)
{
        const char *end = strstr(command.summary, ". ");
        size_t length = end ? (size_t)(end - command.summary) : strlen(command.summary);
        char *text;

        length -= !end && length > 0 && command.summary[length - 1] == '.';
        text = pxr_strndup(arena, command.summary, length);
        if (text)
                *text = (char)tolower((unsigned char)*text);
        return text;
}

static void put_synopsis(const struct description *d)
{
        const char *usage = d->verb             ? d->verb->words
                            : command.usage     ? command.usage
                            : has_subcommands() ? "COMMAND [ARGUMENT...]"
                                                : command.verbs[0].words;

        for (size_t length; *usage; usage += length + (usage[length] == '\n')) {
                length = strcspn(usage, "\n");
                fputs("\\fB", d->to);
                put_text(d->to, command.name, strlen(command.name), false);
                fprintf(d->to, "%s%s\\fR %s", d->verb ? " " : "", d->verb ? d->verb->name : "",
                        command.front ? "" : "[\\fIOPTION\\fR...] ");
                put_text(d->to, usage, length, true);
                fputs("\n.br\n", d->to);
        }
        if (d->verb && !*d->verb->words)
                fprintf(d->to, "\\fB%s %s\\fR [\\fIOPTION\\fR...]\n", command.name, d->verb->name);
}

static void put_verbs(const struct description *d)
{
        const char *section = ".SH COMMANDS\n";

        for (const struct command_verb *verb = command.verbs; verb->help; verb++) {
                fputs(section, d->to);
                if (*section && !command.front)
                        fprintf(d->to, "Each has a page of its own, such as\n.BR %s (1).\n",
                                page_of(d->arena, verb->run ? verb : verb + 1));
                section = "";
                if (!verb->run) {
                        fprintf(d->to, ".SS %.*s\n", (int)strcspn(verb->help, ":"), verb->help);
                        continue;
                }
                fputs(".TP\n\\fB", d->to);
                put_text(d->to, verb->name ? verb->name : "", strlen(verb->name ? verb->name : ""),
                         false);
                fputs(verb->name && *verb->words ? "\\fR " : "\\fR", d->to);
                put_text(d->to, verb->words, strlen(verb->words), true);
                putc('\n', d->to);
                put_sentence(d->to, verb->help);
        }
}

static void put_option(const struct description *d, const struct command_option *option)
{
        const char *name = pxr_strf(d->arena, "--%s", option->name);

        fputs(".TP\n", d->to);
        if (option->letter)
                fprintf(d->to, "\\fB\\-%c\\fR, ", option->letter);
        put_text(d->to, name, strlen(name), false);
        fprintf(d->to, "%s%s%s\n", option->argument ? "=\\fI" : "",
                option->argument ? option->argument : "", option->argument ? "\\fR" : "");
        put_sentence(d->to, option_help(d->arena, option, d->verb ? d->verb : command.verbs));
        if (!d->verb && option->verbs)
                put_line(d->to, pxr_strf(d->arena, "Commands: %s%s.",
                                         *option->verbs == '!' ? "all except " : "",
                                         option->verbs + (*option->verbs == '!')));
}

static void put_options(const struct description *d)
{
        static const struct command_option common[] = {
                { .name = "help", .letter = '?', .help = "print a summary of the arguments" },
                { .name = "version", .letter = 'V', .help = "print the version" },
                { 0 },
        };

        fputs(".SH OPTIONS\n", d->to);
        for (const struct command_option *o = command.options; o->help; o++)
                if (!o->name)
                        fprintf(d->to, ".SS %.*s\n", (int)strcspn(o->help, ":"), o->help);
                else if (!o->hidden && (!d->verb || goes_with(o, d->verb)))
                        put_option(d, o);
        for (const struct command_option *o = common; o->help; o++)
                put_option(d, o);
}

/* Lines of an example, from the one at `line` on. Returns the line after them. */
static const char *put_example(FILE *to, const char *line)
{
        fputs(".PP\n.RS 4\n.EX\n", to);
        for (; strncmp(line, "  ", 2) == 0; line += *line == '\n') {
                for (line += 2; *line && *line != '\n'; line++)
                        put_character(to, *line);
                putc('\n', to);
        }
        fputs(".EE\n.RE\n", to);
        return line;
}

/* The text after the options: paragraphs, examples (lines that are set in), and sections of their
 * own at its end. */
static void put_explanation(const struct description *d)
{
        static const struct {
                const char *begin, *title;
        } sections[] = { { "Environment: ", "ENVIRONMENT" }, { "Exit status: ", "EXIT STATUS" } };
        const char *line = command.text;

        fputs(".SH NOTES\n", d->to);
        while (*line) {
                size_t length = strcspn(line, "\n");

                if (strncmp(line, "  ", 2) == 0) {
                        line = put_example(d->to, line);
                        continue;
                }
                for (size_t i = 0; i < PXR_COUNT(sections); i++)
                        if (strncmp(line, sections[i].begin, strlen(sections[i].begin)) == 0) {
                                fprintf(d->to, ".SH %s\n", sections[i].title);
                                line += strlen(sections[i].begin);
                                length -= strlen(sections[i].begin);
                        }
                if (length > 0)
                        put_text(d->to, line, length, false);
                fputs(length > 0 ? "\n" : ".PP\n", d->to);
                line += length + (line[length] == '\n');
        }
}

static void put_see_also(const struct description *d)
{
        fputs(".SH SEE ALSO\n", d->to);
        if (!command.front) {
                fprintf(d->to, ".BR pxr (1)%s\n", d->verb ? "," : "");
                if (d->verb)
                        fprintf(d->to, ".BR %s (1)\n", command.name);
                return;
        }
        for (const struct command_verb *verb = command.verbs; verb->help; verb++)
                if (verb->run && verb->name && strcmp(verb->name, "help") != 0)
                        fprintf(d->to, ".BR pxr\\-%s (1)%s\n", verb->name, verb[1].name ? "," : "");
}

static void write_page(const struct description *d)
{
        const char *page = page_of(d->arena, d->verb);

        fprintf(d->to, ".TH %s 1 \"\" \"pxr %s\" \"pxr\"\n", page, PXR_VERSION);
        fputs(".SH NAME\n", d->to);
        put_line(d->to, pxr_strf(d->arena, "%s - %s", page,
                                 d->verb ? d->verb->help : short_summary(d->arena)));
        fputs(".SH SYNOPSIS\n", d->to);
        put_synopsis(d);
        fputs(".SH DESCRIPTION\n", d->to);
        put_sentence(d->to, d->verb ? d->verb->help : command.summary);
        if (!d->verb && has_subcommands())
                put_verbs(d);
        put_options(d);
        if (!d->verb)
                put_explanation(d);
        put_see_also(d);
}

/* --- completion --------------------------------------------------------------------------------
 */

/* The options of a subcommand, those with an argument with a "=". */
static void put_option_names(const struct description *d)
{
        for (const struct command_option *o = command.options; o->help; o++)
                if (o->name && !o->hidden && (!d->verb || goes_with(o, d->verb)))
                        fprintf(d->to, "--%s%s ", o->name, o->argument ? "=" : "");
        fputs("--help --version'\n", d->to);
}

/* What completion.bash looks up. Keys are "COMMAND", "COMMAND SUBCOMMAND" and "COMMAND --OPTION";
 * values are in single quotes, which no name has. */
static void write_completion(const struct description *whole)
{
        struct description d = *whole;
        const char *name = command.name;

        fprintf(d.to, "_pxr_subcommands['%s']='", name);
        for (const struct command_verb *verb = command.verbs; verb->help; verb++)
                if (verb->run && verb->name)
                        fprintf(d.to, "%s ", verb->name);
        fprintf(d.to, "'\n_pxr_options['%s']='", name);
        put_option_names(&d);
        for (d.verb = command.verbs; d.verb->help; d.verb++) {
                if (!d.verb->run)
                        continue;
                fprintf(d.to, "_pxr_arguments['%s%s%s']='%s'\n", name, d.verb->name ? " " : "",
                        d.verb->name ? d.verb->name : "", d.verb->words);
                if (!d.verb->name)
                        continue;
                fprintf(d.to, "_pxr_options['%s %s']='", name, d.verb->name);
                put_option_names(&d);
        }
        for (const struct command_option *o = command.options; o->help; o++) {
                if (!o->name || !o->argument)
                        continue;
                fprintf(d.to, "_pxr_values['%s --%s']='%s", name, o->name,
                        o->choices ? "" : o->argument);
                for (size_t i = 0; o->choices && o->choices[i]; i++)
                        fprintf(d.to, "%s%s", i ? " " : "", o->choices[i]);
                fputs("'\n", d.to);
        }
}

/* --- files -------------------------------------------------------------------------------------
 */

static void write_row(const struct description *d)
{
        fprintf(d->to, "{ \"%s\", \"[ARGUMENT...]\", \"%s\", .run = run_command },\n",
                command.name + strlen("pxr-"), short_summary(d->arena));
}

static int write_file(const struct program *program, const char *folder, const char *ending,
                      const struct command_verb *verb, void (*write)(const struct description *))
{
        const char *path =
                pxr_strf(program->arena, "%s/%s%s", folder, page_of(program->arena, verb), ending);
        struct description d = { fopen(path, "we"), program->arena, verb };
        bool failed = !d.to;

        if (d.to) {
                write(&d);
                failed = ferror(d.to) | fclose(d.to);
        }
        return failed ? pxr_file_error(path, "write", errno, program->diag) : 0;
}

int describe_command(const struct program *program, const char *folder)
{
        int status = write_file(program, folder, ".1", NULL, write_page);

        for (const struct command_verb *verb = command.verbs; verb->help && !status; verb++)
                if (verb->run && verb->name && !command.front)
                        status = write_file(program, folder, ".1", verb, write_page);
        if (!status)
                status = write_file(program, folder, ".bash", NULL, write_completion);
        if (!status && !command.front)
                status = write_file(program, folder, ".row", NULL, write_row);
        return status;
}
