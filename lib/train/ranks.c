/* SPDX-License-Identifier: MIT */
/* ranks.c - joining the other ranks of a run, and messages to and from them. */
#include "train/ranks.h"

#include <dlfcn.h>
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/installed.h"
#include "base/installed_paths.h"
#include "train/rank_engine.h"

enum {
        BLOCK = 1 << 18, /* bytes that are passed on at once */
        SPINS = 2000,    /* tests before a wait begins to sleep */
        PATIENCE = 10,   /* times as long as it worked itself, a rank waits for another */
        MOST_TEXT = 1000,
};

enum tag { TAG_ORDER = 1, TAG_SPREAD, TAG_PART, TAG_END, TAG_FAILURE };

/* Seconds that a step may still take after the signal to stop, or after rank 0 has ended the work:
 * then it is dropped. mpirun kills all processes a second after it has passed on SIGTERM. */
static const double grace = 0.3;

/* What another rank reports to rank 0. */
struct failure {
        int32_t rank, fault; /* an enum pxr_fault; 0: it has lost another rank */
        char text[MOST_TEXT];
};

/* A message on its way to or from another rank. */
struct message {
        struct pxr_rank_request request;
        int other;
};

struct messages {
        struct message *at;
        size_t count, room;
};

struct pxr_ranks_memory {
        const struct pxr_rank_engine *engine;
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        const volatile sig_atomic_t *stop;
        double timeout;
        double stop_seen; /* when waiting had to end: of pxr_now(); 0: not yet */
        struct messages sent, expected;
        double worked;                       /* seconds before the last message that was received */
        struct pxr_rank_request end, failed; /* always expected: of rank 0; of the others */
        char end_byte;
        struct failure failure, own;
        bool failure_taken;
        int over;        /* what ended the work here, which all later calls return: stopped or -1 */
        bool ordered;    /* another rank has had an order */
        bool given_up;   /* rank 0 has not ended the work in time */
        bool unfinished; /* messages were dropped: MPI cannot be left in order */
        const char **host;
        char *echo; /* of pxr_ranks_ping(): kept, for a message may be on its way at the end */
        size_t echo_size;
};

/* --- waiting -----------------------------------------------------------------------------------
 */

const char *pxr_rank_name(struct pxr_arena *arena, const struct pxr_ranks *ranks, int rank)
{
        const char *host = ranks->memory->host[rank];

        return host ? pxr_strf(arena, "rank %d on host %s", rank, host)
                    : pxr_strf(arena, "rank %d", rank);
}

void pxr_rank_set_host(struct pxr_ranks *ranks, int rank, const char *host)
{
        ranks->memory->host[rank] = host;
}

/* Work on hand is dropped. */
static int drop(struct pxr_ranks *ranks)
{
        ranks->memory->unfinished = true;
        return ranks->memory->over = PXR_RANKS_STOPPED;
}

/* A rank is lost. Other ranks report it to rank 0, and wait to be ended by it. */
static int lose(struct pxr_ranks *ranks, const char *text)
{
        struct pxr_ranks_memory *m = ranks->memory;

        if (!ranks->lost && ranks->rank != 0) {
                struct pxr_rank_request request;

                m->own = (struct failure) { .rank = ranks->rank };
                snprintf(m->own.text, sizeof(m->own.text), "%s", text);
                m->engine->send(0, TAG_FAILURE, &m->own, sizeof(m->own), &request);
        }
        if (!ranks->lost)
                ranks->lost = text;
        return drop(ranks);
}

/* Rank 0: take up what another rank has reported. */
static int take_failure(struct pxr_ranks *ranks)
{
        struct pxr_ranks_memory *m = ranks->memory;
        struct failure *failure = &m->failure;
        const char *name;

        if (failure->rank < 0 || failure->rank >= ranks->size)
                failure->rank = 0;
        failure->text[MOST_TEXT - 1] = '\0';
        if (failure->fault == 0)
                return lose(ranks, pxr_strdup(m->arena, failure->text));
        name = pxr_rank_name(m->arena, ranks, failure->rank);
        m->unfinished = true;
        m->over = failure->fault == PXR_FAULT_USER
                          ? pxr_user_error(m->diag, "%s: %s", name, failure->text)
                          : pxr_system_error(m->diag, "%s: %s", name, failure->text);
        return m->over;
}

