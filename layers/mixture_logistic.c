/* SPDX-License-Identifier: MIT */
/*
 * mixture_logistic.c - the output of PixelCNN++: a discretized mixture of logistics, whose colours
 * are coupled (Salimans et al. 2017, sections 2.1 and 2.2).
 *
 * All colours of a pixel have one mixture: p(x) = sum over k of w_k p_k(red) p_k(green) p_k(blue).
 * So the weights of green's mixture given red are those of the components given red.
 */
#include <math.h>

#include <pxr/layer.h>

enum { MOST = 64, MAX_COLOURS = PXR_MAX_COLOURS, MOST_LOGITS = 10 * MOST };

/* Log scales beyond these count as these. The wider one spreads over 10^5 times the range of the
 * levels: beyond it a level's mass could not be told from the rounding of what is below it. */
#define LEAST_LOG_SCALE (-7.0)
#define MOST_LOG_SCALE 12.0

struct mixture_logistic {
        int64_t components;
        double gain;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct mixture_logistic, components, "10", 1, MOST, "logistics of the mixture"),
        PXR_REAL(struct mixture_logistic, gain, "0.1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct mixture_logistic),
        .main = "components",
};

/* --- the logits --------------------------------------------------------------------------------
 * In blocks of one for each component: the weights; red's means and log scales; green's, and the
 * coupling to red; blue's, and the couplings to red and to green. A block of one colour is never in
 * a later colour group of the 10 (or, of one colour, 3) blocks.
 */
static int blocks(int colours)
{
        return colours == 1 ? 3 : 10;
}

/* The first block of a colour: its means. */
static int first_block(int colour)
{
        return colour == 0 ? 1 : 3 * colour;
}

static int channels(int levels, int colours, const void *conf)
{
        const struct mixture_logistic *mixture = conf;

        return levels >= 2 && levels <= 256 ? blocks(colours) * (int)mixture->components : 0;
}

/* --- one component -----------------------------------------------------------------------------
 */

/* The logistic of one component for one colour, given the earlier colours. */
struct logistic {
        double mean, log_scale;
};

/* log P of a level, and its slopes by the mean and the log scale. */
struct mass {
        double log_p, by_mean, by_log_scale;
};

static double scaled(int level, int levels)
{
        return 2.0 * level / (levels - 1) - 1;
}

static bool is_clamped(double log_scale)
{
        return log_scale < LEAST_LOG_SCALE || log_scale > MOST_LOG_SCALE;
}

