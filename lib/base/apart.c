/* SPDX-License-Identifier: MIT */
/*
 * apart.c - a child process that is watched.
 */
#include "config.h"

#include "base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"

enum { LOOK_EVERY = 20, CLOCK_FACTOR = 10 }; /* milliseconds; of `seconds` */

struct shared {
        struct pxr_apart_notes notes;
        bool finished; /* work() came back */
        int result;
};

/* The child's part. Leaves by _exit(): what the program does at its end is the parent's to do. */
static void be_child(const struct pxr_apart *apart, struct shared *shared, pid_t parent)
{
        const struct rlimit none = { 0, 0 };
        struct rlimit time = { (rlim_t)apart->seconds, (rlim_t)apart->seconds + 5 };

        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN); /* it may write to the terminal all the same */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(0);
        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_CPU, &time);
        shared->result = apart->work(apart->context, &shared->notes);
        fflush(NULL);
        shared->finished = true;
        _exit(0);
}

/* Bytes of memory that a process has in use; 0 where that cannot be told. */
static size_t bytes_in_use(pid_t process)
{
        unsigned long pages = 0;
        char path[64];
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%ld/statm", (long)process);
        file = fopen(path, "re");
        if (!file)
                return 0;
        if (fscanf(file, "%*s %lu", &pages) != 1)
                pages = 0;
        fclose(file);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

enum end { ENDED, TOO_LONG, TOO_MUCH };

/* Wait until the child has ended, or has gone beyond what it may have. `alive` is at its end when
 * the child has ended, but may be kept open by children of its own. */
static enum end watch(const struct pxr_apart *apart, pid_t child, int alive)
{
        double until = pxr_now() + (double)CLOCK_FACTOR * apart->seconds;
        struct pollfd end = { .fd = alive };

        for (;;) {
                siginfo_t info = { 0 };

                poll(&end, 1, LOOK_EVERY);
                if (end.revents & (POLLHUP | POLLERR | POLLNVAL))
                        end.fd = -1; /* closed by the work itself, perhaps */
                if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
                    info.si_pid == child)
                        return ENDED;
                if (bytes_in_use(child) > apart->memory)
                        return TOO_MUCH;
                if (pxr_now() > until)
                        return TOO_LONG;
        }
}

static void tell(const struct pxr_apart *apart, enum end end, int status,
                 const struct rusage *usage, char *how, size_t size)
{
        bool used_up = usage->ru_utime.tv_sec + usage->ru_stime.tv_sec >= apart->seconds;
        int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

        if (end == TOO_MUCH)
                snprintf(how, size, "it asked for too much memory: more than %zu MB",
                         apart->memory >> 20);
        else if (end == TOO_LONG)
                snprintf(how, size, "it ran too long: more than %d seconds",
                         CLOCK_FACTOR * apart->seconds);
        else if (signal == SIGXCPU || (signal == SIGKILL && used_up))
                snprintf(how, size, "it ran too long: more than %d second%s of processor time",
                         apart->seconds, pxr_plural(apart->seconds));
        else if (signal)
                snprintf(how, size, "it was killed by signal %d (%s)", signal, strsignal(signal));
        else
                snprintf(how, size, "it ended the program, with exit status %d",
                         WEXITSTATUS(status));
}

static struct shared *share(void)
{
        void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        return memory == MAP_FAILED ? NULL : memory;
}

/* Start the child, whose end closes *alive. */
static pid_t start(const struct pxr_apart *apart, struct shared *shared, int *alive)
{
        pid_t parent = getpid(), child;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return -1;
        fflush(NULL); /* or both would write it */
        child = fork();
        if (child == 0) {
                close(ends[0]);
                be_child(apart, shared, parent);
        }
        close(ends[1]);
        *alive = ends[0];
        if (child < 0)
                close(ends[0]);
        return child;
}

int pxr_apart(const struct pxr_apart *apart, struct pxr_apart_notes *notes, char *how, size_t size)
{
        struct shared *shared = share();
        struct rusage usage;
        int alive, status, result;
        enum end end;
        pid_t child;

        if (!shared)
                return PXR_APART_FAILED;
        child = start(apart, shared, &alive);
        if (child < 0) {
                munmap(shared, sizeof(*shared));
                return PXR_APART_FAILED;
        }
        end = watch(apart, child, alive);
        close(alive);
        kill(-child, SIGKILL); /* with what it has started */
        kill(child, SIGKILL);
        while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
                continue;
        *notes = shared->notes;
        notes->doing[sizeof(notes->doing) - 1] = notes->text[sizeof(notes->text) - 1] = '\0';
        result = shared->finished ? shared->result : PXR_APART_DIED;
        munmap(shared, sizeof(*shared));
        if (result == PXR_APART_DIED)
                tell(apart, end, status, &usage, how, size);
        return result;
}
