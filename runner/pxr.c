/* SPDX-License-Identifier: MIT */
/*
 * pxr.c - the command that runs the others: `pxr run` is `pxr-run`.
 *
 * They are looked for beside this program, then on $PATH, where a user's own may be.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/installed.h"
#include "base/installed_paths.h"
#include "base/program.h"
#include "runner/command.h"
#include "runner/texts.h"

/* --- commands ----------------------------------------------------------------------------------
 */

/* The commands there are, those of the user on $PATH included. Returns how many. */
static size_t all_names(struct pxr_arena *arena, const char *names[MOST_NAMES])
{
        size_t count = command_names(names);
        char *path = pxr_strdup(arena, getenv("PATH") ? getenv("PATH") : "");
        glob_t found;

        for (const char *folder; (folder = strsep(&path, ":"));) {
                if (glob(pxr_strf(arena, "%s/pxr-*", folder), 0, NULL, &found) != 0)
                        continue;
                for (size_t i = 0; i < found.gl_pathc && count < MOST_NAMES; i++)
                        names[count++] = pxr_strdup(arena, strrchr(found.gl_pathv[i], '/') +
                                                                   strlen("/pxr-"));
                globfree(&found);
        }
        return count;
}

/* Become the command pxr-NAME, with these arguments, which end with NULL. Returns only after an
 * error: -1. */
static int become(struct program *program, const char *name, const char *const *arguments)
{
        const char *full = pxr_strf(program->arena, "pxr-%s", name), *names[MOST_NAMES];
        const char *beside = pxr_program_beside(program->arena, full);
        const char *const first[] = { full, NULL };
        const char *const *line = pxr_join_arguments(
                program->arena, (const char *const *const[]) { first, arguments, NULL });

        if (pxr_arena_failed(program->arena))
                return -1;
        errno = ENOENT;
        if (!strchr(name, '/'))
                execvp(access(beside, X_OK) == 0 ? beside : full, (char *const *)line);
        if (errno != ENOENT)
                return pxr_system_error(program->diag, "cannot run %s: %s", full, strerror(errno));
        pxr_user_error(program->diag, "unknown command '%s'", name);
        pxr_hint_nearest(program->diag, name, names, all_names(program->arena, names));
        return -1;
}

static int run_command(struct program *program)
{
        return become(program, program->verb->name, program->words.text);
}

/* A name that is not in the table. */
static int run_own(struct program *program)
{
        return become(program, program->words.text[0], program->words.text + 1);
}

/* --- help --------------------------------------------------------------------------------------
 */

/* The file of a man page, which a distribution may have compressed; NULL if it is not there. */
static const char *page_file(struct pxr_arena *arena, const char *page)
{
        static const char *const endings[] = { ".1", ".1.gz" };

        for (size_t i = 0; i < PXR_COUNT(endings); i++) {
                const char *file = pxr_installed(
                        arena, pxr_strf(arena, "runner/described/%s%s", page, endings[i]),
                        pxr_strf(arena, PXR_MANDIR "/man1/%s%s", page, endings[i]));

                if (access(file, R_OK) == 0)
                        return file;
        }
        return NULL;
}

/* Open the man page of a command or a subcommand; where there is none, or no `man`, print --help.
 */
static int help(struct program *program)
{
        const char *page = "pxr", *file;
        const char *const *word = program->words.text;
        size_t count = program->words.count;
        const char **arguments = pxr_alloc_array(program->arena, count + 2, sizeof(*arguments));

        if (count == 1 && strcmp(word[0], "help") == 0)
                count = 0;
        for (size_t i = 0; i < count; i++)
                page = pxr_strf(program->arena, "%s-%s", page, word[i]);
        file = page_file(program->arena, page);
        if (!arguments || pxr_arena_failed(program->arena))
                return -1;
        if (file && !strchr(page, '/'))
                execlp("man", "man", file, (char *)NULL);
        for (size_t i = 1; i < count; i++)
                arguments[i - 1] = word[i];
        arguments[count ? count - 1 : 0] = "--help";
        if (count)
                return become(program, word[0], arguments);
        execl(pxr_program_beside(program->arena, "pxr"), "pxr", "--help", (char *)NULL);
        return pxr_system_error(program->diag, "cannot run pxr: %s", strerror(errno));
}

/* --- the command -------------------------------------------------------------------------------
 */

static const struct command_option options[] = { { 0 } };

static const struct command_verb verbs[] = {
        { .help = "Commands:" },
#include "runner/commands.h" /* a row for each command, made when they are built */
        { .help = "Others:" },
        { "help", "[COMMAND [SUBCOMMAND]]", "open the man page of a command", .run = help },
        { NULL, "NAME [ARGUMENT...]", "run pxr-NAME, a command of your own on $PATH",
          .run = run_own },
        { 0 },
};

const struct command command = {
        .name = "pxr",
        .summary = "Train and compare autoregressive image models.",
        .text = PXR_TEXT,
        .options = options,
        .verbs = verbs,
        .front = true,
};
