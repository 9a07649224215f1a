/* SPDX-License-Identifier: MIT */
/*
 * png_set.c - PNG files as the images of a set: all decoded once, then held, or decoded anew when
 * they are read.
 */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/fit.h"
#include "data/jpeg.h"
#include "data/labels.h"
#include "data/pixels.h"
#include "data/png.h"
#include "data/png_files.h"

enum { CHUNK_BYTES = 1 << 23, MB = 1 << 20 };

/* --- one picture -------------------------------------------------------------------------------*/

/* A picture of its own size. */
struct whole {
        int rows, cols, colours;
        uint8_t *pixels; /* malloc() */
};

/* The size of a PNG by its header, for the decoder to compare with. */
static int read_png_size(const char *name, const uint8_t *bytes, size_t size, int *rows, int *cols,
                         struct pxr_diag *diag)
{
        uint32_t side[2] = { 0 };

        if (size < 24 || memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) != 0)
                return pxr_user_error(diag, "%s: byte 0: not a PNG file", name);
        for (int i = 0; i < 8; i++)
                side[i / 4] = side[i / 4] << 8 | bytes[16 + i];
        if (side[0] < 1 || side[0] > PXR_PNG_MAX_SIDE || side[1] < 1 ||
            side[1] > PXR_PNG_MAX_SIDE || (uint64_t)side[0] * side[1] > PXR_PNG_MAX_PIXELS)
                return pxr_user_error(diag, "%s: %u x %u pixels are out of range", name,
                                      (unsigned)side[1], (unsigned)side[0]);
        *cols = (int)side[0];
        *rows = (int)side[1];
        return 0;
}

/* Decode a picture of any size to the colours of the set. */
static int decode_whole(const struct pxr_dataset *set, const char *name, const uint8_t *bytes,
                        size_t size, struct whole *whole, struct pxr_diag *diag)
{
        struct pxr_image_kind kind = { 0, 0, set->colours, 256 };

        if (pxr_jpeg_is(bytes, size)) {
                whole->pixels = pxr_jpeg_decode(name, bytes, size, &whole->rows, &whole->cols,
                                                &whole->colours, diag);
                if (whole->pixels && whole->colours == 3 && set->colours == 1)
                        return pxr_user_error(diag, "%s: expected a grey image, got colour", name);
                return whole->pixels ? 0 : -1;
        }
        if (read_png_size(name, bytes, size, &kind.rows, &kind.cols, diag))
                return -1;
        *whole = (struct whole) { kind.rows, kind.cols, kind.colours, NULL };
        whole->pixels = malloc((size_t)kind.rows * (size_t)kind.cols * (size_t)kind.colours);
        if (!whole->pixels)
                return pxr_out_of_memory(diag);
        return pxr_png_decode_image(name, bytes, size, &kind, whole->pixels, diag);
}

/* Grey becomes red, green and blue. */
static int add_colours(struct whole *whole, struct pxr_diag *diag)
{
        size_t count = (size_t)whole->rows * (size_t)whole->cols;
        uint8_t *pixels = malloc(3 * count);

        if (!pixels)
                return pxr_out_of_memory(diag);
        for (size_t i = 0; i < 3 * count; i++)
                pixels[i] = whole->pixels[i / 3];
        free(whole->pixels);
        whole->pixels = pixels;
        whole->colours = 3;
        return 0;
}

/* Turn a whole picture into an image of the set. */
static int fit(const struct pxr_dataset *set, const char *name, struct whole *whole,
               uint8_t *pixels, struct pxr_diag *diag)
{
        struct pxr_fit fit =
                set->opening->format->fits ? set->opening->fit : (struct pxr_fit) { 0 };
        struct pxr_image_kind kind = { whole->rows, whole->cols, set->colours, set->levels };
        int rows = whole->rows, cols = whole->cols;

        if (pxr_fit_size(&fit, name, &rows, &cols, diag))
                return -1;
        if (rows != set->rows || cols != set->cols) {
                pxr_user_error(diag, "%s: expected %d x %d pixels, got %d x %d", name, set->rows,
                               set->cols, rows, cols);
                if (set->opening->format->fits)
                        pxr_note(diag, "'crop: square' and 'resize: N' give all images one size");
                return -1;
        }
        if (whole->colours < set->colours && add_colours(whole, diag))
                return -1;
        if (pxr_png_to_levels(name, &kind, whole->pixels, diag))
                return -1;
        pxr_fit_image(&fit, whole->pixels, whole->rows, whole->cols, set->colours, pixels);
        return 0;
}

