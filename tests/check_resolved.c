/* SPDX-License-Identifier: MIT */
/* check_resolved.c - the resolved spec: one form for one meaning, and text that is read again to
 * the same tree and the same bytes. It is hashed, and runs are resumed from it. */
#include "spec.h"

static struct table table;

/* The resolved form of a spec, as text. */
static const char *resolved(const char *text)
{
        struct pxr_yaml *root = sound(parse(text));

        if (table_read(arena, root, &table, diag))
                sound(NULL);
        return sound(pxr_yaml_emit(arena, root, diag));
}

/* Are two trees the same? A text that libyaml cannot write without quotes comes back quoted. */
static void expect_same(const struct pxr_yaml *a, const struct pxr_yaml *b)
{
        ck_assert_int_eq(a->kind, b->kind);
        ck_assert_int_eq(a->count, b->count);
        ck_assert(!a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0));
        if (a->kind == PXR_YAML_SCALAR) {
                ck_assert_str_eq(a->text, b->text);
                ck_assert(b->quoted || !a->quoted);
        }
        for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
                expect_same(a, b);
        ck_assert(!a && !b);
}

/* Text, tree, text. */
static void expect_stable(struct pxr_yaml *root)
{
        const char *text = sound(pxr_yaml_emit(arena, root, diag));
        struct pxr_yaml *again = sound(parse(text));

        expect_same(root, again);
        ck_assert_str_eq(text, sound(pxr_yaml_emit(arena, again, diag)));
}

static const char complete[] = "name: x\n"
                               "flag: false\n"
                               "whole: 3\n"
                               "seed: 1\n"
                               "real: 0.5\n"
                               "mask: B\n"
                               "splits:\n"
                               "- valid\n"
                               "- test\n"
                               "every: 1 epoch\n"
                               "optimizer:\n"
                               "  sgd:\n"
                               "    rate: 0.1\n"
                               "    momentum: 0.9\n"
                               "inner:\n"
                               "  depth: 1\n"
                               "layers:\n"
                               "- relu: {}\n"
                               "- repeat:\n"
                               "    count: 2\n"
                               "    layers:\n"
                               "    - residual:\n"
                               "        layers:\n"
                               "        - conv:\n"
                               "            count: 1\n"
                               "node: {}\n";

static const char short_one[] = "layers:\n"
                                "  - relu\n"
                                "  - repeat: 2\n"
                                "    layers:\n"
                                "      - residual: [conv]\n"
                                "name: x\n";

START_TEST(resolving_writes_out_every_default)
{
        ck_assert_str_eq(resolved(short_one), complete);
        ck_assert_str_eq(resolved(pxr_strf(arena, "seed: 1\n%sflag: false\n", short_one)),
                         complete);
}
END_TEST

START_TEST(resolving_a_resolved_spec_changes_nothing)
{
        ck_assert_str_eq(resolved(complete), complete);
        expect_stable(sound(parse(complete)));
}
END_TEST

START_TEST(specs_of_the_same_meaning_resolve_to_the_same_text)
{
        static const char *const same[][2] = {
                { "flag: TRUE", "flag: true" },
                { "whole: 0x11", "whole: 17" },
                { "whole: +017", "whole: 17" },
                { "real: 5.0e-1", "real: .5" },
                { "real: 0.10000000000000001", "real: 0.1" },
                { "note: \"a b\"", "note: a b" },
                { "note: 'a b'", "note: >-\n  a\n  b" },
                { "note: 7", "note: '7'" },
                { "note:", "note: ~" },
                { "mask: 'A'", "mask: A" },
                { "splits: test", "splits: [test]" },
                { "splits: [test, valid, test]", "splits: ['valid', test]" },
                { "every: 1 epochs", "every: '1  epoch'" },
                { "every: 0x10 step", "every: 16 steps" },
                { "optimizer: none", "optimizer: {none: {}}" },
                { "optimizer: {sgd: }", "optimizer: {'sgd': {}}" },
                { "inner:", "inner: {}" },
                { "inner: 2", "inner: {depth: 2}" },
                { "node: &x {a: 1}", "node: {\"a\": 1}" },
        };

        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
                ck_assert_str_eq(
                        resolved(pxr_strf(arena, "name: x\nlayers: [relu]\n%s\n", same[i][0])),
                        resolved(pxr_strf(arena, "name: x\nlayers: [relu]\n%s\n", same[i][1])));
}
END_TEST

START_TEST(numbers_are_written_with_the_fewest_digits)
{
        static const struct {
                double value;
                const char *text;
        } cases[] = { { 0, "0" },          { 100, "100" },    { 1e6, "1000000" },
                      { 1e-3, "0.001" },   { 1e-8, "1e-08" }, { 1e22, "1e+22" },
                      { 0.1, "0.1" },      { -2.5, "-2.5" },  { 0.1 + 0.2, "0.30000000000000004" },
                      { 5e-324, "5e-324" } };
        char text[PXR_REAL_TEXT];

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                double back;

                ck_assert_str_eq(pxr_format_real(cases[i].value, text), cases[i].text);
                ck_assert_int_eq(pxr_parse_real(text, &back), PXR_NUMBER);
                ck_assert(back == cases[i].value);
        }
}
END_TEST

