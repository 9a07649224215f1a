/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - finding and loading layer plugins: dlopen(), and a check of what was opened.
 */
#include "model/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/installed.h"
#include "base/installed_paths.h"
#include "config/options.h"
#include "tensor/older.h"

static void close_module(void *module)
{
        dlclose(module);
}

/* What is wrong with what an entry says of itself, or NULL. */
static const char *entry_problem(struct pxr_arena *arena, const struct pxr_plugin *entry)
{
        if (memcmp(entry->magic, "pxrlayer", sizeof(entry->magic)) != 0)
                return "its pxr_plugin_entry is not a pxr plugin's";
        if (entry->abi != PXR_ABI_VERSION)
                return pxr_strf(arena,
                                "it was built for version %u of the layer interface, and this "
                                "program has version %d: rebuild it against this version's headers",
                                (unsigned)entry->abi, PXR_ABI_VERSION);
        if (pxr_sizes_problem(entry))
                return pxr_sizes_problem(entry);
        if (!entry->version)
                return "it does not say for which version of pxr it was built";
        return entry->layer ? NULL : "it has no layer";
}

/* What is wrong with its layer, or NULL. */
static const char *layer_problem(struct pxr_arena *arena, const struct pxr_layer *layer)
{
        if (!layer)
                return "its option tables contain each other";
        if (!layer->name || !layer->summary || !layer->build)
                return "its layer lacks a name, a summary or a build function";
        for (const struct pxr_parameter_doc *p = layer->parameters; p && p->name; p++)
                if (!p->shape)
                        return pxr_strf(arena, "it documents no shape of its parameter '%s'",
                                        p->name);
        return layer->options ? pxr_options_problem(arena, layer->options) : NULL;
}

/* Set a file's problem, or its layer. */
static void use_entry(struct pxr_arena *arena, struct pxr_plugin_file *file,
                      const struct pxr_plugin *entry)
{
        const struct pxr_layer *layer;

        file->problem = entry_problem(arena, entry);
        if (file->problem)
                return;
        layer = pxr_whole_layer(arena, entry, entry->layer);
        file->problem = layer_problem(arena, layer);
        if (file->problem)
                return;
        file->layer = layer;
        file->version = entry->version;
        file->entry = entry;
}

/* Whether the dynamic linker, which keeps no errno, gives this reason. */
static bool says(const char *reason, int error)
{
        return strstr(reason, strerror(error)) != NULL;
}

/* What glibc says it cannot create are its own lists. */
static bool is_of_memory(const char *reason)
{
        return says(reason, ENOMEM) || strstr(reason, "out of memory") ||
               strstr(reason, "cannot allocate") || strstr(reason, "cannot create");
}

/* Of a file that is there, glibc says that it is not where it has no memory to look. */
static bool is_of(const char *reason, const char *path)
{
        return strncmp(reason, path, strlen(path)) == 0 && access(path, F_OK) == 0;
}

int pxr_plugin_load(struct pxr_arena *arena, struct pxr_plugin_file *file)
{
        void *module = dlopen(file->path, RTLD_NOW | RTLD_LOCAL);
        const char *reason = module ? NULL : dlerror();
        const struct pxr_plugin *entry;

        if (!module && (!reason || is_of_memory(reason)))
                return -1;
        if (!module) {
                file->unread = says(reason, EIO) || says(reason, EMFILE) || says(reason, ENFILE) ||
                               (is_of(reason, file->path) && says(reason, ENOENT));
                file->problem = pxr_strf(arena, "it cannot be loaded: %s", reason);
                return pxr_arena_failed(arena) ? -1 : 0;
        }
        if (pxr_arena_defer(arena, close_module, module))
                return -1;
        entry = dlsym(module, "pxr_plugin_entry");
        if (entry)
                use_entry(arena, file, entry);
        else
                file->problem = "it has no symbol pxr_plugin_entry: is PXR_PLUGIN() missing?";
        return pxr_arena_failed(arena) ? -1 : 0;
}

static int is_plugin(const struct dirent *entry)
{
        return fnmatch("?*.so", entry->d_name, 0) == 0;
}

/* Append a file, or a folder, to the list that ends at *end. NULL when out of memory. */
static struct pxr_plugin_file *append(struct pxr_arena *arena, const char *path,
                                      struct pxr_plugin_file ***end)
{
        struct pxr_plugin_file *file = pxr_alloc(arena, sizeof(*file));

        if (!file)
                return NULL;
        file->path = path;
        **end = file;
        *end = &file->next;
        return file;
}

/* Set why a file cannot be used. Returns 0, or -1 when out of memory. */
static int set_problem(struct pxr_arena *arena, struct pxr_plugin_file *file, const char *what,
                       int error)
{
        if (!file || error == ENOMEM)
                return -1;
        file->unread = pxr_is_system_error(error);
        file->problem = pxr_strf(arena, "%s: %s", what, strerror(error));
        return 0;
}

/* Warn of what runs other people's code, once. */
static void warn_of_others(struct pxr_arena *arena, const char *path, const char *what,
                           struct pxr_diag *diag)
{
        const char *text = pxr_strf(arena, "%s: %s", path, what), *other;

        if (!diag)
                return;
        for (int i = 0; (other = pxr_diag_text(diag, i)); i++)
                if (strcmp(other, text) == 0)
                        return;
        pxr_warn(diag, "%s", text);
}

/* Whether all users can put files in place of others here; of a sticky folder only the owners. */
static bool is_open_to_all(const struct stat *folder)
{
        return folder->st_mode & S_IWOTH && !(folder->st_mode & S_ISVTX);
}

/* A module that is no plain file is not opened: a pipe would be waited for. */
static int examine_file(struct pxr_arena *arena, const struct stat *folder,
                        struct pxr_plugin_file *file, struct pxr_diag *diag)
{
        int fd = pxr_open_plain(file->path);
        struct stat status;

