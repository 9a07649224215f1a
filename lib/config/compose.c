/* SPDX-License-Identifier: MIT */
/*
 * compose.c - one spec from several sources: a file, the files it extends, overrides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
};

/* --- files -------------------------------------------------------------------------------------
 */

static bool is_standard_input(const struct loading *file)
{
        return !file->outer && strcmp(file->path, "-") == 0;
}

/* The spec that the user names may come from a pipe: as "-", or as the shell names one below /dev.
 * A file that another names is a plain one. Returns a descriptor, or -1 with errno. */
static int open_source(const struct loading *file)
{
        if (is_standard_input(file))
                return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        if (!file->outer && strncmp(file->path, "/dev/", 5) == 0)
                return open(file->path, O_RDONLY | O_CLOEXEC);
        return pxr_open_plain(file->path);
}

/* Read all, but at most one byte more than a spec can have. Returns the size, or -1 with errno. */
static ssize_t read_all(int fd, char *text)
{
        size_t size = 0;
        ssize_t got;

        do {
                got = read(fd, text + size, PXR_SPEC_MAX_BYTES + 1 - size);
                size += got > 0 ? (size_t)got : 0;
        } while (got > 0 || (got < 0 && errno == EINTR));
        return got < 0 ? -1 : (ssize_t)size;
}

/* A file as a source, without the byte order mark some editors put first. NULL after an error. */
static struct pxr_source *read_source(const struct loader *loader, const struct loading *file)
{
        int fd = open_source(file);
        char *text = fd >= 0 ? malloc(PXR_SPEC_MAX_BYTES + 1) : NULL;
        ssize_t size = text ? read_all(fd, text) : -1;
        int skipped = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        struct pxr_source *source =
                size < 0 ? NULL : pxr_alloc(loader->arena, sizeof(struct pxr_source));

        if (size < 0)
                pxr_file_error_at(file->location, file->path, fd < 0 ? "open" : "read", errno,
                                  loader->diag);
        else if (source)
                *source = (struct pxr_source) {
                        .name = is_standard_input(file) ? "standard input" : file->path,
                        .text = pxr_strndup(loader->arena, text + skipped, (size_t)size - skipped),
                        .size = (size_t)size - skipped,
                };
        free(text);
        if (fd >= 0)
                close(fd);
        return pxr_arena_failed(loader->arena) ? NULL : source; /* its text may be "" */
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

static int extend(struct loader *loader, struct pxr_yaml *spec, const struct pxr_yaml *name,
                  const struct loading *file)
{
        struct loading inner = { .outer = file, .location = name->location };
        struct pxr_yaml *base;
        int depth = 1;

        if (name->kind != PXR_YAML_SCALAR || pxr_yaml_empty(name) || !*name->text)
                return pxr_error_at(loader->diag, name->location,
                                    "'extends' must be a file or a list of files");
        inner.path = base_path(loader, name->text, file);
        for (const struct loading *at = file; at; at = at->outer, depth++)
                if (pxr_same_file(at->path, inner.path))
                        return pxr_error_at(loader->diag, name->location, "%s: extends itself",
                                            inner.path);
        if (depth > MAX_EXTENDS)
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

struct pxr_yaml *pxr_spec_load(struct pxr_arena *arena, const char *path,
                               const char *const *overrides,
                               const struct pxr_override_location *locations, size_t count,
                               struct pxr_diag *diag)
{
        struct loader loader = { .arena = arena, .bounds = PXR_SPEC_BOUNDS, .diag = diag };
        struct loading file = { .path = pxr_strdup(arena, path) };
        struct pxr_yaml *root;
        int status = 0;

        root = load(&loader, &file);
        for (size_t i = 0; root && i < count; i++)
                if (pxr_yaml_override(arena, root, overrides[i], locations ? &locations[i] : NULL,
                                      &loader.bounds, diag))
                        status = -1;
        return status || pxr_arena_failed(arena) ? NULL : root;
}

int pxr_spec_override(struct pxr_arena *arena, struct pxr_yaml *root, const char *argument,
                      struct pxr_diag *diag)
{
        struct pxr_bounds bounds = PXR_SPEC_BOUNDS;

        return pxr_yaml_override(arena, root, argument, NULL, &bounds, diag);
}
