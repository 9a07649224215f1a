/* SPDX-License-Identifier: MIT */
/* pixels.c - the images of a set, in memory or in a temporary file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/hash.h"
#include "data/labels.h"
#include "data/pixels.h"

/* The state of the set. */
struct pixels {
        size_t size; /* of an image */
        int64_t budget;
        int64_t count; /* images in all */
        int64_t filed; /* the first so many of these are in the file */
        uint8_t *block;
        int64_t room; /* images the block can hold */
        FILE *file;   /* NULL: none */
        char folder[PATH_MAX];
        int64_t first[PXR_SPLITS]; /* image of each split */
        const int64_t *order;      /* image i is order[i] of those added; NULL: it is i */
};

static void clean(void *what)
{
        struct pixels *pixels = what;

        if (pixels->file)
                fclose(pixels->file);
        free(pixels->block);
}

/* --- the file ----------------------------------------------------------------------------------*/

static int file_error(const struct pixels *pixels, const char *what, int error,
                      struct pxr_diag *diag)
{
        pxr_system_error(diag, "%s: pixels beyond the 'memory' limit cannot be %s here: %s",
                         pixels->folder, what, strerror(error));
        pxr_note(diag,
                 "set TMPDIR to another folder, or raise 'memory' (in MB) to keep more pixels "
                 "in memory");
        return -1;
}

