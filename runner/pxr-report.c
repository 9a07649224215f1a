/* SPDX-License-Identifier: MIT */
/*
 * pxr-report.c - the command that reports on the runs in a database, and manages them.
 *
 * Arguments and printing; the reports are in lib/report, the changes in lib/manage.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "experiment/recorded.h"
#include "manage/manage.h"
#include "report/report.h"
#include "report/report_file.h"
#include "report/serve.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "runner/watch.h"

static struct arguments {
        const char *db, *paper, *where, *sort, *part, *out, *bind;
        int64_t limit, details;
        int format, port;
        double interval;
        bool all, archived, yes, force, old, missing, no_checkpoints, anonymous;
} args;

/* How a subcommand opens the database. */
enum access {
        READS,
        CHANGES,
        CHANGES_IF_YES,     /* with --yes; else it reads */
        CHANGES_WITH_WORDS, /* with two words or more; else it reads */
        OPENS_ITSELF,
};

/* A subcommand that makes a table. One that asks first shows what it would do, as without --yes. */
struct maker {
        struct pxr_table *(*make)(const struct program *p, struct pxr_store *store);
        enum access access;
        const char *question, *done; /* NULL: it does not ask */
};

/* Refuse a user's report that has the name of this subcommand; where reports are found by name or
 * listed, of any. */
static int check_own_reports(const struct program *p)
{
        const char *names[MOST_NAMES] = { p->verb->name };

        if (!p->verb->name || strcmp(p->verb->name, "list") == 0)
                command_names(names);
        return pxr_report_refuse(p->arena, names, p->diag);
}

/* --- reports -----------------------------------------------------------------------------------
 */

static struct pxr_table *paper_table(const struct program *p, struct pxr_store *store)
{
        const struct pxr_paper *paper = pxr_paper_open(p->arena, args.paper, p->diag);

        return paper ? pxr_report_paper_table(p->arena, store, paper,
                                              atoi(p->verb->name + strlen("table")), p->diag)
                     : NULL;
}

/* CSV and JSON have all steps and all columns. */
static bool for_machines(void)
{
        return args.format == PXR_FORMAT_CSV || args.format == PXR_FORMAT_JSON;
}

static struct pxr_table *runs(const struct program *p, struct pxr_store *store)
{
        const struct pxr_runs_wanted wanted = {
                .where = args.where,
                .sort = args.sort,
                .limit = args.limit,
                .all = for_machines(),
                .archived = args.archived ? PXR_ARCHIVED_ALONE
                            : args.all    ? PXR_ARCHIVED_TOO
                                          : PXR_NOT_ARCHIVED,
        };

        return pxr_report_runs(p->arena, store, &wanted, p->diag);
}

/* CSV is one table: the curve, which is what is plotted. */
static const char *part(void)
{
        return !args.part && args.format == PXR_FORMAT_CSV ? "curve" : args.part;
}

static struct pxr_table *show(const struct program *p, struct pxr_store *store)
{
        return pxr_report_show(p->arena, store, p->words.text[0], part(), for_machines(), p->diag);
}

static struct pxr_table *compare(const struct program *p, struct pxr_store *store)
{
        return pxr_report_compare(p->arena, store, p->words.text, p->words.count, part(),
                                  for_machines(), p->diag);
}

/* Names of subcommands are suggested too. */
static const struct pxr_report_file *find_file(const struct program *p, const char *name)
{
        const char *names[MOST_NAMES];
        const struct pxr_report_file *file;

        command_names(names);
        file = pxr_report_file_find(p->arena, "", name, names, p->diag);
        if (!file)
                hint_help(p, name);
        return file;
}

/* A report in a file, with the words from `first` on as its arguments. */
static struct pxr_table *file_table(const struct program *p, struct pxr_store *store,
                                    const char *name, size_t first)
{
        const struct pxr_report_file *file = find_file(p, name);
        const struct pxr_report_call call = {
                .argument = p->words.text + first,
                .arguments = p->words.count - first,
                .where = args.where,
                .sort = args.sort,
                .limit = args.limit,
                .programs = true,
        };

        return file ? pxr_report_file_table(p->arena, store, file, &call, p->diag) : NULL;
}

static struct pxr_table *file_report(const struct program *p, struct pxr_store *store)
{
        return file_table(p, store, p->words.text[0], 1);
}

static struct pxr_table *list(const struct program *p, struct pxr_store *store)
{
        (void)store;
        return pxr_report_list(p->arena, p->diag);
}

static struct pxr_table *sweep(const struct program *p, struct pxr_store *store)
{
        return p->words.count
                       ? pxr_report_sweep(p->arena, store, p->words.text[0], args.part, p->diag)
                       : file_table(p, store, "sweeps", 0);
}

