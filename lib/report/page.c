/* SPDX-License-Identifier: MIT */
/*
 * page.c - the HTML page: a list of runs, the paper's tables, and all there is to see of each run.
 *
 * Its style sheet is page.css and its script page.js, which adds sorting and values under the
 * pointer to a page that is whole without it. Nothing is loaded from anywhere: a policy in the head
 * forbids it, and every script but that one.
 */
#include <inttypes.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/version.h>

#include "base/number.h"
#include "report/html.h"
#include "report/page_text.h"
#include "report/pictures.h"
#include "report/plot.h"
#include "record/cursor.h"
#include "record/run_state.h"

enum { DETAILED = 20 };

/* A page in the making. */
struct page {
        FILE *to;
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_paper *paper;
        const struct pxr_page_wanted *wanted;
        struct pxr_diag *diag;
        struct pxr_table *list, *all; /* the runs, with the columns for people and with all */
        struct pxr_html_runs detailed;
        int64_t runs; /* in the database */
};

/* --- what is on it -----------------------------------------------------------------------------
 */

/* A column of a run in the table that has all of them, or NULL where it is empty. */
static const struct pxr_cell *find_cell(const struct page *page, int64_t run, const char *name)
{
        const struct pxr_table *all = page->all;
        const struct pxr_cell *row = NULL;

        for (size_t i = 0; i < all->rows && !row; i++)
                if (all->cell[i * all->columns].integer == run)
                        row = all->cell + i * all->columns;
        for (int i = 0; row && i < all->columns; i++)
                if (strcmp(all->column[i].name, name) == 0)
                        return row[i].kind == PXR_CELL_EMPTY ? NULL : row + i;
        return NULL;
}

static int count_runs(struct page *page)
{
        struct pxr_cursor rows =
                pxr_query(page->store, page->arena, page->diag,
                          "SELECT count(*) FROM run WHERE archived_at IS NULL", "");

        if (pxr_cursor_next(&rows))
                page->runs = pxr_cursor_integer(&rows, 0);
        return pxr_cursor_end(&rows);
}

/* Choose the runs that are listed, and the newest of them, whose details are shown. */
static int choose_runs(struct page *page)
{
        struct pxr_runs_wanted wanted = {
                .where = page->wanted->where,
                .limit = page->wanted->limit,
                .newest_first = true,
        };
        int64_t most = page->wanted->details < 0 ? DETAILED : page->wanted->details, *run;

        page->list = pxr_report_runs(page->arena, page->store, &wanted, page->diag);
        wanted.all = true;
        page->all =
                page->list ? pxr_report_runs(page->arena, page->store, &wanted, page->diag) : NULL;
        if (!page->all || count_runs(page))
                return -1;
        run = pxr_alloc_array(page->arena, page->list->rows + 1, sizeof(*run));
        if (!run)
                return pxr_out_of_memory(page->diag);
        for (size_t i = 0; i < page->list->rows && (int64_t)i < most; i++)
                run[page->detailed.count++] = page->list->cell[i * page->list->columns].integer;
        page->detailed.run = run;
        return 0;
}

/* --- its head ----------------------------------------------------------------------------------
 */

static void put_policy(FILE *to)
{
        struct sha256_ctx context;
        uint8_t digest[SHA256_DIGEST_SIZE];

        sha256_init(&context);
        sha256_update(&context, strlen(page_script), (const uint8_t *)page_script);
        sha256_digest(&context, sizeof(digest), digest);
        pxr_html(to, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "img-src data:; style-src 'unsafe-inline'; script-src 'sha256-");
        pxr_html_base64(to, digest, sizeof(digest));
        pxr_html(to, "'\">\n");
}

