/* SPDX-License-Identifier: MIT */
/*
 * op_gradients.c - the gradients of one op by itself, whatever graph it stands in.
 *
 * The op's output y is projected on random numbers, dy; what backward makes of dy is then the
 * gradient of that one number by every input and parameter.
 */
#include "model/op_gradients.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 2, MAX_PROBED = 48, MAX_OPERANDS = PXR_MAX_INPUTS + PXR_MAX_PARAMETERS };

static const char no_memory[] = "out of memory";

/* An input or a parameter. */
struct operand {
        const char *name; /* "input 0" */
        double *values, *kept, *gradient;
        size_t size;
};

/* A call, and what it points to. */
struct trial {
        struct pxr_arena *arena;
        const struct pxr_node *node;
        struct pxr_call call;
        struct operand operand[MAX_OPERANDS]; /* inputs, then parameters */
        int operands;
        double *output, *dy, *kept_dy, *nothing; /* nothing: NaN, as long as the longest map */
        double *scratch, *state;
        size_t output_size, scratch_size, state_size;
        struct pxr_random random;
};

const char *pxr_compare_slopes(struct pxr_arena *arena, const char *what, double *values,
                               size_t size, const double *found, pxr_function *function,
                               void *context, double tolerance)
{
        const double step = 1e-5;
        size_t count = size < MAX_PROBED ? size : MAX_PROBED;

        for (size_t i = 0; i < count; i++) {
                size_t at = count > 1 ? i * (size - 1) / (count - 1) : 0;
                double kept = values[at], above, expected;

                values[at] = kept + step;
                above = function(context);
                values[at] = kept - step;
                expected = (above - function(context)) / (2 * step);
                values[at] = kept;
                if (!(fabs(found[at] - expected) <= tolerance * (1 + fabs(expected))))
                        return pxr_strf(arena,
                                        "%s[%zu] is %.9g, but finite differences give %.9g%s", what,
                                        at, found[at], expected,
                                        isnan(found[at])
                                                ? " (NaN comes from what its flags do not declare, "
                                                  "or from scratch it has not written)"
                                                : "");
        }
        return NULL;
}

static void fill(double *values, size_t size, double value)
{
        for (size_t i = 0; i < size; i++)
                values[i] = value;
}

/* `size` numbers in the arena, all of them `value`. */
static double *numbers(struct pxr_arena *arena, size_t size, double value)
{
        double *values = pxr_alloc_array(arena, size + 1, sizeof(double));

        if (values)
                fill(values, size, value);
        return values;
}

static double *copy(struct pxr_arena *arena, const double *values, size_t size)
{
        double *same = numbers(arena, size, 0);

        return same && values ? memcpy(same, values, size * sizeof(double)) : NULL;
}

static double *random_numbers(struct trial *trial, size_t size)
{
        double *values = numbers(trial->arena, size, 0);

        for (size_t i = 0; values && i < size; i++)
                values[i] = pxr_random_normal(&trial->random);
        return values;
}

/* Normal numbers; for the image what an image can hold, but not where max(x, 0) has its bend. */
static double *input_numbers(struct trial *trial, int k, size_t size, int levels)
{
        double *values = random_numbers(trial, size);

        for (size_t i = 0; values && i < size && trial->node->input[k]->index == 0; i++)
                values[i] = 2.0 * pxr_random_below(&trial->random, levels) / (levels - 1) - 1 +
                            (values[i] < 0 ? -0.01 : 0.01);
        return values;
}

static bool trial_new(struct trial *trial, struct pxr_arena *arena, const struct pxr_node *node,
                      const double *parameters, int levels)
{
        size_t longest = pxr_map_size(node, IMAGES);

        *trial = (struct trial) {
                .arena = arena,
                .node = node,
                .call = { .node = node, .images = IMAGES },
                .operands = node->inputs + node->parameters,
                .output_size = longest,
                .scratch_size = node->op->scratch ? node->op->scratch(node, IMAGES) : 0,
                .state_size = node->op->state ? node->op->state(node, IMAGES) : 0,
                .random = pxr_random(3, PXR_RANDOM_TEST, node->index, 0, 0),
        };
        for (int k = 0; k < trial->operands; k++) {
                struct operand *operand = &trial->operand[k];

                if (k < node->inputs) {
                        operand->name = pxr_strf(arena, "input %d", k);
                        operand->size = pxr_map_size(node->input[k], IMAGES);
                        operand->values = input_numbers(trial, k, operand->size, levels);
                        longest = operand->size > longest ? operand->size : longest;
                } else {
                        const struct pxr_parameter *p = node->parameter[k - node->inputs];

                        operand->name = p->name;
                        operand->size = p->size;
                        operand->values = copy(arena, parameters + p->offset, p->size);
                        trial->call.parameter[k - node->inputs] = operand->values;
                }
                operand->kept = copy(arena, operand->values, operand->size);
                operand->gradient = numbers(arena, operand->size, k < node->inputs ? NAN : 0);
        }
        trial->call.scratch = trial->scratch = numbers(arena, trial->scratch_size, NAN);
        trial->call.state = trial->state = numbers(arena, trial->state_size, NAN);
        trial->output = numbers(arena, trial->output_size, NAN);
        trial->dy = random_numbers(trial, trial->output_size);
        trial->kept_dy = copy(arena, trial->dy, trial->output_size);
        trial->nothing = numbers(arena, longest, NAN);
        return !pxr_arena_failed(arena);
}

