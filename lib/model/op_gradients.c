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

enum { IMAGES = 2, MAX_PROBED = 48 };

/* A call, and what it points to. */
struct trial {
        struct pxr_arena *arena;
        const struct pxr_node *node;
        struct pxr_call call;
        double *input[PXR_MAX_INPUTS], *parameter[PXR_MAX_PARAMETERS];
        double *output, *dy, *nothing; /* nothing: NaN, as long as the longest map */
        double *scratch, *state;
        size_t scratch_size, state_size;
        struct pxr_random random;
};

static size_t input_size(const struct trial *trial, int k)
{
        return pxr_map_size(trial->node->input[k], IMAGES);
}

static size_t output_size(const struct trial *trial)
{
        return pxr_map_size(trial->node, IMAGES);
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

static double *random_numbers(struct trial *trial, size_t size)
{
        double *values = numbers(trial->arena, size, 0);

        for (size_t i = 0; values && i < size; i++)
                values[i] = pxr_random_normal(&trial->random);
        return values;
}

/* Normal numbers; for the image what an image can hold, but not where max(x, 0) has its bend. */
static double *input_numbers(struct trial *trial, int k, int levels)
{
        double *values = random_numbers(trial, input_size(trial, k));

        if (trial->node->input[k]->index > 0)
                return values;
        for (size_t i = 0; values && i < input_size(trial, k); i++)
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
                .random = pxr_random(3, PXR_RANDOM_TEST, node->index, 0, 0),
        };
        for (int k = 0; k < node->inputs; k++) {
                longest = input_size(trial, k) > longest ? input_size(trial, k) : longest;
                if (!(trial->input[k] = input_numbers(trial, k, levels)))
                        return false;
        }
        for (int k = 0; k < node->parameters; k++) {
                const struct pxr_parameter *p = node->parameter[k];

                if (!(trial->parameter[k] = numbers(arena, p->size, 0)))
                        return false;
                memcpy(trial->parameter[k], parameters + p->offset, p->size * sizeof(double));
                trial->call.parameter[k] = trial->parameter[k];
        }
        trial->scratch_size = node->op->scratch ? node->op->scratch(node, IMAGES) : 0;
        trial->call.scratch = trial->scratch = numbers(arena, trial->scratch_size, NAN);
        trial->state_size = node->op->state ? node->op->state(node, IMAGES) : 0;
        trial->call.state = trial->state = numbers(arena, trial->state_size, NAN);
        trial->output = numbers(arena, output_size(trial), NAN);
        trial->dy = random_numbers(trial, output_size(trial));
        trial->nothing = numbers(arena, longest, NAN);
        return trial->scratch && trial->state && trial->output && trial->dy && trial->nothing;
}

/* The projection of the output. */
static double project(struct trial *trial)
{
        double sum = 0;

        for (int k = 0; k < trial->node->inputs; k++)
                trial->call.input[k] = trial->input[k];
        trial->call.output = trial->output;
        fill(trial->output, output_size(trial), NAN);
        fill(trial->scratch, trial->scratch_size, NAN);
        fill(trial->state, trial->state_size, NAN);
        trial->node->op->kernels[PXR_F64].forward(&trial->call);
        for (size_t i = 0; i < output_size(trial); i++)
                sum += trial->dy[i] * trial->output[i];
        return sum;
}

/* After project(). What the op's flags do not declare is not there to be read. */
static void backward(struct trial *trial)
{
        unsigned flags = trial->node->op->flags;

        for (int k = 0; k < trial->node->inputs; k++)
                trial->call.input[k] =
                        flags & PXR_BACKWARD_READS_INPUT ? trial->input[k] : trial->nothing;
        trial->call.output = flags & PXR_BACKWARD_READS_OUTPUT ? trial->output : trial->nothing;
        trial->call.output_gradient = trial->dy;
        fill(trial->scratch, trial->scratch_size, NAN);
        trial->node->op->kernels[PXR_F64].backward(&trial->call);
}

/* Compare up to MAX_PROBED slopes by values[] with what backward found. */
static const char *compare(struct trial *trial, const char *by, double *values, size_t size,
                           const double *found)
{
        const double step = 1e-5;
        size_t count = size < MAX_PROBED ? size : MAX_PROBED;

        for (size_t i = 0; i < count; i++) {
                size_t at = count > 1 ? i * (size - 1) / (count - 1) : 0;
                double kept = values[at], above, expected;

                values[at] = kept + step;
                above = project(trial);
                values[at] = kept - step;
                expected = (above - project(trial)) / (2 * step);
                values[at] = kept;
                if (!(fabs(found[at] - expected) <= 1e-7 * (1 + fabs(expected))))
                        return pxr_strf(trial->arena,
                                        "op '%s': its gradient by %s[%zu] is %.9g, but finite "
                                        "differences give %.9g%s",
                                        trial->node->op->name, by, at, found[at], expected,
                                        isnan(found[at])
                                                ? " (NaN comes from what its flags do not declare, "
                                                  "or from scratch it has not written)"
                                                : "");
        }
        return NULL;
}

