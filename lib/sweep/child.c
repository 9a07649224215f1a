/* SPDX-License-Identifier: MIT */
/*
 * child.c - running other programs and reading their errors.
 */
#define _GNU_SOURCE /* pipe2(), memfd_create(), strsignal() */
#include "sweep/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

char *pxr_program_beside(struct pxr_arena *arena, const char *name)
{
        char path[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
        char *slash;

        path[length > 0 ? length : 0] = '\0';
        slash = strrchr(path, '/');
        if (!slash)
                return pxr_strdup(arena, name);
        return pxr_strf(arena, "%.*s/%s", (int)(slash - path), path, name);
}

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

int pxr_child_start(struct pxr_child *child, const char *const *arguments, struct pxr_diag *diag)
{
        int ends[2], status;

        *child = (struct pxr_child) { .started = pxr_now() };
        if (pipe2(ends, O_CLOEXEC))
                return pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(errno));
        status = spawn(&child->process, arguments, (const int[]) { -1, -1, ends[1] });
        close(ends[1]);
        child->output = ends[0];
        if (status == 0)
                return 0;
        close(ends[0]);
        return pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(status));
}

/* A line is complete. */
static void take_line(struct pxr_child *child)
{
        const char *error = strstr(child->line, "error: ");

        if (*child->line)
                memcpy(child->last, child->line, sizeof(child->last));
        if (error && !*child->error)
                snprintf(child->error, sizeof(child->error), "%s", error + strlen("error: "));
        child->line[0] = '\0';
}

int pxr_child_read(struct pxr_child *child)
{
        char buffer[4096];
        ssize_t got = read(child->output, buffer, sizeof(buffer));
        size_t length = strlen(child->line);

        if (got < 0)
                return errno == EINTR || errno == EAGAIN;
        for (ssize_t i = 0; i < got; i++) {
                if (buffer[i] == '\n') {
                        take_line(child);
                        length = 0;
                } else if (length + 1 < sizeof(child->line)) {
                        child->line[length++] = buffer[i];
                        child->line[length] = '\0';
                }
        }
        if (got == 0)
                take_line(child);
        return got > 0;
}

static int wait_for(pid_t process)
{
        int status = 0;

        while (waitpid(process, &status, 0) < 0 && errno == EINTR)
                continue;
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int pxr_child_end(struct pxr_child *child)
{
        close(child->output);
        return wait_for(child->process);
}

/* --- a program with input and output -----------------------------------------------------------
 */

/* The contents of a file in memory, without line breaks at the end. */
static char *contents(struct pxr_arena *arena, int file)
{
        off_t size = lseek(file, 0, SEEK_END);
        char *text = size < 0 ? NULL : pxr_alloc(arena, (size_t)size + 1);

        if (!text || pread(file, text, (size_t)size, 0) != size)
                return NULL;
        while (size > 0 && text[size - 1] == '\n')
                text[--size] = '\0';
        return text;
}

/* Files in memory, unlike pipes, take all output before anybody reads it. */
static int ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
               const int file[3], struct pxr_answer *answer)
{
        size_t size = strlen(input);
        pid_t process;
        int error;

        if (write(file[0], input, size) != (ssize_t)size || lseek(file[0], 0, SEEK_SET) != 0)
                return -1;
        error = spawn(&process, arguments, file);
        if (error) {
                errno = error;
                return -1;
        }
        answer->status = wait_for(process);
        answer->output = contents(arena, file[1]);
        answer->messages = contents(arena, file[2]);
        errno = ENOMEM;
        return answer->output && answer->messages ? 0 : -1;
}

int pxr_child_ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
                  struct pxr_answer *answer, struct pxr_diag *diag)
{
        int file[3], status = 0, error;

        for (int i = 0; i < 3; i++)
                if ((file[i] = memfd_create("pxr", MFD_CLOEXEC)) < 0)
                        status = -1;
        if (!status)
                status = ask(arena, arguments, input, file, answer);
        error = errno;
        for (int i = 0; i < 3; i++)
                if (file[i] >= 0)
                        close(file[i]);
        if (status && error != ENOENT)
                pxr_system_error(diag, "cannot start %s: %s", arguments[0], strerror(error));
        errno = error;
        return status;
}

char *pxr_child_reason(struct pxr_arena *arena, const struct pxr_child *child, int status)
{
        if (status < 0)
                return pxr_strf(arena, "killed by signal %d (%s)", -status, strsignal(-status));
        if (*child->error || *child->last)
                return pxr_strdup(arena, *child->error ? child->error : child->last);
        return pxr_strf(arena, "ended with exit status %d and no message", status);
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

pid_t pxr_end_with_parent(void)
{
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        return getppid(); /* another one, if the parent has died already */
}
