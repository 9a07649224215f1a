/* SPDX-License-Identifier: MIT */
/* check_compose.c - one spec from files, the files they extend, and the command line; and what says
 * where each value came from. */
#include "spec.h"

#include <sys/stat.h>

/* Loading must end with errors shown like this. */
#define REFUSED(shown, ...)                            \
        do {                                           \
                ck_assert_ptr_null(LOAD(__VA_ARGS__)); \
                expect_shown(shown);                   \
        } while (0)

static void expect_explained(struct pxr_yaml *root, const char *path, const char *expected)
{
        ck_assert_str_eq(sound(pxr_yaml_explain(arena, root, path, diag)), expected);
}

/* --- files -------------------------------------------------------------------------------------
 */

START_TEST(specs_in_any_encoding_and_line_ending_are_read)
{
        spec_file("unix", "a: 1\nb: {c: x}\n");
        spec_file("dos", "a: 1\r\nb: {c: x}\r\n");
        spec_file("mark", "\xEF\xBB\xBF"
                          "a: 1\nb: {c: x}");
        spec_file("mac", "a: 1\rb: {c: x}\r");
        for (int i = 0; i < 4; i++) {
                static const char *const names[] = { "unix", "dos", "mark", "mac" };
                struct pxr_yaml *root = sound(LOAD(names[i]));

                ck_assert_str_eq(value_at(root, "a"), "1");
                ck_assert_str_eq(value_at(root, "b.c"), "x");
                expect_explained(root, "b", pxr_strf(arena, "b.c = x (%s:2:8)\n", names[i]));
        }
}
END_TEST

START_TEST(an_empty_file_is_an_empty_spec)
{
        spec_file("empty", "");
        ck_assert_ptr_null(((struct pxr_yaml *)sound(LOAD("empty")))->first);
        ck_assert_str_eq(value_at(sound(LOAD("empty", "a.b=1")), "a.b"), "1");
}
END_TEST

START_TEST(a_folder_a_pipe_and_a_list_are_refused_as_specs)
{
        mkdir("folder", 0777);
        REFUSED("pxr: error: folder: is a folder, not a file\n", "folder");
        ck_assert_int_eq(mkfifo("pipe", 0600), 0);
        REFUSED("pxr: error: pipe: is a device or pipe, not a file\n", "pipe");
        spec_file("child", "extends: pipe\n");
        REFUSED("child:1:10: error: pipe: is a device or pipe, not a file\n"
                "    1 | extends: pipe\n"
                "      |          ^~~~\n",
                "child");
        REFUSED("pxr: error: cannot open none: No such file or directory\n", "none");
        spec_file("list", "- 1\n");
        REFUSED("list:1:1: error: a spec is a mapping (name: ..., data: ...)\n"
                "    1 | - 1\n"
                "      | ^\n",
                "list");
}
END_TEST

START_TEST(the_standard_input_is_a_spec)
{
        spec_file("in.yaml", "extends: base.yaml\na: 1\n");
        spec_file("base.yaml", "b: 2\n");
        ck_assert_ptr_nonnull(freopen("in.yaml", "rb", stdin));
        expect_explained(sound(LOAD("-", "c=3")), "",
                         "a = 1 (standard input:2:4)\n"
                         "b = 2 (base.yaml:1:4)\n"
                         "c = 3 (command line: c=3)\n");
        spec_file("in.yaml", "extends: '-'\n");
        ck_assert_ptr_nonnull(freopen("in.yaml", "rb", stdin));
        REFUSED("standard input:1:10: error: cannot open -: No such file or directory\n"
                "    1 | extends: '-'\n"
                "      |          ^~~\n",
                "-");
}
END_TEST

/* --- extends -----------------------------------------------------------------------------------
 */

START_TEST(a_spec_overrides_its_bases)
{
        spec_file("a", "extends: b\nx: a\nlist: [1]\nm: {p: a}\nempty:\n");
        spec_file("b", "extends: c\nx: b\ny: b\nlist: [2, 3]\nm: {p: b, q: b}\nempty: {k: b}\n");
        spec_file("c", "x: c\ny: c\nz: c\nm: {q: c, r: {s: c}}\n");
        expect_explained(sound(LOAD("a")), "",
                         "x = a (a:2:4)\n"
                         "list.0 = 1 (a:3:8)\n"
                         "m.p = a (a:4:8)\n"
                         "m.q = b (b:5:14)\n"
                         "m.r.s = c (c:4:18)\n"
                         "empty.k = b (b:6:12)\n"
                         "y = b (b:3:4)\n"
                         "z = c (c:3:4)\n");
}
END_TEST