/* Whether rank 0 has ended the work. */
static bool has_ended(struct pxr_ranks *ranks)
{
        bool done = false;

        if (!ranks->ended && ranks->memory->engine->test(&ranks->memory->end, &done) == 0 && done)
                ranks->ended = true;
        return ranks->ended;
}

/* Whether waiting must end, and why; 0: not yet. */
static int look_around(struct pxr_ranks *ranks)
{
        struct pxr_ranks_memory *m = ranks->memory;
        bool done = false;

        if (ranks->rank == 0 && !m->failure_taken && m->engine->test(&m->failed, &done) == 0 &&
            done) {
                m->failure_taken = true;
                return take_failure(ranks);
        }
        if (ranks->rank == 0 ? !m->stop || !*m->stop : !has_ended(ranks))
                return 0;
        if (m->stop_seen == 0)
                m->stop_seen = pxr_now();
        return pxr_now() - m->stop_seen > grace ? drop(ranks) : 0;
}

static void rest(int spins)
{
        if (spins < SPINS)
                sched_yield();
        else
                nanosleep(&(struct timespec) { .tv_nsec = 100000 }, NULL);
}

/* Wait for a message from or to a rank, `limit` seconds at most. */
static int wait_for(struct pxr_ranks *ranks, struct pxr_rank_request *request, int other,
                    double limit)
{
        struct pxr_ranks_memory *m = ranks->memory;
        double start = pxr_now(), waited = 0;
        bool done = false;
        int status = m->over;

        for (int spins = 0; !status; spins++) {
                if (m->engine->test(request, &done))
                        status = lose(ranks, pxr_strf(m->arena, "%s: MPI lost the connection",
                                                      pxr_rank_name(m->arena, ranks, other)));
                if (done || status)
                        break;
                if (spins % 64 == 63 || spins > SPINS) {
                        status = look_around(ranks);
                        waited = pxr_now() - start;
                        if (!status && waited > limit)
                                status = lose(
                                        ranks,
                                        pxr_strf(m->arena, "%s has not answered for %.3g seconds",
                                                 pxr_rank_name(m->arena, ranks, other), waited));
                        spins = spins > SPINS ? SPINS : spins;
                }
                rest(spins);
        }
        ranks->waited += pxr_now() - start;
        return status;
}

/* A rank whose answer depends on that of others must be the last to lose patience, so that the one
 * that hangs is named: those that wait for it report it first. */
static double limit_of(const struct pxr_ranks *ranks)
{
        const struct pxr_ranks_memory *m = ranks->memory;

        if (ranks->rank != 0 && m->worked == 0) /* it cannot tell how long others work */
                return PATIENCE * m->timeout;
        return fmax(m->timeout * (ranks->rank == 0 ? 1 : 0.8), PATIENCE * m->worked);
}

/* --- sending and receiving ---------------------------------------------------------------------
 */

/* Make room for one more message. Returns 0, or what is to be returned instead of sending it. */
static int reserve(struct pxr_ranks *ranks, struct messages *messages)
{
        struct pxr_ranks_memory *m = ranks->memory;
        size_t room = 2 * messages->room + 64;
        struct message *more;

        if (m->over || messages->count < messages->room)
                return m->over;
        more = realloc(messages->at, room * sizeof(*more));
        if (!more)
                return pxr_out_of_memory(m->diag);
        messages->at = more;
        messages->room = room;
        return 0;
}

static int send(struct pxr_ranks *ranks, int to, enum tag tag, const void *bytes, size_t size)
{
        struct pxr_ranks_memory *m = ranks->memory;
        int status = reserve(ranks, &m->sent);
        struct message *message = m->sent.at + m->sent.count;

        if (status)
                return status;
        message->other = to;
        if (m->engine->send(to, tag, bytes, size, &message->request))
                return lose(ranks, pxr_strf(m->arena, "%s: MPI cannot send to it",
                                            pxr_rank_name(m->arena, ranks, to)));
        m->sent.count++;
        ranks->sent += (double)size;
        return 0;
}

