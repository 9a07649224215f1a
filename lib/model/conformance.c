/* SPDX-License-Identifier: MIT */
/*
 * conformance.c - building a layer's check stack and putting it to each test.
 *
 * The tests themselves are in conformance_tests.c and conformance_memory.c.
 */
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

/* Memory comes first: where an op writes or reads what is not its own, the others mean nothing. */
static const struct {
        const char *name;
        pxr_check_test *test;
} tests[] = {
        { "memory", pxr_check_memory },       { "gradients", pxr_check_gradients },
        { "causality", pxr_check_causality }, { "advance", pxr_check_advance },
        { "threads", pxr_check_threads },
};

enum { KINDS = PXR_COUNT(kinds), TESTS = PXR_COUNT(tests) };

/* The layer's check stack as a tree. The text lives in the arena, for marks point into it. */
static struct pxr_yaml *check_stack(struct pxr_arena *arena, const struct pxr_layer *layer,
                                    struct pxr_diag *diag)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));

        if (!source) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        source->name = pxr_strf(arena, "check of '%s'", layer->name);
        source->text =
                layer->check ? layer->check
                             : pxr_strf(arena, "- conv: {mask: A, kernel: 3, features: 6}\n- %s\n",
                                        layer->name);
        if (!source->name || !source->text) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        source->size = strlen(source->text);
        return pxr_yaml_parse(arena, source, diag);
}

static void begin(const char *test, const struct pxr_image_kind *kind,
                  void (*report)(void *context, const struct pxr_check_result *result),
                  void *context)
{
        report(context, &(struct pxr_check_result) { .test = test, .kind = *kind, .begins = true });
}

/* All tests on one kind of image: 0 passed, 1 failed, -1 the kind is refused, for the reason left
 * in `diag`. */
static int check_kind(struct pxr_arena *arena, const struct pxr_plugins *plugins,
                      const struct pxr_layer *layer, const struct pxr_image_kind *kind,
                      void (*report)(void *context, const struct pxr_check_result *result),
                      void *context, struct pxr_diag *diag)
{
        struct pxr_yaml *stack = check_stack(arena, layer, diag);
        struct pxr_model *model =
                stack ? pxr_model_build_part(arena, plugins, stack, kind, diag) : NULL;
        bool failed = false, memory_failed = false;

        if (!model)
                return -1;
        for (int i = 0; i < TESTS; i++) {
                struct pxr_check_result result = { .test = tests[i].name, .kind = *kind };

                begin(tests[i].name, kind, report, context);
                if (memory_failed)
                        result.skipped = "memory has to be right first";
                else
                        result.problem = tests[i].test(arena, model, &result.skipped, diag);
                failed = failed || result.problem;
                memory_failed = memory_failed || (i == 0 && result.problem);
                report(context, &result);
        }
        return failed;
}

int pxr_check_layer(const struct pxr_plugins *plugins, const struct pxr_plugin_file *file,
                    void (*report)(void *context, const struct pxr_check_result *result),
                    void *context, struct pxr_diag *diag)
{
        int status = 0, refused = 0;

        for (int i = 0; i < KINDS; i++) {
                struct pxr_arena *arena = pxr_arena_new(0, diag);
                struct pxr_diag *own = pxr_diag_new();
                int kind_status;

                if (!arena || !own) {
                        pxr_arena_free(arena);
                        pxr_diag_free(own);
                        return pxr_out_of_memory(diag);
                }
                begin(PXR_CHECK_BUILD, &kinds[i], report, context);
                kind_status =
                        check_kind(arena, plugins, file->layer, &kinds[i], report, context, own);
                if (kind_status < 0) {
                        report(context,
                               &(struct pxr_check_result) { .test = PXR_CHECK_BUILD,
                                                            .kind = kinds[i],
                                                            .skipped = pxr_diag_text(own, 0) });
                        if (++refused == KINDS)
                                pxr_user_error(diag, "%s: %s", file->layer->name,
                                               pxr_diag_text(own, 0));
                } else if (kind_status > 0) {
                        status = 1;
                }
                pxr_arena_free(arena);
                pxr_diag_free(own);
        }
        return refused == KINDS ? -1 : status;
}
