/* SPDX-License-Identifier: MIT */
/* diag.c - errors, warnings, hints and notes, kept until they are written. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/arena.h>

#include "base/text.h"

enum {
        MAX_KEPT = 20,
        MAX_LINE = 160,   /* characters that are shown of a source line */
        MAX_TEXT = 1200,  /* bytes that are kept of a message */
        KEPT_START = 900, /* ... of one that is longer */
        KEPT_END = 200,
};

enum kind { WARNING, SYSTEM_ERROR, USER_ERROR };

struct message {
        bool warning;
        const char *text, *hint, *notes; /* notes: each ended by a newline */
        const char *location;            /* "file:line:column", or NULL */
        const char *line;                /* the source line, or NULL */
        int number, column, length;
};

struct pxr_diag {
        struct pxr_arena *texts; /* NULL: nothing was recorded yet */
        struct message kept[MAX_KEPT];
        int count; /* messages kept */
        int errors, warnings;
        bool user, memory_out;
        bool last_kept; /* what hints and notes belong to */
};

struct pxr_diag *pxr_diag_new(void)
{
        return calloc(1, sizeof(struct pxr_diag));
}

void pxr_diag_clear(struct pxr_diag *diag)
{
        pxr_arena_free(diag->texts);
        *diag = (struct pxr_diag) { 0 };
}

void pxr_diag_free(struct pxr_diag *diag)
{
        if (diag)
                pxr_arena_free(diag->texts);
        free(diag);
}

/* Cut out the middle of a long text: a message may quote a huge value. */
static void shorten(char *text)
{
        static const char gap[] = " [...] ";
        size_t size = strlen(text), start = KEPT_START, end = size - KEPT_END;

        if (size <= MAX_TEXT)
                return;
        while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80)
                start--;
        while (((unsigned char)text[end] & 0xC0) == 0x80)
                end++;
        memcpy(text + start, gap, sizeof(gap) - 1);
        memmove(text + start + sizeof(gap) - 1, text + end, size - end + 1);
}

/* The text of a message, hint or note as one line. NULL when out of memory. */
static const char *format_line(struct pxr_diag *diag, const char *format, va_list arguments)
{
        const char *line = NULL;
        char *text;

        if (!diag->texts)
                diag->texts = pxr_arena_new(0, NULL);
        if (diag->texts && vasprintf(&text, format, arguments) >= 0) {
                shorten(text);
                line = pxr_visible(diag->texts, text);
                free(text);
        }
        diag->memory_out |= !line;
        return line;
}

/* Where line `number` of a source starts; NULL past its end. */
static const char *find_line(const struct pxr_source *source, int number)
{
        const char *at = source->text, *end = at + source->size;

        for (int i = 1; i < number; i++) {
                while (at < end && !pxr_line_break(at, end))
                        at++;
                if (at == end)
                        return NULL;
                at += pxr_line_break(at, end);
        }
        return at;
}

/* Copy a line, or the part of a long one around *column, which is changed to count within it. One
 * column holds one character; one that cannot be shown becomes a space or a question mark. */
static const char *copy_line(struct pxr_arena *arena, const struct pxr_source *source, int number,
                             int *column)
{
        const char *at = source->text && number > 0 ? find_line(source, number) : NULL;
        const char *end = at ? source->text + source->size : NULL;
        int skipped = 0, first = *column > MAX_LINE - 20 ? *column - MAX_LINE / 2 : 0;
        char line[4 * MAX_LINE + 4], *to = line;

        if (!at)
                return NULL;
        for (; skipped < first && at < end && !pxr_line_break(at, end); skipped++)
                at += pxr_step(at, end);
        if (skipped > 0) {
                to = stpcpy(to, "...");
                *column -= skipped - 3;
        }
        for (int i = 0; i < MAX_LINE && at < end && !pxr_line_break(at, end); i++) {
                size_t size = pxr_character(at, end);

                if (size > 0 && pxr_shown(at, size))
                        to = mempcpy(to, at, size);
                else
                        *to++ = size > 0 && pxr_control(at, size) ? ' ' : '?';
                at += size ? size : 1;
        }
        return pxr_strndup(arena, line, (size_t)(to - line));
}

