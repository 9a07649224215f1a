/* SPDX-License-Identifier: MIT */
/* table.c - tables in the making, and as text, Markdown, CSV, LaTeX and JSON. */
#include "report/table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/escape.h"
#include "spec/options.h"

const char *const pxr_format_names[] = { "text", "md", "csv", "latex", "json", NULL };

/* --- making one --------------------------------------------------------------------------------
 */

struct pxr_table *pxr_table_new(struct pxr_arena *arena, const char *name, const char *title,
                                const struct pxr_column *column, int columns)
{
        struct pxr_table *table = pxr_alloc(arena, sizeof(*table));
        const char *copy = pxr_strdup(arena, title);

        if (!table || !copy)
                return NULL;
        *table = (struct pxr_table) {
                .arena = arena, .title = copy, .name = name, .column = column, .columns = columns
        };
        table->last_note = &table->note;
        return table;
}

/* Room grows by doubling; an arena gives nothing back, so that a table takes up to twice its size.
 */
struct pxr_cell *pxr_table_row(struct pxr_table *table)
{
        static struct pxr_cell nowhere[64]; /* written, never read */
        size_t columns = (size_t)table->columns, room = table->room ? 2 * table->room : 16;
        struct pxr_cell *cell;

        if (table->rows == table->room) {
                cell = pxr_alloc_array(table->arena, room * columns, sizeof(*cell));
                if (!cell) {
                        table->failed = true;
                        return nowhere;
                }
                if (table->rows > 0)
                        memcpy(cell, table->cell, table->rows * columns * sizeof(*cell));
                table->cell = cell;
                table->room = room;
        }
        return table->cell + table->rows++ * columns;
}

void pxr_table_note(struct pxr_table *table, const char *mark, const char *format, ...)
{
        struct pxr_note *note = pxr_alloc(table->arena, sizeof(*note));
        va_list arguments;

        va_start(arguments, format);
        if (note) {
                note->mark = mark;
                note->text = pxr_vstrf(table->arena, format, arguments);
        }
        va_end(arguments);
        if (!note || !note->text) {
                table->failed = true;
                return;
        }
        *table->last_note = note;
        table->last_note = &note->next;
}

int pxr_table_finish(const struct pxr_table *table, struct pxr_diag *diag)
{
        return table->failed ? pxr_out_of_memory(diag) : 0;
}

struct pxr_cell pxr_text_cell(struct pxr_table *table, const char *text)
{
        struct pxr_cell cell = { .kind = text ? PXR_CELL_TEXT : PXR_CELL_EMPTY };

        if (text) {
                cell.text = pxr_strdup(table->arena, text);
                if (!cell.text) {
                        table->failed = true;
                        cell.kind = PXR_CELL_EMPTY;
                }
        }
        return cell;
}

struct pxr_cell pxr_integer_cell(int64_t value)
{
        return (struct pxr_cell) { .kind = PXR_CELL_INTEGER, .integer = value };
}

struct pxr_cell pxr_real_cell(double value, int decimals)
{
        return (struct pxr_cell) { .kind = isnan(value) ? PXR_CELL_EMPTY : PXR_CELL_REAL,
                                   .real = value,
                                   .decimals = decimals };
}

struct pxr_cell pxr_duration_cell(double seconds)
{
        return (struct pxr_cell) { .kind = isnan(seconds) ? PXR_CELL_EMPTY : PXR_CELL_DURATION,
                                   .real = seconds };
}

/* --- cells as words ----------------------------------------------------------------------------
 */

static char *duration_words(struct pxr_arena *arena, double seconds)
{
        long long all = llround(seconds);

        if (seconds < 60)
                return pxr_strf(arena, "%.1f s", seconds);
        if (all < 3600)
                return pxr_strf(arena, "%lld min %02lld s", all / 60, all % 60);
        if (all < 86400)
                return pxr_strf(arena, "%lld h %02lld min", all / 3600, all / 60 % 60);
        return pxr_strf(arena, "%lld d %lld h", all / 86400, all / 3600 % 24);
}

