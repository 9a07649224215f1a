/* SPDX-License-Identifier: MIT */
/* command.c - reads a command's arguments by its tables, runs it, and prints its errors. */
#include "runner/command.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/program.h"
#include "record/provenance.h"
#include "tensor/bf16.h"
#include "tensor/gemm.h"

enum { FIRST_KEY = 256, MOST_ROWS = 128 };

const char one_per_processor[] = "one per processor";

/* --- values ------------------------------------------------------------------------------------
 */

/* "train, valid or test" */
static const char *list_of(struct pxr_arena *arena, const char *const *names)
{
        size_t count = 0;

        while (names[count])
                count++;
        return pxr_join(arena, names, count, " or ");
}

static void set_choice(struct program *program, const struct command_option *option,
                       const char *text)
{
        size_t count = 0;

        for (; option->choices[count]; count++)
                if (strcmp(option->choices[count], text) == 0) {
                        *(int *)option->field = (int)count;
                        return;
                }
        pxr_user_error(program->diag, "--%s: expected %s, got '%s'", option->name,
                       list_of(program->arena, option->choices), text);
        pxr_hint_nearest(program->diag, text, option->choices, count);
}

static void set_number(struct program *program, const struct command_option *option,
                       const char *text)
{
        bool real = option->type == FIELD_REAL, bounded = option->most > 0;
        long long whole = 0;
        double number;
        char *end;

        errno = 0;
        if (real)
                number = strtod(text, &end);
        else
                number = (double)(whole = strtoll(text, &end, 10));
        if (*end || end == text || errno == ERANGE || !(number >= option->least) ||
            (bounded && number > option->most))
                pxr_user_error(program->diag, "--%s: expected a%s number %s %.15g%s, got '%s'",
                               option->name, real ? "" : " whole", bounded ? "from" : "of at least",
                               option->least,
                               bounded ? pxr_strf(program->arena, " to %.15g", option->most) : "",
                               text);
        else if (real)
                *(double *)option->field = number;
        else if (option->type == FIELD_INT)
                *(int *)option->field = (int)whole;
        else
                *(int64_t *)option->field = whole;
}

static void add_to_list(struct program *program, const struct command_option *option,
                        const char *text)
{
        struct pxr_arguments *list = option->field;

        if (option->most > 0 && (double)list->count >= option->most)
                pxr_user_error(program->diag, "--%s: given more than %.0f times", option->name,
                               option->most);
        else if (!list->text)
                list->text = pxr_alloc_array(program->arena, program->typed.count + 1,
                                             sizeof(*list->text));
        if (list->text)
                list->text[list->count++] = text;
}

static void set_option(struct program *program, const struct command_option *option,
                       const char *text)
{
        if (option->choices)
                set_choice(program, option, text);
        else if (option->type == FIELD_FLAG)
                *(bool *)option->field = true;
        else if (option->type == FIELD_TEXT)
                *(const char **)option->field = text;
        else if (option->type == FIELD_LIST)
                add_to_list(program, option, text);
        else if (text == one_per_processor)
                *(int *)option->field = usual_threads();
        else
                set_number(program, option, text);
}

/* --- help --------------------------------------------------------------------------------------
 */

/* Whether the first word of `word` is in "one, two". */
static bool has_word(const char *words, const char *word)
{
        size_t length = strcspn(word, " ");

        for (; words && *words; words += strcspn(words, ", "), words += strspn(words, ", "))
                if (strncmp(words, word, length) == 0 && strchr(", ", words[length]))
                        return true;
        return false;
}

bool goes_with(const struct command_option *option, const struct command_verb *verb)
{
        const char *name = verb->name ? verb->name : verb->words;

        if (option->verbs && *option->verbs == '!')
                return !has_word(option->verbs + 1, name);
        return !option->verbs || has_word(option->verbs, name);
}

const char *option_help(struct pxr_arena *arena, const struct command_option *option,
                        const struct command_verb *verb)
{
        bool prefix = !verb && option->verbs && *option->verbs != '!' &&
                      strncmp(option->help, "for ", 4) != 0;

        return pxr_strf(arena, "%s%s%s%s%s%s%s%s", prefix ? option->verbs : "", prefix ? ": " : "",
                        option->help, option->choices ? ": " : "",
                        option->choices ? list_of(arena, option->choices) : "",
                        option->initial ? " (default: " : "",
                        option->initial ? option->initial : "", option->initial ? ")" : "");
}

