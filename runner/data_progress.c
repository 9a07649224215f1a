/* SPDX-License-Identifier: MIT */
/* data_progress.c - a bar with rate and time left, and plain lines where there is no terminal. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner/bar.h"
#include "runner/common.h"
#include "runner/data_progress.h"

enum { PLAIN_SECONDS = 30 };

const char *data_size(double bytes)
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

/* "12.3 MB of 170.1 MB  4.1 MB/s  0:38 left" */
static void write_numbers(const struct data_progress *p, int64_t done, int64_t all,
                          const char *unit, char *text, size_t size)
{
        double seconds = pxr_now() - p->began, rate = (double)(done - p->first) / seconds;
        bool bytes = strcmp(unit, "bytes") == 0, known = seconds > 0.5 && rate > 0;
        int length;
        char left[24];

        if (bytes)
                length = snprintf(text, size, "%s of %s", data_size((double)done),
                                  all > 0 ? data_size((double)all) : "?");
        else
                length = snprintf(text, size, "%lld of %lld %s", (long long)done, (long long)all,
                                  unit);
        if (!known)
                return;
        if (bytes)
                length += snprintf(text + length, size - (size_t)length, "  %s/s", data_size(rate));
        else
                length += snprintf(text + length, size - (size_t)length, "  %.0f/s", rate);
        bar_write_time(all > 0 ? (double)(all - done) / rate : INFINITY, left, sizeof left);
        snprintf(text + length, size - (size_t)length, "  %s left", left);
}

static void draw(struct data_progress *p, int64_t done, int64_t all, const char *unit)
{
        double part = all > 0 ? (double)done / (double)all : 0;
        char numbers[160];

        write_numbers(p, done, all, unit, numbers, sizeof numbers);
        if (!p->terminal) {
                bar_print_plain(p->what, part, numbers);
                return;
        }
        bar_draw(p->what, part, numbers);
        p->bar = true;
}

static bool on_progress(void *context, const char *what, int64_t done, int64_t all,
                        const char *unit)
{
        struct data_progress *p = context;
        const char *slash = strrchr(what, '/');
        double time = pxr_now();

        what = slash && slash[1] ? slash + 1 : what;
        if (strncmp(p->what, what, sizeof p->what - 1) != 0) {
                data_progress_end(p);
                snprintf(p->what, sizeof p->what, "%s", what);
                p->first = done;
                p->began = time;
                p->next = time + (p->terminal ? 0.2 : PLAIN_SECONDS);
        } else if (!p->quiet && time >= p->next) {
                p->next = time + (p->terminal ? 0.2 : PLAIN_SECONDS);
                draw(p, done, all, unit);
        }
        return p->stop && *p->stop;
}

static void on_note(void *context, const char *text)
{
        struct data_progress *p = context;

        data_progress_end(p);
        if (!p->quiet)
                say(stderr, "%s\n", text);
}

void data_progress_init(struct data_progress *progress, bool quiet,
                        const volatile sig_atomic_t *stop)
{
        *progress = (struct data_progress) { .quiet = quiet,
                                             .stop = stop,
                                             .terminal = isatty(STDERR_FILENO) };
        progress->watcher = (struct pxr_data_watcher) { .context = progress,
                                                        .progress = on_progress,
                                                        .note = on_note };
}

void data_progress_end(struct data_progress *progress)
{
        if (progress->bar)
                bar_clear();
        progress->bar = false;
}
