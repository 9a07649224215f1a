/* SPDX-License-Identifier: MIT */
/* check_yaml.c - YAML into a tree with locations: what is read, and what is refused where. */
#include "spec.h"

static struct pxr_location location_at(struct pxr_yaml *root, const char *path)
{
        const struct pxr_yaml *node = pxr_yaml_find(root, path);

        ck_assert_msg(node != NULL, "no node at '%s'", path);
        return node->location;
}

static void expect_location(struct pxr_location location, int line, int column, int length)
{
        ck_assert_int_eq(location.line, line);
        ck_assert_int_eq(location.column, column);
        ck_assert_int_eq(location.length, length);
}

/* A text that is refused with exactly one error, shown like this. */
static void refused(const char *text, const char *shown)
{
        ck_assert_ptr_null(parse(text));
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        expect_shown(shown);
}

START_TEST(a_tree_has_the_values_of_its_text)
{
        struct pxr_yaml *root = sound(parse("b: 1\n"
                                            "a:\n"
                                            "  x: [p, 'q', \"r\\n\"]\n"
                                            "  y: |\n"
                                            "    two\n"
                                            "    lines\n"
                                            "  z: >-\n"
                                            "    one\n"
                                            "    line\n"
                                            "? long\n"
                                            ": {}\n"));

        ck_assert_int_eq(root->count, 3);
        ck_assert_str_eq(root->first->key, "b");
        ck_assert_str_eq(root->last->key, "long");
        ck_assert_int_eq(root->last->kind, PXR_YAML_MAPPING);
        ck_assert_str_eq(value_at(root, "a.x.0"), "p");
        ck_assert_str_eq(value_at(root, "a.x.2"), "r\n");
        ck_assert(!pxr_yaml_find(root, "a.x.0")->quoted);
        ck_assert(pxr_yaml_find(root, "a.x.1")->quoted);
        ck_assert_str_eq(value_at(root, "a.y"), "two\nlines\n");
        ck_assert_str_eq(value_at(root, "a.z"), "one line");
        ck_assert_ptr_null(pxr_yaml_find(root, "a.x.3"));
        ck_assert_ptr_null(pxr_yaml_find(root, "a.x.-1"));
        ck_assert_ptr_null(pxr_yaml_find(root, "a.x.01"));
        ck_assert_ptr_null(pxr_yaml_find(root, "a..x"));
        ck_assert_str_eq(pxr_yaml_path(arena, pxr_yaml_find(root, "a.x.2")), "a.x.2");
}
END_TEST

START_TEST(an_empty_text_is_an_empty_mapping)
{
        static const char *const texts[] = { "",           "\n\n", "# a comment", "---\n",
                                             "---\n...\n", "~",    "null" };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct pxr_yaml *root = sound(parse(texts[i]));

                ck_assert_int_eq(root->kind, PXR_YAML_MAPPING);
                ck_assert_ptr_null(root->first);
        }
}
END_TEST

START_TEST(words_like_no_and_on_are_strings)
{
        struct pxr_yaml *root = sound(parse("[no, on, Yes, 0x1f, 1_000, 2020-01-01, 1:30]"));
        static const char *const texts[] = { "no",    "on",         "Yes", "0x1f",
                                             "1_000", "2020-01-01", "1:30" };
        int index = 0;

        for (struct pxr_yaml *item = root->first; item; item = item->next)
                ck_assert_str_eq(item->text, texts[index++]);
        ck_assert_int_eq(index, 7);
}
END_TEST

START_TEST(locations_count_characters_of_utf8)
{
        struct pxr_yaml *root = sound(parse("größe: {überall: 1, \xF0\x9F\x99\x82: 22}\n"));

        expect_location(location_at(root, "größe.überall"), 1, 18, 1);
        expect_location(location_at(root, "größe.\xF0\x9F\x99\x82"), 1, 24, 2);
}
END_TEST

