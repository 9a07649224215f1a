/* SPDX-License-Identifier: MIT */
/* check_store.c - recording a run, and finding and reading its records. */
#define _GNU_SOURCE /* nftw() */
#include <inttypes.h>
#include <math.h>

#include "run_database.h"
#include "config/yaml.h"
#include "record/cursor.h"

static struct pxr_store *store;

static void setup(void)
{
        scratch_setup();
        store = open_store(in_scratch("runs.db"), true);
}

static void teardown(void)
{
        pxr_store_close(store);
        scratch_teardown();
}

START_TEST(a_run_is_found_by_number_name_uid_and_last)
{
        int64_t first = add_run(store, "one"), second = add_run(store, "one"),
                third = add_run(store, "two");
        struct pxr_run *run = pxr_store_find_run(store, arena, "1", diag);

        ck_assert_int_eq(first, 1);
        ck_assert_ptr_nonnull(run);
        ck_assert_int_eq(run->id, first);
        ck_assert_uint_eq(strspn(run->uid, "0123456789abcdef"), 8);
        ck_assert_str_ne(run->uid, pxr_store_find_run(store, arena, "3", diag)->uid);
        ck_assert_str_eq(run->status, "running");
        ck_assert_str_eq(run->spec, "name: one\nseed: 7\n");
        ck_assert_int_eq(run->seed, -7);
        ck_assert_int_eq(run->process_id, 4711);
        ck_assert_str_eq(run->process_start, "boot 12");
        ck_assert_ptr_null(run->message);
        ck_assert(isnan(run->data_entropy));
        ck_assert_int_eq(pxr_store_find_run(store, arena, "one", diag)->id, second);
        ck_assert_int_eq(pxr_store_find_run(store, arena, "last", diag)->id, third);
        run = pxr_store_find_run(store, arena, "one", diag);
        ck_assert_int_eq(pxr_store_find_run(store, arena, run->uid, diag)->id, second);
        ck_assert_ptr_null(pxr_store_find_run(store, arena, "three", diag));
        expect_error(PXR_FAULT_USER, "runs.db: there is no run 'three'");
}
END_TEST

