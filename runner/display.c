/* SPDX-License-Identifier: MIT */
/* display.c - the progress bar, and plain lines when stderr is not a terminal. */
#include "runner/common.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "tensor/generation_schedule.h"

enum { PLAIN_SECONDS = 10, BAR = 24 };

/* There is one standard error to show it on. */
static struct {
        FILE *lines;
        bool terminal, bar;
        double next;         /* when to draw again */
        char what[64];       /* the piece of work: */
        int64_t first, last; /* done when it began, and at the last report */
        double began;
} shown;

/* --- the bar -----------------------------------------------------------------------------------
 */

static const char *rate_text(const struct pxr_progress *p, double rate)
{
        const char *all = p->all > 0 ? size_text((double)p->all) : "?";

        if (strcmp(p->unit, "bytes") == 0)
                return brief("%s of %s  %s%s", size_text((double)p->done), all,
                             rate > 0 ? size_text(rate) : "", rate > 0 ? "/s  " : "");
        return rate > 0 ? brief("%.*f %s/s  ", rate < 9.5, rate, p->unit) : "";
}

/* The text beside the percentage, "" if there is nothing to say. A rate that the work does not
 * report is measured here, from its first report on. */
static const char *numbers_text(const struct pxr_progress *p)
{
        double seconds = pxr_now() - shown.began, left = p->seconds_left, rate = p->rate;

        if (!(rate > 0) && !p->detail && seconds > 0.5)
                rate = (double)(p->done - shown.first) / seconds;
        if (!(left > 0) && !(p->rate > 0) && rate > 0 && p->all > 0)
                left = (double)(p->all - p->done) / rate;
        return brief("%s%s%s%s%s", p->epoch > 0 ? brief("epoch %.2f  ", p->epoch) : "",
                     p->nll > 0 ? number_text(p->nll, p->in_bits ? 4 : 3) : "",
                     p->nll <= 0  ? ""
                     : p->in_bits ? " bits/dim  "
                                  : " nats  ",
                     p->detail ? brief("%s  ", p->detail) : rate_text(p, rate),
                     left > 0 ? brief("%s left", time_text(left)) : "");
}

/* The bar takes the width beside the text. The line is shorter than the terminal, since a wrapped
 * line cannot be overwritten. */
static void draw_bar(double part, const char *numbers)
{
        struct winsize window;
        bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
        int width = (known ? window.ws_col : 80) - 1;
        int left = width - (int)(strlen(shown.what) + strlen(numbers) + strlen(" [] 100%  "));
        char bar[BAR + 1];

        left = left < 0 ? 0 : left > BAR ? BAR : left;
        for (int i = 0; i < left; i++)
                bar[i] = i < part * left ? '#' : '.';
        bar[left] = '\0';
        fputs("\r\033[K", stderr);
        say(stderr, "%.*s", width,
            brief("%s [%s] %3.0f%%  %s", shown.what, bar, 100 * part, numbers));
        shown.bar = true;
}

static void draw(const struct pxr_progress *p)
{
        double part = p->all > 0 ? (double)p->done / (double)p->all : 0;
        const char *numbers = numbers_text(p);

        if (shown.terminal)
                draw_bar(part, numbers);
        else if (*numbers)
                say(stderr, "%s %3.0f%%  %s\n", shown.what, 100 * part, numbers);
        else
                return;
        shown.next = pxr_now() + (shown.terminal ? 0.2 : PLAIN_SECONDS);
}

/* A new piece of work is shown at once on a terminal; plain lines keep their interval. */
static bool show_progress(void *context, const struct pxr_progress *p)
{
        const char *slash = strrchr(p->what, '/');
        const char *what = slash && slash[1] ? slash + 1 : p->what;
        double now = pxr_now();

        (void)context;
        if (strncmp(shown.what, what, sizeof(shown.what) - 1) != 0 || p->done < shown.last) {
                snprintf(shown.what, sizeof(shown.what), "%s", what);
                shown.first = p->done;
                shown.began = now;
                if (shown.terminal)
                        shown.next = now;
        }
        shown.last = p->done;
        if (p->all > 0 && p->done == p->all)
                display_end();
        else if (shown.lines && !stop_asked && now >= shown.next)
                draw(p);
        return stop_asked;
}

/* --- lines -------------------------------------------------------------------------------------
 */

void display_line(const char *format, ...)
{
        va_list arguments;

        if (!shown.lines)
                return;
        display_end();
        va_start(arguments, format);
        vsay(shown.lines, format, arguments);
        va_end(arguments);
        putc('\n', shown.lines);
        fflush(shown.lines);
}

void display_slow(const struct pxr_graph *graph)
{
        const char *op = pxr_graph_fallback(graph, PXR_F32);

        if (op)
                display_line("op '%s' has no 'advance': each value takes a whole pass, which is "
                             "slow",
                             op);
}

static void show_note(void *context, const char *text)
{
        (void)context;
        display_line("%s", text);
}

const struct pxr_observer display = { NULL, show_progress, show_note };

void display_begin(FILE *lines)
{
        shown.lines = lines;
        shown.terminal = isatty(STDERR_FILENO);
        shown.next = pxr_now() + PLAIN_SECONDS;
}

void begin_work(FILE *lines)
{
        display_begin(lines);
        watch_signals(false);
}

void display_end(void)
{
        if (shown.bar)
                fputs("\r\033[K", stderr);
        shown.bar = false;
}

int display_stopped(int status)
{
        display_end();
        if (status > 0)
                fputs("interrupted; nothing was written\n", stderr);
        return status > 0 ? 130 : status;
}
