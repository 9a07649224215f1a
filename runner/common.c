/* SPDX-License-Identifier: MIT */
/* common.c - printing text of unknown origin, file names, and signals. */
#define _GNU_SOURCE /* vasprintf() */
#include "runner/common.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "report/escape.h"

void vsay(FILE *to, const char *format, va_list arguments)
{
        size_t length = strlen(format), before = strspn(format, "\n"), after = 0;
        char *text;

        while (after < length - before && format[length - 1 - after] == '\n')
                after++;
        if (vasprintf(&text, format, arguments) < 0) {
                fputs("out of memory\n", to);
                return;
        }
        text[strlen(text) - after] = '\0';
        fprintf(to, "%.*s", (int)before, format);
        pxr_escape_text(to, text + before);
        fputs(format + length - after, to);
        free(text);
}

void say(FILE *to, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsay(to, format, arguments);
        va_end(arguments);
}

void say_lines(FILE *to, const char *text)
{
        while (text && *text) {
                int length = (int)strcspn(text, "\n");

                say(to, "%.*s\n", length, text);
                text += length + (text[length] == '\n');
        }
}

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

static volatile sig_atomic_t patient;

static void on_signal(int number)
{
        stop_asked = number;
        if (!patient)
                signal(number, SIG_DFL);
}

void watch_signals(void)
{
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
}

void watch_signals_patiently(void)
{
        patient = 1;
        watch_signals();
}

const char *error_text(double error, char text[ERROR_TEXT])
{
        char number[PXR_NUMBER_TEXT];

        *text = '\0';
        if (!isnan(error))
                snprintf(text, ERROR_TEXT, " (+- %s)", pxr_number_text(error, 4, number));
        return text;
}
