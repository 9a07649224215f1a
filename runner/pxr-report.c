/* SPDX-License-Identifier: MIT */
/*
 * pxr-report.c - the command that reports on the runs in a database, and manages them.
 *
 * Arguments and printing; the reports are in lib/report, the changes in lib/manage.
 */
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
#include "runner/command.h"
#include "runner/common.h"

struct arguments {
        const char *db, *paper, *where, *part, *out;
        int64_t limit, details;
        int format;
        bool all, archived, yes, force, old, missing;
};

/* What a subcommand works with. */
struct work {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct arguments *arguments;
        const struct list *words;
        struct pxr_diag *diag;
        const char *name; /* of the subcommand */
        const struct command_verb *verbs;
};

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
        struct pxr_table *(*make)(const struct work *work);
        enum access access;
        const char *question, *done; /* NULL: it does not ask */
};

/* --- reports -----------------------------------------------------------------------------------
 */

static struct pxr_table *paper_table(const struct work *work)
{
        const struct pxr_paper *paper =
                pxr_paper_open(work->arena, work->arguments->paper, work->diag);
        const struct pxr_paper_table *table = NULL;

        if (paper)
                table = pxr_paper_find(paper, atoi(work->name + strlen("table")), work->diag);
        return table ? pxr_report_paper_table(work->arena, work->store, table, work->diag) : NULL;
}

/* CSV and JSON have all steps and all columns. */
static bool for_machines(const struct arguments *arguments)
{
        return arguments->format == PXR_FORMAT_CSV || arguments->format == PXR_FORMAT_JSON;
}

static struct pxr_table *runs(const struct work *work)
{
        const struct arguments *arguments = work->arguments;
        const struct pxr_runs_wanted wanted = {
                .where = arguments->where,
                .limit = arguments->limit,
                .all = for_machines(arguments),
                .archived = arguments->archived ? PXR_ARCHIVED_ALONE
                            : arguments->all    ? PXR_ARCHIVED_TOO
                                                : PXR_NOT_ARCHIVED,
        };

        return pxr_report_runs(work->arena, work->store, &wanted, work->diag);
}

/* CSV is one table: the curve, which is what is plotted. */
static const char *part_of(const struct arguments *arguments)
{
        return arguments->part                       ? arguments->part
               : arguments->format == PXR_FORMAT_CSV ? "curve"
                                                     : NULL;
}

static struct pxr_table *show(const struct work *work)
{
        return pxr_report_show(work->arena, work->store, work->words->text[0],
                               part_of(work->arguments), for_machines(work->arguments), work->diag);
}

static struct pxr_table *compare(const struct work *work)
{
        return pxr_report_compare(work->arena, work->store, work->words->text, work->words->count,
                                  part_of(work->arguments), for_machines(work->arguments),
                                  work->diag);
}

static const struct pxr_report_file *find_file(struct pxr_arena *arena,
                                               const struct command_verb *verbs, const char *name,
                                               struct pxr_diag *diag)
{
        const char *names[64] = { NULL }; /* to suggest, beside those of the files */
        size_t count = 0;

        for (; verbs->help; verbs++)
                if (verbs->name)
                        names[count++] = verbs->name;
        return pxr_report_file_find(arena, "", name, names, diag);
}

/* A report in a file, with the words from `first` on as its arguments. */
static struct pxr_table *file_table(const struct work *work, const char *name, size_t first)
{
        const struct pxr_report_file *file = find_file(work->arena, work->verbs, name, work->diag);
        const struct pxr_report_call call = {
                .argument = work->words->text + first,
                .arguments = first ? work->words->count - first : 0,
                .where = work->arguments->where,
                .limit = work->arguments->limit,
                .programs = true,
        };

        return file ? pxr_report_file_table(work->arena, work->store, file, &call, work->diag)
                    : NULL;
}

static struct pxr_table *file_report(const struct work *work)
{
        return file_table(work, work->words->text[0], 1);
}