static double sigmoid(double x)
{
        return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double log_sigmoid(double x)
{
        return (x < 0 ? x : 0) - log1p(exp(-fabs(x)));
}

static struct logistic logistic_of(const struct mixture_logistic *mixture, int levels, int colour,
                                   const uint8_t *values, const double *logits, int k)
{
        int count = (int)mixture->components;
        const double *own = logits + first_block(colour) * count + k;
        struct logistic logistic = { .mean = own[0], .log_scale = own[count] };

        for (int c = 0; c < colour; c++)
                logistic.mean += tanh(own[(2 + c) * count]) * scaled(values[c], levels);
        if (is_clamped(logistic.log_scale))
                logistic.log_scale = logistic.log_scale < 0 ? LEAST_LOG_SCALE : MOST_LOG_SCALE;
        return logistic;
}

/* The mass between the midpoints around a level, at z from `low` to `high`: with d = high - low it
 * is sigmoid(high) sigmoid(-low) (1 - exp(-d)), which does not vanish far from the mean. The first
 * and the last level extend to infinity. */
static struct mass mass_of(int levels, int level, struct logistic logistic)
{
        double inverse = exp(-logistic.log_scale), half = 1.0 / (levels - 1);
        double x = scaled(level, levels) - logistic.mean, width = 2 * half * inverse;
        double low = (x - half) * inverse, high = (x + half) * inverse;
        struct mass mass = { 0 };

        if (level < levels - 1) {
                mass.log_p += log_sigmoid(high);
                mass.by_mean -= inverse * sigmoid(-high);
                mass.by_log_scale -= high * sigmoid(-high);
        }
        if (level > 0) {
                mass.log_p += log_sigmoid(-low);
                mass.by_mean += inverse * sigmoid(low);
                mass.by_log_scale += low * sigmoid(low);
        }
        if (level > 0 && level < levels - 1) {
                mass.log_p += log(-expm1(-width));
                mass.by_log_scale -= width / expm1(width);
        }
        return mass;
}

/* Subtract the logarithm of the sum of exponentials, and return it. */
static double normalize(int count, double *log_weight)
{
        double top = log_weight[0], sum = 0;

        for (int k = 1; k < count; k++)
                top = log_weight[k] > top ? log_weight[k] : top;
        for (int k = 0; k < count; k++)
                sum += exp(log_weight[k] - top);
        top += log(sum);
        for (int k = 0; k < count; k++)
                log_weight[k] -= top;
        return top;
}

/* --- one pixel ---------------------------------------------------------------------------------
 */

/* Add each colour's NLL, given the earlier ones, to nll[colour]. `gradient`, unless NULL,
 * is by the logits. */
static void pixel_nll(const struct mixture_logistic *mixture, int levels, int colours,
                      const uint8_t *values, const double *logits, double *nll, double *gradient)
{
        int count = (int)mixture->components;
        double log_weight[MOST];
        struct mass mass[MAX_COLOURS][MOST];

        for (int k = 0; k < count; k++)
                log_weight[k] = logits[k];
        normalize(count, log_weight);
        for (int k = 0; k < count && gradient; k++)
                gradient[k] = exp(log_weight[k]);
        for (int c = 0; c < colours; c++) {
                for (int k = 0; k < count; k++) {
                        mass[c][k] = mass_of(levels, values[c],
                                             logistic_of(mixture, levels, c, values, logits, k));
                        log_weight[k] += mass[c][k].log_p;
                }
                nll[c] -= normalize(count, log_weight);
        }
        for (int k = 0; k < count && gradient; k++) {
                double share = exp(log_weight[k]);

                gradient[k] -= share;
                for (int c = 0; c < colours; c++) {
                        int own = first_block(c) * count + k;
                        double by_mean = -share * mass[c][k].by_mean;

                        gradient[own] = by_mean;
                        gradient[own + count] = is_clamped(logits[own + count])
                                                        ? 0
                                                        : -share * mass[c][k].by_log_scale;
                        for (int e = 0; e < c; e++) {
                                double t = tanh(logits[own + (2 + e) * count]);

                                gradient[own + (2 + e) * count] =
                                        by_mean * (1 - t * t) * scaled(values[e], levels);
                        }
                }
        }
}

/* The log weights of the components given the colours before `colour`. */
static void condition(const struct pxr_pixel *pixel, const double *logits, double *log_weight)
{
        const struct mixture_logistic *mixture = pixel->conf;
        int count = (int)mixture->components;

        for (int k = 0; k < count; k++) {
                log_weight[k] = logits[k];
                for (int c = 0; c < pixel->colour; c++)
                        log_weight[k] += mass_of(pixel->levels, pixel->values[c],
                                                 logistic_of(mixture, pixel->levels, c,
                                                             pixel->values, logits, k))
                                                 .log_p;
        }
        normalize(count, log_weight);
}

static void levels_probabilities(const struct pxr_pixel *pixel, const double *logits,
                                 double *probability)
{
        const struct mixture_logistic *mixture = pixel->conf;
        int levels = pixel->levels;
        double log_weight[MOST];

        condition(pixel, logits, log_weight);
        for (int level = 0; level < levels; level++)
                probability[level] = 0;
        for (int k = 0; k < mixture->components; k++) {
                struct logistic logistic =
                        logistic_of(mixture, levels, pixel->colour, pixel->values, logits, k);
                double weight = exp(log_weight[k]), inverse = exp(-logistic.log_scale);
                double below = 0, half = 1.0 / (levels - 1);

                for (int level = 0; level < levels; level++) {
                        double z = (scaled(level, levels) + half - logistic.mean) * inverse;
                        double up_to = level < levels - 1 ? sigmoid(z) : 1;
                        double mass = up_to - below; /* below 0 by rounding; NaN stays NaN */

                        probability[level] += weight * (mass < 0 ? 0 : mass);
                        below = up_to;
                }
        }
}

static void levels_log_probabilities(const struct pxr_pixel *pixel, const double *logits,
                                     double *log_probability)
{
        const struct mixture_logistic *mixture = pixel->conf;
        int count = (int)mixture->components;
        double log_weight[MOST], term[MOST];

        condition(pixel, logits, log_weight);
        for (int level = 0; level < pixel->levels; level++) {
                for (int k = 0; k < count; k++)
                        term[k] = log_weight[k] +
                                  mass_of(pixel->levels, level,
                                          logistic_of(mixture, pixel->levels, pixel->colour,
                                                      pixel->values, logits, k))
                                          .log_p;
                log_probability[level] = normalize(count, term);
        }
}

#define PXR_KERNELS_FILE "layers/mixture_logistic_kernels.h"
#include <pxr/precisions.h>

static const struct pxr_pixel_distribution distribution = {
        .name = "mixture of logistics",
        .channels = channels,
        .nll = { nll_f32, nll_f64 },
        .probabilities = { probabilities_f32, probabilities_f64 },
        .log_probabilities = { log_probabilities_f32, log_probabilities_f64 },
};

/* --- the layer ---------------------------------------------------------------------------------
 */

/* Means spread evenly over all levels, and scales that overlap. */
static void bias_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                      double *values)
{
        int colours = parameter->node->colours;
        int count = (int)parameter->size / blocks(colours);

        (void)random;
        for (int c = 0; c < colours; c++)
                for (int k = 0; k < count; k++) {
                        double *own = values + first_block(c) * count + k;

                        own[0] = (2.0 * k + 1) / count - 1;
                        own[count] = -1;
                }
}

