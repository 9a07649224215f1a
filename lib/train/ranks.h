/* SPDX-License-Identifier: MIT */
/*
 * ranks.h - the processes ("ranks") that share one run under an MPI launcher.
 *
 * Rank 0 runs the experiment. The others wait for its orders, compute their share of a training
 * step, an evaluation or samples, and send it back; they decide nothing and write nothing. What
 * they compute is added in the order in which one process would, so the number of ranks does not
 * change a bit.
 *
 * Functions that communicate return 0, PXR_RANKS_STOPPED, or -1 after an error of another rank,
 * recorded in the diag given to pxr_ranks_join(). Stopped: rank 0 was asked to stop, a rank was
 * lost (ranks->lost says which), or, in other ranks, rank 0 has ended the work. What was being
 * computed is then incomplete and must be dropped.
 */
#ifndef PXR_TRAIN_RANKS_H
#define PXR_TRAIN_RANKS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>

enum { PXR_RANKS_STOPPED = 1 };

/* What rank 0 asks the others to do. */
enum pxr_rank_task {
        PXR_RANK_END,        /* leave */
        PXR_RANK_BEGIN,      /* all ranks agree: wait for work */
        PXR_RANK_PARAMETERS, /* receive the trainer's parameters */
        PXR_RANK_STEP,       /* compute gradients of a batch */
        PXR_RANK_EVALUATED,  /* receive the parameters to evaluate or draw with */
        PXR_RANK_EVALUATE,   /* compute NLLs of a round of images */
        PXR_RANK_DRAW,       /* draw images */
        PXR_RANK_ECHO,       /* the last rank: send back a message of `images` bytes */
};

struct pxr_rank_order {
        int64_t task;
        int64_t epoch, first,
                images;           /* of a split, or of the epoch's order; first sample to draw */
        int64_t split, precision; /* evaluation */
        int64_t step;             /* steps done before this one: it keys random numbers */
};

struct pxr_ranks_memory;

struct pxr_ranks {
        int rank, size;
        int here;         /* how many are on this host */
        char library[80]; /* name and version of MPI */
        double waited;    /* seconds this rank has waited for others so far */
        double sent;      /* bytes it has sent so far */
        const char *lost; /* rank 0: which rank was lost, and how; NULL: none */
        bool ended;       /* rank 0 has ended the work */
        int status;       /* with which to end all processes if messages were left unfinished */
        struct pxr_ranks_memory *memory;
};

/* Whether an MPI launcher has started this process, probably with others. */
bool pxr_ranks_launched(void);

/*
 * Join the other processes if this one was started by an MPI launcher with several; else *ranks is
 * NULL and MPI is not loaded. It is an error if MPI joins another number of processes than the
 * launcher has started: they would be runs of their own. `stop`, which a signal handler may set,
 * ends waiting; so does a rank that does not answer for `timeout` seconds. Leaves when the arena is
 * freed, or ends all processes if work was cut short. Returns 0 or -1.
 */
int pxr_ranks_join(struct pxr_arena *arena, const volatile sig_atomic_t *stop, double timeout,
                   struct pxr_ranks **ranks, struct pxr_diag *diag);

/* Whether there are other ranks. NULL: no. */
static inline bool pxr_ranks_several(const struct pxr_ranks *ranks)
{
        return ranks && ranks->size > 1;
}

/* The first of `count` parts that a rank computes; the next rank's first is its end. Rank 0 always
 * has the first part, and whole subtrees of sums where sizes allow. */
int pxr_ranks_first(const struct pxr_ranks *ranks, int count, int rank);

/* The rank that computes a part. */
int pxr_ranks_owner(const struct pxr_ranks *ranks, int count, int part);

/* Rank 0: send an order to all. */
int pxr_ranks_order(struct pxr_ranks *ranks, const struct pxr_rank_order *order);

/* Rank 0: seconds until a message of so many bytes has come back from the last rank, the shortest
 * of `times`. The last rank does its part by pxr_ranks_echo(). */
int pxr_ranks_ping(struct pxr_ranks *ranks, size_t size, int times, double *seconds,
                   struct pxr_diag *diag);
int pxr_ranks_echo(struct pxr_ranks *ranks, size_t size, struct pxr_diag *diag);

/* Other ranks: the next order. Waits without a limit while rank 0 prepares (`patient`), else
 * several times the time-out, for rank 0 also writes checkpoints. */
int pxr_ranks_await(struct pxr_ranks *ranks, bool patient, struct pxr_rank_order *order);

/* Other ranks: whether rank 0 has ended the work, to be asked during long work. */
bool pxr_ranks_poll(struct pxr_ranks *ranks);

/* Other ranks: wait until rank 0 has ended the work. False: it has not, for so many seconds, and
 * all processes are ended when this one leaves. */
bool pxr_ranks_finish(struct pxr_ranks *ranks, double *seconds);

/* Send these bytes of rank 0 to all ranks. In rank 0 they must stay until pxr_ranks_settle(): the
 * next bytes can be prepared meanwhile, with calls of pxr_ranks_progress(). */
int pxr_ranks_spread(struct pxr_ranks *ranks, void *bytes, size_t size);

/* Rank 0: order the task, and send parameters to all. */
int pxr_ranks_publish(struct pxr_ranks *ranks, enum pxr_rank_task task, const float *parameters,
                      size_t count);

/* Begin to send; the bytes must stay until pxr_ranks_settle(). At most 1 GB. */
int pxr_ranks_send(struct pxr_ranks *ranks, int to, const void *bytes, size_t size);

/* Receive what another rank sends to this one. It may take as long as the rank has worked before
 * asking (`worked` seconds) several times, and the time-out at least. `patient`, or `worked` 0 in
 * other ranks than 0: several times the time-out. */
int pxr_ranks_receive(struct pxr_ranks *ranks, int from, void *bytes, size_t size, double worked,
                      bool patient);

/* Begin to receive what another rank sends to this one: large messages come in only where somebody
 * expects them. The bytes belong to MPI until pxr_ranks_collect(). */
int pxr_ranks_expect(struct pxr_ranks *ranks, int from, void *bytes, size_t size);

/* Wait for all that was expected, as long as pxr_ranks_receive() does. */
int pxr_ranks_collect(struct pxr_ranks *ranks, double worked);

/* Let messages move on: MPI moves large ones only while it is called. To be called every few
 * microseconds, by all threads, in work between sending and pxr_ranks_settle(); the first one alone
 * calls MPI. */
void pxr_ranks_progress(struct pxr_ranks *ranks);

/* Wait until all that was sent is out. */
int pxr_ranks_settle(struct pxr_ranks *ranks);

/* Give up work that other ranks are still at: all processes are then ended at the end. */
void pxr_ranks_abandon(struct pxr_ranks *ranks);

/* Whether messages were dropped on their way: MPI may still read and write what they were sent from
 * and expected in, which must not be freed. */
bool pxr_ranks_unfinished(const struct pxr_ranks *ranks);

/* The arena that it was joined with. */
struct pxr_arena *pxr_ranks_arena(const struct pxr_ranks *ranks);

/* Other ranks: report an error to rank 0, which ends the run with it. */
void pxr_ranks_fail(struct pxr_ranks *ranks, const struct pxr_diag *diag);

/* Name a rank and its host in messages; "rank 2" until its host is set. */
const char *pxr_rank_name(struct pxr_arena *arena, const struct pxr_ranks *ranks, int rank);
void pxr_rank_set_host(struct pxr_ranks *ranks, int rank, const char *host);

#endif
