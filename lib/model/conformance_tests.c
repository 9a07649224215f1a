/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.c - the tests of one model.
 *
 * Each runs the kernels that training and generation run.
 */
#include "model/conformance_tests.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "model/certificate.h"
#include "model/op_gradients.h"

/* Images of a batch, and batches of a bench: all images differ. */
enum { IMAGES = 3, BATCHES = 3 };

static const char no_memory[] = "out of memory";

/* Shift vectors, which may start at zero, and whatever does start at zero. */
static void shift(const struct pxr_parameter *parameter, struct pxr_random *random, double *values)
{
        bool shifts = true;

        for (size_t i = 0; parameter->rank > 1 && i < parameter->size; i++)
                shifts = shifts && values[i] == 0;
        for (size_t i = 0; shifts && i < parameter->size; i++)
                values[i] += 0.2 * pxr_random_normal(random);
}

int pxr_subject_new(struct pxr_subject *subject, struct pxr_arena *arena,
                    const struct pxr_model *model, struct pxr_diag *diag)
{
        *subject = (struct pxr_subject) {
                .arena = arena,
                .model = model,
                .graph = model->graph,
                .bench = pxr_bench_new(arena, model->graph, IMAGES * BATCHES, 2, shift, diag),
                .diag = diag,
        };
        return subject->bench ? 0 : -1;
}

static void free_workspace(void *workspace)
{
        pxr_workspace_free(workspace);
}

/* For one batch; NULL when out of memory. */
static struct pxr_workspace *new_workspace(const struct pxr_subject *subject,
                                           enum pxr_precision precision, enum pxr_use use,
                                           bool checked)
{
        struct pxr_workspace *workspace =
                pxr_workspace_new(subject->graph, precision, use, IMAGES, checked, subject->diag);

        return workspace && !pxr_arena_defer(subject->arena, free_workspace, workspace) ? workspace
                                                                                        : NULL;
}

static void load_batch(const struct pxr_subject *subject, struct pxr_workspace *workspace,
                       int batch)
{
        pxr_bench_load(subject->bench, workspace, IMAGES * batch, IMAGES);
}

/* Forward pass and loss of the loaded batch; returns the sum of its NLL in nats. */
static double compute_nll(struct pxr_workspace *workspace, const void *parameters)
{
        double nll[IMAGES] = { 0 }, sum = 0;

        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        for (int i = 0; i < IMAGES; i++)
                sum += nll[i];
        return sum;
}

/* Forward, loss and backward in single precision; adds to `gradient`. */
static void train(const struct pxr_subject *subject, struct pxr_workspace *workspace, int batch,
                  float *gradient)
{
        pxr_workspace_pack(workspace, 1, subject->bench->f32);
        load_batch(subject, workspace, batch);
        compute_nll(workspace, subject->bench->f32);
        pxr_workspace_backward(workspace, subject->bench->f32, gradient);
}

/* --- gradients ---------------------------------------------------------------------------------
 */

struct pass {
        struct pxr_workspace *workspace;
        const double *parameters;
};

static double nll_of_pass(void *context)
{
        const struct pass *pass = context;

        return compute_nll(pass->workspace, pass->parameters);
}

/* Compare the gradient with the slopes of the NLL. */
static const char *compare_slopes(const struct pxr_subject *subject,
                                  struct pxr_workspace *workspace, const double *gradient)
{
        double *parameters = subject->bench->f64;
        struct pass pass = { workspace, parameters };
        const char *problem = NULL;

        for (const struct pxr_parameter *p = subject->graph->parameter; p && !problem; p = p->next)
                problem = pxr_compare_slopes(
                        subject->arena, pxr_strf(subject->arena, "the gradient of %s", p->name),
                        parameters + p->offset, p->size, gradient + p->offset, nll_of_pass, &pass,
                        1e-6);
        return problem;
}