/* Begin to receive. */
static int expect(struct pxr_ranks *ranks, int from, enum tag tag, void *bytes, size_t size)
{
        struct pxr_ranks_memory *m = ranks->memory;
        int status = reserve(ranks, &m->expected);
        struct message *message = m->expected.at + m->expected.count;

        if (status)
                return status;
        message->other = from;
        if (m->engine->receive(from, tag, bytes, size, &message->request))
                return lose(ranks, pxr_strf(m->arena, "%s: MPI cannot receive from it",
                                            pxr_rank_name(m->arena, ranks, from)));
        m->expected.count++;
        return 0;
}

static int wait_for_all(struct pxr_ranks *ranks, struct messages *messages)
{
        int status = 0;

        for (size_t i = 0; i < messages->count && !status; i++)
                status = wait_for(ranks, &messages->at[i].request, messages->at[i].other,
                                  limit_of(ranks));
        messages->count = 0;
        return status;
}

int pxr_ranks_send(struct pxr_ranks *ranks, int to, const void *bytes, size_t size)
{
        return send(ranks, to, TAG_PART, bytes, size);
}

int pxr_ranks_settle(struct pxr_ranks *ranks)
{
        return wait_for_all(ranks, &ranks->memory->sent);
}

int pxr_ranks_expect(struct pxr_ranks *ranks, int from, void *bytes, size_t size)
{
        return expect(ranks, from, TAG_PART, bytes, size);
}

int pxr_ranks_collect(struct pxr_ranks *ranks, double worked)
{
        ranks->memory->worked = worked;
        return wait_for_all(ranks, &ranks->memory->expected);
}

/* To MPI, a test of any message that has not arrived is the occasion to move all others on. */
void pxr_ranks_progress(struct pxr_ranks *ranks)
{
        struct pxr_ranks_memory *m = ranks->memory;
        bool done;

        if (omp_get_thread_num() == 0 && !m->over)
                m->engine->test(ranks->rank == 0 ? &m->failed : &m->end, &done);
}

static int receive(struct pxr_ranks *ranks, int from, enum tag tag, void *bytes, size_t size,
                   double limit)
{
        struct pxr_ranks_memory *m = ranks->memory;
        struct pxr_rank_request request;

        if (m->over)
                return m->over;
        if (m->engine->receive(from, tag, bytes, size, &request))
                return lose(ranks, pxr_strf(m->arena, "%s: MPI cannot receive from it",
                                            pxr_rank_name(m->arena, ranks, from)));
        return wait_for(ranks, &request, from, limit);
}

int pxr_ranks_receive(struct pxr_ranks *ranks, int from, void *bytes, size_t size, double worked,
                      bool patient)
{
        ranks->memory->worked = worked;
        return receive(ranks, from, TAG_PART, bytes, size,
                       patient ? PATIENCE * ranks->memory->timeout : limit_of(ranks));
}

/* The ranks form a binary tree: each passes on what it receives to two others. */
static int pass_on(struct pxr_ranks *ranks, enum tag tag, const void *bytes, size_t size)
{
        int status = 0;

        for (int child = 2 * ranks->rank + 1; child <= 2 * ranks->rank + 2; child++)
                if (!status && child < ranks->size)
                        status = send(ranks, child, tag, bytes, size);
        return status;
}

static int parent_of(const struct pxr_ranks *ranks)
{
        return (ranks->rank - 1) / 2;
}

static size_t block_at(size_t at, size_t size)
{
        return size - at < BLOCK ? size - at : BLOCK;
}

