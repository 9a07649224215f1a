/* SPDX-License-Identifier: MIT */
/* check_streaming.c - sets larger than their memory limit: images are decoded when they are read.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "pictures.h"

START_TEST(a_streamed_set_has_the_same_images_as_one_in_memory)
{
        struct pxr_dataset *held, *streamed;

        put_ten();
        held = sound(OPEN("{set: png_folder, path: %s, valid: 3, flip: true}", scratch));
        streamed = sound(
                OPEN("{set: png_folder, path: %s, valid: 3, flip: true, memory: 0.0005}", scratch));
        ck_assert_str_eq(streamed->identity, held->identity);
        ck_assert_str_eq(streamed->files->sha256, held->files->sha256);
        for (int split = PXR_TRAIN; split <= PXR_VALID; split++)
                for (int i = 0; i < held->count[split]; i++)
                        for (int epoch = 0; epoch < 3; epoch++) {
                                uint8_t a[PICTURE_PIXELS], b[PICTURE_PIXELS];

                                read_one(held, split, epoch, i, a);
                                read_one(streamed, split, epoch, i, b);
                                ck_assert_mem_eq(a, b, sizeof a);
                        }
}
END_TEST

START_TEST(a_file_that_changes_under_a_streamed_set_is_named)
{
        struct pxr_dataset *set;
        uint8_t pixels[PICTURE_PIXELS];
        int64_t index = 5;

        put_ten();
        set = sound(OPEN("{set: png_folder, path: %s, memory: 0}", scratch));
        put_picture_of("05.png", 5, 4, 6, 3);
        ck_assert_int_eq(pxr_dataset_read(set, PXR_TRAIN, 0, &index, 1, pixels, diag), -1);
        expect_error(PXR_FAULT_USER, "05.png: expected 6 x 4 pixels, got 4 x 6");
        remove(in_scratch("05.png"));
        ck_assert_int_eq(pxr_dataset_read(set, PXR_TRAIN, 0, &index, 1, pixels, diag), -1);
        expect_error(PXR_FAULT_USER, "05.png: No such file");
}
END_TEST

#ifndef PXR_SANITIZED
/* The most memory this process has had, in MB. */
static double peak(void)
{
        struct rusage usage;

        ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
        return (double)usage.ru_maxrss / 1024;
}

START_TEST(streaming_stays_within_its_memory_limit)
{
        enum { IMAGES = 4000, MB_OF_PIXELS = IMAGES * 3 * 64 * 64 >> 20 };
        static uint8_t pixels[3 * 64 * 64];
        double before, streaming;
        struct pxr_dataset *set;

        make_folder("a");
        for (int i = 0; i < IMAGES; i++) {
                struct pxr_picture picture = {
                        .rows = 64, .cols = 64, .colours = 3, .pixels = pixels
                };
                size_t size;
                uint8_t *bytes;

                memset(pixels, i, sizeof pixels);
                bytes = pxr_png_encode(&picture, &size, diag);
                write_file(in_scratch(pxr_strf(arena, "a/%05d.png", i)), bytes, size);
                free(bytes);
        }
        before = peak();
        set = sound(OPEN("{set: png_folder, path: %s/a, memory: 1}", scratch));
        for (int64_t i = 0; i < IMAGES; i++) {
                read_one(set, PXR_TRAIN, 0, i, pixels);
                ck_assert_int_eq(pixels[77], (uint8_t)i);
        }
        streaming = peak() - before;
        sound(OPEN("{set: png_folder, path: %s/a}", scratch));
        ck_assert_double_ge(peak() - before, MB_OF_PIXELS);
        ck_assert_double_le(streaming, MB_OF_PIXELS / 2);
}
END_TEST
#endif

/* The note that an opening has left, or NULL. */
static const char *note(void)
{
        DIR *folder = opendir(in_scratch("cache/pxr"));
        struct dirent *entry;
        const char *name = NULL;

        while (folder && (entry = readdir(folder)))
                if (entry->d_name[0] != '.')
                        name = pxr_strf(arena, "cache/pxr/%s", entry->d_name);
        if (folder)
                closedir(folder);
        return name ? in_scratch(name) : NULL;
}

START_TEST(digests_are_cached_until_a_file_changes)
{
        struct pxr_dataset *first, *second;
        struct stat status;
        size_t size;
        char *text, *digit;

        make_folder("cache");
        make_folder("a");
        setenv("XDG_CACHE_HOME", in_scratch("cache"), 1);
        put_picture("a/1.png", 1);
        put_picture("a/2.png", 2);
        sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_msg(!note(), "files that are this new might still change");
        sleep(4);
        sound(OPEN("{set: png_folder, path: %s/a}", scratch));
        ck_assert_msg(!note(), "a set in memory is always hashed");
        first = sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_ptr_nonnull(note());
        second = sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_str_eq(second->identity, first->identity);
        ck_assert_str_eq(second->files->path, first->files->path);
        ck_assert_str_eq(second->files->sha256, first->files->sha256);

        /* That the note was used shows when it is wrong. */
        text = (char *)file_bytes(note(), &size);
        digit = strstr(text, "split train ") + 12;
        *digit = *digit == '0' ? '1' : '0';
        write_file(note(), text, size);
        second = sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_str_ne(second->identity, first->identity);
        write_file(note(), text, size / 2);
        second = sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_str_eq(second->identity, first->identity);

        /* Another picture, with the time set back: the note no longer applies. */
        ck_assert_int_eq(stat(in_scratch("a/2.png"), &status), 0);
        put_picture("a/2.png", 3);
        ck_assert_int_eq(utimensat(AT_FDCWD, in_scratch("a/2.png"),
                                   (struct timespec[]) { status.st_atim, status.st_mtim }, 0),
                         0);
        second = sound(OPEN("{set: png_folder, path: %s/a, memory: 0}", scratch));
        ck_assert_str_ne(second->identity, first->identity);
        expect_picture(second, PXR_TRAIN, 1, 3);
}
END_TEST

START_TEST(a_streamed_set_opens_without_a_writable_cache)
{
        put_ten();
        sleep(3);
        setenv("XDG_CACHE_HOME", in_scratch("notes.txt"), 1);
        sound(OPEN("{set: png_folder, path: %s, memory: 0}", scratch));
        unsetenv("XDG_CACHE_HOME");
        unsetenv("HOME");
        sound(OPEN("{set: png_folder, path: %s, memory: 0}", scratch));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("streaming");

        ADD_SCRATCH_TEST(suite, a_streamed_set_has_the_same_images_as_one_in_memory);
        ADD_SCRATCH_TEST(suite, a_file_that_changes_under_a_streamed_set_is_named);
#ifndef PXR_SANITIZED
        ADD_SCRATCH_TEST(suite, streaming_stays_within_its_memory_limit);
#endif
        ADD_SCRATCH_TEST(suite, digests_are_cached_until_a_file_changes);
        ADD_SCRATCH_TEST(suite, a_streamed_set_opens_without_a_writable_cache);
        return run_suite(suite);
}
