/* SPDX-License-Identifier: MIT */
/*
 * page.c - the HTML page: a list of runs, the paper's tables, and a section for each run.
 *
 * Its style sheet is page.css. Its scripts add sorting, values under the pointer (page.js), and the
 * choice of runs and the plot of their curves (compare.js, with dygraphs); the page is complete
 * without them. A policy in the head forbids any other script and any loading.
 */
#include <inttypes.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pxr/version.h>

#include "base/number.h"
#include "base/text.h"
#include "record/cursor.h"
#include "record/run_state.h"
#include "report/html.h"
#include "report/page_curves.h"
#include "report/page_sweeps.h"
#include "report/page_text.h"
#include "report/pictures.h"
#include "report/plot.h"

/* A page in the making. */
struct page {
        FILE *to;
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_paper *paper;
        const struct pxr_page_wanted *wanted;
        struct pxr_diag *diag;
        struct pxr_table *list;        /* the runs, with all columns of the report */
        struct pxr_html_runs detailed; /* with a section of their own, the first of the list */
        size_t compared;               /* so many of the list have their curves in one plot */
        int64_t runs;                  /* in the database */
};

/* --- what is on it -----------------------------------------------------------------------------
 */

/* Choose the runs that are listed, and the newest of them, whose details are shown. */
static int choose_runs(struct page *page)
{
        const struct pxr_runs_wanted wanted = {
                .where = page->wanted->where,
                .limit = page->wanted->limit,
                .newest_first = true,
                .all = true,
        };
        int64_t most = page->wanted->details < 0 ? PXR_PAGE_DETAILS : page->wanted->details, *run;

        page->list = pxr_report_runs(page->arena, page->store, &wanted, page->diag);
        if (!page->list ||
            pxr_store_integer(page->store, &page->runs, page->diag,
                              "SELECT count(*) FROM run WHERE archived_at IS NULL", ""))
                return -1;
        page->detailed.run = run = pxr_alloc_array(page->arena, page->list->rows + 1, sizeof(*run));
        for (size_t i = 0; run && i < page->list->rows; i++)
                run[i] = page->list->cell[i * page->list->columns].integer;
        page->detailed.count = page->list->rows < (size_t)most ? page->list->rows : (size_t)most;
        page->compared = page->list->rows < PXR_PAGE_CURVES ? page->list->rows : PXR_PAGE_CURVES;
        return run ? 0 : -1;
}

/* --- its head ----------------------------------------------------------------------------------
 */

/* The scripts of the page; "" is one that it does without. */
static const char *const scripts[] = { page_chart, page_script, page_live };

/* The last one is only for a page from a server. */
static size_t count_scripts(bool live)
{
        return PXR_COUNT(scripts) - !live;
}

/* The style sheet and these scripts; nothing is loaded, but from the server that sent the page. */
static void put_policy(FILE *to, bool live)
{
        pxr_html(to, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "img-src data:; style-src 'unsafe-inline'; script-src");
        for (size_t i = 0; i < count_scripts(live); i++) {
                struct sha256_ctx context;
                uint8_t digest[SHA256_DIGEST_SIZE];

                if (!*scripts[i])
                        continue;
                sha256_init(&context);
                sha256_update(&context, strlen(scripts[i]), (const uint8_t *)scripts[i]);
                sha256_digest(&context, sizeof(digest), digest);
                pxr_html(to, " 'sha256-");
                pxr_html_base64(to, digest, sizeof(digest));
                pxr_html(to, "'");
        }
        pxr_html(to, live ? "; connect-src 'self'\">\n" : "\">\n");
}

static void put_head(const struct page *page)
{
        const char *slash = strrchr(page->wanted->database, '/');
        const char *name = slash ? slash + 1 : page->wanted->database;

        pxr_html(page->to,
                 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        put_policy(page->to, page->wanted->live);
        pxr_html(page->to,
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n"
                 "<meta name=\"generator\" content=\"pxr %s\">\n"
                 "<title>Runs in %s</title>\n<style>",
                 PXR_VERSION, name);
        fputs(page_chart_style, page->to);
        fputs(page_style, page->to);
        pxr_html(page->to,
                 "</style>\n</head>\n<body>\n<header id=\"top\"><h1>Runs in %s</h1>\n"
                 "<nav><a href=\"#runs\">Runs</a>",
                 name);
        if (pxr_page_has_sweeps(page->list))
                pxr_html(page->to, " <a href=\"#sweeps\">Sweeps</a>");
        pxr_html(page->to, " <a href=\"#paper\">The paper's tables</a>");
        if (page->detailed.count > 0)
                pxr_html(page->to, " <a href=\"#run-%" PRId64 "\">Newest run</a>",
                         page->detailed.run[0]);
        pxr_html(page->to,
                 page->wanted->live
                         ? " <span id=\"live\" class=\"status\" role=\"status\"></span></nav>"
                           "</header>\n<main>\n"
                         : "</nav></header>\n<main>\n");
}

static void put_foot(const struct page *page)
{
        char when[32] = "";
        time_t now = time(NULL);
        struct tm utc;

        if (gmtime_r(&now, &utc))
                strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &utc);
        pxr_html(page->to, "</main>\n<footer>Made by pxr %s from %s, %s UTC.</footer>\n",
                 PXR_VERSION, page->wanted->database, when);
        for (size_t i = 0; i < count_scripts(page->wanted->live); i++)
                if (*scripts[i]) {
                        pxr_html(page->to, "<script>");
                        fputs(scripts[i], page->to);
                        pxr_html(page->to, "</script>\n");
                }
        pxr_html(page->to, "</body>\n</html>\n");
}

