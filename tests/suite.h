/* SPDX-License-Identifier: MIT */
/* suite.h - the few lines every Check program of this folder shares. */
#ifndef PXR_TESTS_SUITE_H
#define PXR_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Run a suite, reporting each case as a line of TAP. */
static inline int run_suite(Suite *suite)
{
        SRunner *runner = srunner_create(suite);

        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        srunner_free(runner);
        return EXIT_SUCCESS; /* TAP carries the result */
}

/* Add a case of its own for one test, named like it. */
#define ADD_TEST(suite, test)                        \
        do {                                         \
                TCase *tcase_ = tcase_create(#test); \
                tcase_add_test(tcase_, test);        \
                tcase_set_timeout(tcase_, 120);      \
                suite_add_tcase(suite, tcase_);      \
        } while (0)

#endif