bool has_subcommands(void)
{
        return command.verbs[0].name || !command.verbs[0].run;
}

/* argp's table: the subcommands, then the options; of one subcommand, its options alone. */
static const struct argp_option *argp_rows(struct pxr_arena *arena, const struct command_verb *only)
{
        static struct argp_option rows[MOST_ROWS], *row = rows;
        const struct command_option *option = command.options;
        const struct command_verb *verb = command.verbs;
        int group = 0;

        for (; !only && has_subcommands() && verb->help; verb++)
                if (!verb->run)
                        *row++ = (struct argp_option) { .doc = verb->help, .group = ++group };
                else
                        *row++ = (struct argp_option) {
                                .name = pxr_strf(arena, "%s%s%s", verb->name ? verb->name : "",
                                                 verb->name && *verb->words ? " " : "",
                                                 verb->name && command.front ? "" : verb->words),
                                .flags = OPTION_DOC | OPTION_NO_USAGE,
                                .doc = verb->help,
                                .group = group
                        };
        if (group && option[0].name)
                *row++ = (struct argp_option) { .doc = "Options:", .group = ++group };
        for (int i = 0; option[i].help; i++)
                if (!option[i].name)
                        *row++ = (struct argp_option) { .doc = option[i].help, .group = ++group };
                else if (!only || goes_with(&option[i], only))
                        *row++ = (struct argp_option) {
                                .name = option[i].name,
                                .key = option[i].letter ? option[i].letter : FIRST_KEY + i,
                                .arg = option[i].argument,
                                .flags = option[i].hidden ? OPTION_HIDDEN : 0,
                                .doc = option_help(arena, &option[i], only),
                                .group = group
                        };
        return rows;
}

/* The subcommand of a name; NULL if there is none. */
static const struct command_verb *find_verb(const char *name)
{
        for (const struct command_verb *verb = command.verbs; verb->help; verb++)
                if (verb->run && (!verb->name || strcmp(verb->name, name) == 0))
                        return verb;
        return NULL;
}

/* The subcommand whose --help is asked for: "pxr-report show --help". NULL: none. */
static const struct command_verb *helped_verb(const struct pxr_arguments *typed)
{
        const struct command_verb *verb = NULL;
        bool help = false;

        for (size_t i = 0; i < typed->count && !command.front; i++) {
                help |= strcmp(typed->text[i], "--help") == 0 || strcmp(typed->text[i], "-?") == 0;
                if (!verb && *typed->text[i] != '-')
                        verb = find_verb(typed->text[i]);
        }
        return help && verb && verb->name ? verb : NULL;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static error_t parse(int key, char *text, struct argp_state *state)
{
        const struct command_option *option = command.options;
        struct program *program = state->input;

        if (key == ARGP_KEY_ARG)
                program->words.text[program->words.count++] = text;
        while (key == ARGP_KEY_ARG && command.front && state->next < state->argc)
                program->words.text[program->words.count++] = state->argv[state->next++];
        if (key == ARGP_KEY_NO_ARGS && !command.usual &&
            (has_subcommands() || *command.verbs->words != '['))
                argp_usage(state);
        if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
                return 0;
        for (int i = 0; option[i].help; i++)
                if (option[i].name && (key == option[i].letter || key == FIRST_KEY + i)) {
                        program->given |= (uint64_t)1 << i;
                        set_option(program, &option[i], text);
                        return 0;
                }
        return ARGP_ERR_UNKNOWN;
}

/* argp_parse(), which ends the program for --help and for unknown options. */
static int read_arguments(struct program *program, int argc, char **argv)
{
        const struct command_verb *only = helped_verb(&program->typed);
        const char *usage = only ? pxr_strf(program->arena, "%s %s", only->name, only->words)
                            : command.usage     ? command.usage
                            : has_subcommands() ? "COMMAND [WORD...]"
                                                : command.verbs[0].words;
        const char *doc = only ? only->help
                               : pxr_strf(program->arena, "%s\v%s", command.summary, command.text);
        const struct argp argp = { .options = argp_rows(program->arena, only),
                                   .parser = parse,
                                   .args_doc = usage,
                                   .doc = doc };
        error_t failed;

        if (pxr_arena_failed(program->arena))
                return -1;
        for (const struct command_option *option = command.options; option->help; option++)
                if (option->initial)
                        set_option(program, option, option->initial);
        /* Errors begin with the first argument, which may be the path of a file in a build tree. */
        if (argc > 0)
                argv[0] = (char *)command.name;
        failed = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, program);
        if (failed)
                return pxr_system_error(program->diag, "cannot read the arguments: %s",
                                        strerror(failed));
        return pxr_diag_errors(program->diag) ? -1 : 0;
}

