/* SPDX-License-Identifier: MIT */
/* locate.c - from what a user names to a set's `data` mapping. */
#include "config.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/format.h"
#include "data/reader.h"
#include "data/recognize.h"
#include "config/tree.h"

/* Whether the folder holds an entry of this pattern; with a slash at its end, a folder. */
static bool holds(const char *folder, const char *pattern)
{
        size_t length = strlen(pattern);
        bool want_folder = pattern[length - 1] == '/', found = false;
        DIR *stream = opendir(folder);
        struct dirent *entry;
        struct stat status;

        while (stream && !found && (entry = readdir(stream))) {
                const char *name = entry->d_name;

                if (want_folder)
                        found = name[0] != '.' && fstatat(dirfd(stream), name, &status, 0) == 0 &&
                                S_ISDIR(status.st_mode);
                else
                        found = fnmatch(pattern, name, FNM_CASEFOLD) == 0;
        }
        if (stream)
                closedir(stream);
        return found;
}

/* --- making the mapping ------------------------------------------------------------------------*/

static struct pxr_yaml *mapping_of(struct pxr_arena *arena, const char *set, const char *path,
                                   struct pxr_diag *diag)
{
        const char *text = path ? "{set: '', path: ''}" : "{set: ''}";
        struct pxr_yaml *data =
                pxr_yaml_parse(arena, pxr_source_new(arena, "command line", text), diag);

        if (!data)
                return NULL;
        data->location = (struct pxr_location) { 0 }; /* no source line to show */
        for (struct pxr_yaml *child = data->first; child; child = child->next) {
                child->text = pxr_strdup(arena, strcmp(child->key, "set") == 0 ? set : path);
                child->location = data->location;
        }
        return data;
}

/* A folder with files by which a set is recognized. */
static struct pxr_yaml *of_signs(struct pxr_arena *arena, const char *folder,
                                 const struct pxr_data_format *format, struct pxr_diag *diag)
{
        const struct pxr_data_sign *first = NULL;
        const char *splits = "";
        struct pxr_yaml *data;

        for (const struct pxr_data_sign *sign = format->signs; sign && sign->name; sign++) {
                if (first && first->override && strcmp(first->override, sign->override) != 0)
                        continue;
                if (!pxr_reader_finds(folder, sign->name))
                        continue;
                first = first ? first : sign;
                if (strstr(splits, sign->splits))
                        continue; /* a folder, and its archive beside it */
                splits = pxr_strf(arena, "%s%s%s", splits, *splits ? ", " : "", sign->splits);
                if (strcmp(sign->splits, "train, valid, test") == 0)
                        break; /* the other files do not matter */
        }
        if (!first)
                return NULL;
        data = mapping_of(arena, format->name, folder, diag);
        splits = pxr_strf(arena, "splits=[%s]", splits);
        if (!data || pxr_spec_override(arena, data, splits, diag) ||
            (first->override && pxr_spec_override(arena, data, first->override, diag)))
                return NULL;
        return data;
}

/* The format of which the folder, or the file `path`, matches a pattern. */
static const struct pxr_data_format *matching(const char *path, bool is_folder)
{
        for (int i = 0; pxr_data_formats[i]; i++) {
                const char *const *pattern = pxr_data_formats[i]->patterns;

                for (; pattern && *pattern; pattern++)
                        if (is_folder ? **pattern != '/' && holds(path, *pattern)
                                      : fnmatch(*pattern + (**pattern == '/'), path,
                                                FNM_CASEFOLD) == 0)
                                return pxr_data_formats[i];
        }
        return NULL;
}

/* The set that reads a file by its first bytes; NULL: none. */
static const char *set_of_file(const char *path)
{
        switch (pxr_file_kind(path)) {
        case PXR_FILE_NPY:
        case PXR_FILE_ZIP:
                return "npz";
        case PXR_FILE_TAR:
                return "png_folder";
        default:
                return NULL;
        }
}

static struct pxr_yaml *of_spec(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_yaml *root = pxr_spec_load(arena, path, NULL, NULL, 0, diag);
        struct pxr_yaml *data = root ? pxr_yaml_get(root, "data") : NULL;

        if (root && !data && pxr_yaml_get(root, "vary")) {
                pxr_user_error(diag, "%s: this is a sweep, not a spec", path);
                pxr_note(diag, "run it with 'pxr-sweep %s', or name its spec here", path);
        } else if (root && !data) {
                pxr_user_error(diag, "%s: the spec has no 'data'", path);
        }
        return data;
}

static struct pxr_yaml *of_path(struct pxr_arena *arena, const char *path, bool is_folder,
                                struct pxr_diag *diag)
{
        const struct pxr_data_format *format;
        struct pxr_yaml *data;
        const char *set;

        for (int i = 0; is_folder && pxr_data_formats[i]; i++) {
                data = of_signs(arena, path, pxr_data_formats[i], diag);
                if (data || pxr_diag_errors(diag))
                        return data;
        }
        if (!is_folder && fnmatch("*.@(yaml|yml)", path, FNM_CASEFOLD | FNM_EXTMATCH) == 0)
                return of_spec(arena, path, diag);
        format = matching(path, is_folder);
        set = format ? format->name : set_of_file(path);
        if (set)
                return mapping_of(arena, set, path, diag);
        if (pxr_file_refuse(path, 0, diag))
                return NULL;
        pxr_user_error(diag, "%s: %s", path,
                       is_folder ? "contains no data files of a known format"
                                 : "not a folder, a spec (.yaml) or a data file of a known format");
        if (is_folder)
                pxr_note(diag, "use 'SET path=%s' to name the data set", path);
        return NULL;
}

/* --- names of sets -----------------------------------------------------------------------------*/

static struct pxr_yaml *of_name(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        struct stat status;
        bool exists = stat(name, &status) == 0;

        /* A name that does not look like a path is left to pxr_dataset_open(), which suggests the
         * nearest set. */
        if (pxr_data_format_find(name, (struct pxr_location) { 0 }, NULL) ||
            (!exists && !strpbrk(name, "/.")))
                return mapping_of(arena, name, NULL, diag);
        if (!exists) {
                pxr_user_error(diag, "%s: no such file or folder", name);
                return NULL;
        }
        return of_path(arena, name, S_ISDIR(status.st_mode), diag);
}

struct pxr_yaml *pxr_data_mapping(struct pxr_arena *arena, const char *name,
                                  const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        struct pxr_yaml *data = of_name(arena, name, diag);

        for (size_t i = 0; data && i < count; i++) {
                size_t section = strncmp(overrides[i], "data.", 5) == 0 ? 5 : 0;

                if (pxr_spec_override(arena, data, overrides[i] + section, diag))
                        data = NULL;
        }
        return data;
}