/* All blocks are expected at once: a sender need not wait until the one before is passed on. */
int pxr_ranks_spread(struct pxr_ranks *ranks, void *bytes, size_t size)
{
        struct messages *expected = &ranks->memory->expected;
        int parent = parent_of(ranks), status = 0;

        for (size_t at = 0; ranks->rank != 0 && at < size && !status; at += BLOCK)
                status = expect(ranks, parent, TAG_SPREAD, (char *)bytes + at, block_at(at, size));
        for (size_t at = 0; at < size && !status; at += BLOCK) {
                if (ranks->rank != 0)
                        status = wait_for(ranks, &expected->at[at / BLOCK].request, parent,
                                          PATIENCE * ranks->memory->timeout);
                if (!status)
                        status = pass_on(ranks, TAG_SPREAD, (char *)bytes + at, block_at(at, size));
        }
        expected->count = 0;
        return !status && ranks->rank != 0 ? pxr_ranks_settle(ranks) : status;
}

int pxr_ranks_order(struct pxr_ranks *ranks, const struct pxr_rank_order *order)
{
        struct pxr_rank_order copy = *order;
        int status = pass_on(ranks, TAG_ORDER, &copy, sizeof(copy));

        return status ? status : pxr_ranks_settle(ranks);
}

int pxr_ranks_publish(struct pxr_ranks *ranks, enum pxr_rank_task task, const float *parameters,
                      size_t count)
{
        int status = pxr_ranks_order(ranks, &(struct pxr_rank_order) { .task = task });

        if (!status)
                status = pxr_ranks_spread(ranks, (float *)parameters, count * sizeof(float));
        return status ? status : pxr_ranks_settle(ranks);
}

/* Once rank 0 has ended the work, no order comes any more, and nothing is left undone. */
int pxr_ranks_await(struct pxr_ranks *ranks, bool patient, struct pxr_rank_order *order)
{
        struct pxr_ranks_memory *m = ranks->memory;
        double limit = patient ? INFINITY : PATIENCE * m->timeout, start = pxr_now();
        struct pxr_rank_request request;
        bool done = false;
        int status = 0;

        if (m->engine->receive(parent_of(ranks), TAG_ORDER, order, sizeof(*order), &request))
                return lose(ranks, "MPI cannot receive orders");
        for (int spins = 0; !done && !status; spins += spins < SPINS) {
                if (m->engine->test(&request, &done))
                        status = lose(ranks, "MPI lost the connection");
                else if (!done && has_ended(ranks))
                        status = PXR_RANKS_STOPPED;
                else if (!done && pxr_now() - start > limit)
                        status = lose(ranks, "rank 0 sends no orders");
                else if (!done)
                        rest(spins);
        }
        if (!done)
                m->engine->cancel(&request);
        m->ordered |= done;
        if (!status)
                status = pass_on(ranks, TAG_ORDER, order, sizeof(*order));
        return status ? status : pxr_ranks_settle(ranks);
}

static char *echo_of(struct pxr_ranks *ranks, size_t size, struct pxr_diag *diag)
{
        struct pxr_ranks_memory *m = ranks->memory;
        char *more = size > m->echo_size ? realloc(m->echo, size) : m->echo;

        if (!more) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (size > m->echo_size)
                memset(more, 0, size);
        m->echo_size = size > m->echo_size ? size : m->echo_size;
        return m->echo = more;
}

/* The order passes through other ranks. The time begins when the last one has said that it has it.
 */
static int ping(struct pxr_ranks *ranks, char *bytes, size_t size, double *seconds)
{
        int last = ranks->size - 1, status;
        double start;

        status = pxr_ranks_order(
                ranks, &(struct pxr_rank_order) { .task = PXR_RANK_ECHO, .images = (int64_t)size });
        if (!status)
                status = pxr_ranks_receive(ranks, last, bytes, 1, 0, true);
        start = pxr_now();
        if (!status)
                status = pxr_ranks_send(ranks, last, bytes, size);
        if (!status)
                status = pxr_ranks_settle(ranks); /* the answer comes into the same buffer */
        if (!status)
                status = pxr_ranks_receive(ranks, last, bytes, size, 0, true);
        *seconds = fmin(*seconds, pxr_now() - start);
        return status ? status : pxr_ranks_settle(ranks);
}

int pxr_ranks_ping(struct pxr_ranks *ranks, size_t size, int times, double *seconds,
                   struct pxr_diag *diag)
{
        char *bytes = echo_of(ranks, size, diag);
        int status = bytes ? 0 : -1;