START_TEST(the_first_of_several_bases_wins)
{
        spec_file("a", "extends: [b, c]\nx: a\n");
        spec_file("b", "x: b\ny: b\n");
        spec_file("c", "x: c\ny: c\nz: c\n");
        expect_explained(sound(LOAD("a")), "",
                         "x = a (a:2:4)\n"
                         "y = b (b:2:4)\n"
                         "z = c (c:3:4)\n");
}
END_TEST

START_TEST(base_paths_are_relative_to_the_file_that_names_them)
{
        mkdir("one", 0777);
        mkdir("one/two", 0777);
        spec_file("one/a", "extends: two/b\n");
        spec_file("one/two/b", "extends: ../c\n");
        spec_file("one/c", pxr_strf(arena, "extends: %s/d\n", scratch));
        spec_file("d", "x: d\n");
        ck_assert_str_eq(value_at(sound(LOAD("one/a")), "x"), "d");
}
END_TEST

START_TEST(an_unreadable_base_is_an_error_at_the_line_that_names_it)
{
        spec_file("a", "x: 1\nextends: [b, none]\n");
        spec_file("b", "");
        REFUSED("a:2:14: error: cannot open none: No such file or directory\n"
                "    2 | extends: [b, none]\n"
                "      |              ^~~~\n",
                "a");
        spec_file("b", "x: [\n");
        REFUSED("b:1:5: error: this is not YAML: a value is missing here\n"
                "    1 | x: [\n"
                "      |     ^\n"
                "note: it is extended on line 2 of a\n",
                "a");
        spec_file("a", "extends: {b: c}\n");
        REFUSED("a:1:10: error: 'extends' must be a file or a list of files\n"
                "    1 | extends: {b: c}\n"
                "      |          ^\n",
                "a");
        spec_file("a", "extends:\n");
        REFUSED("a:1:9: error: 'extends' must be a file or a list of files\n"
                "    1 | extends:\n"
                "      |         ^\n",
                "a");
}
END_TEST

START_TEST(a_spec_that_extends_itself_is_refused)
{
        mkdir("f", 0777);
        spec_file("a", "extends: f/b\n");
        spec_file("f/b", "extends: ../f/../a\n");
        REFUSED("f/b:1:10: error: f/../f/../a: extends itself\n"
                "    1 | extends: ../f/../a\n"
                "      |          ^~~~~~~~~\n",
                "a");
        REFUSED("f/../f/../a:1:10: error: f/../f/../f/b: extends itself\n"
                "    1 | extends: f/b\n"
                "      |          ^~~\n",
                "f/b");
}
END_TEST

START_TEST(the_number_and_depth_of_bases_are_limited)
{
        for (int i = 0; i < 20; i++)
                spec_file(pxr_strf(arena, "s%d", i),
                          i < 19 ? pxr_strf(arena, "extends: s%d\n", i + 1) : "x: 1\n");
        ck_assert_str_eq(value_at(sound(LOAD("s4")), "x"), "1");
        ck_assert_ptr_null(LOAD("s3"));
        expect_error(PXR_FAULT_USER, "more than 16 specs extend one another");
        for (int i = 0; i < 12; i++)
                spec_file(pxr_strf(arena, "t%d", i),
                          i < 11 ? pxr_strf(arena, "extends: [t%d, t%d]\n", i + 1, i + 1) : "");
        sound(LOAD("t7"));
        ck_assert_ptr_null(LOAD("t0"));
        expect_error(PXR_FAULT_USER, "a spec can extend 63 files and no more");
}
END_TEST

/* --- overrides ---------------------------------------------------------------------------------
 */

START_TEST(overrides_replace_and_add_values_and_index_lists)
{
        struct pxr_yaml *root;

        spec_file("a", "train: {batch: 16, more: }\nmodel:\n  - conv: {k: 7}\n  - repeat: 7\n");
        root = sound(LOAD("a", "train.batch=32", "model.1.repeat=3", "train.more.x={y: [1, 2]}",
                          "data.path=a=b", "model.0.conv.k=5", "train.batch=64"));
        expect_explained(root, "",
                         "train.batch = 64 (command line: train.batch=64)\n"
                         "train.more.x.y.0 = 1 (command line: train.more.x={y: [1, 2]})\n"
                         "train.more.x.y.1 = 2 (command line: train.more.x={y: [1, 2]})\n"
                         "model.0.conv.k = 5 (command line: model.0.conv.k=5)\n"
                         "model.1.repeat = 3 (command line: model.1.repeat=3)\n"
                         "data.path = a=b (command line: data.path=a=b)\n");
}
END_TEST

