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
#include "data/labels.h"
#include "data/pixels.h"
#include "data/png.h"
#include "data/png_files.h"

enum { CHUNK_BYTES = 1 << 23, MB = 1 << 20 };

/* Read and decode a file. Sets *size to its bytes, and `sha256`, unless NULL, to their hash. */
static int decode(const struct pxr_dataset *set, const struct pxr_png_files *files, int64_t index,
                  uint8_t *pixels, size_t *size, char *sha256, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = { set->rows, set->cols, set->colours, set->levels };
        uint8_t *bytes = pxr_png_files_bytes(files, index, size, diag);
        char path[PATH_MAX];
        int failed;

        pxr_png_files_path(files, index, path);
        failed = !bytes || pxr_png_decode_image(path, bytes, *size, &kind, pixels, diag);
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

int pxr_png_files_size(struct pxr_opening *o, const struct pxr_png_split *split, int *bits)
{
        struct pxr_picture *picture = NULL;
        char path[PATH_MAX];
        size_t size;
        uint8_t *bytes = pxr_png_files_bytes(split->files, split->first, &size, o->diag);

        pxr_png_files_path(split->files, split->first, path);
        if (bytes)
                picture = pxr_png_decode(o->arena, path, bytes, size, o->diag);
        free(bytes);
        if (!picture)
                return -1;
        o->set->rows = picture->rows;
        o->set->cols = picture->cols;
        o->set->colours = picture->colours;
        *bits = picture->bits;
        return 0;
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

static int record_files(struct pass *pass, const char *path)
{
        char hex[PXR_SHA256_HEX];
        int64_t bytes = pass->bytes;

        pxr_sha256_final(&pass->lines, hex);
        pxr_sha256_init(&pass->lines);
        pass->bytes = 0;
        return pxr_data_add_file(pass->o, pxr_strf(pass->o->arena, "%s/*.png", path), bytes, hex);
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
                if (before && before != splits[i].files && record_files(&pass, before->path))
                        return -1;
                before = splits[i].files;
                if (pass_split(&pass, i, &splits[i]))
                        return -1;
        }
        return before ? record_files(&pass, before->path) : 0;
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
        snprintf(text, sizeof text, "png 1 %d %d %d %d", set->rows, set->cols, set->colours,
                 set->levels);
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