START_TEST(specs_of_different_meaning_resolve_to_different_texts)
{
        static const char *const different[][2] = {
                { "note: ''", "note: ~" },
                { "note: 'null'", "note: null" },
                { "note: a", "note: 'a '" },
                { "note: \"a\\nb\"", "note: 'a b'" },
                { "real: 0.1", "real: 0.10000000000000002" },
                { "seed: 9007199254740991", "seed: 9007199254740992" },
                { "every: 1 epoch", "every: 1 step" },
                { "splits: []", "splits: [test]" },
        };

        for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
                ck_assert_str_ne(
                        resolved(pxr_strf(arena, "name: x\nlayers: [relu]\n%s\n", different[i][0])),
                        resolved(
                                pxr_strf(arena, "name: x\nlayers: [relu]\n%s\n", different[i][1])));
}
END_TEST

START_TEST(strings_of_every_kind_read_back_the_same)
{
        static const char *const texts[] = { "'#'",
                                             "'a # b'",
                                             "': '",
                                             "'a: b'",
                                             "'- a'",
                                             "'?'",
                                             "'!x'",
                                             "'&a'",
                                             "'*a'",
                                             "'%'",
                                             "'@'",
                                             "'`'",
                                             "\"'\"",
                                             "'\"'",
                                             "' a'",
                                             "'a '",
                                             "\"\\n\"",
                                             "\"\\na\"",
                                             "\"a\\n\"",
                                             "\"a\\n\\n b\"",
                                             "\" \\n \"",
                                             "\"\\t\"",
                                             "\"a\\tb\"",
                                             "\"\\x01\"",
                                             "\"\\x7F\"",
                                             "\"\\x85\"",
                                             "\"\\u2028\"",
                                             "\"\\u2029x\"",
                                             "\"\\uFEFF\"",
                                             "\"\\uFFFE\"",
                                             "\"\\U0001F642\"",
                                             "\"\\e[0m\"",
                                             "'---'",
                                             "'...'",
                                             "'--- a'",
                                             "'[a]'",
                                             "'{a}'",
                                             "'a, b'",
                                             "'|'",
                                             "'>'",
                                             "''",
                                             "'null'",
                                             "'~'",
                                             "'<<'",
                                             "'='",
                                             "größe",
                                             "a\\b",
                                             "\"\\r\"",
                                             "\"a\\r\\nb\"",
                                             "\"\\_\"",
                                             "'a:'",
                                             "':a'",
                                             "'?a'",
                                             "'-a'",
                                             "' '",
                                             "\"\\\\\"",
                                             "'true'",
                                             "'1'",
                                             "1",
                                             "true",
                                             "null",
                                             "~",
                                             "a-b",
                                             "a:b",
                                             "---a",
                                             "...a" };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                expect_stable(sound(parse(pxr_strf(arena, "a: %s\n", texts[i]))));
                expect_stable(sound(parse(pxr_strf(arena, "- %s\n- x\n", texts[i]))));
                expect_stable(sound(parse(pxr_strf(arena, "? %s\n: x\n", texts[i]))));
        }
}
END_TEST

START_TEST(long_strings_and_keys_read_back_the_same)
{
        for (int size = 100; size <= 5000; size += 97) {
                char *text = pxr_alloc(arena, (size_t)size + 1);

                for (int i = 0; i < size; i++)
                        text[i] = i % 7 == 3 ? ' ' : 'x';
                text[size - 1] = 'x';
                expect_stable(sound(parse(pxr_strf(arena, "? %s\n: %s\n", text, text))));
        }
}
END_TEST

START_TEST(empty_values_and_nested_lists_read_back_the_same)
{
        expect_stable(
                sound(parse("a:\nb: [[], [[]], {}, {x: }, ~]\nc: {d: {e: }}\n? ''\n: - 1\n")));
        expect_stable(sound(parse("- - - 1\n    - 2\n  -\n- a:\n  - b\n")));
        expect_stable(sound(parse("just a text")));
        expect_stable(sound(parse("'quoted'")));
        expect_stable(sound(parse("[]")));
}
END_TEST

/* --- layers ------------------------------------------------------------------------------------
 */

static const char *layers_of(const char *layers)
{
        struct pxr_yaml *root = sound(parse(pxr_strf(arena, "name: x\nlayers:\n%s", layers)));

        if (table_read(arena, root, &table, diag))
                sound(NULL);
        return sound(pxr_yaml_emit(arena, pxr_yaml_get(root, "layers"), diag));
}

