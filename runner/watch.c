/* SPDX-License-Identifier: MIT */
/*
 * watch.c - `pxr-report watch`: runs at work, live on a terminal, or as plain lines.
 *
 * On a terminal it uses the alternate screen, and puts everything back however it ends.
 */
#include "runner/watch.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "experiment/recorded.h"
#include "report/watch.h"
#include "runner/common.h"

enum { MOST_RUNS = 64, IDLE = 5 }; /* seconds without a run at work after which all have ended */

struct watch {
        struct program *p;
        struct pxr_store *store;
        int64_t run[MOST_RUNS];
        bool ended[MOST_RUNS]; /* its end was printed, as a plain line */
        int count;
        bool all; /* all runs at work, also those that start later */
};

/* --- the runs ----------------------------------------------------------------------------------
 */

static int find_named(struct watch *w)
{
        const struct pxr_arguments *names = &w->p->words;

        for (size_t i = 0; i < names->count; i++) {
                const struct pxr_run *run =
                        pxr_store_find_run(w->store, w->p->arena, names->text[i], w->p->diag);

                if (!run)
                        return -1;
                if (w->count == MOST_RUNS)
                        return pxr_user_error(w->p->diag, "more than %d runs", MOST_RUNS);
                w->run[w->count++] = run->id;
        }
        return 0;
}

/* Add runs that have started. */
static int find_new(struct watch *w)
{
        int64_t now[MOST_RUNS];
        int count = pxr_watch_find(w->store, now, MOST_RUNS, w->p->diag);

        for (int i = 0; i < count; i++) {
                int k = 0;

                while (k < w->count && w->run[k] != now[i])
                        k++;
                if (k == w->count && w->count < MOST_RUNS)
                        w->run[w->count++] = now[i];
        }
        return count < 0 ? -1 : 0;
}

static bool at_work(const struct pxr_watched *run)
{
        return strcmp(run->state, "running") == 0;
}

/* --- texts -------------------------------------------------------------------------------------
 */

static const char *nll_text(const struct pxr_watched *run, const char *what, double nll)
{
        return isnan(nll) ? "" : brief("  %s %s", what, number_text(nll, run->bits ? 4 : 3));
}

/* "  NLL 81.312 nats  valid 82.000": the newest, or the result of a run that has ended. */
static const char *nlls_text(const struct pxr_watched *run)
{
        const char *unit = run->bits ? "bits/dim" : "nats";

        if (!isnan(run->result))
                return brief("  result %s %s %s", run->result_split ? run->result_split : "",
                             number_text(run->result, run->bits ? 4 : 3), unit);
        return brief("%s%s%s%s", nll_text(run, "NLL", run->train_nll),
                     isnan(run->train_nll) ? "" : brief(" %s", unit),
                     nll_text(run, "valid", run->valid_nll),
                     isnan(run->train_nll) && !isnan(run->valid_nll) ? brief(" %s", unit) : "");
}

static const char *line_text(const struct pxr_watched *run)
{
        bool works = at_work(run);

        return brief("run %lld  %.40s  %s%s%s%s%s%s", (long long)run->run, run->name,
                     works && run->activity ? run->activity : run->state,
                     works && !isnan(run->progress) ? brief(" %.1f %%", 100 * run->progress) : "",
                     !works                     ? brief(", took %s", time_text(run->wall_seconds))
                     : isnan(run->seconds_left) ? ""
                                                : brief(", %s left", time_text(run->seconds_left)),
                     nlls_text(run), isnan(run->epoch) ? "" : brief("  epoch %.2f", run->epoch),
                     works && run->images_per_second > 0
                             ? brief("  %.*f images/s", run->images_per_second < 9.5,
                                     run->images_per_second)
                             : "");
}

/* --- the screen --------------------------------------------------------------------------------
 */

static struct termios before;
static bool on_screen, keys;