/* Training runs in single precision, whose kernels may be others. */
static const char *compare_precisions(const struct pxr_subject *subject, const double *gradient)
{
        struct pxr_workspace *workspace = new_workspace(subject, PXR_F32, PXR_FOR_TRAINING, true);
        float *f32 = pxr_alloc_array(subject->arena, subject->graph->parameter_values + 1,
                                     sizeof(float));

        if (!workspace || !f32)
                return no_memory;
        train(subject, workspace, 0, f32);
        for (const struct pxr_parameter *p = subject->graph->parameter; p; p = p->next) {
                double most = 0;

                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        most = fmax(most, fabs(gradient[i]));
                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        if (!(fabs(f32[i] - gradient[i]) <= 1e-4 * (1 + most)))
                                return pxr_strf(subject->arena,
                                                "the gradient of %s[%zu] is %.9g in single and "
                                                "%.9g in double precision",
                                                p->name, i - p->offset, f32[i], gradient[i]);
        }
        return NULL;
}

const char *pxr_check_gradients(struct pxr_subject *subject)
{
        const struct pxr_graph *graph = subject->graph;
        const struct pxr_bench *bench = subject->bench;
        struct pxr_workspace *workspace = new_workspace(subject, PXR_F64, PXR_FOR_TRAINING, true);
        double *gradient =
                pxr_alloc_array(subject->arena, graph->parameter_values + 1, sizeof(double));
        const char *problem = NULL;

        if (!workspace || !gradient)
                return no_memory;
        load_batch(subject, workspace, 0);
        compute_nll(workspace, bench->f64);
        pxr_workspace_backward(workspace, bench->f64, gradient);
        /* Each op by itself: the slopes of the whole say nothing of its gradient by the image. */
        for (int i = 1; i < graph->nodes && !problem; i++)
                problem = pxr_check_op_gradients(subject->arena, graph->node[i], bench->f64,
                                                 graph->levels);
        if (!problem)
                problem = compare_slopes(subject, workspace, gradient);
        return problem ? problem : compare_precisions(subject, gradient);
}

/* --- causality ---------------------------------------------------------------------------------
 */

/* How many logits the value has that is `order`th in the order of generation. */
static int logits_of(const struct pxr_graph *graph, int order)
{
        int channels = graph->logits->shape.channels, colours = graph->colours;
        int colour = order % colours;

        return pxr_group_begin(channels, colours, colour + 1) -
               pxr_group_begin(channels, colours, colour);
}

/* Is any logit that must not depend on values from `order` on not finite? Returns its order, or
 * -1. */
static int poisoned_logit(const struct pxr_graph *graph, const struct pxr_workspace *workspace,
                          int order)
{
        for (int at = 0; at <= order; at++)
                for (int image = 0; image < IMAGES; image++) {
                        const float *logits = pxr_bench_logits(workspace, graph, at, image);

                        for (int i = 0; i < logits_of(graph, at); i++)
                                if (!isfinite(logits[i]))
                                        return at;
                }
        return -1;
}

/* Turn the image's values from `order` on into NaN, and look whether an earlier logit notices. */
static const char *poison(const struct pxr_subject *subject, struct pxr_workspace *workspace,
                          int order)
{
        const struct pxr_graph *graph = subject->graph;
        float *image = pxr_workspace_tensor(workspace, graph->node[0]);
        int leak;

        load_batch(subject, workspace, 0);
        pxr_workspace_forward(workspace, subject->bench->f32);
        for (int at = order; at < (int)subject->bench->values; at++)
                for (int i = 0; i < IMAGES; i++)
                        image[((size_t)(at / graph->colours) * IMAGES + i) * graph->colours +
                              at % graph->colours] = NAN;
        pxr_workspace_forward_from(workspace, subject->bench->f32, 1);
        leak = poisoned_logit(graph, workspace, order);
        if (leak < 0)
                return NULL;
        return pxr_strf(subject->arena,
                        "with NaN in all values from number %d on, the logits of value %d are NaN: "
                        "they read what comes later, if only to multiply it by zero",
                        order, leak);
}

