/* SPDX-License-Identifier: MIT */
/*
 * prefetch.c - reading a slow set ahead of its use, in a thread of its own.
 *
 * A prefetching set wraps another. pxr_dataset_expect() gives the thread one batch; a read of
 * exactly that batch waits until it is done. Any other read goes to the wrapped set, so that what
 * is read never depends on what was announced. The thread starts with the first announcement.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"

/* Larger batches are not prefetched. */
enum { MAX_BYTES = 1 << 28 };

enum stage { IDLE, ASKED, READING, DONE, FAILED };

struct prefetch {
        struct pxr_dataset base;
        pthread_mutex_t lock;
        pthread_cond_t changed; /* stage or `quit` */
        pthread_t thread;
        bool started, quit;

        /* The batch; changed while the stage is neither ASKED nor READING. */
        enum stage stage;
        enum pxr_split split;
        int64_t epoch;
        int count, room;
        int64_t *index;
        uint8_t *pixels;
};

/* Errors are dropped: the read of the batch then runs into them itself. */
static void *work(void *context)
{
        struct prefetch *prefetch = context;

        pthread_mutex_lock(&prefetch->lock);
        for (;;) {
                int failed;

                while (!prefetch->quit && prefetch->stage != ASKED)
                        pthread_cond_wait(&prefetch->changed, &prefetch->lock);
                if (prefetch->quit)
                        break;
                prefetch->stage = READING;
                pthread_mutex_unlock(&prefetch->lock);
                failed = prefetch->base.read(&prefetch->base, prefetch->split, prefetch->epoch,
                                             prefetch->index, prefetch->count, prefetch->pixels,
                                             NULL);
                pthread_mutex_lock(&prefetch->lock);
                prefetch->stage = failed ? FAILED : DONE;
                pthread_cond_broadcast(&prefetch->changed);
        }
        pthread_mutex_unlock(&prefetch->lock);
        return NULL;
}

/* Signals are left to the main thread. */
static bool start(struct prefetch *prefetch)
{
        sigset_t all, before;

        if (prefetch->started)
                return true;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        prefetch->started = pthread_create(&prefetch->thread, NULL, work, prefetch) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return prefetch->started;
}

static void stop(void *context)
{
        struct prefetch *prefetch = context;

        pthread_mutex_lock(&prefetch->lock);
        prefetch->quit = true;
        pthread_cond_broadcast(&prefetch->changed);
        pthread_mutex_unlock(&prefetch->lock);
        if (prefetch->started)
                pthread_join(prefetch->thread, NULL);
        pthread_cond_destroy(&prefetch->changed);
        pthread_mutex_destroy(&prefetch->lock);
        free(prefetch->index);
        free(prefetch->pixels);
}

static bool is_busy(const struct prefetch *prefetch)
{
        return prefetch->stage == ASKED || prefetch->stage == READING;
}

/* Make room for a batch: once, as batches have one size. */
static bool make_room(struct prefetch *prefetch, int count)
{
        int64_t *index;
        uint8_t *pixels;

        if (count <= prefetch->room)
                return true;
        if ((size_t)count * pxr_image_size(&prefetch->base) > MAX_BYTES)
                return false;
        index = realloc(prefetch->index, (size_t)count * sizeof *index);
        prefetch->index = index ? index : prefetch->index;
        pixels = realloc(prefetch->pixels, (size_t)count * pxr_image_size(&prefetch->base));
        prefetch->pixels = pixels ? pixels : prefetch->pixels;
        if (!index || !pixels)
                return false;
        prefetch->room = count;
        return true;
}

static void expect(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                   const int64_t *index, int count)
{
        struct prefetch *prefetch = set->state;

        pthread_mutex_lock(&prefetch->lock);
        if (!is_busy(prefetch) && make_room(prefetch, count) && start(prefetch)) {
                prefetch->split = split;
                prefetch->epoch = epoch;
                prefetch->count = count;
                memcpy(prefetch->index, index, (size_t)count * sizeof *index);
                prefetch->stage = ASKED;
                pthread_cond_broadcast(&prefetch->changed);
        }
        pthread_mutex_unlock(&prefetch->lock);
}

static bool is_expected(const struct prefetch *prefetch, enum pxr_split split, int64_t epoch,
                        const int64_t *index, int count)
{
        return prefetch->stage != IDLE && prefetch->split == split && prefetch->epoch == epoch &&
               prefetch->count == count &&
               memcmp(prefetch->index, index, (size_t)count * sizeof *index) == 0;
}

static int read_prefetched(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                           const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        struct prefetch *prefetch = set->state;
        bool there;

        pthread_mutex_lock(&prefetch->lock);
        there = is_expected(prefetch, split, epoch, index, count);
        while (there && is_busy(prefetch))
                pthread_cond_wait(&prefetch->changed, &prefetch->lock);
        /* Another reader may have changed the batch meanwhile. */
        there = there && prefetch->stage == DONE &&
                is_expected(prefetch, split, epoch, index, count);
        if (there)
                memcpy(pixels, prefetch->pixels, (size_t)count * pxr_image_size(set));
        pthread_mutex_unlock(&prefetch->lock);
        if (there)
                return 0;
        return prefetch->base.read(&prefetch->base, split, epoch, index, count, pixels, diag);
}

int pxr_data_prefetch(struct pxr_opening *o)
{
        struct prefetch *prefetch = pxr_alloc(o->arena, sizeof *prefetch);
        struct pxr_dataset *set = o->set;

        if (!prefetch)
                return -1;
        if (pthread_mutex_init(&prefetch->lock, NULL) != 0)
                return pxr_out_of_memory(o->diag);
        if (pthread_cond_init(&prefetch->changed, NULL) != 0) {
                pthread_mutex_destroy(&prefetch->lock);
                return pxr_out_of_memory(o->diag);
        }
        if (pxr_arena_defer(o->arena, stop, prefetch))
                return -1;
        prefetch->base = *set;
        set->state = prefetch;
        set->read = read_prefetched;
        set->expect = expect;
        set->nats = NULL;
        return 0;
}