/* Decode a PNG or JPEG file to an image of the set. */
static int decode_picture(const struct pxr_dataset *set, const char *name, const uint8_t *bytes,
                          size_t size, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = { set->rows, set->cols, set->colours, set->levels };
        struct whole whole = { 0 };
        int failed;

        if (!pxr_jpeg_is(bytes, size) &&
            !(set->opening->format->fits && pxr_fit_asked(set->opening)))
                return pxr_png_decode_image(name, bytes, size, &kind, pixels, diag);
        failed = decode_whole(set, name, bytes, size, &whole, diag) ||
                 fit(set, name, &whole, pixels, diag);
        free(whole.pixels);
        return failed ? -1 : 0;
}

/* Read and decode a file. Sets *size to its bytes, and `sha256`, unless NULL, to their hash. */
static int decode(const struct pxr_dataset *set, const struct pxr_png_files *files, int64_t index,
                  uint8_t *pixels, size_t *size, char *sha256, struct pxr_diag *diag)
{
        uint8_t *bytes = pxr_png_files_bytes(files, index, size, diag);
        char path[PATH_MAX];
        int failed;

        pxr_png_files_path(files, index, path);
        failed = !bytes || decode_picture(set, path, bytes, *size, pixels, diag);
        if (!failed && sha256)
                pxr_sha256(bytes, *size, sha256);
        free(bytes);
        return failed ? -1 : 0;
}

int pxr_png_split_open(struct pxr_opening *o, const char *path, struct pxr_png_split *split)
{
        split->files = pxr_png_files_open(o->arena, path, o->diag);
        split->count = split->files ? split->files->count : 0;
        return split->files ? 0 : -1;
}

int pxr_png_split_cut(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS],
                      enum pxr_split number, int64_t count)
{
        struct pxr_png_split *train = &splits[PXR_TRAIN];
        const char *own = splits[number].files
                                  ? pxr_strf(o->arena, "folder %s", splits[number].files->path)
                                  : NULL;

        if (count == 0)
                return 0;
        if (pxr_data_cut(o, pxr_split_names[number], count, own,
                         train->files ? train->files->path : "no folder train", &train->count))
                return -1;
        splits[number] =
                (struct pxr_png_split) { train->files, train->first + train->count, count };
        return 0;
}

/* Set the size and colours of the set to those of a picture. */
static int take_size(struct pxr_opening *o, const char *path, const uint8_t *bytes, size_t size,
                     int *bits)
{
        struct pxr_dataset *set = o->set;
        struct pxr_picture *picture;
        uint8_t *pixels;

        if (pxr_jpeg_is(bytes, size)) {
                pixels = pxr_jpeg_decode(path, bytes, size, &set->rows, &set->cols, &set->colours,
                                         o->diag);
                free(pixels);
                *bits = 8;
                return pixels ? 0 : -1;
        }
        picture = pxr_png_decode(o->arena, path, bytes, size, o->diag);
        if (!picture)
                return -1;
        set->rows = picture->rows;
        set->cols = picture->cols;
        set->colours = picture->colours;
        *bits = picture->bits;
        return 0;
}

int pxr_png_files_size(struct pxr_opening *o, const struct pxr_png_split *split, int *bits)
{
        char path[PATH_MAX];
        size_t size;
        uint8_t *bytes = pxr_png_files_bytes(split->files, split->first, &size, o->diag);
        int failed;

        pxr_png_files_path(split->files, split->first, path);
        failed = !bytes || take_size(o, path, bytes, size, bits) ||
                 pxr_fit_size(&o->fit, path, &o->set->rows, &o->set->cols, o->diag);
        free(bytes);
        return failed ? -1 : 0;
}

/* --- all files once ----------------------------------------------------------------------------*/

