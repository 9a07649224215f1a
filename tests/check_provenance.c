/* SPDX-License-Identifier: MIT */
/* check_provenance.c - program, machine and git state of a run, and whether its process exists. */
#define _GNU_SOURCE /* nftw() */
#include <signal.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "scratch.h"
#include "record/provenance.h"

extern char **environ;

static struct pxr_run *gathered(const char *folder)
{
        struct pxr_run *p = pxr_provenance(arena, folder);

        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
        return p;
}

/* Run a script in the folder; its exit status. */
static int shell(const char *script)
{
        char *command[] = { "sh", "-euc", (char *)script, "sh", scratch, NULL };
        pid_t child;
        int status;

        ck_assert_int_eq(posix_spawnp(&child, "sh", NULL, NULL, command, environ), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        return status;
}

/* Run git in the folder, without the user's settings; its exit status. */
static int git(const char *first, ...)
{
        char *command[16] = {
                "git",        "-C", scratch, "-c", "user.name=a", "-c", "user.email=a@example.org",
                (char *)first
        };
        va_list arguments;
        pid_t child;
        int status;

        va_start(arguments, first);
        for (int i = 8; (command[i] = va_arg(arguments, char *)); i++)
                continue;
        va_end(arguments);
        if (posix_spawnp(&child, "git", NULL, NULL, command, environ))
                return -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        return status;
}

/* The folder as a repository of one commit; false where there is no git. */
static bool make_repository(void)
{
        setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
        setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
        write_file(in_scratch("a.yaml"), "one\n", 4);
        if (git("init", "-q", NULL) != 0) {
                printf("# no git here: not tested\n");
                return false;
        }
        ck_assert_int_eq(git("add", "a.yaml", NULL), 0);
        ck_assert_int_eq(git("commit", "-q", "-m", "one", NULL), 0);
        return true;
}

START_TEST(machine_and_libraries_are_named)
{
        struct pxr_run *p = gathered(scratch);
        struct utsname system;

        ck_assert_int_eq(uname(&system), 0);
        ck_assert_str_eq(p->host, system.nodename);
        ck_assert_ptr_nonnull(p->instruction_set);
        ck_assert_ptr_nonnull(strstr(p->libraries, "SQLite 3."));
        ck_assert_ptr_nonnull(strstr(p->libraries, "zlib 1."));
        ck_assert_int_eq(p->process_id, getpid());
        ck_assert_ptr_nonnull(p->program_version);
}
END_TEST

START_TEST(the_program_names_the_revision_it_was_built_from)
{
        const char *source = getenv("srcdir");
        char path[4096];

        if (!source)
                return;
        snprintf(path, sizeof(path), "%s/.git", source);
        struct pxr_run *p = gathered(source);
        if (access(path, F_OK) == 0 && p->git_revision) {
                ck_assert_ptr_nonnull(p->program_revision);
                ck_assert_int_eq(strncmp(p->program_revision, p->git_revision, 40), 0);
        } else {
                ck_assert_ptr_null(p->program_revision);
        }
}
END_TEST

START_TEST(a_folder_outside_of_git_has_no_revision)
{
        char *parent = pxr_strf(arena, "%.*s", (int)(strrchr(scratch, '/') - scratch), scratch);

        setenv("GIT_CEILING_DIRECTORIES", parent, 1);
        ck_assert_ptr_null(gathered(scratch)->git_revision);
        ck_assert_ptr_null(gathered(scratch)->git_difference);
        ck_assert_ptr_null(gathered(in_scratch("absent"))->git_revision);
}
END_TEST

START_TEST(a_missing_git_is_not_an_error)
{
        setenv("PATH", scratch, 1);
        ck_assert_ptr_null(gathered(scratch)->git_revision);
}
END_TEST

START_TEST(revision_and_difference_are_recorded)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        p = gathered(scratch);
        ck_assert_uint_eq(strlen(p->git_revision), 40);
        ck_assert_str_eq(p->git_difference, "");
        ck_assert_int_eq(git("config", "color.ui", "always", NULL), 0);
        ck_assert_int_eq(git("config", "diff.external", "false", NULL), 0);
        write_file(in_scratch("a.yaml"), "two\n", 4);
        p = gathered(scratch);
        ck_assert_msg(strstr(p->git_difference, "\n-one\n+two") != NULL, "%s", p->git_difference);
}
END_TEST

