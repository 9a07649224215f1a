/* SPDX-License-Identifier: MIT */
/* locate.c - from what a user names to a set's `data` mapping. */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/format.h"
#include "data/locate.h"
#include "config/tree.h"

/* What shows a format: files of a folder, each of which is there for some splits. */
struct sign {
        const char *set;
        const char *name; /* in the folder; may also end with .gz */
        const char *splits;
        const char *also; /* another override, or NULL */
};

static const struct sign signs[] = {
        { "binarized_mnist", "binarized_mnist_train.amat", "train", NULL },
        { "binarized_mnist", "binarized_mnist_valid.amat", "valid", NULL },
        { "binarized_mnist", "binarized_mnist_test.amat", "test", NULL },
        { "mnist", "train-images-idx3-ubyte", "train, valid", NULL },
        { "mnist", "t10k-images-idx3-ubyte", "test", NULL },
        { "cifar10", "cifar-10-batches-bin", "train, valid, test", NULL },
        { "cifar10", "cifar-10-binary.tar", "train, valid, test", NULL },
        { "cifar10", "data_batch_1.bin", "train, valid", NULL },
        { "cifar10", "test_batch.bin", "test", NULL },
        { "imagenet", "train_32x32", "train", "size=32" },
        { "imagenet", "train_32x32.tar", "train", "size=32" },
        { "imagenet", "valid_32x32", "valid", "size=32" },
        { "imagenet", "valid_32x32.tar", "valid", "size=32" },
        { "imagenet", "train_64x64", "train", "size=64" },
        { "imagenet", "train_64x64.tar", "train", "size=64" },
        { "imagenet", "valid_64x64", "valid", "size=64" },
        { "imagenet", "valid_64x64.tar", "valid", "size=64" },
        { "png_folder", "train", "train, valid, test", NULL },
        { "png_folder", "valid", "train, valid, test", NULL },
        { "png_folder", "test", "train, valid, test", NULL },
        { 0 },
};

static bool has(const char *folder, const char *name)
{
        char path[PATH_MAX];
        struct stat status;

        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (stat(path, &status) == 0)
                return true;
        snprintf(path, sizeof path, "%s/%s.gz", folder, name);
        return stat(path, &status) == 0;
}

static bool ends_with(const char *name, const char *ending)
{
        size_t length = strlen(name), tail = strlen(ending);

        return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

/* Does the folder hold a file with this ending? */
static bool has_ending(const char *folder, const char *ending)
{
        DIR *stream = opendir(folder);
        struct dirent *entry;
        bool found = false;

        while (stream && !found && (entry = readdir(stream)))
                found = ends_with(entry->d_name, ending);
        if (stream)
                closedir(stream);
        return found;
}

/* Does it hold what png_folder reads, or can say how to convert? */
static bool has_pictures(const char *folder)
{
        static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".webp", ".parquet" };

        for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
                if (has_ending(folder, endings[i]))
                        return true;
        return false;
}

static bool has_folder(const char *folder)
{
        DIR *stream = opendir(folder);
        char path[PATH_MAX];
        struct dirent *entry;
        struct stat status;
        bool found = false;

        while (stream && !found && (entry = readdir(stream))) {
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
                found = entry->d_name[0] != '.' && stat(path, &status) == 0 &&
                        S_ISDIR(status.st_mode);
        }
        if (stream)
                closedir(stream);
        return found;
}

/* CIFAR-10's Python version, which cifar10 refuses by its name. */
static bool has_python(const char *folder)
{
        return has(folder, "data_batch_1") || has(folder, "cifar-10-batches-py") ||
               has(folder, "cifar-10-python.tar");
}

/* --- making the mapping ------------------------------------------------------------------------*/

static struct pxr_yaml *mapping_of(struct pxr_arena *arena, const char *set, const char *path,
                                   struct pxr_diag *diag)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof *source);
        struct pxr_yaml *data, *child;

        if (!source) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        *source = (struct pxr_source) { .name = "command line", .text = "{}", .size = 2 };
        data = pxr_yaml_parse(arena, source, diag);
        if (!data)
                return NULL;
        data->mark.line = 0; /* there is no line to show */
        for (int i = 0; i < (path ? 2 : 1); i++) {
                child = pxr_yaml_new(arena, PXR_YAML_SCALAR, i ? "path" : "set",
                                     pxr_strdup(arena, i ? path : set), data);
                if (!child || !child->text) {
                        pxr_out_of_memory(diag);
                        return NULL;
                }
                child->quoted = true;
                pxr_yaml_append(data, child);
        }
        return data;
}