START_TEST(locations_are_right_after_tabs_and_crlf)
{
        struct pxr_yaml *root = sound(parse("a:\t1\r\nb:\r\n  c:\t\t22 # \r\n\r\nd: 3"));

        expect_location(location_at(root, "a"), 1, 4, 1);
        expect_location(location_at(root, "b.c"), 3, 7, 2);
        expect_location(location_at(root, "d"), 5, 4, 1);
        ck_assert_str_eq(value_at(root, "b.c"), "22");
}
END_TEST

START_TEST(lines_of_every_kind_are_counted)
{
        struct pxr_yaml *root = sound(parse("a: 1\rb: 2\r\nc: 3\xC2\x85"
                                            "d: 4\n# \xE2\x80\xA8"
                                            "e: 5"));

        expect_location(location_at(root, "b"), 2, 4, 1);
        expect_location(location_at(root, "d"), 4, 4, 1);
        expect_location(location_at(root, "e"), 6, 4, 1);
        pxr_error_at(diag, location_at(root, "e"), "wrong");
        expect_shown("x.yaml:6:4: error: wrong\n    6 | e: 5\n      |    ^\n");
}
END_TEST

START_TEST(a_key_that_occurs_twice_is_refused)
{
        refused("a: {b: 1,\n    \"b\": 2}", "x.yaml:2:5: error: the key 'b' is here twice\n"
                                            "    2 |     \"b\": 2}\n"
                                            "      |     ^~~\n"
                                            "note: it was first on line 1\n");
}
END_TEST

START_TEST(tags_merge_keys_and_second_documents_are_refused)
{
        refused("a: !!int 1", "x.yaml:1:4: error: a spec has no use for tags, such as "
                              "tag:yaml.org,2002:int\n"
                              "    1 | a: !!int 1\n"
                              "      |    ^~~~~~~\n");
        refused("a: 1\n---\nb: 2\n",
                "x.yaml:2:1: error: a second document starts here: a spec is one document\n"
                "    2 | ---\n"
                "      | ^~~\n");
        refused("a: &x {k: 1}\nb: {<<: *x}",
                "x.yaml:2:5: error: merge keys are not part of YAML 1.2\n"
                "    2 | b: {<<: *x}\n"
                "      |     ^~\n"
                "note: 'extends: FILE' at the top of a spec joins specs\n");
        refused("{[a]: 1}", "x.yaml:1:2: error: a key must be a word, not a list or a mapping\n"
                            "    1 | {[a]: 1}\n"
                            "      |  ^\n");
        refused("a: \"x\\0y\"", "x.yaml:1:4: error: a spec cannot hold a NUL byte\n"
                                "    1 | a: \"x\\0y\"\n"
                                "      |    ^~~~~~\n");
}
END_TEST

START_TEST(a_tab_that_indents_is_explained)
{
        refused("a:\n\tb: 1\n", "x.yaml:2:1: error: this is not YAML: a tab cannot indent\n"
                                "    2 |  b: 1\n"
                                "      | ^ use spaces\n");
        refused("a: |\n\tx\n", "x.yaml:2:1: error: this is not YAML: a tab cannot indent\n"
                               "    2 |  x\n"
                               "      | ^ use spaces\n");
        refused("a: b\n\tc: 1\n", "x.yaml:2:1: error: this is not YAML: a tab cannot indent\n"
                                  "    2 |  c: 1\n"
                                  "      | ^ use spaces\n");
}
END_TEST

START_TEST(a_missing_space_is_explained)
{
        refused("a:\n  b: 1\n  batch:32\n  c: 1\n",
                "x.yaml:3:3: error: this is not YAML: expected 'KEY: value' or '- ITEM'\n"
                "    3 |   batch:32\n"
                "      |   ^ with a space after the ':' or the '-'\n");
        refused("a:\n  - b\n  -c\n",
                "x.yaml:3:3: error: this is not YAML: expected 'KEY: value' or '- ITEM'\n"
                "    3 |   -c\n"
                "      |   ^ with a space after the ':' or the '-'\n");
        refused("a:\n  batch:32\n  c: 1\n",
                "x.yaml:3:4: error: this is not YAML: unexpected ':'\n"
                "    3 |   c: 1\n"
                "      |    ^ is a space missing after the ':' on line 2?\n");
        refused("a: {b: 1, c:}\n",
                "x.yaml:1:12: error: this is not YAML: expected a space after this ':'\n"
                "    1 | a: {b: 1, c:}\n"
                "      |            ^\n");
}
END_TEST

