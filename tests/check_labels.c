/* SPDX-License-Identifier: MIT */
/* check_labels.c - the labels of data sets: beside their images in every split and subset. */
#include "config.h"

#include "packing.h"
#include "pictures.h"

enum { MOST = 64 };

/* Labels first .. first + count - 1 of a split, as text: "3 0 1". */
static const char *labels_of(const struct pxr_dataset *set, enum pxr_split split)
{
        int32_t labels[MOST];
        int64_t index[MOST];
        int count = (int)set->count[split];
        const char *text = "";

        ck_assert_int_le(count, MOST);
        for (int i = 0; i < count; i++)
                index[i] = count - 1 - i;
        OK(pxr_dataset_read_labels(set, split, index, count, labels, diag));
        for (int i = count - 1; i >= 0; i--)
                text = pxr_strf(arena, "%s%s%d", text, *text ? " " : "", labels[i]);
        return text;
}

/* --- idx files ---------------------------------------------------------------------------------*/

static void put_idx(const char *part, int count)
{
        uint8_t images[16 + MOST] = { 0, 0, 8, 3, 0, 0, 0, (uint8_t)count, [11] = 1, [15] = 1 };
        uint8_t labels[8 + MOST] = { 0, 0, 8, 1, 0, 0, 0, (uint8_t)count };

        for (int i = 0; i < count; i++) {
                images[16 + i] = (uint8_t)(10 * (i % 7));
                labels[8 + i] = (uint8_t)(i % 7);
        }
        write_file(in_scratch(pxr_strf(arena, "%s-images-idx3-ubyte", part)), images,
                   (size_t)(16 + count));
        write_file(in_scratch(pxr_strf(arena, "%s-labels-idx1-ubyte", part)), labels,
                   (size_t)(8 + count));
}

START_TEST(labels_stay_beside_their_images)
{
        struct pxr_dataset *set, *part;

        put_idx("train", 9);
        put_idx("t10k", 3);
        set = sound(OPEN("{set: mnist, path: %s, valid: 4, labels: true, binarization: none}",
                         scratch));
        ck_assert_str_eq(labels_of(set, PXR_TRAIN), "0 1 2 3 4");
        ck_assert_str_eq(labels_of(set, PXR_VALID), "5 6 0 1");
        ck_assert_str_eq(labels_of(set, PXR_TEST), "0 1 2");
        ck_assert_int_eq(set->classes, 7);
        ck_assert_ptr_null(set->class_names);
        for (int split = 0; split < PXR_SPLITS; split++)
                for (int64_t i = 0; i < set->count[split]; i++) {
                        uint8_t pixel;

                        read_one(set, split, 0, i, &pixel);
                        ck_assert_int_eq(pixel, 10 * set->labels[split][i]);
                }
        part = sound(OPEN("{set: mnist, path: %s, valid: 4, labels: true, limit: 2, flip: true, "
                          "splits: [valid]}",
                          scratch));
        ck_assert_str_eq(labels_of(part, PXR_VALID), "5 6");
        ck_assert_ptr_null(part->labels[PXR_TRAIN]);
        ck_assert_int_eq(pxr_dataset_read_labels(part, PXR_VALID, (int64_t[]) { 2 }, 1,
                                                 (int32_t[]) { 0 }, diag),
                         -1);
        expect_error(PXR_FAULT_SYSTEM, "no image 2 among the 2 of valid");
}
END_TEST

/* The identity without labels must never change: runs on record have it. */
START_TEST(labels_change_the_identity_only_if_they_are_asked_for)
{
        struct pxr_dataset *without, *with, *other;
        uint8_t labels[8 + 9] = { 0, 0, 8, 1, 0, 0, 0, 9 };

        put_idx("train", 9);
        without = sound(OPEN("{set: mnist, path: %s, valid: 4, splits: [train]}", scratch));
        ck_assert_ptr_null(without->labels[PXR_TRAIN]);
        ck_assert_str_eq(without->identity,
                         "72c96ba58dd8c47714e8658b7db6471cee250bd54f78885b280e4d6bde9585e8");
        with = sound(
                OPEN("{set: mnist, path: %s, valid: 4, splits: [train], labels: true}", scratch));
        ck_assert_str_ne(with->identity, without->identity);
        ck_assert_str_eq(with->content, without->content);
        write_file(in_scratch("train-labels-idx1-ubyte"), labels, sizeof labels);
        other = sound(
                OPEN("{set: mnist, path: %s, valid: 4, splits: [train], labels: true}", scratch));
        ck_assert_str_ne(other->identity, with->identity);
        ck_assert_str_eq(other->digest[PXR_TRAIN], with->digest[PXR_TRAIN]);
}
END_TEST

static void labels_refused(const void *bytes, size_t size, const char *message)
{
        write_file(in_scratch("train-labels-idx1-ubyte"), bytes, size);
        refused(OPEN("{set: mnist, path: %s, valid: 1, splits: [train], labels: true}", scratch),
                message);
        sound(OPEN("{set: mnist, path: %s, valid: 1, splits: [train]}", scratch));
}

START_TEST(damaged_label_files_are_refused_if_labels_are_asked_for)
{
        put_idx("train", 2);
        labels_refused("\0\0\10\3\0\0\0\2\0\0", 10,
                       "byte 0: expected 0x00000801, the magic number "
                       "of a file of labels");
        labels_refused("\0\0\10\1\0\0\0\3\0\0\0", 11, "byte 4: 3 labels, but there are 2 images");
        labels_refused("\0\0\10\1\0\0\0\2\0", 9, "byte 9: unexpected end of data in the labels");
        labels_refused("\0\0\10\1\0\0\0\2\0\1\2", 11, "byte 10: junk after the last of 2 labels");
        ck_assert_int_eq(remove(in_scratch("train-labels-idx1-ubyte")), 0);
        refused_at(OPEN("{labels: true, set: mnist, path: %s, valid: 1, splits: [train]}", scratch),
                   10, "'labels: true' requires ");
}
END_TEST

