/* SPDX-License-Identifier: MIT */
/* markov.c - what the synthetic sets share. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "data/markov.h"

struct pxr_random pxr_markov_random(const struct pxr_markov *options, enum pxr_split split,
                                    int64_t index)
{
        return pxr_random((uint64_t)options->seed, PXR_RANDOM_SYNTHETIC, (uint32_t)split,
                          (uint32_t)index, 0);
}

double pxr_markov_entropy(const double *p, int count)
{
        double sum = 0;

        for (int i = 0; i < count; i++)
                if (p[i] > 0)
                        sum -= p[i] * log(p[i]);
        return sum;
}

/* There are no bytes to hash: hash what determines them. */
static const char *digest(const struct pxr_opening *o, enum pxr_split split, int law,
                          const double *p, int count)
{
        const struct pxr_markov *options = o->options;
        struct pxr_sha256 hash;
        char text[128], hex[PXR_SHA256_HEX];

        pxr_sha256_init(&hash);
        snprintf(text, sizeof text, "%s %d %d %d %d %lld %s\n", o->set->name, law, o->set->rows,
                 o->set->cols, o->set->levels, (long long)options->seed, pxr_split_names[split]);
        pxr_sha256_update(&hash, text, strlen(text));
        for (int i = 0; i < count; i++) {
                snprintf(text, sizeof text, "%.17g\n", p[i]);
                pxr_sha256_update(&hash, text, strlen(text));
        }
        pxr_sha256_final(&hash, hex);
        return pxr_strdup(o->arena, hex);
}

int pxr_markov_describe(struct pxr_opening *o, int law, const double *p, int count)
{
        const struct pxr_markov *options = o->options;
        const int64_t images[PXR_SPLITS] = { options->train, options->valid, options->test };

        o->set->transforms =
                pxr_strf(o->arena, "drawn from a known law, seed %lld", (long long)options->seed);
        for (int split = 0; split < PXR_SPLITS; split++) {
                if (!pxr_data_opens(o, split) || images[split] == 0)
                        continue;
                o->set->count[split] = images[split];
                o->set->digest[split] = digest(o, split, law, p, count);
        }
        return 0;
}
