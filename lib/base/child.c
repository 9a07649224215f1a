/* SPDX-License-Identifier: MIT */
/* child.c - running a task in a child process within limits. */
#include "config.h"

#include "base/child.h"

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
        struct pxr_child_notes notes;
        bool finished; /* work() returned */
        int result;
};

/* What the child does. It ends by _exit(): exit handlers are left to the parent. */
static void be_child(const struct pxr_task *task, struct shared *shared, pid_t parent)
{
        const struct rlimit none = { 0, 0 };
        struct rlimit time = { (rlim_t)task->seconds, (rlim_t)task->seconds + 5 };

        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN); /* let it write to the terminal in the background */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(0);
        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_CPU, &time);
        shared->result = task->work(task->context, &shared->notes);
        fflush(NULL);
        shared->finished = true;
        _exit(0);
}

/* Resident memory of a process in bytes; 0 if unknown. */
static size_t resident_bytes(pid_t process)
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

enum end { ENDED, TIME_LIMIT, MEMORY_LIMIT };

/* Wait until the child has ended or exceeded a limit. `alive` is at its end when the child has
 * ended, but its own children may keep it open. */
static enum end wait_for(const struct pxr_task *task, pid_t child, int alive)
{
        double until = pxr_now() + (double)CLOCK_FACTOR * task->seconds;
        struct pollfd end = { .fd = alive };

        for (;;) {
                siginfo_t info = { 0 };

                poll(&end, 1, LOOK_EVERY);
                if (end.revents & (POLLHUP | POLLERR | POLLNVAL))
                        end.fd = -1; /* the task itself may have closed it */
                if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
                    info.si_pid == child)
                        return ENDED;
                if (resident_bytes(child) > task->memory)
                        return MEMORY_LIMIT;
                if (pxr_now() > until)
                        return TIME_LIMIT;
        }
}

static void describe(const struct pxr_task *task, enum end end, int status,
                     const struct rusage *usage, char *how, size_t size)
{
        bool used_up = usage->ru_utime.tv_sec + usage->ru_stime.tv_sec >= task->seconds;
        int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

        if (end == MEMORY_LIMIT)
                snprintf(how, size, "it used too much memory: more than %zu MB",
                         task->memory >> 20);
        else if (end == TIME_LIMIT)
                snprintf(how, size, "it ran too long: more than %d seconds",
                         CLOCK_FACTOR * task->seconds);
        else if (signal == SIGXCPU || (signal == SIGKILL && used_up))
                snprintf(how, size, "it ran too long: more than %d second%s of processor time",
                         task->seconds, pxr_plural(task->seconds));
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
static pid_t start(const struct pxr_task *task, struct shared *shared, int *alive)
{
        pid_t parent = getpid(), child;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return -1;
        fflush(NULL); /* or both would write what is buffered */
        child = fork();
        if (child == 0) {
                close(ends[0]);
                be_child(task, shared, parent);
        }
        close(ends[1]);
        *alive = ends[0];
        if (child < 0)
                close(ends[0]);
        return child;
}

int pxr_child_run(const struct pxr_task *task, struct pxr_child_notes *notes, char *how,
                  size_t size)
{
        struct shared *shared = share();
        struct rusage usage;
        int alive, status, result;
        enum end end;
        pid_t child;

        if (!shared)
                return PXR_CHILD_FAILED;
        child = start(task, shared, &alive);
        if (child < 0) {
                munmap(shared, sizeof(*shared));
                return PXR_CHILD_FAILED;
        }
        end = wait_for(task, child, alive);
        close(alive);
        kill(-child, SIGKILL); /* and its own children */
        kill(child, SIGKILL);
        while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
                continue;
        *notes = shared->notes;
        notes->doing[sizeof(notes->doing) - 1] = notes->text[sizeof(notes->text) - 1] = '\0';
        result = shared->finished ? shared->result : PXR_CHILD_DIED;
        munmap(shared, sizeof(*shared));
        if (result == PXR_CHILD_DIED)
                describe(task, end, status, &usage, how, size);
        return result;
}
