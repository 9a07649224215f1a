/* SPDX-License-Identifier: MIT */
/* common.c - printing text of unknown origin, short texts, JSON, file names, signals, and joining
 * ranks. */
#define _GNU_SOURCE /* vasprintf() */
#include "runner/common.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "report/escape.h"

/* --- printing ----------------------------------------------------------------------------------
 */

void vsay(FILE *to, const char *format, va_list arguments)
{
        size_t length = strlen(format);
        bool line = length > 0 && format[length - 1] == '\n';
        char *text;

        if (vasprintf(&text, format, arguments) < 0) {
                fputs("out of memory\n", to);
                return;
        }
        text[strlen(text) - line] = '\0';
        pxr_escape(to, PXR_ESCAPE_TEXT, text);
        if (line)
                putc('\n', to);
        free(text);
}

void say(FILE *to, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsay(to, format, arguments);
        va_end(arguments);
}

void say_lines(FILE *to, const char *text, int indent)
{
        while (text && *text) {
                int length = (int)strcspn(text, "\n");

                say(to, "%*s%.*s\n", indent, "", length, text);
                text += length + (text[length] == '\n');
        }
}

/* --- short texts -------------------------------------------------------------------------------
 */

const char *brief(const char *format, ...)
{
        static char texts[16][400];
        static unsigned next;
        char *text = texts[next++ % 16];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(texts[0]), format, arguments);
        va_end(arguments);
        return text;
}

const char *number_text(double value, int decimals)
{
        char text[PXR_NUMBER_TEXT];

        return brief("%s", pxr_number_text(value, decimals, text));
}

const char *size_text(double bytes)
{
        static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
        int unit = 0;

        for (; bytes >= 999.5 && unit < 4; unit++)
                bytes /= 1000;
        return brief("%.*f %s", unit > 0, bytes, units[unit]);
}

const char *time_text(double seconds)
{
        long all = seconds < 1e8 ? lround(seconds) : 0;

        if (isnan(seconds) || seconds >= 1e8)
                return "-:--";
        if (all >= 3600)
                return brief("%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
        return brief("%ld:%02ld", all / 60, all % 60);
}

const char *error_text(double error)
{
        return isnan(error) ? "" : brief(" (+- %s)", number_text(error, 4));
}

/* --- JSON --------------------------------------------------------------------------------------
 */

void add_json(json_t **whole, const char *key, json_t *value)
{
        pxr_json_add(whole, key, value);
}

json_t *json_number(double value)
{
        return isfinite(value) ? json_real(value) : json_null();
}

int print_json(json_t *root, struct pxr_diag *diag)
{
        int status = pxr_json_write(root, stdout);

        json_decref(root);
        return status ? pxr_system_error(
                                diag, "the result cannot be printed as JSON: a name in it is not "
                                      "UTF-8, a number is not finite, or memory is out")
                      : 0;
}

/* --- files and signals -------------------------------------------------------------------------
 */

const char *free_name(const char *usual)
{
        static char name[64];
        const char *dot = strrchr(usual, '.');
        struct stat status;

        snprintf(name, sizeof(name), "%s", usual);
        for (int number = 2; lstat(name, &status) == 0; number++)
                snprintf(name, sizeof(name), "%.*s-%d%s", (int)(dot - usual), usual, number, dot);
        return name;
}

int may_write(const char *path, bool force, struct pxr_diag *diag)
{
        int status = pxr_file_may_write(path, force, diag);

        if (status && !force && access(path, F_OK) == 0)
                pxr_note(diag, "use --force to overwrite it, or --out for another file");
        return status;
}

volatile sig_atomic_t stop_asked;

static volatile sig_atomic_t asks_once_more;

static void on_signal(int number)
{
        stop_asked = number;
        if (!asks_once_more)
                signal(number, SIG_DFL);
}

void watch_signal(int number)
{
        signal(number, on_signal);
}

void watch_signals(bool patient)
{
        asks_once_more = patient;
        watch_signal(SIGINT);
        watch_signal(SIGTERM);
}

static char late[200];

static void on_alarm(int number)
{
        ssize_t written = write(STDERR_FILENO, late, strlen(late));

        (void)number;
        (void)written;
        _exit(1);
}

/* Rank 0 reports, another one only if rank 0 itself is late. */
static double patience_at_start(double timeout)
{
        const char *rank = getenv("OMPI_COMM_WORLD_RANK");

        rank = rank ? rank : getenv("PMIX_RANK");
        rank = rank ? rank : getenv("PMI_RANK");
        return rank && atoi(rank) > 0 ? 15 * timeout + 5 : 10 * timeout;
}

int join_ranks(struct pxr_arena *arena, double timeout, struct pxr_ranks **ranks,
               struct pxr_diag *diag)
{
        double seconds = ceil(patience_at_start(timeout));
        int status;

        if (pxr_ranks_launched()) {
                snprintf(late, sizeof(late),
                         "%s: error: not all ranks have started after %.0f seconds: a process "
                         "hangs, or they cannot reach each other\n",
                         program_invocation_short_name, seconds);
                signal(SIGALRM, on_alarm);
                alarm((unsigned)seconds);
        }
        status = pxr_ranks_join(arena, &stop_asked, timeout, ranks, diag);
        alarm(0);
        return status;
}