/* --- all runs ----------------------------------------------------------------------------------
 */

static int put_runs(const struct page *page)
{
        struct pxr_html_runs runs = { page->detailed.run, page->detailed.count, .choice = true };
        int64_t listed = (int64_t)page->list->rows, detailed = (int64_t)page->detailed.count;

        pxr_html(page->to, "<section id=\"runs\"><h2>Runs</h2>\n<p>");
        if (page->wanted->where)
                pxr_html(page->to, "Where <code>%s</code>: ", page->wanted->where);
        pxr_html(page->to, "%" PRId64 " of the %" PRId64 " run%s in the database", listed,
                 page->runs, pxr_plural(page->runs));
        if (detailed < listed)
                pxr_html(page->to,
                         "; the newest %" PRId64
                         " in detail (<code class=\"option\">--details</code> "
                         "shows more, <code class=\"option\">--where</code> others)",
                         detailed);
        pxr_html(page->to, ".</p>\n");
        if (pxr_html_table(page->to, page->arena, "list", page->list, &runs))
                return -1;
        pxr_html(page->to, "</section>\n");
        return 0;
}

/* The curves of the newest runs in one plot, for which a charting library is necessary. */
static int put_compared(const struct page *page)
{
        return *page_chart ? pxr_page_curves(page->to, page->store, page->detailed.run,
                                             page->compared, page->diag)
                           : 0;
}

static int put_sweeps(const struct page *page)
{
        return pxr_page_sweeps(page->to, page->store, page->list, &page->detailed, page->diag);
}

static bool has_run(const struct pxr_table *table)
{
        int run = pxr_table_column(table, "run");

        for (size_t row = 0; run >= 0 && row < table->rows; row++)
                if (table->cell[row * table->columns + run].kind != PXR_CELL_EMPTY)
                        return true;
        return false;
}

/* Tables without a run of ours are folded up. */
static int put_paper(const struct page *page)
{
        pxr_html(page->to,
                 "<section id=\"paper\"><h2>The paper's tables</h2>\n<p>Of all runs in the "
                 "database; a row without a run of ours is empty.</p>\n");
        for (const struct pxr_paper_table *paper = page->paper->table; paper; paper = paper->next) {
                struct pxr_table *table = pxr_report_paper_table(
                        page->arena, page->store, page->paper, paper->table, page->diag);
                bool folded = table && !has_run(table);

                if (!table)
                        return -1;
                if (folded)
                        pxr_html(page->to,
                                 "<details><summary>Table %" PRId64 ": no run of ours</summary>\n",
                                 paper->table);
                if (pxr_html_table(page->to, page->arena, table->name, table, &page->detailed))
                        return -1;
                if (folded)
                        pxr_html(page->to, "</details>\n");
        }
        pxr_html(page->to, "</section>\n");
        return 0;
}

/* --- one run -----------------------------------------------------------------------------------
 */

/* A run's section: its own arena is freed after it. */
struct section {
        const struct page *page;
        struct pxr_page_run r;
        const struct pxr_cell *facts; /* the run's row in page->list */
        struct pxr_table *tables;     /* all of `show` */
};

static int put_table(const struct section *s, const struct pxr_table *table)
{
        return pxr_html_table(s->r.to, s->r.arena,
                              pxr_strf(s->r.arena, "run-%" PRId64 "-%s", s->r.run->id, table->name),
                              table, NULL);
}

/* A column of the list of runs, or NULL where it is empty. */
static const struct pxr_cell *fact(const struct section *s, const char *name)
{
        int i = pxr_table_column(s->page->list, name);

        return i < 0 || s->facts[i].kind == PXR_CELL_EMPTY ? NULL : s->facts + i;
}

static const char *fact_text(const struct section *s, const char *name)
{
        const struct pxr_cell *cell = fact(s, name);

        return cell ? pxr_cell_text(s->r.arena, cell) : "";
}

