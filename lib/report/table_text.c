/* SPDX-License-Identifier: MIT */
/* table_text.c - a table as lines of text, laid out for a terminal. */
#include "report/table_words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/escape.h"

enum { LINE = 100 };

/* Break at spaces, so that what is read in a terminal is not broken elsewhere. */
static void wrap(FILE *to, const char *text, int indent, int line)
{
        int column = indent;

        while (*text) {
                int length = (int)strcspn(text, " ");
                char *word = strndup(text, (size_t)length);
                int width = word ? pxr_escape_text(NULL, word) : 0;

                if (column > indent && column + 1 + width > line) {
                        fprintf(to, "\n%*s", indent, "");
                        column = indent;
                } else if (column > indent) {
                        putc(' ', to);
                        column++;
                }
                if (word)
                        pxr_escape_text(to, word);
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
        const struct pxr_words *words;
        int *width, *least; /* [columns] */
        int columns;        /* so many are shown: the last do not fit */
};

/* A cell with its mark; of row -1 the heading. */
static const char *full_at(const struct pxr_words *words, ptrdiff_t row, int i)
{
        const char *mark, *text;

        if (row < 0)
                return words->table->column[words->shown[i]].heading;
        mark = pxr_mark_at(words, (size_t)row, i);
        text = pxr_word_at(words, (size_t)row, i);
        return mark ? pxr_strf(words->arena, "%s [%s]", text, mark) : text;
}

/* Bytes of the text's first letter. */
static size_t letter(const char *text)
{
        size_t size = 1;

        while ((text[size] & 0xc0) == 0x80)
                size++;
        return size;
}

/* The first line of a text that is broken into lines of `width`, where it may be if there is such a
 * place. Moves *text behind it. NULL when memory is out. */
static char *take_line(struct pxr_arena *arena, const char **text, int width)
{
        const char *from = *text, *end = from, *good = NULL;
        char *line;

        while (*end) {
                const char *next = end + letter(end);

                line = pxr_strf(arena, "%.*s", (int)(next - from), from);
                if (!line)
                        return NULL;
                if (end > from && pxr_escape_text(NULL, line) > width + (next[-1] == ' '))
                        break;
                end = next;
                if (pxr_word_breaks_after(end - 1))
                        good = end;
        }
        if (*end && good)
                end = good;
        *text = end;
        line = pxr_strf(arena, "%.*s", (int)(end - from), from);
        for (size_t last = line ? strlen(line) : 0; *end && last > 0 && line[last - 1] == ' ';)
                line[--last] = '\0';
        return line;
}

/* The widest piece of a heading that is broken wherever it may be. */
static int widest_piece(const char *text)
{
        int widest = 0, width = 0;

        for (; *text; text++) {
                width += *text != ' ';
                widest = width > widest ? width : widest;
                if (pxr_word_breaks_after(text))
                        width = 0;
        }
        return widest;
}

static int text_row(FILE *to, const struct layout *layout, ptrdiff_t row)
{
        const struct pxr_words *words = layout->words;
        const char **rest =
                pxr_alloc_array(words->arena, (size_t)words->columns + 1, sizeof(*rest));
        bool more = true;

        for (int i = 0; rest && i < layout->columns; i++)
                if (!(rest[i] = full_at(words, row, i)))
                        return -1;
        while (rest && more) {
                more = false;
                for (int i = 0; i < layout->columns; i++) {
                        bool last = i == layout->columns - 1;
                        int natural = pxr_escape_text(NULL, rest[i]), space;
                        const char *line = rest[i];

                        if (natural <= layout->width[i])
                                rest[i] += strlen(rest[i]);
                        else if (!(line = take_line(words->arena, &rest[i], layout->width[i])))
                                return -1;
                        space = layout->width[i] - pxr_escape_text(NULL, line);
                        if (i > 0)
                                fputs("  ", to);
                        if (words->number[i])
                                pad(to, space);
                        pxr_escape_text(to, line);
                        if (!words->number[i] && !last)
                                pad(to, space);
                        more = more || *rest[i];
                }
                putc('\n', to);
        }
        return rest ? 0 : -1;
}

enum { NARROW = 16 }; /* texts are not broken into less, if that can be helped */

static int all_of(const int *width, int columns)
{
        int all = columns > 0 ? 2 * (columns - 1) : 0;

        for (int i = 0; i < columns; i++)
                all += width[i];
        return all;
}

/* Leave out the last column that can be done without, or else the last: it goes behind those that
 * are shown. */
static void leave_out(struct layout *layout, struct pxr_words *words)
{
        int i = layout->columns - 1, shown, least, width;
        bool number;

        while (i > 0 && words->table->column[words->shown[i]].shown != PXR_IF_ROOM)
                i--;
        if (i == 0)
                i = layout->columns - 1;
        shown = words->shown[i];
        number = words->number[i];
        least = layout->least[i];
        width = layout->width[i];
        layout->columns--;
        for (; i < layout->columns; i++) {
                words->shown[i] = words->shown[i + 1];
                words->number[i] = words->number[i + 1];
                layout->least[i] = layout->least[i + 1];
                layout->width[i] = layout->width[i + 1];
        }
        words->shown[i] = shown;
        words->number[i] = number;
        layout->least[i] = least;
        layout->width[i] = width;
}

/* Make it fit into `line`, 0 for no end: the widest headings and texts are broken into lines, and
 * what has no room then is left out. */
static int lay_out(struct layout *layout, struct pxr_words *words, int line)
{
        size_t room = (size_t)words->table->columns + 1;

        *layout = (struct layout) { words, pxr_alloc_array(words->arena, room, sizeof(int)),
                                    pxr_alloc_array(words->arena, room, sizeof(int)),
                                    words->columns };
        if (!layout->width || !layout->least)
                return -1;
        for (int i = 0; i < words->columns; i++) {
                const char *heading = words->table->column[words->shown[i]].heading;
                int cells = 0, piece = widest_piece(heading);

                for (size_t row = 0; row < words->table->rows; row++)
                        if (pxr_word_width(words, row, i) > cells)
                                cells = pxr_word_width(words, row, i);
                layout->width[i] = pxr_escape_text(NULL, heading);
                if (cells > layout->width[i])
                        layout->width[i] = cells;
                layout->least[i] = words->number[i] || cells < NARROW ? cells : NARROW;
                if (piece > layout->least[i])
                        layout->least[i] = piece;
        }
        while (line > 0 && layout->columns > 1 && all_of(layout->least, layout->columns) > line)
                leave_out(layout, words);
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

static int note_left_out(FILE *to, const struct layout *layout, int line)
{
        const struct pxr_words *words = layout->words;
        char *text = pxr_strdup(words->arena, "No room for:");

        for (int i = layout->columns; text && i < words->columns; i++)
                text = pxr_strf(words->arena, "%s%s %s", text, i > layout->columns ? "," : "",
                                full_at(words, -1, i));
        if (text)
                text = pxr_strf(words->arena, "%s. A wider terminal, or --format md, shows all.",
                                text);
        if (!text)
                return -1;
        putc('\n', to);
        wrap(to, text, 0, line);
        return 0;
}

int pxr_table_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line)
{
        int notes = line > 0 && line < LINE ? line : LINE, all;
        struct layout layout;
        struct pxr_words words;

        if (pxr_words_of(&words, arena, table) || lay_out(&layout, &words, line))
                return -1;
        wrap(to, table->title, 0, notes);
        all = all_of(layout.width, layout.columns);
        if (table->rows > 0) {
                if (text_row(to, &layout, -1))
                        return -1;
                for (int i = 0; i < all; i++)
                        putc('-', to);
                putc('\n', to);
        }
        for (size_t row = 0; row < table->rows; row++)
                if (text_row(to, &layout, (ptrdiff_t)row))
                        return -1;
        if (table->rows > 0 && layout.columns < words.columns && note_left_out(to, &layout, notes))
                return -1;
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                if (note == table->note)
                        putc('\n', to);
                if (note->mark)
                        fprintf(to, "[%s] ", note->mark);
                wrap(to, note->text, note->mark ? (int)strlen(note->mark) + 3 : 0, notes);
        }
        return 0;
}
