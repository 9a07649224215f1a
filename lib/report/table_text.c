/* SPDX-License-Identifier: MIT */
/* table_text.c - a table as lines of text, laid out for a terminal. */
#include "report/text_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/escape.h"

enum { LINE = 100 };

/* Print a text in lines broken at spaces. */
static void wrap(FILE *to, const char *text, int indent, int line)
{
        int column = indent;

        while (*text) {
                int length = (int)strcspn(text, " ");
                char *word = strndup(text, (size_t)length);
                int width = word ? pxr_escape(NULL, PXR_ESCAPE_TEXT, word) : 0;

                if (column > indent && column + 1 + width > line) {
                        fprintf(to, "\n%*s", indent, "");
                        column = indent;
                } else if (column > indent) {
                        putc(' ', to);
                        column++;
                }
                if (word)
                        pxr_escape(to, PXR_ESCAPE_TEXT, word);
                free(word);
                column += width;
                text += length + (text[length] == ' ');
        }
        putc('\n', to);
}

/* A cell with its footnote; of row -1 the heading. */
static const char *full_at(const struct pxr_text_table *texts, ptrdiff_t row, int i)
{
        const char *footnote, *text;

        if (row < 0)
                return pxr_heading_at(texts, i);
        footnote = pxr_footnote_at(texts, (size_t)row, i);
        text = pxr_text_at(texts, (size_t)row, i);
        return footnote ? pxr_strf(texts->arena, "%s [%s]", text, footnote) : text;
}

/* The first line of a text that is broken into lines of `width`, at a good place if there is one.
 * Moves *text past it. */
static char *take_line(struct pxr_arena *arena, const char **text, int width)
{
        const char *from = *text, *all = from + strlen(from), *end = from, *good = NULL;
        size_t size;

        while (*end) {
                const char *next = end + pxr_step(end, all);
                char *line = pxr_strndup(arena, from, (size_t)(next - from));

                if (end > from &&
                    pxr_escape(NULL, PXR_ESCAPE_TEXT, line) > width + (next[-1] == ' '))
                        break;
                end = next;
                if (pxr_breaks_after(end - 1))
                        good = end;
        }
        if (*end && good)
                end = good;
        *text = end;
        size = (size_t)(end - from);
        while (*end && size > 0 && from[size - 1] == ' ')
                size--;
        return pxr_strndup(arena, from, size);
}

static void text_row(FILE *to, const struct pxr_text_table *texts, ptrdiff_t row)
{
        const char **rest =
                pxr_alloc_array(texts->arena, (size_t)texts->columns + 1, sizeof(*rest));
        bool more = rest != NULL;

        for (int i = 0; rest && i < texts->columns; i++)
                rest[i] = full_at(texts, row, i);
        while (more && !pxr_arena_failed(texts->arena)) {
                more = false;
                for (int i = 0; i < texts->columns; i++) {
                        bool number = texts->shown[i].number, last = i == texts->columns - 1;
                        int space, width = texts->shown[i].width;
                        const char *line = rest[i];

                        if (pxr_escape(NULL, PXR_ESCAPE_TEXT, line) <= width)
                                rest[i] += strlen(rest[i]);
                        else
                                line = take_line(texts->arena, &rest[i], width);
                        space = width - pxr_escape(NULL, PXR_ESCAPE_TEXT, line);
                        space = space > 0 ? space : 0;
                        fprintf(to, "%s%*s", i > 0 ? "  " : "", number ? space : 0, "");
                        pxr_escape(to, PXR_ESCAPE_TEXT, line);
                        fprintf(to, "%*s", number || last ? 0 : space, "");
                        more = more || *rest[i];
                }
                putc('\n', to);
        }
}

/* Leave out columns until the others can be broken to fit: those that can be done without, from the
 * last on, then the last. Returns their headings, separated by commas; "" where all fit. */
static const char *leave_out(struct pxr_text_table *texts, int line)
{
        const char *names = "";

        while (texts->columns > 1 && pxr_line_width(texts, true) > line) {
                int i = texts->columns - 1;

                while (i > 0 && texts->table->column[texts->shown[i].column].shown != PXR_IF_ROOM)
                        i--;
                if (i == 0)
                        i = texts->columns - 1;
                names = pxr_strf(texts->arena, "%s%s%s", pxr_heading_at(texts, i),
                                 *names ? ", " : "", names);
                texts->columns--;
                memmove(&texts->shown[i], &texts->shown[i + 1],
                        (size_t)(texts->columns - i) * sizeof(*texts->shown));
        }
        return names;
}

int pxr_table_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line)
{
        int notes = line > 0 && line < LINE ? line : LINE;
        struct pxr_text_table texts;
        const char *left_out = "";

        if (pxr_text_table_fill(&texts, arena, table))
                return -1;
        if (line > 0) {
                left_out = leave_out(&texts, line);
                pxr_text_table_fit(&texts, line);
        }
        wrap(to, table->title, 0, notes);
        if (table->rows > 0) {
                text_row(to, &texts, -1);
                for (int i = pxr_line_width(&texts, false); i > 0; i--)
                        putc('-', to);
                putc('\n', to);
        }
        for (size_t row = 0; row < table->rows; row++)
                text_row(to, &texts, (ptrdiff_t)row);
        if (table->rows > 0 && *left_out) {
                putc('\n', to);
                wrap(to,
                     pxr_strf(arena,
                              "No room for: %s. A wider terminal, or --format md, shows all.",
                              left_out),
                     0, notes);
        }
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                if (note == table->note)
                        putc('\n', to);
                if (note->footnote)
                        fprintf(to, "[%s] ", note->footnote);
                wrap(to, note->text, note->footnote ? (int)strlen(note->footnote) + 3 : 0, notes);
        }
        return pxr_arena_failed(arena) ? -1 : 0;
}