static const double MOST_REAL = 1e7;

static char *real_words(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        char text[PXR_REAL_TEXT];

        /* Where training diverged there is no use in thirty digits. */
        if (fabs(cell->real) >= MOST_REAL && isfinite(cell->real))
                return pxr_strf(arena, cell->sign ? "%+.3g" : "%.3g", cell->real);
        if (cell->decimals < 0 || !isfinite(cell->real))
                return pxr_strdup(arena, pxr_format_real(cell->real, text));
        return pxr_strf(arena, cell->sign ? "%+.*f" : "%.*f", cell->decimals, cell->real);
}

/* Thousands apart, for numbers of five digits and more. */
static char *integer_words(struct pxr_arena *arena, int64_t value)
{
        char digits[24], text[32], *to = text;
        int length = snprintf(digits, sizeof(digits), "%" PRId64, value);
        int first = digits[0] == '-';

        if (length - first < 5)
                return pxr_strdup(arena, digits);
        for (int i = 0; i < length; i++) {
                if (i > first && (length - i) % 3 == 0)
                        *to++ = ',';
                *to++ = digits[i];
        }
        *to = '\0';
        return pxr_strdup(arena, text);
}

char *pxr_cell_words(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        char *words = NULL;

        switch (cell->kind) {
        case PXR_CELL_EMPTY:
                return pxr_strdup(arena, "");
        case PXR_CELL_TEXT:
                words = pxr_strdup(arena, cell->text);
                break;
        case PXR_CELL_INTEGER:
                words = integer_words(arena, cell->integer);
                break;
        case PXR_CELL_REAL:
                words = real_words(arena, cell);
                break;
        case PXR_CELL_DURATION:
                words = duration_words(arena, cell->real);
                break;
        }
        if (words && cell->before)
                words = pxr_strf(arena, "%s%s", cell->before, words);
        return words;
}

bool pxr_column_shown(const struct pxr_table *table, int column)
{
        if (table->column[column].shown != PXR_IF_FILLED &&
            table->column[column].shown != PXR_IF_ROOM)
                return table->column[column].shown == PXR_ALWAYS;
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind != PXR_CELL_EMPTY)
                        return true;
        return table->rows == 0;
}

bool pxr_column_of_numbers(const struct pxr_table *table, int column)
{
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind == PXR_CELL_TEXT)
                        return false;
        return true;
}

/* --- for people --------------------------------------------------------------------------------
 */

/* A table whose cells are words. */
struct words {
        const struct pxr_table *table;
        struct pxr_arena *arena;
        const char **cell; /* [rows][columns] */
        int *shown;        /* [columns_shown]: the columns that are */
        bool *number;
        int columns;
};

static int word_table(struct pxr_arena *arena, const struct pxr_table *table, struct words *words)
{
        size_t columns = (size_t)table->columns;

        *words = (struct words) {
                .table = table,
                .arena = arena,
                .cell = pxr_alloc_array(arena, table->rows * columns + 1, sizeof(char *)),
                .shown = pxr_alloc_array(arena, columns, sizeof(int)),
                .number = pxr_alloc_array(arena, columns, sizeof(bool)),
        };
        if (!words->cell || !words->shown || !words->number)
                return -1;
        for (int i = 0; i < table->columns; i++)
                if (pxr_column_shown(table, i)) {
                        words->number[words->columns] = pxr_column_of_numbers(table, i);
                        words->shown[words->columns++] = i;
                }
        for (size_t i = 0; i < table->rows * columns; i++)
                if (!(words->cell[i] = pxr_cell_words(arena, table->cell + i)))
                        return -1;
        return 0;
}

static const char *word_at(const struct words *words, size_t row, int i)
{
        return words->cell[row * words->table->columns + words->shown[i]];
}

static const char *mark_at(const struct words *words, size_t row, int i)
{
        return words->table->cell[row * words->table->columns + words->shown[i]].mark;
}