static struct pxr_table *list(const struct work *work)
{
        return pxr_report_list(work->arena, work->diag);
}

static struct pxr_table *sweep(const struct work *work)
{
        if (!work->words->count)
                return file_table(work, "sweeps", 0);
        return pxr_report_sweep(work->arena, work->store, work->words->text[0],
                                work->arguments->part, work->diag);
}

static struct pxr_table *doctor(const struct work *work)
{
        const struct pxr_paper *paper =
                pxr_paper_open(work->arena, work->arguments->paper, work->diag);

        return paper ? pxr_report_doctor(work->arena, work->store, paper, work->words->text[0],
                                         work->diag)
                     : NULL;
}

/* --- management --------------------------------------------------------------------------------
 */

/* The words after the first `skipped`. */
static struct pxr_arguments words_after(const struct work *work, size_t skipped)
{
        return (struct pxr_arguments) { work->words->text + skipped, work->words->count - skipped };
}

static struct pxr_table *tag(const struct work *work)
{
        struct pxr_arguments tags;

        if (!work->words->count)
                return pxr_list_tags(work->arena, work->store, work->diag);
        tags = words_after(work, 1);
        return pxr_tag_run(work->arena, work->store, work->words->text[0], &tags,
                           strcmp(work->name, "untag") == 0, work->diag);
}

static struct pxr_table *note(const struct work *work)
{
        return pxr_note_run(work->arena, work->store, work->words->text[0], work->words->text[1],
                            work->diag);
}

static struct pxr_table *archive(const struct work *work)
{
        struct pxr_arguments runs = words_after(work, 0);

        return pxr_archive_runs(work->arena, work->store, &runs,
                                strcmp(work->name, "unarchive") == 0 ? PXR_UNARCHIVE
                                : work->arguments->yes               ? PXR_ARCHIVE
                                                                     : PXR_ARCHIVE_LIST,
                                work->diag);
}

static struct pxr_table *delete (const struct work *work)
{
        struct pxr_arguments runs = words_after(work, 0);

        return pxr_delete_runs(work->arena, work->store, &runs, work->arguments->force,
                               work->arguments->yes, work->diag);
}

static struct pxr_table *merge(const struct work *work)
{
        struct pxr_arguments from = words_after(work, 0);

        return pxr_merge(work->arena, work->arguments->db, &from, work->diag);
}

static struct pxr_table *export(const struct work *work)
{
        return pxr_export(work->arena, work->store, work->words->text[0], work->arguments->out,
                          work->diag);
}

static struct pxr_table *import(const struct work *work)
{
        struct pxr_arguments from = words_after(work, 0);

        return pxr_import(work->arena, work->arguments->db, &from, work->diag);
}

static struct pxr_table *gc(const struct work *work)
{
        const struct pxr_gc_options options = { .old = work->arguments->old,
                                                .missing = work->arguments->missing,
                                                .carry_out = work->arguments->yes };

        return pxr_gc(work->arena, work->store, &options, work->diag);
}

/* --- the page ----------------------------------------------------------------------------------
 */

static int write_page(const char *out, bool replaces, const char *page, size_t size,
                      struct pxr_diag *diag)
{
        if (strcmp(out, "-") == 0) {
                fwrite(page, 1, size, stdout); /* checked when the program ends */
                return 0;
        }
        if (pxr_file_write(out, replaces, page, size, diag))
                return -1;
        say(stdout, "%s: %.1f MB\n", out, (double)size * 1e-6);
        return 0;
}

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

