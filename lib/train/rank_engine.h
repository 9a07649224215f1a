/* SPDX-License-Identifier: MIT */
/*
 * rank_engine.h - what a run that is shared by several processes asks of MPI.
 *
 * The library is not linked with MPI. The module rank_engine_mpi.c is, and is loaded only under an
 * MPI launcher (ranks.c). It exports a struct pxr_rank_engine named pxr_rank_engine. Functions that
 * return int return 0, or -1 if MPI reports an error. One thread at a time calls them.
 */
#ifndef PXR_TRAIN_RANK_ENGINE_H
#define PXR_TRAIN_RANK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PXR_RANK_ENGINE_MAGIC "pxrranks"

enum { PXR_RANK_ENGINE_VERSION = 1, PXR_ANY_RANK = -1 };

/* A message on its way; the engine's own. */
struct pxr_rank_request {
        uintptr_t opaque[2];
};

struct pxr_rank_engine {
        char magic[8];
        uint32_t version, size; /* PXR_RANK_ENGINE_VERSION; of this struct */

        /* Join the other processes. Sets the rank, from 0, the number of ranks, and the number of
         * those on this host. */
        int (*start)(int *rank, int *ranks, int *here);
        /* Name and version of the MPI library. */
        void (*name)(char *text, size_t size);
        /* Begin to send or receive up to 1 GB. The bytes must stay in place until test() says that
         * it is done. Messages of one tag between two ranks arrive in order. */
        int (*send)(int to, int tag, const void *bytes, size_t size,
                    struct pxr_rank_request *request);
        int (*receive)(int from, int tag, void *bytes, size_t size,
                       struct pxr_rank_request *request);
        /* Whether it is done; remains so. If it is not, all messages are moved on. */
        int (*test)(struct pxr_rank_request *request, bool *done);
        /* Expect a message no longer. */
        void (*cancel)(struct pxr_rank_request *request);
        /* Leave, once all messages are done; waits until the others leave too. */
        void (*finish)(void);
        /* End all processes at once. Does not return. */
        void (*end_all)(int status);
};

#endif
