/* SPDX-License-Identifier: MIT */
/*
 * markov_binary.c - binary blobs with a known entropy.
 *
 * A Markov mesh: in raster order, a pixel x given all before it depends on the pixels to its left,
 * above, and above to the right (0 outside of the image):
 *
 *     p(x = 1 | left, up, right) = mesh[left + 2 up + 4 right]
 *
 * The entropy is the sum over pixels of E[h(p)], where the expectation is over the law of the
 * frontier (the last pixel of each column), propagated pixel by pixel: 2^cols states.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "data/markov.h"

enum { LAW = 1, MAX_COLS = 16 };

static const double mesh[8] = { 0.05, 0.5, 0.4, 0.96, 0.2, 0.6, 0.7, 0.96 };

/* The probability of a 1 at (row, col) of an image whose pixels before that are there. */
static double chance(const struct pxr_dataset *set, const uint8_t *pixels, int row, int col)
{
        const uint8_t *at = pixels + row * set->cols + col;
        int left = col > 0 ? at[-1] : 0;
        int up = row > 0 ? at[-set->cols] : 0;
        int right = row > 0 && col + 1 < set->cols ? at[1 - set->cols] : 0;

        return mesh[left + 2 * up + 4 * right];
}

static int read_images(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_markov *options = set->opening->options;

        (void)epoch, (void)diag;
        for (int i = 0; i < count; i++, pixels += set->rows * set->cols) {
                struct pxr_random random = pxr_markov_random(options, split, index[i]);

                for (int row = 0; row < set->rows; row++)
                        for (int col = 0; col < set->cols; col++)
                                pixels[row * set->cols + col] =
                                        pxr_random_uniform(&random) < chance(set, pixels, row, col);
        }
        return 0;
}

static double nats(const struct pxr_dataset *set, const uint8_t *pixels)
{
        double sum = 0;

        for (int row = 0; row < set->rows; row++)
                for (int col = 0; col < set->cols; col++) {
                        double p = chance(set, pixels, row, col);

                        sum -= log(pixels[row * set->cols + col] ? p : 1 - p);
                }
        return sum;
}

/* Bit c of a state is the last pixel of column c. Add the pixel at `col` to the law of states;
 * returns its entropy given those before it. `given` is the entropy in each context. */
static double add_pixel(double *law, int cols, int col, const double given[8])
{
        double sum = 0;

        for (int state = 0; state < 1 << cols; state++) {
                int other = state | 1 << col, left, right, context;
                double p, q, was_0, was_1;

                if (state == other)
                        continue; /* done together with its twin */
                left = col > 0 ? state >> (col - 1) & 1 : 0;
                right = state >> (col + 1) & 1;
                context = left + 4 * right;
                p = mesh[context];
                q = mesh[context + 2];
                was_0 = law[state];
                was_1 = law[other];
                sum += was_0 * given[context] + was_1 * given[context + 2];
                law[state] = was_0 * (1 - p) + was_1 * (1 - q);
                law[other] = was_0 * p + was_1 * q;
        }
        return sum;
}

/* NAN when out of memory. */
static double entropy(int rows, int cols)
{
        double *law = calloc((size_t)1 << cols, sizeof *law), sum = 0, given[8];

        if (!law)
                return NAN;
        law[0] = 1;
        for (int i = 0; i < 8; i++)
                given[i] = pxr_markov_entropy((double[]) { mesh[i], 1 - mesh[i] }, 2);
        for (int row = 0; row < rows; row++)
                for (int col = 0; col < cols; col++)
                        sum += add_pixel(law, cols, col, given);
        free(law);
        return sum;
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct pxr_markov *options = conf;

        set->rows = (int)options->rows;
        set->cols = (int)options->cols;
        set->colours = 1;
        set->levels = 2;
}

static int open_set(struct pxr_opening *o)
{
        o->set->entropy = entropy(o->set->rows, o->set->cols);
        o->set->nats = nats;
        o->set->read = read_images;
        if (isnan(o->set->entropy))
                return pxr_out_of_memory(o->diag);
        return pxr_markov_describe(o, LAW, mesh, 8);
}

static const struct pxr_option rows[] = {
        PXR_INT(struct pxr_markov, rows, "12", 1, 64, "rows of an image"),
        PXR_INT(struct pxr_markov, cols, "12", 1, MAX_COLS, "columns of an image"),
        PXR_MARKOV_ROWS,
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct pxr_markov) };

const struct pxr_data_format pxr_data_markov_binary = {
        .name = "markov_binary",
        .help = "synthetic binary blobs whose exact entropy is known",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
};
