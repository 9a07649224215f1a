/* SPDX-License-Identifier: MIT */
/* page_sweeps.c - the sweeps in an HTML page: what varied, and what became of it. */
#include "report/page_sweeps.h"

#include <string.h>

#include "report/plot_sweep.h"

enum { MOST_SWEEPS = 5 };

static int put_table(FILE *to, struct pxr_arena *arena, const struct pxr_table *table, size_t nr,
                     const struct pxr_html_runs *detailed)
{
        return pxr_html_table(to, arena, pxr_strf(arena, "sweep-%zu-%s", nr, table->name), table,
                              detailed);
}

/* Plots, the best, effects; all jobs folded. */
static int put_sweep(FILE *to, struct pxr_store *store, const char *name, size_t nr,
                     const struct pxr_html_runs *detailed, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_table *list = arena ? pxr_report_sweep(arena, store, name, NULL, diag) : NULL;
        int status = list ? 0 : -1;

        if (list)
                pxr_html(to, "<details class=\"sweep\"%s><summary>%s: %zu jobs</summary>\n",
                         nr == 1 ? " open" : "", name, list->rows);
        if (list && strcmp(list->name, "jobs") == 0)
                status = pxr_plot_sweep(to, arena, list, detailed);
        for (struct pxr_table *table = list; table && !status; table = table->next) {
                bool jobs = strcmp(table->name, "jobs") == 0;

                if (jobs)
                        pxr_html(to, "<details><summary>All jobs</summary>\n");
                status = put_table(to, arena, table, nr, detailed);
                if (jobs)
                        pxr_html(to, "</details>\n");
        }
        if (list)
                pxr_html(to, "</details>\n");
        pxr_arena_free(arena);
        return status;
}

/* The sweeps of a list, in its order. Returns how many. */
static size_t find_sweeps(const struct pxr_table *list, const char *name[MOST_SWEEPS + 1])
{
        int column = pxr_table_column(list, "sweep");
        size_t count = 0, known;

        for (size_t row = 0; column >= 0 && row < list->rows; row++) {
                const struct pxr_cell *cell = list->cell + row * list->columns + column;

                if (cell->kind != PXR_CELL_TEXT)
                        continue;
                for (known = 0; known < count && strcmp(name[known], cell->text) != 0;)
                        known++;
                if (known == count)
                        name[count++] = cell->text;
                if (count > MOST_SWEEPS)
                        break;
        }
        return count;
}

bool pxr_page_has_sweeps(const struct pxr_table *list)
{
        const char *name[MOST_SWEEPS + 1];

        return find_sweeps(list, name) > 0;
}

int pxr_page_sweeps(FILE *to, struct pxr_store *store, const struct pxr_table *list,
                    const struct pxr_html_runs *detailed, struct pxr_diag *diag)
{
        const char *name[MOST_SWEEPS + 1];
        size_t count = find_sweeps(list, name);

        pxr_html(to, "<section id=\"sweeps\"%s><h2>Sweeps</h2>\n", count ? "" : " hidden");
        for (size_t i = 0; i < count && i < MOST_SWEEPS; i++)
                if (put_sweep(to, store, name[i], i + 1, detailed, diag))
                        return -1;
        if (count > MOST_SWEEPS)
                pxr_html(to, "<p class=\"note\">The newest %d sweeps of the list are shown.</p>\n",
                         MOST_SWEEPS);
        pxr_html(to, "</section>\n");
        return 0;
}
