/* SPDX-License-Identifier: MIT */
/*
 * command.h - what a command takes, as tables of options and subcommands.
 *
 * A command is one file that defines `command`. From its tables come reading and checking of the
 * arguments, the error messages and --help. A new option is one row:
 *
 *     static struct arguments { int jobs; ... } args;
 *
 *     { "jobs", 'j', "N", "runs at a time", FIELD(jobs), .least = 1, .most = 1024 },
 *
 * The type of a row follows from the C type of its field: bool is a flag, int, int64_t and double
 * are numbers in a range, const char * is a text, struct pxr_arguments collects the texts of an
 * option that may be repeated; an int with `choices` is the index of one of these names.
 */
#ifndef PXR_RUNNER_COMMAND_H
#define PXR_RUNNER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>
#include <pxr/diag.h>

#include "base/text.h"

enum field_type {
        FIELD_FLAG = 1,
        FIELD_INT,
        FIELD_INT64,
        FIELD_REAL,
        FIELD_TEXT,
        FIELD_LIST,
};

struct command_option {
        const char *name;     /* without "--"; NULL: `help` is the heading of a group */
        char letter;          /* 0: none */
        const char *argument; /* "FILE", as in --help; NULL for a flag */
        const char *help;     /* NULL ends a table */
        enum field_type type;
        void *field;
        double least, most;         /* range of a number; how often a list can be given; most 0:
                                       no limit */
        const char *const *choices; /* ended by NULL */
        const char *initial;        /* default, as it would be given; NULL: the field's value */
        const char *verbs;    /* "runs, html": the subcommands that take it; NULL: all; "!html": all
                                 except that one */
        const char *required; /* subcommands that cannot do without it */
        bool hidden;          /* not in --help */
};

#define FIELD(name) .type = FIELD_TYPE(args.name), .field = &args.name
#define FIELD_TYPE(field) \
        _Generic(field, bool             \
                 : FIELD_FLAG, int       \
                 : FIELD_INT, int64_t    \
                 : FIELD_INT64, double   \
                 : FIELD_REAL, const char * \
                 : FIELD_TEXT, struct pxr_arguments \
                 : FIELD_LIST)

/* Rows that several commands share, of fields of these names. OpenBLAS is built for a limited
 * number of callers (128 on Debian), warns beyond it, and crashes at 512. */
#define OPTION_DB "db", 0, "FILE", "run database", FIELD(db), .initial = "pxr.db"
#define OPTION_DATA "data", 0, "PATH", "where the run's data set is now", FIELD(data)
#define OPTION_JSON "json", 0, NULL, "print the result as JSON", FIELD(json)
#define OPTION_QUIET "quiet", 'q', NULL, "print errors and warnings only", FIELD(quiet)
#define OPTION_PAPER                                                                              \
        "paper", 0, "FILE", "file with the paper's tables (default: the one installed with pxr)", \
                FIELD(paper)
#define OPTION_THREADS(help) \
        "threads", 't', "N", help, FIELD(threads), .least = 1, .most = MOST_THREADS
#define OPTION_WORKERS(help) OPTION_THREADS("worker threads" help), .initial = one_per_processor

enum { MOST_THREADS = 256, MOST_NAMES = 64 };

/* The default of a number of threads: usual_threads(). */
extern const char one_per_processor[];

struct program {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        struct pxr_arguments words; /* the arguments that are no options, after the subcommand */
        struct pxr_arguments typed; /* all arguments as they were typed */
        uint64_t given;             /* bit i: row i of the options was given */
        const struct command_verb *verb;
};

struct command_verb {
        const char *name;  /* the subcommand; NULL: its first word can be anything */
        const char *words; /* "RUN [TAG...]": what it takes, which is checked */
        const char *help;  /* one line; without a function it is the heading of a group; NULL ends
                              a table */
        int (*run)(struct program *program); /* the exit status; -1: that of the recorded errors */
        const void *extra;                   /* for the command's own use */
};

struct command {
        const char *name;    /* "pxr-run" */
        const char *usage;   /* lines of usage; NULL: made from the subcommands */
        const char *summary; /* before the options in --help */
        const char *text;    /* after them: a file of runner/texts */
        const struct command_option *options;
        const struct command_verb *verbs; /* one without a name: its only purpose */
        const char *usual;                /* subcommand when there are no arguments; NULL: none */
        bool front; /* what follows the subcommand is read by another command */
};

/* Defined by the command, run by main(): the exit status is 1 for a failure of the system, 2 for a
 * mistake of the user. */
extern const struct command command;

/* The names of all subcommands, ended by NULL. Returns how many. */
size_t command_names(const char *names[MOST_NAMES]);

/* If an unknown name is "help", name --help. */
void hint_help(const struct program *program, const char *name);

/* The command as it was typed, to be typed again; without those arguments that `except` lists
 * (NULL: none). */
const char *command_line(const struct program *program, const char *except);

/* One worker per processor, as many as --threads allows. */
int usual_threads(void);

/* The same of each of `ranks` processes that share this machine. */
int usual_threads_of_rank(int ranks);

/* Whether the option of this name was given. */
bool option_given(const struct program *program, const char *name);

/* --- for describe.c ----------------------------------------------------------------------------
 */

/* Whether the command has subcommands. One of a single purpose has one row, without a name. */
bool has_subcommands(void);

/* Whether a subcommand takes an option. One without a name is listed by its first word. */
bool goes_with(const struct command_option *option, const struct command_verb *verb);

/* The help of an option, with its choices and default: of all subcommands, or of one. */
const char *option_help(struct pxr_arena *arena, const struct command_option *option,
                        const struct command_verb *verb);

/* Write what is made from the tables when pxr is built into a folder: NAME.1, the man page, and
 * NAME-SUBCOMMAND.1 for each subcommand; NAME.bash, tables for the completion of bash; NAME.row, a
 * row of the subcommands of `pxr`. Returns 0 or -1. */
int describe_command(const struct program *program, const char *folder);

#endif