/* "file:line:column" */
static const char *format_location(struct pxr_arena *arena, const struct pxr_location *location)
{
        const char *name = pxr_visible(arena, location->source->name);

        if (!name || location->line < 1)
                return name;
        return pxr_strf(arena, "%s:%d:%d", name, location->line, location->column);
}

/* Make room for a message; an error may replace the last warning. */
static bool make_room(struct pxr_diag *diag, bool warning)
{
        int i = MAX_KEPT - 1;

        if (diag->count < MAX_KEPT)
                return true;
        while (i >= 0 && !diag->kept[i].warning)
                i--;
        if (warning || i < 0)
                return false;
        memmove(&diag->kept[i], &diag->kept[i + 1],
                (size_t)(MAX_KEPT - 1 - i) * sizeof(diag->kept[0]));
        diag->count--;
        return true;
}

/* Record a message. Errors after lack of memory are dropped: they only follow from it. */
static int record(struct pxr_diag *diag, enum kind kind, struct pxr_location location,
                  const char *format, va_list arguments)
{
        struct message *m;

        if (!diag || (diag->memory_out && kind != WARNING))
                return -1;
        diag->errors += kind != WARNING;
        diag->warnings += kind == WARNING;
        diag->user |= kind == USER_ERROR;
        diag->last_kept = make_room(diag, kind == WARNING);
        if (!diag->last_kept)
                return -1;
        m = &diag->kept[diag->count];
        *m = (struct message) { .warning = kind == WARNING,
                                .text = format_line(diag, format, arguments),
                                .number = location.line,
                                .column = location.column,
                                .length = location.length };
        diag->last_kept = m->text != NULL;
        diag->count += diag->last_kept;
        if (!diag->last_kept || !location.source)
                return -1;
        m->location = format_location(diag->texts, &location);
        m->line = copy_line(diag->texts, location.source, location.line, &m->column);
        diag->memory_out |= pxr_arena_failed(diag->texts);
        return -1;
}

int pxr_user_error(struct pxr_diag *diag, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        record(diag, USER_ERROR, (struct pxr_location) { 0 }, format, arguments);
        va_end(arguments);
        return -1;
}

int pxr_system_error(struct pxr_diag *diag, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        record(diag, SYSTEM_ERROR, (struct pxr_location) { 0 }, format, arguments);
        va_end(arguments);
        return -1;
}

int pxr_error_at(struct pxr_diag *diag, struct pxr_location location, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        record(diag, USER_ERROR, location, format, arguments);
        va_end(arguments);
        return -1;
}

void pxr_warn(struct pxr_diag *diag, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        record(diag, WARNING, (struct pxr_location) { 0 }, format, arguments);
        va_end(arguments);
}

int pxr_out_of_memory(struct pxr_diag *diag)
{
        if (diag) {
                diag->errors++;
                diag->memory_out = true;
                diag->last_kept = false;
        }
        return -1;
}

bool pxr_diag_memory_out(const struct pxr_diag *diag)
{
        return diag && diag->memory_out;
}

/* The message that a hint or note belongs to: the last one, if it was kept. */
static struct message *last(struct pxr_diag *diag)
{
        return diag && diag->last_kept ? &diag->kept[diag->count - 1] : NULL;
}

void pxr_hint(struct pxr_diag *diag, const char *format, ...)
{
        struct message *m = last(diag);
        va_list arguments;

        if (!m)
                return;
        va_start(arguments, format);
        m->hint = format_line(diag, format, arguments);
        va_end(arguments);
}

