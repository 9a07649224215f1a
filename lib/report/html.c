/* SPDX-License-Identifier: MIT */
/* html.c - markup, escaped text, tables and data of an HTML page. */
#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <nettle/base64.h>
#include <stdarg.h>
#include <string.h>

#include "report/escape.h"

/* Bytes of the conversion that `at` begins with; 0: it is not known. */
static size_t conversion(const char *at)
{
        size_t size = 2;

        if (strncmp(at, "%ld", 3) == 0)
                return 3;
        if (at[1] != '.')
                return at[1] && strchr("sdfg%", at[1]) ? 2 : 0;
        size += at[size] == '*' ? 1 : strspn(at + size, "0123456789");
        return (at[size] == 'f' || at[size] == 'g') && size < 8 ? size + 1 : 0;
}

bool pxr_html_knows(const char *format)
{
        while ((format = strchr(format, '%')) && conversion(format))
                format += conversion(format);
        return !format;
}

/* Write the argument of the conversion that `format` begins with; returns what follows it: its end
 * where it is not known, for nobody knows how large its argument is. */
static const char *put_argument(FILE *to, const char *format, va_list *arguments)
{
        int length = (int)conversion(format);
        char one[16];

        if (!length)
                return format + strlen(format);
        snprintf(one, sizeof(one), "%.*s", length, format);
        switch (format[length - 1]) {
        case 's':
                pxr_escape_html(to, va_arg(*arguments, const char *));
                break;
        case 'd':
                if (strchr(one, 'l'))
                        fprintf(to, "%" PRId64, va_arg(*arguments, int64_t));
                else
                        fprintf(to, "%d", va_arg(*arguments, int));
                break;
        case 'f':
        case 'g':
                if (strchr(one, '*')) {
                        int digits = va_arg(*arguments, int);

                        fprintf(to, one, digits, va_arg(*arguments, double));
                } else {
                        fprintf(to, one, va_arg(*arguments, double));
                }
                break;
        default:
                putc('%', to);
        }
        return format + length;
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
                        format = put_argument(to, format, &arguments);
        }
        va_end(arguments);
}

/* --- data --------------------------------------------------------------------------------------
 */

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

void pxr_html_data(FILE *to, const char *type, const void *bytes, size_t size)
{
        pxr_html(to, "data:%s;base64,", type);
        pxr_html_base64(to, bytes, size);
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
        struct pxr_arena *arena;
        const char *id;
        const struct pxr_table *table;
        const struct pxr_html_runs *runs;
        bool *shown, *numbers; /* [columns]: to ask each column once, not at each cell */
};

static int ask_columns(struct writing *w)
{
        w->shown = pxr_alloc_array(w->arena, (size_t)w->table->columns, sizeof(bool));
        w->numbers = pxr_alloc_array(w->arena, (size_t)w->table->columns, sizeof(bool));
        if (!w->shown || !w->numbers)
                return -1;
        for (int i = 0; i < w->table->columns; i++) {
                w->shown[i] = pxr_column_shown(w->table, i);
                w->numbers[i] = pxr_column_of_numbers(w->table, i);
        }
        return 0;
}

static void put_head(const struct writing *w)
{
        pxr_html(w->to, "<thead><tr>");
        for (int i = 0; i < w->table->columns; i++)
                if (w->shown[i])
                        pxr_html(w->to,
                                 w->numbers[i] ? "<th scope=\"col\" class=\"n\">%s</th>"
                                               : "<th scope=\"col\">%s</th>",
                                 w->table->column[i].heading);
        pxr_html(w->to, "</tr></thead>\n");
}

/* What a number is sorted by: all of its digits. */
static void put_value(FILE *to, const struct pxr_cell *cell)
{
        if (cell->kind == PXR_CELL_INTEGER)
                pxr_html(to, " data-value=\"%ld\"", cell->integer);
        else if (cell->kind == PXR_CELL_REAL || cell->kind == PXR_CELL_DURATION)
                pxr_html(to, " data-value=\"%.17g\"", cell->real);
}

static int put_cell(const struct writing *w, const struct pxr_cell *cell, int column)
{
        const char *words = pxr_cell_words(w->arena, cell);
        bool linked = strcmp(w->table->column[column].name, "run") == 0 &&
                      cell->kind == PXR_CELL_INTEGER && pxr_html_has_run(w->runs, cell->integer);

        if (!words)
                return -1;
        pxr_html(w->to, "<td");
        if (w->numbers[column])
                pxr_html(w->to, " class=\"n\"");
        else if (strlen(words) >= LONG)
                pxr_html(w->to, " class=\"long\"");
        put_value(w->to, cell);
        if (linked)
                pxr_html(w->to, "><a href=\"#run-%ld\">%s</a>", cell->integer, words);
        else
                pxr_html(w->to, ">%s", words);
        if (cell->mark)
                pxr_html(w->to, "<sup><a href=\"#%s-%s\">%s</a></sup>", w->id, cell->mark,
                         cell->mark);
        pxr_html(w->to, "</td>");
        return 0;
}

static int put_rows(const struct writing *w)
{
        pxr_html(w->to, "<tbody>\n");
        for (size_t row = 0; row < w->table->rows; row++) {
                pxr_html(w->to, "<tr>");
                for (int i = 0; i < w->table->columns; i++)
                        if (w->shown[i] &&
                            put_cell(w, w->table->cell + row * w->table->columns + i, i))
                                return -1;
                pxr_html(w->to, "</tr>\n");
        }
        pxr_html(w->to, "</tbody>");
        return 0;
}

static void put_notes(const struct writing *w)
{
        for (const struct pxr_note *note = w->table->note; note; note = note->next)
                if (note->mark)
                        pxr_html(w->to, "<p class=\"note\" id=\"%s-%s\"><sup>%s</sup> %s</p>\n",
                                 w->id, note->mark, note->mark, note->text);
                else
                        pxr_html(w->to, "<p class=\"note\">%s</p>\n", note->text);
}

int pxr_html_table(FILE *to, struct pxr_arena *arena, const char *id, const struct pxr_table *table,
                   const struct pxr_html_runs *runs)
{
        struct writing w = { to, arena, id, table, runs, NULL, NULL };

        if (ask_columns(&w))
                return -1;
        pxr_html(to, "<h3 id=\"%s\">%s</h3>\n", id, table->title);
        if (table->rows > 0) {
                pxr_html(to,
                         table->rows > TALL ? "<div class=\"box tall\" " : "<div class=\"box\" ");
                pxr_html(to,
                         "role=\"region\" tabindex=\"0\" "
                         "aria-labelledby=\"%s\"><table class=\"sorted\">\n",
                         id);
                put_head(&w);
                if (put_rows(&w))
                        return -1;
                pxr_html(to, "</table></div>\n");
        }
        put_notes(&w);
        return 0;
}
