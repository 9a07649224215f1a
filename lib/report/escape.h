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

enum pxr_escape {
        PXR_ESCAPE_TEXT,     /* on one line of a terminal */
        PXR_ESCAPE_MARKDOWN, /* in a cell of a table, literally */
        PXR_ESCAPE_CSV,      /* in a field in quotes (RFC 4180); tabs and line breaks stay */
        PXR_ESCAPE_LATEX,    /* for pdfLaTeX with T1 fonts; others become like [U+1F600] */
        PXR_ESCAPE_HTML,     /* between tags, or in an attribute in double quotes */
};

/* Returns its width in characters, as on a terminal. `to` NULL: only count. */
int pxr_escape(FILE *to, enum pxr_escape how, const char *text);

#endif
