/* SPDX-License-Identifier: MIT */
/*
 * faulty.c - a layer with one fault, for which `pxr-layers check` must find a name.
 *
 * Compiled once for each FAULT: cc -DFAULT=WRONG_GRADIENT ... Its op is y = x^2 + (x of the pixel
 * above) / 2, and right if FAULT is NONE. It uses the installed headers alone.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        FORGETS_TAP, /* advance does not read the pixel above */
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

        /* While it is built: what the library sees, */
        NULL_OP,
        NULL_NAME, /* of an op */
        GARBAGE_NODE,
        GARBAGE_INPUT,
        HUGE_MAP,
        HUGE_SCRATCH,
        HUGE_STATE,
        HUGE_PARAMETER, /* of 2^64 values */
        NO_INIT,
        CLOSES_UNOPENED,
        LEAVES_OPEN,
        NO_DISTRIBUTION,
        /* what its table shows before, */
        OUTSIDE_STRUCT,
        UNNAMED_OPTION,
        UNKNOWN_TYPE,
        NO_CHOICES,
        TWICE_NAMED,
        /* and what ends or holds up the process. */
        EXITS,
        CRASHES,
        LOOPS,
        EATS_MEMORY,
        EXITS_LOADING,
        CRASHES_LOADING,
        LOOPS_LOADING,
        EXITS_UNLOADING,
        CRASHES_RUNNING, /* in forward */
};

static const int row_step = FAULT == READS_FUTURE ? 0 : -1;
static const int col_step = FAULT == READS_FUTURE ? 1 : 0;

static void crash(void)
{
        volatile int *volatile nowhere = NULL;

        *nowhere = 1;
}

static double kept;
static double buffer[1 << 14];

#define PXR_KERNELS_FILE "faulty_kernels.h"
#include <pxr/precisions.h>

static void depends(const struct pxr_node *node, int row, int col, int colour,
                    struct pxr_dependencies *deps)
{
        deps->read(deps, 0, row, col, colour);
        if (FAULT != HIDES_READ)
                deps->read(deps, 0, row + row_step, col + col_step, colour);
        if (FAULT == WILD_DEPENDS) {
                deps->read(deps, 3, row, col, colour);
                deps->read(deps, -2, row, col, colour);
                deps->read(deps, 0, row, col, node->colours + 1000);
                deps->read(deps, 0, row, col, -1);
                deps->read(deps, 0, -1000, 1000, colour);
        }
}

static size_t scratch(const struct pxr_node *node, int images)
{
        (void)node;
        (void)images;
        return FAULT == HUGE_SCRATCH ? SIZE_MAX : 1;
}

static size_t state(const struct pxr_node *node, int images)
{
        (void)node;
        (void)images;
        return SIZE_MAX;
}

static const struct pxr_op faulty_op = {
        .name = FAULT == NULL_NAME ? NULL : "faulty",
        .flags = (FAULT == READS_UNDECLARED ? 0 : PXR_BACKWARD_READS_INPUT) |
                 (FAULT == WRITES_ELSEWHERE ? PXR_ADVANCE_AT_ITS_PIXEL : 0) |
                 (FAULT == READS_OTHER_ROW ? PXR_ADVANCE_READS_ITS_ROW : 0),
        .kernels = { { forward_f32, backward_f32, FAULT == NO_ADVANCE ? NULL : advance_f32 },
                     { forward_f64, backward_f64, FAULT == NO_ADVANCE ? NULL : advance_f64 } },
        .scratch = scratch,
        .state = FAULT == HUGE_STATE ? state : NULL,
        .depends = depends,
};

static void loop(void)
{
        for (volatile unsigned long n = 0;; n++)
                ;
}

static void misbehave(void)
{
        enum { PIECE = 1 << 24 };
        static char *volatile piece; /* so that no compiler leaves it out */

        if (FAULT == EXITS)
                exit(0);
        if (FAULT == CRASHES)
                crash();
        if (FAULT == LOOPS)
                loop();
        while (FAULT == EATS_MEMORY && (piece = malloc(PIECE)))
                memset(piece, 1, PIECE);
}

__attribute__((constructor)) static void when_loaded(void)
{
        if (FAULT == EXITS_LOADING)
                exit(0);
        if (FAULT == CRASHES_LOADING)
                crash();
        if (FAULT == LOOPS_LOADING)
                loop();
}

__attribute__((destructor)) static void when_unloaded(void)
{
        if (FAULT == EXITS_UNLOADING)
                _exit(0);
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        static char garbage[sizeof(struct pxr_node)];
        struct pxr_new_node new_node = { .op = FAULT == NULL_OP ? NULL : &faulty_op,
                                         .inputs = 1,
                                         .input = { input } };
        struct pxr_node *node;

        (void)conf;
        if (!input)
                return NULL;
        new_node.shape = input->shape;
        if (FAULT == GARBAGE_INPUT)
                new_node.input[0] = (struct pxr_node *)garbage;
        if (FAULT == HUGE_MAP)
                new_node.shape = (struct pxr_shape) { 1 << 30, 1 << 30, 1 << 30 };
        if (FAULT == LEAVES_OPEN)
                pxr_skip_open(builder, 8);
        if (FAULT == CLOSES_UNOPENED)
                return pxr_skip_close(builder);
        if (FAULT == NO_DISTRIBUTION)
                return pxr_output(builder, input, &(struct pxr_distribution) { .name = "none" });
        misbehave();
        node = pxr_add_node(builder, &new_node);
        if (FAULT == HUGE_PARAMETER)
                pxr_add_parameter(builder, node, "weight", pxr_init_zeros, 4,
                                  (int[]) { 1 << 16, 1 << 16, 1 << 16, 1 << 16 });
        if (FAULT == NO_INIT)
                pxr_add_parameter(builder, node, "weight", NULL, 1, (int[]) { 1 });
        return FAULT == GARBAGE_NODE ? (struct pxr_node *)(garbage + 1) : node;
}

struct conf {
        int64_t size, more;
};

static const struct pxr_option rows[] = {
        { .name = FAULT == UNNAMED_OPTION ? NULL : "size",
          .help = "not used",
          .type = FAULT == UNKNOWN_TYPE ? (enum pxr_option_type)99
                  : FAULT == NO_CHOICES ? PXR_TYPE_ENUM
                                        : PXR_TYPE_INT,
          .offset = FAULT == OUTSIDE_STRUCT ? sizeof(struct conf) : offsetof(struct conf, size),
          .initial = "1",
          .minimum = 1,
          .maximum = 9 },
        { .name = FAULT == TWICE_NAMED ? "size" : "more",
          .help = "not used",
          .type = PXR_TYPE_INT,
          .offset = offsetof(struct conf, more),
          .initial = "1",
          .minimum = 1,
          .maximum = 9 },
        PXR_END,
};
static const struct pxr_options options = { .rows = rows, .size = sizeof(struct conf) };

static const struct pxr_layer faulty = {
        .name = "faulty",
        .summary = "x squared, with a fault",
        .options = &options,
        .build = build,
};
PXR_PLUGIN(faulty)
