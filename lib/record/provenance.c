/* SPDX-License-Identifier: MIT */
/*
 * provenance.c - asking the system, the libraries and git.
 */
#include "record/provenance.h"

#include <jansson.h>
#include <nettle/version.h>
#include <png.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <yaml.h>
#include <zlib.h>

#include <pxr/version.h>

#include "base/processor.h"
#include "base/program.h"
#include "record/revision.h" /* made by the Makefile */
#include "record/texts.h"    /* also */

enum { DIFFERENCE_LIMIT = 1 << 20 };

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* Part of OpenBLAS; other BLAS libraries lack it. */
char *openblas_get_config(void) __attribute__((weak));

/* What a command prints, without the last newline; NULL when it fails or is not there. */
static const char *output_of(struct pxr_arena *arena, const char *const *command)
{
        struct pxr_answer answer;

        if (pxr_program_ask(arena, command, "", DIFFERENCE_LIMIT, &answer, NULL) || answer.status)
                return NULL;
        return answer.cut ? pxr_strf(arena, "%s\n[cut here]", answer.output) : answer.output;
}

static void ask_git(struct pxr_arena *arena, const char *folder, struct pxr_run *p)
{
        /* A repository may have pipes in place of files, or files without end. */
        const char *revision[] = {
                "timeout", "30", "git", "-C", folder, "rev-parse", "HEAD", NULL
        };
        const char *difference[] = { "timeout", "30",   "sh", "-c", DIFFERENCE_SH,
                                     "sh",      folder, NULL, NULL };

        p->git_revision = output_of(arena, revision);
        difference[7] = p->git_revision;
        if (p->git_revision)
                p->git_difference = output_of(arena, difference);
}

/* The value behind "model name : " in /proc/cpuinfo. */
static const char *processor_model(struct pxr_arena *arena)
{
        FILE *file = fopen("/proc/cpuinfo", "r");
        const char *model = NULL;
        char line[512];

        while (file && !model && fgets(line, sizeof(line), file)) {
                char *colon = strchr(line, ':');

                if (strncmp(line, "model name", 10) != 0 || !colon)
                        continue;
                line[strcspn(line, "\n")] = '\0';
                model = pxr_strdup(arena, colon + 1 + (colon[1] == ' '));
        }
        if (file)
                fclose(file);
        return model;
}

static const char *instruction_set(struct pxr_arena *arena)
{
#if defined(__x86_64__)
        int level = pxr_x86_level();

        (void)arena;
        return level == 4 ? "x86-64-v4" : level == 3 ? "x86-64-v3" : "x86-64";
#else
        struct utsname name;

        return uname(&name) == 0 ? pxr_strdup(arena, name.machine) : NULL;
#endif
}

/* The first line of a file, "" if there is none. */
static void read_line(const char *path, char *line, int size)
{
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, size, file))
                line[0] = '\0';
        line[strcspn(line, "\n")] = '\0';
        if (file)
                fclose(file);
}

/* Boot and start time of a process, which tell it from others of the same number. NULL if it has
 * ended, even if its parent has not asked for its status yet. */
static const char *process_start(struct pxr_arena *arena, int64_t id)
{
        char path[64], stat[1024], boot[64], *at;

        snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)id);
        read_line(path, stat, sizeof(stat));
        read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
        /* The start time is the 20th field after the name, which is in parentheses. */
        at = strrchr(stat, ')');
        if (at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0))
                return NULL;
        for (int i = 0; at && i < 20; i++)
                at = strchr(at + 1, ' ');
        if (!at)
                return NULL;
        at[1 + strcspn(at + 1, " ")] = '\0';
        return pxr_strf(arena, "%s %s", boot, at + 1);
}

struct pxr_run *pxr_provenance(struct pxr_arena *arena, const char *folder)
{
        struct pxr_run *p = pxr_alloc(arena, sizeof(*p));
        struct utsname system;
        int major, minor, patch;

        if (!p)
                return NULL;
        p->program_version = PXR_VERSION;
#ifdef PXR_REVISION
        p->program_revision = PXR_REVISION;
#endif
        if (folder)
                ask_git(arena, folder, p);
        if (uname(&system) == 0)
                p->host = pxr_strdup(arena, system.nodename);
        p->processor = processor_model(arena);
        p->instruction_set = instruction_set(arena);
        yaml_get_version(&major, &minor, &patch);
        p->libraries = pxr_strf(arena,
                                "%s; SQLite %s; zlib %s; libpng %s; jansson %s; libyaml %d.%d.%d; "
                                "nettle %d.%d; compiler " COMPILER,
                                openblas_get_config ? openblas_get_config() : "CBLAS",
                                sqlite3_libversion(), zlibVersion(), png_get_libpng_ver(NULL),
                                jansson_version_str(), major, minor, patch, NETTLE_VERSION_MAJOR,
                                NETTLE_VERSION_MINOR);
        p->process_id = getpid();
        p->process_start = process_start(arena, p->process_id);
        return p;
}

bool pxr_process_host(const char *host)
{
        struct utsname system;

        return uname(&system) == 0 && strcmp(system.nodename, host) == 0;
}

bool pxr_process_lives(const char *host, int64_t id, const char *start)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        const char *now;
        bool lives = false;

        if (arena && host && start && pxr_process_host(host)) {
                now = process_start(arena, id);
                lives = now && strcmp(now, start) == 0;
        }
        pxr_arena_free(arena);
        return lives;
}
