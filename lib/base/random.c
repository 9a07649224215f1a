/* SPDX-License-Identifier: MIT */
/* random.c - Philox4x32-10 and what is drawn from it. */
#include "config.h"

#include <math.h>
#include <string.h>

#include <pxr/random.h>

/* Constants of Salmon et al. (2011), section 5.3 and table 2. */
static const uint32_t multiplier[2] = { 0xD2511F53, 0xCD9E8D57 };
static const uint32_t weyl[2] = { 0x9E3779B9, 0xBB67AE85 };
enum { ROUNDS = 10 };

static void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
        uint32_t k0 = key[0], k1 = key[1], x[4];

        memcpy(x, counter, sizeof x);
        for (int i = 0; i < ROUNDS; i++) {
                uint64_t p0 = (uint64_t)multiplier[0] * x[0];
                uint64_t p1 = (uint64_t)multiplier[1] * x[2];
                uint32_t y0 = (uint32_t)(p1 >> 32) ^ x[1] ^ k0;
                uint32_t y2 = (uint32_t)(p0 >> 32) ^ x[3] ^ k1;

                x[0] = y0;
                x[1] = (uint32_t)p1;
                x[2] = y2;
                x[3] = (uint32_t)p0;
                k0 += weyl[0];
                k1 += weyl[1];
        }
        memcpy(out, x, sizeof x);
}

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
                philox(random->key, random->counter, random->block);
                random->counter[0]++;
                random->left = 4;
        }
        return random->block[4 - random->left--];
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
