/* SPDX-License-Identifier: MIT */
/* suite.h - the few lines every Check program of this folder shares. */
#ifndef PXR_TESTS_SUITE_H
#define PXR_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pxr/diag.h>

/* A test that says this, and returns, counts as skipped. */
#define SKIP "# SKIP "

static inline void copy_tap(FILE *from)
{
        char *line = NULL, *why = NULL;
        size_t size = 0;
        ssize_t length;

        while ((length = getline(&line, &size, from)) > 0) {
                bool passed = strncmp(line, "ok ", 3) == 0;
                bool ends = passed || strncmp(line, "not ok ", 7) == 0;

                line[length - 1] = '\0';
                if (strncmp(line, SKIP, strlen(SKIP)) == 0) {
                        free(why);
                        why = strdup(line);
                        continue;
                }
                if (why && passed)
                        printf("%s %s\n", line, why);
                else
                        puts(line);
                fflush(stdout);
                if (ends) {
                        free(why);
                        why = NULL;
                }
        }
        free(why);
        free(line);
}

/* Check has no skipped tests: a process that the output goes through writes TAP's word for them
 * behind the result of a test that said so. Returns the process; what is written ends when stdout
 * is closed. */
static inline pid_t mark_skipped(void)
{
        int ends[2];
        pid_t child;

        if (pipe(ends) != 0 || (child = fork()) < 0)
                abort();
        if (child == 0) {
                close(ends[1]);
                copy_tap(fdopen(ends[0], "r"));
                _exit(0);
        }
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* in the order in which tests and Check write */
        return child;
}

/* Run a suite, reporting each case as a line of TAP. */
static inline int run_suite(Suite *suite)
{
        SRunner *runner = srunner_create(suite);
        pid_t marks = mark_skipped();

        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        srunner_free(runner);
        fclose(stdout);
        waitpid(marks, NULL, 0);
        return EXIT_SUCCESS; /* TAP carries the result */
}

/* A stream into memory, and all that was written to it, in the caller's hands until the next. */
static char *captured_text;
static size_t captured_size;

static inline FILE *capture(void)
{
        FILE *to;

        free(captured_text);
        captured_text = NULL;
        to = open_memstream(&captured_text, &captured_size);
        ck_assert_ptr_nonnull(to);
        return to;
}

static inline char *captured(FILE *to)
{
        ck_assert_int_eq(fclose(to), 0);
        return captured_text;
}

/* What a program of that name prints of the errors so far. */
static inline char *printed_errors(const struct pxr_diag *diag, const char *program)
{
        FILE *to = capture();

        pxr_diag_write(diag, program, to);
        return captured(to);
}

/* A case whose tests may take two minutes each, where Check allows four seconds. */
static inline TCase *add_case(Suite *suite, const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_set_timeout(tcase, 120);
        suite_add_tcase(suite, tcase);
        return tcase;
}

/* Add a case of its own for one test, named like it. */
#define ADD_TEST(suite, test)                           \
        do {                                            \
                TCase *tcase_ = add_case(suite, #test); \
                tcase_add_test(tcase_, test);           \
        } while (0)

#endif