        *seconds = INFINITY;
        for (int i = 0; i < times && !status; i++)
                status = ping(ranks, bytes, size, seconds);
        return status;
}

int pxr_ranks_echo(struct pxr_ranks *ranks, size_t size, struct pxr_diag *diag)
{
        char *bytes;
        int status = 0;

        if (ranks->rank != ranks->size - 1)
                return 0;
        bytes = echo_of(ranks, size, diag);
        if (!bytes)
                return -1;
        status = pxr_ranks_send(ranks, 0, bytes, 1);
        if (!status)
                status = pxr_ranks_settle(ranks);
        if (!status)
                status = pxr_ranks_receive(ranks, 0, bytes, size, 0, true);
        if (!status)
                status = pxr_ranks_send(ranks, 0, bytes, size);
        if (!status)
                status = pxr_ranks_settle(ranks);
        return status;
}

void pxr_ranks_abandon(struct pxr_ranks *ranks)
{
        drop(ranks);
}

bool pxr_ranks_unfinished(const struct pxr_ranks *ranks)
{
        return ranks->memory->unfinished;
}

struct pxr_arena *pxr_ranks_arena(const struct pxr_ranks *ranks)
{
        return ranks->memory->arena;
}

bool pxr_ranks_poll(struct pxr_ranks *ranks)
{
        if (!has_ended(ranks))
                return false;
        drop(ranks);
        return true;
}

void pxr_ranks_fail(struct pxr_ranks *ranks, const struct pxr_diag *diag)
{
        struct pxr_ranks_memory *m = ranks->memory;
        const char *text = pxr_diag_first_error(diag);
        struct pxr_rank_request request;

        m->own = (struct failure) { ranks->rank, pxr_diag_status(diag), "" };
        if (!m->own.fault)
                m->own.fault = PXR_FAULT_SYSTEM;
        snprintf(m->own.text, sizeof(m->own.text), "%s", text ? text : "failed");
        m->engine->send(0, TAG_FAILURE, &m->own, sizeof(m->own), &request);
        m->unfinished = true;
}

/* --- shares ------------------------------------------------------------------------------------
 */

int pxr_ranks_first(const struct pxr_ranks *ranks, int count, int rank)
{
        return (int)(((int64_t)count * rank + ranks->size - 1) / ranks->size);
}

int pxr_ranks_owner(const struct pxr_ranks *ranks, int count, int part)
{
        return (int)((int64_t)part * ranks->size / count);
}

/* --- joining and leaving -----------------------------------------------------------------------
 */

/* Whether a launcher has started this process, as one of *size; 0: it does not say how many.
 * PMIX_RANK alone may be a leftover in the environment; a launcher names the job too. */
static bool is_launched(int *size)
{
        static const char *const sizes[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                             "MV2_COMM_WORLD_SIZE" };

        *size = 0;
        for (size_t i = 0; i < PXR_COUNT(sizes) && *size <= 0; i++) {
                const char *text = getenv(sizes[i]);

                *size = text ? atoi(text) : 0;
        }
        return *size > 1 || (*size == 0 && getenv("PMIX_RANK") && getenv("PMIX_NAMESPACE"));
}

bool pxr_ranks_launched(void)
{
        int size;

        return is_launched(&size);
}

/* End all processes that are left: rank 0 is the first to do so, for its exit status counts. A
 * process that just exits would be an error to mpirun, which would kill rank 0 while it writes. */
static void end_all(struct pxr_ranks *ranks)
{
        double start = pxr_now();

        while (ranks->rank != 0 && pxr_now() - start < 1)
                rest(SPINS);
        fflush(NULL);
        ranks->memory->engine->end_all(ranks->status ? ranks->status : 1);
}

bool pxr_ranks_finish(struct pxr_ranks *ranks, double *seconds)
{
        struct pxr_ranks_memory *m = ranks->memory;
        double limit = m->ordered ? PATIENCE * m->timeout : INFINITY, start = pxr_now();

        *seconds = 0;
        while (!has_ended(ranks) && !m->given_up) {
                rest(SPINS);
                *seconds = pxr_now() - start;
                m->given_up = *seconds > limit;
        }
        return ranks->ended;
}