static int width_at(const struct words *words, size_t row, int i)
{
        const char *mark = mark_at(words, row, i);

        return pxr_escape_text(NULL, word_at(words, row, i)) + (mark ? (int)strlen(mark) + 3 : 0);
}

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
        const struct words *words;
        int *width, *least; /* [columns] */
        int columns;        /* so many are shown: the last do not fit */
};

/* A cell with its mark; of row -1 the heading. */
static const char *full_at(const struct words *words, ptrdiff_t row, int i)
{
        const char *mark, *text;

        if (row < 0)
                return words->table->column[words->shown[i]].heading;
        mark = mark_at(words, (size_t)row, i);
        text = word_at(words, (size_t)row, i);
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

/* May a line end behind this letter? Not within a number. */
static bool breaks_after(const char *letter)
{
        char c = *letter;

        if (c == '.' && letter[1] >= '0' && letter[1] <= '9')
                return false;
        return c == ' ' || c == '.' || c == '_' || c == '/' || c == ',' || c == ';';
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
                if (breaks_after(end - 1))
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
                if (breaks_after(text))
                        width = 0;
        }
        return widest;
}

static int text_row(FILE *to, const struct layout *layout, ptrdiff_t row)
{
        const struct words *words = layout->words;
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
static void leave_out(struct layout *layout, struct words *words)
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
static int lay_out(struct layout *layout, struct words *words, int line)
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
                        if (width_at(words, row, i) > cells)
                                cells = width_at(words, row, i);
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
        const struct words *words = layout->words;
        char *text = pxr_strdup(words->arena, "No room for:");

        for (int i = layout->columns; text && i < words->columns; i++)
                text = pxr_strf(words->arena, "%s%s %s", text, i > layout->columns ? "," : "",
                                full_at(words, -1, i));
        if (text)
                text = pxr_strf(words->arena, "%s. A wider terminal, or --format, shows all.",
                                text);
        if (!text)
                return -1;
        putc('\n', to);
        wrap(to, text, 0, line);
        return 0;
}

static int write_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line)
{
        int notes = line > 0 && line < LINE ? line : LINE, all;
        struct layout layout;
        struct words words;

        if (word_table(arena, table, &words) || lay_out(&layout, &words, line))
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

static int write_markdown(struct pxr_arena *arena, const struct pxr_table *table, FILE *to)
{
        struct words words;

        if (word_table(arena, table, &words))
                return -1;
        fputs("### ", to);
        pxr_escape_markdown(to, table->title);
        fputs("\n\n|", to);
        for (int i = 0; i < words.columns; i++) {
                putc(' ', to);
                pxr_escape_markdown(to, table->column[words.shown[i]].heading);
                fputs(" |", to);
        }
        fputs("\n|", to);
        for (int i = 0; i < words.columns; i++)
                fputs(words.number[i] ? "---:|" : "---|", to);
        putc('\n', to);
        for (size_t row = 0; row < table->rows; row++) {
                putc('|', to);
                for (int i = 0; i < words.columns; i++) {
                        putc(' ', to);
                        pxr_escape_markdown(to, word_at(&words, row, i));
                        if (mark_at(&words, row, i))
                                fprintf(to, "<sup>%s</sup>", mark_at(&words, row, i));
                        fputs(" |", to);
                }
                putc('\n', to);
        }
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                putc('\n', to);
                if (note->mark)
                        fprintf(to, "<sup>%s</sup> ", note->mark);
                pxr_escape_markdown(to, note->text);
                putc('\n', to);
        }
        return 0;
}

/* What fits in a line of the page, in letters of \small, and a letter's width; the columns that may
 * be broken into lines, and what they keep at the least; the rows that fit on a page. */
enum { LATEX_LINE = 150, LATEX_WIDE = 40, LATEX_LEAST = 24, LATEX_PAGE = 40 };
static const double latex_letter = 1.65; /* millimetres */

static int latex_width(const struct words *words, int i)
{
        int width = pxr_escape_text(NULL, words->table->column[words->shown[i]].heading);

        for (size_t row = 0; row < words->table->rows; row++)
                if (width_at(words, row, i) > width)
                        width = width_at(words, row, i);
        return width + 2;
}