START_TEST(untracked_files_are_named)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(shell("cd $1; echo '*.o' >>.git/info/exclude; touch a.o b.yaml; mkdir new;"
                               "touch new/file; rm -f a.yaml"),
                         0);
        p = gathered(scratch);
        ck_assert_msg(strncmp(p->git_difference, "?? b.yaml\n?? new/\ndiff --git ", 29) == 0, "%s",
                      p->git_difference);
}
END_TEST

/* git knows the time of a change to the second, and when it last looked by the time of its index.
 */
START_TEST(a_change_in_the_second_of_a_commit_is_detected)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(
                shell("cd $1; sleep $(date +%N | awk '{ print 1.01 - $1 / 1e9 }')\n"
                      "echo two >a.yaml; git -c user.name=a -c user.email=a@b commit -q -a -m two\n"
                      "echo six >a.yaml; sleep 1.1"),
                0);
        p = gathered(scratch);
        ck_assert_msg(strstr(p->git_difference, "\n-two\n+six") != NULL, "%s", p->git_difference);
}
END_TEST

/* Whatever a repository can name for git to run; each would leave a file ran-WHAT. */
static const char plant[] =
        "cd $1; seen=$1/.git; script() {\n"
        "        printf '#!/bin/sh\\ntouch %s/ran-%s\\ncat\\n' $seen $1 >.git/$1\n"
        "        chmod +x .git/$1; }\n"
        "for what in fsmonitor clean process external textconv command ssh pager alias hook inner\n"
        "        do script $what; done\n"
        "mkdir sub .git/hooked; cp .git/hook .git/hooked/post-index-change\n"
        "cp .git/hook .git/hooked/reference-transaction\n"
        "git init -q sub; touch sub/file; git -C sub add file\n"
        "git -C sub -c user.name=a -c user.email=a@b commit -q -m sub\n"
        "git add sub 2>/dev/null\n"
        "echo 'a.yaml filter=x diff=x' >.gitattributes\n"
        "echo 'sub filter=y=z' >.git/info/attributes\n"
        "conf() { git config \"$@\"; }\n"
        "conf filter.x.process $seen/process; conf filter.x.clean $seen/clean\n"
        "conf filter.x.required true; conf filter.y=z.clean $seen/clean\n"
        "conf diff.external $seen/external; conf diff.x.command $seen/command\n"
        "conf diff.x.textconv $seen/textconv; conf diff.submodule diff; conf core.pager "
        "$seen/pager\n"
        "conf diff.ignoreSubmodules none; conf core.sshCommand $seen/ssh; conf pager.diff true\n"
        "conf alias.diff !$seen/alias; conf alias.ls-files !$seen/alias\n"
        "conf alias.rev-parse !$seen/alias; conf alias.config !$seen/alias\n"
        "echo changed >sub/file; git -C sub config core.fsmonitor $seen/inner\n"
        "git -C sub config filter.x.clean $seen/inner; echo '* filter=x' >sub/.gitattributes\n"
        "conf core.hooksPath $seen/hooked; conf core.fsmonitor $seen/fsmonitor\n"
        "rm -f .git/ran-*";

static const char nothing_ran[] = "! ls $1/.git/ran-* 2>/dev/null";

START_TEST(programs_that_a_repository_configures_are_not_run)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(shell(plant), 0);
        write_file(in_scratch("a.yaml"), "two, and longer\n", 16);
        p = gathered(scratch);
        ck_assert_int_eq(shell(nothing_ran), 0);
        ck_assert_ptr_nonnull(p->git_difference);
        ck_assert_msg(strstr(p->git_difference, "?? .gitattributes\n") != NULL &&
                              strstr(p->git_difference, "\n-one\n+two, and longer") != NULL,
                      "%s", p->git_difference);
}
END_TEST

/* git would fetch it, by a program that the repository names. */
START_TEST(a_missing_object_is_not_fetched)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(shell(plant), 0);
        ck_assert_int_eq(shell("cd $1; git config core.repositoryformatversion 1\n"
                               "git config extensions.partialClone origin\n"
                               "git config remote.origin.promisor true\n"
                               "git config remote.origin.url $1/sub\n"
                               "git config remote.origin.uploadpack $1/.git/command\n"
                               "blob=$(git rev-parse HEAD:a.yaml)\n"
                               "rm -f .git/objects/*/$(echo $blob | cut -c3-); rm -f .git/ran-*\n"
                               "echo two >a.yaml"),
                         0);
        p = gathered(scratch);
        ck_assert_int_eq(shell(nothing_ran), 0);
        ck_assert_ptr_nonnull(p->git_revision);
        ck_assert_msg(p->git_difference == NULL, "%s", p->git_difference);
}
END_TEST