static void leave_screen(void)
{
        if (!on_screen)
                return;
        on_screen = false;
        fputs("\033[?7h\033[?25h\033[?1049l", stdout); /* wrap lines; cursor; the usual screen */
        fflush(stdout);
        if (keys)
                tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* Ctrl-Z is off, since a stopped program leaves the terminal as it is. */
static void enter_screen(void)
{
        struct termios raw;

        keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
        if (keys) {
                raw = before;
                raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
                raw.c_cc[VSUSP] = _POSIX_VDISABLE;
                tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        on_screen = true;
        atexit(leave_screen);
        fputs("\033[?1049h\033[?25l\033[?7l", stdout);
}

static void window_size(int *rows, int *columns)
{
        struct winsize size;
        bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;

        *rows = known ? size.ws_row : 24;
        *columns = (known ? size.ws_col : 80) - 1; /* erasing a line to its end takes the last */
}

/* One run: a line, a line of details, and the curve in what is left of `rows`. */
static void put_run(FILE *to, const struct pxr_watched *run, int rows, int columns)
{
        enum { BAR = 20 };
        int done = isnan(run->progress) ? 0 : (int)(fmax(0, fmin(1, run->progress)) * BAR);

        say(to, "%s\n", line_text(run));
        if (rows < 2)
                return;
        say(to, "[%.*s%.*s]%s%s%s\n", done, "####################", BAR - done,
            "....................", run->rate > 0 ? brief("  rate %.3g", run->rate) : "",
            isnan(run->gradient_norm) ? "" : brief("  gradient norm %.3g", run->gradient_norm),
            run->message ? brief("  %.200s", run->message) : "");
        pxr_watch_draw(to, run, rows - 2, columns);
}

/* Lines end with "erase to the end", so that nothing flickers. Curves get the room there is; where
 * that is little, the last runs are left out. */
static void draw(const struct watch *w, const struct pxr_watched *runs)
{
        int rows, columns, each;
        char *text = NULL, *line, *end;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        window_size(&rows, &columns);
        each = w->count ? (rows - 1) / w->count : rows;
        for (int i = 0; to && i < w->count && (i + 1) * (each > 0 ? each : 1) < rows; i++)
                put_run(to, &runs[i], each > 0 ? each : 1, columns);
        if (!to || fclose(to) != 0)
                return;
        fputs("\033[H", stdout);
        for (line = text; *line && rows > 1; line = end + 1, rows--) {
                end = strchr(line, '\n');
                printf("%.*s\033[K\r\n", (int)(end - line), line);
        }
        printf("\033[J%s", keys ? "q: quit; the runs go on" : "Ctrl-C: quit; the runs go on");
        fflush(stdout);
        free(text);
}

static void on_resize(int number)
{
        (void)number; /* poll() returns, and the next frame has the new size */
}

/* Wait for a key, a signal or a new size of the window. Returns whether to quit. */
static bool wait_for(double seconds)
{
        struct pollfd key = { .fd = keys && on_screen ? STDIN_FILENO : -1, .events = POLLIN };
        int status = poll(&key, 1, (int)(1000 * seconds));
        char c;

        if (status == 1) {
                if (read(STDIN_FILENO, &c, 1) == 1)
                        return c == 'q' || c == 'Q' || c == 3;
                keys = false; /* its other end was closed */
        }
        return stop_asked;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* A line for each run at work, and one for the end of each other. */
static void put_lines(struct watch *w, const struct pxr_watched *runs)
{
        for (int i = 0; i < w->count; i++) {
                if (!w->ended[i])
                        say(stdout, "%s\n", line_text(&runs[i]));
                w->ended[i] = !at_work(&runs[i]);
        }
        fflush(stdout);
}

/* Read all runs, and show them. Returns how many are at work, or -1 after an error. */
static int show(struct watch *w, struct pxr_arena *arena)
{
        struct pxr_watched *runs;
        int working = 0;

        if (w->all && find_new(w))
                return -1;
        runs = pxr_alloc_array(arena, (size_t)w->count + 1, sizeof(*runs));
        if (!runs)
                return -1;
        for (int i = 0; i < w->count; i++) {
                if (pxr_watch_read(arena, w->store, w->run[i], &runs[i], w->p->diag))
                        return -1;
                working += at_work(&runs[i]);
        }
        if (working == 0)
                leave_screen();
        if (on_screen)
                draw(w, runs);
        else
                put_lines(w, runs);
        return working;
}

static int follow(struct watch *w, double interval)
{
        double worked = pxr_now();

        for (;;) {
                struct pxr_arena *arena = pxr_arena_new(0, w->p->diag);
                int working = arena ? show(w, arena) : -1;

                pxr_arena_free(arena);
                if (working < 0)
                        return -1;
                if (working > 0)
                        worked = pxr_now();
                else if (!w->all || pxr_now() - worked >= IDLE)
                        return 0;
                if (wait_for(working > 0 ? interval : fmin(interval, 0.5)))
                        return 0;
        }
}

int watch_runs(struct program *p, const char *database, double interval)
{
        struct watch w = { .p = p, .all = p->words.count == 0 };
        const char *terminal = getenv("TERM");
        bool plain = !isatty(STDOUT_FILENO) || !terminal || strcmp(terminal, "dumb") == 0;
        int status;

        w.store = pxr_recorded_store(p->arena, database, false, p->diag);
        if (!w.store || (w.all ? find_new(&w) : find_named(&w)))
                return -1;
        if (w.count == 0) {
                say(stdout, "No run is running in %s.\n", database);
                return 0;
        }
        watch_signals(false);
        signal(SIGWINCH, on_resize);
        if (!plain)
                enter_screen();
        status = follow(&w, interval > 0 ? interval : plain ? 10 : 1);
        leave_screen();
        return status;
}