/* The projection of the output. */
static double project(void *context)
{
        struct trial *trial = context;
        double sum = 0;

        for (int k = 0; k < trial->node->inputs; k++)
                trial->call.input[k] = trial->operand[k].values;
        trial->call.output = trial->output;
        fill(trial->output, trial->output_size, NAN);
        fill(trial->scratch, trial->scratch_size, NAN);
        fill(trial->state, trial->state_size, NAN);
        trial->node->op->kernels[PXR_F64].forward(&trial->call);
        for (size_t i = 0; i < trial->output_size; i++)
                sum += trial->dy[i] * trial->output[i];
        return sum;
}

/* Forward, then backward, for which what the op's flags do not declare is not there to be read. */
static void compute_gradients(struct trial *trial)
{
        unsigned flags = trial->node->op->flags;

        project(trial);
        for (int k = 0; k < trial->node->inputs; k++)
                if (!(flags & PXR_BACKWARD_READS_INPUT))
                        trial->call.input[k] = trial->nothing;
        trial->call.output = flags & PXR_BACKWARD_READS_OUTPUT ? trial->output : trial->nothing;
        trial->call.output_gradient = trial->dy;
        fill(trial->scratch, trial->scratch_size, NAN);
        trial->node->op->kernels[PXR_F64].backward(&trial->call);
}

/* Do the arrays that the kernels may only read still hold what they held? */
static const char *check_untouched(const struct trial *trial)
{
        bool same = memcmp(trial->dy, trial->kept_dy, trial->output_size * sizeof(double)) == 0;

        for (int k = 0; k < trial->operands; k++) {
                const struct operand *o = &trial->operand[k];

                same = same && memcmp(o->values, o->kept, o->size * sizeof(double)) == 0;
        }
        return same ? NULL
                    : pxr_strf(trial->arena, "op '%s' writes to what it may only read",
                               trial->node->op->name);
}

/* All gradients at once, into arrays of NaN, or in which they are added to zeros. */
static const char *check_slopes(struct trial *trial)
{
        const struct pxr_node *node = trial->node;
        const char *problem;

        for (int k = 0; k < node->inputs; k++)
                trial->call.input_gradient[k] = trial->operand[k].gradient;
        for (int k = 0; k < node->parameters; k++)
                trial->call.parameter_gradient[k] = trial->operand[node->inputs + k].gradient;
        compute_gradients(trial);
        problem = check_untouched(trial);
        for (int k = 0; k < trial->operands && !problem; k++) {
                struct operand *o = &trial->operand[k];

                problem = pxr_compare_slopes(trial->arena,
                                             pxr_strf(trial->arena, "op '%s': its gradient by %s",
                                                      node->op->name, o->name),
                                             o->values, o->size, o->gradient, project, trial, 1e-7);
        }
        return problem;
}

/* One input at a time, no parameter's gradient, added to what is there or not: the same numbers. */
static const char *check_alone(struct trial *trial, int wanted, bool accumulate)
{
        const struct operand *input = &trial->operand[wanted];
        double *found = numbers(trial->arena, input->size, accumulate ? 1 : NAN);

        if (!found)
                return no_memory;
        for (int k = 0; k < trial->node->inputs; k++)
                trial->call.input_gradient[k] = k == wanted ? found : NULL;
        for (int k = 0; k < trial->node->parameters; k++)
                trial->call.parameter_gradient[k] = NULL;
        trial->call.accumulate[wanted] = accumulate;
        compute_gradients(trial);
        for (size_t i = 0; i < input->size; i++) {
                double want = input->gradient[i] + (accumulate ? 1 : 0);

                if (!(fabs(found[i] - want) <= 1e-12 * (1 + fabs(want))))
                        return pxr_strf(trial->arena,
                                        "op '%s': its gradient by %s is %.9g when it is the only "
                                        "one wanted%s, and should be %.9g",
                                        trial->node->op->name, input->name, found[i],
                                        accumulate ? " and is added to 1" : "", want);
        }
        return NULL;
}

const char *pxr_check_op_gradients(struct pxr_arena *arena, const struct pxr_node *node,
                                   const double *parameters, int levels)
{
        struct trial trial;
        const char *problem;

        if (!node->op->kernels[PXR_F64].backward)
                return NULL;
        if (!trial_new(&trial, arena, node, parameters, levels))
                return no_memory;
        problem = check_slopes(&trial);
        for (int k = 0; k < 2 * node->inputs && !problem; k++)
                problem = check_alone(&trial, k / 2, k % 2);
        return problem;
}