void pxr_note(struct pxr_diag *diag, const char *format, ...)
{
        struct message *m = last(diag);
        const char *note;
        va_list arguments;

        if (!m)
                return;
        va_start(arguments, format);
        note = format_line(diag, format, arguments);
        va_end(arguments);
        if (note)
                m->notes = pxr_strf(diag->texts, "%snote: %s\n", m->notes ? m->notes : "", note);
}

int pxr_diag_errors(const struct pxr_diag *diag)
{
        return diag->errors;
}

int pxr_diag_status(const struct pxr_diag *diag)
{
        if (diag->errors == 0)
                return 0;
        return diag->user && !diag->memory_out ? PXR_FAULT_USER : PXR_FAULT_SYSTEM;
}

const char *pxr_diag_text(const struct pxr_diag *diag, int index)
{
        if (index < 0)
                return NULL;
        if (index == diag->count && diag->memory_out)
                return "out of memory";
        return index < diag->count ? diag->kept[index].text : NULL;
}

const char *pxr_diag_first_error(const struct pxr_diag *diag)
{
        for (int i = 0; i < diag->count; i++)
                if (!diag->kept[i].warning)
                        return diag->kept[i].text;
        return diag->memory_out ? "out of memory" : NULL;
}

static void write_line(const struct message *m, FILE *to)
{
        int width = pxr_characters(m->line, m->line + strlen(m->line));
        int before = m->column - 1 < width ? m->column - 1 : width;

        fprintf(to, "%5d | %s\n      | %*s^", m->number, m->line, before > 0 ? before : 0, "");
        for (int i = 1; i < m->length && before + i < width; i++)
                fputc('~', to);
        fprintf(to, "%s%s\n", m->hint ? " " : "", m->hint ? m->hint : "");
}

static void write_message(const struct message *m, const char *program, FILE *to)
{
        fprintf(to, "%s: %s: %s\n", m->location ? m->location : program,
                m->warning ? "warning" : "error", m->text);
        if (m->line)
                write_line(m, to);
        else if (m->hint)
                fprintf(to, "note: %s\n", m->hint);
        if (m->notes)
                fputs(m->notes, to);
}

void pxr_diag_write(const struct pxr_diag *diag, const char *program, FILE *to)
{
        int more = diag->errors + diag->warnings - diag->count - diag->memory_out;

        for (int i = 0; i < diag->count; i++)
                write_message(&diag->kept[i], program, to);
        if (diag->memory_out)
                fprintf(to, "%s: error: out of memory\n", program);
        if (more > 0)
                fprintf(to, "%s: %d more not shown\n", program, more);
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Whether two characters are equal, ignoring case. */
static bool alike(char a, char b)
{
        return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The number of insertions, deletions, changes and swaps of neighbours between `a` and `b`,
 * ignoring case; or `limit` + 1 if it is larger. */
static size_t distance(const char *a, const char *b, size_t limit)
{
        size_t la = strlen(a), lb = strlen(b), rows[3][65];

        if (la > 64 || lb > 64 || (la > lb ? la - lb : lb - la) > limit)
                return limit + 1;
        for (size_t j = 0; j <= lb; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= la; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= lb; j++) {
                        row[j] = least(above[j - 1] + !alike(a[i - 1], b[j - 1]),
                                       least(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && alike(a[i - 1], b[j - 2]) &&
                            alike(a[i - 2], b[j - 1]))
                                row[j] = least(row[j], two[j - 2] + 1);
                }
        }
        return rows[la % 3][lb];
}

const char *pxr_nearest(const char *name, const char *const *names, size_t count)
{
        size_t limit = (strlen(name) + 2) / 3, best = limit + 1;
        const char *nearest = NULL;

        for (size_t i = 0; i < count; i++) {
                size_t d = distance(name, names[i], limit);

                if (d < best) {
                        best = d;
                        nearest = names[i];
                }
        }
        return nearest;
}

bool pxr_hint_nearest(struct pxr_diag *diag, const char *name, const char *const *names,
                      size_t count)
{
        const char *nearest = pxr_nearest(name, names, count);

        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        return nearest != NULL;
}