/* --- checking ----------------------------------------------------------------------------------
 */

/* How many words "RUN [TAG...]" allows. */
static void count_words(const char *words, size_t *least, size_t *most)
{
        bool repeats = strstr(words, "...");

        *least = *most = 0;
        for (size_t length; *words; words += length + strspn(words + length, " ")) {
                length = strcspn(words, " ");
                *least += !memchr(words, '[', length) && !memchr(words, ']', length);
                *most = repeats ? SIZE_MAX : *most + 1;
        }
}

/* The command, or its subcommand, for messages. */
static const char *title_of(const struct program *program)
{
        return program->verb->name    ? program->verb->name
               : program->words.count ? program->words.text[0]
                                      : command.name;
}

static int check_words(const struct program *program)
{
        const struct pxr_arguments *words = &program->words;
        const char *takes = program->verb->words;
        size_t least, most;

        count_words(takes, &least, &most);
        if (words->count < least)
                return pxr_user_error(program->diag, "%s: missing argument; expected: %s",
                                      title_of(program), takes);
        if (words->count > most)
                return pxr_user_error(program->diag, "%s: unexpected argument '%s'%s%s",
                                      title_of(program), words->text[most],
                                      *takes ? "; expected: " : "", takes);
        for (size_t i = 1; strstr(takes, "[KEY=VALUE...]") && i < words->count; i++)
                if (!strchr(words->text[i], '='))
                        return pxr_user_error(program->diag, "expected KEY=VALUE, got '%s'",
                                              words->text[i]);
        return 0;
}

static int check_options(const struct program *program)
{
        const struct command_option *option = command.options;

        for (int i = 0; option[i].help; i++) {
                bool given = program->given >> i & 1;

                if (given && !goes_with(&option[i], program->verb))
                        return pxr_user_error(program->diag, "--%s: not an option of '%s'%s%s",
                                              option[i].name, title_of(program),
                                              *option[i].verbs == '!' ? "" : ", only of: ",
                                              *option[i].verbs == '!' ? "" : option[i].verbs);
                if (!given && program->verb->name &&
                    has_word(option[i].required, program->verb->name))
                        return pxr_user_error(program->diag, "%s: missing --%s %s",
                                              title_of(program), option[i].name,
                                              option[i].argument);
        }
        return 0;
}

size_t command_names(const char *names[MOST_NAMES])
{
        size_t count = 0;

        for (const struct command_verb *verb = command.verbs; verb->help; verb++)
                if (verb->name)
                        names[count++] = verb->name;
        names[count] = NULL;
        return count;
}

void hint_help(const struct program *program, const char *name)
{
        if (strcmp(name, "help") == 0)
                pxr_hint(program->diag, "use %s --help", command.name);
}

/* Find the subcommand, take its name from the words, and check that it goes with the rest. */
static int choose_verb(struct program *program)
{
        const char *names[MOST_NAMES];
        const char *name = program->words.count ? program->words.text[0] : command.usual;

        program->verb = name ? find_verb(name) : command.verbs;
        if (!program->verb) {
                pxr_user_error(program->diag, "unknown command '%s'", name);
                pxr_hint_nearest(program->diag, name, names, command_names(names));
                hint_help(program, name);
                return -1;
        }
        if (program->verb->name && program->words.count) {
                program->words.text++;
                program->words.count--;
        }
        return check_words(program) ? -1 : check_options(program);
}

/* --- version -----------------------------------------------------------------------------------
 */

/* "0f4537a00de9+" of a revision of 40 digits, to which git adds "-dirty" if files are modified. */
static const char *short_revision(struct pxr_arena *arena, const char *revision)
{
        return pxr_strf(arena, "%.12s%s", revision, strstr(revision, "-dirty") ? "+" : "");
}

/* --version. The name and number of the first line are all that scripts should read. */
static void print_version(FILE *to, struct argp_state *state)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        const struct pxr_run *now = arena ? pxr_provenance(arena, NULL) : NULL;

        (void)state;
        fprintf(to, "%s %s\n", command.name, PXR_VERSION);
        if (now && now->program_revision)
                fprintf(to, "revision   %s\n", short_revision(arena, now->program_revision));
        if (now)
                fprintf(to, "float32    %s\nbfloat16   %s\nBLAS       %s\n",
                        now->instruction_set ? now->instruction_set : "?",
                        pxr_bf16_unit_name(pxr_bf16_best_unit()), pxr_blas_name(arena));
        pxr_arena_free(arena);
}

