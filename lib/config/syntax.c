/* SPDX-License-Identifier: MIT */
/*
 * syntax.c - what libyaml says of a text that is no YAML, said so that its writer can mend it.
 */
#include "config/syntax.h"

#include <string.h>

#include "base/text.h"

/* A complaint of libyaml's. What it does not have is passed on as it is. */
struct complaint {
        const char *problem; /* part of libyaml's text */
        const char *error;
        const char *hint;
        bool at_start; /* the location is where what could not be read began */
        bool colon;    /* the line above may be to blame */
};

static const char indentation[] = "is it indented like those above?";

static const struct complaint complaints[] = {
        { .problem = "tab character", .error = "a tab cannot indent", .hint = "use spaces" },
        { .problem = "could not find expected ':'",
          .error = "expected 'KEY: value' or '- ITEM'",
          .hint = "with a space after the ':' or the '-'",
          .at_start = true },
        { .problem = "mapping values are not allowed",
          .error = "unexpected ':'",
          .hint = "wrong indentation, or a value that needs quotes?",
          .colon = true },
        { .problem = "found unexpected ':'", .error = "expected a space after this ':'" },
        { .problem = "block sequence entries are not allowed",
          .error = "a list cannot begin here",
          .hint = "begin it on a line of its own" },
        { .problem = "did not find expected key", .error = "expected a key", .hint = indentation },
        { .problem = "did not find expected '-'", .error = "expected '- '", .hint = indentation },
        { .problem = "did not find expected <document start>",
          .error = "this goes with nothing above it",
          .hint = indentation },
        { .problem = "did not find expected ',' or ']'",
          .error = "a ',' or a ']' is missing before this" },
        { .problem = "did not find expected ',' or '}'",
          .error = "a ',' or a '}' is missing before this" },
        { .problem = "found unexpected end of stream",
          .error = "the closing quote is missing",
          .at_start = true },
        { .problem = "did not find expected node content", .error = "a value is missing here" },
        { .problem = "unknown escape",
          .error = "this is no escape of double quotes",
          .hint = "in single quotes a \\ is a character like others" },
        { .problem = "alphabetic or numeric",
          .error = "expected a name after this",
          .hint = "put the value in quotes",
          .at_start = true },
        { 0 },
};

struct pxr_location pxr_event_location(const struct pxr_yaml_input *input, yaml_mark_t start,
                                       yaml_mark_t end)
{
        return (struct pxr_location) {
                .source = input->source,
                .line = (int)start.line + 1,
                .column = (int)start.column + 1 + (start.line == 0 ? input->shift : 0),
                .length = end.line == start.line ? (int)(end.column - start.column) : 1,
        };
}

/* The location of byte `offset` of the input. */
static struct pxr_location location_of_byte(const struct pxr_yaml_input *input, size_t offset)
{
        struct pxr_location location = { input->source, 1, 1 + input->shift, 1 };
        const char *at = input->source->text + input->from, *stop = at + offset;
        const char *end = input->source->text + input->source->size;

        while (at < stop) {
                size_t line_break = pxr_line_break(at, end);

                location.line += line_break > 0;
                location.column = line_break ? 1 : location.column + 1;
                at += line_break ? line_break : pxr_step(at, end);
        }
        return location;
}

/* Bytes that are no text have no mark of libyaml's, only an offset. */
static int reader_error(const struct pxr_yaml_input *input, const yaml_parser_t *parser,
                        struct pxr_diag *diag)
{
        struct pxr_location location = location_of_byte(input, parser->problem_offset);
        unsigned value = (unsigned)parser->problem_value;
        const char *text = input->source->text;