/* Where the lines would be longer than the page is wide, the widest columns of text share what the
 * others leave. */
static void latex_columns(const struct words *words, FILE *to)
{
        int all = 0, broken = 0, others = 0, letters = 0;

        for (int i = 0; i < words->columns; i++) {
                int width = latex_width(words, i);
                bool wide = !words->number[i] && width > LATEX_WIDE;

                all += width;
                broken += wide;
                others += wide ? 0 : width;
        }
        if (all > LATEX_LINE && broken > 0) {
                letters = (LATEX_LINE - others) / broken;
                letters = letters < LATEX_LEAST ? LATEX_LEAST : letters;
        }
        for (int i = 0; i < words->columns; i++)
                if (letters && !words->number[i] && latex_width(words, i) > LATEX_WIDE)
                        fprintf(to, ">{\\raggedright\\arraybackslash}p{%.0fmm}",
                                letters * latex_letter);
                else
                        putc(words->number[i] ? 'r' : 'l', to);
}

static void latex_tabular(const struct words *words, FILE *to)
{
        const struct pxr_table *table = words->table;
        bool several = table->rows > LATEX_PAGE;

        fputs(several ? "\\begin{longtable}[l]{@{}" : "\\begin{tabular}{@{}", to);
        latex_columns(words, to);
        fputs("@{}}\n\\hline\n", to);
        for (int i = 0; i < words->columns; i++) {
                fputs(i ? " & " : "", to);
                pxr_escape_latex(to, table->column[words->shown[i]].heading);
        }
        fputs(" \\\\\n\\hline\n", to);
        fputs(several ? "\\endhead\n" : "", to);
        for (size_t row = 0; row < table->rows; row++) {
                for (int i = 0; i < words->columns; i++) {
                        const char *word = word_at(words, row, i);
                        bool minus = words->number[i] && *word == '-';

                        fputs(i ? " & " : "", to);
                        fputs(minus ? "$-$" : "", to);
                        pxr_escape_latex(to, word + minus);
                        if (mark_at(words, row, i))
                                fprintf(to, "\\textsuperscript{%s}", mark_at(words, row, i));
                }
                fputs(" \\\\\n", to);
        }
        fputs(several ? "\\hline\n\\end{longtable}\n" : "\\hline\n\\end{tabular}\n", to);
}

static int write_latex(struct pxr_arena *arena, const struct pxr_table *table, FILE *to)
{
        struct words words;

        if (word_table(arena, table, &words))
                return -1;
        fputs("\n\\noindent\\textbf{", to);
        pxr_escape_latex(to, table->title);
        fputs("}\n\n\\nopagebreak\\medskip\\noindent\n", to);
        if (table->rows > 0)
                latex_tabular(&words, to);
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                fputs("\n\\smallskip\\noindent{\\footnotesize ", to);
                if (note->mark)
                        fprintf(to, "\\textsuperscript{%s}~", note->mark);
                pxr_escape_latex(to, note->text);
                fputs("\\par}\n", to);
        }
        fputs("\n\\bigskip\n", to);
        return 0;
}

/* --- for programs ------------------------------------------------------------------------------
 */

static void write_csv(const struct pxr_table *table, FILE *to)
{
        char text[PXR_REAL_TEXT];

        for (int i = 0; i < table->columns; i++) {
                fputs(i ? "," : "", to);
                pxr_escape_csv(to, table->column[i].name);
        }
        putc('\n', to);
        for (size_t i = 0; i < table->rows * table->columns; i++) {
                const struct pxr_cell *cell = table->cell + i;

                if (i % table->columns > 0)
                        putc(',', to);
                if (cell->kind == PXR_CELL_TEXT)
                        pxr_escape_csv(to, cell->text);
                else if (cell->kind == PXR_CELL_INTEGER)
                        fprintf(to, "%" PRId64, cell->integer);
                else if (cell->kind != PXR_CELL_EMPTY)
                        fputs(pxr_format_real(cell->real, text), to);
                if ((i + 1) % table->columns == 0)
                        putc('\n', to);
        }
}