static void put_head(const struct page *page)
{
        const char *slash = strrchr(page->wanted->database, '/');
        const char *name = slash ? slash + 1 : page->wanted->database;

        pxr_html(page->to,
                 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        put_policy(page->to);
        pxr_html(page->to,
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n"
                 "<meta name=\"generator\" content=\"pxr %s\">\n"
                 "<title>Runs in %s</title>\n<style>",
                 PXR_VERSION, name);
        fputs(page_style, page->to);
        pxr_html(page->to,
                 "</style>\n</head>\n<body>\n<header id=\"top\"><h1>Runs in %s</h1>\n"
                 "<nav><a href=\"#runs\">Runs</a> <a href=\"#paper\">The paper's tables</a>",
                 name);
        if (page->detailed.count > 0)
                pxr_html(page->to, " <a href=\"#run-%" PRId64 "\">Newest run</a>",
                         page->detailed.run[0]);
        pxr_html(page->to, "</nav></header>\n<main>\n");
}

static int put_foot(const struct page *page)
{
        struct pxr_cursor rows = pxr_query(page->store, page->arena, page->diag,
                                           "SELECT strftime('%Y-%m-%d %H:%M', 'now')", "");

        if (pxr_cursor_next(&rows))
                pxr_html(page->to,
                         "</main>\n<footer>Made by pxr %s from %s, %s UTC.</footer>\n<script>",
                         PXR_VERSION, page->wanted->database, pxr_cursor_text(&rows, 0));
        fputs(page_script, page->to);
        pxr_html(page->to, "</script>\n</body>\n</html>\n");
        return pxr_cursor_end(&rows);
}

/* --- all runs ----------------------------------------------------------------------------------
 */

static int put_runs(const struct page *page)
{
        int64_t listed = (int64_t)page->list->rows, detailed = (int64_t)page->detailed.count;

        pxr_html(page->to, "<section id=\"runs\"><h2>Runs</h2>\n<p>");
        if (page->wanted->where)
                pxr_html(page->to, "Those for which <code>%s</code>: ", page->wanted->where);
        pxr_html(page->to, "%" PRId64 " of the %" PRId64 " run%s in the database", listed,
                 page->runs, pxr_plural(page->runs));
        if (detailed < listed)
                pxr_html(page->to,
                         "; the newest %" PRId64 " with all there is to see of them (<code "
                         "class=\"option\">--details</code> "
                         "shows more, <code class=\"option\">--where</code> others)",
                         detailed);
        pxr_html(page->to, ".</p>\n");
        if (pxr_html_table(page->to, page->arena, "list", page->list, &page->detailed))
                return pxr_out_of_memory(page->diag);
        pxr_html(page->to, "</section>\n");
        return 0;
}

/* Has any row of a table of the paper a run of ours? */
static bool has_run(const struct pxr_table *table)
{
        for (int i = 0; i < table->columns; i++)
                if (strcmp(table->column[i].name, "run") == 0)
                        for (size_t row = 0; row < table->rows; row++)
                                if (table->cell[row * table->columns + i].kind != PXR_CELL_EMPTY)
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
                struct pxr_table *table =
                        pxr_report_paper_table(page->arena, page->store, paper, page->diag);
                bool folded = table && !has_run(table);

                if (!table)
                        return -1;
                if (folded)
                        pxr_html(page->to,
                                 "<details><summary>Table %" PRId64 ": no run of ours</summary>\n",
                                 paper->table);
                if (pxr_html_table(page->to, page->arena, table->name, table, &page->detailed))
                        return pxr_out_of_memory(page->diag);
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
        FILE *to;
        struct pxr_arena *arena;
        const struct pxr_run *run;
        struct pxr_table *tables; /* all of `show` */
};

static int put_table(const struct section *s, const struct pxr_table *table)
{
        const char *id = pxr_strf(s->arena, "run-%" PRId64 "-%s", s->run->id, table->name);

        return id && !pxr_html_table(s->to, s->arena, id, table, NULL)
                       ? 0
                       : pxr_out_of_memory(s->page->diag);
}

static const struct pxr_table *find_table(const struct section *s, const char *name)
{
        const struct pxr_table *table = s->tables;

        while (table && strcmp(table->name, name) != 0)
                table = table->next;
        return table && table->rows > 0 ? table : NULL;
}

static int put_fact(const struct section *s, const char *heading, const char *name)
{
        const struct pxr_cell *cell = find_cell(s->page, s->run->id, name);
        const char *words = cell ? pxr_cell_words(s->arena, cell) : "";

        if (!words)
                return pxr_out_of_memory(s->page->diag);
        if (cell)
                pxr_html(s->to, "<li><span>%s</span>%s</li>\n", heading, words);
        return 0;
}

/* The result, with its standard error and unit. */
static int put_result(const struct section *s)
{
        const struct pxr_cell *nll = find_cell(s->page, s->run->id, "nll");
        const struct pxr_cell *error = find_cell(s->page, s->run->id, "standard_error");
        const struct pxr_cell *split = find_cell(s->page, s->run->id, "split");
        const struct pxr_cell *unit = find_cell(s->page, s->run->id, "unit");
        const char *words;

        if (!nll || nll->kind != PXR_CELL_REAL || !split || !unit)
                return 0;
        words = pxr_cell_words(s->arena, nll);
        if (words)
                pxr_html(s->to, "<li class=\"result\"><span>NLL, %s</span>%s", split->text, words);
        if (words && error && error->kind == PXR_CELL_REAL) {
                words = pxr_cell_words(s->arena, error);
                if (words)
                        pxr_html(s->to, " <small>&#177;&#8239;%s</small>", words);
        }
        if (!words)
                return pxr_out_of_memory(s->page->diag);
        pxr_html(s->to, " <small>%s</small></li>\n",
                 strcmp(unit->text, "bits") == 0 ? "bits/dim" : "nats/image");
        return 0;
}

static int put_summary(const struct section *s)
{
        static const char *const facts[][2] = {
                { "Model", "model" },           { "Data", "data_set" }, { "Given", "given" },
                { "Parameters", "parameters" }, { "Epochs", "epochs" }, { "Seed", "seed" },
                { "Time", "wall_seconds" },     { "Host", "host" },     { "Started", "started_at" },
        };
        const struct pxr_cell *suspect = find_cell(s->page, s->run->id, "suspect");

        pxr_html(s->to, "<ul class=\"facts\">\n");
        if (put_result(s))
                return -1;
        for (size_t i = 0; i < PXR_COUNT(facts); i++)
                if (put_fact(s, facts[i][0], facts[i][1]))
                        return -1;
        pxr_html(s->to, "</ul>\n");
        if (s->run->message)
                pxr_html(s->to, "<p class=\"alert\">%s</p>\n", s->run->message);
        if (suspect && suspect->text)
                pxr_html(s->to, "<p class=\"alert\">Suspect: %s</p>\n", suspect->text);
        return 0;
}

/* What the paper has in the row that the run is to reproduce, if it is told in the same unit. */
static double published(const struct section *s, bool bits)
{
        const struct pxr_cell *table = find_cell(s->page, s->run->id, "paper_table");
        const struct pxr_cell *row = find_cell(s->page, s->run->id, "paper_row");
        const struct pxr_paper_table *paper = NULL;
        const struct pxr_paper_row *found;

        if (table && table->kind == PXR_CELL_INTEGER && row && row->text)
                paper = pxr_paper_find(s->page->paper, table->integer, NULL);
        found = paper && (paper->unit == PXR_BITS) == bits ? pxr_paper_row(paper, row->text) : NULL;
        return found && found->value > 0 ? found->value : NAN;
}

/* They come by name: "test" first, which is to be last. */
static void order_curves(struct pxr_curve curve[PXR_CURVES])
{
        struct pxr_curve first = curve[0];
        int last = 0;

        if (!first.split || strcmp(first.split, "test") != 0)
                return;
        for (; last + 1 < PXR_CURVES && curve[last + 1].split; last++)
                curve[last] = curve[last + 1];
        curve[last] = first;
}

static int put_curves(const struct section *s)
{
        struct pxr_curve curve[PXR_CURVES];
        struct pxr_curve_plot plot = { .curve = curve };

        if (pxr_report_curves(s->arena, s->page->store, s->run->id, curve, s->page->diag))
                return -1;
        order_curves(curve);
        plot.bits = curve->split && pxr_reported_in_bits(curve->dimensions, s->run->image_colours);
        plot.line[0] = (struct pxr_plot_line) {
                "exact entropy",
                s->run->data_entropy / (plot.bits ? M_LN2 * (double)curve->dimensions : 1)
        };
        plot.line[1] = (struct pxr_plot_line) { "the paper", published(s, plot.bits) };
        pxr_html(s->to, "<h3>Learning curves</h3>\n");
        pxr_plot_curves(s->to, &plot);
        return 0;
}

/* Folded up, with its number of rows. */
static int put_folded(const struct section *s, const char *name, const char *title)
{
        const struct pxr_table *table = find_table(s, name);

        if (!table)
                return 0;
        pxr_html(s->to, "<details><summary>%s (%" PRId64 ")</summary>\n", title,
                 (int64_t)table->rows);
        if (put_table(s, table))
                return -1;
        pxr_html(s->to, "</details>\n");
        return 0;
}

static int put_tables(const struct section *s)
{
        static const char *const folded[][2] = {
                { "curve", "Points of the curves" }, { "layers", "Layers" },
                { "files", "Files of data" },        { "plugins", "Plugins" },
                { "checkpoints", "Checkpoints" },    { "events", "Events" },
        };
        const struct pxr_table *facts = find_table(s, "facts");

        pxr_html(s->to,
                 "<details class=\"print\"><summary>Spec</summary>\n<pre tabindex=\"0\">"
                 "<code>%s</code></pre></details>\n",
                 s->run->spec);
        if (facts) {
                pxr_html(s->to, "<details class=\"print\"><summary>Provenance</summary>\n");
                if (put_table(s, facts))
                        return -1;
                pxr_html(s->to, "</details>\n");
        }
        for (size_t i = 0; i < PXR_COUNT(folded); i++)
                if (put_folded(s, folded[i][0], folded[i][1]))
                        return -1;
        return 0;
}

/* What the doctor finds, if anything. */
static int put_doctor(const struct section *s, const char *which)
{
        const struct pxr_table *table =
                pxr_report_doctor(s->arena, s->page->store, s->page->paper, which, s->page->diag);

        if (!table)
                return -1;
        return table->rows > 0 ? put_table(s, table) : 0;
}

static int fill_section(struct section *s, const char *which)
{
        struct pxr_store *store = s->page->store;
        struct pxr_diag *diag = s->page->diag;
        const struct pxr_table *results;
        const char *state;

        s->run = pxr_store_find_run(store, s->arena, which, diag);
        s->tables = s->run ? pxr_report_show(s->arena, store, which, NULL, true, diag) : NULL;
        if (!s->tables)
                return -1;
        results = find_table(s, "results");
        state = pxr_run_state(s->run);
        pxr_html(s->to,
                 "<section class=\"run\" id=\"run-%" PRId64 "\"><h2>%s <small>run %" PRId64
                 " <span "
                 "class=\"status %s\">%s</span></small></h2>\n",
                 s->run->id, s->run->name, s->run->id, state, state);
        if (put_summary(s) || put_curves(s) || (results && put_table(s, results)) ||
            pxr_page_gallery(s->to, s->arena, store, s->run, diag) ||
            pxr_page_map(s->to, s->arena, store, s->run, diag) ||
            pxr_page_pictures(s->to, s->arena, store, s->run, diag) || put_doctor(s, which) ||
            put_tables(s))
                return -1;
        pxr_html(s->to, "<p class=\"up\"><a href=\"#top\">All runs</a></p></section>\n");
        return 0;
}

static int put_run(const struct page *page, int64_t run)
{
        struct section section = { page, page->to, pxr_arena_new(0, page->diag), NULL, NULL };
        const char *which = section.arena ? pxr_strf(section.arena, "%" PRId64, run) : NULL;
        int status = which ? fill_section(&section, which) : pxr_out_of_memory(page->diag);

        pxr_arena_free(section.arena);
        return status;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int put_page(struct page *page)
{
        if (choose_runs(page))
                return -1;
        put_head(page);
        if (put_runs(page) || put_paper(page) ||
            (page->detailed.count > 1 && pxr_store_keep_view(page->store, "chain_nll", page->diag)))
                return -1;
        for (size_t i = 0; i < page->detailed.count; i++)
                if (put_run(page, page->detailed.run[i]))
                        return -1;
        return put_foot(page);
}

char *pxr_report_page(struct pxr_arena *arena, struct pxr_store *store,
                      const struct pxr_paper *paper, const struct pxr_page_wanted *wanted,
                      size_t *size, struct pxr_diag *diag)
{
        char *text = NULL;
        struct page page = {
                .to = open_memstream(&text, size),
                .arena = arena,
                .store = store,
                .paper = paper,
                .wanted = wanted,
                .diag = diag,
        };
        int status;

        if (!page.to) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        status = put_page(&page);
        if (ferror(page.to) && !status)
                status = pxr_out_of_memory(diag);
        if (fclose(page.to) != 0 && !status)
                status = pxr_out_of_memory(diag);
        if (!status)
                return text;
        free(text);
        return NULL;
}