static struct pxr_table *doctor(const struct program *p, struct pxr_store *store)
{
        const struct pxr_paper *paper = pxr_paper_open(p->arena, args.paper, p->diag);

        return paper ? pxr_report_doctor(p->arena, store, paper, p->words.text[0], p->diag) : NULL;
}

/* --- management --------------------------------------------------------------------------------
 */

static struct pxr_table *tag(const struct program *p, struct pxr_store *store)
{
        struct pxr_arguments tags = { p->words.text + 1, p->words.count - 1 };

        if (!p->words.count)
                return pxr_list_tags(p->arena, store, p->diag);
        return pxr_tag_run(p->arena, store, p->words.text[0], &tags,
                           strcmp(p->verb->name, "untag") == 0, p->diag);
}

static struct pxr_table *note(const struct program *p, struct pxr_store *store)
{
        return pxr_note_run(p->arena, store, p->words.text[0], p->words.text[1], p->diag);
}

static struct pxr_table *archive(const struct program *p, struct pxr_store *store)
{
        return pxr_archive_runs(p->arena, store, &p->words,
                                strcmp(p->verb->name, "unarchive") == 0 ? PXR_UNARCHIVE
                                : args.yes                              ? PXR_ARCHIVE
                                                                        : PXR_ARCHIVE_LIST,
                                p->diag);
}

static struct pxr_table *delete (const struct program *p, struct pxr_store *store)
{
        return pxr_delete_runs(p->arena, store, &p->words, args.force, args.yes, p->diag);
}

static struct pxr_table *merge(const struct program *p, struct pxr_store *store)
{
        (void)store;
        return pxr_merge(p->arena, args.db, &p->words, NULL, p->diag);
}

static struct pxr_table *export(const struct program *p, struct pxr_store *store)
{
        const struct pxr_exporting how = { args.out, args.no_checkpoints, args.anonymous };

        return pxr_export(p->arena, store, p->words.text[0], how, p->diag);
}

static struct pxr_table *import(const struct program *p, struct pxr_store *store)
{
        (void)store;
        return pxr_import(p->arena, args.db, &p->words, p->diag);
}

static struct pxr_table *gc(const struct program *p, struct pxr_store *store)
{
        const struct pxr_gc_options options = { args.old, args.missing, .carry_out = args.yes };

        return pxr_gc(p->arena, store, &options, p->diag);
}

/* --- the page ----------------------------------------------------------------------------------
 */

/* Whether pxr wrote the page at `path`. */
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

static struct pxr_page_wanted wanted_page(void)
{
        return (struct pxr_page_wanted) {
                .database = args.db,
                .where = args.where,
                .limit = args.limit,
                .details = args.details,
        };
}

/* Without --out, an older page of pxr's is replaced: all of it can be made again. */
static int html(struct program *p)
{
        const char *out = args.out ? args.out : "report.html";
        const struct pxr_page_wanted wanted = wanted_page();
        const struct pxr_paper *paper = pxr_paper_open(p->arena, args.paper, p->diag);
        bool replaces = args.force || (!args.out && is_page(out)), prints = strcmp(out, "-") == 0;
        struct pxr_store *store;
        const char *page;

        if (check_own_reports(p) || !paper || (!prints && may_write(out, replaces, p->diag)))
                return -1;
        store = pxr_recorded_store(p->arena, args.db, false, p->diag);
        page = store ? pxr_report_page(p->arena, store, paper, &wanted, p->diag) : NULL;
        if (!page)
                return -1;
        if (prints) {
                fputs(page, stdout); /* checked when the program ends */
                return 0;
        }
        if (pxr_file_write(out, replaces, page, strlen(page), p->diag))
                return -1;
        say(stdout, "%s: %.1f MB\n", out, (double)strlen(page) * 1e-6);
        return 0;
}

#ifdef PXR_SERVE
/* Where the page is, and who else can read it. */
static void say_ready(const char *url, bool local)
{
        say(stdout, "%s\n", url);
        fflush(stdout);
        if (local)
                say(stderr,
                    "Only this machine can open it; elsewhere, use 'ssh -L'. Ctrl-C ends it.\n");
        else
                say(stderr,
                    "WARNING: everyone who can reach this machine can read all runs, specs and "
                    "samples of %s, without a password and not encrypted. Ctrl-C ends it.\n",
                    args.db);
}

/* An invalid condition or database is reported before the browser asks. */
static int check_page(const struct program *p, const struct pxr_page_wanted *page)
{
        struct pxr_arena *arena = pxr_arena_new(0, p->diag);
        struct pxr_store *store = arena ? pxr_recorded_store(arena, args.db, false, p->diag) : NULL;
        const char *state = store ? pxr_report_page_state(arena, store, page, p->diag) : NULL;

        pxr_arena_free(arena);
        return state ? 0 : -1;
}