START_TEST(a_layer_can_be_written_in_several_ways)
{
        static const char repeat[] = "- repeat:\n"
                                     "    count: 2\n"
                                     "    layers:\n"
                                     "    - relu: {}\n";

        ck_assert_str_eq(layers_of("- repeat: 2\n  layers: [relu]\n"), repeat);
        ck_assert_str_eq(layers_of("- repeat: {count: 2, layers: [relu]}\n"), repeat);
        ck_assert_str_eq(layers_of("- repeat:\n  count: 2\n  layers: [{relu: ~}]\n"), repeat);
        ck_assert_str_eq(layers_of("- 'repeat': 0x2\n  layers:\n  - \"relu\"\n"), repeat);
        ck_assert_str_eq(layers_of("- residual: [relu]\n"), "- residual:\n"
                                                            "    layers:\n"
                                                            "    - relu: {}\n");
        ck_assert_str_eq(layers_of("- conv\n- conv:\n- conv: {}\n- conv:\n  count: 1\n"),
                         "- conv:\n    count: 1\n- conv:\n    count: 1\n"
                         "- conv:\n    count: 1\n- conv:\n    count: 1\n");
}
END_TEST

static void refused(const char *layers, const char *shown)
{
        struct pxr_yaml *root =
                sound(parse(pxr_strf(arena, "{name: x, layers: [\n%s\n]}", layers)));

        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        expect_shown(shown);
}

START_TEST(an_invalid_layer_is_refused)
{
        refused("[relu]", "x.yaml:2:1: error: expected a layer: NAME, or NAME: {options}\n"
                          "    2 | [relu]\n"
                          "      | ^\n");
        refused("{}", "x.yaml:2:1: error: expected a layer: NAME, or NAME: {options}\n"
                      "    2 | {}\n"
                      "      | ^\n");
        refused("~", "x.yaml:2:1: error: expected a layer: NAME, or NAME: {options}\n"
                     "    2 | ~\n"
                     "      | ^\n");
        refused("relu: 3", "x.yaml:2:7: error: relu takes no options\n"
                           "    2 | relu: 3\n"
                           "      |       ^\n");
        refused("conv: 3", "x.yaml:2:7: error: conv: expected a mapping of options\n"
                           "    2 | conv: 3\n"
                           "      |       ^\n");
        refused("residual: relu", "x.yaml:2:11: error: residual: expected a list of layers\n"
                                  "    2 | residual: relu\n"
                                  "      |           ^~~~\n");
        refused("conv: [relu]", "x.yaml:2:7: error: conv: expected a mapping of options\n"
                                "    2 | conv: [relu]\n"
                                "      |       ^\n");
        refused("relu: {a: 1}", "x.yaml:2:8: error: relu: unknown option 'a'\n"
                                "    2 | relu: {a: 1}\n"
                                "      |        ^\n"
                                "note: relu takes no options\n");
}
END_TEST

START_TEST(keys_beside_a_layer_are_its_options_or_refused)
{
        refused("{conv: {}, count: 3}",
                "x.yaml:2:12: error: 'count' stands beside the layer 'conv', not among its "
                "options: check the indentation\n"
                "    2 | {conv: {}, count: 3}\n"
                "      |            ^~~~~\n");
        refused("{repeat: 2, layers: [relu], count: 3}",
                "x.yaml:2:29: error: repeat: 'count' is set already, by what stands behind "
                "'repeat:'\n"
                "    2 | {repeat: 2, layers: [relu], count: 3}\n"
                "      |                             ^~~~~\n");
        refused("{layers: [relu], repeat: 2}",
                "x.yaml:2:2: error: there is no layer 'layers'\n"
                "    2 | {layers: [relu], repeat: 2}\n"
                "      |  ^~~~~~\n"
                "note: the first key of an item is the name of its layer\n");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("resolved");

        ADD_SPEC_TEST(suite, resolving_writes_out_every_default);
        ADD_SPEC_TEST(suite, resolving_a_resolved_spec_changes_nothing);
        ADD_SPEC_TEST(suite, specs_of_the_same_meaning_resolve_to_the_same_text);
        ADD_SPEC_TEST(suite, numbers_are_written_with_the_fewest_digits);
        ADD_SPEC_TEST(suite, specs_of_different_meaning_resolve_to_different_texts);
        ADD_SPEC_TEST(suite, strings_of_every_kind_read_back_the_same);
        ADD_SPEC_TEST(suite, long_strings_and_keys_read_back_the_same);
        ADD_SPEC_TEST(suite, empty_values_and_nested_lists_read_back_the_same);
        ADD_SPEC_TEST(suite, a_layer_can_be_written_in_several_ways);
        ADD_SPEC_TEST(suite, an_invalid_layer_is_refused);
        ADD_SPEC_TEST(suite, keys_beside_a_layer_are_its_options_or_refused);
        return run_suite(suite);
}
