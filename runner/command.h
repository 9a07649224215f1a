/* SPDX-License-Identifier: MIT */
/*
 * command.h - what a command takes, as tables of options and subcommands.
 *
 * From the tables come reading and checking of the arguments, the values of `struct arguments`, the
 * error messages and --help. A new option is one row:
 *
 *     struct arguments { int threads; ... };
 *
 *     { "threads", 't', "N", "worker threads", FIELD(threads), .least = 1, .most = 256 },
 *
 * The type of a row follows from the C type of its field: bool is a flag, int, int64_t and double
 * are numbers in a range, const char * is a text, struct list collects the texts of an option that
 * may be repeated; an int with `choices` is the index of one of these names.
 */
#ifndef PXR_RUNNER_COMMAND_H
#define PXR_RUNNER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>
#include <pxr/diag.h>

struct list {
        const char **text; /* ended by NULL once it is not empty */
        size_t count;
};

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
        size_t offset;
        double least, most;         /* range of a number; how often a list can be given; most 0:
                                       no limit */
        const char *const *choices; /* ended by NULL */
        const char *initial;        /* default, as it would be given; NULL: the field's value */
        const char *verbs;    /* "runs, html": the subcommands that take it; NULL: all; "!html": all
                                 except that one */
        const char *required; /* subcommands that cannot do without it */
        bool hidden;          /* not in --help */
};

#define FIELD_TYPE(field) \
        _Generic(((struct arguments *)0)->field, bool             \
                 : FIELD_FLAG, int                                \
                 : FIELD_INT, int64_t                             \
                 : FIELD_INT64, double                            \
                 : FIELD_REAL, const char *                       \
                 : FIELD_TEXT, struct list                        \
                 : FIELD_LIST)
#define FIELD(field) .type = FIELD_TYPE(field), .offset = offsetof(struct arguments, field)

/* Rows that several commands share; `struct arguments` has a field of that name. OpenBLAS is built
 * for a limited number of callers (128 on Debian), warns beyond it, and crashes at 512. */
#define OPTION_DB                                                                   \
        {                                                                           \
                "db", 0, "FILE", "the run database", FIELD(db), .initial = "pxr.db" \
        }
#define OPTION_DATA                                                               \
        {                                                                         \
                "data", 0, "PATH", "where the run's data set is now", FIELD(data) \
        }
#define OPTION_JSON                                                      \
        {                                                                \
                "json", 0, NULL, "print the result as JSON", FIELD(json) \
        }
#define OPTION_QUIET                                                  \
        {                                                             \
                "quiet", 'q', NULL, "print errors only", FIELD(quiet) \
        }
#define OPTION_PAPER                                                                     \
        {                                                                                \
                "paper", 0, "FILE",                                                      \
                        "file with the paper's tables (default: the one installed with " \
                        "pxr)",                                                          \
                        FIELD(paper)                                                     \
        }
#define OPTION_THREADS(help)                                                       \
        {                                                                          \
                "threads", 't', "N", help, FIELD(threads), .least = 1, .most = 256 \
        }

struct program {
        const char *name; /* "pxr-run" */
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        void *arguments;   /* the command's struct arguments */
        struct list words; /* the arguments that are no options, after the subcommand */
        struct list typed; /* all arguments as they were typed */
        uint64_t given;    /* bit i: row i of the options was given */
        const struct command_verb *verb, *verbs;
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
        const char *name;
        const char *usage;   /* lines of usage; NULL: made from the subcommands */
        const char *summary; /* before the options in --help */
        const char *text;    /* after them */
        const struct command_option *options;
        const struct command_verb *verbs; /* of a command without subcommands, one without a name */
        const char *usual;                /* subcommand when there are no arguments; NULL: none */
};

/* All that main() does: read the arguments into `arguments`, run, print the errors. Returns the
 * exit status: 1 for a failure of the system, 2 for a mistake of the user. */
int command_main(const struct command *command, int argc, char **argv, void *arguments);

/* Whether the option was given. */
bool option_given(const struct program *program, const struct command_option *options,
                  const char *name);

/* The command as it was typed, to be typed again; without those arguments that `except` lists
 * (NULL: none). */
const char *command_line(const struct program *program, const char *except);

/* One worker per processor, as many as --threads allows. */
int usual_threads(void);

#endif
