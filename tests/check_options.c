/* SPDX-License-Identifier: MIT */
/* check_options.c - option tables: every type, its default and range, and what is said of a value
 * that does not fit. */
#include "spec.h"

static struct table table;

/* Read "name: n, layers: [relu]" and these lines by the table. */
static struct pxr_yaml *read_lines(const char *lines)
{
        char *text = pxr_strf(arena, "name: n\nlayers: [relu]\n%s", lines);
        struct pxr_yaml *root = sound(parse(text));

        return table_read(arena, root, &table, diag) ? NULL : root;
}

static void accepted(const char *lines)
{
        sound(read_lines(lines));
}

/* One error, whose text is this. */
static void refused(const char *lines, const char *text)
{
        ck_assert_msg(!read_lines(lines), "'%s' was accepted", lines);
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        ck_assert_str_eq(pxr_diag_text(diag, 0), text);
        pxr_diag_clear(diag);
}

/* --- types -------------------------------------------------------------------------------------
 */

START_TEST(a_missing_option_has_its_default)
{
        accepted("");
        ck_assert(!table.flag);
        ck_assert_int_eq(table.whole, 3);
        ck_assert_int_eq(table.seed, 1);
        ck_assert_double_eq(table.real, 0.5);
        ck_assert_str_eq(table.name, "n");
        ck_assert_ptr_null(table.note);
        ck_assert_int_eq(table.mask, 1);
        ck_assert_uint_eq(table.splits, 6);
        ck_assert_int_eq(table.every.unit, PXR_EPOCHS);
        ck_assert_int_eq(table.every.count, 1);
        ck_assert_int_eq(table.pause.unit, PXR_NEVER);
        ck_assert_str_eq(table.optimizer.variant->name, "sgd");
        ck_assert_double_eq(((const struct table_sgd *)table.optimizer.conf)->momentum, 0.9);
        ck_assert_ptr_null(table.schedule.variant);
        ck_assert_int_eq(table.inner.depth, 1);
        ck_assert_ptr_null(table.inner.label);
        ck_assert_int_eq(table.node->kind, PXR_YAML_MAPPING);
}
END_TEST

START_TEST(only_true_and_false_are_booleans)
{
        accepted("flag: true");
        ck_assert(table.flag);
        accepted("flag: TRUE");
        ck_assert(table.flag);
        accepted("flag: False");
        ck_assert(!table.flag);
        refused("flag: 'true'", "spec: 'flag': expected true or false, got 'true'");
        refused("flag: tRUE", "spec: 'flag': expected true or false, got 'tRUE'");
        refused("flag:", "spec: 'flag': expected true or false, got nothing");
        refused("flag: [true]", "spec: 'flag': expected true or false, got a list");
        ck_assert_ptr_null(read_lines("flag: on"));
        expect_shown("x.yaml:3:7: error: spec: 'flag': expected true or false, got 'on'\n"
                     "    3 | flag: on\n"
                     "      |       ^~ write true\n");
        ck_assert_ptr_null(read_lines("flag: No"));
        expect_shown("x.yaml:3:7: error: spec: 'flag': expected true or false, got 'No'\n"
                     "    3 | flag: No\n"
                     "      |       ^~ write false\n");
}
END_TEST

START_TEST(integers_are_those_of_yaml_1_2)
{
        static const struct {
                const char *text;
                int64_t value;
        } sound_ones[] = { { "0x1f", 31 }, { "0o17", 15 }, { "+7", 7 },    { "-63", -63 },
                           { "63", 63 },   { "007", 7 },   { "0x1F", 31 }, { "-1", -1 } };
        static const char *const wrong[] = { "1.5", "0b11", "1_000", "0x",  "0o8", "1e1", "\"1\"",
                                             "one", "--1",  "+",     "1 2", "0X1", "+0x1" };

        for (size_t i = 0; i < sizeof(sound_ones) / sizeof(sound_ones[0]); i++) {
                accepted(pxr_strf(arena, "whole: %s", sound_ones[i].text));
                ck_assert_int_eq(table.whole, sound_ones[i].value);
        }
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                const char *bare = strcmp(wrong[i], "\"1\"") == 0 ? "1" : wrong[i];

                refused(pxr_strf(arena, "whole: %s", wrong[i]),
                        pxr_strf(arena, "spec: 'whole': expected an integer, got '%s'", bare));
        }
        refused("whole: [1]", "spec: 'whole': expected an integer, got a list");
        refused("whole: {a: 1}", "spec: 'whole': expected an integer, got a mapping");
        refused("whole:", "spec: 'whole': expected an integer, got nothing");
        refused("whole: null", "spec: 'whole': expected an integer, got nothing");
}
END_TEST