/* The pass over all files. */
struct pass {
        struct pxr_opening *o;
        bool keeps;              /* the images, in pixels.h; else their pixels are hashed here */
        struct pxr_sha256 lines; /* of the folder's files so far */
        int64_t bytes;           /* of these */
};

/* A file that was decoded. */
struct decoded {
        bool failed;
        size_t size;
        char sha256[PXR_SHA256_HEX];
        uint8_t *pixels; /* malloc() */
};

static int decode_file(const struct pxr_dataset *set, const struct pxr_png_files *files,
                       int64_t index, struct decoded *decoded, struct pxr_diag *diag)
{
        if (!decoded->pixels)
                decoded->pixels = malloc(pxr_image_size(set));
        if (!decoded->pixels)
                pxr_out_of_memory(diag);
        decoded->failed = !decoded->pixels || decode(set, files, index, decoded->pixels,
                                                     &decoded->size, decoded->sha256, diag);
        return decoded->failed ? -1 : 0;
}

/* Take note of a decoded file. `pixels` hashes those of the split. */
static int take(struct pass *pass, const struct pxr_png_files *files, int64_t index,
                const struct decoded *decoded, struct pxr_sha256 *pixels)
{
        size_t size = pxr_image_size(pass->o->set);
        const char *name = basename(files->files[index].name);
        uint8_t *image;

        pxr_sha256_update(&pass->lines, decoded->sha256, strlen(decoded->sha256));
        pxr_sha256_update(&pass->lines, "  ", 2);
        pxr_sha256_update(&pass->lines, name, strlen(name));
        pxr_sha256_update(&pass->lines, "\n", 1);
        pass->bytes += (int64_t)decoded->size;
        if (!pass->keeps) {
                pxr_sha256_update(pixels, decoded->pixels, size);
                return 0;
        }
        image = pxr_pixels_add(pass->o);
        if (image)
                memcpy(image, decoded->pixels, size);
        return image ? 0 : -1;
}

/* Decode files `first` and following, and take note of them in their order. One that cannot be
 * decoded is tried again, so that the error is recorded by one thread. */
static int pass_chunk(struct pass *pass, const struct pxr_png_files *files, int64_t first,
                      struct decoded *chunk, int64_t count, struct pxr_sha256 *pixels)
{
        const struct pxr_dataset *set = pass->o->set;
        int failed = 0;

#pragma omp parallel for schedule(dynamic, 8)
        for (int64_t i = 0; i < count; i++)
                decode_file(set, files, first + i, &chunk[i], NULL);
        for (int64_t i = 0; i < count && !failed; i++)
                failed = (chunk[i].failed &&
                          decode_file(set, files, first + i, &chunk[i], pass->o->diag)) ||
                         take(pass, files, first + i, &chunk[i], pixels);
        return failed;
}

static int pass_split(struct pass *pass, enum pxr_split number, const struct pxr_png_split *split)
{
        int64_t most = CHUNK_BYTES / (int64_t)pxr_image_size(pass->o->set) + 1;
        struct decoded *chunk = calloc((size_t)most, sizeof *chunk);
        struct pxr_sha256 pixels;
        char hex[PXR_SHA256_HEX];
        int failed = chunk ? 0 : pxr_out_of_memory(pass->o->diag);

        pxr_sha256_init(&pixels);
        for (int64_t done = 0; done < split->count && !failed; done += most)
                failed = pass_chunk(pass, split->files, split->first + done, chunk,
                                    split->count - done < most ? split->count - done : most,
                                    &pixels);
        for (int64_t i = 0; i < most && chunk; i++)
                free(chunk[i].pixels);
        free(chunk);
        pxr_sha256_final(&pixels, hex);
        pass->o->set->digest[number] = pxr_strdup(pass->o->arena, hex);
        return failed;
}

static int record_files(struct pass *pass, const struct pxr_png_files *files)
{
        char hex[PXR_SHA256_HEX];
        int64_t bytes = pass->bytes;

        pxr_sha256_final(&pass->lines, hex);
        pxr_sha256_init(&pass->lines);
        pass->bytes = 0;
        return pxr_data_add_file(pass->o,
                                 pxr_strf(pass->o->arena, "%s/%s", files->path,
                                          files->has_jpeg ? "*.{png,jpg,jpeg}" : "*.png"),
                                 bytes, hex);
}