/* Else a repository could have a file of the user's stand in the record. */
START_TEST(files_outside_of_the_repository_are_not_recorded)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(shell("cd $1; mkdir inner; mv .git inner; echo secret >a.yaml\n"
                               "git -C inner config core.worktree $1"),
                         0);
        p = gathered(in_scratch("inner"));
        ck_assert_ptr_null(p->git_difference);
}
END_TEST

START_TEST(a_linked_worktree_is_recorded)
{
        struct pxr_run *p;

        if (!make_repository())
                return;
        ck_assert_int_eq(git("worktree", "add", "-q", in_scratch("linked"), NULL), 0);
        write_file(in_scratch("linked/a.yaml"), "two\n", 4);
        p = gathered(in_scratch("linked"));
        ck_assert_ptr_nonnull(p->git_difference);
        ck_assert_msg(strstr(p->git_difference, "\n-one\n+two") != NULL, "%s", p->git_difference);
}
END_TEST

START_TEST(a_large_difference_is_truncated)
{
        static char text[3 << 20];
        struct pxr_run *p;

        if (!make_repository())
                return;
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = i % 80 ? 'x' : '\n';
        write_file(in_scratch("a.yaml"), text, sizeof(text));
        p = gathered(scratch);
        ck_assert_uint_lt(strlen(p->git_difference), (1 << 20) + 100);
        ck_assert_uint_gt(strlen(p->git_difference), 1 << 20);
        ck_assert_ptr_nonnull(strstr(p->git_difference, "\n[cut here]"));
}
END_TEST

START_TEST(this_process_is_found_alive)
{
        struct pxr_run *p = gathered(scratch);

        ck_assert_ptr_nonnull(p->process_start);
        ck_assert(pxr_process_lives(p->host, p->process_id, p->process_start));
        ck_assert(!pxr_process_lives("elsewhere", p->process_id, p->process_start));
        ck_assert(!pxr_process_lives(p->host, p->process_id, "another start"));
        ck_assert(!pxr_process_lives(p->host, 1, p->process_start));
        ck_assert(!pxr_process_lives(NULL, p->process_id, p->process_start));
        ck_assert(!pxr_process_lives(p->host, p->process_id, NULL));
}
END_TEST

/* Killed, it is gone at once, although its parent has not asked for its status. */
START_TEST(a_killed_process_is_not_found_alive)
{
        struct pxr_run *p;
        char start[256] = "";
        int ends[2];
        siginfo_t info;
        pid_t child;

        ck_assert_int_eq(pipe(ends), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                alarm(60); /* if the test fails */
                p = pxr_provenance(arena, scratch);
                if (!p || write(ends[1], p->process_start, strlen(p->process_start)) < 0)
                        _exit(1);
                for (;;)
                        pause();
        }
        p = gathered(scratch);
        ck_assert_int_gt(read(ends[0], start, sizeof(start) - 1), 0);
        ck_assert(pxr_process_lives(p->host, child, start));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        ck_assert(!pxr_process_lives(p->host, child, start));
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        ck_assert(!pxr_process_lives(p->host, child, start));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("provenance");

        ADD_SCRATCH_TEST(suite, machine_and_libraries_are_named);
        ADD_SCRATCH_TEST(suite, the_program_names_the_revision_it_was_built_from);
        ADD_SCRATCH_TEST(suite, a_folder_outside_of_git_has_no_revision);
        ADD_SCRATCH_TEST(suite, a_missing_git_is_not_an_error);
        ADD_SCRATCH_TEST(suite, revision_and_difference_are_recorded);
        ADD_SCRATCH_TEST(suite, untracked_files_are_named);
        ADD_SCRATCH_TEST(suite, a_change_in_the_second_of_a_commit_is_detected);
        ADD_SCRATCH_TEST(suite, programs_that_a_repository_configures_are_not_run);
        ADD_SCRATCH_TEST(suite, a_missing_object_is_not_fetched);
        ADD_SCRATCH_TEST(suite, files_outside_of_the_repository_are_not_recorded);
        ADD_SCRATCH_TEST(suite, a_linked_worktree_is_recorded);
        ADD_SCRATCH_TEST(suite, a_large_difference_is_truncated);
        ADD_SCRATCH_TEST(suite, this_process_is_found_alive);
        ADD_SCRATCH_TEST(suite, a_killed_process_is_not_found_alive);
        return run_suite(suite);
}
