/* SPDX-License-Identifier: MIT */
/* html.c - markup, escaped text, tables and data of an HTML page. */
#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <nettle/base64.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/png.h"
#include "report/escape.h"
#include "report/text_table.h"

/* Print an integer by the conversion `one`, whose length modifier ends before `last`. */
static void put_integer(FILE *to, const char *one, const char *last, va_list *arguments)
{
        if (last[-1] == 'l' && last[-2] == 'l')
                fprintf(to, one, va_arg(*arguments, long long));
        else if (last[-1] == 'l')
                fprintf(to, one, va_arg(*arguments, long));
        else if (last[-1] == 'z')
                fprintf(to, one, va_arg(*arguments, size_t));
        else if (last[-1] == 'j')
                fprintf(to, one, va_arg(*arguments, intmax_t));
        else if (last[-1] == 't')
                fprintf(to, one, va_arg(*arguments, ptrdiff_t));
        else
                fprintf(to, one, va_arg(*arguments, int));
}

/* Print the argument of the conversion after the '%' before `format`; returns what follows it. */
static const char *put_argument(FILE *to, const char *format, va_list *arguments)
{
        const char *rest = format - 1;
        char one[64] = "%", *end = one + 1;

        for (; *format && strchr("-+ #'0123456789.*hljztL", *format); format++)
                if (*format == '*')
                        end += snprintf(end, 16, "%d", va_arg(*arguments, int));
                else if (end < one + 32)
                        *end++ = *format;
        *end = *format;
        if (*format == '%')
                putc('%', to);
        else if (*format == 's' && end == one + 1)
                pxr_escape(to, PXR_ESCAPE_HTML, va_arg(*arguments, const char *));
        else if (*format && strchr("diouxX", *format))
                put_integer(to, one, end, arguments);
        else if (*format == 'c' && end[-1] != 'l')
                fprintf(to, one, va_arg(*arguments, int));
        else if (*format == 'p')
                fprintf(to, one, va_arg(*arguments, void *));
        else if (*format && strchr("aAeEfFgG", *format) && end[-1] == 'L')
                fprintf(to, one, va_arg(*arguments, long double));
        else if (*format && strchr("aAeEfFgG", *format))
                fprintf(to, one, va_arg(*arguments, double));
        else { /* its argument has an unknown type, and so has where the next one is */
                fputs(rest, to);
                return "";
        }
        return format + 1;
}

void pxr_html(FILE *to, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        while (*format) {
                size_t markup = strcspn(format, "%");

                fwrite(format, 1, markup, to);
                format += markup;
                if (*format)
                        format = put_argument(to, format + 1, &arguments);
        }
        va_end(arguments);
}

/* --- data --------------------------------------------------------------------------------------
 */

void pxr_html_json_text(FILE *to, const char *text)
{
        const char *end = text + strlen(text);

        putc('"', to);
        for (size_t size; text < end; text += size) {
                size = pxr_step(text, end);
                if (!pxr_character(text, end) || !pxr_shown(text, size))
                        for (size_t i = 0; i < size; i++)
                                fprintf(to, "\\\\x%02x", (uint8_t)text[i]);
                else if (strchr("\"\\<>&", *text))
                        fprintf(to, "\\u%04x", (unsigned)*text);
                else
                        fwrite(text, 1, size, to);
        }
        putc('"', to);
}

void pxr_html_base64(FILE *to, const void *bytes, size_t size)
{
        enum { PIECE = 3 * 256 };
        const uint8_t *from = bytes;
        char text[BASE64_ENCODE_RAW_LENGTH(PIECE)];

        while (size > 0) {
                size_t piece = size < PIECE ? size : PIECE;

                base64_encode_raw(text, piece, from);
                fwrite(text, 1, BASE64_ENCODE_RAW_LENGTH(piece), to);
                from += piece;
                size -= piece;
        }
}

int pxr_html_png(FILE *to, int rows, int cols, int colours, const uint8_t *pixels,
                 struct pxr_diag *diag)
{
        const struct pxr_picture picture = {
                .rows = rows, .cols = cols, .colours = colours, .pixels = pixels
        };
        size_t size;
        uint8_t *png = pxr_png_encode(&picture, &size, diag);

        if (!png)
                return -1;
        pxr_html(to, "data:image/png;base64,");
        pxr_html_base64(to, png, size);
        free(png);
        return 0;
}

/* --- tables ------------------------------------------------------------------------------------
 */

bool pxr_html_has_run(const struct pxr_html_runs *runs, int64_t run)
{
        for (size_t i = 0; runs && i < runs->count; i++)
                if (runs->run[i] == run)
                        return true;
        return false;
}

/* Texts from so many bytes on may be broken into lines. */
enum { LONG = 28 };

/* Tables of more rows scroll within their box, under their headings. */
enum { TALL = 60 };

/* A table being written. */
struct writing {
        FILE *to;
        const char *id;
        const struct pxr_html_runs *runs;
        struct pxr_text_table texts;
};

