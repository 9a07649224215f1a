/* SPDX-License-Identifier: MIT */
/* table_write.c - tables as Markdown, LaTeX, CSV and JSON, and in whichever format is asked for. */
#include "report/text_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "report/escape.h"
#include "config/options.h"

const char *const pxr_format_names[] = { "text", "md", "csv", "latex", "json", "tabular", NULL };

/* --- for people --------------------------------------------------------------------------------
 */

static int write_markdown(struct pxr_arena *arena, const struct pxr_table *table, FILE *to)
{
        struct pxr_text_table texts;

        if (pxr_text_table_fill(&texts, arena, table))
                return -1;
        fputs("### ", to);
        pxr_escape(to, PXR_ESCAPE_MARKDOWN, table->title);
        fputs("\n\n|", to);
        for (int i = 0; i < texts.columns; i++) {
                putc(' ', to);
                pxr_escape(to, PXR_ESCAPE_MARKDOWN, pxr_heading_at(&texts, i));
                fputs(" |", to);
        }
        fputs("\n|", to);
        for (int i = 0; i < texts.columns; i++)
                fputs(texts.shown[i].number ? "---:|" : "---|", to);
        putc('\n', to);
        for (size_t row = 0; row < table->rows; row++) {
                putc('|', to);
                for (int i = 0; i < texts.columns; i++) {
                        putc(' ', to);
                        pxr_escape(to, PXR_ESCAPE_MARKDOWN, pxr_text_at(&texts, row, i));
                        if (pxr_footnote_at(&texts, row, i))
                                fprintf(to, "<sup>%s</sup>", pxr_footnote_at(&texts, row, i));
                        fputs(" |", to);
                }
                putc('\n', to);
        }
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                putc('\n', to);
                if (note->footnote)
                        fprintf(to, "<sup>%s</sup> ", note->footnote);
                pxr_escape(to, PXR_ESCAPE_MARKDOWN, note->text);
                putc('\n', to);
        }
        return 0;
}

/* What fits in a line of the page, in letters of \small, and a letter's width; what a column that
 * is broken into lines has at the least; of a word that has no room in that, what stays together;
 * the rows that fit on a page. */
enum { LATEX_LINE = 150, LATEX_LEAST = 24, LATEX_PIECE = 8, LATEX_PAGE = 40 };
static const double latex_letter = 1.65; /* millimetres */

/* Where a word may be broken that begins at `text`: at its end, or, where it is longer than any
 * column need be, as a SHA-256 is, before. */
static const char *word_end(const char *text)
{
        const char *all = text + strlen(text), *end = text, *piece = NULL;
        int letters = 0;

        do {
                if (letters == LATEX_PIECE)
                        piece = end;
                end += pxr_step(end, all);
                letters++;
        } while (*end && *end != ' ' && !pxr_breaks_after(end - 1));
        return letters > LATEX_LEAST ? piece : end;
}

/* A text in a column of lines: LaTeX breaks only at spaces by itself. */
static void put_breakable(const struct pxr_text_table *texts, const char *text, FILE *to)
{
        while (*text) {
                const char *end = word_end(text);
                char *piece = pxr_strndup(texts->arena, text, (size_t)(end - text));

                pxr_escape(to, PXR_ESCAPE_LATEX, piece);
                fputs(*end && *end != ' ' && end[-1] != ' ' ? "\\allowbreak{}" : "", to);
                text = end;
        }
}

static void latex_columns(const struct pxr_text_table *texts, FILE *to)
{
        for (int i = 0; i < texts->columns; i++) {
                const struct pxr_text_column *shown = &texts->shown[i];
                int width = shown->width < LATEX_LEAST ? LATEX_LEAST : shown->width;

                if (!shown->number && pxr_cells_width(texts, i) > width)
                        fprintf(to, ">{\\raggedright\\arraybackslash}p{%.0fmm}",
                                width * latex_letter);
                else
                        putc(shown->number ? 'r' : 'l', to);
        }
}

static void latex_tabular(const struct pxr_text_table *texts, FILE *to)
{
        const struct pxr_table *table = texts->table;
        bool several = table->rows > LATEX_PAGE;

        fputs(several ? "\\begin{longtable}[l]{@{}" : "\\begin{tabular}{@{}", to);
        latex_columns(texts, to);
        fputs("@{}}\n\\hline\n", to);
        for (int i = 0; i < texts->columns; i++) {
                fputs(i ? " & " : "", to);
                pxr_escape(to, PXR_ESCAPE_LATEX, pxr_heading_at(texts, i));
        }
        fputs(" \\\\\n\\hline\n", to);
        fputs(several ? "\\endhead\n" : "", to);
        for (size_t row = 0; row < table->rows; row++) {
                for (int i = 0; i < texts->columns; i++) {
                        const char *word = pxr_text_at(texts, row, i);
                        bool minus = texts->shown[i].number && *word == '-';

                        fputs(i ? " & " : "", to);
                        fputs(minus ? "$-$" : "", to);
                        put_breakable(texts, word + minus, to);
                        if (pxr_footnote_at(texts, row, i))
                                fprintf(to, "\\textsuperscript{%s}",
                                        pxr_footnote_at(texts, row, i));
                }
                fputs(" \\\\\n", to);
        }
        fputs(several ? "\\hline\n\\end{longtable}\n" : "\\hline\n\\end{tabular}\n", to);
}