START_TEST(overrides_set_options_of_a_layer_written_as_its_name)
{
        struct pxr_yaml *root;

        spec_file("a", "model: [relu, repeat: 7]\noptimizer: rmsprop\n");
        root = sound(LOAD("a", "model.0.relu.x=1", "optimizer.rmsprop.rate=2",
                          "model.1.repeat.count=3"));
        expect_explained(root, "",
                         "model.0.relu.x = 1 (command line: model.0.relu.x=1)\n"
                         "model.1.repeat.count = 3 (command line: model.1.repeat.count=3)\n"
                         "optimizer.rmsprop.rate = 2 (command line: optimizer.rmsprop.rate=2)\n");
        root = sound(LOAD("a", "model.0.conv.k=1", "optimizer.adam.rate=2"));
        expect_explained(root, "model.0", "model.0.conv.k = 1 (command line: model.0.conv.k=1)\n");
        expect_explained(root, "optimizer",
                         "optimizer.adam.rate = 2 (command line: optimizer.adam.rate=2)\n");
}
END_TEST

START_TEST(an_empty_override_is_an_empty_value)
{
        struct pxr_yaml *root;

        spec_file("a", "x: 1\n");
        root = sound(LOAD("a", "x=", "y= ", "z=# nothing"));
        for (struct pxr_yaml *child = root->first; child; child = child->next) {
                ck_assert_int_eq(child->kind, PXR_YAML_SCALAR);
                ck_assert_str_eq(child->text, "");
        }
        ck_assert_int_eq(root->count, 3);
}
END_TEST

START_TEST(errors_of_overrides_point_at_the_command_line)
{
        struct table table;
        struct pxr_yaml *root;

        spec_file("a", "name: x\nlayers: [conv]\ninner: {depth: 2}\n");
        root = sound(LOAD("a", "inner.dept=1", "größe=", "whole=1e3", "flag=", "layers.0.conv.y=0",
                          "inner.depth={a: 77}", "optimizer={\n sdg}"));
        ck_assert_int_eq(table_read(arena, root, &table, diag), -1);
        expect_shown(
                "command line:1:13: error: inner: 'depth': expected an integer, got a mapping\n"
                "    1 | inner.depth={a: 77}\n"
                "      |             ^\n"
                "command line:1:7: error: inner: unknown option 'dept'\n"
                "    1 | inner.dept=1\n"
                "      |       ^~~~ did you mean 'depth'?\n"
                "command line:1:1: error: spec: unknown option 'größe'\n"
                "    1 | größe=\n"
                "      | ^~~~~\n"
                "note: options of spec: name, flag, whole, seed, real, note, mask, splits, "
                "every, pause, optimizer, schedule, inner, layers, node\n"
                "command line:1:7: error: spec: 'whole': expected an integer, got '1e3'\n"
                "    1 | whole=1e3\n"
                "      |       ^~~ write 1000\n"
                "command line:1:6: error: spec: 'flag': expected true or false, got nothing\n"
                "    1 | flag=\n"
                "      |      ^\n"
                "command line:2:2: error: spec: unknown optimizer 'sdg'\n"
                "    2 |  sdg}\n"
                "      |  ^~~ did you mean 'sgd'?\n"
                "note: it can be sgd, adam or none\n"
                "command line:1:15: error: conv: unknown option 'y'\n"
                "    1 | layers.0.conv.y=0\n"
                "      |               ^\n"
                "note: options of conv: count\n");
}
END_TEST