START_TEST(integers_outside_their_range_are_refused)
{
        refused("whole: 64", "spec: 'whole' must be from -63 to 63, not 64");
        refused("whole: -64", "spec: 'whole' must be from -63 to 63, not -64");
        refused("whole: 99999999999999999999",
                "spec: 'whole' must be from -63 to 63, not 99999999999999999999");
        refused("whole: -99999999999999999999",
                "spec: 'whole' must be from -63 to 63, not -99999999999999999999");
        accepted("seed: 9007199254740992");
        ck_assert_int_eq(table.seed, 9007199254740992);
        refused("seed: 9007199254740993",
                "spec: 'seed' must be from 0 to 9007199254740992, not 9007199254740993");
        refused("seed: -1", "spec: 'seed' must be from 0 to 9007199254740992, not -1");
}
END_TEST

START_TEST(numbers_are_those_of_yaml_1_2)
{
        static const struct {
                const char *text;
                double value;
        } sound_ones[] = { { "1e-3", 1e-3 }, { ".5", 0.5 },   { "0.", 0 },   { "1.", 1 },
                           { "+.5", 0.5 },   { "1E-1", 0.1 }, { "-0", 0 },   { "5e-1", 0.5 },
                           { "1", 1 },       { "1e-999", 0 }, { "0x1", 1 },  { "0o1", 1 },
                           { "0e9", 0 },     { "0.1e+1", 1 }, { "1e-0", 1 }, { "000.5", 0.5 } };
        static const char *const wrong[] = { ".",    "e3",   "1e",   ".e3",   "1e+",
                                             ".inf", ".nan", "inf",  "nan",   "0x",
                                             "0x.8", "1,5",  "0.5f", "'0.5'", "1_0.0" };

        for (size_t i = 0; i < sizeof(sound_ones) / sizeof(sound_ones[0]); i++) {
                accepted(pxr_strf(arena, "real: %s", sound_ones[i].text));
                ck_assert_double_eq(table.real, sound_ones[i].value);
        }
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                const char *bare = strcmp(wrong[i], "'0.5'") == 0 ? "0.5" : wrong[i];

                refused(pxr_strf(arena, "real: %s", wrong[i]),
                        pxr_strf(arena, "spec: 'real': expected a number, got '%s'", bare));
        }
        refused("real: 1.0000000000000002", "spec: 'real' must be from 0 to 1, not "
                                            "1.0000000000000002");
        refused("real: -1e-300", "spec: 'real' must be from 0 to 1, not -1e-300");
        refused("real: 1e999", "spec: 'real' must be from 0 to 1, not 1e999");
        refused("real: -1e999", "spec: 'real' must be from 0 to 1, not -1e999");
}
END_TEST

START_TEST(misspelt_numbers_get_a_suggestion)
{
        static const struct {
                const char *line, *hint;
        } cases[] = {
                { "whole: 1e1", "write 10" },    { "whole: 1_0", "write 10" },
                { "whole: 3.0", "write 3" },     { "whole: '3'", "in quotes it is a string" },
                { "whole: 3.5", NULL },          { "whole: three", NULL },
                { "real: 0_0.5", "write 00.5" }, { "real: \"1\"", "in quotes it is a string" }
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *text;

                ck_assert_ptr_null(read_lines(cases[i].line));
                text = printed_errors(diag, "pxr");
                if (cases[i].hint)
                        ck_assert_msg(strstr(text, cases[i].hint) != NULL, "%s", text);
                else
                        ck_assert_msg(!strstr(text, "write") && !strstr(text, "quotes"), "%s",
                                      text);
                pxr_diag_clear(diag);
        }
}
END_TEST

START_TEST(strings_may_look_like_other_types)
{
        static const char *const words[] = { "no", "on", "1", "1e3", "true", "0x1f", "2020-01-01" };

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                accepted(pxr_strf(arena, "note: %s", words[i]));
                ck_assert_str_eq(table.note, words[i]);
                accepted(pxr_strf(arena, "note: \"%s\"", words[i]));
                ck_assert_str_eq(table.note, words[i]);
        }
        accepted("note: ''");
        ck_assert_str_eq(table.note, "");
        accepted("note: 'null'");
        ck_assert_str_eq(table.note, "null");
        refused("note: [a]", "spec: 'note': expected a string, got a list");
        refused("note: {a: b}", "spec: 'note': expected a string, got a mapping");
}
END_TEST