static const struct pxr_parameter_doc parameters[] = {
        { "weight", "[1, 1, in, out]", "of the 1x1 convolution to the logits" },
        { "bias", "[out]",
          "out = 3 components, or 10 for three colours: log weights; red's means and log scales; "
          "green's, and couplings to red; blue's, and couplings to red and green. Means start "
          "evenly spread from -1 to 1, log scales at -1, the others at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct mixture_logistic *mixture = conf;
        int colours = pxr_image_colours(builder);
        const struct pxr_conv conv = { .kernel = 1,
                                       .mask = PXR_MASK_B,
                                       .features = blocks(colours) * (int)mixture->components,
                                       .bias = true,
                                       .bias_init = bias_init,
                                       .gain = mixture->gain };

        return pxr_output_pixels(
                builder, pxr_conditioned(builder, NULL, pxr_conv(builder, NULL, &conv, input)),
                &distribution, conf, sizeof(*mixture));
}

static const struct pxr_layer mixture_logistic = {
        .name = "mixture_logistic",
        .summary = "output of PixelCNN++: a mixture of logistics with coupled colours",
        .description =
                "Ends a model. Holds the 1x1 convolution (mask B) that makes the logits. A level\n"
                "has a logistic's mass between the midpoints around it; the first and the last\n"
                "level extend to infinity. With three colours the components are those of whole\n"
                "pixels: green's means are shifted by tanh(coupling) x red's value, blue's by "
                "red's\n"
                "and green's, and the weights of later colours follow from the earlier values.\n"
                "Log scales below -7 count as -7, those above 12 as 12.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- mixture_logistic: {components: 4, gain: 1}\n",
};
PXR_PLUGIN(mixture_logistic)
