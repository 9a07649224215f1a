/* SPDX-License-Identifier: MIT */
/* installed.c - finding files that came with the program. */
#include "base/installed.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/installed_paths.h"

/* Cut off the last part of a path; false if there is none. */
static bool cut_last(char *path)
{
        char *slash = strrchr(path, '/');

        if (slash)
                *slash = '\0';
        return slash != NULL;
}

/* Cut off `end`; false if the path does not end with it. */
static bool cut_end(char *path, const char *end)
{
        size_t length = strlen(path), cut = strlen(end);

        if (length < cut || strcmp(path + length - cut, end) != 0)
                return false;
        path[length - cut] = '\0';
        return true;
}

/* The folder of the running program, or NULL. */
static char *program_folder(struct pxr_arena *arena)
{
        char path[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

        if (length <= 0)
                return NULL;
        path[length] = '\0';
        return cut_last(path) ? pxr_strdup(arena, path) : NULL;
}

/* If the program runs from a build tree: libtool keeps programs and modules in folders named
 * .libs. NULL otherwise. */
static char *in_build_tree(struct pxr_arena *arena, const char *built)
{
        char *folder = program_folder(arena);

        if (!folder || !cut_end(folder, "/.libs") || !cut_last(folder))
                return NULL;
        return pxr_strf(arena, "%s/%s", folder, built);
}

/* In an installed tree, which may have been moved as a whole: relative to the program as
 * `installed` is to PXR_BINDIR. NULL if it is not there. */
static char *beside_program(struct pxr_arena *arena, const char *installed)
{
        static const char bin[] = PXR_BINDIR;
        char *folder = program_folder(arena), *path;
        size_t common = 0;

        for (size_t i = 0; bin[i] && bin[i] == installed[i]; i++)
                if (bin[i] == '/')
                        common = i;
        if (!folder || !cut_end(folder, bin + common))
                return NULL;
        path = pxr_strf(arena, "%s%s", folder, installed + common);
        return access(path, F_OK) == 0 ? path : NULL;
}

const char *pxr_installed(struct pxr_arena *arena, const char *built, const char *installed)
{
        const char *path = in_build_tree(arena, built);

        if (!path)
                path = beside_program(arena, installed);
        return path ? path : pxr_strdup(arena, installed);
}

char *pxr_program_beside(struct pxr_arena *arena, const char *name)
{
        const char *folder = program_folder(arena);

        return folder ? pxr_strf(arena, "%s/%s", folder, name) : pxr_strdup(arena, name);
}