START_TEST(only_optional_strings_may_be_empty)
{
        static const char *const empty[] = { "", "~", "null", "Null", "NULL" };

        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
                struct pxr_yaml *root;

                accepted(pxr_strf(arena, "note: %s", empty[i]));
                ck_assert_ptr_null(table.note);
                root = sound(parse(pxr_strf(arena, "layers: [relu]\nname: %s", empty[i])));
                ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
                ck_assert_str_eq(pxr_diag_text(diag, 0),
                                 "spec: 'name': expected a string, got nothing");
                pxr_diag_clear(diag);
        }
}
END_TEST

START_TEST(an_enum_must_be_one_of_its_names)
{
        accepted("mask: A");
        ck_assert_int_eq(table.mask, 0);
        accepted("mask: \"B\"");
        ck_assert_int_eq(table.mask, 1);
        refused("mask: a", "spec: 'mask' cannot be 'a'");
        refused("mask:", "spec: 'mask' cannot be empty");
        refused("mask: [A]", "spec: 'mask' cannot be a list or a mapping");
        ck_assert_ptr_null(read_lines("mask: AA"));
        expect_shown("x.yaml:3:7: error: spec: 'mask' cannot be 'AA'\n"
                     "    3 | mask: AA\n"
                     "      |       ^~ did you mean 'A'?\n"
                     "note: it can be A or B\n");
}
END_TEST

START_TEST(a_set_is_a_list_of_names)
{
        accepted("splits: [test, train]");
        ck_assert_uint_eq(table.splits, 5);
        accepted("splits: valid");
        ck_assert_uint_eq(table.splits, 2);
        accepted("splits: [test, test]");
        ck_assert_uint_eq(table.splits, 4);
        accepted("splits: []");
        ck_assert_uint_eq(table.splits, 0);
        refused("splits: {test: 1}", "spec: 'splits' must be a list of names, not a mapping");
        refused("splits: [[test]]", "spec: 'splits' cannot be a list or a mapping");
        refused("splits:", "spec: 'splits' cannot be empty");
        ck_assert_ptr_null(read_lines("splits: [tests, train, dev]"));
        expect_shown("x.yaml:3:10: error: spec: 'splits' cannot be 'tests'\n"
                     "    3 | splits: [tests, train, dev]\n"
                     "      |          ^~~~~ did you mean 'test'?\n"
                     "note: it can be train, valid or test\n"
                     "x.yaml:3:24: error: spec: 'splits' cannot be 'dev'\n"
                     "    3 | splits: [tests, train, dev]\n"
                     "      |                        ^~~\n"
                     "note: it can be train, valid or test\n");
}
END_TEST

START_TEST(intervals_are_a_number_and_a_unit)
{
        accepted("every: 5 epochs");
        ck_assert_int_eq(table.every.count, 5);
        ck_assert_int_eq(table.every.unit, PXR_EPOCHS);
        accepted("every: 1  step");
        ck_assert_int_eq(table.every.unit, PXR_STEPS);
        accepted("every: 1000000000 steps");
        accepted("every: never");
        ck_assert_int_eq(table.every.unit, PXR_NEVER);
        refused("every: 0 steps", "spec: 'every' must be from 1 to 1000000000, not 0 steps");
        refused("every: 1000000001 steps",
                "spec: 'every' must be from 1 to 1000000000, not 1000000001 steps");
        refused("every: 99999999999999999999 steps",
                "spec: 'every' must be from 1 to 1000000000, not 99999999999999999999 steps");
        refused("every: 5",
                "spec: 'every': expected an interval, such as '5 epochs', '100 steps' or "
                "'never', got '5'");
        refused("every: 5 hours", "spec: 'every': expected an interval in steps or epochs, got '5 "
                                  "hours'");
        refused("every: 5 steps more",
                "spec: 'every': expected an interval, such as '5 epochs', '100 "
                "steps' or 'never', got '5 steps more'");
        refused("every: 1.5 epochs",
                "spec: 'every': expected an interval, such as '5 epochs', '100 "
                "steps' or 'never', got '1.5 epochs'");
        refused("every:", "spec: 'every': expected an interval, such as '5 epochs', '100 steps' or "
                          "'never', got nothing");
        refused("every: [5, steps]",
                "spec: 'every': expected an interval, such as '5 epochs', '100 "
                "steps' or 'never', got a list");
}
END_TEST

