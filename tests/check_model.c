/* SPDX-License-Identifier: MIT */
/* check_model.c - plugins, stacks, and every built-in layer put to the conformance tests. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/certificate.h"
#include "model/conformance.h"
#include "suite.h"
#include "tensor/workspace.h"

static struct pxr_arena *arena;
static struct pxr_diag *diag;
static struct pxr_plugins *plugins;

static void setup(void)
{
        arena = pxr_arena_new(0);
        diag = pxr_diag_new();
        plugins = pxr_plugins_open(arena, diag);
        ck_assert_ptr_nonnull(plugins);
}

static void teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

static void report(void *context, const struct pxr_check_result *result)
{
        (void)context;
        if (result->problem)
                fprintf(stderr, "# %s on %dx%d, %d colours, %d levels: %s\n", result->test,
                        result->kind.rows, result->kind.cols, result->kind.colours,
                        result->kind.levels, result->problem);
}

START_TEST(every_built_in_layer_conforms)
{
        int count = 0;

        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                int status;

                ck_assert_msg(!file->problem, "%s: %s", file->path, file->problem);
                status = pxr_check_layer(plugins, file, report, NULL, diag);
                ck_assert_msg(status == 0, "%s: %s", file->layer->name,
                              status < 0 ? pxr_diag_text(diag, 0) : "a test failed");
                count++;
        }
        ck_assert_int_ge(count, 6);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("model");
        TCase *tcase = tcase_create("conformance");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, every_built_in_layer_conforms);
        tcase_set_timeout(tcase, 120);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
