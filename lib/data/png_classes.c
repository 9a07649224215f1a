/* SPDX-License-Identifier: MIT */
/*
 * png_classes.c - labels of image files: the folders that hold them.
 *
 * The class of "cat/tabby/9.png" is cat. Classes are numbered in the order of their names (by
 * bytes), over all splits that there are: a class has the same number in each, and whichever are
 * opened. The paths in an archive may begin with folders that all files share.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "data/labels.h"
#include "data/png_files.h"

/* Bytes at the start of the paths in an archive, of folders that hold all its files. */
static size_t shared_folders(const struct pxr_png_files *files)
{
        const char *first = files->files[0].name, *last = files->files[files->count - 1].name;
        size_t shared = 0;

        /* They are sorted: what the first and the last share is shared by all. */
        for (size_t i = 0; files->archive && first[i] && first[i] == last[i]; i++)
                shared = first[i] == '/' ? i + 1 : shared;
        return shared;
}

/* The class of a file, and its length; 0: it is in no folder. */
static const char *class_of(const struct pxr_png_files *files, size_t shared, int64_t index,
                            size_t *length)
{
        const char *name = files->files[index].name + shared, *end = strchr(name, '/');

        *length = end ? (size_t)(end - name) : 0;
        return name;
}

struct classes {
        struct pxr_opening *o;
        const char **names; /* malloc() */
        size_t count, room;
};

static int add(struct classes *classes, const char *name, size_t length)
{
        const char *last = classes->count > 0 ? classes->names[classes->count - 1] : "";

        if (strncmp(last, name, length) == 0 && last[length] == '\0')
                return 0;
        if (classes->count == classes->room) {
                size_t room = classes->room ? 2 * classes->room : 64;
                const char **more = realloc(classes->names, room * sizeof *more);

                if (!more)
                        return pxr_out_of_memory(classes->o->diag);
                classes->names = more;
                classes->room = room;
        }
        classes->names[classes->count++] = pxr_strndup(classes->o->arena, name, length);
        return 0;
}

static int add_files(struct classes *classes, const struct pxr_png_files *files)
{
        size_t shared = shared_folders(files);

        for (int64_t i = 0; i < files->count; i++) {
                size_t length;
                const char *name = class_of(files, shared, i, &length);

                if (length == 0)
                        return pxr_error_at(classes->o->diag,
                                            pxr_data_location(classes->o, "labels"),
                                            "%s: 'labels: true' requires a folder for each class, "
                                            "but %s is in none",
                                            files->path, files->files[i].name);
                if (add(classes, name, length))
                        return -1;
        }
        return 0;
}

static int compare(const void *one, const void *other)
{
        return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void sort(struct classes *classes)
{
        size_t count = 0;

        qsort(classes->names, classes->count, sizeof *classes->names, compare);
        for (size_t i = 0; i < classes->count; i++)
                if (i == 0 || strcmp(classes->names[i], classes->names[count - 1]) != 0)
                        classes->names[count++] = classes->names[i];
        classes->count = count;
}

/* The number of a class that is there; most files are of the class `before`. */
static size_t number_of(const struct classes *classes, const char *name, size_t length,
                        size_t before)
{
        size_t low = 0, high = classes->count;

        if (strncmp(classes->names[before], name, length) == 0 && !classes->names[before][length])
                return before;
        while (low + 1 < high) {
                size_t middle = (low + high) / 2;
                int order = strncmp(classes->names[middle], name, length);

                if (order < 0 || (order == 0 && !classes->names[middle][length]))
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

static int label(const struct classes *classes, const struct pxr_png_split *split)
{
        size_t shared = split->count > 0 ? shared_folders(split->files) : 0, number = 0;

        for (int64_t i = 0; i < split->count; i++) {
                size_t length;
                const char *name = class_of(split->files, shared, split->first + i, &length);

                number = number_of(classes, name, length, number);
                if (pxr_labels_add(classes->o, split->files->path, (int64_t)number))
                        return -1;
        }
        return 0;
}

static int set_names(const struct classes *classes)
{
        struct pxr_dataset *set = classes->o->set;
        const char **names =
                pxr_alloc_array(classes->o->arena, classes->count, sizeof *classes->names);

        if (!names)
                return -1;
        memcpy(names, classes->names, classes->count * sizeof *names);
        set->class_names = names;
        set->classes = (int)classes->count;
        return 0;
}

int pxr_png_files_label(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS])
{
        struct classes classes = { .o = o };
        const struct pxr_png_files *before = NULL;
        int failed = 0;

        for (int i = 0; i < PXR_SPLITS && !failed; before = splits[i++].files)
                if (splits[i].files && splits[i].files != before)
                        failed = add_files(&classes, splits[i].files);
        if (!failed && classes.count > 0)
                sort(&classes);
        for (int i = 0; i < PXR_SPLITS && !failed; i++)
                failed = label(&classes, &splits[i]);
        failed = failed || set_names(&classes);
        free(classes.names);
        return failed ? -1 : 0;
}
