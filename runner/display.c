/* SPDX-License-Identifier: MIT */
/* display.c - the progress bar, and plain lines when stderr is not a terminal. */
#include "runner/display.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "runner/common.h"

enum { PLAIN_SECONDS = 10, BAR = 24 };

/* --- numbers -----------------------------------------------------------------------------------
 */

void display_write_time(double seconds, char *text, size_t size)
{
        long all = seconds < 1e8 ? lround(seconds) : 0;

        if (isnan(seconds) || seconds >= 1e8)
                snprintf(text, size, "-:--");
        else if (all >= 3600)
                snprintf(text, size, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
        else
                snprintf(text, size, "%ld:%02ld", all / 60, all % 60);
}

const char *display_size(double bytes)
{
        static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
        static char texts[4][32];
        static int at;
        char *text = texts[at++ % 4];
        int unit = 0;

        for (; bytes >= 999.5 && unit < 4; unit++)
                bytes /= 1000;
        snprintf(text, sizeof texts[0], unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
        return text;
}

const char *display_epoch(double epoch)
{
        static char text[40];

        snprintf(text, sizeof(text), "  (epoch %.4g)", epoch);
        return text;
}

static void write_rate(FILE *to, const struct pxr_progress *p, double rate)
{
        bool bytes = strcmp(p->unit, "bytes") == 0;

        if (bytes)
                fprintf(to, "%s of %s  ", display_size((double)p->done),
                        p->all > 0 ? display_size((double)p->all) : "?");
        if (rate > 0 && bytes)
                fprintf(to, "%s/s  ", display_size(rate));
        else if (rate > 0)
                fprintf(to, "%.*f %s/s  ", rate < 9.5 ? 1 : 0, rate, p->unit);
}

/* What is known beside the percentage; nothing is written when nothing is. What the work does not
 * report is measured here, from the first report about it. */
static void write_numbers(const struct display *display, const struct pxr_progress *p, char *text,
                          size_t size)
{
        FILE *to = fmemopen(text, size - 1, "w");
        double seconds = pxr_now() - display->began, left = p->seconds_left, rate = p->rate;
        char number[PXR_NUMBER_TEXT], time[32];

        text[0] = text[size - 1] = '\0';
        if (!to)
                return;
        if (!(rate > 0) && !p->detail && seconds > 0.5)
                rate = (double)(p->done - display->first) / seconds;
        if (!(left > 0) && !(p->rate > 0) && rate > 0 && p->all > 0)
                left = (double)(p->all - p->done) / rate;
        if (p->epoch > 0)
                fprintf(to, "epoch %.2f  ", p->epoch);
        if (p->nll > 0)
                fprintf(to, "%s %s  ", pxr_number_text(p->nll, p->in_bits ? 4 : 3, number),
                        p->in_bits ? "bits/dim" : "nats");
        if (p->detail)
                fprintf(to, "%s  ", p->detail);
        else
                write_rate(to, p, rate);
        if (left > 0) {
                display_write_time(left, time, sizeof(time));
                fprintf(to, "%s left", time);
        }
        fclose(to);
}

/* --- lines -------------------------------------------------------------------------------------
 */

/* The bar takes the width that the text leaves. The line is shorter than the terminal: a line that
 * wraps cannot be drawn over. */
static void draw_bar(const char *what, double part, const char *numbers)
{
        struct winsize window;
        bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
        int width = (known ? window.ws_col : 80) - 1;
        int left = width - (int)(strlen(what) + strlen(numbers) + strlen(" [] 100%  "));
        char bar[BAR + 1], line[320];

        left = left < 0 ? 0 : left > BAR ? BAR : left;
        for (int i = 0; i < left; i++)
                bar[i] = i < part * left ? '#' : '.';
        bar[left] = '\0';
        snprintf(line, sizeof(line), "%s [%s] %3.0f%%  %s", what, bar, 100 * part, numbers);
        fputs("\r\033[K", stderr);
        say(stderr, "%.*s", width, line);
}

void display_end(struct display *display)
{
        if (display->bar)
                fputs("\r\033[K", stderr);
        display->bar = false;
}

static void draw(struct display *display, const struct pxr_progress *p)
{
        double part = p->all > 0 ? (double)p->done / (double)p->all : 0;
        char numbers[160];

        write_numbers(display, p, numbers, sizeof(numbers));
        if (display->terminal) {
                draw_bar(display->what, part, numbers);
                display->bar = true;
        } else if (*numbers) {
                say(stderr, "%s %3.0f%%  %s\n", display->what, 100 * part, numbers);
        } else {
                return;
        }
        display->next = pxr_now() + (display->terminal ? 0.2 : PLAIN_SECONDS);
}

/* Another piece of work is drawn at once on a terminal; plain lines keep their interval. */
bool display_progress(void *context, const struct pxr_progress *p)
{
        struct display *display = context;
        const char *slash = strrchr(p->what, '/');
        const char *what = slash && slash[1] ? slash + 1 : p->what;
        double now = pxr_now();

        if (strncmp(display->what, what, sizeof(display->what) - 1) != 0 ||
            p->done < display->last) {
                snprintf(display->what, sizeof(display->what), "%s", what);
                display->first = p->done;
                display->began = now;
                if (display->terminal)
                        display->next = now;
        }
        display->last = p->done;
        if (p->all > 0 && p->done == p->all)
                display_end(display);
        else if (display->lines && !stop_asked && now >= display->next)
                draw(display, p);
        return stop_asked;
}

void display_line(struct display *display, const char *format, ...)
{
        va_list arguments;

        if (!display->lines)
                return;
        display_end(display);
        va_start(arguments, format);
        vsay(display->lines, format, arguments);
        va_end(arguments);
        putc('\n', display->lines);
        fflush(display->lines);
}

static void print_note(void *context, const char *text)
{
        display_line(context, "%s", text);
}

void display_init(struct display *display, FILE *lines)
{
        *display = (struct display) { .observer = { display, display_progress, print_note },
                                      .lines = lines,
                                      .terminal = isatty(STDERR_FILENO),
                                      .next = pxr_now() + PLAIN_SECONDS };
}
