/* SPDX-License-Identifier: MIT */
/* program.c - running other programs, and command lines. */
#define _GNU_SOURCE /* pipe2(), memfd_create(), strsignal() */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

extern char **environ;

/* `file` are its stdin, stdout and stderr; -1: /dev/null. Returns an error number. */
static int spawn(pid_t *process, const char *const *arguments, const int file[3])
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int status;

        posix_spawn_file_actions_init(&actions);
        for (int i = 0; i < 3; i++)
                if (file[i] < 0)
                        posix_spawn_file_actions_addopen(&actions, i, "/dev/null",
                                                         i ? O_WRONLY : O_RDONLY, 0);
                else
                        posix_spawn_file_actions_adddup2(&actions, file[i], i);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        posix_spawnattr_setpgroup(&attributes, 0);
        status = posix_spawnp(process, arguments[0], &actions, &attributes,
                              (char *const *)arguments, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return status;
}

static int wait_for(pid_t process)
{
        int status = 0;

        while (waitpid(process, &status, 0) < 0 && errno == EINTR)
                continue;
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- a program at work -------------------------------------------------------------------------
 */

int pxr_program_start(struct pxr_program *program, const char *const *arguments,
                      struct pxr_diag *diag)
{
        int ends[2], status;

        *program = (struct pxr_program) { .started = pxr_now() };
        if (pipe2(ends, O_CLOEXEC))
                return pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(errno));
        status = spawn(&program->process, arguments, (const int[]) { -1, -1, ends[1] });
        close(ends[1]);
        program->messages = ends[0];
        if (status == 0)
                return 0;
        close(ends[0]);
        return pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(status));
}

/* A line is complete. */
static void end_line(struct pxr_program *program)
{
        const char *error = strstr(program->line, "error: ");

        if (program->line[strspn(program->line, "-")]) /* not a line that mpirun draws */
                memcpy(program->last, program->line, sizeof(program->last));
        if (error && !*program->error)
                snprintf(program->error, sizeof(program->error), "%s", error + strlen("error: "));
        program->line[0] = '\0';
}

bool pxr_program_read(struct pxr_program *program)
{
        char buffer[4096];
        ssize_t got = read(program->messages, buffer, sizeof(buffer));
        size_t length = strlen(program->line);

        if (got < 0)
                return errno == EINTR || errno == EAGAIN;
        for (ssize_t i = 0; i < got; i++) {
                if (buffer[i] == '\n') {
                        end_line(program);
                        length = 0;
                } else if (length + 1 < sizeof(program->line)) {
                        program->line[length++] = buffer[i];
                        program->line[length] = '\0';
                }
        }
        if (got == 0)
                end_line(program);
        return got > 0;
}

int pxr_program_end(struct pxr_program *program)
{
        close(program->messages);
        return wait_for(program->process);
}

char *pxr_program_reason(struct pxr_arena *arena, const struct pxr_program *program, int status)
{
        if (status < 0)
                return pxr_strf(arena, "killed by signal %d (%s)", -status, strsignal(-status));
        if (*program->error || *program->last)
                return pxr_strdup(arena, *program->error ? program->error : program->last);
        return pxr_strf(arena, "ended with exit status %d and no message", status);
}

/* --- a program with input and output -----------------------------------------------------------
 */

/* Read a file to its end, without line breaks there. */
static char *read_text(struct pxr_arena *arena, int file, size_t limit, bool *cut)
{
        struct pxr_stream stream;
        bool open = pxr_stream_open(&stream, arena) == 0;
        char buffer[4096], *text;
        size_t kept = 0, length;
        ssize_t got;

        while ((got = read(file, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR)) {
                size_t more = got > 0 ? (size_t)got : 0;

                *cut = kept + more > limit;
                more = *cut ? limit - kept : more;
                kept += open ? fwrite(buffer, 1, more, stream.to) : 0;
        }
        text = open ? pxr_stream_close(&stream) : pxr_strdup(arena, "");
        for (length = strlen(text); length > 0 && text[length - 1] == '\n'; length--)
                text[length - 1] = '\0';
        return text;
}

int pxr_program_ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
                    size_t limit, struct pxr_answer *answer, struct pxr_diag *diag)
{
        /* Unlike a pipe, a file in memory takes all messages before anybody reads them. */
        int in = memfd_create("pxr", MFD_CLOEXEC), messages = memfd_create("pxr", MFD_CLOEXEC);
        int output[2] = { -1, -1 }, error = 0;
        size_t size = strlen(input);
        bool cut = false;
        pid_t process;

        *answer = (struct pxr_answer) { 0 };
        if (in < 0 || messages < 0 || pipe2(output, O_CLOEXEC) ||
            pwrite(in, input, size, 0) != (ssize_t)size)
                error = errno;
        else
                error = spawn(&process, arguments, (const int[]) { in, output[1], messages });
        close(output[1]);
        if (!error) {
                answer->output = read_text(arena, output[0], limit, &answer->cut);
                answer->status = wait_for(process);
                lseek(messages, 0, SEEK_SET);
                answer->messages = read_text(arena, messages, limit, &cut);
                error = pxr_arena_failed(arena) ? ENOMEM : 0;
        }
        close(in);
        close(messages);
        close(output[0]);
        if (error && error != ENOENT)
                pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(error));
        errno = error;
        return error ? -1 : 0;
}

/* --- command lines -----------------------------------------------------------------------------
 */

const char *const *pxr_join_arguments(struct pxr_arena *arena, const char *const *const *lists)
{
        const char **all;
        size_t count = 0;

        for (int i = 0; lists[i]; i++)
                for (int k = 0; lists[i][k]; k++)
                        count++;
        all = pxr_alloc_array(arena, count + 1, sizeof(*all));
        count = 0;
        for (int i = 0; all && lists[i]; i++)
                for (int k = 0; lists[i][k]; k++)
                        all[count++] = lists[i][k];
        return all;
}

char *pxr_shell_word(struct pxr_arena *arena, const char *word)
{
        size_t length = strlen(word);
        char *quoted;

        if (length && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "_-+=.,:/%@") == length)
                return pxr_strdup(arena, word);
        length = strcspn(word, "'");
        quoted = pxr_strf(arena, "'%.*s", (int)length, word);
        for (word += length; *word; word += 1 + length) {
                length = strcspn(word + 1, "'");
                quoted = pxr_strf(arena, "%s'\\''%.*s", quoted, (int)length, word + 1);
        }
        return pxr_strf(arena, "%s'", quoted);
}

char *pxr_shell_line(struct pxr_arena *arena, const char *const *words)
{
        char *line = pxr_strdup(arena, "");

        for (int i = 0; words && words[i]; i++)
                line = pxr_strf(arena, "%s%s%s", line, i ? " " : "",
                                pxr_shell_word(arena, words[i]));
        return line;
}
