/* SPDX-License-Identifier: MIT */
/*
 * op_dropout.c - dropout (Srivastava et al. 2014): in training, each value is zero with a
 * probability, and the others are scaled so that the mean stays; everywhere else nothing changes.
 *
 * Which values are zero is a function of the run's seed, the step, the image's number in the batch
 * and the node, so it is the same for any number of threads, for any micro-batch, and on resume.
 */
#include <string.h>

#include <pxr/build.h>
#include <pxr/levels.h>

#include "tensor/bf16.h"

enum { PARTS = 1 << 16 }; /* of a probability: two values share 32 random bits */

/* Values in `PARTS` that are kept. */
static int kept_parts(const struct pxr_node *node)
{
        return *(const int *)node->conf;
}

enum { PIECE = 1024 };

/* Some values of one image that follow one another in the order [row][col][channel], and a random
 * number for each. */
struct piece {
        struct pxr_random random;
        int image;
        size_t first, size; /* of the image's values */
        size_t at, here;    /* where the first is in the map, with how many of its pixel */
        uint16_t number[PIECE];
};

/* Set *piece to the empty one before the first. */
static void begin(const struct pxr_call *call, int image, struct piece *piece)
{
        const struct pxr_training_step *training = call->training;

        piece->random = pxr_random(training->seed, PXR_RANDOM_DROPOUT, training->step,
                                   training->first_image + image, call->node->index);
        piece->image = image;
        piece->first = piece->size = 0;
}

/* False after the last one. */
static bool next_piece(const struct pxr_call *call, struct piece *piece)
{
        size_t all = pxr_map_size(call->node, 1), channels = call->node->shape.channels;
        uint32_t bits[PIECE / 2];
        size_t channel, pixel;

        piece->first += piece->size;
        piece->size = all - piece->first < PIECE ? all - piece->first : PIECE;
        channel = piece->first % channels;
        pixel = piece->first / channels;
        piece->at = (pixel * call->images + piece->image) * channels + channel;
        piece->here = channels - channel;
        pxr_random_fill(&piece->random, (piece->size + 1) / 2, bits);
        for (size_t i = 0; i < (piece->size + 1) / 2; i++) {
                piece->number[2 * i] = (uint16_t)bits[i];
                piece->number[2 * i + 1] = (uint16_t)(bits[i] >> 16);
        }
        return piece->size > 0;
}

#define PXR_KERNELS_FILE "tensor/dropout_kernels.h"
#include <pxr/precisions.h>

PXR_INLINE void drop_piece_mixed_body(const struct pxr_call *call, const struct piece *piece,
                                      const pxr_bf16 *x, bool adds, pxr_bf16 *y)
{
        int kept = kept_parts(call->node);
        float scale = (float)PARTS / (float)kept;
        size_t channels = call->node->shape.channels, gap = (call->images - 1) * channels;
        size_t at = piece->at, size = piece->here;

        for (size_t i = 0; i < piece->size; i += size, at += size + gap, size = channels) {
                if (size > piece->size - i)
                        size = piece->size - i;
                for (size_t j = 0; j < size; j++) {
                        bool keep = piece->number[i + j] < kept;
                        float value = keep ? scale * pxr_bf16_value(x[at + j]) : 0;

                        if (adds)
                                value += pxr_bf16_value(y[at + j]);
                        y[at + j] = pxr_bf16_rounded(value);
                }
        }
}
PXR_FOR_EACH_LEVEL(static, void, drop_piece_mixed,
                   (const struct pxr_call *call, const struct piece *piece, const pxr_bf16 *x,
                    bool adds, pxr_bf16 *y),
                   (call, piece, x, adds, y))

static void drop_mixed(const struct pxr_call *call, const pxr_bf16 *x, bool adds, pxr_bf16 *y)
{
        struct piece piece;

        for (int image = 0; image < call->images; image++)
                for (begin(call, image, &piece); next_piece(call, &piece);)
                        drop_piece_mixed(call, &piece, x, adds, y);
}

static void dropout_forward_mixed(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);

        if (call->training)
                drop_mixed(call, call->input[0], false, call->output);
        else
                memcpy(call->output, call->input[0], size * sizeof(pxr_bf16));
}

static void dropout_backward_mixed(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *dy = call->output_gradient;
        pxr_bf16 *dx = call->input_gradient[0];

        if (dx && call->training)
                drop_mixed(call, dy, call->accumulate[0], dx);
        else if (dx && call->accumulate[0])
                pxr_bf16_add(size, dx, dy, dx);
        else if (dx)
                memcpy(dx, dy, size * sizeof(*dx));
}

static const struct pxr_mixed dropout_mixed = { .forward = dropout_forward_mixed,
                                                .backward = dropout_backward_mixed };

static const struct pxr_op dropout_op = {
        .name = "dropout",
        .flags = PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { dropout_forward_f32, dropout_backward_f32, dropout_advance_f32 },
                     { dropout_forward_f64, dropout_backward_f64, dropout_advance_f64 } },
        .mixed = &dropout_mixed,
};

struct pxr_node *pxr_dropout(struct pxr_builder *builder, double rate, struct pxr_node *input)
{
        int kept = (int)((1 - rate) * PARTS + 0.5);

        if (!input)
                return NULL;
        if (!(rate >= 0) || kept < 1)
                return pxr_layer_error(
                        builder, "dropout requires a rate from 0 to less than 1, got %g", rate);
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &dropout_op,
                                                              .conf = &kept,
                                                              .conf_size = sizeof(kept),
                                                              .shape = input->shape,
                                                              .gates = input->gates,
                                                              .inputs = 1,
                                                              .input = { input } });
}
