/* SPDX-License-Identifier: MIT */
/* check_spec_bounds.c - specs that are bombs or junk: one clear error, bounded memory and time. */
#include "spec.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "config.h"
#include "config/tree.h"

enum { MEGABYTE = 1 << 20 };

/* From here on the process gets this much more memory and no more. Sanitizers need all there is. */
static void limit_memory(size_t bytes)
{
#ifdef PXR_SANITIZED
        (void)bytes;
#else
        FILE *file = fopen("/proc/self/statm", "r");
        struct rlimit limit;
        size_t pages;

        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
        fclose(file);
        limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + bytes;
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

/* `count` copies of a text, in the arena. */
static char *times(const char *text, size_t count)
{
        size_t size = strlen(text);
        char *all = pxr_alloc(arena, size * count + 1);

        ck_assert_ptr_nonnull(all);
        for (size_t i = 0; i < count; i++)
                memcpy(all + i * size, text, size);
        return all;
}

/* A spec file of this text is refused with one error of the user's that has `part` in it. */
static void refused(const char *text, const char *part)
{
        spec_file("x", text);
        ck_assert_ptr_null(LOAD("x"));
        expect_error(PXR_FAULT_USER, part);
}

static void accepted(const char *text)
{
        spec_file("x", text);
        sound(LOAD("x"));
}

/* --- junk --------------------------------------------------------------------------------------
 */

static void write_junk(const char *path, const char *unit)
{
        char block[MEGABYTE];
        FILE *file = fopen(path, "wb");

        for (size_t i = 0; i < sizeof(block); i++)
                block[i] = unit[i % strlen(unit)];
        ck_assert_ptr_nonnull(file);
        for (int i = 0; i < 100; i++)
                ck_assert_uint_eq(fwrite(block, 1, sizeof(block), file), sizeof(block));
        ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_hundred_megabytes_of_junk_are_refused_with_little_memory)
{
        static const char *const units[] = { "x", "[", "a: 1\n", "\xFF" };

        limit_memory(32 * MEGABYTE);
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                write_junk("junk", units[i]);
                ck_assert_ptr_null(LOAD("junk"));
                expect_shown("junk: error: larger than 1048576 bytes, which no spec is\n");
        }
        spec_file("base", "extends: junk\n");
        ck_assert_ptr_null(LOAD("base"));
        expect_shown("junk: error: larger than 1048576 bytes, which no spec is\n"
                     "note: it is extended on line 1 of base\n");
}
END_TEST

START_TEST(endless_files_are_refused_with_little_memory)
{
        limit_memory(32 * MEGABYTE);
        ck_assert_ptr_null(LOAD("/dev/zero"));
        expect_error(PXR_FAULT_USER, "larger than 1048576 bytes");
        ck_assert_ptr_null(LOAD("/dev/urandom"));
        expect_error(PXR_FAULT_USER, "larger than 1048576 bytes");
}
END_TEST

START_TEST(a_megabyte_of_anything_is_read_in_little_time_and_memory)
{
        static const char *const units[] = { "x",          " ",
                                             "\n",         "[",
                                             "{",          "]",
                                             "- ",         "? ",
                                             ": ",         "a: ",
                                             "a:\n ",      "\t",
                                             "'",          "\"",
                                             "\\",         "&a ",
                                             "*a ",        "!a ",
                                             "!!a ",       "%a\n",
                                             "#",          "|\n",
                                             ">\n",        "---\n",
                                             "...\n",      "a\n",
                                             "a: b\n",     "- a\n",
                                             "[a, ",       "{a: ",
                                             "? a\n:",     "&a [",
                                             "\xC3\xA4",   "\xE2\x80\xA8",
                                             "'a' ",       "- - -\n",
                                             "[]\n",       "{}, ",
                                             "a: |\n b\n", "\"\\n\" " };

        limit_memory(64 * MEGABYTE);
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                struct pxr_arena *all = arena;
                char *text = times(units[i], MEGABYTE / strlen(units[i]));

                arena = pxr_arena_new(0, diag);
                write_file("x", text, strlen(text));
                if (!LOAD("x"))
                        ck_assert_msg(pxr_diag_errors(diag) == 1 &&
                                              pxr_diag_status(diag) == PXR_FAULT_USER,
                                      "'%s': %s", units[i], pxr_diag_text(diag, 0));
                pxr_diag_clear(diag);
                pxr_arena_free(arena);
                arena = all;
                pxr_arena_free(arena);
                arena = pxr_arena_new(0, diag);
        }
}
END_TEST

