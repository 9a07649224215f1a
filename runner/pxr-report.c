/* SPDX-License-Identifier: MIT */
/*
 * pxr-report.c - the command that makes tables of what is in a run database, and looks after it.
 *
 * Arguments and printing; what it tells is in lib/report, what it changes in lib/manage.
 */
#include <argp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/file.h"
#include "experiment/recorded.h"
#include "manage/manage.h"
#include "report/report.h"
#include "report/report_file.h"
#include "runner/common.h"
#include "runner/program.h"

const char *argp_program_version = "pxr-report " PXR_VERSION;

struct arguments {
        const char **word;
        size_t words;
        const char *database, *paper, *where, *part, *out;
        int64_t limit, details; /* details -1: not given */
        int format;
        bool formatted; /* --format was given */
        unsigned given; /* the options below */
};

/* Options that only some commands take, as bits. */
enum takes {
        TAKES_LIST = 1, /* --where, --limit, --all, --archived */
        TAKES_PART = 2,
        TAKES_OUT = 4,
        TAKES_YES = 8,
        TAKES_FORCE = 16,
        TAKES_OLD = 32,
        TAKES_MISSING = 64,
        TAKES_DETAILS = 128,
        /* ... and what is told apart within --all and --archived */
        GIVEN_ALL = 1024,
        GIVEN_ARCHIVED = 2048,
};

static const struct {
        unsigned bit;
        const char *text;
} takers[] = {
        { TAKES_LIST, "--where and --limit are for 'runs' and 'html'" },
        { TAKES_PART, "--part is for 'show', 'compare' and 'sweep'" },
        { TAKES_OUT, "--out is for 'export' and 'html'" },
        { TAKES_YES, "--yes is for 'archive', 'delete' and 'gc'" },
        { TAKES_FORCE, "--force is for 'delete' and 'html'" },
        { TAKES_OLD, "--old is for 'gc'" },
        { TAKES_MISSING, "--forget-missing is for 'gc'" },
        { TAKES_DETAILS, "--details is for 'html'" },
};

enum {
        OPTION_DB = 256,
        OPTION_FORMAT,
        OPTION_WHERE,
        OPTION_LIMIT,
        OPTION_PART,
        OPTION_PAPER,
        OPTION_ALL,
        OPTION_ARCHIVED,
        OPTION_OUT,
        OPTION_OLD,
        OPTION_MISSING,
        OPTION_DETAILS
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
        { "details", OPTION_DETAILS, "N", 0,
          "html: curves, pictures, spec and provenance of the newest N of those listed (default: "
          "20)",
          0 },
        { "all", OPTION_ALL, NULL, 0, "runs: archived ones too", 0 },
        { "archived", OPTION_ARCHIVED, NULL, 0, "runs: archived ones alone", 0 },
        { "part", OPTION_PART, "NAME", 0,
          "one table alone: of show facts, results, chain, curve, layers, files, plugins, "
          "checkpoints, samples, events, spec, difference (what git had not committed); of compare "
          "spec, results, circumstances, curve; of "
          "sweep jobs, best, effects",
          0 },
        { "paper", OPTION_PAPER, "FILE", 0,
          "the paper's tables as data (default: the file that came with pxr)", 0 },
        { "out", OPTION_OUT, "PATH", 0,
          "export: a new folder, or a new file NAME.tar.gz; html: the page (default: report.html, "
          "of which an older one is replaced; "
          "- is "
          "the standard output)",
          0 },
        { "yes", 'y', NULL, 0, "archive, delete, gc: do it, without asking", 0 },
        { "force", 'f', NULL, 0,
          "delete: also runs at work, or that others refer to; html: overwrite the page", 0 },
        { "old", OPTION_OLD, NULL, 0,
          "gc: also checkpoints of finished runs that are neither the best nor the last", 0 },
        { "forget-missing", OPTION_MISSING, NULL, 0,
          "gc: take checkpoints off the record whose files are missing", 0 },
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

static int64_t number_from(int64_t least, const char *option, const char *text,
                           struct argp_state *state)
{
        char *end;
        int64_t number = strtoll(text, &end, 10);

