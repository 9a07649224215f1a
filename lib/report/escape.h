/* SPDX-License-Identifier: MIT */
/*
 * escape.h - escaping text for each output format.
 *
 * Control characters and invalid UTF-8 become visible (as \x1b), so that the name of a run cannot
 * move a terminal's cursor or break a document.
 */
#ifndef PXR_REPORT_ESCAPE_H
#define PXR_REPORT_ESCAPE_H

#include <stdio.h>

/* On one line of a terminal. Returns its width in characters. `to` NULL: only count. */
int pxr_escape_text(FILE *to, const char *text);

/* In a cell of a Markdown table, literally. */
void pxr_escape_markdown(FILE *to, const char *text);

/* A field of CSV (RFC 4180), quoted where needed. Tabs and line breaks stay as they are. */
void pxr_escape_csv(FILE *to, const char *text);

/* For pdfLaTeX with T1 fonts; other characters become like [U+1F600]. */
void pxr_escape_latex(FILE *to, const char *text);

/* The first `length` bytes, in HTML between tags or in an attribute in double quotes. */
void pxr_escape_html(FILE *to, const char *text, size_t length);

#endif