START_TEST(wrong_indentation_is_explained)
{
        refused("a: 1\n  b: 2\n",
                "x.yaml:2:4: error: this is not YAML: unexpected ':'\n"
                "    2 |   b: 2\n"
                "      |    ^ wrong indentation, or a value that needs quotes?\n");
        refused("  a: 1\n b: 2\n",
                "x.yaml:2:2: error: this is not YAML: this goes with nothing above it\n"
                "    2 |  b: 2\n"
                "      |  ^ is it indented like those above?\n");
        refused("a: 1\nx:\n    b: 2\n  c: 3\n",
                "x.yaml:4:3: error: this is not YAML: expected a key\n"
                "    4 |   c: 3\n"
                "      |   ^ is it indented like those above?\n"
                "note: the mapping began on line 1\n");
        refused("a:\n  - 1\n  b: 2\n", "x.yaml:3:3: error: this is not YAML: expected '- '\n"
                                       "    3 |   b: 2\n"
                                       "      |   ^ is it indented like those above?\n"
                                       "note: the list began on line 2\n");
        refused("a: - 1\n", "x.yaml:1:4: error: this is not YAML: a list cannot begin here\n"
                            "    1 | a: - 1\n"
                            "      |    ^ begin it on a line of its own\n");
}
END_TEST

START_TEST(missing_brackets_and_quotes_are_explained)
{
        refused("a: [1, 2\nb: 3\n",
                "x.yaml:2:2: error: this is not YAML: a ',' or a ']' is missing before this\n"
                "    2 | b: 3\n"
                "      |  ^\n"
                "note: the list began on line 1\n");
        refused("a: {b: 1]\n",
                "x.yaml:1:9: error: this is not YAML: a ',' or a '}' is missing before this\n"
                "    1 | a: {b: 1]\n"
                "      |         ^\n");
        refused("a: {", "x.yaml:1:5: error: this is not YAML: a value is missing here\n"
                        "    1 | a: {\n"
                        "      |     ^\n");
        refused("a: 1\nb: 'x\nc: y\n", "x.yaml:2:4: error: this is not YAML: the closing quote is "
                                       "missing\n"
                                       "    2 | b: 'x\n"
                                       "      |    ^\n");
}
END_TEST

START_TEST(values_that_require_quotes_are_explained)
{
        refused("a: @x\n", "x.yaml:1:4: error: this is not YAML: a value cannot begin with @\n"
                           "    1 | a: @x\n"
                           "      |    ^ put it in quotes\n");
        refused("a: *.gz\n", "x.yaml:1:4: error: this is not YAML: expected a name after this\n"
                             "    1 | a: *.gz\n"
                             "      |    ^ put the value in quotes\n");
        refused("a: b: c\n", "x.yaml:1:5: error: this is not YAML: unexpected ':'\n"
                             "    1 | a: b: c\n"
                             "      |     ^ wrong indentation, or a value that needs quotes?\n");
        refused("a: \"\\d\"\n",
                "x.yaml:1:5: error: this is not YAML: this is no escape of double quotes\n"
                "    1 | a: \"\\d\"\n"
                "      |     ^ in single quotes a \\ is a character like others\n");
}
END_TEST