START_TEST(a_set_without_labels_says_so)
{
        refused_at(OPEN("{labels: true, set: markov_binary, splits: [test]}"), 10,
                   "data: markov_binary: 'labels: true', but the test images have no labels");
}
END_TEST

/* --- CIFAR-10 ----------------------------------------------------------------------------------*/

START_TEST(batches_in_any_order_keep_their_labels)
{
        enum { RECORD = 3073 };
        static uint8_t batch[3][RECORD] = { { 3 }, { 9 }, { 4 } };
        struct pxr_dataset *set;

        pack_tar(in_scratch("cifar.tar"), false,
                 (struct packed[]) { { "data_batch_2.bin", batch[0], RECORD },
                                     { "test_batch.bin", batch[1], RECORD },
                                     { "data_batch_1.bin", batch[2], RECORD },
                                     { NULL, NULL, 0 } });
        set = sound(OPEN("{set: cifar10, path: %s/cifar.tar, valid: 1, labels: true}", scratch));
        ck_assert_str_eq(labels_of(set, PXR_TRAIN), "4");
        ck_assert_str_eq(labels_of(set, PXR_VALID), "3");
        ck_assert_str_eq(labels_of(set, PXR_TEST), "9");
        ck_assert_int_eq(set->classes, 10);
        ck_assert_str_eq(set->class_names[9], "truck");
}
END_TEST

/* --- folders -----------------------------------------------------------------------------------*/

static void put_classes(void)
{
        make_folder("train");
        make_folder("test");
        make_folder("train/dog");
        make_folder("train/cat");
        make_folder("train/cat/black");
        make_folder("train/cat-like");
        make_folder("test/dog");
        make_folder("test/ant");
        put_picture("train/dog/1.png", 1);
        put_picture("train/dog/2.png", 2);
        put_picture("train/cat/black/1.png", 3);
        put_picture("train/cat/2.png", 4);
        put_picture("train/cat-like/1.png", 5);
        put_picture("test/ant/1.png", 6);
        put_picture("test/dog/1.png", 7);
}

/* Class names are those of all splits, so that a class has one number in all. */
START_TEST(the_class_of_a_picture_is_its_folder)
{
        static const char *const names[] = { "ant", "cat", "cat-like", "dog" };

        put_classes();
        for (int memory = 0; memory < 2; memory++) {
                struct pxr_dataset *set =
                        sound(OPEN("{set: png_folder, path: %s, valid: 1, labels: true, "
                                   "memory: %d, splits: [train, valid%s]}",
                                   scratch, memory, memory ? ", test" : ""));

                ck_assert_int_eq(set->classes, 4);
                for (int i = 0; i < 4; i++)
                        ck_assert_str_eq(set->class_names[i], names[i]);
                expect_picture(set, PXR_TRAIN, 0, 5);
                ck_assert_str_eq(labels_of(set, PXR_TRAIN), "2 1 1 3");
                ck_assert_str_eq(labels_of(set, PXR_VALID), "3");
                if (memory)
                        ck_assert_str_eq(labels_of(set, PXR_TEST), "0 3");
        }
}
END_TEST

START_TEST(a_picture_outside_of_class_folders_has_no_label)
{
        put_picture("1.png", 1);
        refused_at(OPEN("{labels: true, set: png_folder, path: %s}", scratch), 10,
                   "requires a folder for each class, but 1.png is in none");
        sound(OPEN("{set: png_folder, path: %s}", scratch));
}
END_TEST

START_TEST(folders_that_all_files_of_an_archive_share_are_not_classes)
{
        struct packed files[4] = { { "./pets/dog/1.png", NULL, 0 },
                                   { "./pets/cat/1.png", NULL, 0 },
                                   { "./pets/dog/2.png", NULL, 0 } };
        struct pxr_dataset *set;

        put_picture("a.png", 1);
        for (int i = 0; i < 3; i++)
                files[i].bytes = file_bytes(in_scratch("a.png"), &files[i].size);
        pack_tar(in_scratch("pets.tar"), false, files);
        set = sound(OPEN("{set: png_folder, path: %s/pets.tar, labels: true}", scratch));
        ck_assert_str_eq(labels_of(set, PXR_TRAIN), "0 1 1");
        ck_assert_str_eq(set->class_names[1], "dog");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("labels");

        ADD_SCRATCH_TEST(suite, labels_stay_beside_their_images);
        ADD_SCRATCH_TEST(suite, labels_change_the_identity_only_if_they_are_asked_for);
        ADD_SCRATCH_TEST(suite, damaged_label_files_are_refused_if_labels_are_asked_for);
        ADD_SCRATCH_TEST(suite, a_set_without_labels_says_so);
        ADD_SCRATCH_TEST(suite, batches_in_any_order_keep_their_labels);
        ADD_SCRATCH_TEST(suite, the_class_of_a_picture_is_its_folder);
        ADD_SCRATCH_TEST(suite, a_picture_outside_of_class_folders_has_no_label);
        ADD_SCRATCH_TEST(suite, folders_that_all_files_of_an_archive_share_are_not_classes);
        return run_suite(suite);
}