START_TEST(all_invalid_overrides_are_reported)
{
        spec_file("a", "x: 1\nlist: [1, 2]\nnone: []\n");
        REFUSED("pxr: error: invalid override 'word': expected KEY=VALUE\n"
                "pxr: error: invalid override '=1': expected KEY=VALUE\n"
                "command line:1:1: error: a name is missing here\n"
                "    1 | .x=1\n"
                "      | ^\n"
                "command line:1:3: error: a name is missing here\n"
                "    1 | x.=1\n"
                "      |   ^\n"
                "command line:1:6: error: no item '2': the list has items 0 to 1\n"
                "    1 | list.2=1\n"
                "      |      ^\n"
                "command line:1:6: error: no item 'a': the list has items 0 to 1\n"
                "    1 | list.a.b=1\n"
                "      |      ^\n"
                "command line:1:6: error: no item '0': the list is empty\n"
                "    1 | none.0=1\n"
                "      |      ^\n",
                "a", "word", "=1", ".x=1", "x.=1", "list.2=1", "list.a.b=1", "none.0=1");
        REFUSED("command line:1:8: error: this is not YAML: a value is missing here\n"
                "    1 | größe={\n"
                "      |        ^\n",
                "a", "größe={");
        REFUSED("command line:1:3: error: a name cannot hold control characters\n"
                "    1 | x.y z=1\n"
                "      |   ^~~\n",
                "a", "x.y\tz=1");
        REFUSED("pxr: error: 'x=\\xff' is not UTF-8 text\n", "a", "x=\xFF");
        REFUSED("command line:1:1: error: 'extends' is allowed in files only\n"
                "    1 | extends=b\n"
                "      | ^~~~~~~\n",
                "a", "extends=b");
}
END_TEST

START_TEST(an_override_replaces_the_choice_of_a_base_or_of_the_file)
{
        struct table table;

        spec_file("c", "name: x\nlayers: [relu]\noptimizer: {sgd: {momentum: 0.5}}\n");
        spec_file("b", "extends: c\noptimizer: {adam: {rate: 1}}\n");
        spec_file("a", "extends: b\noptimizer: {none: }\n");
        ck_assert_int_eq(table_read(arena, sound(LOAD("b")), &table, diag), 0);
        ck_assert_str_eq(table.optimizer.variant->name, "adam");
        ck_assert_int_eq(table_read(arena, sound(LOAD("a")), &table, diag), 0);
        ck_assert_str_eq(table.optimizer.variant->name, "none");
        spec_file("a", "extends: b\n"); /* both come from bases: the nearer wins */
        ck_assert_int_eq(table_read(arena, sound(LOAD("a")), &table, diag), 0);
        ck_assert_str_eq(table.optimizer.variant->name, "adam");
        ck_assert_int_eq(table_read(arena, sound(LOAD("a", "optimizer.sgd.rate=2")), &table, diag),
                         0);
        ck_assert_str_eq(table.optimizer.variant->name, "adam");
        ck_assert_int_eq(table_read(arena, sound(LOAD("c", "optimizer.adam.rate=2")), &table, diag),
                         0);
        ck_assert_str_eq(table.optimizer.variant->name, "adam");
        ck_assert_int_eq(table_read(arena,
                                    sound(LOAD("c", "optimizer.adam.rate=2", "optimizer.none=")),
                                    &table, diag),
                         -1);
        ck_assert_str_eq(pxr_diag_text(diag, 0),
                         "spec: 'optimizer' is one of several, not 'adam' and 'none' together");
}
END_TEST

/* --- explain -----------------------------------------------------------------------------------
 */

START_TEST(explain_prints_every_value_with_its_origin)
{
        struct table table;
        struct pxr_yaml *root;

        spec_file("a", "extends: b\nname: x\nwhole: 0x11\nlayers: [relu]\n");
        spec_file("b", "inner: {label: \"two\\nlines\"}\nreal: 0.250\n");
        root = sound(LOAD("a", "flag=TRUE", "note='1'", "splits=[]"));
        ck_assert_int_eq(table_read(arena, root, &table, diag), 0);
        expect_explained(root, "name", "name = x (a:2:7)\n");
        expect_explained(root, "whole", "whole = 17 (a:3:8)\n");
        expect_explained(root, "real", "real = 0.25 (b:2:7)\n");
        expect_explained(root, "flag", "flag = true (command line: flag=TRUE)\n");
        expect_explained(root, "note", "note = '1' (command line: note='1')\n");
        expect_explained(root, "splits", "splits = [] (command line: splits=[])\n");
        expect_explained(root, "inner",
                         "inner.depth = 1 (default)\n"
                         "inner.label = \"two\\nlines\" (b:1:16)\n");
        expect_explained(root, "layers", "layers.0.relu = {} (a:4:10)\n");
        expect_explained(root, "optimizer.sgd.rate", "optimizer.sgd.rate = 0.1 (default)\n");
        ck_assert_ptr_nonnull(
                strstr(pxr_yaml_explain(arena, root, "", diag), "\nevery = 1 epoch (default)\n"));
}
END_TEST

