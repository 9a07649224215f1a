/* SPDX-License-Identifier: MIT */
/*
 * compose.c - one spec from several sources: a file, the files it extends, overrides.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/tree.h"

enum { MAX_EXTENDS = 16 }; /* files that extend one another */

/* What the files of a spec share. */
struct loader {
        struct pxr_arena *arena;
        struct pxr_bounds bounds;
        struct pxr_diag *diag;
        int files;
};

/* The files being loaded, innermost first: to notice a spec that extends itself. */
struct loading {
        const char *path;
        const struct loading *outer;
        struct pxr_location location; /* where the outer file names it */
        int depth;
};

/* --- files -------------------------------------------------------------------------------------
 */

/* An error of a whole file: at the place that names it, if there is one. */
static int file_error(const struct loader *loader, const struct loading *file, const char *problem)
{
        if (file->outer)
                return pxr_error_at(loader->diag, file->location, "%s: %s", file->path, problem);
        return pxr_user_error(loader->diag, "%s: %s", file->path, problem);
}

static int system_refused(const struct loader *loader, const struct loading *file, const char *verb,
                          int code)
{
        return file_error(loader, file,
                          pxr_strf(loader->arena, "cannot %s: %s", verb, strerror(code)));
}

/* Read an open file into `text`, but one byte more than a spec can have at most. */
static int read_text(const struct loader *loader, const struct loading *file, FILE *stream,
                     char *text, size_t *size)
{
        errno = 0;
        *size = fread(text, 1, PXR_SPEC_MAX_BYTES + 1, stream);
        return ferror(stream) ? system_refused(loader, file, "read", errno) : 0;
}

/* A file as a source, without the byte order location some editors put first. */
static struct pxr_source *read_stream(const struct loader *loader, const struct loading *file,
                                      FILE *stream)
{
        struct pxr_source *source = pxr_alloc(loader->arena, sizeof(*source));
        char *text = malloc(PXR_SPEC_MAX_BYTES + 1);
        size_t size = 0, skipped;
        int status = text ? 0 : pxr_out_of_memory(loader->diag);

        if (!status && source)
                status = read_text(loader, file, stream, text, &size);
        if (!status && source) {
                skipped = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
                source->name = stream == stdin ? "standard input" : file->path;
                source->size = size - skipped;
                source->text = pxr_strndup(loader->arena, text + skipped, source->size);
        }
        free(text);
        return status || pxr_arena_failed(loader->arena) ? NULL : source;
}

/* The spec that the user names may come from a pipe: as "-", or as the shell names one below /dev.
 * A file that another names is a plain one. NULL after an error. */
static FILE *open_source(const struct loader *loader, const struct loading *file)
{
        bool piped = !file->outer && strncmp(file->path, "/dev/", 5) == 0;
        FILE *stream = piped ? fopen(file->path, "rb") : NULL;
        int fd = piped ? -1 : pxr_open_plain(file->path);

        if (fd >= 0 && !(stream = fdopen(fd, "rb"))) {
                close(fd);
                pxr_out_of_memory(loader->diag);
        } else if (!stream && errno == EISDIR) {
                file_error(loader, file, "is a folder, not a spec");
        } else if (!stream && errno == ENXIO) {
                file_error(loader, file, "is a device or pipe, not a spec");
        } else if (!stream) {
                system_refused(loader, file, "open", errno);
        }
        return stream;
}

static struct pxr_source *read_source(const struct loader *loader, const struct loading *file)
{
        bool standard = !file->outer && strcmp(file->path, "-") == 0;
        FILE *stream = standard ? stdin : open_source(loader, file);
        struct pxr_source *source = stream ? read_stream(loader, file, stream) : NULL;

        if (stream && !standard)
                fclose(stream);
        return source;
}

/* --- extends -----------------------------------------------------------------------------------
 */

/* Join `base` into `spec`: what the spec has stays, mappings are joined key by key. A key with
 * nothing behind it is a mapping with nothing in it. */
static void join(struct pxr_yaml *spec, struct pxr_yaml *base)
{
        struct pxr_yaml *next;

        for (struct pxr_yaml *child = base->first; child; child = next) {
                struct pxr_yaml *own = pxr_yaml_get(spec, child->key);

                next = child->next;
                if (own && child->kind == PXR_YAML_MAPPING && pxr_yaml_empty(own))
                        pxr_yaml_become_mapping(own);
                if (!own)
                        pxr_yaml_append(spec, child);
                else if (own->kind == PXR_YAML_MAPPING && child->kind == PXR_YAML_MAPPING)
                        join(own, child);
        }
}