static int serve(struct program *p)
{
        const struct pxr_page_wanted page = wanted_page();
        struct pxr_serving serving = { &page,       pxr_paper_open(p->arena, args.paper, p->diag),
                                       args.bind,   args.port,
                                       &stop_asked, say_ready };

        if (check_own_reports(p) || !serving.paper || check_page(p, &page))
                return -1;
        watch_signals(false);
        return pxr_serve(&serving, p->diag);
}
#else
static int serve(struct program *p)
{
        return pxr_user_error(p->diag, "this pxr was built without libmicrohttpd: use 'pxr-report "
                                       "html'");
}
#endif

static int watch(struct program *p)
{
        return check_own_reports(p) ? -1 : watch_runs(p, args.db, args.interval);
}

/* --- tables ------------------------------------------------------------------------------------
 */

/* The database, as the subcommand needs it. */
static struct pxr_store *open_store(const struct program *p, enum access access)
{
        bool changes = access == CHANGES || (access == CHANGES_IF_YES && args.yes) ||
                       (access == CHANGES_WITH_WORDS && p->words.count >= 2);

        return pxr_recorded_store(p->arena, args.db, changes, p->diag);
}

/* Columns of the terminal on stdout; 0 without one: lines of any length. */
static int line_width(void)
{
        struct winsize size;

        return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                     : 0;
}

/* Make the table and print it. Returns 0 or -1. */
static int print_table(const struct program *p, const struct maker *maker)
{
        bool opens = maker->access != OPENS_ITSELF;
        struct pxr_store *store = opens ? open_store(p, maker->access) : NULL;
        const struct pxr_table *table = store || !opens ? maker->make(p, store) : NULL;

        return table ? pxr_tables_write(table, args.format, stdout, line_width(), p->diag) : -1;
}

/* Ask on a terminal whether to do it. Returns 0, 1 for no, or -1 after an error. */
static int confirm(const struct program *p, const struct maker *maker)
{
        char answer[16] = "";

        fflush(stdout);
        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return pxr_user_error(p->diag, "nothing was %s: use --yes to do it", maker->done);
        say(stderr, "%s [y/N] ", maker->question);
        if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
                return 0;
        say(stderr, "Nothing was %s.\n", maker->done);
        return 1;
}

static int run(struct program *p)
{
        const struct maker *maker = p->verb->extra;
        int status = check_own_reports(p) ? -1 : print_table(p, maker);

        if (status || !maker->question || args.yes)
                return status;
        status = confirm(p, maker);
        if (status)
                return status < 0 ? -1 : 0;
        args.yes = true;
        return print_table(p, maker);
}

/* A misspelt name is reported before a missing database. */
static int run_file(struct program *p)
{
        return find_file(p, p->words.text[0]) ? run(p) : -1;
}

/* --- the command -------------------------------------------------------------------------------
 */

#define PART_NAME(folder, name, ...) " " #name
#define OF_SHOW PXR_SHOW_PARTS(PART_NAME)
#define OF_COMPARE PXR_COMPARE_PARTS(PART_NAME)
#define OF_SWEEP PXR_SWEEP_PARTS(PART_NAME)

static const struct command_option options[] = {
        { OPTION_DB },
        { "format", 0, "FORMAT",
          "output format (latex: a document; tabular: a table for \\input in yours)", FIELD(format),
          .choices = pxr_format_names, .initial = "text", .verbs = "!html, serve, watch" },
        { "where", 0, "CONDITION",
          "only rows for which this SQL expression is true: on columns of run_summary, or, for "
          "REPORT, of the report",
          FIELD(where), .verbs = "runs, html, serve, REPORT" },
        { "sort", 0, "COLUMN",
          "sort the rows by this column, as csv names it, the smallest first; -COLUMN: the largest",
          FIELD(sort), .verbs = "runs, REPORT" },
        { "limit", 0, "N", "only the newest N runs; with --sort, or for REPORT, the first N rows",
          FIELD(limit), .least = 1, .verbs = "runs, html, serve, REPORT" },
        { "details", 0, "N",
          "curves, pictures, spec and provenance of the newest N runs of the list", FIELD(details),
          .initial = "20", .verbs = "html, serve" },
        { "port", 0, "N", "port to listen on; 0: any that is free", FIELD(port), .most = 65535,
          .initial = "8017", .verbs = "serve" },
        { "bind", 0, "ADDRESS",
          "address to listen on. From any but the default, everyone who can reach this machine can "
          "read the runs",
          FIELD(bind), .initial = "127.0.0.1", .verbs = "serve" },
        { "all", 0, NULL, "archived runs too", FIELD(all), .verbs = "runs" },
        { "archived", 0, NULL, "only archived runs", FIELD(archived), .verbs = "runs" },
        { "part", 0, "NAME",
          "one table only. For show:" OF_SHOW " (uncommitted changes); for compare:" OF_COMPARE
          "; for sweep:" OF_SWEEP,
          FIELD(part), .verbs = "show, compare, sweep" },
        { "interval", 0, "SECONDS",
          "time from one look to the next (default: 1 on a terminal, else 10)", FIELD(interval),
          .least = 0.1, .most = 86400, .verbs = "watch" },
        { OPTION_PAPER },
        { "out", 0, "PATH",
          "for export, a new folder or a new file NAME.tar.gz; for html, the page (default: "
          "report.html; - is standard output)",
          FIELD(out), .verbs = "export, html", .required = "export" },
        { "no-checkpoints", 0, NULL,
          "leave checkpoints out; README.txt has their sizes and SHA-256", FIELD(no_checkpoints),
          .verbs = "export" },
        { "anonymous", 0, NULL, "leave out host, folders and command line", FIELD(anonymous),
          .verbs = "export" },
        { "yes", 'y', NULL, "do it without asking", FIELD(yes), .verbs = "archive, delete, gc" },
        { "force", 'f', NULL,
          "for delete, also active runs and runs that others refer to; for html, overwrite the "
          "page",
          FIELD(force), .verbs = "delete, html" },
        { "old", 0, NULL,
          "also checkpoints of finished runs that are neither the best nor the last", FIELD(old),
          .verbs = "gc" },
        { "forget-missing", 0, NULL, "remove checkpoints from the record if their file is missing",
          FIELD(missing), .verbs = "gc" },
        { 0 },
};

