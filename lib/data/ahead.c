/* SPDX-License-Identifier: MIT */
/*
 * ahead.c - reading a slow set ahead of its use, in a thread of its own.
 *
 * A set in front of another: pxr_dataset_expect() hands the thread one batch, and the read of just
 * that batch finds it done or waits for it. Any other read goes straight to the set behind, so
 * that what is read never depends on what was expected. The thread starts with the first
 * expectation.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"

/* A batch beyond so many bytes is not read ahead. */
enum { MAX_BYTES = 1 << 28 };

enum stage { IDLE, ASKED, READING, DONE, FAILED };

struct ahead {
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

static size_t image_size(const struct pxr_dataset *set)
{
        return (size_t)set->rows * (size_t)set->cols * (size_t)set->colours;
}

/* An error is left to the read that wants the images, which then finds it itself. */
static void *work(void *context)
{
        struct ahead *ahead = context;

        pthread_mutex_lock(&ahead->lock);
        for (;;) {
                int failed;

                while (!ahead->quit && ahead->stage != ASKED)
                        pthread_cond_wait(&ahead->changed, &ahead->lock);
                if (ahead->quit)
                        break;
                ahead->stage = READING;
                pthread_mutex_unlock(&ahead->lock);
                failed = ahead->base.read(&ahead->base, ahead->split, ahead->epoch, ahead->index,
                                          ahead->count, ahead->pixels, NULL);
                pthread_mutex_lock(&ahead->lock);
                ahead->stage = failed ? FAILED : DONE;
                pthread_cond_broadcast(&ahead->changed);
        }
        pthread_mutex_unlock(&ahead->lock);
        return NULL;
}

/* Signals are the main thread's business. */
static bool start(struct ahead *ahead)
{
        sigset_t all, before;

        if (ahead->started)
                return true;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        ahead->started = pthread_create(&ahead->thread, NULL, work, ahead) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return ahead->started;
}

static void stop(void *context)
{
        struct ahead *ahead = context;

        pthread_mutex_lock(&ahead->lock);
        ahead->quit = true;
        pthread_cond_broadcast(&ahead->changed);
        pthread_mutex_unlock(&ahead->lock);
        if (ahead->started)
                pthread_join(ahead->thread, NULL);
        pthread_cond_destroy(&ahead->changed);
        pthread_mutex_destroy(&ahead->lock);
        free(ahead->index);
        free(ahead->pixels);
}

static bool is_busy(const struct ahead *ahead)
{
        return ahead->stage == ASKED || ahead->stage == READING;
}

/* Room for a batch: made once, as batches have one size. */
static bool make_room(struct ahead *ahead, int count)
{
        int64_t *index;
        uint8_t *pixels;

        if (count <= ahead->room)
                return true;
        if ((size_t)count * image_size(&ahead->base) > MAX_BYTES)
                return false;
        index = realloc(ahead->index, (size_t)count * sizeof *index);
        ahead->index = index ? index : ahead->index;
        pixels = realloc(ahead->pixels, (size_t)count * image_size(&ahead->base));
        ahead->pixels = pixels ? pixels : ahead->pixels;
        if (!index || !pixels)
                return false;
        ahead->room = count;
        return true;
}

static void expect(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                   const int64_t *index, int count)
{
        struct ahead *ahead = set->state;

        pthread_mutex_lock(&ahead->lock);
        if (!is_busy(ahead) && make_room(ahead, count) && start(ahead)) {
                ahead->split = split;
                ahead->epoch = epoch;
                ahead->count = count;
                memcpy(ahead->index, index, (size_t)count * sizeof *index);
                ahead->stage = ASKED;
                pthread_cond_broadcast(&ahead->changed);
        }
        pthread_mutex_unlock(&ahead->lock);
}

static bool is_expected(const struct ahead *ahead, enum pxr_split split, int64_t epoch,
                        const int64_t *index, int count)
{
        return ahead->stage != IDLE && ahead->split == split && ahead->epoch == epoch &&
               ahead->count == count &&
               memcmp(ahead->index, index, (size_t)count * sizeof *index) == 0;
}

static int read_ahead(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                      const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        struct ahead *ahead = set->state;
        bool there;

        pthread_mutex_lock(&ahead->lock);
        there = is_expected(ahead, split, epoch, index, count);
        while (there && is_busy(ahead))
                pthread_cond_wait(&ahead->changed, &ahead->lock);
        /* Another reader may have changed the batch meanwhile. */
        there = there && ahead->stage == DONE && is_expected(ahead, split, epoch, index, count);
        if (there)
                memcpy(pixels, ahead->pixels, (size_t)count * image_size(set));
        pthread_mutex_unlock(&ahead->lock);
        if (there)
                return 0;
        return ahead->base.read(&ahead->base, split, epoch, index, count, pixels, diag);
}

int pxr_data_read_ahead(struct pxr_arena *arena, struct pxr_dataset *set, struct pxr_diag *diag)
{
        struct ahead *ahead = pxr_alloc(arena, sizeof *ahead);

        if (!ahead || pthread_mutex_init(&ahead->lock, NULL) != 0)
                return pxr_out_of_memory(diag);
        if (pthread_cond_init(&ahead->changed, NULL) != 0) {
                pthread_mutex_destroy(&ahead->lock);
                return pxr_out_of_memory(diag);
        }
        if (pxr_arena_defer(arena, stop, ahead))
                return pxr_out_of_memory(diag);
        ahead->base = *set;
        set->state = ahead;
        set->read = read_ahead;
        set->expect = expect;
        set->nats = NULL;
        return 0;
}