static struct pxr_yaml *load(struct loader *loader, const struct loading *file);

/* The path of a base, relative to the file that names it. */
static char *base_path(const struct loader *loader, const char *name, const struct loading *file)
{
        const char *slash = strrchr(file->path, '/');

        if (!slash || *name == '/')
                return pxr_strdup(loader->arena, name);
        return pxr_strf(loader->arena, "%.*s/%s", (int)(slash - file->path), file->path, name);
}

static bool same_file(const char *a, const char *b)
{
        struct stat left, right;

        return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
               left.st_ino == right.st_ino;
}

static int extend(struct loader *loader, struct pxr_yaml *spec, const struct pxr_yaml *name,
                  const struct loading *file)
{
        struct loading inner = { .outer = file,
                                 .location = name->location,
                                 .depth = file->depth + 1 };
        struct pxr_yaml *base;

        if (name->kind != PXR_YAML_SCALAR || pxr_yaml_empty(name) || !*name->text)
                return pxr_error_at(loader->diag, name->location,
                                    "'extends' must be a file or a list of files");
        inner.path = base_path(loader, name->text, file);
        for (const struct loading *at = file; at; at = at->outer)
                if (same_file(at->path, inner.path))
                        return file_error(loader, &inner, "extends itself");
        if (inner.depth > MAX_EXTENDS)
                return pxr_error_at(loader->diag, name->location,
                                    "more than %d specs extend one another", MAX_EXTENDS);
        base = load(loader, &inner);
        if (!base)
                return -1;
        pxr_yaml_set_origin(base, PXR_ORIGIN_BASE);
        join(spec, base);
        return 0;
}

/* Join what a file extends. The first of several bases wins over the later ones. */
static int extend_all(struct loader *loader, struct pxr_yaml *spec, const struct loading *file)
{
        struct pxr_yaml *extends = pxr_yaml_get(spec, "extends");

        if (!extends)
                return 0;
        pxr_yaml_remove(extends);
        if (extends->kind != PXR_YAML_SEQUENCE)
                return extend(loader, spec, extends, file);
        for (struct pxr_yaml *name = extends->first; name; name = name->next)
                if (extend(loader, spec, name, file))
                        return -1;
        return 0;
}

/* A file with what it extends. */
static struct pxr_yaml *load(struct loader *loader, const struct loading *file)
{
        struct pxr_source *source;
        struct pxr_yaml *spec;

        if (++loader->files > PXR_SPEC_MAX_FILES) {
                pxr_error_at(loader->diag, file->location,
                             "a spec can extend %d files and no more, each counted as often as it "
                             "is extended",
                             PXR_SPEC_MAX_FILES - 1);
                return NULL;
        }
        source = read_source(loader, file);
        spec = source ? pxr_yaml_parse_at(loader->arena, source, 0, &loader->bounds, loader->diag)
                      : NULL;
        if (spec && pxr_yaml_empty(spec))
                pxr_yaml_become_mapping(spec);
        if (spec && spec->kind != PXR_YAML_MAPPING) {
                pxr_error_at(loader->diag, spec->location,
                             "a spec is a mapping (name: ..., data: ...)");
                spec = NULL;
        }
        if (spec)
                return extend_all(loader, spec, file) ? NULL : spec;
        if (source && file->outer)
                pxr_note(loader->diag, "it is extended on line %d of %s", file->location.line,
                         file->location.source->name);
        return NULL;
}

struct pxr_yaml *pxr_spec_load_placed(struct pxr_arena *arena, const char *path,
                                      const char *const *overrides,
                                      const struct pxr_override_place *places, size_t count,
                                      struct pxr_diag *diag)
{
        struct loader loader = { .arena = arena, .bounds = PXR_SPEC_BOUNDS, .diag = diag };
        struct loading file = { .path = pxr_strdup(arena, path), .depth = 1 };
        struct pxr_yaml *root;
        int status = 0;

        root = load(&loader, &file);
        for (size_t i = 0; root && i < count; i++)
                if (pxr_yaml_override(arena, root, overrides[i], places ? &places[i] : NULL,
                                      &loader.bounds, diag))
                        status = -1;
        return status || pxr_arena_failed(arena) ? NULL : root;
}

struct pxr_yaml *pxr_spec_load(struct pxr_arena *arena, const char *path,
                               const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        return pxr_spec_load_placed(arena, path, overrides, NULL, count, diag);
}

int pxr_spec_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      struct pxr_diag *diag)
{
        struct pxr_bounds bounds = PXR_SPEC_BOUNDS;

        return pxr_yaml_override(arena, root, argument, NULL, &bounds, diag);
}
