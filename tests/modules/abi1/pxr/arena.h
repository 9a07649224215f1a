/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that is given back all at once.
 *
 * Specs, graphs, options and strings live in an arena: nothing in it is freed by itself. What
 * lives as long as a worker (tensors, scratch) is planned in tensor/, not taken from here.
 */
#ifndef PXR_ARENA_H
#define PXR_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <pxr/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pxr_arena;

/*
 * A new arena that hands out `limit` bytes at most (0: no limit). NULL when out of memory.
 *
 * Running out of memory is sticky: the first allocation that fails records "out of memory" in
 * `diag` (NULL: nowhere), and every later one in this arena fails too. So callers need not report
 * it: blocks are NULL then and strings "", and what is built of them is thrown away by whoever
 * checks pxr_arena_failed() or pxr_diag_memory_out() next. `diag` must outlive the arena.
 */
struct pxr_arena *pxr_arena_new(size_t limit, struct pxr_diag *diag);

/* Whether an allocation has failed: what was built in the arena is incomplete. NULL: yes. */
bool pxr_arena_failed(const struct pxr_arena *arena);

/* Record that memory ran out, as after malloc(). Returns -1. */
int pxr_arena_fail(struct pxr_arena *arena);

/* Run the clean-ups, last first, and free everything. NULL is allowed. */
void pxr_arena_free(struct pxr_arena *arena);

/* `size` zeroed bytes, aligned for any type; NULL when out of memory or at the limit. */
void *pxr_alloc(struct pxr_arena *arena, size_t size);

/* The same for an array, with the product checked for overflow. */
void *pxr_alloc_array(struct pxr_arena *arena, size_t count, size_t size);

/* Elements of an array (of the array itself: a pointer to its first element does not do). */
#define PXR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Copies that end with NUL. Never NULL: "" when out of memory. */
char *pxr_strdup(struct pxr_arena *arena, const char *text);
char *pxr_strndup(struct pxr_arena *arena, const char *text, size_t size);

/* A formatted string. Never NULL: "" when out of memory. */
char *pxr_strf(struct pxr_arena *arena, const char *format, ...) PXR_PRINTF(2, 3);
char *pxr_vstrf(struct pxr_arena *arena, const char *format, va_list arguments);

/* Call clean(what) when the arena is freed. Returns 0, or -1 when out of memory (`clean` has then
 * been called already). */
int pxr_arena_defer(struct pxr_arena *arena, void (*clean)(void *what), void *what);

#ifdef __cplusplus
}
#endif
#endif