        if (*end || end == text || number < least)
                argp_error(state, "%s wants a number from %d on, not '%s'", option, (int)least,
                           text);
        return number;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_FORMAT:
                arguments->format = format_named(text, state);
                arguments->formatted = true;
                return 0;
        case OPTION_WHERE:
                arguments->given |= TAKES_LIST;
                arguments->where = text;
                return 0;
        case OPTION_LIMIT:
                arguments->given |= TAKES_LIST;
                arguments->limit = number_from(1, "--limit", text, state);
                return 0;
        case OPTION_DETAILS:
                arguments->given |= TAKES_DETAILS;
                arguments->details = number_from(0, "--details", text, state);
                return 0;
        case OPTION_PART:
                arguments->given |= TAKES_PART;
                arguments->part = text;
                return 0;
        case OPTION_ALL:
                arguments->given |= TAKES_LIST | GIVEN_ALL;
                return 0;
        case OPTION_ARCHIVED:
                arguments->given |= TAKES_LIST | GIVEN_ARCHIVED;
                return 0;
        case OPTION_OUT:
                arguments->given |= TAKES_OUT;
                arguments->out = text;
                return 0;
        case 'y':
                arguments->given |= TAKES_YES;
                return 0;
        case 'f':
                arguments->given |= TAKES_FORCE;
                return 0;
        case OPTION_OLD:
                arguments->given |= TAKES_OLD;
                return 0;
        case OPTION_MISSING:
                arguments->given |= TAKES_MISSING;
                return 0;
        case OPTION_PAPER:
                arguments->paper = text;
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
                    "sweep [SWEEP]\n"
                    "doctor [RUN]\n"
                    "list\n"
                    "REPORT [ARGUMENT...]\n"
                    "html\n"
                    "tag [RUN [TAG...]]\n"
                    "untag RUN TAG...\n"
                    "note RUN [TEXT]\n"
                    "archive|unarchive RUN...\n"
                    "delete RUN...\n"
                    "merge DATABASE...\n"
                    "export RUN --out PATH\n"
                    "import PATH...\n"
                    "gc",
        .doc = "Tables of the paper with our runs beside them; the list of runs; one run; what "
               "differs between runs; a sweep's jobs, its best and what each value does; known "
               "signs of a broken experiment; all of it as one HTML page. All of these only read "
               "the database. The commands from 'tag' on look after it: they mark runs, take them "
               "away, and bring them from one database to another."
               "\v"
               "RUN is a run's number, its name (the newest of that name), or 'last'. REPORT is a "
               "report that is a file NAME.sql, of those that came with pxr or in a folder of "
               "$PXR_REPORT_PATH: 'list' lists them.\n\n"
               "  pxr-report table4\n"
               "  pxr-report runs --where \"model = 'row' and nll < 82\"\n"
               "  pxr-report compare 3 7\n"
               "  pxr-report sweep quickstart_rates\n"
               "  pxr-report show last --part curve --format csv\n"
               "  pxr-report table5 --format latex > table5.tex\n"
               "  pxr-report html --where \"data_set = 'cifar10'\" --out cifar.html\n\n"
               "A row of the paper has the run that says it reproduces it, if its data are those "
               "of the row (by hash), its NLL is not conditional and not suspect, and its model "
               "is not a smaller one; else the cell is empty. Text for people is rounded; csv and "
               "json have all digits and all columns. As csv, show and compare give the learning "
               "curve, and sweep its jobs, unless --part says otherwise.\n\n"
               "  pxr-report tag 3 baseline                            (untag takes it away)\n"
               "  pxr-report runs --where \"has_tag(tags, 'baseline')\"\n"
               "  pxr-report note 3 \"diverged at epoch 12\"              (\"\" takes it away)\n"
               "  pxr-report archive 4 5\n"
               "  pxr-report delete 4 5\n"
               "  pxr-report merge node1.db node2.db --db all.db\n"
               "  pxr-report export last --out run.tar.gz\n"
               "  pxr-report import run.tar.gz --db other.db\n"
               "  pxr-report gc --yes\n\n"
               "An archived run is neither listed nor counted: not in a table, not by the doctor, "
               "not "
               "in best_run and chain_nll, nor as the best of a sweep. Nothing of it is lost, and "
               "what names it still shows it. "
               "'archive' and 'delete' tell what will be taken away and ask; where they cannot "
               "ask, they want --yes. 'merge' puts the runs of other databases into --db, with "
               "their checkpoints; "
               "a run that is there already is not taken again, unless it has got further. 'gc' "
               "lists files that no run needs, and removes them with --yes.\n\n"
               "A condition is on the columns of the view run_summary: run, name, status, model, "
               "data_set, nll, epochs, sweep, job, tags and more; those of a wrong one are listed. "
               "status is running, finished, interrupted, failed, or killed: on record as "
               "running, by a process of this host that is no more. Of other hosts' runs only the "
               "record is known.\n\n"
               "The page is one file that needs no other and no network. It lists all runs, or "
               "those that --where and --limit choose, and shows the newest 20 of them, or "
               "--details N, in detail.\n\n"
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
        unsigned given = work->arguments->given;
        const struct pxr_runs_wanted wanted = {
                .where = work->arguments->where,
                .limit = work->arguments->limit,
                .all = machine,
                .archived = given & GIVEN_ARCHIVED ? PXR_ARCHIVED_ALONE
                            : given & GIVEN_ALL    ? PXR_ARCHIVED_TOO
                                                   : PXR_NOT_ARCHIVED,
        };

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

/* A report that is a file, with the arguments from the word `first` on. */
static struct pxr_table *file_table(const struct work *work, const char *name, size_t first)
{
        const struct arguments *arguments = work->arguments;
        const struct pxr_report_file *file =
                pxr_report_file_find(work->arena, "", name, NULL, work->diag);
        const struct pxr_report_call call = {
                .argument = arguments->word + first,
                .arguments = first ? arguments->words - first : 0,
                .where = arguments->where,
                .limit = arguments->limit,
                .programs = true,
        };

