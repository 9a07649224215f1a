/* SPDX-License-Identifier: MIT */
/* escape.c - text for terminals, Markdown, CSV, LaTeX and HTML. */
#include "report/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Set *size to the bytes of the next character. Returns false if they must be shown as numbers: the
 * character is invalid or invisible. */
static bool next(const char *at, const char *end, size_t *size)
{
        *size = pxr_character(at, end);
        if (*size == 0) {
                *size = 1;
                return false;
        }
        return pxr_shown(at, *size);
}

static int put_bytes(FILE *to, const char *at, size_t size, const char *before)
{
        for (size_t i = 0; to && i < size; i++)
                fprintf(to, "%sx%02x", before, (unsigned char)at[i]);
        return (int)(4 * size);
}

int pxr_escape_text(FILE *to, const char *text)
{
        const char *end = text + strlen(text);
        int width = 0;
        size_t size;

        for (; text < end; text += size) {
                if (!next(text, end, &size)) {
                        width += put_bytes(to, text, size, "\\");
                        continue;
                }
                if (to)
                        fwrite(text, 1, size, to);
                width++;
        }
        return width;
}

void pxr_escape_markdown(FILE *to, const char *text)
{
        const char *end = text + strlen(text);
        size_t size;

        for (; text < end; text += size) {
                if (!next(text, end, &size))
                        put_bytes(to, text, size, "\\\\");
                else if (*text == '<')
                        fputs("&lt;", to);
                else if (*text == '>')
                        fputs("&gt;", to);
                else if (*text == '&')
                        fputs("&amp;", to);
                else if (strchr("\\`*_{}[]#|~$", *text))
                        fprintf(to, "\\%c", *text);
                else
                        fwrite(text, 1, size, to);
        }
}

void pxr_escape_csv(FILE *to, const char *text)
{
        const char *end = text + strlen(text);
        bool quoted = text == end || strpbrk(text, ",\"\r\n") || *text == ' ' || end[-1] == ' ';

        if (quoted)
                putc('"', to);
        for (size_t size; text < end; text += size) {
                if (!next(text, end, &size) && !strchr("\t\r\n", *text)) {
                        put_bytes(to, text, size, "\\");
                        continue;
                }
                if (*text == '"')
                        putc('"', to);
                fwrite(text, 1, size, to);
        }
        if (quoted)
                putc('"', to);
}

static const struct {
        const char *character, *latex;
} latex[] = {
        { "\\", "\\textbackslash{}" },
        { "{", "\\{" },
        { "}", "\\}" },
        { "$", "\\$" },
        { "&", "\\&" },
        { "#", "\\#" },
        { "_", "\\_" },
        { "%", "\\%" },
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
};

static const char *latex_of(const char *at, size_t size)
{
        for (size_t i = 0; i < PXR_COUNT(latex); i++)
                if (strlen(latex[i].character) == size && memcmp(latex[i].character, at, size) == 0)
                        return latex[i].latex;
        return NULL;
}

void pxr_escape_latex(FILE *to, const char *text)
{
        const char *end = text + strlen(text), *known;
        size_t size;

        for (; text < end; text += size) {
                if (!next(text, end, &size)) {
                        put_bytes(to, text, size, "\\textbackslash{}");
                        continue;
                }
                known = latex_of(text, size);
                if (known)
                        fputs(known, to);
                else if (pxr_code_of(text, size) < 0x80 ||
                         (pxr_code_of(text, size) >= 0xa1 && pxr_code_of(text, size) <= 0xff))
                        fwrite(text, 1, size, to);
                else
                        fprintf(to, "{[}U+%04X{]}", (unsigned)pxr_code_of(text, size));
        }
}

void pxr_escape_html(FILE *to, const char *text, size_t length)
{
        static const char *const entities[] = {
                ['<'] = "&lt;",   ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;",
                ['\''] = "&#39;", ['\n'] = "\n",  ['\t'] = "\t",
        };
        const char *end = text + length;
        size_t size = 1;

        for (; text < end; text += size) {
                unsigned char c = (unsigned char)*text;

                if (c < PXR_COUNT(entities) && entities[c])
                        size = 1, fputs(entities[c], to);
                else if (!next(text, end, &size))
                        put_bytes(to, text, size, "\\");
                else
                        fwrite(text, 1, size, to);
        }
}
