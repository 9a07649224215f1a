/* SPDX-License-Identifier: MIT */
/* mixture_logistic_kernels.h - between `real` and the functions of mixture_logistic.c, which
 * compute in double. Included once for each precision. */

static void K(nll)(const struct pxr_nll_call *call)
{
        int size = channels(call->levels, call->colours, call->conf);
        size_t cells = call->pixel_count * call->images;
        const real *from = call->logits;
        real *to = call->gradient;

        for (size_t cell = 0; cell < cells; cell++, from += size) {
                double logits[MOST_LOGITS], gradient[MOST_LOGITS], nll[MAX_COLOURS] = { 0 };
                double *sum = call->nll + (call->each ? cell * call->colours : cell % call->images);

                for (int i = 0; i < size; i++)
                        logits[i] = from[i];
                pixel_nll(call->conf, call->levels, call->colours,
                          call->pixels + cell * call->colours, logits, nll, to ? gradient : NULL);
                for (int c = 0; c < call->colours; c++)
                        sum[call->each ? c : 0] += nll[c];
                for (int i = 0; to && i < size; i++)
                        to[i] = (real)(call->gradient_scale * gradient[i]);
                to = to ? to + size : NULL;
        }
}

/* The logits up to those of the colour; those of later colours may not be there yet. */
static void K(read_logits)(const struct pxr_pixel *pixel, double *logits)
{
        const struct mixture_logistic *mixture = pixel->conf;
        int size = (first_block(pixel->colour) + 2 + pixel->colour) * (int)mixture->components;

        for (int i = 0; i < size; i++)
                logits[i] = ((const real *)pixel->logits)[i];
}

static void K(probabilities)(const struct pxr_pixel *pixel, double *probability)
{
        double logits[MOST_LOGITS];

        K(read_logits)(pixel, logits);
        levels_probabilities(pixel, logits, probability);
}

static void K(log_probabilities)(const struct pxr_pixel *pixel, double *log_probability)
{
        double logits[MOST_LOGITS];

        K(read_logits)(pixel, logits);
        levels_log_probabilities(pixel, logits, log_probability);
}
