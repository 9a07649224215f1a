/* SPDX-License-Identifier: MIT */
/*
 * markov_rgb.c - coloured streaks with a known entropy.
 *
 * A tree: a pixel depends on its parent, the pixel to its left or, in column 0, the one above.
 * With w(d) = 16, 4, 1, 1 ... for d = 0, 1, 2, 3 ...
 *
 *     p(R | parent)    ~ w(|R - R'|)
 *     p(G | R, parent) ~ w(|G - G'|) w(|G - R|)
 *     p(B | G, parent) ~ w(|B - B'|) w(|B - G|)
 *
 * where R', G', B' are the parent's, and levels / 2 for the first pixel. The law of a pixel
 * depends on its depth in the tree, row + column, alone: it is propagated over levels^3 states,
 * and the entropy is the sum over pixels of the expected conditional entropy. Weights are whole
 * numbers, so that the law is the same on every machine.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "data/markov.h"

enum { LAW = 1, MAX_LEVELS = 8, STATES = MAX_LEVELS * MAX_LEVELS * MAX_LEVELS };

/* Probabilities of pixels, [red][green][blue]. */
typedef double pixel_law[MAX_LEVELS][MAX_LEVELS][MAX_LEVELS];

struct state {
        int levels;
        double red[MAX_LEVELS][MAX_LEVELS];               /* [R'][R] */
        double other[MAX_LEVELS][MAX_LEVELS][MAX_LEVELS]; /* [G'][R][G], and [B'][G][B] */
};

static int weight(int a, int b)
{
        static const int weights[] = { 16, 4, 1 };
        int distance = a < b ? b - a : a - b;

        return weights[distance < 2 ? distance : 2];
}

static void normalize(double *p, int count)
{
        double sum = 0;

        for (int i = 0; i < count; i++)
                sum += p[i];
        for (int i = 0; i < count; i++)
                p[i] /= sum;
}

static void fill_tables(struct state *state)
{
        int levels = state->levels;

        for (int parent = 0; parent < levels; parent++) {
                for (int value = 0; value < levels; value++)
                        state->red[parent][value] = weight(value, parent);
                normalize(state->red[parent], levels);
                for (int before = 0; before < levels; before++) {
                        double *p = state->other[parent][before];

                        for (int value = 0; value < levels; value++)
                                p[value] = weight(value, parent) * weight(value, before);
                        normalize(p, levels);
                }
        }
}

/* The law of one colour of a pixel, whose earlier colours are there. */
static const double *law_of(const struct state *state, const uint8_t *parent, const uint8_t *pixel,
                            int colour)
{
        return colour == 0 ? state->red[parent[0]]
                           : state->other[parent[colour]][pixel[colour - 1]];
}

/* The parent of a pixel; `root` is what the first has for one. */
static const uint8_t *parent_of(const struct pxr_dataset *set, const uint8_t *pixels, int row,
                                int col, const uint8_t *root)
{
        if (col > 0)
                return pixels + 3 * (row * set->cols + col - 1);
        return row > 0 ? pixels + 3 * (row - 1) * set->cols : root;
}

static uint8_t draw(struct pxr_random *random, const double *p, int count)
{
        double u = pxr_random_uniform(random);
        int value = 0;

        while (value < count - 1 && u >= p[value])
                u -= p[value++];
        return (uint8_t)value;
}

static int read_images(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct state *state = set->state;
        uint8_t root[3];

        (void)epoch, (void)diag;
        memset(root, state->levels / 2, sizeof root);
        for (int i = 0; i < count; i++, pixels += 3 * set->rows * set->cols) {
                struct pxr_random random =
                        pxr_markov_random(set->opening->options, split, index[i]);

                for (int at = 0; at < set->rows * set->cols; at++) {
                        const uint8_t *parent =
                                parent_of(set, pixels, at / set->cols, at % set->cols, root);

                        for (int k = 0; k < 3; k++)
                                pixels[3 * at + k] =
                                        draw(&random, law_of(state, parent, pixels + 3 * at, k),
                                             state->levels);
                }
        }
        return 0;
}

static double nats(const struct pxr_dataset *set, const uint8_t *pixels)
{
        const struct state *state = set->state;
        uint8_t root[3];
        double sum = 0;

        memset(root, state->levels / 2, sizeof root);
        for (int at = 0; at < set->rows * set->cols; at++) {
                const uint8_t *pixel = pixels + 3 * at;
                const uint8_t *parent =
                        parent_of(set, pixels, at / set->cols, at % set->cols, root);

                for (int k = 0; k < 3; k++)
                        sum -= log(law_of(state, parent, pixel, k)[pixel[k]]);
        }
        return sum;
}

/* Add `mass` times the law of the children of `parent` to `next`; returns their entropy. */
static double spread(const struct state *state, const int parent[3], double mass, pixel_law next)
{
        int n = state->levels;
        double sum = pxr_markov_entropy(state->red[parent[0]], n);

        for (int r = 0; r < n; r++) {
                const double *green = state->other[parent[1]][r];
                double p_red = state->red[parent[0]][r];

                sum += p_red * pxr_markov_entropy(green, n);
                for (int g = 0; g < n; g++) {
                        const double *blue = state->other[parent[2]][g];

                        sum += p_red * green[g] * pxr_markov_entropy(blue, n);
                        for (int b = 0; b < n; b++)
                                next[r][g][b] += mass * p_red * green[g] * blue[b];
                }
        }
        return mass * sum;
}

/* How many pixels have row + col == depth. */
static int pixels_at(const struct pxr_dataset *set, int depth)
{
        int first = depth < set->cols ? 0 : depth - set->cols + 1; /* row */
        int last = depth < set->rows ? depth : set->rows - 1;

        return last - first + 1;
}

static double entropy(const struct pxr_dataset *set, const struct state *state)
{
        pixel_law law = { 0 }, next;
        int n = state->levels, root = n / 2;
        double sum = 0;

        law[root][root][root] = 1;
        for (int depth = 0; depth < set->rows + set->cols - 1; depth++) {
                double given = 0;

                memset(next, 0, sizeof next);
                for (int r = 0; r < n; r++)
                        for (int g = 0; g < n; g++)
                                for (int b = 0; b < n; b++)
                                        if (law[r][g][b] > 0)
                                                given += spread(state, (int[]) { r, g, b },
                                                                law[r][g][b], next);
                sum += pixels_at(set, depth) * given;
                memcpy(law, next, sizeof law);
        }
        return sum;
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct pxr_markov *options = conf;

        set->rows = (int)options->rows;
        set->cols = (int)options->cols;
        set->colours = 3;
        set->levels = (int)options->levels;
}

static int open_set(struct pxr_opening *o)
{
        struct state *state = pxr_alloc(o->arena, sizeof *state);

        if (!state)
                return -1;
        state->levels = o->set->levels;
        fill_tables(state);
        o->set->entropy = entropy(o->set, state);
        o->set->nats = nats;
        o->set->read = read_images;
        o->set->state = state;
        return pxr_markov_describe(o, LAW, &state->other[0][0][0], STATES);
}

static const struct pxr_option rows[] = {
        PXR_INT(struct pxr_markov, rows, "8", 1, 64, "rows of an image"),
        PXR_INT(struct pxr_markov, cols, "8", 1, 64, "columns of an image"),
        PXR_INT(struct pxr_markov, levels, "4", 2, MAX_LEVELS, "values of a colour"),
        PXR_MARKOV_ROWS,
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct pxr_markov) };

const struct pxr_data_format pxr_data_markov_rgb = {
        .name = "markov_rgb",
        .help = "synthetic streaks in red, green and blue whose exact entropy is known",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
};