static int run_pass(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS],
                    bool keeps)
{
        struct pass pass = { .o = o, .keeps = keeps };
        const struct pxr_png_files *before = NULL;

        pxr_sha256_init(&pass.lines);
        for (int i = 0; i < PXR_SPLITS; i++) {
                if (splits[i].count == 0)
                        continue;
                if (before && before != splits[i].files && record_files(&pass, before))
                        return -1;
                before = splits[i].files;
                if (pass_split(&pass, i, &splits[i]))
                        return -1;
        }
        return before ? record_files(&pass, before) : 0;
}

/* --- the two ways to hold them -----------------------------------------------------------------*/

static int read_streamed(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                         const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_png_split *splits = set->state, *from = &splits[split];
        size_t size;

        (void)epoch;
        for (int i = 0; i < count; i++, pixels += pxr_image_size(set))
                if (decode(set, from->files, from->first + index[i], pixels, &size, NULL, diag))
                        return -1;
        return 0;
}

/* --- digests kept between runs
 * -------------------------------------------------------------------*/

/* They lie in small files in $XDG_CACHE_HOME/pxr, or else ~/.cache/pxr, that may be deleted at any
 * time. A key hashes everything the digests depend on: names, sizes, inodes and times of last
 * change of the files (ctime, which no program can set back). If there is no such folder and it
 * cannot be made, nothing is kept. */

/* The first line: the version of the file format and of the keys. */
static const char head[] = "pxr digests 1\n";

/* The folder that has the cache's folder pxr; NULL: there is no cache. */
static const char *cache_folder(struct pxr_arena *arena)
{
        const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

        if (cache && cache[0] == '/')
                return cache;
        return home && home[0] == '/' ? pxr_strf(arena, "%s/.cache", home) : NULL;
}

static const char *cache_path(struct pxr_arena *arena, const char *folder, const char *key)
{
        return pxr_strf(arena, "%s/pxr/digests-%s", folder, key);
}

static bool is_complete(const struct pxr_dataset *set)
{
        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0 && !set->digest[i])
                        return false;
        return set->files != NULL;
}

/* Read the lines of a file. An invalid line leaves the set incomplete. */
static void load(struct pxr_opening *o, FILE *file)
{
        char line[PATH_MAX + 128], name[8], hex[PXR_SHA256_HEX];
        int64_t size;
        int at, split;

        if (!fgets(line, sizeof line, file) || strcmp(line, head) != 0)
                return;
        while (fgets(line, sizeof line, file)) {
                line[strcspn(line, "\n")] = '\0';
                if (sscanf(line, "split %7[a-z] %64[0-9a-f]", name, hex) == 2 &&
                    strlen(hex) == PXR_SHA256_HEX - 1 && (split = pxr_split_find(name)) >= 0)
                        o->set->digest[split] = pxr_strdup(o->arena, hex);
                else if (sscanf(line, "file %" SCNd64 " %64[0-9a-f] %n", &size, hex, &at) == 2 &&
                         strlen(hex) == PXR_SHA256_HEX - 1)
                        pxr_data_add_file(o, line + at, size, hex);
        }
}

/* Set digests and files of a set whose counts are set. False if this key is not in the cache. */
static bool load_digests(struct pxr_opening *o, const char *key)
{
        const char *folder = cache_folder(o->arena);
        FILE *file = folder ? fopen(cache_path(o->arena, folder, key), "re") : NULL;

        if (!file)
                return false;
        load(o, file);
        fclose(file);
        if (is_complete(o->set))
                return true;
        for (int i = 0; i < PXR_SPLITS; i++)
                o->set->digest[i] = NULL;
        o->set->files = NULL;
        return false;
}