/* A folder with the files of one of the sets. */
static struct pxr_yaml *of_signs(struct pxr_arena *arena, const char *folder, struct pxr_diag *diag)
{
        const struct sign *first = NULL;
        const char *splits = "";
        struct pxr_yaml *data;

        for (const struct sign *sign = signs; sign->set; sign++) {
                bool of_first = !first || (strcmp(first->set, sign->set) == 0 &&
                                           (!sign->also || strcmp(first->also, sign->also) == 0));

                if (!of_first || !has(folder, sign->name))
                        continue;
                first = first ? first : sign;
                if (strstr(splits, sign->splits))
                        continue; /* a folder, and its archive beside it */
                splits = pxr_strf(arena, "%s%s%s", splits, *splits ? ", " : "", sign->splits);
                if (!splits) {
                        pxr_out_of_memory(diag);
                        return NULL;
                }
                if (strcmp(sign->splits, "train, valid, test") == 0)
                        break; /* and the other files are not looked at */
        }
        if (!first)
                return NULL;
        data = mapping_of(arena, first->set, folder, diag);
        splits = pxr_strf(arena, "splits=[%s]", splits);
        if (!data || !splits || pxr_spec_override(arena, data, splits, diag) ||
            (first->also && pxr_spec_override(arena, data, first->also, diag)))
                return NULL;
        return data;
}

static struct pxr_yaml *of_folder(struct pxr_arena *arena, const char *folder,
                                  struct pxr_diag *diag)
{
        struct pxr_yaml *data = of_signs(arena, folder, diag);

        if (data || pxr_diag_errors(diag))
                return data;
        if (has_ending(folder, ".npz"))
                return mapping_of(arena, "npz", folder, diag);
        if (has_python(folder))
                return mapping_of(arena, "cifar10", folder, diag);
        if (has_pictures(folder) || has_folder(folder))
                return mapping_of(arena, "png_folder", folder, diag);
        pxr_user_error(diag, "%s: holds no files of a format that is known", folder);
        pxr_note(diag, "'SET path=%s' says of which set it is", folder);
        return NULL;
}

static struct pxr_yaml *of_spec(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_yaml *root = pxr_spec_load(arena, path, NULL, 0, diag);
        struct pxr_yaml *data = root ? pxr_yaml_get(root, "data") : NULL;

        if (root && !data)
                pxr_user_error(diag, "%s: the spec has no 'data'", path);
        return data;
}

static struct pxr_yaml *of_path(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct stat status;

        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                return of_folder(arena, path, diag);
        if (ends_with(path, ".yaml") || ends_with(path, ".yml"))
                return of_spec(arena, path, diag);
        if (ends_with(path, ".npz") || ends_with(path, ".npy"))
                return mapping_of(arena, "npz", path, diag);
        if (ends_with(path, ".parquet"))
                return mapping_of(arena, "png_folder", path, diag);
        if (strstr(path, "cifar") && (ends_with(path, ".tar.gz") || ends_with(path, ".tar")))
                return mapping_of(arena, "cifar10", path, diag);
        pxr_user_error(diag,
                       "%s: is neither a folder, a spec (.yaml), nor a file of a format that "
                       "is known",
                       path);
        return NULL;
}

/* --- names of sets -----------------------------------------------------------------------------*/

/* An override is a key of the mapping, with or without the section that it stands in in a spec. */
static const char *without_section(const char *override)
{
        return strncmp(override, "data.", 5) == 0 ? override + 5 : override;
}

static bool is_set(const char *name)
{
        for (int i = 0; pxr_data_formats[i]; i++)
                if (strcmp(pxr_data_formats[i]->name, name) == 0)
                        return true;
        return false;
}

static struct pxr_yaml *of_name(struct pxr_arena *arena, const char *name, struct pxr_diag *diag)
{
        struct stat status;

        /* What is no path either is left to pxr_dataset_open(), which names the nearest set. */
        if (is_set(name) || (stat(name, &status) != 0 && !strpbrk(name, "/.")))
                return mapping_of(arena, name, NULL, diag);
        if (stat(name, &status) != 0) {
                pxr_user_error(diag, "%s: no such file or folder", name);
                return NULL;
        }
        return of_path(arena, name, diag);
}

struct pxr_yaml *pxr_data_mapping(struct pxr_arena *arena, const char *name,
                                  const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        struct pxr_yaml *data = of_name(arena, name, diag);

        for (size_t i = 0; data && i < count; i++)
                if (pxr_spec_override(arena, data, without_section(overrides[i]), diag))
                        data = NULL;
        return data;
}