static void put_head(const struct writing *w)
{
        pxr_html(w->to, "<thead><tr>");
        for (int i = 0; i < w->texts.columns; i++) {
                const struct pxr_text_column *shown = &w->texts.shown[i];

                pxr_html(w->to,
                         shown->number ? "<th scope=\"col\" class=\"n\"" : "<th scope=\"col\"");
                if (w->runs && w->runs->choice)
                        pxr_html(w->to, " data-column=\"%s\"",
                                 w->texts.table->column[shown->column].name);
                pxr_html(w->to, ">%s</th>", pxr_heading_at(&w->texts, i));
        }
        pxr_html(w->to, "</tr></thead>\n");
}

/* What a number is sorted by: all of its digits. */
static void put_value(FILE *to, const struct pxr_cell *cell)
{
        if (cell->kind == PXR_CELL_INTEGER || cell->kind == PXR_CELL_BYTES)
                pxr_html(to, " data-value=\"%" PRId64 "\"", cell->integer);
        else if (cell->kind != PXR_CELL_EMPTY && cell->kind != PXR_CELL_TEXT)
                pxr_html(to, " data-value=\"%.17g\"", cell->real);
}

static void put_cell(const struct writing *w, size_t row, int i)
{
        const struct pxr_table *table = w->texts.table;
        const struct pxr_text_column *shown = &w->texts.shown[i];
        const struct pxr_cell *cell = table->cell + row * table->columns + shown->column;
        const char *text = pxr_text_at(&w->texts, row, i);
        bool linked = strcmp(table->column[shown->column].name, "run") == 0 &&
                      cell->kind == PXR_CELL_INTEGER && pxr_html_has_run(w->runs, cell->integer);

        pxr_html(w->to, "<td");
        if (shown->number)
                pxr_html(w->to, " class=\"n\"");
        else if (strlen(text) >= LONG)
                pxr_html(w->to, " class=\"long\"");
        put_value(w->to, cell);
        if (linked)
                pxr_html(w->to, "><a href=\"#run-%" PRId64 "\">%s</a>", cell->integer, text);
        else
                pxr_html(w->to, ">%s", text);
        if (cell->footnote)
                pxr_html(w->to, "<sup><a href=\"#%s-%s\">%s</a></sup>", w->id, cell->footnote,
                         cell->footnote);
        pxr_html(w->to, "</td>");
}

/* What scripts choose rows of the list of runs by: attributes of the row, from columns. */
static void put_choice(const struct writing *w, size_t row)
{
        static const struct {
                const char *attribute, *column;
        } choices[] = { { "run", "run" },
                        { "sweep", "sweep" },
                        { "valid", "valid_nats" },
                        { "suspect", "suspect" },
                        { "archived", "archived_at" } };
        const struct pxr_table *table = w->texts.table;

        for (size_t k = 0; k < PXR_COUNT(choices); k++) {
                int i = pxr_table_column(table, choices[k].column);
                const struct pxr_cell *cell;

                if (i < 0)
                        continue;
                cell = table->cell + row * table->columns + i;
                if (cell->kind == PXR_CELL_INTEGER)
                        pxr_html(w->to, " data-%s=\"%" PRId64 "\"", choices[k].attribute,
                                 cell->integer);
                else if (cell->kind == PXR_CELL_TEXT)
                        pxr_html(w->to, " data-%s=\"%s\"", choices[k].attribute, cell->text);
                else if (cell->kind == PXR_CELL_REAL)
                        pxr_html(w->to, " data-%s=\"%.9g\"", choices[k].attribute, cell->real);
        }
}

static void put_rows(const struct writing *w)
{
        pxr_html(w->to, "<tbody>\n");
        for (size_t row = 0; row < w->texts.table->rows; row++) {
                pxr_html(w->to, "<tr");
                if (w->runs && w->runs->choice)
                        put_choice(w, row);
                pxr_html(w->to, ">");
                for (int i = 0; i < w->texts.columns; i++)
                        put_cell(w, row, i);
                pxr_html(w->to, "</tr>\n");
        }
        pxr_html(w->to, "</tbody>");
}

static void put_notes(const struct writing *w)
{
        for (const struct pxr_note *note = w->texts.table->note; note; note = note->next)
                if (note->footnote)
                        pxr_html(w->to, "<p class=\"note\" id=\"%s-%s\"><sup>%s</sup> %s</p>\n",
                                 w->id, note->footnote, note->footnote, note->text);
                else
                        pxr_html(w->to, "<p class=\"note\">%s</p>\n", note->text);
}

int pxr_html_table(FILE *to, struct pxr_arena *arena, const char *id, const struct pxr_table *table,
                   const struct pxr_html_runs *runs)
{
        struct writing w = { .to = to, .id = id, .runs = runs };

        if (pxr_text_table_fill(&w.texts, arena, table))
                return -1;
        pxr_html(to, "<h3 id=\"%s\">%s</h3>\n", id, table->title);
        if (table->rows > 0) {
                pxr_html(to,
                         "<div class=\"%s\" role=\"region\" tabindex=\"0\" "
                         "aria-labelledby=\"%s\"><table class=\"sorted\">\n",
                         table->rows > TALL ? "box tall" : "box", id);
                put_head(&w);
                put_rows(&w);
                pxr_html(to, "</table></div>\n");
        }
        put_notes(&w);
        return 0;
}