/* --- bombs -------------------------------------------------------------------------------------
 */

START_TEST(alias_bombs_are_refused)
{
        char *text = pxr_strdup(arena, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");

        limit_memory(64 * MEGABYTE);
        for (int i = 1; i < 12; i++)
                text = pxr_strf(
                        arena,
                        "%sa%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
                        text, i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        refused(text, "a spec can have 100000 nodes and no more");
        refused(pxr_strf(arena, "a: &a '%s'\nb: [%s]\n", times("x", 500000), times("*a, ", 1000)),
                "a spec can have 1048576 bytes and no more");
        refused(pxr_strf(arena, "a: &a {%s: 1}\nb: [%s]\n", times("x", 1000), times("*a, ", 2000)),
                "a spec can have 1048576 bytes and no more");
}
END_TEST

START_TEST(aliases_count_toward_the_depth)
{
        char *text = pxr_strdup(arena, "a0: &a0 x\n");

        for (int i = 1; i < 80; i++)
                text = pxr_strf(arena, "%sa%d: &a%d [*a%d]\n", text, i, i, i - 1);
        refused(text, "a spec can be 64 levels deep and no more");
}
END_TEST

START_TEST(the_number_of_anchors_is_limited)
{
        char *text = pxr_strdup(arena, "");

        for (int i = 0; i < 1000; i++)
                text = pxr_strf(arena, "%s- &a%d x\n", text, i);
        text = pxr_strf(arena, "a: [%s]\nb:\n%s", times("x, ", 9), text);
        accepted(text);
        refused(pxr_strf(arena, "%s- &b x\n", text), "a spec can have 1000 anchors and no more");
}
END_TEST

START_TEST(the_depth_is_limited)
{
        accepted(pxr_strf(arena, "a: %s%s", times("[", 63), times("]", 63)));
        refused(pxr_strf(arena, "a: %s%s", times("[", 64), times("]", 64)),
                "a spec can be 64 levels deep and no more");
        refused(pxr_strf(arena, "a: %s", times("{a: ", 200000)),
                "a spec can be 64 levels deep and no more");
}
END_TEST

START_TEST(overrides_count_toward_the_depth)
{
        spec_file("x", "a: 1\n");
        sound(LOAD("x", pxr_strf(arena, "%sb=1", times("a.", 62))));
        sound(LOAD("x", pxr_strf(arena, "%sb=[1]", times("a.", 62))));
        ck_assert_ptr_null(LOAD("x", pxr_strf(arena, "%sb=[[1]]", times("a.", 62))));
        expect_error(PXR_FAULT_USER, "a spec can be 64 levels deep and no more");
        ck_assert_ptr_null(LOAD("x", pxr_strf(arena, "%sb=1", times("a.", 50000))));
        expect_error(PXR_FAULT_USER, "a spec can be 64 levels deep and no more");
}
END_TEST

START_TEST(the_number_of_nodes_and_keys_is_limited)
{
        char *text = pxr_strdup(arena, "");

        accepted(pxr_strf(arena, "a: [%s]", times("1,", 99997)));
        refused(pxr_strf(arena, "a: [%s]", times("1,", 99998)),
                "a spec can have 100000 nodes and no more");
        for (int i = 0; i < 1000; i++)
                text = pxr_strf(arena, "%sk%d: 1\n", text, i);
        accepted(text);
        refused(pxr_strf(arena, "%sk: 1\n", text), "more than 1000 keys in one mapping");
}
END_TEST

START_TEST(all_files_of_a_spec_share_its_limits)
{
        spec_file("base", pxr_strf(arena, "b: [%s]", times("1,", 60000)));
        spec_file("x", pxr_strf(arena, "extends: base\na: [%s]", times("1,", 30000)));
        sound(LOAD("x"));
        ck_assert_ptr_null(LOAD("x", pxr_strf(arena, "c=[%s]", times("1,", 20000))));
        expect_error(PXR_FAULT_USER, "a spec can have 100000 nodes and no more");
        spec_file("x", pxr_strf(arena, "extends: [base, base]\n"));
        ck_assert_ptr_null(LOAD("x"));
        expect_error(PXR_FAULT_USER, "a spec can have 100000 nodes and no more");
}
END_TEST

/* --- what was read can be recorded -------------------------------------------------------------
 */

START_TEST(the_deepest_and_the_largest_spec_read_back_the_same)
{
        const char *texts[2];
        struct table table;

        texts[0] = pxr_strf(arena, "{name: x, layers: [%srelu%s]}", times("residual: [", 30),
                            times("]", 30));
        texts[1] = pxr_strf(arena, "{name: x, layers: [%s]}", times("conv,", 99990));
        for (int i = 0; i < 2; i++) {
                struct pxr_yaml *root;
                const char *text;

                spec_file("x", texts[i]);
                root = sound(LOAD("x"));
                ck_assert_int_eq(table_read(arena, root, &table, diag), 0);
                text = sound(pxr_yaml_emit(arena, root, diag));
                ck_assert_str_eq(text, sound(pxr_yaml_emit(arena, sound(parse(text)), diag)));
                sound(pxr_yaml_explain(arena, root, "", diag));
        }
}
END_TEST

START_TEST(a_tree_that_could_not_be_read_again_is_not_written)
{
        struct pxr_yaml *root = sound(parse("a: 1")), *at = root;
        char *text = times("x", MEGABYTE);

        for (int i = 0; i < 256; i++) {
                struct pxr_yaml *inner = pxr_yaml_new(arena, PXR_YAML_MAPPING, "b", NULL, root);

                pxr_yaml_append(at, inner);
                at = inner;
                if (i == 254)
                        sound(pxr_yaml_emit(arena, root, diag));
        }
        ck_assert_ptr_null(pxr_yaml_emit(arena, root, diag));
        expect_error(PXR_FAULT_USER, "too many levels");
        root = sound(parse("a: 1"));
        for (int i = 0; i < 65; i++)
                pxr_yaml_append(root, pxr_yaml_new(arena, PXR_YAML_SCALAR, "b", text, root));
        ck_assert_ptr_null(pxr_yaml_emit(arena, root, diag));
        expect_error(PXR_FAULT_USER, "too many bytes");
        ck_assert_ptr_null(pxr_yaml_explain(arena, root, "", diag));
        expect_error(PXR_FAULT_USER, "too large to be explained");
        root = sound(parse("a: 1"));
        for (int i = 0; i < 1 << 19; i++)
                pxr_yaml_append(root, pxr_yaml_new(arena, PXR_YAML_SCALAR, "b", "", root));
        ck_assert_ptr_null(pxr_yaml_emit(arena, root, diag));
        expect_error(PXR_FAULT_USER, "too many nodes");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("spec_bounds");

        ADD_SPEC_TEST(suite, a_hundred_megabytes_of_junk_are_refused_with_little_memory);
        ADD_SPEC_TEST(suite, endless_files_are_refused_with_little_memory);
        ADD_SPEC_TEST(suite, a_megabyte_of_anything_is_read_in_little_time_and_memory);
        ADD_SPEC_TEST(suite, alias_bombs_are_refused);
        ADD_SPEC_TEST(suite, aliases_count_toward_the_depth);
        ADD_SPEC_TEST(suite, the_number_of_anchors_is_limited);
        ADD_SPEC_TEST(suite, the_depth_is_limited);
        ADD_SPEC_TEST(suite, overrides_count_toward_the_depth);
        ADD_SPEC_TEST(suite, the_number_of_nodes_and_keys_is_limited);
        ADD_SPEC_TEST(suite, all_files_of_a_spec_share_its_limits);
        ADD_SPEC_TEST(suite, the_deepest_and_the_largest_spec_read_back_the_same);
        ADD_SPEC_TEST(suite, a_tree_that_could_not_be_read_again_is_not_written);
        return run_suite(suite);
}
