/* SPDX-License-Identifier: MIT */
/*
 * faulty.c - a layer with one fault, for which `pxr-layers check` must find a name.
 *
 * Compiled once for each FAULT: cc -DFAULT=WRONG_GRADIENT ... Its op is y = x^2 + (x of the pixel
 * above) / 2, and right if FAULT is NONE. It uses the installed headers alone.
 */
#include <sched.h>

#include <pxr/layer.h>

enum fault {
        NONE,
        WRONG_GRADIENT,
        WRONG_SINGLE, /* the same in single precision alone */
        FORGETS_TO_ADD,
        READS_UNDECLARED, /* backward reads what the flags do not declare */
        WRITES_INPUT,
        READS_FUTURE, /* the pixel to the right, and says so */
        HIDES_READ,   /* the pixel above, and does not say so */
        TIMES_ZERO,   /* the last pixel, times zero */
        WRONG_ADVANCE,
        NO_ADVANCE,
        KEEPS_STATE,   /* from forward to backward, in a static */
        STATIC_BUFFER, /* within one call */
        PAST_OUTPUT,
        WRITES_ELSEWHERE, /* advance, to the next pixel, which its flags deny */
        READS_OTHER_ROW,  /* advance, the pixel above, which its flags deny */
        PAST_SCRATCH,
        READS_SCRATCH, /* before writing it */
        LEAVES_OUTPUT, /* does not write the last value */
        WILD_DEPENDS,  /* declares inputs and colours that are not there: harmless */
};

static const int row_step = FAULT == READS_FUTURE ? 0 : -1;
static const int col_step = FAULT == READS_FUTURE ? 1 : 0;

static double kept;
static double buffer[1 << 14];

#define PXR_KERNELS_FILE "faulty_kernels.h"
#include <pxr/precisions.h>

static void depends(const struct pxr_node *node, int row, int col, int colour,
                    struct pxr_reach *reach)
{
        reach->read(reach, 0, row, col, colour);
        if (FAULT != HIDES_READ)
                reach->read(reach, 0, row + row_step, col + col_step, colour);
        if (FAULT == WILD_DEPENDS) {
                reach->read(reach, 3, row, col, colour);
                reach->read(reach, -2, row, col, colour);
                reach->read(reach, 0, row, col, node->colours + 1000);
                reach->read(reach, 0, row, col, -1);
                reach->read(reach, 0, -1000, 1000, colour);
        }
}

static size_t scratch(const struct pxr_node *node, int images)
{
        (void)node;
        (void)images;
        return 1;
}

static const struct pxr_op faulty_op = {
        .name = "faulty",
        .flags = (FAULT == READS_UNDECLARED ? 0 : PXR_BACKWARD_READS_INPUT) |
                 (FAULT == WRITES_ELSEWHERE ? PXR_ADVANCE_AT_ITS_PIXEL : 0) |
                 (FAULT == READS_OTHER_ROW ? PXR_ADVANCE_READS_ITS_ROW : 0),
        .kernels = { { forward_f32, backward_f32, FAULT == NO_ADVANCE ? NULL : advance_f32 },
                     { forward_f64, backward_f64, FAULT == NO_ADVANCE ? NULL : advance_f64 } },
        .scratch = scratch,
        .depends = depends,
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        if (!input)
                return NULL;
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &faulty_op,
                                                              .shape = input->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

static const struct pxr_layer faulty = {
        .name = "faulty",
        .summary = "x squared, with a fault",
        .build = build,
};
PXR_PLUGIN(faulty)
