/* SPDX-License-Identifier: MIT */
/* markov.c - what the synthetic sets share. */
#include "config.h"

#include <math.h>
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

/* There are no bytes to hash: what decides them is hashed instead. */
static const char *digest(struct pxr_arena *arena, const struct pxr_dataset *set,
                          const struct pxr_markov *options, enum pxr_split split, int law,
                          const double *p, int count, struct pxr_diag *diag)
{
        struct pxr_arena *scratch = pxr_arena_new(0, diag);
        const char *text, *result = NULL;
        struct pxr_sha256 hash;
        char hex[PXR_SHA256_HEX];

        if (!scratch) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        pxr_sha256_init(&hash);
        text = pxr_strf(scratch, "%s %d %d %d %d %lld %s\n", set->name, law, set->rows, set->cols,
                        set->levels, (long long)options->seed, pxr_split_names[split]);
        for (int i = 0; text; i++) {
                pxr_sha256_update(&hash, text, strlen(text));
                if (i == count)
                        break;
                text = pxr_strf(scratch, "%.17g\n", p[i]);
        }
        pxr_sha256_final(&hash, hex);
        if (text)
                result = pxr_strdup(arena, hex);
        pxr_arena_free(scratch);
        if (!result)
                pxr_out_of_memory(diag);
        return result;
}

int pxr_markov_describe(struct pxr_arena *arena, struct pxr_dataset *set,
                        const struct pxr_data_common *common, const struct pxr_markov *options,
                        int law, const double *p, int count, struct pxr_diag *diag)
{
        const int64_t images[PXR_SPLITS] = { options->train, options->valid, options->test };

        set->transforms =
                pxr_strf(arena, "drawn from a known law, seed %lld", (long long)options->seed);
        if (!set->transforms)
                return pxr_out_of_memory(diag);
        for (int split = 0; split < PXR_SPLITS; split++) {
                if (!pxr_data_wants(common, split) || images[split] == 0)
                        continue;
                set->count[split] = images[split];
                set->digest[split] = digest(arena, set, options, split, law, p, count, diag);
                if (!set->digest[split])
                        return -1;
        }
        return 0;
}
