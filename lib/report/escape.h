/* SPDX-License-Identifier: MIT */
/*
 * escape.h - any text, made harmless in the format it is to stand in.
 *
 * Control characters and bytes that are no UTF-8 become visible (as \x1b), so that nothing a run is
 * called can move a terminal's cursor or break a document.
 */
#ifndef PXR_REPORT_ESCAPE_H
#define PXR_REPORT_ESCAPE_H

#include <stdio.h>

/* On one line; the characters it takes up there. */
int pxr_escape_text(FILE *to, const char *text); /* `to` NULL: count alone */

/* In a cell of a Markdown table, as the text it is. */
void pxr_escape_markdown(FILE *to, const char *text);

/* A field of CSV (RFC 4180), with its quotes where it needs them. Tabs and line breaks
 * stay as they are. */
void pxr_escape_csv(FILE *to, const char *text);

/* For pdfLaTeX with T1 fonts; a character it may not have becomes [U+1F600]. */
void pxr_escape_latex(FILE *to, const char *text);

/* The first `length` bytes, in HTML between tags or in an attribute in double quotes. */
void pxr_escape_html(FILE *to, const char *text, size_t length);

#endif