#define MAKES(make_, access_, ...)                            \
        .run = run, .extra = &(const struct maker)            \
        {                                                     \
                .make = make_, .access = access_, __VA_ARGS__ \
        }

static const struct command_verb verbs[] = {
        { .help = "Reports:" },
        { "table2", "", "Table 2 of the paper, with the runs that reproduce it",
          MAKES(paper_table, READS) },
        { "table3", "", "Table 3", MAKES(paper_table, READS) },
        { "table4", "", "Table 4", MAKES(paper_table, READS) },
        { "table5", "", "Table 5", MAKES(paper_table, READS) },
        { "table6", "", "Table 6", MAKES(paper_table, READS) },
        { "runs", "", "list the runs", MAKES(runs, READS) },
        { "show", "RUN", "show a run", MAKES(show, READS) },
        { "compare", "RUN RUN...", "show how runs differ", MAKES(compare, READS) },
        { "sweep", "[SWEEP]", "show a sweep: jobs, best, effect of each value; or list the sweeps",
          MAKES(sweep, READS) },
        { "doctor", "[RUN]", "look for known signs of a broken experiment", MAKES(doctor, READS) },
        { "list", "", "list the reports that are files", MAKES(list, OPENS_ITSELF) },
        { "html", "", "write all of it as one HTML page", .run = html },
        { "serve", "", "serve that page to a browser, and show what is recorded as it comes",
          .run = serve },
        { "watch", "[RUN...]", "show runs at work, live, until they end", .run = watch },
        { .help = "Management:" },
        { "tag", "[RUN [TAG...]]", "tag a run, or list the tags", MAKES(tag, CHANGES_WITH_WORDS) },
        { "untag", "RUN TAG...", "remove tags", MAKES(tag, CHANGES) },
        { "note", "RUN [TEXT]", "set or show the note of a run", MAKES(note, CHANGES_WITH_WORDS) },
        { "archive", "RUN...", "hide runs from reports",
          MAKES(archive, CHANGES_IF_YES, .question = "Archive them?", .done = "archived") },
        { "unarchive", "RUN...", "show them again", MAKES(archive, CHANGES) },
        { "delete", "RUN...", "delete runs with their checkpoints",
          MAKES(delete, CHANGES_IF_YES, .question = "Delete them for good?", .done = "deleted") },
        { "merge", "DATABASE...", "copy runs of other databases into --db",
          MAKES(merge, OPENS_ITSELF) },
        { "export", "RUN", "write a run to --out, with all its files", MAKES(export, READS) },
        { "import", "PATH...", "import exported runs (folders or archives)",
          MAKES(import, OPENS_ITSELF) },
        { "gc", "", "list files that no run needs; with --yes, remove them",
          MAKES(gc, CHANGES_IF_YES) },
        { .help = "Reports in files:" },
        { NULL, "REPORT [ARGUMENT...]", "print the report of REPORT.sql", .run = run_file,
          .extra = &(const struct maker) { .make = file_report, .access = READS } },
        { 0 },
};

const struct command command = {
        .name = "pxr-report",
        .summary = "Report on the runs in a database, as tables or as one HTML page, and manage "
                   "the runs. Reports only read the database.",
        .text = PXR_REPORT_TEXT,
        .options = options,
        .verbs = verbs,
};