START_TEST(invalid_utf8_is_refused_with_its_location)
{
        refused("a: 1\nb: \xC3\xA4 \xFF\n",
                "x.yaml:2:6: error: this is not UTF-8 text: invalid leading UTF-8 octet\n"
                "    2 | b: ä ?\n"
                "      |      ^\n");
        refused("a: 1\nb: \x1B[2J\n", "x.yaml:2:4: error: a spec cannot hold the control character "
                                      "U+001B\n"
                                      "    2 | b:  [2J\n"
                                      "      |    ^\n");
        ck_assert_ptr_null(parse_bytes("a: 1\r\nb: \0x", 11));
        expect_shown("x.yaml:2:4: error: a spec cannot hold a NUL byte\n"
                     "    2 | b:  x\n"
                     "      |    ^\n");
        ck_assert_ptr_null(parse_bytes("\xFF\xFE"
                                       "a\0:\0",
                                       6));
        expect_shown("x.yaml: error: this is UTF-16: save it as UTF-8\n");
}
END_TEST

/* Far beyond what libyaml reads ahead, so that its own location cannot be right by accident. */
START_TEST(an_invalid_byte_far_down_is_refused_with_its_location)
{
        size_t lines = 20000, size = 0;
        char *text = malloc(lines * 8 + 16);

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i < lines; i++)
                size += (size_t)sprintf(text + size, "- %zu\r\n", i % 10);
        memcpy(text + size, "- ab\x80\n", 6);
        ck_assert_ptr_null(parse_bytes(text, size + 6));
        free(text);
        expect_shown("x.yaml:20001:5: error: this is not UTF-8 text: invalid leading UTF-8 octet\n"
                     "20001 | - ab?\n"
                     "      |     ^\n");
}
END_TEST

START_TEST(aliases_are_copies)
{
        struct pxr_yaml *root = sound(parse("a: &x {k: [1, 2]}\nb: *x\nc: &x 3\nd: *x\n"));

        ck_assert_str_eq(value_at(root, "b.k.1"), "2");
        ck_assert_str_eq(value_at(root, "d"), "3");
        ck_assert_ptr_ne(pxr_yaml_find(root, "a.k"), pxr_yaml_find(root, "b.k"));
        ck_assert_str_eq(pxr_yaml_path(arena, pxr_yaml_find(root, "b.k.1")), "b.k.1");
        refused("a: *x\n", "x.yaml:1:4: error: there is no anchor '&x' that ends before this "
                           "alias\n"
                           "    1 | a: *x\n"
                           "      |    ^~\n");
        refused("a: &x [*x]\n", "x.yaml:1:8: error: there is no anchor '&x' that ends before this "
                                "alias\n"
                                "    1 | a: &x [*x]\n"
                                "      |        ^~\n");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("yaml");

        ADD_SPEC_TEST(suite, a_tree_has_the_values_of_its_text);
        ADD_SPEC_TEST(suite, an_empty_text_is_an_empty_mapping);
        ADD_SPEC_TEST(suite, words_like_no_and_on_are_strings);
        ADD_SPEC_TEST(suite, locations_count_characters_of_utf8);
        ADD_SPEC_TEST(suite, locations_are_right_after_tabs_and_crlf);
        ADD_SPEC_TEST(suite, lines_of_every_kind_are_counted);
        ADD_SPEC_TEST(suite, a_key_that_occurs_twice_is_refused);
        ADD_SPEC_TEST(suite, tags_merge_keys_and_second_documents_are_refused);
        ADD_SPEC_TEST(suite, a_tab_that_indents_is_explained);
        ADD_SPEC_TEST(suite, a_missing_space_is_explained);
        ADD_SPEC_TEST(suite, wrong_indentation_is_explained);
        ADD_SPEC_TEST(suite, missing_brackets_and_quotes_are_explained);
        ADD_SPEC_TEST(suite, values_that_require_quotes_are_explained);
        ADD_SPEC_TEST(suite, invalid_utf8_is_refused_with_its_location);
        ADD_SPEC_TEST(suite, an_invalid_byte_far_down_is_refused_with_its_location);
        ADD_SPEC_TEST(suite, aliases_are_copies);
        return run_suite(suite);
}