/* Keep them. A failure is ignored: they are computed again next time. */
static void save_digests(const struct pxr_opening *o, const char *key)
{
        const struct pxr_dataset *set = o->set;
        const char *folder = cache_folder(o->arena);
        char *text = pxr_strdup(o->arena, head);

        for (int i = 0; i < PXR_SPLITS; i++)
                if (set->count[i] > 0)
                        text = pxr_strf(o->arena, "%ssplit %s %s\n", text, pxr_split_names[i],
                                        set->digest[i]);
        for (const struct pxr_data_file *f = set->files; f; f = f->next) {
                if (strchr(f->path, '\n'))
                        return;
                text = pxr_strf(o->arena, "%sfile %" PRId64 " %s %s\n", text, f->size, f->sha256,
                                f->path);
        }
        if (!folder || pxr_arena_failed(o->arena))
                return;
        mkdir(folder, 0700);
        mkdir(pxr_strf(o->arena, "%s/pxr", folder), 0700);
        pxr_file_write(cache_path(o->arena, folder, key), true, text, strlen(text), NULL);
}

/* Hash what the digests depend on: how files become pixels, and each file's name, size, inode and
 * times. False if a file cannot be examined, or changed so recently that a later change might
 * leave its times as they are. */
static bool hash_state(const struct pxr_dataset *set, const struct pxr_png_split splits[PXR_SPLITS],
                       char hex[PXR_SHA256_HEX])
{
        struct pxr_sha256 hash;
        char text[2 * PATH_MAX];
        time_t now = time(NULL);
        bool settled = true;

        pxr_sha256_init(&hash);
        snprintf(text, sizeof text, "png 1 %d %d %d %d%s", set->rows, set->cols, set->colours,
                 set->levels, pxr_fit_text(set->opening->arena, &set->opening->fit));
        pxr_sha256_update(&hash, text, strlen(text) + 1);
        for (int i = 0; i < PXR_SPLITS; i++)
                for (int64_t j = 0; j < splits[i].count; j++) {
                        int64_t number = splits[i].first + j;
                        int64_t changed =
                                pxr_png_files_state(splits[i].files, number, text, sizeof text);

                        if (changed < 0)
                                return false;
                        settled &= changed + 2 < now;
                        pxr_sha256_update(&hash, pxr_split_names[i], 2);
                        pxr_sha256_update(&hash, text, strlen(text) + 1);
                }
        pxr_sha256_final(&hash, hex);
        return settled;
}

/* Set digests and files: as an earlier run left them, if no file has changed since. */
static int digest_streamed(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS])
{
        char before[PXR_SHA256_HEX], after[PXR_SHA256_HEX];
        bool settled = hash_state(o->set, splits, before);

        if (settled && load_digests(o, before))
                return 0;
        if (run_pass(o, splits, false))
                return -1;
        if (settled && hash_state(o->set, splits, after) && strcmp(before, after) == 0)
                save_digests(o, before);
        return 0;
}

static int stream(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS])
{
        struct pxr_png_split *kept = pxr_alloc_array(o->arena, PXR_SPLITS, sizeof *kept);
        int64_t first = 0;

        if (!kept)
                return -1;
        memcpy(kept, splits, PXR_SPLITS * sizeof *kept);
        o->set->state = kept;
        o->set->read = read_streamed;
        for (int i = 0; i < PXR_SPLITS; first += splits[i++].count)
                if (splits[i].count > 0 && pxr_labels_split(o, i, NULL, first, splits[i].count))
                        return -1;
        return digest_streamed(o, kept);
}

static int hold(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS])
{
        int64_t count[PXR_SPLITS];

        for (int i = 0; i < PXR_SPLITS; i++)
                count[i] = splits[i].count;
        return pxr_pixels_begin(o, "", o->set->rows, o->set->cols, o->set->colours, 0) ||
                               run_pass(o, splits, true) || pxr_pixels_end(o, count, 0, "")
                       ? -1
                       : 0;
}

int pxr_png_files_load(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS],
                       double memory)
{
        double pixels = 0;

        for (int i = 0; i < PXR_SPLITS; i++) {
                if (!pxr_data_opens(o, i))
                        splits[i].count = 0;
                o->set->count[i] = splits[i].count;
                pixels += (double)splits[i].count * (double)pxr_image_size(o->set);
        }
        if (o->common.labels && pxr_png_files_label(o, splits))
                return -1;
        return pixels <= memory * MB ? hold(o, splits) : stream(o, splits);
}
