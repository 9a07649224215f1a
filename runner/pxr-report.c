/* SPDX-License-Identifier: MIT */
/*
 * pxr-report.c - the command that makes tables of what is in a run database.
 *
 * Arguments and printing; what it tells is in lib/report.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/file.h"
#include "experiment/recorded.h"
#include "report/report.h"
#include "runner/common.h"
#include "runner/program.h"

const char *argp_program_version = "pxr-report " PXR_VERSION;

struct arguments {
        const char **word;
        size_t words;
        const char *database, *paper, *where, *part, *out;
        int64_t limit;
        int format;
        bool force, formatted; /* --format was given */
};

enum {
        OPTION_DB = 256,
        OPTION_FORMAT,
        OPTION_WHERE,
        OPTION_LIMIT,
        OPTION_PART,
        OPTION_PAPER,
        OPTION_OUT
};

static const struct argp_option options[] = {
        { "db", OPTION_DB, "FILE", 0, "the run database (default: pxr.db)", 0 },
        { "format", OPTION_FORMAT, "FORMAT", 0,
          "text (the default), md, csv, latex (a document that compiles as it is) or json", 0 },
        { "where", OPTION_WHERE, "CONDITION", 0,
          "runs, html: only those for which this SQL expression on the columns of run_summary is "
          "true",
          0 },
        { "limit", OPTION_LIMIT, "N", 0, "runs, html: only the newest N", 0 },
        { "part", OPTION_PART, "NAME", 0,
          "show, compare: one table of them: facts, results, curve, spec, ...", 0 },
        { "paper", OPTION_PAPER, "FILE", 0,
          "the paper's tables as data (default: the file that came with pxr)", 0 },
        { "out", OPTION_OUT, "FILE", 0,
          "html: the page (default: report.html; - is the standard output)", 0 },
        { "force", 'f', NULL, 0, "html: overwrite it", 0 },
        { 0 },
};

