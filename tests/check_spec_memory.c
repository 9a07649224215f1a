/* SPDX-License-Identifier: MIT */
/* check_spec_memory.c - lack of memory at each allocation for a spec. */
#include "spec.h"

#include "config.h"

/* --- allocations that fail ---------------------------------------------------------------------
 *
 * The C library's malloc() and its kin, of which one call can be made to fail. A sanitizer has its
 * own, which cannot be replaced.
 */

#if defined(__GLIBC__) && !defined(PXR_SANITIZED)
#define CAN_FAIL 1

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static long until_failure = -1; /* allocations that still succeed; negative: all do */

static bool fails_now(void)
{
        return until_failure >= 0 && until_failure-- == 0;
}

void *malloc(size_t size)
{
        return fails_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        return fails_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
        return fails_now() ? NULL : __libc_realloc(memory, size);
}
#endif

/* --- what is done with a spec ------------------------------------------------------------------
 */

static void write_specs(void)
{
        spec_file("x", "extends: [base]\nname: x\nsplits: test\nschedule: none\nlayers:\n"
                       "  - relu\n  - repeat: 2\n    layers: [residual: [conv]]\n");
        spec_file("base", "note: &a base\nnode: {a: *a}\noptimizer: sgd\nevery: 5 epochs\n");
}

static const char broken[] = "nmae: x\nwhole: 99999\nmask: C\nsplits: [a]\n"
                             "optimizer: addam\nlayers: [relu: 1, foo]\n";

/* Everything a run does with a spec, in an arena of this size. True when it went well. */
static bool all_in(size_t limit)
{
        static const char *const overrides[] = { "whole=5", "inner.label=two words",
                                                 "optimizer.adam.rate=1", "layers.1.repeat=3" };
        struct pxr_arena *small = pxr_arena_new(limit, diag);
        struct pxr_yaml *root = small ? pxr_spec_load(small, "x", overrides, NULL, 4, diag) : NULL;
        struct table table;
        bool done = root && table_read(small, root, &table, diag) == 0 &&
                    pxr_yaml_emit(small, root, diag) && pxr_yaml_explain(small, root, "", diag) &&
                    !pxr_arena_failed(small);

        pxr_arena_free(small);
        return done;
}

START_TEST(an_arena_that_runs_out_anywhere_is_an_error)
{
        size_t limit = 1;

        write_specs();
        for (; limit < 1 << 20 && !all_in(limit); limit += 16) {
                ck_assert_str_eq(pxr_diag_text(diag, 0), "out of memory");
                ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_SYSTEM);
                pxr_diag_clear(diag);
        }
        ck_assert_uint_gt(limit, 10000); /* many a place where memory ran out */
        ck_assert_uint_lt(limit, 1 << 20);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}
END_TEST

#ifdef CAN_FAIL
/* Run a function with one allocation after the other failing, until it needs no more. */
static void fail_each(bool (*run)(size_t limit), bool result)
{
        long failed = 0;

        for (bool done = false; !done; failed++) {
                bool got;

                until_failure = failed;
                got = run(0);
                done = until_failure >= 0;
                until_failure = -1;
                ck_assert_msg(got || pxr_diag_errors(diag) > 0, "allocation %ld: no error", failed);
                if (done)
                        ck_assert(got == result);
                pxr_diag_clear(diag);
        }
        ck_assert_int_gt(failed, 50);
}

START_TEST(an_allocation_that_fails_anywhere_is_an_error)
{
        write_specs();
        fail_each(all_in, true);
}
END_TEST

static bool broken_in(size_t limit)
{
        struct pxr_arena *own = pxr_arena_new(limit, diag);
        struct table table;
        struct pxr_source source = { "x", broken, sizeof(broken) - 1 };
        struct pxr_yaml *root = own ? pxr_yaml_parse(own, &source, diag) : NULL;
        bool sound = root && table_read(own, root, &table, diag) == 0;

        if (!own)
                pxr_out_of_memory(diag);
        pxr_arena_free(own);
        return sound;
}

START_TEST(an_allocation_that_fails_in_errors_is_an_error)
{
        fail_each(broken_in, false);
}
END_TEST
#endif

START_TEST(an_arena_that_runs_out_in_errors_is_an_error)
{
        bool complete = false;

        for (size_t limit = 1; !complete; limit += 16) {
                struct pxr_arena *small = pxr_arena_new(limit, diag);
                struct pxr_source source = { "x", broken, sizeof(broken) - 1 };
                struct pxr_yaml *root = pxr_yaml_parse(small, &source, diag);
                struct table table;
                int kept = 0;

                ck_assert_uint_lt(limit, 65536);
                ck_assert(!root || table_read(small, root, &table, diag) == -1);
                while (pxr_diag_text(diag, kept))
                        kept++;
                ck_assert_int_gt(kept, 0);
                complete = strcmp(pxr_diag_text(diag, kept - 1), "out of memory") != 0;
                ck_assert(!complete || kept == 8);
                pxr_diag_clear(diag);
                pxr_arena_free(small);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("spec_memory");

        ADD_SPEC_TEST(suite, an_arena_that_runs_out_anywhere_is_an_error);
        ADD_SPEC_TEST(suite, an_arena_that_runs_out_in_errors_is_an_error);
#ifdef CAN_FAIL
        ADD_SPEC_TEST(suite, an_allocation_that_fails_anywhere_is_an_error);
        ADD_SPEC_TEST(suite, an_allocation_that_fails_in_errors_is_an_error);
#endif
        return run_suite(suite);
}