START_TEST(the_end_of_a_run_is_recorded)
{
        int64_t id = add_run(store, "one");
        struct pxr_run *run;

        OK(pxr_store_end_run(store, id, "interrupted", "stopped at step 3", NULL, 1.5, diag));
        OK(pxr_store_end_run(store, id, "finished", NULL, "abc", 2, diag));
        run = pxr_store_find_run(store, arena, "one", diag);
        ck_assert_str_eq(run->status, "finished");
        ck_assert_ptr_null(run->message);
        ck_assert_str_eq(run->parameter_hash, "abc");
        ck_assert_double_eq(run->wall_seconds, 3.5);
        ck_assert_int_eq(pxr_store_end_run(store, id, "bored", NULL, NULL, 0, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "CHECK constraint failed");
        ck_assert_int_eq(pxr_store_end_run(store, 99, "failed", NULL, NULL, 0, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "run 99 is no longer there");
}
END_TEST

static struct pxr_run process(int64_t id, const char *start)
{
        return (struct pxr_run) { .process_id = id,
                                  .process_start = start,
                                  .host = "there",
                                  .processor = "fast",
                                  .instruction_set = "wide",
                                  .libraries = "zlib 1",
                                  .threads = 3,
                                  .program_version = "1.2",
                                  .program_revision = "cafe" };
}

START_TEST(only_one_process_can_claim_a_run)
{
        struct pxr_run one = process(100, "boot 20"), two = process(101, "boot 21"), *seen;

        OK(pxr_store_end_run(store, add_run(store, "one"), "interrupted", "m", NULL, 1, diag));
        seen = pxr_store_find_run(store, arena, "last", diag);
        OK(pxr_store_claim_run(store, seen, &one, diag));
        ck_assert_int_eq(pxr_store_claim_run(store, seen, &two, diag), -1);
        expect_error(PXR_FAULT_USER, "another process has just claimed run 1 ('one')");
        seen = pxr_store_find_run(store, arena, "last", diag);
        ck_assert_str_eq(seen->status, "running");
        ck_assert_int_eq(seen->process_id, 100);
        ck_assert_str_eq(seen->process_start, "boot 20");
        ck_assert_str_eq(seen->host, "there");
        ck_assert_str_eq(sql("SELECT processor, instruction_set, libraries, threads, "
                             "program_version, program_revision, resumes, name FROM run"),
                         "fast|wide|zlib 1|3|1.2|cafe|1|one\n");
        two.process_start = NULL;
        OK(pxr_store_claim_run(store, seen, &two, diag));
        seen = pxr_store_find_run(store, arena, "last", diag);
        OK(pxr_store_claim_run(store, seen, &one, diag));
}
END_TEST

/* Everything a step of the made-up run records. */
static void record_step(int64_t run, int64_t step)
{
        struct pxr_moment at = { run, step, (double)step / 10 };
        struct pxr_nll_row nll = { "valid", "nll", 100.0 - (double)step, 1e4, 4, 10, 0.5, NULL };
        const struct pxr_checkpoint_row checkpoint = {
                step, at.epoch, pxr_strf(arena, "%" PRId64, step), "00", 10 * step, step == 2, NULL
        };
        unsigned char png[4] = { 0, 'p', (unsigned char)step, 0 };

        OK(pxr_store_add_metric(store, at, "train", "rate", 1.0 / (double)(step + 1), diag));
        OK(pxr_store_add_nll(store, at, &nll, diag));
        OK(add_picture(store, at, 5, png, sizeof(png)));
        OK(pxr_store_add_checkpoint(store, run, &checkpoint, diag));
}

static char *everything(void)
{
        return sql("SELECT run, step, epoch, split, name, value, sum_nats FROM metric;"
                   "SELECT id, run, step, epoch, kind, seed, count, hex(png) FROM sample;"
                   "SELECT run, step, epoch, path, size, best FROM checkpoint");
}

START_TEST(steps_done_again_replace_their_rows)
{
        int64_t run = add_run(store, "one");
        char *once;

        for (int64_t step = 1; step <= 3; step++)
                record_step(run, step);
        once = everything();
        ck_assert_ptr_nonnull(strstr(once, "1|2|0.2|samples|5|1|00700200"));
        record_step(run, 2);
        record_step(run, 3);
        ck_assert_str_eq(everything(), once);
}
END_TEST

/* Everything that a process whose run was claimed by another might still try to record. */
START_TEST(a_process_whose_run_was_claimed_records_nothing_more)
{
        struct pxr_store *other = open_store(in_scratch("runs.db"), true);
        struct pxr_run process_two = process(101, "boot 21");
        int64_t run = add_run(store, "one"), another;
        struct pxr_moment at = { run, 5, 1 };
        struct pxr_nll_row nll = { "valid", "nll", 1, 1, 4, 10, 0.5, NULL };
        const double nats = 4;
        const struct pxr_nll_map_row map = { "valid", 4, 1, 1, 1, &nats };
        const struct pxr_image_nll_row images = { "valid", 1, &nats };
        const struct pxr_checkpoint_row checkpoint = { 5, 1, "five", "00", 1, true, NULL };
        char *before;

        record_step(run, 1);
        OK(pxr_store_check_claim(store, run, diag));
        OK(pxr_store_claim_run(other, pxr_store_find_run(other, arena, "1", diag), &process_two,
                               diag));
        before = pxr_strf(arena, "%s%s", everything(), sql("SELECT * FROM run"));
#define LOST(call)                    \
        ck_assert_int_eq((call), -1); \
        expect_error(PXR_FAULT_SYSTEM, "run 1 was claimed by process 101 on host 'there'")
        LOST(pxr_store_check_claim(store, run, diag));
        LOST(pxr_store_add_metric(store, at, "train", "rate", 1, diag));
        LOST(pxr_store_add_nll(store, at, &nll, diag));
        LOST(pxr_store_add_nll_map(store, at, &map, diag));
        LOST(pxr_store_add_image_nll(store, at, &images, diag));
        LOST(add_picture(store, at, 1, "png", 3));
        LOST(pxr_store_add_event(store, at, "error", "why", diag));
        LOST(pxr_store_add_checkpoint(store, run, &checkpoint, diag));
        LOST(pxr_store_rewind(store, run, 0, diag));
        LOST(pxr_store_end_run(store, run, "failed", NULL, NULL, 1, diag));
#undef LOST
        ck_assert_str_eq(pxr_strf(arena, "%s%s", everything(), sql("SELECT * FROM run")), before);
        another = add_run(store, "two");
        record_step(another, 1);
        pxr_store_close(other);
}
END_TEST

START_TEST(rewinding_deletes_later_steps_of_that_run_only)
{
        int64_t one = add_run(store, "one"), two = add_run(store, "two");
        struct pxr_nll_row result = { "test", "final_nll", 1, 1, 4, 10, 0.5, NULL };
        struct pxr_checkpoint_row *list;
        char *before;

        record_step(one, 2);
        for (int64_t step = 1; step <= 3; step++)
                record_step(two, step);
        before = everything();
        for (int64_t step = 3; step <= 5; step++)
                record_step(one, step);
        OK(pxr_store_add_event(store, (struct pxr_moment) { one, 5, 1 }, "error", "why", diag));
        OK(pxr_store_add_event(store, (struct pxr_moment) { one, 2, 1 }, "spike", "kept", diag));
        OK(pxr_store_add_event(store, (struct pxr_moment) { one, 3, 1 }, "spike", "again", diag));
        OK(pxr_store_add_nll(store, (struct pxr_moment) { one, 1, 1 }, &result, diag));
        OK(pxr_store_rewind(store, one, 2, diag));
        ck_assert_str_eq(everything(), before);
        ck_assert_str_eq(sql("SELECT step, kind, message FROM event"),
                         "5|error|why\n2|spike|kept\n");
        OK(pxr_store_rewind(store, two, 0, diag));
        OK(pxr_store_checkpoints(store, arena, two, &list, diag));
        ck_assert_ptr_null(list);
}
END_TEST

START_TEST(the_newest_nlls_of_images_are_kept_unless_they_are_rewound)
{
        static const double early[2] = { 1, -2 }, late[1] = { 0.5 };
        struct pxr_image_nll_row images = { "valid", 2, early };
        int64_t run = add_run(store, "one");

        OK(pxr_store_add_image_nll(store, (struct pxr_moment) { run, 4, 1 }, &images, diag));
        ck_assert_str_eq(sql("SELECT split, step, images, hex(nats) FROM image_nll"),
                         "valid|4|2|0000803F000000C0\n");
        images = (struct pxr_image_nll_row) { "valid", 1, late };
        OK(pxr_store_add_image_nll(store, (struct pxr_moment) { run, 8, 2 }, &images, diag));
        ck_assert_str_eq(sql("SELECT split, step, images, hex(nats) FROM image_nll"),
                         "valid|8|1|0000003F\n");
        OK(pxr_store_rewind(store, run, 4, diag));
        ck_assert_str_eq(sql("SELECT count(*) FROM image_nll"), "0\n");
}
END_TEST

START_TEST(the_newest_map_of_a_split_is_kept_unless_it_is_rewound)
{
        static const double early[2] = { 10, -20 }, late[2] = { 5, 30 };
        struct pxr_nll_map_row map = { "valid", 10, 1, 2, 1, early };
        int64_t run = add_run(store, "one");

        OK(pxr_store_add_nll_map(store, (struct pxr_moment) { run, 4, 1 }, &map, diag));
        ck_assert_str_eq(sql("SELECT split, step, images, cols, hex(nats) FROM nll_map"),
                         "valid|4|10|2|0000803F000000C0\n");
        map.sum_nats = late;
        OK(pxr_store_add_nll_map(store, (struct pxr_moment) { run, 8, 2 }, &map, diag));
        map.split = "test";
        OK(pxr_store_add_nll_map(store, (struct pxr_moment) { run, 4, 1 }, &map, diag));
        ck_assert_str_eq(sql("SELECT split, step, hex(nats) FROM nll_map ORDER BY step"),
                         "test|4|0000003F00004040\nvalid|8|0000003F00004040\n");
        OK(pxr_store_rewind(store, run, 4, diag));
        ck_assert_str_eq(sql("SELECT split FROM nll_map"), "test\n");
}
END_TEST

START_TEST(checkpoints_are_listed_newest_first_with_one_best)
{
        int64_t run = add_run(store, "one");
        struct pxr_checkpoint_row *list, row = { 7, 0.7, "seven", "ff", 1, true, NULL };

        for (int64_t step = 1; step <= 3; step++)
                record_step(run, step);
        OK(pxr_store_add_checkpoint(store, run, &row, diag));
        OK(pxr_store_checkpoints(store, arena, run, &list, diag));
        ck_assert_int_eq(list->step, 7);
        ck_assert(list->best);
        ck_assert_str_eq(list->path, "seven");
        ck_assert_str_eq(list->sha256, "ff");
        ck_assert_int_eq(list->next->step, 3);
        ck_assert(!list->next->best);
        ck_assert_int_eq(list->next->next->step, 2);
        ck_assert(!list->next->next->best);
        ck_assert_ptr_null(list->next->next->next);
}
END_TEST

START_TEST(layers_plugins_and_files_are_recorded)
{
        int64_t run = add_run(store, "one");
        struct pxr_plugin_row *plugin;
        const struct pxr_layer_row layer = { 3,      "model.3", "conv", 28, 27, 16, 1234567890123,
                                             2.5e12, 4,         5,      6 };
        const struct pxr_plugin_row conv = { "conv", "1.0", "/a/conv.so", "cc", NULL };

        OK(pxr_store_add_layer(store, run, &layer, diag));
        OK(pxr_store_add_plugin(store, run, &conv, diag));
        OK(pxr_store_add_data_file(store, run, "data/x", INT64_C(5000000000), "dd", diag));
        ck_assert_str_eq(sql("SELECT * FROM layer; SELECT * FROM plugin; SELECT * FROM data_file"),
                         "1|3|model.3|conv|28|27|16|1234567890123|2500000000000.0|4|5|6\n"
                         "1|conv|1.0|/a/conv.so|cc\n"
                         "1|data/x|5000000000|dd\n");
        OK(pxr_store_plugins(store, arena, run, &plugin, diag));
        ck_assert_str_eq(plugin->name, "conv");
        ck_assert_str_eq(plugin->version, "1.0");
        ck_assert_str_eq(plugin->path, "/a/conv.so");
        ck_assert_str_eq(plugin->sha256, "cc");
        ck_assert_ptr_null(plugin->next);
}
END_TEST

START_TEST(rows_of_an_unknown_run_are_refused)
{
        ck_assert_int_eq(pxr_store_add_metric(store, (struct pxr_moment) { 5, 1, 1 }, "train",
                                              "rate", 1, diag),
                         -1);
        expect_error(PXR_FAULT_SYSTEM, "FOREIGN KEY constraint failed");
}
END_TEST

START_TEST(views_have_the_nll)
{
        int64_t good = add_run(store, "good"), suspect = add_run(store, "suspect"),
                bad = add_run(store, "bad");
        struct pxr_nll_row nll = { "test", "final_nll", 800, 70000, 10, 784, 0.5, NULL };
        struct pxr_moment at = { good, 9, 2 };

        OK(pxr_store_add_nll(store, at, &nll, diag));
        nll.name = "nll";
        OK(pxr_store_add_nll(store, at, &nll, diag));
        nll.name = "final_nll";
        at.run = suspect;
        nll.sum_nats = 1;
        nll.suspect = "below the entropy";
        OK(pxr_store_add_nll(store, at, &nll, diag));
        at.run = bad;
        nll.sum_nats = 900;
        nll.suspect = NULL;
        OK(pxr_store_add_nll(store, at, &nll, diag));
        ck_assert_str_eq(sql("SELECT name, split, nats_per_image, round(bits_per_dimension, 9), "
                             "standard_error FROM run_nll WHERE run <> 2"),
                         "good|test|80.0|0.14721378|0.5\nbad|test|90.0|0.165615502|0.5\n");
        ck_assert_str_eq(sql("SELECT suspect FROM run_nll WHERE run = 2"), "below the entropy\n");
        ck_assert_str_eq(sql("SELECT name, nats_per_image FROM best_run"), "good|80.0\n");
        ck_assert_str_eq(sql("SELECT run, step, nats_per_image FROM learning_curve"), "1|9|80.0\n");
        /* With a validation split, that alone chooses. */
        nll.split = "valid";
        nll.sum_nats = 700;
        OK(pxr_store_add_nll(store, at, &nll, diag));
        ck_assert_str_eq(sql("SELECT name, split, nats_per_image FROM best_run ORDER BY split"),
                         "bad|test|90.0\nbad|valid|70.0\n");
}
END_TEST

START_TEST(nlls_are_recorded)
{
        int64_t run = add_run(store, "one");
        struct pxr_nll_row nll = { "test", "final_nll", 12.5, 1, 2, 3, NAN, "odd" };

        OK(pxr_store_add_nll(store, (struct pxr_moment) { run, 3, 1 }, &nll, diag));
        record_step(run, 2);
        record_step(run, 1);
        ck_assert_str_eq(sql("SELECT step, split, name, sum_nats, suspect FROM metric "
                             "WHERE images > 0 ORDER BY step"),
                         "1|valid|nll|99.0|\n2|valid|nll|98.0|\n3|test|final_nll|12.5|odd\n");
        ck_assert_str_eq(sql("SELECT standard_error IS NULL FROM metric WHERE step = 3"), "1\n");
}
END_TEST

START_TEST(rolling_back_leaves_nothing)
{
        int64_t run = add_run(store, "one");

        OK(pxr_store_begin(store, diag));
        record_step(run, 1);
        pxr_store_rollback(store);
        pxr_store_rollback(store); /* of nothing: allowed */
        ck_assert_str_eq(everything(), "");
        OK(pxr_store_begin(store, diag));
        record_step(run, 1);
        OK(pxr_store_commit(store, diag));
        ck_assert_str_ne(everything(), "");
}
END_TEST

START_TEST(other_programs_see_what_is_recorded_at_once)
{
        struct pxr_store *reader = open_store(in_scratch("runs.db"), false);

        add_run(store, "one");
        ck_assert_ptr_nonnull(pxr_store_find_run(reader, arena, "one", diag));
        OK(pxr_store_begin(store, diag)); /* and is no obstacle while it writes */
        add_run(store, "two");
        ck_assert_int_eq(pxr_store_find_run(reader, arena, "last", diag)->id, 1);
        OK(pxr_store_commit(store, diag));
        ck_assert_int_eq(pxr_store_find_run(reader, arena, "last", diag)->id, 2);
        pxr_store_close(reader);
}
END_TEST

/* --- reading alone -----------------------------------------------------------------------------
 */

static void copy(const char *from, const char *to)
{
        size_t size;
        unsigned char *bytes = file_bytes(in_scratch(from), &size);

        write_file(in_scratch(to), bytes, size);
}

static void expect_same(const char *one, const char *other)
{
        size_t size, other_size;
        unsigned char *bytes = file_bytes(in_scratch(one), &size);

        ck_assert_mem_eq(bytes, file_bytes(in_scratch(other), &other_size), size);
        ck_assert_uint_eq(size, other_size);
}

/* Not even the index of the log that SQLite makes to read. */
/* Runs that refer to each other in a circle, say. */
START_TEST(an_endless_query_is_stopped)
{
        struct pxr_cursor rows =
                pxr_query(store, NULL, diag,
                          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                          "SELECT count(*) FROM n",
                          "");

        store->since -= 1000;
        ck_assert(!pxr_cursor_next(&rows));
        ck_assert_int_eq(pxr_cursor_end(&rows), -1);
        expect_error(PXR_FAULT_USER, "seconds of processor time");
}
END_TEST

START_TEST(reading_leaves_no_files_behind)
{
        struct pxr_store *store = open_store(in_scratch("runs.db"), true);

        add_run(store, "a");
        pxr_store_close(store);
        copy("runs.db", "copy.db");
        ck_assert_int_eq(files_in_scratch(), 2);
        store = open_store(in_scratch("runs.db"), false);
        ck_assert_ptr_nonnull(pxr_store_find_run(store, arena, "a", diag));
        ck_assert_int_eq(
                pxr_store_add_event(store, (struct pxr_moment) { 1, 0, 0 }, "a", "b", diag), -1);
        pxr_store_close(store);
        ck_assert_int_eq(files_in_scratch(), 2);
        expect_same("copy.db", "runs.db");
}
END_TEST

START_TEST(names_that_would_hide_runs_are_refused)
{
        static const struct {
                const char *name, *fault, *valid;
        } names[] = {
                { "mnist 7 \u00e9", NULL, "mnist 7 \u00e9" },
                { "deadbee", NULL, "deadbee" },
                { "", "is empty", "run" },
                { "  ", "consists of blanks", "run   " },
                { "a\nb", "has a control character or a line break", "a\\x0ab" },
                { "a\u202eb", "has a control character or a line break", "a\\xe2\\x80\\xaeb" },
                { "a\xff", "has a control character or a line break", "a\\xff" },
                { "last", "stands for the newest run", "run last" },
                { "12", "is a number, which stands for the run of that number", "run 12" },
                { "deadbeef", "may be the id of another run: it has 8 hexadecimal digits",
                  "run deadbeef" },
        };
        char *name = pxr_alloc(arena, 5001);

        for (size_t i = 0; i < PXR_COUNT(names); i++) {
                const char *fault = pxr_run_name_fault(names[i].name);

                ck_assert_pstr_eq(fault, names[i].fault);
                ck_assert_str_eq(pxr_run_name_mended(arena, names[i].name), names[i].valid);
                ck_assert_ptr_null(pxr_run_name_fault(names[i].valid));
        }
        memset(name, 'x', 5000);
        ck_assert_str_eq(pxr_run_name_fault(name), "is longer than 200 bytes");
        ck_assert_uint_eq(strlen(pxr_run_name_mended(arena, name)), 196);
}
END_TEST

/* A copy of the file alone, without the log. */
START_TEST(flushed_records_are_in_the_database_file)
{
        struct pxr_store *store = open_store(in_scratch("runs.db"), true);
        unsigned char *bytes;
        size_t size;

        add_run(store, "a");
        pxr_store_flush(store);
        bytes = file_bytes(in_scratch("runs.db"), &size);
        write_file(in_scratch("copy.db"), (char *)bytes, size);
        ck_assert_str_eq(sql_of(in_scratch("copy.db"), "SELECT name FROM run"), "a\n");
        pxr_store_close(store);
}
END_TEST

START_TEST(the_spec_can_be_queried_as_json)
{
        static const char yaml[] =
                "{train: {average: 1.50, batch: 0x10, on: yes}, model: [conv: {mask: A}, relu],\n"
                " name: \"a \\\"b\\\" \\u00e9\", quoted: '12', none: ~, huge: 1e999, no: false}";
        struct pxr_source source = { "x.yaml", yaml, strlen(yaml) };
        const struct pxr_yaml *root = pxr_yaml_parse(arena, &source, diag);
        struct pxr_store *store = open_store(in_scratch("runs.db"), true);

        ck_assert_ptr_nonnull(root);
        ck_assert_str_eq(pxr_yaml_json(arena, root),
                         "{\"train\": {\"average\": 1.5, \"batch\": 16, \"on\": \"yes\"}, "
                         "\"model\": [{\"conv\": {\"mask\": \"A\"}}, \"relu\"], "
                         "\"name\": \"a \\\"b\\\" é\", \"quoted\": \"12\", \"none\": null, "
                         "\"huge\": \"1e999\", \"no\": false}");
        add_run(store, "one");
        pxr_store_close(store);
        ck_assert_str_eq(sql("SELECT spec_json ->> '$.name', spec_json ->> '$.seed' FROM run"),
                         "one|7\n");
}
END_TEST

/* Such a view stands still in a store that reads, and does not let it write. */
START_TEST(a_kept_view_does_not_see_later_records)
{
        struct pxr_store *store = open_store(in_scratch("runs.db"), true), *reader;
        struct pxr_nll_row nll = { "test", "final_nll", 800, 70000, 10, 784, 0.5, NULL };
        struct pxr_moment at = { add_run(store, "a"), 0, 0 };
        int64_t count;

        OK(pxr_store_add_nll(store, at, &nll, diag));
        reader = open_store(in_scratch("runs.db"), false);
        OK(pxr_store_keep_view(reader, "run_nll", diag));
        at.run = add_run(store, "b");
        OK(pxr_store_add_nll(store, at, &nll, diag));
        OK(pxr_store_integer(reader, &count, diag, "SELECT count(*) FROM run_nll", ""));
        ck_assert_int_eq(count, 1);
        OK(pxr_store_integer(reader, &count, diag, "SELECT count(*) FROM main.run_nll", ""));
        ck_assert_int_eq(count, 2);
        ck_assert_int_eq(pxr_store_keep_view(reader, "no_such", diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "no_such");
        ck_assert_int_eq(pxr_store_add_event(reader, at, "a", "b", diag), -1);
        pxr_store_close(reader);
        pxr_store_close(store);
}
END_TEST

/* What a killed run left in the log is read, and is for the next run to put in order. */
START_TEST(reading_keeps_the_log_of_a_killed_run)
{
        struct pxr_store *store = open_store(in_scratch("runs.db"), true);

        add_run(store, "a");
        copy("runs.db", "left.db");
        copy("runs.db-wal", "left.db-wal");
        copy("runs.db", "copy.db");
        copy("runs.db-wal", "copy.log");
        pxr_store_close(store);
        store = open_store(in_scratch("left.db"), false);
        ck_assert_ptr_nonnull(pxr_store_find_run(store, arena, "a", diag));
        pxr_store_close(store);
        expect_same("copy.db", "left.db");
        expect_same("copy.log", "left.db-wal");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("store");
        TCase *tcase;

#define ADD(test)                                          \
        tcase = add_case(suite, #test);                    \
        tcase_add_checked_fixture(tcase, setup, teardown); \
        tcase_add_test(tcase, test)
        ADD(a_run_is_found_by_number_name_uid_and_last);
        ADD(the_end_of_a_run_is_recorded);
        ADD(only_one_process_can_claim_a_run);
        ADD(steps_done_again_replace_their_rows);
        ADD(a_process_whose_run_was_claimed_records_nothing_more);
        ADD(rewinding_deletes_later_steps_of_that_run_only);
        ADD(the_newest_nlls_of_images_are_kept_unless_they_are_rewound);
        ADD(the_newest_map_of_a_split_is_kept_unless_it_is_rewound);
        ADD(checkpoints_are_listed_newest_first_with_one_best);
        ADD(layers_plugins_and_files_are_recorded);
        ADD(rows_of_an_unknown_run_are_refused);
        ADD(views_have_the_nll);
        ADD(nlls_are_recorded);
        ADD(rolling_back_leaves_nothing);
        ADD(other_programs_see_what_is_recorded_at_once);
        ADD(an_endless_query_is_stopped);
        ADD_SCRATCH_TEST(suite, reading_leaves_no_files_behind);
        ADD_SCRATCH_TEST(suite, names_that_would_hide_runs_are_refused);
        ADD_SCRATCH_TEST(suite, flushed_records_are_in_the_database_file);
        ADD_SCRATCH_TEST(suite, the_spec_can_be_queried_as_json);
        ADD_SCRATCH_TEST(suite, a_kept_view_does_not_see_later_records);
        ADD_SCRATCH_TEST(suite, reading_keeps_the_log_of_a_killed_run);
        return run_suite(suite);
}