        if (input->source->size >= 2 &&
            (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
                return pxr_error_at(diag, (struct pxr_location) { .source = input->source },
                                    "this is UTF-16: save it as UTF-8");
        if (value == 0)
                return pxr_error_at(diag, location, "a spec cannot hold a NUL byte");
        if (parser->problem && strstr(parser->problem, "control"))
                return pxr_error_at(diag, location,
                                    "a spec cannot hold the control character U+%04X", value);
        return pxr_error_at(diag, location, "this is not UTF-8 text: %s",
                            parser->problem ? parser->problem : "unknown error");
}

/* Note where the collection began that could not be read. */
static void note_start(const yaml_parser_t *parser, struct pxr_location location,
                       struct pxr_diag *diag)
{
        int line = (int)parser->context_mark.line + 1;
        const char *what =
                strstr(parser->context, "mapping") ? "mapping"
                : strstr(parser->context, "sequence") || strstr(parser->context, "collection")
                        ? "list"
                        : NULL;

        if (what && line != location.line)
                pxr_note(diag, "the %s began on line %d", what, line);
}

/* Where a mark of libyaml's points; the end where it points past it. */
static const char *find(const struct pxr_yaml_input *input, yaml_mark_t mark)
{
        const char *at = input->source->text + input->from;
        const char *end = input->source->text + input->source->size;

        for (size_t i = 0; i < mark.index && at < end; i++)
                at += pxr_step(at, end);
        return at;
}

/* The location of an error. The end of a text is where its last character is: libyaml has it on a
 * line of its own. */
static struct pxr_location location_of(const struct pxr_yaml_input *input, yaml_mark_t mark)
{
        const char *start = input->source->text + input->from, *at = find(input, mark);

        if (at < input->source->text + input->source->size)
                return pxr_event_location(input, mark, mark);
        while (at > start && strchr(" \t\r\n", at[-1]))
                at--;
        return location_of_byte(input, (size_t)(at - start));
}

/* A ':' that cannot stand where it is often follows a line with one that lacks its blank, and so is
 * no key but the start of a text that goes on. Returns that line's number, or 0. */
static int line_without_blank(const struct pxr_yaml_input *input, yaml_mark_t mark)
{
        const char *start = input->source->text + input->from, *at = find(input, mark), *colon;

        while (at > start && at[-1] != '\n')
                at--;
        if (at == start)
                return 0;
        for (at--; at > start && at[-1] != '\n';)
                at--;
        colon = at + strcspn(at, ":#\n");
        return *colon == ':' && !strchr(" \r\n", colon[1]) ? (int)mark.line : 0;
}

/* A character that begins no value: a tab where indentation is due, or one of @ ` %. */
static int bad_start(const struct pxr_yaml_input *input, const yaml_parser_t *parser,
                     struct pxr_diag *diag)
{
        struct pxr_location location = location_of(input, parser->problem_mark);
        const char *character = find(input, parser->problem_mark);
        size_t size = pxr_character(character, input->source->text + input->source->size);

        if (size == 1 && *character == '\t') {
                pxr_error_at(diag, location, "this is not YAML: a tab cannot indent");
                pxr_hint(diag, "use spaces");
                return -1;
        }
        pxr_error_at(diag, location, "this is not YAML: a value cannot begin with %.*s", (int)size,
                     character);
        pxr_hint(diag, "put it in quotes");
        return -1;
}

int pxr_syntax_error(const struct pxr_yaml_input *input, const yaml_parser_t *parser,
                     struct pxr_diag *diag)
{
        const char *problem = parser->problem ? parser->problem : "unknown error";
        const struct complaint *complaint = complaints;
        yaml_mark_t mark = parser->problem_mark;
        struct pxr_location location;

        if (parser->error == YAML_MEMORY_ERROR)
                return pxr_out_of_memory(diag);
        if (parser->error == YAML_READER_ERROR)
                return reader_error(input, parser, diag);
        if (strstr(problem, "cannot start any token"))
                return bad_start(input, parser, diag);
        while (complaint->problem && !strstr(problem, complaint->problem))
                complaint++;
        if (complaint->at_start && parser->context)
                mark = parser->context_mark;
        location = location_of(input, mark);
        pxr_error_at(diag, location, "this is not YAML: %s",
                     complaint->problem ? complaint->error : problem);
        if (complaint->hint)
                pxr_hint(diag, "%s", complaint->hint);
        if (complaint->colon && line_without_blank(input, mark))
                pxr_hint(diag, "is a space missing after the ':' on line %d?",
                         line_without_blank(input, mark));
        if (parser->context)
                note_start(parser, location, diag);
        return -1;
}
