/* SPDX-License-Identifier: MIT */
/* conformance.c - building a layer's check stack and putting it to each test. */
#include "model/conformance.h"

#include <string.h>

#include "model/conformance_tests.h"
#include "config/yaml.h"

/* Square ones too in one colour and in three, for layers that take no others. */
static const struct pxr_image_kind kinds[] = {
        { 5, 4, 1, 2 },
        { 4, 4, 1, 2 },
        { 4, 5, 3, 2 },
        { 4, 4, 3, 5 },
};

enum { CLASSES = 3 }; /* of all of them, for layers that are given the class */

/* Memory comes first: where an op writes or reads what is not its own, the others mean nothing. */
static const struct {
        const char *name;
        pxr_check_test *test;
} tests[] = {
        { "memory", pxr_check_memory },       { "gradients", pxr_check_gradients },
        { "causality", pxr_check_causality }, { "advance", pxr_check_advance },
        { "threads", pxr_check_threads },     { "mixed", pxr_check_mixed },
};

enum { KINDS = PXR_COUNT(kinds), TESTS = PXR_COUNT(tests) };

/* One kind of image being tested. */
struct checking {
        struct pxr_arena *arena;
        const struct pxr_plugins *plugins;
        const struct pxr_layer *layer;
        struct pxr_image_kind kind;
        pxr_check_report *report;
        void *context;
        struct pxr_diag *diag;
};

/* The layer's check stack as a tree. Its text lives in the arena: locations point into it. */
static struct pxr_yaml *check_stack(const struct checking *c)
{
        const char *text = c->layer->check;

        if (!text)
                text = pxr_strf(c->arena, "- conv: {mask: A, kernel: 3, features: 6}\n- %s\n",
                                c->layer->name);
        return pxr_yaml_parse(
                c->arena,
                pxr_source_new(c->arena, pxr_strf(c->arena, "check of '%s'", c->layer->name), text),
                c->diag);
}

static void begin(const struct checking *c, const char *test)
{
        c->report(c->context,
                  &(struct pxr_check_result) { .test = test, .kind = c->kind, .begins = true });
}

/* Run all tests: 0 passed, 1 failed, -1 the layer refuses this kind of image, for the reason
 * recorded in c->diag. */
static int run_tests(const struct checking *c)
{
        struct pxr_yaml *stack = check_stack(c);
        struct pxr_model *model = stack ? pxr_model_build(c->arena, c->plugins, stack, &c->kind,
                                                          CLASSES, true, c->diag)
                                        : NULL;
        bool failed = false, memory_failed = false;
        struct pxr_subject subject;

        if (!model || pxr_subject_new(&subject, c->arena, model, c->diag))
                return -1;
        for (int i = 0; i < TESTS; i++) {
                struct pxr_check_result result = { .test = tests[i].name, .kind = c->kind };

                begin(c, tests[i].name);
                subject.skipped = memory_failed ? "requires the memory test to pass" : NULL;
                result.problem = memory_failed ? NULL : tests[i].test(&subject);
                result.skipped = subject.skipped;
                failed = failed || result.problem;
                memory_failed = memory_failed || (i == 0 && result.problem);
                c->report(c->context, &result);
        }
        return failed;
}

int pxr_check_layer(const struct pxr_plugins *plugins, const struct pxr_plugin_file *file,
                    pxr_check_report *report, void *context, struct pxr_diag *diag)
{
        int status = 0, refused = 0;

        for (int i = 0; i < KINDS && !pxr_diag_memory_out(diag); i++) {
                struct pxr_diag *own = pxr_diag_new();
                struct checking c = {
                        pxr_arena_new(0, own), plugins, file->layer, kinds[i], report, context, own
                };
                int result;

                begin(&c, PXR_CHECK_BUILD);
                result = c.arena ? run_tests(&c) : -1;
                if (!own || pxr_diag_memory_out(own)) {
                        pxr_out_of_memory(diag);
                } else if (result < 0) {
                        report(context,
                               &(struct pxr_check_result) { .test = PXR_CHECK_BUILD,
                                                            .kind = kinds[i],
                                                            .skipped = pxr_diag_text(own, 0) });
                        if (++refused == KINDS)
                                pxr_user_error(diag, "%s: %s", file->layer->name,
                                               pxr_diag_text(own, 0));
                } else if (result > 0) {
                        status = 1;
                }
                pxr_arena_free(c.arena);
                pxr_diag_free(own);
        }
        return refused == KINDS || pxr_diag_memory_out(diag) ? -1 : status;
}