/* --- running -----------------------------------------------------------------------------------
 */

/* As it is loaded, OpenBLAS starts a thread for each processor but one. Each needs 128 MB of
 * addresses, and tries for ever to get them. Workers have threads of their own: where `ulimit -v`
 * limits the addresses, begin again without those. */
static void begin_without_blas_threads(char **argv)
{
        static const char variable[] = "OPENBLAS_NUM_THREADS";
        const char *threads = getenv(variable);
        char path[PATH_MAX];
        struct rlimit limit;
        ssize_t length;

        if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
            (threads && strcmp(threads, "1") == 0))
                return;
        length = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (length <= 0 || setenv(variable, "1", 1) != 0)
                return;
        path[length] = '\0';
        execv(path, argv);
}

/* At exit, whoever called exit(): the work must be done, and all output must have been written. A
 * child process leaves this check to its parent. */
static pid_t process;
static bool may_exit;

static void at_exit(void)
{
        bool failed = ferror(stdout), pending = __fpending(stdout) > 0;

        if (getpid() != process)
                return;
        if (!may_exit) {
                fprintf(stderr,
                        "%s: error: the program was ended by exit() before its work was done, by a "
                        "layer plugin or a library\n",
                        command.name);
                fflush(NULL);
                _exit(1);
        }
        errno = 0;
        if (fclose(stdout) == 0 && !failed)
                return;
        if (!failed && !pending && errno == EBADF) /* closed from the start, and not missed */
                return;
        fprintf(stderr, "%s: error: cannot write to stdout%s%s\n", command.name, errno ? ": " : "",
                errno ? strerror(errno) : "");
        _exit(1);
}

int main(int argc, char **argv)
{
        struct program program = { .diag = pxr_diag_new(),
                                   .typed = { (const char **)argv + 1, argc > 0 ? argc - 1 : 0 } };
        int status = -1;

        begin_without_blas_threads(argv);
        process = getpid();
        may_exit = true; /* argp ends the program after --help */
        atexit(at_exit);
        signal(SIGXFSZ, SIG_IGN); /* a write past `ulimit -f` fails with EFBIG, which is reported */
        argp_program_version_hook = print_version;
        argp_err_exit_status = 2;
        program.arena = pxr_arena_new(0, program.diag);
        program.words.text =
                program.arena ? pxr_alloc_array(program.arena, (size_t)argc + 1, sizeof(char *))
                              : NULL;
        if (!program.diag || !program.words.text) {
                fprintf(stderr, "%s: out of memory\n", command.name);
                return 1;
        }
        if (argc == 3 && strcmp(argv[1], "--describe") == 0) /* used by the Makefile */
                status = describe_command(&program, argv[2]);
        else if (read_arguments(&program, argc, argv) == 0 && choose_verb(&program) == 0) {
                may_exit = false;
                status = program.verb->run(&program);
        }
        if (status <= 0)
                status = pxr_diag_errors(program.diag) ? pxr_diag_status(program.diag) : -status;
        pxr_diag_write(program.diag, command.name, stderr);
        pxr_diag_free(program.diag);
        pxr_arena_free(
                program.arena); /* unloads the plugins, which may not end the program either */
        may_exit = true;
        return status;
}

const char *command_line(const struct program *program, const char *except)
{
        const char *line = command.name;

        for (size_t i = 0; i < program->typed.count; i++)
                if (!has_word(except, program->typed.text[i]))
                        line = pxr_strf(program->arena, "%s %s", line,
                                        pxr_shell_word(program->arena, program->typed.text[i]));
        return line;
}

int usual_threads(void)
{
        int processors = omp_get_num_procs();

        return processors < MOST_THREADS ? processors : MOST_THREADS;
}

/* A launcher may have bound each process to its own processors, or to none. */
int usual_threads_of_rank(int ranks)
{
        long each = sysconf(_SC_NPROCESSORS_ONLN) / ranks;
        int bound = usual_threads();

        return each < 1 ? 1 : each < bound ? (int)each : bound;
}

bool option_given(const struct program *program, const char *name)
{
        for (int i = 0; command.options[i].help; i++)
                if (command.options[i].name && strcmp(command.options[i].name, name) == 0)
                        return program->given >> i & 1;
        return false;
}
