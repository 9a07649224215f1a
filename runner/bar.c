/* SPDX-License-Identifier: MIT */
/* bar.c - the one line of a progress bar. */
#include "runner/bar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runner/common.h"

enum { BAR = 24 };

/* Columns of the terminal; 80 where it does not say. */
static int columns(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* The bar takes what the words leave of the line, and the line ends before the terminal's: one that
 * wraps cannot be drawn over. */
void bar_draw(const char *what, double part, const char *numbers)
{
        char bar[BAR + 1], line[256];
        int width = columns() - 1;
        int left = width - (int)(strlen(what) + strlen(numbers) + strlen(" [] 100%  "));

        left = left < 0 ? 0 : left > BAR ? BAR : left;
        for (int i = 0; i < left; i++)
                bar[i] = i < part * left ? '#' : '.';
        bar[left] = '\0';
        snprintf(line, sizeof(line), "%s [%s] %3.0f%%  %s", what, bar, 100 * part, numbers);
        fputs("\r\033[K", stderr);
        say(stderr, "%.*s", width, line);
}

void bar_clear(void)
{
        fputs("\r\033[K", stderr);
}

void bar_print_plain(const char *what, double part, const char *numbers)
{
        say(stderr, "%s %3.0f%%  %s\n", what, 100 * part, numbers);
}

void bar_write_time(double seconds, char *text, size_t size)
{
        long all = seconds < 1e8 ? lround(seconds) : 0;

        if (isnan(seconds) || seconds >= 1e8)
                snprintf(text, size, "-:--");
        else if (all >= 3600)
                snprintf(text, size, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
        else
                snprintf(text, size, "%ld:%02ld", all / 60, all % 60);
}
