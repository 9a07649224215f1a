/* SPDX-License-Identifier: MIT */
/* display.c - the progress bar, and plain lines where there is no terminal. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "runner/bar.h"
#include "runner/common.h"

enum { PLAIN_SECONDS = 10 };

struct run_display {
        bool shown, terminal, bar;
        double next; /* when to draw again */
        const char *what;
};

struct run_display *display_new(bool shown)
{
        struct run_display *display = calloc(1, sizeof(*display));

        if (!display) {
                fputs("out of memory\n", stderr);
                return NULL;
        }
        display->shown = shown;
        display->terminal = isatty(STDERR_FILENO);
        display->next = display->terminal ? 0 : pxr_now() + PLAIN_SECONDS;
        return display;
}

void display_free(struct run_display *display)
{
        free(display);
}

void display_end(struct run_display *display)
{
        if (display->bar)
                bar_clear();
        display->bar = false;
}

static void write_numbers(const struct pxr_progress *p, char *text, size_t size)
{
        char left[32], nll[PXR_NUMBER_TEXT];
        int length = 0;

        *text = '\0';
        if (strcmp(p->what, "training") == 0)
                length = snprintf(text, size, "epoch %.2f  ", p->epoch);
        if (!isnan(p->nll))
                length += snprintf(text + length, size - length, "%s %s  ",
                                   pxr_number_text(p->nll, p->in_bits ? 4 : 3, nll),
                                   p->in_bits ? "bits/dim" : "nats");
        if (!isnan(p->rate))
                length +=
                        snprintf(text + length, size - length, "%.*f %s/s  ", p->rate < 9.5 ? 1 : 0,
                                 p->rate, strcmp(p->what, "sampling") == 0 ? "pixels" : "images");
        if (!isnan(p->seconds_left)) {
                bar_write_time(p->seconds_left, left, sizeof(left));
                snprintf(text + length, size - length, "%s left", left);
        }
}

static void draw_bar(struct run_display *display, const struct pxr_progress *p, double part)
{
        char numbers[128];

        write_numbers(p, numbers, sizeof(numbers));
        bar_draw(p->what, part, numbers);
        display->bar = true;
}

/* A line that would say nothing but how much is done waits until it can say more. */
static bool print_plain(const struct pxr_progress *p, double part)
{
        char numbers[128];

        if (isnan(p->seconds_left) && isnan(p->rate) && isnan(p->nll))
                return false;
        write_numbers(p, numbers, sizeof(numbers));
        bar_print_plain(p->what, part, numbers);
        return true;
}

/* A bar is drawn at once for another kind of work; plain lines are not hastened by it. */
void display_progress(struct run_display *display, const struct pxr_progress *p)
{
        double now = pxr_now(), part = p->all ? (double)p->done / (double)p->all : 1;
        bool fresh = !display->what || strcmp(display->what, p->what) != 0;

        if (!display->shown || (now < display->next && !(fresh && display->terminal)))
                return;
        display->what = p->what;
        if (display->terminal) {
                display->next = now + 0.2;
                draw_bar(display, p, part);
        } else if (print_plain(p, part)) {
                display->next = now + PLAIN_SECONDS;
        }
}

void display_line(struct run_display *display, const char *format, ...)
{
        va_list arguments;

        if (!display->shown)
                return;
        display_end(display);
        va_start(arguments, format);
        vsay(stdout, format, arguments);
        va_end(arguments);
        putchar('\n');
        fflush(stdout);
}

const char *display_epoch(double epoch)
{
        static char text[40];

        snprintf(text, sizeof(text), "  (epoch %.4g)", epoch);
        return text;
}