/* Of rank 0 when its records are closed; of another rank when rank 0 has said so, or is lost. */
static void leave(void *what)
{
        struct pxr_ranks *ranks = what;
        struct pxr_ranks_memory *m = ranks->memory;
        double seconds;

        for (int rank = 1; ranks->rank == 0 && rank < ranks->size; rank++)
                m->engine->send(rank, TAG_END, &m->end_byte, 1, &m->end);
        if (ranks->rank == 0)
                m->engine->cancel(&m->failed);
        else
                pxr_ranks_finish(ranks, &seconds);
        if (m->unfinished || (ranks->rank != 0 && !ranks->ended))
                end_all(ranks);
        else
                m->engine->finish();
        free(m->sent.at);
        free(m->expected.at);
        free(m->echo);
}

static const struct pxr_rank_engine *load(struct pxr_arena *arena, int size, struct pxr_diag *diag)
{
        const char *path = pxr_installed(arena, "lib/pxr_mpi.so", PXR_MODULEDIR "/pxr_mpi.so");
        const struct pxr_rank_engine *engine;
        void *module;

        if (access(path, R_OK) != 0) {
                pxr_user_error(diag,
                               "an MPI launcher has started %s, but pxr was built "
                               "without MPI: install MPI (on Debian: libopenmpi-dev) and "
                               "configure again",
                               size ? pxr_strf(arena, "%d processes", size) : "this process");
                return NULL;
        }
        module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
        engine = module ? dlsym(module, "pxr_rank_engine") : NULL;
        if (!engine) {
                pxr_system_error(diag, "cannot load MPI: %s", dlerror());
        } else if (memcmp(engine->magic, PXR_RANK_ENGINE_MAGIC, sizeof(engine->magic)) != 0 ||
                   engine->version != PXR_RANK_ENGINE_VERSION || engine->size != sizeof(*engine)) {
                pxr_system_error(diag, "%s is of another version of pxr", path);
                engine = NULL;
        }
        return engine;
}

/* Expect what may arrive at any time. */
static int listen(struct pxr_ranks *ranks)
{
        struct pxr_ranks_memory *m = ranks->memory;

        if (ranks->rank == 0)
                return m->engine->receive(PXR_ANY_RANK, TAG_FAILURE, &m->failure,
                                          sizeof(m->failure), &m->failed);
        return m->engine->receive(0, TAG_END, &m->end_byte, 1, &m->end);
}

int pxr_ranks_join(struct pxr_arena *arena, const volatile sig_atomic_t *stop, double timeout,
                   struct pxr_ranks **ranks, struct pxr_diag *diag)
{
        const struct pxr_rank_engine *engine;
        struct pxr_ranks *r;
        int size;

        *ranks = NULL;
        if (!is_launched(&size))
                return 0;
        engine = load(arena, size, diag);
        r = pxr_alloc(arena, sizeof(*r));
        if (!engine || !r || !(r->memory = pxr_alloc(arena, sizeof(*r->memory))))
                return -1;
        if (engine->start(&r->rank, &r->size, &r->here))
                return pxr_system_error(diag, "MPI cannot be started");
        engine->name(r->library, sizeof(r->library));
        if (size && r->size != size) {
                engine->finish();
                return pxr_user_error(diag,
                                      "the launcher has started %d processes, but MPI joins %d: "
                                      "pxr was built with %s; use the mpirun of that MPI",
                                      size, r->size, r->library);
        }
        if (r->size < 2) {
                engine->finish();
                return 0;
        }
        r->memory->host = pxr_alloc_array(arena, r->size, sizeof(*r->memory->host));
        r->memory->engine = engine;
        r->memory->arena = arena;
        r->memory->diag = diag;
        r->memory->stop = stop;
        r->memory->timeout = timeout;
        if (!r->memory->host || pxr_arena_defer(arena, leave, r))
                return -1;
        *ranks = r;
        return listen(r) ? pxr_system_error(diag, "MPI cannot receive messages") : 0;
}