START_TEST(explaining_an_unknown_key_suggests_the_nearest)
{
        static const char *const cases[][2] = {
                { "x", "pxr: error: nothing is set at 'x'\n" },
                { "trian.batch", "pxr: error: nothing is set at 'trian.batch'\n"
                                 "note: did you mean 'train'?\n" },
                { "train.bacth", "pxr: error: nothing is set at 'train.bacth'\n"
                                 "note: did you mean 'train.batch'?\n" },
                { "train.batch.x", "pxr: error: nothing is set at 'train.batch.x'\n" },
                { "model.2", "pxr: error: nothing is set at 'model.2'\n"
                             "note: the items of 'model' are 0 to 1\n" },
                { "model.x.y", "pxr: error: nothing is set at 'model.x.y'\n"
                               "note: the items of 'model' are 0 to 1\n" },
                { ".", "pxr: error: nothing is set at '.'\n" },
                { "train..batch", "pxr: error: nothing is set at 'train..batch'\n" },
        };
        struct pxr_yaml *root = sound(parse("train: {batch: 1}\nmodel: [a, b]\n"));

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                ck_assert_ptr_null(pxr_yaml_explain(arena, root, cases[i][0], diag));
                expect_shown(cases[i][1]);
        }
}
END_TEST

START_TEST(an_explanation_has_one_line_for_each_value)
{
        struct pxr_yaml *root;
        char *argument = pxr_alloc(arena, 5001), *text;

        memcpy(argument, "list=[1, 1", 10);
        for (int i = 10; i < 4999; i += 3)
                memcpy(argument + i, ", 1", 3);
        strcpy(strchr(argument, '\0'), "]");
        spec_file("a", "x: \"a\\tb\\x01\\u2028 \\\\ \\\" \\x85\"\n");
        root = sound(LOAD("a", argument, "y={a:\n1}"));
        text = sound(pxr_yaml_explain(arena, root, "", diag));
        ck_assert_ptr_nonnull(strstr(text, "x = \"a\\tb\\x01\\u2028 \\\\ \\\" \\x85\" (a:1:4)\n"));
        ck_assert_ptr_nonnull(strstr(text, "\nlist.0 = 1 (command line: list=...)\n"));
        ck_assert_ptr_nonnull(strstr(text, "\ny.a = 1 (command line: y=...)\n"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("compose");

        ADD_SPEC_TEST(suite, specs_in_any_encoding_and_line_ending_are_read);
        ADD_SPEC_TEST(suite, an_empty_file_is_an_empty_spec);
        ADD_SPEC_TEST(suite, a_folder_a_pipe_and_a_list_are_refused_as_specs);
        ADD_SPEC_TEST(suite, the_standard_input_is_a_spec);
        ADD_SPEC_TEST(suite, a_spec_overrides_its_bases);
        ADD_SPEC_TEST(suite, the_first_of_several_bases_wins);
        ADD_SPEC_TEST(suite, base_paths_are_relative_to_the_file_that_names_them);
        ADD_SPEC_TEST(suite, an_unreadable_base_is_an_error_at_the_line_that_names_it);
        ADD_SPEC_TEST(suite, a_spec_that_extends_itself_is_refused);
        ADD_SPEC_TEST(suite, the_number_and_depth_of_bases_are_limited);
        ADD_SPEC_TEST(suite, overrides_replace_and_add_values_and_index_lists);
        ADD_SPEC_TEST(suite, overrides_set_options_of_a_layer_written_as_its_name);
        ADD_SPEC_TEST(suite, an_empty_override_is_an_empty_value);
        ADD_SPEC_TEST(suite, errors_of_overrides_point_at_the_command_line);
        ADD_SPEC_TEST(suite, all_invalid_overrides_are_reported);
        ADD_SPEC_TEST(suite, an_override_replaces_the_choice_of_a_base_or_of_the_file);
        ADD_SPEC_TEST(suite, explain_prints_every_value_with_its_origin);
        ADD_SPEC_TEST(suite, explaining_an_unknown_key_suggests_the_nearest);
        ADD_SPEC_TEST(suite, an_explanation_has_one_line_for_each_value);
        return run_suite(suite);
}