        return file ? pxr_report_file_table(work->arena, work->store, file, &call, work->diag)
                    : NULL;
}

static struct pxr_table *file_report(const struct work *work)
{
        return file_table(work, work->arguments->word[0], 1);
}

static struct pxr_table *list(const struct work *work)
{
        return pxr_report_list(work->arena, work->diag);
}

static struct pxr_table *sweep(const struct work *work)
{
        const struct arguments *arguments = work->arguments;

        if (arguments->words < 2)
                return file_table(work, "sweeps", 0);
        return pxr_report_sweep(work->arena, work->store, arguments->word[1], arguments->part,
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

/* --- looking after the record ------------------------------------------------------------------
 */

/* The words after the first `skipped`. */
static struct pxr_arguments words_after(const struct arguments *arguments, size_t skipped)
{
        return (struct pxr_arguments) { arguments->word + skipped, arguments->words - skipped };
}

static struct pxr_table *tag(const struct work *work)
{
        const struct arguments *arguments = work->arguments;
        struct pxr_arguments tags;

        if (arguments->words == 1)
                return pxr_list_tags(work->arena, work->store, work->diag);
        tags = words_after(arguments, 2);
        return pxr_tag_run(work->arena, work->store, arguments->word[1], &tags,
                           strcmp(arguments->word[0], "untag") == 0, work->diag);
}

static struct pxr_table *note(const struct work *work)
{
        const struct arguments *arguments = work->arguments;

        return pxr_note_run(work->arena, work->store, arguments->word[1],
                            arguments->words > 2 ? arguments->word[2] : NULL, work->diag);
}

static struct pxr_table *archive(const struct work *work)
{
        struct pxr_arguments runs = words_after(work->arguments, 1);

        return pxr_archive_runs(work->arena, work->store, &runs,
                                work->arguments->given & TAKES_YES ? PXR_ARCHIVE : PXR_ARCHIVE_LIST,
                                work->diag);
}

static struct pxr_table *unarchive(const struct work *work)
{
        struct pxr_arguments runs = words_after(work->arguments, 1);

        return pxr_archive_runs(work->arena, work->store, &runs, PXR_UNARCHIVE, work->diag);
}

static struct pxr_table *delete (const struct work *work)
{
        struct pxr_arguments runs = words_after(work->arguments, 1);
        unsigned given = work->arguments->given;

        return pxr_delete_runs(work->arena, work->store, &runs, given & TAKES_FORCE,
                               given & TAKES_YES, work->diag);
}

static struct pxr_table *merge(const struct work *work)
{
        struct pxr_arguments from = words_after(work->arguments, 1);

        return pxr_merge(work->arena, work->arguments->database, &from, work->diag);
}

static struct pxr_table *export(const struct work *work)
{
        const struct arguments *arguments = work->arguments;

        if (arguments->out && *arguments->out)
                return pxr_export(work->arena, work->store, arguments->word[1], arguments->out,
                                  work->diag);
        pxr_user_error(work->diag, "export wants --out: a folder, or a file NAME.tar.gz");
        return NULL;
}

static struct pxr_table *import(const struct work *work)
{
        struct pxr_arguments from = words_after(work->arguments, 1);

        return pxr_import(work->arena, work->arguments->database, &from, work->diag);
}

static struct pxr_table *gc(const struct work *work)
{
        unsigned given = work->arguments->given;
        const struct pxr_gc_options options = { .old = given & TAKES_OLD,
                                                .missing = given & TAKES_MISSING,
                                                .carry_out = given & TAKES_YES };

        return pxr_gc(work->arena, work->store, &options, work->diag);
}

/* --- the page ----------------------------------------------------------------------------------
 */

static int write_page(const struct work *work, const char *out, bool replaces, bool older,
                      const char *page, size_t size)
{
        if (strcmp(out, "-") == 0) {
                fwrite(page, 1, size, stdout); /* seen to at the end */
                return 0;
        }
        if (pxr_file_write(out, replaces, page, size, work->diag))
                return -1;
        say(stdout, "%s: %.1f MB%s\n", out, (double)size * 1e-6,
            older ? ", in place of an older page" : "");
        return 0;
}

/* Is there a page that pxr wrote? All of it can be made again, so that a new one may replace it. */
static bool is_page(const char *path)
{
        char head[4096];
        struct stat status;
        FILE *file = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "re") : NULL;
        size_t size = file ? fread(head, 1, sizeof(head) - 1, file) : 0;

        head[size] = '\0';
        if (file)
                fclose(file);
        return strstr(head, "<meta name=\"generator\" content=\"pxr ");
}

static int may_write(const struct work *work, const char *out, bool force)
{
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
        const struct pxr_page_wanted wanted = { a->database, a->where, a->limit, a->details };
        const struct pxr_paper *paper = pxr_paper_open(work->arena, a->paper, work->diag);
        char *page;
        bool older = is_page(out), replaces = older || a->given & TAKES_FORCE;
        size_t size;
        int status;

        if (!paper || may_write(work, out, replaces))
                return -1;
        page = pxr_report_page(work->arena, work->store, paper, &wanted, &size, work->diag);
        status = page ? write_page(work, out, replaces, older, page, size) : -1;
        free(page);
        return status;
}

/* --- which -------------------------------------------------------------------------------------
 */

/* How a command has the database opened. */
enum access {
        READS,
        CHANGES,
        CHANGES_IF_TOLD, /* --yes; else it reads */
        CHANGES_FROM_3,  /* with three words or more; else it reads */
        OPENS_ITSELF,
};

static const struct command {
        const char *name;
        size_t least, most;                                 /* words, its own included */
        struct pxr_table *(*make)(const struct work *work); /* NULL: it is the page */
        const char *wants;
        unsigned takes;
        enum access access;
} commands[] = {
        { "table2", 1, 1, paper_table, "", 0, READS },
        { "table3", 1, 1, paper_table, "", 0, READS },
        { "table4", 1, 1, paper_table, "", 0, READS },
        { "table5", 1, 1, paper_table, "", 0, READS },
        { "table6", 1, 1, paper_table, "", 0, READS },
        { "runs", 1, 1, runs, "", TAKES_LIST, READS },
        { "show", 2, 2, show, "a run: its number, its name, or 'last'", TAKES_PART, READS },
        { "compare", 3, SIZE_MAX, compare, "two runs or more", TAKES_PART, READS },
        { "sweep", 1, 2, sweep, "", TAKES_PART, READS },
        { "doctor", 1, 2, doctor, "", 0, READS },
        { "list", 1, 1, list, "", 0, OPENS_ITSELF },
        { "html", 1, 1, NULL, "", TAKES_LIST | TAKES_DETAILS | TAKES_OUT | TAKES_FORCE, READS },
        { "tag", 1, SIZE_MAX, tag, "", 0, CHANGES_FROM_3 },
        { "untag", 3, SIZE_MAX, tag, "a run and tags of it", 0, CHANGES },
        { "note", 2, 3, note, "a run, and the text of its note", 0, CHANGES_FROM_3 },
        { "archive", 2, SIZE_MAX, archive, "one run or more", TAKES_YES, CHANGES_IF_TOLD },
        { "unarchive", 2, SIZE_MAX, unarchive, "one run or more", 0, CHANGES },
        { "delete", 2, SIZE_MAX, delete, "one run or more", TAKES_YES | TAKES_FORCE,
          CHANGES_IF_TOLD },
        { "merge", 2, SIZE_MAX, merge, "the databases to put into --db", 0, OPENS_ITSELF },
        { "export", 2, 2, export, "a run: its number, its name, or 'last'", TAKES_OUT, READS },
        { "import", 2, SIZE_MAX, import, "what 'export' wrote: folders or archives", 0,
          OPENS_ITSELF },
        { "gc", 1, 1, gc, "", TAKES_YES | TAKES_OLD | TAKES_MISSING, CHANGES_IF_TOLD },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* No option that the command has no use for. */
static int check_options(const struct arguments *arguments, const struct command *command,
                         struct pxr_diag *diag)
{
        for (size_t i = 0; i < PXR_COUNT(takers); i++)
                if (arguments->given & takers[i].bit & ~command->takes)
                        return pxr_user_error(diag, "%s, not for '%s'", takers[i].text,
                                              command->name);
        return 0;
}

/* The command that is named, or that of a report's file, with as many words as it takes and no
 * option it has no use for; NULL after an error. */
static const struct command *find_command(struct pxr_arena *arena,
                                          const struct arguments *arguments, struct pxr_diag *diag)
{
        static const struct command of_file = {
                "a report of a file", 1, SIZE_MAX, file_report, "", TAKES_LIST, READS
        };
        const char *names[COMMANDS + 1] = { NULL };
        const struct command *command = NULL;

        for (int i = 0; i < COMMANDS; i++) {
                names[i] = commands[i].name;
                if (strcmp(names[i], arguments->word[0]) == 0)
                        command = &commands[i];
        }
        if (!command && !pxr_report_file_find(arena, "", arguments->word[0], names, diag))
                return NULL;
        if (!command)
                command = &of_file;
        if (arguments->words < command->least)
                pxr_user_error(diag, "%s wants %s", command->name, command->wants);
        else if (arguments->words > command->most)
                pxr_user_error(diag, "%s: '%s' is one word too many", command->name,
                               arguments->word[command->most]);
        else if (arguments->formatted && !command->make)
                pxr_user_error(diag, "--format is for tables, not for '%s'", command->name);
        else if (arguments->given & (GIVEN_ALL | GIVEN_ARCHIVED) && command->make != runs)
                pxr_user_error(diag, "--all and --archived are for 'runs', not for '%s'",
                               command->name);
        else if (check_options(arguments, command, diag) == 0)
                return command;
        return NULL;
}

static void close_store(void *store)
{
        pxr_store_close(store);
}

/* The database, as the command wants it. */
static struct pxr_store *open_store(const struct work *work, const struct command *command)
{
        const struct arguments *arguments = work->arguments;
        bool changes = command->access == CHANGES ||
                       (command->access == CHANGES_IF_TOLD && arguments->given & TAKES_YES) ||
                       (command->access == CHANGES_FROM_3 && arguments->words >= 3);
        struct pxr_store *store;

        if (!changes)
                return pxr_recorded_store(work->arena, arguments->database, work->diag);
        store = pxr_store_change(arguments->database, work->diag);
        if (store && pxr_arena_defer(work->arena, close_store, store)) {
                pxr_out_of_memory(work->diag);
                return NULL;
        }
        return store;
}

/* Columns of the terminal that is written to; 0 where it is none, and lines may be as long as they
 * come. */
static int line_width(void)
{
        struct winsize size;

        return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                     : 0;
}

/* Run the command and print what it gives. Returns 0 or -1. */
static int carry_out(struct work *work, const struct command *command)
{
        const struct pxr_table *table = NULL;

        if (command->access != OPENS_ITSELF)
                work->store = open_store(work, command);
        if (work->store && !command->make)
                return html(work);
        if (work->store || command->access == OPENS_ITSELF)
                table = command->make(work);
        return table ? pxr_tables_write(table, work->arguments->format, stdout, line_width(),
                                        work->diag)
                     : -1;
}

/* What a command asks after the table of what it would do. */
struct question {
        struct pxr_table *(*of)(const struct work *work);
        const char *text, *done;
};

/* NULL: it does not ask. */
static const struct question *find_question(const struct command *command)
{
        static const struct question questions[] = {
                { archive, "Archive them?", "archived" },
                { delete, "Delete them for good?", "deleted" },
        };

        for (size_t i = 0; i < PXR_COUNT(questions); i++)
                if (questions[i].of == command->make)
                        return &questions[i];
        return NULL;
}

/* Is it to be done? On a terminal the user says so. */
static int confirm(const struct work *work, const struct question *question)
{
        char answer[16] = "";

        fflush(stdout);
        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return pxr_user_error(work->diag, "nothing was %s: --yes is wanted for that",
                                      question->done);
        say(stderr, "%s [y/N] ", question->text);
        if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
                return 0;
        say(stderr, "Nothing was %s.\n", question->done);
        return 1;
}

static int execute(struct pxr_arena *arena, struct arguments *arguments, struct pxr_diag *diag)
{
        struct work work = { arena, NULL, arguments, diag };
        const struct command *command = find_command(arena, arguments, diag);
        const struct question *question;
        int status;

        if (!command || carry_out(&work, command))
                return pxr_diag_status(diag);
        question = find_question(command);
        if (!question || arguments->given & TAKES_YES)
                return 0;
        status = confirm(&work, question);
        if (status)
                return status < 0 ? pxr_diag_status(diag) : 0;
        arguments->given |= TAKES_YES;
        return carry_out(&work, command) ? pxr_diag_status(diag) : 0;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db", .details = -1 };
        struct program program;
        int status;

        program_begin(&program, "pxr-report", argc, argv);
        arguments.word = program.words;
        program_parse(&program, &argp, argc, argv, &arguments);
        status = execute(program.arena, &arguments, program.diag);
        return program_end(&program, status);
}
