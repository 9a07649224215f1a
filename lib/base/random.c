/* SPDX-License-Identifier: MIT */
/* random.c - Philox4x32-10 and what is drawn from it. */
#include "config.h"

#include <math.h>

#include <pxr/levels.h>
#include <pxr/random.h>

/* Constants of Salmon et al. (2011), section 5.3 and table 2. */
static const uint32_t multiplier[2] = { 0xD2511F53, 0xCD9E8D57 };
static const uint32_t weyl[2] = { 0x9E3779B9, 0xBB67AE85 };
enum { ROUNDS = 10, LANES = 16 };

/* The blocks of `lanes` counters that follow one another, all rounds side by side. GCC vectorizes
 * four arrays, but not one of four. */
PXR_INLINE void philox_lanes(size_t lanes, const struct pxr_random *at, uint32_t *out)
{
        uint32_t k0 = at->key[0], k1 = at->key[1], x0[LANES], x1[LANES], x2[LANES], x3[LANES];

        for (size_t j = 0; j < lanes; j++) {
                x0[j] = at->counter[0] + (uint32_t)j;
                x1[j] = at->counter[1];
                x2[j] = at->counter[2];
                x3[j] = at->counter[3];
        }
        for (int i = 0; i < ROUNDS; i++) {
                for (size_t j = 0; j < lanes; j++) {
                        uint64_t p0 = (uint64_t)multiplier[0] * x0[j];
                        uint64_t p1 = (uint64_t)multiplier[1] * x2[j];

                        x0[j] = (uint32_t)(p1 >> 32) ^ x1[j] ^ k0;
                        x1[j] = (uint32_t)p1;
                        x2[j] = (uint32_t)(p0 >> 32) ^ x3[j] ^ k1;
                        x3[j] = (uint32_t)p0;
                }
                k0 += weyl[0];
                k1 += weyl[1];
        }
        for (size_t j = 0; j < lanes; j++) {
                out[4 * j] = x0[j];
                out[4 * j + 1] = x1[j];
                out[4 * j + 2] = x2[j];
                out[4 * j + 3] = x3[j];
        }
}

PXR_INLINE void philox_wide_body(const struct pxr_random *at, uint32_t *out)
{
        philox_lanes(LANES, at, out);
}
PXR_FOR_EACH_LEVEL(static, void, philox_wide, (const struct pxr_random *at, uint32_t *out),
                   (at, out))

struct pxr_random pxr_random(uint64_t seed, enum pxr_purpose purpose, uint32_t a, uint32_t b,
                             uint32_t c)
{
        return (struct pxr_random) {
                .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
                .counter = { 0, a, b, c << 8 | (uint32_t)purpose },
        };
}

uint32_t pxr_random_bits(struct pxr_random *random)
{
        if (random->left == 0) {
                philox_lanes(1, random, random->block);
                random->counter[0]++;
                random->left = 4;
        }
        return random->block[4 - random->left--];
}

void pxr_random_fill(struct pxr_random *random, size_t count, uint32_t *bits)
{
        for (; count > 0 && random->left > 0; count--)
                *bits++ = pxr_random_bits(random);
        for (; count >= 4 * LANES; count -= 4 * LANES) {
                philox_wide(random, bits);
                random->counter[0] += LANES;
                bits += 4 * LANES;
        }
        for (; count > 0; count--)
                *bits++ = pxr_random_bits(random);
}

double pxr_random_uniform(struct pxr_random *random)
{
        uint64_t high = pxr_random_bits(random);
        uint64_t bits = high << 32 | pxr_random_bits(random);

        return (double)(bits >> 11) * 0x1p-53;
}

double pxr_random_normal(struct pxr_random *random)
{
        double u = 1.0 - pxr_random_uniform(random); /* in (0, 1]: its logarithm is finite */
        double angle = 2.0 * acos(-1.0) * pxr_random_uniform(random);

        return sqrt(-2.0 * log(u)) * cos(angle);
}

uint32_t pxr_random_below(struct pxr_random *random, uint32_t bound)
{
        /* Lemire's method: the high half of bits * bound, rejecting the few that would bias it. */
        uint32_t threshold = -bound % bound;
        uint64_t product;

        do
                product = (uint64_t)pxr_random_bits(random) * bound;
        while ((uint32_t)product < threshold);
        return (uint32_t)(product >> 32);
}

uint64_t pxr_hash_name(const char *name)
{
        uint64_t hash = 0xcbf29ce484222325;

        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
        return hash;
}