        if (fd < 0 && (errno == EISDIR || errno == ENXIO)) {
                file->problem = errno == EISDIR ? "it is a folder, not a file"
                                                : "it is a device or pipe, not a file";
                return 0;
        }
        if (fd < 0)
                return set_problem(arena, file, "cannot open it", errno);
        if (fstat(fd, &status) == 0) {
                if (status.st_mode & S_IWOTH)
                        warn_of_others(arena, file->path,
                                       "all users can write to this layer, whose code runs as you: "
                                       "chmod o-w",
                                       diag);
                else if (folder->st_mode & S_IWOTH && !is_open_to_all(folder) &&
                         status.st_uid != 0 && status.st_uid != geteuid())
                        warn_of_others(arena, file->path,
                                       "another user has put this layer, whose code runs as you, "
                                       "into a folder that all can write to",
                                       diag);
        }
        close(fd);
        return 0;
}

/* List what a folder holds. One that was asked for has to be there. */
static int scan(struct pxr_arena *arena, const char *folder, bool asked,
                struct pxr_plugin_file ***end, struct pxr_diag *diag)
{
        struct dirent **entries;
        int count = scandir(folder, &entries, is_plugin, alphasort), error = errno, status = 0;
        struct stat mode = { 0 };

        if (count < 0 && error == ENOENT && !asked)
                return 0;
        if (count < 0)
                return set_problem(arena, append(arena, folder, end), "cannot read the folder",
                                   error);
        if (stat(folder, &mode) == 0 && is_open_to_all(&mode))
                warn_of_others(arena, folder,
                               "all users can write to this folder of layers, whose code runs as "
                               "you: chmod o-w",
                               diag);
        for (int i = 0; i < count; i++) {
                struct pxr_plugin_file *file =
                        append(arena, pxr_strf(arena, "%s/%s", folder, entries[i]->d_name), end);

                free(entries[i]);
                if (status || !file || examine_file(arena, &mode, file, diag))
                        status = -1;
        }
        free(entries);
        return status;
}

/* Search the folders of $PXR_LAYER_PATH, then the one that came with pxr. */
static int scan_all(struct pxr_arena *arena, struct pxr_plugins *plugins, struct pxr_diag *diag)
{
        struct pxr_plugin_file **end = &plugins->file;
        const char *own = getenv("PXR_LAYER_PATH");
        const char *came = pxr_installed(arena, "layers/.libs", PXR_LAYERDIR);
        char *list = pxr_strdup(arena, own ? own : ""), *rest, *folder;

        plugins->searched = own && *own ? pxr_strf(arena, "%s:%s", own, came) : came;
        for (folder = strtok_r(list, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
                if (scan(arena, folder, true, &end, diag))
                        return -1;
        return scan(arena, came, false, &end, diag);
}

struct pxr_plugins *pxr_plugins_search(struct pxr_arena *arena, struct pxr_diag *diag)
{
        struct pxr_plugins *plugins = pxr_alloc(arena, sizeof(*plugins));

        if (!plugins || scan_all(arena, plugins, diag)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return plugins;
}

struct pxr_plugins *pxr_plugins_open(struct pxr_arena *arena, struct pxr_diag *diag)
{
        struct pxr_plugins *plugins = pxr_plugins_search(arena, diag);
        struct pxr_plugin_file *file = plugins ? plugins->file : NULL;

        for (; file; file = file->next)
                if (!file->problem && pxr_plugin_load(arena, file)) {
                        pxr_out_of_memory(diag);
                        return NULL;
                }
        return plugins;
}

static bool same_file(const char *a, const char *b)
{
        char left[PATH_MAX], right[PATH_MAX];

        return realpath(a, left) && realpath(b, right) && strcmp(left, right) == 0;
}

static void hint_nearest(const struct pxr_plugins *plugins, const char *name, struct pxr_diag *diag)
{
        const struct pxr_plugin_file *file;
        const char *names[256] = { NULL };
        bool near;
        size_t count = 0;

        for (file = plugins->file; file; file = file->next)
                if (file->layer && count < PXR_COUNT(names))
                        names[count++] = file->layer->name;
        near = pxr_hint_nearest(diag, name, names, count);
        for (file = plugins->file; file; file = file->next)
                if (file->problem)
                        pxr_note(diag, "%s was not used: %s", file->path, file->problem);
        if (count == 0)
                pxr_note(diag, "no layer plugin was found in %s", plugins->searched);
        else if (!near)
                pxr_note(diag, "it was looked for in %s; PXR_LAYER_PATH names further folders",
                         plugins->searched);
}

const struct pxr_plugin_file *pxr_plugin_find(const struct pxr_plugins *plugins, const char *name,
                                              struct pxr_location location, struct pxr_diag *diag)
{
        const struct pxr_plugin_file *file, *found = NULL;

        for (file = plugins->file; file; file = file->next) {
                if (!file->layer || strcmp(file->layer->name, name) != 0)
                        continue;
                if (found && !same_file(found->path, file->path)) {
                        pxr_error_at(diag, location, "two plugins are named '%s': remove one",
                                     name);
                        pxr_note(diag, "one is %s", found->path);
                        pxr_note(diag, "the other is %s", file->path);
                        return NULL;
                }
                found = found ? found : file;
        }
        for (file = plugins->file; file && !found; file = file->next)
                if (file->unread) {
                        pxr_system_error(diag, "%s, where the layer '%s' may be: %s", file->path,
                                         name, file->problem);
                        return NULL;
                }
        if (!found) {
                pxr_error_at(diag, location, "there is no layer '%s'", name);
                hint_nearest(plugins, name, diag);
        }
        return found;
}