/* Broken UTF-8, which JSON has no place for, becomes visible. */
static json_t *json_text(const char *text)
{
        json_t *value = json_string(text);
        char *bytes = NULL;
        size_t size;
        FILE *to;

        if (value || !(to = open_memstream(&bytes, &size)))
                return value;
        pxr_escape_text(to, text);
        fclose(to);
        value = json_string(bytes);
        free(bytes);
        return value;
}

static json_t *json_cell(const struct pxr_cell *cell)
{
        if (cell->kind == PXR_CELL_TEXT)
                return json_text(cell->text);
        if (cell->kind == PXR_CELL_INTEGER)
                return json_integer(cell->integer);
        if (cell->kind == PXR_CELL_EMPTY || !isfinite(cell->real))
                return json_null();
        return json_real(cell->real);
}

static json_t *json_table(const struct pxr_table *table)
{
        json_t *rows = json_array(), *notes = json_array();

        for (size_t row = 0; row < table->rows; row++) {
                json_t *object = json_object();

                for (int i = 0; i < table->columns; i++) {
                        const struct pxr_cell *cell = table->cell + row * table->columns + i;

                        json_object_set_new(object, table->column[i].name, json_cell(cell));
                        if (cell->mark)
                                json_object_set_new(object, "note", json_string(cell->mark));
                }
                json_array_append_new(rows, object);
        }
        for (const struct pxr_note *note = table->note; note; note = note->next)
                json_array_append_new(notes, json_pack("{s:s?, s:o}", "note", note->mark, "text",
                                                       json_text(note->text)));
        return json_pack("{s:s, s:o, s:o, s:o}", "table", table->name, "title",
                         json_text(table->title), "rows", rows, "notes", notes);
}

static int write_json(const struct pxr_table *table, FILE *to)
{
        json_t *root = table->next ? json_array() : json_table(table);
        int status;

        for (; table->next || json_is_array(root); table = table->next) {
                json_array_append_new(root, json_table(table));
                if (!table->next)
                        break;
        }
        status = root ? json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : -1;
        putc('\n', to);
        json_decref(root);
        return status;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static const char latex_preamble[] =
        "\\documentclass[a4paper]{article}\n"
        "% A table in a document of your own needs these five packages, the last two only where "
        "it\n"
        "% is broken into lines or pages; one of several pages wants LaTeX to be run twice.\n"
        "\\usepackage[T1]{fontenc}\n"
        "\\usepackage[utf8]{inputenc}\n"
        "\\usepackage{textcomp}\n"
        "\\usepackage{array}\n"
        "\\usepackage{longtable}\n"
        "\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}{}\n"
        "\\usepackage[landscape,margin=15mm]{geometry}\n"
        "\\begin{document}\n\\small\n\\LTpre=\\smallskipamount\\LTpost=0pt\n";

static int write_for_people(const struct pxr_table *table, enum pxr_format format, FILE *to,
                            int line)
{
        struct pxr_arena *arena = pxr_arena_new(0);
        int status = arena ? 0 : -1;

        if (format == PXR_FORMAT_LATEX)
                fputs(latex_preamble, to);
        for (; table && !status; table = table->next) {
                if (format == PXR_FORMAT_TEXT)
                        status = write_text(arena, table, to, line);
                else if (format == PXR_FORMAT_MD)
                        status = write_markdown(arena, table, to);
                else
                        status = write_latex(arena, table, to);
                if (table->next && format != PXR_FORMAT_LATEX)
                        putc('\n', to);
        }
        if (format == PXR_FORMAT_LATEX)
                fputs("\\end{document}\n", to);
        pxr_arena_free(arena);
        return status;
}

int pxr_tables_write(const struct pxr_table *table, enum pxr_format format, FILE *to, int line,
                     struct pxr_diag *diag)
{
        int status = 0;

        if (format == PXR_FORMAT_CSV)
                write_csv(table, to);
        else if (format == PXR_FORMAT_JSON)
                status = write_json(table, to);
        else
                status = write_for_people(table, format, to, line);
        return status ? pxr_out_of_memory(diag) : 0;
}