/* For each site of each node, the image pixels it declares to depend on: [node][site][pixel]. */
static unsigned char *declared_fields(struct pxr_arena *arena, const struct pxr_graph *graph)
{
        size_t pixels = (size_t)graph->rows * graph->cols, sites = 0;
        unsigned char *fields, *field;

        for (int i = 0; i < graph->nodes; i++)
                sites += (size_t)graph->node[i]->shape.rows * graph->node[i]->shape.cols;
        field = fields = pxr_alloc_array(arena, sites, pixels);
        for (int i = 0; i < graph->nodes && fields; i++) {
                const struct pxr_node *node = graph->node[i];

                for (int row = 0; row < node->shape.rows; row++)
                        for (int col = 0; col < node->shape.cols; col++, field += pixels)
                                if (pxr_receptive_field(graph, node, row, col, field))
                                        return NULL;
        }
        return fields;
}

/* Look for a site that changed with a pixel it does not declare. */
static const char *find_undeclared(struct pxr_arena *arena, const struct pxr_graph *graph,
                                   struct pxr_workspace *const workspace[2],
                                   const unsigned char *fields, int pixel)
{
        size_t pixels = (size_t)graph->rows * graph->cols;

        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const char *a = pxr_workspace_tensor(workspace[0], node);
                const char *b = pxr_workspace_tensor(workspace[1], node);
                int sites = node->shape.rows * node->shape.cols;
                size_t size = pxr_pixel_size(node, IMAGES) * sizeof(float);

                for (int site = 0; site < sites; site++, fields += pixels)
                        if (a && memcmp(a + site * size, b + site * size, size) != 0 &&
                            !fields[pixel])
                                return pxr_strf(arena,
                                                "op '%s' reads more than its `depends` declares: "
                                                "its output at (%d, %d) changed with the pixel at "
                                                "(%d, %d)",
                                                node->op->name, site / node->shape.cols,
                                                site % node->shape.cols, pixel / graph->cols,
                                                pixel % graph->cols);
        }
        return NULL;
}

/* Change one pixel of each image of the first batch after another. */
static const char *check_declared(const struct pxr_subject *subject)
{
        const struct pxr_graph *graph = subject->graph;
        const struct pxr_bench *bench = subject->bench;
        const unsigned char *fields = declared_fields(subject->arena, graph);
        uint8_t *changed = pxr_alloc_array(subject->arena, IMAGES, bench->values);
        struct pxr_workspace *workspace[2];
        const char *problem = NULL;

        for (int i = 0; i < 2; i++)
                workspace[i] = new_workspace(subject, PXR_F32, PXR_FOR_INSPECTION, true);
        if (!fields || !changed || !workspace[0] || !workspace[1])
                return no_memory;
        load_batch(subject, workspace[0], 0);
        pxr_workspace_forward(workspace[0], bench->f32);
        for (int pixel = 0; pixel < graph->rows * graph->cols && !problem; pixel++) {
                memcpy(changed, bench->pixels, bench->values * IMAGES);
                for (int i = 0; i < IMAGES * graph->colours; i++) {
                        uint8_t *value = &changed[i / graph->colours * bench->values +
                                                  pixel * graph->colours + i % graph->colours];

                        *value = (uint8_t)((*value + 1) % graph->levels);
                }
                load_batch(subject, workspace[1], 0);
                pxr_workspace_load(workspace[1], changed, IMAGES);
                pxr_workspace_condition(workspace[1], bench->small, IMAGES);
                pxr_workspace_forward(workspace[1], bench->f32);
                problem = find_undeclared(subject->arena, graph, workspace, fields, pixel);
        }
        return problem;
}

