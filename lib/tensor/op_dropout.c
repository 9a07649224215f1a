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

#include "tensor/bf16.h"

enum { PARTS = 1 << 16 }; /* of a probability: two values share 32 random bits */

/* Values in `PARTS` that are kept. */
static int kept_parts(const struct pxr_node *node)
{
        return *(const int *)node->conf;
}

enum { PART = 64 };

/* Some values of one image that lie together. They are decided of in the order [row][col][channel].
 */
struct part {
        const struct pxr_call *call;
        struct pxr_random random;
        uint32_t bits;   /* the upper half is for the next value, if the last one was even */
        size_t next;     /* the value after them, of the image */
        size_t size, at; /* how many, and where the first one is in the map of all images */
        int image;
        bool kept[PART];
};

/* The part before the first one. */
static struct part first_part(const struct pxr_call *call, int image)
{
        const struct pxr_training_step *training = call->training;

        return (struct part) {
                .call = call,
                .random = pxr_random(training->seed, PXR_RANDOM_DROPOUT, training->step,
                                     training->first_image + image, call->node->index),
                .image = image,
        };
}

/* False after the last one. */
static bool next_part(struct part *part)
{
        const struct pxr_node *node = part->call->node;
        size_t channels = node->shape.channels, channel = part->next % channels;
        size_t cell = part->next / channels * part->call->images + part->image;
        uint32_t kept = kept_parts(node);

        part->at = cell * channels + channel;
        part->size = channels - channel < PART ? channels - channel : PART;
        if (part->next == channels * node->shape.rows * node->shape.cols)
                return false;
        for (size_t i = 0; i < part->size; i++, part->next++) {
                part->bits = part->next % 2 ? part->bits >> 16 : pxr_random_bits(&part->random);
                part->kept[i] = (part->bits & (PARTS - 1)) < kept;
        }
        return true;
}

#define PXR_KERNELS_FILE "tensor/dropout_kernels.h"
#include <pxr/precisions.h>

static void drop_mixed(const struct pxr_call *call, const pxr_bf16 *x, bool adds, pxr_bf16 *y)
{
        float scale = (float)PARTS / (float)kept_parts(call->node);
        float values[PART], sums[PART];

        for (int image = 0; image < call->images; image++)
                for (struct part part = first_part(call, image); next_part(&part);) {
                        pxr_bf16_widen(part.size, x + part.at, values);
                        if (adds)
                                pxr_bf16_widen(part.size, y + part.at, sums);
                        drop_part_f32(part.kept, part.size, scale, values, adds, sums);
                        pxr_bf16_round(part.size, sums, y + part.at);
                }
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