static int write_latex(struct pxr_arena *arena, const struct pxr_table *table, FILE *to)
{
        struct pxr_text_table texts;

        if (pxr_text_table_fill(&texts, arena, table))
                return -1;
        pxr_text_table_fit(&texts, LATEX_LINE);
        fputs("\n\\noindent\\textbf{", to);
        pxr_escape(to, PXR_ESCAPE_LATEX, table->title);
        fputs("}\n\n\\nopagebreak\\medskip\\noindent\n", to);
        if (table->rows > 0)
                latex_tabular(&texts, to);
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                fputs("\n\\smallskip\\noindent{\\footnotesize ", to);
                if (note->footnote)
                        fprintf(to, "\\textsuperscript{%s}~", note->footnote);
                pxr_escape(to, PXR_ESCAPE_LATEX, note->text);
                fputs("\\par}\n", to);
        }
        fputs("\n\\bigskip\n", to);
        return 0;
}

/* The table alone, for \input{} in a document of one's own, whose author sets title and notes:
 * those are comments. */
static int write_tabular(struct pxr_arena *arena, const struct pxr_table *table, FILE *to)
{
        struct pxr_text_table texts;

        if (pxr_text_table_fill(&texts, arena, table))
                return -1;
        pxr_text_table_fit(&texts, LATEX_LINE);
        fprintf(to, "%% %s\n", pxr_visible(arena, table->title));
        if (table->rows > 0)
                latex_tabular(&texts, to);
        for (const struct pxr_note *note = table->note; note; note = note->next)
                fprintf(to, "%% %s%s%s\n", note->footnote ? note->footnote : "",
                        note->footnote ? ": " : "", pxr_visible(arena, note->text));
        return 0;
}

/* --- for programs ------------------------------------------------------------------------------
 */

/* A field, in quotes where it needs them. */
static void put_field(FILE *to, const char *text)
{
        size_t length = strlen(text);
        bool quoted =
                length == 0 || strpbrk(text, ",\"\r\n") || *text == ' ' || text[length - 1] == ' ';

        fputs(quoted ? "\"" : "", to);
        pxr_escape(to, PXR_ESCAPE_CSV, text);
        fputs(quoted ? "\"" : "", to);
}

static void write_csv(const struct pxr_table *table, FILE *to)
{
        char text[PXR_REAL_TEXT];

        for (int i = 0; i < table->columns; i++) {
                fputs(i ? "," : "", to);
                put_field(to, table->column[i].name);
        }
        putc('\n', to);
        for (size_t i = 0; i < table->rows * table->columns; i++) {
                const struct pxr_cell *cell = table->cell + i;

                if (i % table->columns > 0)
                        putc(',', to);
                if (cell->kind == PXR_CELL_TEXT)
                        put_field(to, cell->text);
                else if (cell->kind == PXR_CELL_INTEGER || cell->kind == PXR_CELL_BYTES)
                        fprintf(to, "%" PRId64, cell->integer);
                else if (cell->kind != PXR_CELL_EMPTY)
                        fputs(pxr_format_real(cell->real, text), to);
                if ((i + 1) % table->columns == 0)
                        putc('\n', to);
        }
}

static json_t *json_cell(const struct pxr_cell *cell)
{
        if (cell->kind == PXR_CELL_TEXT)
                return pxr_json_text(cell->text);
        if (cell->kind == PXR_CELL_INTEGER || cell->kind == PXR_CELL_BYTES)
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
                        if (cell->footnote)
                                json_object_set_new(object, "note", json_string(cell->footnote));
                }
                json_array_append_new(rows, object);
        }
        for (const struct pxr_note *note = table->note; note; note = note->next)
                json_array_append_new(notes, json_pack("{s:s?, s:o}", "note", note->footnote,
                                                       "text", pxr_json_text(note->text)));
        return json_pack("{s:s, s:o, s:o, s:o}", "table", table->name, "title",
                         pxr_json_text(table->title), "rows", rows, "notes", notes);
}

static int write_json(const struct pxr_table *table, FILE *to)
{
        json_t *root = json_table(table);
        int status;

        if (table->next)
                root = json_pack("[o]", root);
        while ((table = table->next))
                json_array_append_new(root, json_table(table));
        status = pxr_json_write(root, to);
        json_decref(root);
        return status;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static const char latex_preamble[] =
        "\\documentclass[a4paper]{article}\n"
        "% A table in a document of your own needs these five packages, the last two only where "
        "it\n"
        "% is broken into lines or pages; one of several pages needs LaTeX to run twice.\n"
        "\\usepackage[T1]{fontenc}\n"
        "\\usepackage[utf8]{inputenc}\n"
        "\\usepackage{textcomp}\n"
        "\\usepackage{array}\n"
        "\\usepackage{longtable}\n"
        "\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}{}\n"
        "\\usepackage[landscape,margin=15mm]{geometry}\n"
        "\\begin{document}\n\\small\n\\LTpre=\\smallskipamount\\LTpost=0pt\n";

static void write_lines(const struct pxr_table *table, FILE *to)
{
        for (size_t row = 0; row < table->rows; row++) {
                pxr_escape(to, PXR_ESCAPE_TEXT, table->cell[row].text);
                putc('\n', to);
        }
}

static int write_for_people(const struct pxr_table *table, enum pxr_format format, FILE *to,
                            int line, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int status = arena ? 0 : -1;

        if (format == PXR_FORMAT_LATEX)
                fputs(latex_preamble, to);
        if (format == PXR_FORMAT_TEXT && table->lines && !table->note && !table->next) {
                write_lines(table, to);
                table = NULL;
        }
        for (; table && !status; table = table->next) {
                if (format == PXR_FORMAT_TEXT)
                        status = pxr_table_text(arena, table, to, line);
                else if (format == PXR_FORMAT_MD)
                        status = write_markdown(arena, table, to);
                else if (format == PXR_FORMAT_TABULAR)
                        status = write_tabular(arena, table, to);
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
                status = write_for_people(table, format, to, line, diag);
        return status ? pxr_out_of_memory(diag) : 0;
}
