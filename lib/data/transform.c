/* SPDX-License-Identifier: MIT */
/*
 * transform.c - what every set can do to its images: limit, crop, resize, grey, downsample, flip,
 * in that order.
 *
 * A transformed set has another, its base, as its state: it reads images of that one and changes
 * them. Grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), rounded. Downsampling keeps
 * the pixel at the top left of each block, so that the small image of a multi-scale model is a
 * subset of the large one's pixels.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/random.h>

#include "data/fit.h"
#include "config/yaml.h"

static void add_transform(struct pxr_opening *o, const char *text)
{
        o->set->transforms = pxr_strf(o->arena, "%s; %s", o->set->transforms, text);
}

static const char *downsampling(struct pxr_arena *arena, int rows, int cols)
{
        return pxr_strf(arena, "downsampled to %d x %d (top left of each block)", rows, cols);
}

static const char mirroring[] = "train mirrored at random";

const char *pxr_data_downsampled(struct pxr_arena *arena, const struct pxr_dataset *set, int rows,
                                 int cols)
{
        return pxr_strf(arena, "%s; %s%s%s", set->transforms_of_size,
                        downsampling(arena, rows, cols), set->mirrors ? "; " : "",
                        set->mirrors ? mirroring : "");
}

static void apply_limit(struct pxr_opening *o)
{
        int64_t limit = o->common.limit;

        if (limit == 0)
                return;
        for (int split = 0; split < PXR_SPLITS; split++)
                if (o->set->count[split] > limit)
                        o->set->count[split] = limit;
        add_transform(o, pxr_strf(o->arena, "first %lld of each split", (long long)limit));
}

/* --- cropping and resizing -------------------------------------------------------------------*/

static int read_fitted(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_dataset *base = set->state;
        uint8_t *whole = malloc(pxr_image_size(base));
        int failed = whole ? 0 : pxr_out_of_memory(diag);

        for (int i = 0; i < count && !failed; i++, pixels += pxr_image_size(set)) {
                failed = base->read(base, split, epoch, &index[i], 1, whole, diag);
                if (!failed)
                        pxr_fit_image(&set->opening->fit, whole, base->rows, base->cols,
                                      base->colours, pixels);
        }
        free(whole);
        return failed;
}

static int apply_fit(struct pxr_opening *o)
{
        struct pxr_dataset *set = o->set, *base;

        if (!pxr_fit_asked(o))
                return 0;
        set->entropy = NAN;
        set->nats = NULL;
        set->transforms =
                pxr_strf(o->arena, "%s%s", set->transforms, pxr_fit_text(o->arena, &o->fit));
        if (o->format->fits)
                return 0;
        base = pxr_alloc(o->arena, sizeof *base);
        if (!base)
                return -1;
        *base = *set;
        set->read = read_fitted;
        set->state = base;
        return pxr_fit_size(&o->fit, set->name, &set->rows, &set->cols, o->diag);
}

/* --- reading -----------------------------------------------------------------------------------*/

static uint8_t grey(const uint8_t *pixel)
{
        return (uint8_t)((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
}

/* The image `whole` of the base becomes one of `set`. */
static void change(const struct pxr_dataset *set, const uint8_t *whole, bool mirrored,
                   uint8_t *pixels)
{
        const struct pxr_dataset *base = set->state;
        size_t colours = (size_t)base->colours, step = (size_t)(base->rows / set->rows);
        size_t across = step * colours, down = across * (size_t)base->cols;

        for (int row = 0; row < set->rows; row++)
                for (int col = 0; col < set->cols; col++, pixels += set->colours) {
                        int from_col = mirrored ? set->cols - 1 - col : col;
                        const uint8_t *from =
                                whole + (size_t)row * down + (size_t)from_col * across;

                        if (set->colours < base->colours)
                                *pixels = grey(from);
                        else
                                memcpy(pixels, from, colours);
                }
}

static bool is_mirrored(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                        int64_t index)
{
        struct pxr_random random = pxr_random(set->opening->seed, PXR_RANDOM_FLIP, (uint32_t)epoch,
                                              (uint32_t)index, PXR_TRAIN);

        return set->mirrors && split == PXR_TRAIN && pxr_random_bits(&random) & 1;
}

static int read_view(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                     const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_dataset *base = set->state;
        size_t size = pxr_image_size(base);
        uint8_t *whole = malloc((size_t)count * size + 1);
        int failed;

        if (!whole)
                return pxr_out_of_memory(diag);
        failed = base->read(base, split, epoch, index, count, whole, diag);
        for (int i = 0; i < count && !failed; i++, pixels += pxr_image_size(set))
                change(set, whole + (size_t)i * size, is_mirrored(set, split, epoch, index[i]),
                       pixels);
        free(whole);
        return failed;
}

static double nats_of_base(const struct pxr_dataset *set, const uint8_t *pixels)
{
        const struct pxr_dataset *base = set->state;

        return base->nats(base, pixels);
}

/* --- wrapping a set --------------------------------------------------------------------------*/

/* One pixel in so many is kept, both ways. 0 after an error. */
static int find_step(const struct pxr_opening *o)
{
        const struct pxr_dataset *set = o->set;
        int64_t rows = o->common.downsample;

        if (rows == 0)
                return 1;
        if (rows <= set->rows && set->rows % rows == 0 && set->cols % (set->rows / rows) == 0)
                return set->rows / (int)rows;
        pxr_error_at(o->diag, pxr_data_location(o, "downsample"),
                     "data: downsample: images of %d x %d pixels cannot be divided into blocks "
                     "that give %lld rows",
                     set->rows, set->cols, (long long)rows);
        return 0;
}

/* Images get smaller, and no longer follow the law the set is drawn from. */
static void make_smaller(struct pxr_opening *o, bool grey, int step)
{
        struct pxr_dataset *set = o->set;

        set->entropy = NAN;
        set->nats = NULL;
        if (grey)
                add_transform(o, "grey");
        set->transforms_of_size = set->transforms;
        set->rows /= step;
        set->cols /= step;
        set->colours = grey ? 1 : set->colours;
        if (step > 1)
                add_transform(o, downsampling(o->arena, set->rows, set->cols));
}

int pxr_data_transform(struct pxr_opening *o)
{
        struct pxr_dataset *set = o->set, *base = pxr_alloc(o->arena, sizeof *base);
        bool grey = o->common.grey && set->colours == 3;
        int step;

        memcpy(set->whole, set->count, sizeof(set->whole));
        apply_limit(o);
        if (apply_fit(o))
                return -1;
        step = find_step(o);
        if (!base || step == 0)
                return -1;
        set->transforms_of_size = set->transforms;
        set->mirrors = o->common.flip && set->count[PXR_TRAIN] > 0;
        if (!grey && !set->mirrors && step == 1)
                return 0;
        *base = *set;
        set->read = read_view;
        set->state = base;
        if (set->nats)
                set->nats = nats_of_base;
        if (grey || step > 1)
                make_smaller(o, grey, step);
        if (set->mirrors)
                add_transform(o, mirroring);
        return 0;
}
