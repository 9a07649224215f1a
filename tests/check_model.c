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
        diag = pxr_diag_new();
        arena = pxr_arena_new(0, diag);
        plugins = pxr_plugins_open(arena, diag);
        ck_assert_ptr_nonnull(plugins);
}

static void teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

/* How often a layer was tested, and how often it was not built, by colours. */
struct tally {
        int tested[4], not_built[4];
};

static void report(void *context, const struct pxr_check_result *result)
{
        struct tally *tally = context;
        const char *why = result->problem ? result->problem : result->skipped;

        if (result->begins)
                return;
        if (strcmp(result->test, PXR_CHECK_BUILD) == 0)
                tally->not_built[result->kind.colours]++;
        else if (!result->skipped)
                tally->tested[result->kind.colours]++;
        if (why)
                fprintf(stderr, "# %s on %dx%d, %d colours, %d levels: %s\n", result->test,
                        result->kind.rows, result->kind.cols, result->kind.colours,
                        result->kind.levels, why);
}

/* Images that a layer may refuse: others than squares, and more than two levels. */
static int refusals_of(const char *name, int colours)
{
        if (strcmp(name, "multi_scale") == 0)
                return 1;
        return strcmp(name, "sigmoid") == 0 && colours == 3;
}

/* In one colour and in three, and on every kind of image that it can be for. */
static void expect_tested(const char *name, const struct tally *tally)
{
        for (int colours = 1; colours <= 3; colours += 2) {
                ck_assert_msg(tally->tested[colours] > 0, "%s was not tested in %d colours", name,
                              colours);
                ck_assert_msg(tally->not_built[colours] == refusals_of(name, colours),
                              "%s was not built on %d kinds of image of %d colours", name,
                              tally->not_built[colours], colours);
        }
}

START_TEST(every_built_in_layer_conforms)
{
        int count = 0;

        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                struct tally tally = { 0 };
                int status;

                ck_assert_msg(!file->problem, "%s: %s", file->path, file->problem);
                status = pxr_check_layer(plugins, file, report, &tally, diag);
                ck_assert_msg(status == 0, "%s: %s", file->layer->name,
                              status < 0 ? pxr_diag_text(diag, 0) : "a test failed");
                expect_tested(file->layer->name, &tally);
                count++;
        }
        ck_assert_int_ge(count, 6);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("model");
        TCase *tcase = add_case(suite, "conformance");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, every_built_in_layer_conforms);
        return run_suite(suite);
}