const char *pxr_check_causality(struct pxr_subject *subject)
{
        struct pxr_certificate certificate = { 0 };
        struct pxr_workspace *workspace;
        const char *problem = NULL;

        if (pxr_certify(subject->arena, subject->model, NULL, &certificate, subject->diag))
                return pxr_diag_text(subject->diag, pxr_diag_errors(subject->diag) - 1);
        workspace = new_workspace(subject, PXR_F32, PXR_FOR_EVALUATION, true);
        if (!workspace)
                return no_memory;
        for (int order = 0; !problem && order < (int)subject->bench->values; order++)
                problem = poison(subject, workspace, order);
        return problem ? problem : check_declared(subject);
}

/* --- advance -----------------------------------------------------------------------------------
 */

static double logit_at(const struct pxr_workspace *workspace, enum pxr_precision precision,
                       const struct pxr_graph *graph, int order, int image, int i)
{
        const void *logits = pxr_bench_logits(workspace, graph, order, image);

        return precision == PXR_F32 ? ((const float *)logits)[i] : ((const double *)logits)[i];
}

/* Generate the first batch, and compare each logit when it is made. */
static const char *walk(const struct pxr_subject *subject, enum pxr_precision precision,
                        struct pxr_workspace *whole, struct pxr_workspace *stepwise)
{
        const struct pxr_graph *graph = subject->graph;
        const struct pxr_bench *bench = subject->bench;
        const void *parameters = precision == PXR_F32 ? (void *)bench->f32 : bench->f64;
        double tolerance = precision == PXR_F32 ? 1e-4 : 1e-11;

        load_batch(subject, whole, 0);
        pxr_workspace_forward(whole, parameters);
        load_batch(subject, stepwise, 0);
        pxr_workspace_begin(stepwise, parameters, IMAGES);
        for (int order = 0; order < (int)bench->values; order++) {
                struct pxr_site at = pxr_site_at(graph->logits, order);
                int group = logits_of(graph, order);

                pxr_bench_advance(bench, stepwise, order, 0, IMAGES);
                for (int i = 0; i < IMAGES * group; i++) {
                        double want =
                                logit_at(whole, precision, graph, order, i / group, i % group);
                        double have =
                                logit_at(stepwise, precision, graph, order, i / group, i % group);

                        if (!(fabs(have - want) <= tolerance * (1 + fabs(want))))
                                return pxr_strf(subject->arena,
                                                "at (%d, %d), colour %d, advance gives %.9g and "
                                                "forward %.9g",
                                                at.row, at.col, at.colour, have, want);
                }
        }
        return NULL;
}

/* In each precision, with whole maps and with what generation keeps of them. */
const char *pxr_check_advance(struct pxr_subject *subject)
{
        const char *problem = NULL;

        for (int i = 0; i < 2 * PXR_PRECISIONS && !problem; i++) {
                enum pxr_precision precision = i / 2 ? PXR_F64 : PXR_F32;
                struct pxr_workspace *whole =
                        new_workspace(subject, precision, PXR_FOR_EVALUATION, true);
                struct pxr_workspace *stepwise =
                        new_workspace(subject, precision, PXR_FOR_GENERATION, i % 2 == 0);

                if (!whole || !stepwise)
                        return no_memory;
                if (pxr_workspace_fallback(stepwise))
                        subject->skipped = pxr_strf(subject->arena,
                                                    "op '%s' cannot be computed pixel by pixel: "
                                                    "generation makes whole passes",
                                                    pxr_workspace_fallback(stepwise));
                else
                        problem = walk(subject, precision, whole, stepwise);
                if (!problem && pxr_workspace_damaged(stepwise))
                        problem = pxr_strf(subject->arena,
                                           "advance of op '%s' writes outside its memory",
                                           pxr_workspace_damaged(stepwise)->op->name);
        }
        return problem;
}

/* --- threads -----------------------------------------------------------------------------------
 */

enum { THREADS = BATCHES, ROUNDS = 300 };

/* A workspace and a gradient for each batch, and what each batch gives by itself. */
struct batches {
        const struct pxr_subject *subject;
        size_t size; /* of a gradient */
        struct pxr_workspace *workspace[THREADS];
        float *gradient[THREADS], *alone[THREADS];
};