/* Without --out, an older page of pxr's is replaced: all of it can be made again. */
static int html(struct program *program)
{
        const struct arguments *a = program->arguments;
        const char *out = a->out ? a->out : "report.html";
        const struct pxr_page_wanted wanted = { a->db, a->where, a->limit, a->details };
        const struct pxr_paper *paper = pxr_paper_open(program->arena, a->paper, program->diag);
        bool replaces = a->force || (!a->out && is_page(out));
        struct pxr_store *store;
        char *page;
        size_t size;
        int status;

        if (!paper || (strcmp(out, "-") != 0 && may_write(out, replaces, program->diag)))
                return -1;
        store = pxr_recorded_store(program->arena, a->db, program->diag);
        if (!store)
                return -1;
        page = pxr_report_page(program->arena, store, paper, &wanted, &size, program->diag);
        status = page ? write_page(out, replaces, page, size, program->diag) : -1;
        free(page);
        return status;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static void close_store(void *store)
{
        pxr_store_close(store);
}

/* The database, as the subcommand needs it. */
static struct pxr_store *open_store(const struct work *work, enum access access)
{
        const struct arguments *arguments = work->arguments;
        bool changes = access == CHANGES || (access == CHANGES_IF_YES && arguments->yes) ||
                       (access == CHANGES_WITH_WORDS && work->words->count >= 2);
        struct pxr_store *store;

        if (!changes)
                return pxr_recorded_store(work->arena, arguments->db, work->diag);
        store = pxr_store_change(arguments->db, work->diag);
        return store && pxr_arena_defer(work->arena, close_store, store) == 0 ? store : NULL;
}

/* Columns of the terminal on stdout; 0 without one: lines of any length. */
static int line_width(void)
{
        struct winsize size;

        return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                     : 0;
}

/* Make the table and print it. Returns 0 or -1. */
static int print_table(struct work *work, const struct maker *maker)
{
        const struct pxr_table *table = NULL;

        if (maker->access != OPENS_ITSELF)
                work->store = open_store(work, maker->access);
        if (work->store || maker->access == OPENS_ITSELF)
                table = maker->make(work);
        return table ? pxr_tables_write(table, work->arguments->format, stdout, line_width(),
                                        work->diag)
                     : -1;
}

/* Ask on a terminal whether to do it. Returns 0, 1 for no, or -1 after an error. */
static int confirm(const struct work *work, const struct maker *maker)
{
        char answer[16] = "";

        fflush(stdout);
        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return pxr_user_error(work->diag, "nothing was %s: use --yes to do it",
                                      maker->done);
        say(stderr, "%s [y/N] ", maker->question);
        if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
                return 0;
        say(stderr, "Nothing was %s.\n", maker->done);
        return 1;
}

static int run(struct program *program)
{
        struct arguments *arguments = program->arguments;
        const struct maker *maker = program->verb->extra;
        struct work work = { .arena = program->arena,
                             .arguments = arguments,
                             .words = &program->words,
                             .diag = program->diag,
                             .name = program->verb->name,
                             .verbs = program->verbs };
        int status = print_table(&work, maker);

        if (status || !maker->question || arguments->yes)
                return status;
        status = confirm(&work, maker);
        if (status)
                return status < 0 ? -1 : 0;
        arguments->yes = true;
        return print_table(&work, maker);
}

/* A misspelt name is reported before a missing database. */
static int run_file(struct program *program)
{
        return find_file(program->arena, program->verbs, program->words.text[0], program->diag)
                       ? run(program)
                       : -1;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = {
        OPTION_DB,
        { "format", 0, "FORMAT", "output format, of which latex is a whole document", FIELD(format),
          .choices = pxr_format_names, .initial = "text", .verbs = "!html" },
        { "where", 0, "CONDITION",
          "only runs for which this SQL expression on columns of run_summary is true", FIELD(where),
          .verbs = "runs, html, REPORT" },
        { "limit", 0, "N", "only the newest N runs", FIELD(limit), .least = 1,
          .verbs = "runs, html, REPORT" },
        { "details", 0, "N",
          "curves, pictures, spec and provenance of the newest N runs of the list", FIELD(details),
          .initial = "20", .verbs = "html" },
        { "all", 0, NULL, "archived runs too", FIELD(all), .verbs = "runs" },
        { "archived", 0, NULL, "only archived runs", FIELD(archived), .verbs = "runs" },
        { "part", 0, "NAME",
          "for show, one table only: facts, results, chain, curve, layers, files, plugins, "
          "checkpoints, samples, events, spec or difference (uncommitted changes); for compare: "
          "spec, results, circumstances or curve; for sweep: jobs, best or effects",
          FIELD(part), .verbs = "show, compare, sweep" },
        OPTION_PAPER,
        { "out", 0, "PATH",
          "for export, a new folder or a new file NAME.tar.gz; for html, the page (default: "
          "report.html; - is standard output)",
          FIELD(out), .verbs = "export, html", .required = "export" },
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
        { "import", "PATH...", "read folders or archives that export wrote",
          MAKES(import, OPENS_ITSELF) },
        { "gc", "", "list files that no run needs; with --yes, remove them",
          MAKES(gc, CHANGES_IF_YES) },
        { .help = "Reports in files:" },
        { NULL, "REPORT [ARGUMENT...]", "print the report of REPORT.sql", .run = run_file,
          .extra = &(const struct maker) { .make = file_report, .access = READS } },
        { 0 },
};

static const struct command command = {
        .name = "pxr-report",
        .summary = "Report on the runs in a database, as tables or as one HTML page, and manage "
                   "the runs. Reports only read the database.",
        .text = "RUN is a run's number, its name (the newest of that name), or 'last'. "
                "REPORT.sql is installed with pxr or in a folder of $PXR_REPORT_PATH; 'list' "
                "lists them.\n\n"
                "  pxr-report table4\n"
                "  pxr-report runs --where \"model = 'row' and nll < 82\"\n"
                "  pxr-report compare 3 7\n"
                "  pxr-report sweep quickstart_rates\n"
                "  pxr-report show last --part curve --format csv\n"
                "  pxr-report table5 --format latex > table5.tex\n"
                "  pxr-report html --where \"data_set = 'cifar10'\" --out cifar.html\n\n"
                "A row of a paper's table shows the run whose spec says that it reproduces the "
                "row, if its data are those of the row (by hash), its NLL is neither conditional "
                "nor suspect, and its model is not a smaller one. Otherwise the cell is empty. "
                "Text is rounded; csv and json have all digits and all columns. As csv, show and "
                "compare print the learning curve, and sweep its jobs, unless --part names "
                "another table.\n\n"
                "  pxr-report tag 3 baseline                            (untag removes it)\n"
                "  pxr-report runs --where \"has_tag(tags, 'baseline')\"\n"
                "  pxr-report note 3 \"diverged at epoch 12\"              (\"\" removes it)\n"
                "  pxr-report archive 4 5\n"
                "  pxr-report delete 4 5\n"
                "  pxr-report merge node1.db node2.db --db all.db\n"
                "  pxr-report export last --out run.tar.gz\n"
                "  pxr-report import run.tar.gz --db other.db\n"
                "  pxr-report gc --yes\n\n"
                "An archived run is not listed and not counted: in tables, by doctor, in "
                "best_run and chain_nll, or as the best of a sweep. It stays in the database, "
                "and commands that name it still show it. 'archive' and 'delete' list what they "
                "will do and ask; without a terminal they require --yes. 'merge' copies runs "
                "with their checkpoints; a run that --db already has is skipped, unless the "
                "other copy has got further.\n\n"
                "A condition uses columns of the view run_summary: run, name, status, model, "
                "data_set, nll, epochs, sweep, job, tags and more; an invalid one lists them. "
                "status is running, finished, interrupted, failed, or killed: recorded as "
                "running, by a process of this host that no longer exists. Runs of other hosts "
                "have the status on record.\n\n"
                "The HTML page is one file and needs no network. It lists all runs, or those "
                "chosen by --where and --limit, and shows the newest of them in detail.\n\n"
                "Exit status: 0 success, 1 system failure, 2 invalid arguments or database.",
        .options = options,
        .verbs = verbs,
};

int main(int argc, char **argv)
{
        return command_main(&command, argc, argv, &(struct arguments) { 0 });
}
