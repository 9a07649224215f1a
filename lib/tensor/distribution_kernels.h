/* SPDX-License-Identifier: MIT */
/* distribution_kernels.h - the kernels of distribution.c, in `real`, for each precision. */

/* -log p(v) = log(1 + exp(-s)), with s = logit for v = 1 and -logit for v = 0; its slope by the
 * logit is p(1) - v. Computed in double: there is one value a pixel. */
static void K(bernoulli_nll)(const struct pxr_nll_call *call)
{
        const real *logits = call->logits;
        real *gradient = call->gradient;
        size_t i = 0;

        for (size_t pixel = 0; pixel < call->pixel_count; pixel++)
                for (int image = 0; image < call->images; image++)
                        for (int colour = 0; colour < call->colours; colour++, i++) {
                                double x = logits[i], e = exp(-fabs(x));
                                double p = x >= 0 ? 1 / (1 + e) : e / (1 + e);
                                int v = call->pixels[i];

                                if (x != x)
                                        p = x;
                                call->nll[image] +=
                                        log1p(e) + (v ? (x < 0 ? -x : 0) : (x > 0 ? x : 0));
                                if (gradient)
                                        gradient[i] = (real)(call->gradient_scale * (p - v));
                        }
}

static void K(bernoulli_probabilities)(int levels, const void *logits, double *probability)
{
        double x = *(const real *)logits;

        (void)levels;
        probability[1] = 1 / (1 + exp(-x));
        probability[0] = 1 / (1 + exp(x));
}

static void K(bernoulli_log_probabilities)(int levels, const void *logits, double *log_probability)
{
        double x = *(const real *)logits, rest = log1p(exp(-fabs(x)));

        (void)levels;
        log_probability[1] = (x < 0 ? x : 0) - rest;
        log_probability[0] = (x > 0 ? -x : 0) - rest;
}

/* -log p(v) = log sum exp(logit) - logit_v; its slope is p - onehot(v). */
static void K(categorical_nll)(const struct pxr_nll_call *call)
{
        const real *logits = call->logits;
        real *gradient = call->gradient;
        const uint8_t *value = call->pixels;
        int levels = call->levels;
        real scratch[256];

        for (size_t pixel = 0; pixel < call->pixel_count; pixel++)
                for (int image = 0; image < call->images; image++)
                        for (int colour = 0; colour < call->colours; colour++) {
                                real *e = gradient ? gradient : scratch;
                                real top = K(pxr_max)(levels, logits);
                                real sum = K(pxr_exp_sum)(levels, logits, top, e);

                                call->nll[image] +=
                                        log((double)sum) + (double)top - (double)logits[*value];
                                if (gradient) {
                                        real scale = (real)(call->gradient_scale / sum);

                                        for (int i = 0; i < levels; i++)
                                                e[i] *= scale;
                                        e[*value] -= (real)call->gradient_scale;
                                        gradient += levels;
                                }
                                logits += levels;
                                value++;
                        }
}

/* exp() in the kernels' own precision, summed in double, so that the probabilities add up to one.
 */
static void K(categorical_probabilities)(int levels, const void *logits, double *probability)
{
        real e[256];
        double sum = 0;

        K(pxr_exp_sum)(levels, logits, K(pxr_max)(levels, logits), e);
        for (int i = 0; i < levels; i++)
                sum += e[i];
        for (int i = 0; i < levels; i++)
                probability[i] = e[i] / sum;
}

static void K(categorical_log_probabilities)(int levels, const void *from, double *log_probability)
{
        const real *logits = from;
        double top = logits[0], sum = 0;

        for (int i = 1; i < levels; i++)
                top = logits[i] > top ? logits[i] : top;
        for (int i = 0; i < levels; i++)
                sum += exp((double)logits[i] - top);
        for (int i = 0; i < levels; i++)
                log_probability[i] = (double)logits[i] - top - log(sum);
}

static void K(gaussian_nll)(const struct pxr_nll_call *call)
{
        const real *logits = call->logits;
        real *gradient = call->gradient;
        size_t i = 0;

        for (size_t pixel = 0; pixel < call->pixel_count; pixel++)
                for (int image = 0; image < call->images; image++)
                        for (int colour = 0; colour < call->colours; colour++, i++) {
                                struct mass mass = gaussian_mass(call->levels, call->pixels[i],
                                                                 logits[2 * i], logits[2 * i + 1]);

                                call->nll[image] -= mass.log_p;
                                if (!gradient)
                                        continue;
                                gradient[2 * i] = (real)(-call->gradient_scale * mass.by_mean);
                                gradient[2 * i + 1] =
                                        (real)(-call->gradient_scale * mass.by_log_deviation);
                        }
}

static void K(density_nll)(const struct pxr_nll_call *call)
{
        const real *logits = call->logits;
        real *gradient = call->gradient;
        const uint8_t *value = call->pixels;

        for (size_t pixel = 0; pixel < call->pixel_count; pixel++)
                for (int image = 0; image < call->images; image++)
                        for (int colour = 0; colour < call->colours; colour++, logits += 3) {
                                struct density density = gaussian_density(
                                        call->levels, *value++, logits[0], logits[1], logits[2]);
                                double scale = call->gradient_scale;

                                call->nll[image] += density.nll;
                                if (!gradient)
                                        continue;
                                gradient[0] = (real)(scale * density.by_mean);
                                gradient[1] = (real)(scale * density.by_log_deviation);
                                gradient[2] = (real)(scale * density.by_noise);
                                gradient += 3;
                        }
}

static void K(gaussian_probabilities)(int levels, const void *from, double *probability)
{
        const real *logits = from;

        for (int level = 0; level < levels; level++)
                probability[level] = exp(gaussian_mass(levels, level, logits[0], logits[1]).log_p);
}

static void K(gaussian_log_probabilities)(int levels, const void *from, double *log_probability)
{
        const real *logits = from;

        for (int level = 0; level < levels; level++)
                log_probability[level] = gaussian_mass(levels, level, logits[0], logits[1]).log_p;
}
