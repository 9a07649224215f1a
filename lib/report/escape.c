/* SPDX-License-Identifier: MIT */
/* escape.c - text for terminals, Markdown, CSV, LaTeX and HTML. */
#include "report/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct replacement {
        const char *character, *text;
};

static const struct replacement markdown[] = {
        { "<", "&lt;" }, { ">", "&gt;" }, { "&", "&amp;" }, { NULL, NULL }
};

static const struct replacement csv[] = { { "\"", "\"\"" }, { NULL, NULL } };

static const struct replacement html[] = { { "<", "&lt;" },    { ">", "&gt;" },  { "&", "&amp;" },
                                           { "\"", "&quot;" }, { "'", "&#39;" }, { NULL, NULL } };

static const struct replacement latex[] = {
        { "\\", "\\textbackslash{}" },
        { "^", "\\textasciicircum{}" },
        { "~", "\\textasciitilde{}" },
        { "<", "\\textless{}" },
        { ">", "\\textgreater{}" },
        { "|", "\\textbar{}" },
        { "\"", "\\textquotedbl{}" },
        { "'", "\\textquotesingle{}" },
        { "`", "\\textasciigrave{}" },
        { "-", "-{}" }, /* no ligature of several */
        { "[", "{[}" }, /* not the optional argument of a \\ before it */
        { "]", "{]}" },
        { "*", "{*}" },
        { "±", "$\\pm$" },
        { "≈", "$\\approx$" },
        { "≤", "$\\le$" },
        { "×", "$\\times$" },
        { "–", "--" },
        { "—", "---" },
        { "…", "\\dots{}" },
        { "−", "$-$" },
        { "‘", "\\textquoteleft{}" },
        { "’", "\\textquoteright{}" },
        { "“", "\\textquotedblleft{}" },
        { "”", "\\textquotedblright{}" },
        { "▁", "\\rule{.4em}{0.3ex}" },
        { "▂", "\\rule{.4em}{0.6ex}" },
        { "▃", "\\rule{.4em}{0.9ex}" },
        { "▄", "\\rule{.4em}{1.2ex}" },
        { "▅", "\\rule{.4em}{1.5ex}" },
        { "▆", "\\rule{.4em}{1.8ex}" },
        { "▇", "\\rule{.4em}{2.1ex}" },
        { "█", "\\rule{.4em}{2.4ex}" },
        { "\u00ad", "\\-" },
        { NULL, NULL },
};

static const struct format {
        const char *hidden;      /* comes before xff, for a byte that cannot be shown */
        const char *kept;        /* control characters that stay as they are */
        const char *backslashed; /* characters that get a backslash */
        const struct replacement *replaced;
        bool latin1; /* other characters become like [U+1F600] */
} formats[] = {
        [PXR_ESCAPE_TEXT] = { "\\", "", "", NULL, false },
        [PXR_ESCAPE_MARKDOWN] = { "\\\\", "", "\\`*_{}[]#|~$", markdown, false },
        [PXR_ESCAPE_CSV] = { "\\", "\t\r\n", "", csv, false },
        [PXR_ESCAPE_LATEX] = { "\\textbackslash{}", "", "{}$&#_%", latex, true },
        [PXR_ESCAPE_HTML] = { "\\", "\t\n", "", html, false },
};

static const char *replacement_of(const struct format *format, const char *at, size_t size)
{
        const struct replacement *other = format->replaced;

        while (other && other->character &&
               (strlen(other->character) != size || memcmp(other->character, at, size) != 0))
                other++;
        return other ? other->text : NULL;
}

/* A character that can be shown. */
static void put_character(FILE *to, const struct format *format, const char *at, size_t size)
{
        const char *text = replacement_of(format, at, size);
        uint32_t code = pxr_code_of(at, size);

        if (text)
                fputs(text, to);
        else if (format->latin1 && code >= 0x80 && (code < 0xa1 || code > 0xff))
                fprintf(to, "{[}U+%04X{]}", (unsigned)code);
        else
                fprintf(to, "%s%.*s", strchr(format->backslashed, *at) ? "\\" : "", (int)size, at);
}

int pxr_escape(FILE *to, enum pxr_escape how, const char *text)
{
        const struct format *format = &formats[how];
        const char *end = text + strlen(text);
        int width = 0;

        for (size_t size; text < end; text += size) {
                size = pxr_character(text, end);
                if (size > 0 && (pxr_shown(text, size) || strchr(format->kept, *text))) {
                        if (to)
                                put_character(to, format, text, size);
                        width++;
                } else {
                        size = size ? size : 1;
                        for (size_t i = 0; to && i < size; i++)
                                fprintf(to, "%sx%02x", format->hidden, (unsigned char)text[i]);
                        width += 4 * (int)size;
                }
        }
        return width;
}
