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

static void pad(FILE *to, int width)
{
        fprintf(to, "%*s", width > 0 ? width : 0, "");
}

/* A table as lines of text: how wide each of the columns shown is. */
struct layout {
        const struct pxr_text_table *texts;
        int *width, *least; /* [columns]; the least a column can be broken to */
        int columns;        /* so many are shown: the last do not fit */
};

/* A cell with its mark; of row -1 the heading. */
static const char *full_at(const struct pxr_text_table *texts, ptrdiff_t row, int i)
{
        const char *mark, *text;

        if (row < 0)
                return pxr_heading_at(texts, i);
        mark = pxr_mark_at(texts, (size_t)row, i);
        text = pxr_text_at(texts, (size_t)row, i);
        return mark ? pxr_strf(texts->arena, "%s [%s]", text, mark) : text;
}

/* Bytes of the text's first letter. */
static size_t letter(const char *text)
{
        size_t size = 1;

        while ((text[size] & 0xc0) == 0x80)
                size++;
        return size;
}

/* The first line of a text that is broken into lines of `width`, at a good place if there is one.
 * Moves *text past it. */
static char *take_line(struct pxr_arena *arena, const char **text, int width)
{
        const char *from = *text, *end = from, *good = NULL;
        size_t size;

        while (*end) {
                const char *next = end + letter(end);
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

/* The widest piece of a heading that is broken wherever it may be. */
static int widest_piece(const char *text)
{
        int widest = 0, width = 0;

        for (; *text; text++) {
                width += *text != ' ';
                widest = width > widest ? width : widest;
                if (pxr_breaks_after(text))
                        width = 0;
        }
        return widest;
}

static void text_row(FILE *to, const struct layout *layout, ptrdiff_t row)
{
        const struct pxr_text_table *texts = layout->texts;
        const char **rest =
                pxr_alloc_array(texts->arena, (size_t)texts->columns + 1, sizeof(*rest));
        bool more = rest != NULL;

        for (int i = 0; rest && i < layout->columns; i++)
                rest[i] = full_at(texts, row, i);
        while (more && !pxr_arena_failed(texts->arena)) {
                more = false;
                for (int i = 0; i < layout->columns; i++) {
                        bool number = texts->shown[i].number, last = i == layout->columns - 1;
                        const char *line = rest[i];
                        int space;

                        if (pxr_escape(NULL, PXR_ESCAPE_TEXT, line) <= layout->width[i])
                                rest[i] += strlen(rest[i]);
                        else
                                line = take_line(texts->arena, &rest[i], layout->width[i]);
                        space = layout->width[i] - pxr_escape(NULL, PXR_ESCAPE_TEXT, line);
                        fputs(i > 0 ? "  " : "", to);
                        pad(to, number ? space : 0);
                        pxr_escape(to, PXR_ESCAPE_TEXT, line);
                        pad(to, number || last ? 0 : space);
                        more = more || *rest[i];
                }
                putc('\n', to);
        }
}

enum { NARROW = 16 }; /* texts are not broken into less, if that can be helped */

static int all_of(const int *width, int columns)
{
        int all = columns > 0 ? 2 * (columns - 1) : 0;

        for (int i = 0; i < columns; i++)
                all += width[i];
        return all;
}

static void move_to_end(void *array, size_t size, int from, int count)
{
        char *item = (char *)array + (size_t)from * size, kept[sizeof(struct pxr_text_column)];

        memcpy(kept, item, size);
        memmove(item, item + size, (size_t)(count - from - 1) * size);
        memcpy((char *)array + (size_t)(count - 1) * size, kept, size);
}

/* Leave out the last column that can be done without, or else the last: it goes behind those that
 * are shown. */
static void leave_out(struct layout *layout, struct pxr_text_table *texts)
{
        int i = layout->columns - 1;

        while (i > 0 && texts->table->column[texts->shown[i].column].shown != PXR_IF_ROOM)
                i--;
        if (i == 0)
                i = layout->columns - 1;
        move_to_end(texts->shown, sizeof(*texts->shown), i, layout->columns);
        move_to_end(layout->least, sizeof(*layout->least), i, layout->columns);
        move_to_end(layout->width, sizeof(*layout->width), i, layout->columns);
        layout->columns--;
}

/* Make it fit into `line`, 0 for no end: the widest headings and texts are broken into lines, and
 * what has no room then is left out. */
static int lay_out(struct layout *layout, struct pxr_text_table *texts, int line)
{
        size_t room = (size_t)texts->table->columns + 1;

        *layout = (struct layout) { texts, pxr_alloc_array(texts->arena, room, sizeof(int)),
                                    pxr_alloc_array(texts->arena, room, sizeof(int)),
                                    texts->columns };
        if (!layout->width || !layout->least)
                return -1;
        for (int i = 0; i < texts->columns; i++) {
                const char *heading = pxr_heading_at(texts, i);
                int cells = pxr_cells_width(texts, i), piece = widest_piece(heading);

                layout->width[i] = pxr_escape(NULL, PXR_ESCAPE_TEXT, heading);
                if (cells > layout->width[i])
                        layout->width[i] = cells;
                layout->least[i] = texts->shown[i].number || cells < NARROW ? cells : NARROW;
                if (piece > layout->least[i])
                        layout->least[i] = piece;
        }
        while (line > 0 && layout->columns > 1 && all_of(layout->least, layout->columns) > line)
                leave_out(layout, texts);
        while (line > 0 && all_of(layout->width, layout->columns) > line) {
                int widest = -1;

                for (int i = 0; i < layout->columns; i++)
                        if (layout->width[i] > layout->least[i] &&
                            (widest < 0 || layout->width[i] > layout->width[widest]))
                                widest = i;
                if (widest < 0)
                        break;
                layout->width[widest]--;
        }
        return 0;
}

static void note_left_out(FILE *to, const struct layout *layout, int line)
{
        const struct pxr_text_table *texts = layout->texts;
        const char *text = "No room for:";

        for (int i = layout->columns; i < texts->columns; i++)
                text = pxr_strf(texts->arena, "%s%s %s", text, i > layout->columns ? "," : "",
                                pxr_heading_at(texts, i));
        putc('\n', to);
        wrap(to, pxr_strf(texts->arena, "%s. A wider terminal, or --format md, shows all.", text),
             0, line);
}

int pxr_table_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line)
{
        int notes = line > 0 && line < LINE ? line : LINE, all;
        struct layout layout;
        struct pxr_text_table texts;

        if (pxr_text_table_fill(&texts, arena, table) || lay_out(&layout, &texts, line))
                return -1;
        wrap(to, table->title, 0, notes);
        all = all_of(layout.width, layout.columns);
        if (table->rows > 0) {
                text_row(to, &layout, -1);
                for (int i = 0; i < all; i++)
                        putc('-', to);
                putc('\n', to);
        }
        for (size_t row = 0; row < table->rows; row++)
                text_row(to, &layout, (ptrdiff_t)row);
        if (table->rows > 0 && layout.columns < texts.columns)
                note_left_out(to, &layout, notes);
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                if (note == table->note)
                        putc('\n', to);
                if (note->mark)
                        fprintf(to, "[%s] ", note->mark);
                wrap(to, note->text, note->mark ? (int)strlen(note->mark) + 3 : 0, notes);
        }
        return pxr_arena_failed(arena) ? -1 : 0;
}