/* For training, memory is shared as in real training; for generation, what is not computed yet is
 * NaN. False when out of memory. */
static bool make_batches(struct batches *batches, const struct pxr_subject *subject,
                         enum pxr_use use)
{
        *batches =
                (struct batches) { .subject = subject,
                                   .size = (subject->graph->parameter_values + 1) * sizeof(float) };
        for (int i = 0; i < THREADS; i++) {
                batches->workspace[i] =
                        new_workspace(subject, PXR_F32, use, use == PXR_FOR_INSPECTION);
                batches->gradient[i] = pxr_alloc(subject->arena, batches->size);
                batches->alone[i] = pxr_alloc(subject->arena, batches->size);
                if (!batches->workspace[i])
                        return false;
        }
        return !pxr_arena_failed(subject->arena);
}

static bool is_as_alone(const struct batches *batches, int batch)
{
        return memcmp(batches->gradient[batch], batches->alone[batch], batches->size) == 0;
}

/* All batches on one thread, each pass of one batch between those of the others. */
static const char *train_in_turns(struct batches *batches)
{
        const struct pxr_subject *subject = batches->subject;

        for (int i = 0; i < THREADS; i++) {
                load_batch(subject, batches->workspace[i], i);
                compute_nll(batches->workspace[i], subject->bench->f32);
        }
        for (int i = 0; i < THREADS; i++)
                pxr_workspace_backward(batches->workspace[i], subject->bench->f32,
                                       batches->gradient[i]);
        for (int i = 0; i < THREADS; i++)
                if (!is_as_alone(batches, i))
                        return "gradients differ when another batch is computed between forward "
                               "and backward: an op keeps something outside its call";
        return NULL;
}

/* All at once, and often, so that every kernel runs beside every other. */
static const char *train_at_once(struct batches *batches)
{
        bool same = true;

#pragma omp parallel num_threads(THREADS) reduction(&& : same)
        for (int round = 0; round < ROUNDS && same; round++) {
                int own = omp_get_thread_num();

                memset(batches->gradient[own], 0, batches->size);
                train(batches->subject, batches->workspace[own], own, batches->gradient[own]);
                same = is_as_alone(batches, own);
        }
        return same ? NULL
                    : "gradients differ when several threads compute at once: an op keeps "
                      "something outside its call";
}

/* Generate batch `from` up to, not including, `to`: pixel by pixel, the batches interleaved. */
static void generate(struct batches *batches, int from, int to)
{
        const struct pxr_bench *bench = batches->subject->bench;

        for (int i = from; i < to; i++) {
                load_batch(batches->subject, batches->workspace[i], i);
                pxr_workspace_begin(batches->workspace[i], bench->f32, IMAGES);
        }
        for (int order = 0; order < (int)bench->values; order++)
                for (int i = from; i < to; i++)
                        pxr_bench_advance(bench, batches->workspace[i], order, i * IMAGES, IMAGES);
}

static const char *generate_interleaved(struct batches *batches)
{
        const struct pxr_node *logits = batches->subject->graph->logits;
        size_t size = pxr_map_size(logits, IMAGES) * sizeof(float);
        char *alone = pxr_alloc_array(batches->subject->arena, THREADS, size);

        if (!alone)
                return no_memory;
        for (int i = 0; i < THREADS; i++) {
                generate(batches, i, i + 1);
                memcpy(alone + size * i, pxr_workspace_tensor(batches->workspace[i], logits), size);
        }
        generate(batches, 0, THREADS);
        for (int i = 0; i < THREADS; i++)
                if (memcmp(alone + size * i, pxr_workspace_tensor(batches->workspace[i], logits),
                           size) != 0)
                        return "logits differ when the generation of several batches is "
                               "interleaved: an op "
                               "keeps something outside its call";
        return NULL;
}