static int make_file(struct pixels *pixels, struct pxr_diag *diag)
{
        const char *folder = getenv("TMPDIR");
        char path[PATH_MAX + 32];
        int fd;

        snprintf(pixels->folder, sizeof pixels->folder, "%s",
                 folder && *folder ? folder : "/var/tmp");
        snprintf(path, sizeof path, "%s/pxr-pixels-XXXXXX", pixels->folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
                return file_error(pixels, "kept", errno, diag);
        unlink(path);
        pixels->file = fdopen(fd, "w+");
        if (pixels->file)
                return 0;
        close(fd);
        return pxr_out_of_memory(diag);
}

/* Leave room on the disk for other programs. */
enum { LEAVE_FREE = 256 << 20 };

static bool has_room(const struct pixels *pixels, size_t size)
{
        struct statvfs disk;

        return fstatvfs(fileno(pixels->file), &disk) != 0 ||
               (double)disk.f_bavail * (double)disk.f_frsize >= (double)size + LEAVE_FREE;
}

/* Move what is in the block to the file. */
static int spill(struct pixels *pixels, struct pxr_diag *diag)
{
        size_t images = (size_t)(pixels->count - pixels->filed);

        if (!pixels->file && make_file(pixels, diag))
                return -1;
        if (!has_room(pixels, images * pixels->size))
                return file_error(pixels, "written", ENOSPC, diag);
        if (fwrite(pixels->block, pixels->size, images, pixels->file) != images ||
            fflush(pixels->file) != 0)
                return file_error(pixels, "written", errno, diag);
        pixels->filed = pixels->count;
        return 0;
}

static int read_file(const struct pixels *pixels, int64_t index, uint8_t *to, struct pxr_diag *diag)
{
        ssize_t got = pread(fileno(pixels->file), to, pixels->size,
                            (off_t)(index * (int64_t)pixels->size));

        return got == (ssize_t)pixels->size
                       ? 0
                       : file_error(pixels, "read", got < 0 ? errno : EIO, diag);
}

/* --- adding and reading ------------------------------------------------------------------------*/

static int grow(struct pixels *pixels, struct pxr_diag *diag)
{
        int64_t room = pixels->room ? pixels->room * 2 : 64;
        int64_t most = pixels->budget / (int64_t)pixels->size;
        uint8_t *block;
        size_t size;

        if (pixels->budget > 0 && room > most)
                room = most > 0 ? most : 1;
        if (room <= pixels->room)
                return spill(pixels, diag);
        if (__builtin_mul_overflow((size_t)room, pixels->size, &size))
                return pxr_out_of_memory(diag);
        block = realloc(pixels->block, size);
        if (!block)
                return pxr_out_of_memory(diag);
        pixels->block = block;
        pixels->room = room;
        return 0;
}

int pxr_pixels_begin(struct pxr_opening *o, const char *name, int rows, int cols, int colours,
                     int64_t budget)
{
        struct pxr_dataset *set = o->set;
        struct pixels *pixels = set->state;

        if (pixels && (rows != set->rows || cols != set->cols || colours != set->colours))
                return pxr_user_error(o->diag,
                                      "%s: images of %d x %d x %d, but those of the first file are "
                                      "%d x %d x %d (rows x columns x colours)",
                                      name, rows, cols, colours, set->rows, set->cols,
                                      set->colours);
        if (pixels)
                return 0;
        pixels = pxr_alloc(o->arena, sizeof *pixels);
        if (!pixels || pxr_arena_defer(o->arena, clean, pixels))
                return -1;
        set->rows = rows;
        set->cols = cols;
        set->colours = colours;
        set->state = pixels;
        set->read = pxr_pixels_read;
        pixels->size = pxr_image_size(set);
        pixels->budget = budget;
        return 0;
}

uint8_t *pxr_pixels_add(struct pxr_opening *o)
{
        struct pixels *pixels = o->set->state;

        if (pixels->count - pixels->filed == pixels->room && grow(pixels, o->diag))
                return NULL;
        return pixels->block + (size_t)(pixels->count++ - pixels->filed) * pixels->size;
}

int pxr_pixels_add_file(struct pxr_opening *o, const char *folder, const char *name,
                        int (*parse)(struct pxr_opening *o, struct pxr_reader *input),
                        int64_t *count)
{
        struct pxr_reader *input = pxr_reader_open(folder, name, o->diag);
        int64_t before = pxr_pixels_count(o);
        int failed = !input || parse(o, input) || pxr_data_record(o, input);

        pxr_reader_close(input);
        *count = pxr_pixels_count(o) - before;
        return failed ? -1 : 0;
}

int64_t pxr_pixels_count(const struct pxr_opening *o)
{
        const struct pixels *pixels = o->set->state;

        return pixels ? pixels->count : 0;
}

void pxr_pixels_reorder(struct pxr_opening *o, const int64_t *order)
{
        struct pixels *pixels = o->set->state;

        pixels->order = order;
}

/* --- reading -----------------------------------------------------------------------------------*/

static int read_image(const struct pixels *pixels, int64_t index, uint8_t *to,
                      struct pxr_diag *diag)
{
        index = pixels->order ? pixels->order[index] : index;
        if (pixels->file)
                return read_file(pixels, index, to, diag);
        memcpy(to, pixels->block + (size_t)index * pixels->size, pixels->size);
        return 0;
}

/* Keep what was added: all in the file, or all in memory. */
static int settle(struct pixels *pixels, struct pxr_diag *diag)
{
        uint8_t *exact;

        if (pixels->file && spill(pixels, diag))
                return -1;
        if (pixels->file) {
                free(pixels->block);
                pixels->block = NULL;
        } else if (pixels->count > 0) {
                exact = realloc(pixels->block, (size_t)pixels->count * pixels->size);
                pixels->block = exact ? exact : pixels->block;
        }
        return 0;
}

/* `uncut` becomes the hash of the images of train, and of valid after them. */
static int set_split(struct pxr_opening *o, enum pxr_split split, int64_t first, int64_t count,
                     struct pxr_sha256 *uncut)
{
        struct pixels *pixels = o->set->state;
        uint8_t *image = malloc(pixels->size);
        struct pxr_sha256 hash;
        char hex[PXR_SHA256_HEX];
        int failed = image ? 0 : pxr_out_of_memory(o->diag);

        pxr_sha256_init(&hash);
        for (int64_t i = first; i < first + count && !failed; i++) {
                failed = read_image(pixels, i, image, o->diag);
                if (!failed)
                        pxr_sha256_update(&hash, image, pixels->size);
                if (!failed && split == PXR_VALID)
                        pxr_sha256_update(uncut, image, pixels->size);
        }
        free(image);
        if (split == PXR_TRAIN)
                *uncut = hash;
        pxr_sha256_final(&hash, hex);
        pixels->first[split] = first;
        o->set->count[split] = count;
        o->set->digest[split] = pxr_strdup(o->arena, hex);
        return failed ? failed : pxr_labels_split(o, split, pixels->order, first, count);
}

int pxr_pixels_end(struct pxr_opening *o, int64_t count[PXR_SPLITS], int64_t valid,
                   const char *path)
{
        bool cut = valid > 0 && count[PXR_TRAIN] > 0;
        int64_t first = 0;
        struct pxr_sha256 uncut;
        char hex[PXR_SHA256_HEX];

        if (pxr_pixels_count(o) == 0)
                return 0;
        if (settle(o->set->state, o->diag))
                return -1;
        if (cut) {
                const char *own = count[PXR_VALID] > 0 ? "valid split" : NULL;

                if (pxr_data_cut(o, "valid", valid, own, path, &count[PXR_TRAIN]))
                        return -1;
                count[PXR_VALID] = valid;
        }
        pxr_sha256_init(&uncut);
        for (int i = 0; i < PXR_SPLITS; first += count[i++])
                if (count[i] > 0 && pxr_data_opens(o, i) &&
                    set_split(o, i, first, count[i], &uncut))
                        return -1;
        pxr_sha256_final(&uncut, hex);
        if (cut && pxr_data_opens(o, PXR_TRAIN) && pxr_data_opens(o, PXR_VALID))
                o->set->uncut = pxr_strdup(o->arena, hex);
        return 0;
}

int pxr_pixels_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                    const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pixels *held = set->state;

        (void)epoch;
        for (int i = 0; i < count; i++, pixels += held->size)
                if (read_image(held, held->first[split] + index[i], pixels, diag))
                        return -1;
        return 0;
}