static void put_summary(const struct section *s)
{
        static const char *const facts[][2] = {
                { "Model", "model" },
                { "Data", "data_set" },
                { "Given", "given" },
                { "Parameters", "parameters" },
                { "Epochs", "epochs" },
                { "Seed", "seed" },
                { "Time", "wall_seconds" },
                { "Host", "host" },
                { "Started, UTC", "started_at" },
        };
        const char *suspect = fact_text(s, "suspect"), *error = fact_text(s, "standard_error");
        FILE *to = s->r.to;

        pxr_html(to, "<ul class=\"facts\">\n");
        if (fact(s, "nll")) {
                pxr_html(to, "<li class=\"result\"><span>NLL, %s</span>%s", fact_text(s, "split"),
                         fact_text(s, "nll"));
                if (*error)
                        pxr_html(to, " <small>&#177;&#8239;%s</small>", error);
                pxr_html(to, " <small>%s</small></li>\n",
                         strcmp(fact_text(s, "unit"), "bits") == 0 ? "bits/dim" : "nats/image");
        }
        for (size_t i = 0; i < PXR_COUNT(facts); i++)
                if (fact(s, facts[i][1]))
                        pxr_html(to, "<li><span>%s</span>%s</li>\n", facts[i][0],
                                 fact_text(s, facts[i][1]));
        pxr_html(to, "</ul>\n");
        if (s->r.run->message)
                pxr_html(to, "<p class=\"alert\">%s</p>\n", s->r.run->message);
        if (*suspect)
                pxr_html(to, "<p class=\"alert\">Suspect: %s</p>\n", suspect);
}

/* The NLL of the row that the run reproduces, if that is in the same unit. */
static double published(const struct section *s, bool bits)
{
        const struct pxr_cell *table = fact(s, "paper_table");
        const struct pxr_paper_table *paper =
                table ? pxr_paper_find(s->page->paper, table->integer, NULL) : NULL;
        const struct pxr_paper_row *row = NULL;

        if (paper && (paper->unit == PXR_BITS) == bits)
                row = pxr_paper_row(paper, fact_text(s, "paper_row"));
        return row && row->value > 0 ? row->value : NAN;
}

static int put_curves(const struct section *s)
{
        const struct pxr_run *run = s->r.run;
        struct pxr_curve curve[PXR_CURVES];
        struct pxr_curve_plot plot = { .curve = curve };

        if (pxr_report_curves(s->r.arena, s->r.store, run, curve, s->r.diag))
                return -1;
        plot.bits = curve->bits;
        plot.line[0] = (struct pxr_plot_line) {
                "exact entropy",
                run->data_entropy / (plot.bits ? M_LN2 * (double)curve->dimensions : 1)
        };
        plot.line[1] = (struct pxr_plot_line) { "the paper", published(s, plot.bits) };
        pxr_html(s->r.to, "<h3>Learning curves</h3>\n");
        pxr_plot_curves(s->r.to, &plot);
        return 0;
}

/* The tables of the run but its results, folded up. The facts are unfolded to be printed. */
static int put_tables(const struct section *s)
{
        pxr_html(s->r.to,
                 "<details class=\"print\"><summary>Spec</summary>\n<pre tabindex=\"0\">"
                 "<code>%s</code></pre></details>\n",
                 s->r.run->spec);
        for (const struct pxr_table *table = s->tables; table; table = table->next) {
                if (table->rows == 0 || strcmp(table->name, "results") == 0)
                        continue;
                pxr_html(s->r.to,
                         strcmp(table->name, "facts") == 0
                                 ? "<details class=\"print\"><summary>%s (%zu)</summary>\n"
                                 : "<details><summary>%s (%zu)</summary>\n",
                         table->title, table->rows);
                if (put_table(s, table))
                        return -1;
                pxr_html(s->r.to, "</details>\n");
        }
        return 0;
}

static int fill_section(struct section *s, const char *which)
{
        struct pxr_page_run *r = &s->r;
        const struct pxr_table *results, *signs;
        const char *state;

        r->run = pxr_store_find_run(r->store, r->arena, which, r->diag);
        s->tables = r->run ? pxr_report_show(r->arena, r->store, which, NULL, true, r->diag) : NULL;
        signs = s->tables ? pxr_report_doctor(r->arena, r->store, s->page->paper, which, r->diag)
                          : NULL;
        if (!signs)
                return -1;
        for (results = s->tables; results && strcmp(results->name, "results") != 0;)
                results = results->next;
        state = pxr_run_state(r->run);
        pxr_html(r->to,
                 "<section class=\"run\" id=\"run-%" PRId64 "\"><h2>%s <small>run %" PRId64
                 " <span class=\"status %s\">%s</span></small></h2>\n",
                 r->run->id, r->run->name, r->run->id, state, state);
        put_summary(s);
        if (put_curves(s) || (results && put_table(s, results)) || pxr_page_gallery(r) ||
            pxr_page_map(r) || pxr_page_pictures(r) || (signs->rows > 0 && put_table(s, signs)) ||
            put_tables(s))
                return -1;
        pxr_html(r->to, "<p class=\"up\"><a href=\"#top\">All runs</a></p></section>\n");
        return pxr_arena_failed(r->arena) ? -1 : 0;
}

