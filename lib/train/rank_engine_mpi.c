/* SPDX-License-Identifier: MIT */
/*
 * rank_engine_mpi.c - messages between ranks by MPI: a module of its own, the only one linked with
 * it.
 */
#include "train/rank_engine.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(MPI_Request) <= sizeof(struct pxr_rank_request), "a request does not fit");

static MPI_Request load(const struct pxr_rank_request *request)
{
        MPI_Request own;

        memcpy(&own, request, sizeof(own));
        return own;
}

static void store(struct pxr_rank_request *request, MPI_Request own)
{
        memcpy(request, &own, sizeof(own));
}

static int count_here(int *here)
{
        MPI_Comm host;

        if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host))
                return -1;
        if (MPI_Comm_size(host, here))
                return -1;
        return MPI_Comm_free(&host) ? -1 : 0;
}

static int start(int *rank, int *ranks, int *here)
{
        int level;

        if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) ||
            level < MPI_THREAD_SERIALIZED)
                return -1;
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
        if (MPI_Comm_rank(MPI_COMM_WORLD, rank) || MPI_Comm_size(MPI_COMM_WORLD, ranks))
                return -1;
        return count_here(here);
}

static void name(char *text, size_t size)
{
        char version[MPI_MAX_LIBRARY_VERSION_STRING];
        int length;

        if (MPI_Get_library_version(version, &length))
                length = 0;
        version[length] = '\0';
        version[strcspn(version, ",\n")] = '\0'; /* the rest says how it was built */
        snprintf(text, size, "%s", version);
}

static int send(int to, int tag, const void *bytes, size_t size, struct pxr_rank_request *request)
{
        MPI_Request own;

        if (MPI_Isend(bytes, (int)size, MPI_BYTE, to, tag, MPI_COMM_WORLD, &own))
                return -1;
        store(request, own);
        return 0;
}

static int receive(int from, int tag, void *bytes, size_t size, struct pxr_rank_request *request)
{
        MPI_Request own;

        if (MPI_Irecv(bytes, (int)size, MPI_BYTE, from == PXR_ANY_RANK ? MPI_ANY_SOURCE : from, tag,
                      MPI_COMM_WORLD, &own))
                return -1;
        store(request, own);
        return 0;
}

static int test(struct pxr_rank_request *request, bool *done)
{
        MPI_Request own = load(request);
        int flag = 0;

        if (MPI_Test(&own, &flag, MPI_STATUS_IGNORE))
                return -1;
        store(request, own);
        *done = flag;
        return 0;
}

static void cancel(struct pxr_rank_request *request)
{
        MPI_Request own = load(request);

        if (own == MPI_REQUEST_NULL)
                return;
        MPI_Cancel(&own);
        MPI_Request_free(&own);
        store(request, own);
}

static void finish(void)
{
        MPI_Finalize();
}

static void end_all(int status)
{
        MPI_Abort(MPI_COMM_WORLD, status);
}

const struct pxr_rank_engine pxr_rank_engine = {
        .magic = { 'p', 'x', 'r', 'r', 'a', 'n', 'k', 's' },
        .version = PXR_RANK_ENGINE_VERSION,
        .size = sizeof(struct pxr_rank_engine),
        .start = start,
        .name = name,
        .send = send,
        .receive = receive,
        .test = test,
        .cancel = cancel,
        .finish = finish,
        .end_all = end_all,
};
