/* SPDX-License-Identifier: MIT */
/*
 * explain.c - what a key of a spec is set to, and where that comes from.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "config/tree.h"

enum { MAX_NAMES = 256 };

/* A node on the way down from the one that is explained. */
struct level {
        const struct level *above;
        const struct pxr_yaml *node;
        int index; /* in its list */
};

struct explanation {
        struct pxr_stream stream;
        const char *top; /* path of the node that is explained */
        struct pxr_diag *diag;
};

/* In double quotes, with the escapes that YAML has. */
static void write_escaped(FILE *to, const char *text)
{
        const char *end = text + strlen(text);

        fputc('"', to);
        for (size_t size; text < end; text += size) {
                size = pxr_step(text, end);
                if (*text == '\n')
                        fputs("\\n", to);
                else if (*text == '\t')
                        fputs("\\t", to);
                else if (*text == '"' || *text == '\\')
                        fprintf(to, "\\%c", *text);
                else if (pxr_control(text, size))
                        fprintf(to, "\\x%02X", (unsigned char)text[size - 1]);
                else if (!pxr_shown(text, size))
                        fprintf(to, "\\u%04X", (unsigned)pxr_code_of(text, size));
                else
                        fwrite(text, 1, size, to);
        }
        fputc('"', to);
}

static void write_text(FILE *to, const char *text)
{
        if (pxr_all_shown(text))
                fputs(text, to);
        else
                write_escaped(to, text);
}

static void write_value(FILE *to, const struct pxr_yaml *node)
{
        if (node->kind != PXR_YAML_SCALAR)
                fputs(node->kind == PXR_YAML_MAPPING ? "{}" : "[]", to);
        else if (pxr_yaml_empty(node))
                fputs("null", to);
        else if (node->quoted && pxr_all_shown(node->text))
                fprintf(to, "'%s'", node->text);
        else
                write_text(to, node->text);
}

static void write_path(const struct explanation *e, const struct level *level)
{
        if (!level->above) {
                fputs(e->top, e->stream.to);
                return;
        }
        write_path(e, level->above);
        if (level->above->above || *e->top)
                fputc('.', e->stream.to);
        if (level->node->key)
                write_text(e->stream.to, level->node->key);
        else
                fprintf(e->stream.to, "%d", level->index);
}

/* A line for every value at or below a level. */
static int explain_level(const struct explanation *e, const struct level *level)
{
        struct level below = { .above = level };

        for (below.node = level->node->first; below.node; below.node = below.node->next) {
                if (explain_level(e, &below))
                        return -1;
                below.index++;
        }
        if (level->node->first)
                return 0;
        if (ftell(e->stream.to) > PXR_TREE_MAX_BYTES)
                return pxr_user_error(e->diag, "the spec is too large to be explained");
        write_path(e, level);
        fputs(" = ", e->stream.to);
        write_value(e->stream.to, level->node);
        fprintf(e->stream.to, " (%s)\n", pxr_yaml_origin(e->stream.arena, level->node));
        return 0;
}

static char *explain(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_diag *diag)
{
        struct explanation e = { .top = pxr_yaml_path(arena, node), .diag = diag };
        struct level top = { .node = node };
        char *text;
        int status;

        if (pxr_stream_open(&e.stream, arena))
                return NULL;
        status = explain_level(&e, &top);
        text = pxr_stream_close(&e.stream);
        return status || pxr_arena_failed(arena) ? NULL : text;
}

/* Nothing goes by the next name of `path`, from byte `at` on, below `node`: what does? */
static void no_such_key(struct pxr_arena *arena, const struct pxr_yaml *node, const char *path,
                        size_t at, struct pxr_diag *diag)
{
        const char *names[MAX_NAMES];
        char *meant, *before = pxr_strndup(arena, path, at);
        char *name = pxr_strndup(arena, path + at, strcspn(path + at, "."));
        size_t count = 0;

        pxr_user_error(diag, "nothing is set at '%s'", path);
        if (node->kind == PXR_YAML_SEQUENCE && node->count)
                pxr_note(diag, "the items of '%.*s' are 0 to %d", at ? (int)at - 1 : 0, path,
                         node->count - 1);
        for (const struct pxr_yaml *child = node->first; child && count < MAX_NAMES;
             child = child->next)
                if (child->key)
                        names[count++] = child->key;
        meant = pxr_option_meant(arena, node, name, before, names, count);
        if (meant)
                pxr_hint(diag, "did you mean %s?", meant);
}

char *pxr_yaml_explain(struct pxr_arena *arena, struct pxr_yaml *root, const char *path,
                       struct pxr_diag *diag)
{
        const struct pxr_yaml *node = root;
        const char *at = path;

        while (*at) {
                const char *rest;
                const struct pxr_yaml *child = pxr_yaml_step(node, at, &rest);

                if (!child) {
                        no_such_key(arena, node, path, (size_t)(at - path), diag);
                        return NULL;
                }
                node = child;
                at = rest;
        }
        return explain(arena, node, diag);
}