static int put_run(const struct page *page, size_t i)
{
        struct section section = { .page = page,
                                   .r = { .to = page->to,
                                          .arena = pxr_arena_new(0, page->diag),
                                          .store = page->store,
                                          .diag = page->diag },
                                   .facts = page->list->cell + i * page->list->columns };
        int status = -1;

        if (section.r.arena)
                status = fill_section(&section,
                                      pxr_strf(section.r.arena, "%" PRId64, page->detailed.run[i]));
        pxr_arena_free(section.r.arena);
        return status;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

/* What the browser has, to compare with what is recorded later. It is read first, so that what is
 * recorded meanwhile is sent once too often, never too rarely. */
static int put_state(const struct page *page)
{
        const char *state =
                pxr_report_page_state(page->arena, page->store, page->wanted, page->diag);

        if (!state)
                return -1;
        pxr_html(page->to, "<script type=\"application/json\" id=\"state\">");
        fputs(state, page->to);
        pxr_html(page->to, "</script>\n");
        return 0;
}

/* Chains are found among all runs: once, if more than one of these is conditional. */
static int keep_chains(const struct page *page)
{
        int given = pxr_table_column(page->list, "given"), conditional = 0;

        for (size_t row = 0; given >= 0 && row < page->detailed.count; row++)
                conditional +=
                        page->list->cell[row * page->list->columns + given].kind != PXR_CELL_EMPTY;
        return conditional > 1 ? pxr_store_keep_view(page->store, "chain_nll", page->diag) : 0;
}

static int put_page(struct page *page)
{
        if (choose_runs(page))
                return -1;
        put_head(page);
        if (page->wanted->live && put_state(page))
                return -1;
        if (put_runs(page) || put_compared(page) || put_sweeps(page) || put_paper(page) ||
            keep_chains(page))
                return -1;
        for (size_t i = 0; i < page->detailed.count; i++)
                if (put_run(page, i))
                        return -1;
        put_foot(page);
        return 0;
}

/* The number behind `prefix` in a part's name, or -1. */
static int64_t run_of(const char *part, const char *prefix)
{
        size_t length = strlen(prefix);
        char *end;
        int64_t run = strncmp(part, prefix, length) == 0 ? strtoll(part + length, &end, 10) : -1;

        return run > 0 && !*end ? run : -1;
}

/* Write that part alone; nothing if it does not exist. Of a run, only its own row is read. */
static int put_part(struct page *page, const char *part)
{
        int64_t of_run = run_of(part, "run-"), of_curves = run_of(part, "curves-");
        int64_t run = of_run > 0 ? of_run : of_curves;
        struct pxr_page_wanted wanted = *page->wanted;

        if (strcmp(part, "paper") == 0)
                return put_paper(page);
        if (run < 0 && strcmp(part, "runs") != 0 && strcmp(part, "sweeps") != 0)
                return 0;
        if (run > 0) {
                wanted.where = wanted.where ? pxr_strf(page->arena, "(%s\n) AND run = %" PRId64,
                                                       wanted.where, run)
                                            : pxr_strf(page->arena, "run = %" PRId64, run);
                wanted.details = wanted.limit = 1;
                page->wanted = &wanted;
        }
        if (choose_runs(page))
                return -1;
        if (run < 0)
                return strcmp(part, "runs") == 0 ? put_runs(page) : put_sweeps(page);
        if (page->list->rows == 0)
                return 0;
        return of_run > 0 ? put_run(page, 0) : put_compared(page);
}

const char *pxr_report_page(struct pxr_arena *arena, struct pxr_store *store,
                            const struct pxr_paper *paper, const struct pxr_page_wanted *wanted,
                            struct pxr_diag *diag)
{
        struct page page = {
                .arena = arena, .store = store, .paper = paper, .wanted = wanted, .diag = diag
        };
        struct pxr_stream stream;
        const char *text;
        int status;

        if (pxr_stream_open(&stream, arena))
                return NULL;
        page.to = stream.to;
        status = wanted->part ? put_part(&page, wanted->part) : put_page(&page);
        text = pxr_stream_close(&stream);
        return status || pxr_arena_failed(arena) ? NULL : text;
}