static const char *by_input(struct trial *trial, int k)
{
        return pxr_strf(trial->arena, "input %d", k);
}

/* Do the arrays that the kernels may only read still hold what they held? */
static const char *check_untouched(struct trial *trial, const struct trial *fresh)
{
        const struct pxr_node *node = trial->node;
        bool same = memcmp(trial->dy, fresh->dy, output_size(trial) * sizeof(double)) == 0;

        for (int k = 0; k < node->inputs; k++)
                same = same && memcmp(trial->input[k], fresh->input[k],
                                      input_size(trial, k) * sizeof(double)) == 0;
        for (int k = 0; k < node->parameters; k++)
                same = same && memcmp(trial->parameter[k], fresh->parameter[k],
                                      node->parameter[k]->size * sizeof(double)) == 0;
        return same ? NULL
                    : pxr_strf(trial->arena, "op '%s' writes to what it may only read",
                               node->op->name);
}

/* All gradients at once, into arrays of NaN. */
static const char *check_slopes(struct trial *trial, const struct trial *fresh,
                                double *dx[PXR_MAX_INPUTS])
{
        const struct pxr_node *node = trial->node;
        double *dp[PXR_MAX_PARAMETERS];
        const char *problem;

        for (int k = 0; k < node->inputs; k++)
                trial->call.input_gradient[k] = dx[k];
        for (int k = 0; k < node->parameters; k++) {
                dp[k] = numbers(trial->arena, node->parameter[k]->size, 0);
                trial->call.parameter_gradient[k] = dp[k];
                if (!dp[k])
                        return "out of memory";
        }
        project(trial);
        backward(trial);
        problem = check_untouched(trial, fresh);
        for (int k = 0; k < node->inputs && !problem; k++)
                problem = compare(trial, by_input(trial, k), trial->input[k], input_size(trial, k),
                                  dx[k]);
        for (int k = 0; k < node->parameters && !problem; k++)
                problem = compare(trial, node->parameter[k]->name, trial->parameter[k],
                                  node->parameter[k]->size, dp[k]);
        return problem;
}

/* One input at a time, no parameter's gradient, added to what is there or not: the same numbers. */
static const char *check_alone(struct trial *trial, double *const dx[PXR_MAX_INPUTS], int wanted,
                               bool accumulate)
{
        size_t size = input_size(trial, wanted);
        double *found = numbers(trial->arena, size, accumulate ? 1 : NAN);

        if (!found)
                return "out of memory";
        for (int k = 0; k < trial->node->inputs; k++)
                trial->call.input_gradient[k] = k == wanted ? found : NULL;
        for (int k = 0; k < trial->node->parameters; k++)
                trial->call.parameter_gradient[k] = NULL;
        trial->call.accumulate[wanted] = accumulate;
        project(trial);
        backward(trial);
        for (size_t i = 0; i < size; i++) {
                double want = dx[wanted][i] + (accumulate ? 1 : 0);

                if (!(fabs(found[i] - want) <= 1e-12 * (1 + fabs(want))))
                        return pxr_strf(trial->arena,
                                        "op '%s': its gradient by input %d is %.9g when it is the "
                                        "only one wanted%s, and should be %.9g",
                                        trial->node->op->name, wanted, found[i],
                                        accumulate ? " and is added to 1" : "", want);
        }
        return NULL;
}

const char *pxr_check_op_gradients(struct pxr_arena *arena, const struct pxr_node *node,
                                   const double *parameters, int levels)
{
        struct trial trial, fresh;
        double *dx[PXR_MAX_INPUTS];
        const char *problem;

        if (!node->op->kernels[PXR_F64].backward)
                return NULL;
        if (!trial_new(&trial, arena, node, parameters, levels) ||
            !trial_new(&fresh, arena, node, parameters, levels))
                return "out of memory";
        for (int k = 0; k < node->inputs; k++)
                if (!(dx[k] = numbers(arena, input_size(&trial, k), NAN)))
                        return "out of memory";
        problem = check_slopes(&trial, &fresh, dx);
        for (int k = 0; k < node->inputs && !problem; k++) {
                problem = check_alone(&trial, dx, k, false);
                if (!problem)
                        problem = check_alone(&trial, dx, k, true);
        }
        return problem;
}
