/* SPDX-License-Identifier: MIT */
/* arena.c - bump allocation in blocks, freed all at once. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/arena.h>

enum { BLOCK_SIZE = 1 << 16, ALIGNMENT = 16 };

struct block {
        struct block *next;
        size_t size, used;
        _Alignas(ALIGNMENT) char bytes[];
};

struct clean_up {
        struct clean_up *next;
        void (*clean)(void *what);
        void *what;
};

struct pxr_arena {
        struct block *blocks;
        struct clean_up *clean_ups;
        size_t limit, used;
        struct pxr_diag *diag;
        bool failed;
};

struct pxr_arena *pxr_arena_new(size_t limit, struct pxr_diag *diag)
{
        struct pxr_arena *arena = calloc(1, sizeof *arena);

        if (arena)
                *arena = (struct pxr_arena) { .limit = limit ? limit : SIZE_MAX, .diag = diag };
        else
                pxr_out_of_memory(diag);
        return arena;
}

bool pxr_arena_failed(const struct pxr_arena *arena)
{
        return !arena || arena->failed;
}

/* Record it each time: the diag may have been cleared in between. */
int pxr_arena_fail(struct pxr_arena *arena)
{
        arena->failed = true;
        return pxr_out_of_memory(arena->diag);
}

static void *fail(struct pxr_arena *arena)
{
        pxr_arena_fail(arena);
        return NULL;
}

void pxr_arena_free(struct pxr_arena *arena)
{
        if (!arena)
                return;
        for (struct clean_up *c = arena->clean_ups; c; c = c->next)
                c->clean(c->what);
        for (struct block *b = arena->blocks, *next; b; b = next) {
                next = b->next;
                free(b);
        }
        free(arena);
}

static struct block *block_new(struct pxr_arena *arena, size_t size)
{
        struct block *b = calloc(1, sizeof *b + size);

        if (!b)
                return NULL;
        b->size = size;
        /* A block for one large allocation goes after the block that is still being filled. */
        if (arena->blocks && size > BLOCK_SIZE) {
                b->next = arena->blocks->next;
                arena->blocks->next = b;
        } else {
                b->next = arena->blocks;
                arena->blocks = b;
        }
        return b;
}

void *pxr_alloc(struct pxr_arena *arena, size_t size)
{
        struct block *b = arena->blocks;
        void *memory;

        if (arena->failed || size > arena->limit - arena->used || size > SIZE_MAX / 2)
                return fail(arena);
        size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
        if (!b || size > b->size - b->used)
                b = block_new(arena, size > BLOCK_SIZE ? size : (size_t)BLOCK_SIZE);
        if (!b)
                return fail(arena);
        memory = b->bytes + b->used;
        b->used += size;
        arena->used = size > arena->limit - arena->used ? arena->limit : arena->used + size;
        return memory;
}

void *pxr_alloc_array(struct pxr_arena *arena, size_t count, size_t size)
{
        return size && count > SIZE_MAX / size ? fail(arena) : pxr_alloc(arena, count * size);
}

/* Room for a string of `size` bytes and NUL; NULL when out of memory. */
static char *string(struct pxr_arena *arena, size_t size)
{
        return size < SIZE_MAX ? pxr_alloc(arena, size + 1) : fail(arena);
}

/* Its one byte is 0, whoever writes to it: a string's end can only be set to 0. */
static char *no_string(void)
{
        static char empty[1];

        return empty;
}

char *pxr_strndup(struct pxr_arena *arena, const char *text, size_t size)
{
        char *copy = string(arena, size);

        return copy ? memcpy(copy, text, size) : no_string();
}

char *pxr_strdup(struct pxr_arena *arena, const char *text)
{
        return pxr_strndup(arena, text, strlen(text));
}

char *pxr_vstrf(struct pxr_arena *arena, const char *format, va_list arguments)
{
        va_list again;
        int length;
        char *text;

        va_copy(again, arguments);
        length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        text = length < 0 ? fail(arena) : string(arena, (size_t)length);
        if (!text)
                return no_string();
        vsnprintf(text, (size_t)length + 1, format, arguments);
        return text;
}

char *pxr_strf(struct pxr_arena *arena, const char *format, ...)
{
        va_list arguments;
        char *text;

        va_start(arguments, format);
        text = pxr_vstrf(arena, format, arguments);
        va_end(arguments);
        return text;
}

int pxr_arena_defer(struct pxr_arena *arena, void (*clean)(void *what), void *what)
{
        struct clean_up *c = pxr_alloc(arena, sizeof *c);

        if (!c) {
                clean(what);
                return -1;
        }
        *c = (struct clean_up) { .next = arena->clean_ups, .clean = clean, .what = what };
        arena->clean_ups = c;
        return 0;
}