START_TEST(a_choice_has_its_own_options)
{
        accepted("optimizer: {adam: {rate: 2}}");
        ck_assert_str_eq(table.optimizer.variant->name, "adam");
        ck_assert_double_eq(((const struct table_adam *)table.optimizer.conf)->rate, 2);
        ck_assert_int_eq(((const struct table_adam *)table.optimizer.conf)->steps, 10);
        accepted("optimizer: none");
        ck_assert_ptr_null(table.optimizer.conf);
        accepted("optimizer: {sgd: }");
        accepted("schedule: sgd");
        ck_assert_str_eq(table.schedule.variant->name, "sgd");
        refused("optimizer: adam", "adam: the option 'rate' is missing");
        refused("optimizer: {adam: {rate: 1, rat: 2}}", "adam: unknown option 'rat'");
        refused("optimizer: {none: {rate: 1}}", "none: unknown option 'rate'");
        refused("optimizer: {adam: 3}", "adam: expected a mapping of options");
        refused("optimizer: {sgd: {}, none: {}}",
                "spec: 'optimizer' is one of several, not 'sgd' and 'none' together");
        refused("optimizer:", "spec: 'optimizer' must be a name, or NAME: {options}");
        refused("optimizer: {}", "spec: 'optimizer' must be a name, or NAME: {options}");
        refused("optimizer: [sgd]", "spec: 'optimizer' must be a name, or NAME: {options}");
        ck_assert_ptr_null(read_lines("optimizer: addam"));
        expect_shown("x.yaml:3:12: error: spec: unknown optimizer 'addam'\n"
                     "    3 | optimizer: addam\n"
                     "      |            ^~~~~ did you mean 'adam'?\n"
                     "note: it can be sgd, adam or none\n");
}
END_TEST

START_TEST(a_section_is_read_by_its_table)
{
        accepted("inner: {depth: 2, label: x}");
        ck_assert_int_eq(table.inner.depth, 2);
        ck_assert_str_eq(table.inner.label, "x");
        accepted("inner:");
        ck_assert_int_eq(table.inner.depth, 1);
        accepted("inner: 3");
        ck_assert_int_eq(table.inner.depth, 3);
        refused("inner: three", "inner: 'depth': expected an integer, got 'three'");
        refused("inner: [3]", "inner: expected a mapping of options");
        refused("inner: {deph: 3}", "inner: unknown option 'deph'");
        refused("inner: {depth: 10}", "inner: 'depth' must be from 1 to 9, not 10");
}
END_TEST

START_TEST(layers_must_be_a_list)
{
        struct pxr_yaml *root = sound(parse("name: x\nlayers: relu\n"));

        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        expect_error(PXR_FAULT_USER, "spec: 'layers': expected a list of layers, got 'relu'");
        root = sound(parse("name: x\nlayers: {relu: }\n"));
        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        expect_error(PXR_FAULT_USER, "spec: 'layers': expected a list of layers, got a mapping");
}
END_TEST

START_TEST(every_option_type_has_a_description)
{
        static const char *const words[] = {
                "string; required",
                "true or false; default false",
                "integer, -63 to 63; default 3",
                "integer, 0 to 9007199254740992; default 1",
                "number, 0 to 1; default 0.5",
                "string",
                "one of A or B; default B",
                "list of train, valid or test; default [valid, test]",
                "interval: '5 epochs', '100 steps' or 'never'; default 1 epoch",
                "interval: '5 epochs', '100 steps' or 'never'",
                "one of sgd, adam or none, with options of its own; default sgd",
                "one of sgd, adam or none, with options of its own",
                "mapping",
                "list of layers; required",
                "mapping; default {}",
        };

        for (int i = 0; table_rows[i].type; i++)
                ck_assert_str_eq(pxr_option_description(arena, &table_rows[i]), words[i]);
}
END_TEST

START_TEST(fields_can_be_checked_together)
{
        accepted("whole: 5");
        ck_assert_ptr_null(read_lines("whole: 4"));
        expect_shown("x.yaml:3:8: error: spec: 'whole' must be odd\n"
                     "    3 | whole: 4\n"
                     "      |        ^\n");
}
END_TEST

/* --- several at once ---------------------------------------------------------------------------
 */

