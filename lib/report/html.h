/* SPDX-License-Identifier: MIT */
/*
 * html.h - writing HTML: escaped text, tables, pictures in the page.
 */
#ifndef PXR_REPORT_HTML_H
#define PXR_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "report/table.h"

/* As fprintf(), but texts (%s) are escaped: only the format itself is markup. Conversions that no
 * page needs (texts with a width or a precision, wide characters, n and m) are not carried out: the
 * rest of the format is printed as it stands. */
void pxr_html(FILE *to, const char *format, ...) PXR_PRINTF(2, 3);

/* A JSON string that may stand in a <script>: no text ends it or begins a comment. Characters that
 * cannot be shown become like \x1b, as everywhere in the page. */
void pxr_html_json_text(FILE *to, const char *text);

void pxr_html_base64(FILE *to, const void *bytes, size_t size);

/* A picture ([row][col][colour], 1 or 3 colours) as a "data:" address. Returns 0 or -1. */
int pxr_html_png(FILE *to, int rows, int cols, int colours, const uint8_t *pixels,
                 struct pxr_diag *diag);

/* The runs that have a section of their own in the page, "#run-7". */
struct pxr_html_runs {
        const int64_t *run;
        size_t count;
        bool choice; /* the table is the list of runs, whose rows and columns scripts choose */
};

bool pxr_html_has_run(const struct pxr_html_runs *runs, int64_t run);

/* A table with its title, footnotes and notes, in a box of its own that scrolls. `id` is one that
 * nothing else in the page has. The cells of the column "run" lead to those runs. Returns 0, or -1
 * when memory is out. */
int pxr_html_table(FILE *to, struct pxr_arena *arena, const char *id, const struct pxr_table *table,
                   const struct pxr_html_runs *runs);

#endif