static int format_named(const char *text, struct argp_state *state)
{
        for (int i = 0; pxr_format_names[i]; i++)
                if (strcmp(pxr_format_names[i], text) == 0)
                        return i;
        argp_error(state, "--format wants text, md, csv, latex or json, not '%s'", text);
        return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;
        char *end;

        switch (key) {
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_FORMAT:
                arguments->format = format_named(text, state);
                arguments->formatted = true;
                return 0;
        case OPTION_WHERE:
                arguments->where = text;
                return 0;
        case OPTION_LIMIT:
                arguments->limit = strtoll(text, &end, 10);
                if (*end || end == text || arguments->limit < 1)
                        argp_error(state, "--limit wants a number from 1 on, not '%s'", text);
                return 0;
        case OPTION_PART:
                arguments->part = text;
                return 0;
        case OPTION_PAPER:
                arguments->paper = text;
                return 0;
        case OPTION_OUT:
                arguments->out = text;
                return 0;
        case 'f':
                arguments->force = true;
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
        .args_doc = "table2|table3|table4|table5|table6\n"
                    "runs\n"
                    "show RUN\n"
                    "compare RUN RUN...\n"
                    "doctor [RUN]\n"
                    "html",
        .doc = "Tables of the paper with our runs beside them; the list of runs; one run; what "
               "differs between runs; known signs of a broken experiment; all of it as one HTML "
               "page, with curves and samples. The database is only read."
               "\v"
               "RUN is a run's number, its name (the newest of that name), or 'last'.\n\n"
               "  pxr-report table4\n"
               "  pxr-report runs --where \"model = 'row' and nll < 82\"\n"
               "  pxr-report compare 3 7\n"
               "  pxr-report show last --part curve --format csv\n"
               "  pxr-report table5 --format latex > table5.tex\n"
               "  pxr-report html --where \"data_set = 'cifar10'\" --out cifar.html\n\n"
               "A row of the paper has the run that says it reproduces it, if its data are those "
               "of the row (by hash), its NLL is not conditional and not suspect, and its model "
               "is not a smaller one; else the cell is empty. Text for people is rounded; csv and "
               "json have all digits and all columns. As csv, show and compare give the learning "
               "curve unless --part says otherwise.\n\n"
               "The page is one file that needs no other and no network. Without --limit it lists "
               "the newest 1000 runs, and shows the newest 20 in detail.\n\n"
               "Exit status: 0 done, 1 the system failed, 2 a mistake in arguments or database.",
};

/* --- doing it ----------------------------------------------------------------------------------
 */

struct work {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct arguments *arguments;
        struct pxr_diag *diag;
};

static struct pxr_table *paper_table(const struct work *work)
{
        const struct pxr_paper *paper =
                pxr_paper_open(work->arena, work->arguments->paper, work->diag);
        const struct pxr_paper_table *table = NULL;

        if (paper)
                table = pxr_paper_find(paper, atoi(work->arguments->word[0] + strlen("table")),
                                       work->diag);
        return table ? pxr_report_paper_table(work->arena, work->store, table, work->diag) : NULL;
}

static struct pxr_table *runs(const struct work *work)
{
        bool machine = work->arguments->format == PXR_FORMAT_CSV ||
                       work->arguments->format == PXR_FORMAT_JSON;
        const struct pxr_runs_wanted wanted = { work->arguments->where, work->arguments->limit,
                                                machine };

        return pxr_report_runs(work->arena, work->store, &wanted, work->diag);
}

/* CSV is one table, and a curve is what is plotted. */
static const char *part_of(const struct arguments *arguments)
{
        return arguments->part                       ? arguments->part
               : arguments->format == PXR_FORMAT_CSV ? "curve"
                                                     : NULL;
}

static bool all_steps(const struct arguments *arguments)
{
        return arguments->format == PXR_FORMAT_CSV || arguments->format == PXR_FORMAT_JSON;
}

static struct pxr_table *show(const struct work *work)
{
        const struct arguments *arguments = work->arguments;

        return pxr_report_show(work->arena, work->store, arguments->word[1], part_of(arguments),
                               all_steps(arguments), work->diag);
}

static struct pxr_table *compare(const struct work *work)
{
        const struct arguments *arguments = work->arguments;

        return pxr_report_compare(work->arena, work->store, arguments->word + 1,
                                  arguments->words - 1, part_of(arguments), all_steps(arguments),
                                  work->diag);
}

static struct pxr_table *doctor(const struct work *work)
{
        const struct arguments *arguments = work->arguments;
        const struct pxr_paper *paper = pxr_paper_open(work->arena, arguments->paper, work->diag);

        return paper ? pxr_report_doctor(work->arena, work->store, paper,
                                         arguments->words > 1 ? arguments->word[1] : NULL,
                                         work->diag)
                     : NULL;
}

/* --- the page ----------------------------------------------------------------------------------
 */

static int write_page(const struct work *work, const char *out, const char *page, size_t size)
{
        if (strcmp(out, "-") == 0) {
                fwrite(page, 1, size, stdout); /* seen to at the end */
                return 0;
        }
        if (pxr_file_write(out, work->arguments->force, page, size, work->diag))
                return -1;
        printf("%s: %.1f MB\n", out, (double)size * 1e-6);
        return 0;
}

static int may_write(const struct work *work, const char *out)
{
        bool force = work->arguments->force;

        if (strcmp(out, "-") == 0 || pxr_file_may_write(out, force, work->diag) == 0)
                return 0;
        if (!force && access(out, F_OK) == 0)
                pxr_note(work->diag, "--force overwrites it; --out FILE writes another");
        return -1;
}

static int html(const struct work *work)
{
        const struct arguments *a = work->arguments;
        const char *out = a->out ? a->out : "report.html";
        const struct pxr_page_wanted wanted = { a->database, a->where, a->limit };
        const struct pxr_paper *paper = pxr_paper_open(work->arena, a->paper, work->diag);
        char *page;
        size_t size;
        int status;

        if (!paper || may_write(work, out))
                return -1;
        page = pxr_report_page(work->arena, work->store, paper, &wanted, &size, work->diag);
        status = page ? write_page(work, out, page, size) : -1;
        free(page);
        return status;
}

/* --- the commands ------------------------------------------------------------------------------
 */

static const struct command {
        const char *name;
        size_t least, most;                                 /* words, its own included */
        struct pxr_table *(*make)(const struct work *work); /* NULL: it is the page */
        const char *wants;
        bool has_where, has_part;
} commands[] = {
        { "table2", 1, 1, paper_table, "", false, false },
        { "table3", 1, 1, paper_table, "", false, false },
        { "table4", 1, 1, paper_table, "", false, false },
        { "table5", 1, 1, paper_table, "", false, false },
        { "table6", 1, 1, paper_table, "", false, false },
        { "runs", 1, 1, runs, "", true, false },
        { "show", 2, 2, show, "a run: its number, its name, or 'last'", false, true },
        { "compare", 3, SIZE_MAX, compare, "two runs or more", false, true },
        { "doctor", 1, 2, doctor, "", false, false },
        { "html", 1, 1, NULL, "", true, false },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* The command that is named, with as many words as it takes and no option it has no use for; NULL
 * after an error. */
static const struct command *find_command(const struct arguments *arguments, struct pxr_diag *diag)
{
        const char *names[COMMANDS], *nearest;
        const struct command *command = NULL;

        for (int i = 0; i < COMMANDS; i++) {
                names[i] = commands[i].name;
                if (strcmp(names[i], arguments->word[0]) == 0)
                        command = &commands[i];
        }
        if (!command) {
                pxr_user_error(diag, "there is no report '%s'", arguments->word[0]);
                nearest = pxr_nearest(arguments->word[0], names, COMMANDS);
                if (nearest)
                        pxr_hint(diag, "did you mean '%s'?", nearest);
                return NULL;
        }
        if (arguments->words < command->least)
                pxr_user_error(diag, "%s wants %s", command->name, command->wants);
        else if (arguments->words > command->most)
                pxr_user_error(diag, "%s: '%s' is one word too many", command->name,
                               arguments->word[command->most]);
        else if ((arguments->where || arguments->limit) && !command->has_where)
                pxr_user_error(diag, "--where and --limit are for 'runs' and 'html', not for '%s'",
                               command->name);
        else if (arguments->part && !command->has_part)
                pxr_user_error(diag, "--part is for 'show' and 'compare', not for '%s'",
                               command->name);
        else if ((arguments->out || arguments->force) && command->make)
                pxr_user_error(diag, "--out and --force are for 'html', not for '%s'",
                               command->name);
        else if (arguments->formatted && !command->make)
                pxr_user_error(diag, "--format is for tables, not for '%s'", command->name);
        else
                return command;
        return NULL;
}

static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   struct pxr_diag *diag)
{
        struct work work = { arena, NULL, arguments, diag };
        const struct command *command = find_command(arguments, diag);
        const struct pxr_table *table = NULL;

        if (!command)
                return pxr_diag_status(diag);
        work.store = pxr_recorded_store(arena, arguments->database, diag);
        if (work.store && !command->make)
                return html(&work) ? pxr_diag_status(diag) : 0;
        if (work.store)
                table = command->make(&work);
        if (!table || pxr_tables_write(table, arguments->format, stdout, diag))
                return pxr_diag_status(diag);
        return 0;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db" };
        struct program program;
        int status;

        program_begin(&program, "pxr-report", argc);
        arguments.word = program.words;
        argp_parse(&argp, argc, argv, 0, NULL, &arguments);
        status = execute(program.arena, &arguments, program.diag);
        return program_end(&program, status);
}