START_TEST(all_errors_of_a_spec_are_shown_at_once)
{
        struct pxr_yaml *root = sound(parse("flog: true\n"
                                            "real: 2\n"
                                            "splits: [test, tset]\n"
                                            "inner:\n"
                                            "  depth: x\n"
                                            "  dept: 3\n"
                                            "qqqqqqqq: 1\n"
                                            "layers:\n"
                                            "  - conv: {coutn: 2}\n"
                                            "  - rleu\n"));

        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        expect_shown("x.yaml:1:1: error: spec: unknown option 'flog'\n"
                     "    1 | flog: true\n"
                     "      | ^~~~ did you mean 'flag'?\n"
                     "x.yaml:2:7: error: spec: 'real' must be from 0 to 1, not 2\n"
                     "    2 | real: 2\n"
                     "      |       ^\n"
                     "x.yaml:3:16: error: spec: 'splits' cannot be 'tset'\n"
                     "    3 | splits: [test, tset]\n"
                     "      |                ^~~~ did you mean 'test'?\n"
                     "note: it can be train, valid or test\n"
                     "x.yaml:5:10: error: inner: 'depth': expected an integer, got 'x'\n"
                     "    5 |   depth: x\n"
                     "      |          ^\n"
                     "x.yaml:6:3: error: inner: unknown option 'dept'\n"
                     "    6 |   dept: 3\n"
                     "      |   ^~~~ did you mean 'depth'?\n"
                     "x.yaml:7:1: error: spec: unknown option 'qqqqqqqq'\n"
                     "    7 | qqqqqqqq: 1\n"
                     "      | ^~~~~~~~\n"
                     "note: options of spec: name, flag, whole, seed, real, note, mask, splits, "
                     "every, pause, optimizer, schedule, inner, layers, node\n"
                     "x.yaml:1:1: error: spec: the option 'name' is missing\n"
                     "    1 | flog: true\n"
                     "      | ^ name: what it is called\n"
                     "x.yaml:9:12: error: conv: unknown option 'coutn'\n"
                     "    9 |   - conv: {coutn: 2}\n"
                     "      |            ^~~~~ did you mean 'count'?\n"
                     "x.yaml:10:5: error: there is no layer 'rleu'\n"
                     "   10 |   - rleu\n"
                     "      |     ^~~~\n");
}
END_TEST

START_TEST(more_than_twenty_errors_are_counted)
{
        struct pxr_yaml *root;
        char *text = pxr_strdup(arena, "name: n\nlayers: [relu]\n"), *shown;

        for (int i = 0; i < 25; i++)
                text = pxr_strf(arena, "%sunknown_%d: 1\n", text, i);
        root = sound(parse(text));
        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        ck_assert_int_eq(pxr_diag_errors(diag), 25);
        shown = printed_errors(diag, "pxr");
        ck_assert_ptr_nonnull(strstr(shown, "unknown_19"));
        ck_assert_ptr_null(strstr(shown, "unknown_20"));
        ck_assert_ptr_nonnull(strstr(shown, "\npxr: 5 more not shown\n"));
}
END_TEST

START_TEST(the_error_of_a_huge_value_is_short)
{
        char *huge = pxr_alloc(arena, 500001), *shown;

        memset(huge, 'x', 500000);
        ck_assert_ptr_null(read_lines(pxr_strf(arena, "whole: %s", huge)));
        shown = printed_errors(diag, "pxr");
        ck_assert_uint_lt(strlen(shown), 2000);
        ck_assert_ptr_nonnull(
                strstr(shown, "x.yaml:3:8: error: spec: 'whole': expected an integer"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("options");

        ADD_SPEC_TEST(suite, a_missing_option_has_its_default);
        ADD_SPEC_TEST(suite, only_true_and_false_are_booleans);
        ADD_SPEC_TEST(suite, integers_are_those_of_yaml_1_2);
        ADD_SPEC_TEST(suite, integers_outside_their_range_are_refused);
        ADD_SPEC_TEST(suite, numbers_are_those_of_yaml_1_2);
        ADD_SPEC_TEST(suite, misspelt_numbers_get_a_suggestion);
        ADD_SPEC_TEST(suite, strings_may_look_like_other_types);
        ADD_SPEC_TEST(suite, only_optional_strings_may_be_empty);
        ADD_SPEC_TEST(suite, an_enum_must_be_one_of_its_names);
        ADD_SPEC_TEST(suite, a_set_is_a_list_of_names);
        ADD_SPEC_TEST(suite, intervals_are_a_number_and_a_unit);
        ADD_SPEC_TEST(suite, a_choice_has_its_own_options);
        ADD_SPEC_TEST(suite, a_section_is_read_by_its_table);
        ADD_SPEC_TEST(suite, layers_must_be_a_list);
        ADD_SPEC_TEST(suite, every_option_type_has_a_description);
        ADD_SPEC_TEST(suite, fields_can_be_checked_together);
        ADD_SPEC_TEST(suite, all_errors_of_a_spec_are_shown_at_once);
        ADD_SPEC_TEST(suite, more_than_twenty_errors_are_counted);
        ADD_SPEC_TEST(suite, the_error_of_a_huge_value_is_short);
        return run_suite(suite);
}