const char *pxr_check_threads(struct pxr_subject *subject)
{
        struct batches training, generating;
        const char *problem;

        if (!make_batches(&training, subject, PXR_FOR_TRAINING) ||
            !make_batches(&generating, subject, PXR_FOR_INSPECTION))
                return no_memory;
        for (int i = 0; i < THREADS; i++)
                train(subject, training.workspace[i], i, training.alone[i]);
        problem = train_in_turns(&training);
        if (!problem)
                problem = train_at_once(&training);
        return problem ? problem : generate_interleaved(&generating);
}

/* --- memory ------------------------------------------------------------------------------------
 */

/* Gradients must be added: starting at 1 they end 1 higher. */
static const char *compare_started_at_one(struct pxr_arena *arena, const struct pxr_graph *graph,
                                          const float *from_zero, const float *from_one)
{
        const struct pxr_parameter *p;

        for (p = graph->parameter; p; p = p->next)
                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        if (!(fabs((double)from_one[i] - from_zero[i] - 1) <=
                              1e-4 * (1 + fabs(from_zero[i]))))
                                return pxr_strf(
                                        arena,
                                        "the gradient of %s is overwritten instead of added to",
                                        p->name);
        return NULL;
}

/* What a checked workspace has found in a training pass. */
static const char *find_damage(struct pxr_arena *arena, const struct pxr_workspace *workspace)
{
        const struct pxr_node *node = pxr_workspace_damaged(workspace);

        if (node)
                return pxr_strf(arena, "op '%s' writes outside its memory", node->op->name);
        node = pxr_workspace_nonfinite(workspace, false);
        if (node)
                return pxr_strf(arena,
                                "the output of op '%s' is not finite: it reads scratch before "
                                "it has written it, or leaves part of its output unwritten",
                                node->op->name);
        node = pxr_workspace_nonfinite(workspace, true);
        if (node)
                return pxr_strf(arena,
                                "the gradient of op '%s' is not finite: what is above it reads "
                                "scratch before it has written it, or leaves part of its "
                                "gradient unwritten",
                                node->op->name);
        return NULL;
}

static const char *check_memory(struct pxr_subject *subject, enum pxr_precision precision)
{
        /* How the memory is shared, and whether the gradient starts at zero or at one. */
        enum { SEPARATE, SHARED, CHECKPOINTED, FROM_ONE, TRAININGS };
        static const enum pxr_use use[] = { PXR_FOR_TRAINING, PXR_FOR_TRAINING,
                                            PXR_FOR_CHECKPOINTED_TRAINING, PXR_FOR_TRAINING };
        size_t values = subject->graph->parameter_values + 1, size = values * sizeof(float);
        struct pxr_workspace *workspace[TRAININGS];
        float *gradient[TRAININGS];
        const char *problem;

        for (int i = 0; i < TRAININGS; i++) {
                workspace[i] = new_workspace(subject, precision, use[i], i == SEPARATE);
                gradient[i] = pxr_alloc(subject->arena, size);
                if (!workspace[i] || !gradient[i])
                        return no_memory;
                for (size_t k = 0; k < values && i == FROM_ONE; k++)
                        gradient[i][k] = 1;
                train(subject, workspace[i], 0, gradient[i]);
        }
        problem = find_damage(subject->arena, workspace[SEPARATE]);
        if (problem)
                return problem;
        if (memcmp(gradient[SEPARATE], gradient[SHARED], size) != 0)
                return "gradients change when tensors share memory: an op reads in backward what "
                       "its flags do not declare";
        if (memcmp(gradient[SEPARATE], gradient[CHECKPOINTED], size) != 0)
                return "gradients change when outputs are recomputed in the backward pass: an op's "
                       "forward pass is not deterministic";
        return compare_started_at_one(subject->arena, subject->graph, gradient[SEPARATE],
                                      gradient[FROM_ONE]);
}

const char *pxr_check_memory(struct pxr_subject *subject)
{
        const char *problem = check_memory(subject, PXR_F32);

        if (problem)
                return problem;
        problem = check_memory(subject, PXR_BF16);
        return problem ? pxr_strf(subject->arena, "in mixed precision: %s", problem) : NULL;
}
