/* SPDX-License-Identifier: MIT */
/* installed.h - finding files that came with the program, in its build tree or installed. */
#ifndef PXR_BASE_INSTALLED_H
#define PXR_BASE_INSTALLED_H

#include <pxr/arena.h>

/* The path of something that is `built` in the build tree ("layers/.libs") and `installed`
 * elsewhere (an absolute path): in the build tree if the program runs from one; else in the tree
 * the program was installed in, which may have been moved as a whole; else `installed`. */
const char *pxr_installed(struct pxr_arena *arena, const char *built, const char *installed);

/* The path of the program `name` in the directory of the running one. */
char *pxr_program_beside(struct pxr_arena *arena, const char *name);

#endif
