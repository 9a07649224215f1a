/* SPDX-License-Identifier: MIT */
/*
 * check_range_coder.c - symbols are restored, and take the space of their probabilities.
 */
#include <math.h>
#include <string.h>

#include <pxr/random.h>

#include "codec/range_coder.h"
#include "suite.h"

enum { MOST_LEVELS = 256, LEVELS_TURNS = 3 };

/* What symbols are drawn from: a table for each turn, used one after the other. */
struct law {
        int levels;
        uint64_t width[LEVELS_TURNS][MOST_LEVELS];
};

/* Tables whose weights are exp(sharpness x normal); none of the widths is 0. */
static struct law law_of(int levels, double sharpness, uint64_t seed)
{
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_TEST, 0, 0, 0);
        struct law law = { .levels = levels };

        for (int turn = 0; turn < LEVELS_TURNS; turn++) {
                double weight[MOST_LEVELS], sum = 0;
                uint64_t left = PXR_RANGE_TOTAL;

                for (int i = 0; i < levels; i++)
                        sum += weight[i] = exp(sharpness * pxr_random_normal(&random));
                for (int i = 0; i < levels; i++) {
                        uint64_t share = (uint64_t)(weight[i] / sum *
                                                    (double)(PXR_RANGE_TOTAL - 2 * MOST_LEVELS));

                        law.width[turn][i] = 1 + share;
                        left -= law.width[turn][i];
                }
                law.width[turn][turn % levels] += left;
        }
        return law;
}

static uint64_t below(const uint64_t *width, int symbol)
{
        uint64_t sum = 0;

        for (int i = 0; i < symbol; i++)
                sum += width[i];
        return sum;
}

static int symbol_at(const uint64_t *width, uint64_t number)
{
        int symbol = 0;

        for (uint64_t end = width[0]; number >= end; end += width[++symbol])
                continue;
        return symbol;
}

/* Symbols drawn from the law, or, if `rare`, each equally often, however improbable. */
static uint8_t *draw(const struct law *law, int count, bool rare)
{
        struct pxr_random random = pxr_random(3, PXR_RANDOM_TEST, 1, 0, 0);
        uint8_t *symbols = malloc((size_t)count + 1);

        ck_assert_ptr_nonnull(symbols);
        for (int i = 0; i < count; i++) {
                const uint64_t *width = law->width[i % LEVELS_TURNS];

                symbols[i] = (uint8_t)(rare ? pxr_random_below(&random, (uint32_t)law->levels)
                                            : (uint32_t)symbol_at(width, pxr_random_bits(&random)));
        }
        return symbols;
}

static struct pxr_range_encoder encode(const struct law *law, const uint8_t *symbols, int count)
{
        struct pxr_range_encoder encoder;

        pxr_range_encoder_init(&encoder, malloc((size_t)count * PXR_RANGE_BYTES + 1));
        ck_assert_ptr_nonnull(encoder.bytes);
        for (int i = 0; i < count; i++) {
                const uint64_t *width = law->width[i % LEVELS_TURNS];

                pxr_range_encode(&encoder, below(width, symbols[i]), width[symbols[i]]);
        }
        pxr_range_encoder_end(&encoder);
        return encoder;
}

/* Decode; how many symbols, from the first on, are right. */
static int decode(const struct law *law, const void *bytes, size_t size, const uint8_t *symbols,
                  int count, bool *sound)
{
        struct pxr_range_decoder decoder;
        int right = count;

        pxr_range_decoder_init(&decoder, bytes, size);
        for (int i = 0; i < count; i++) {
                const uint64_t *width = law->width[i % LEVELS_TURNS];
                int symbol = symbol_at(width, pxr_range_peek(&decoder));

                if (symbol != symbols[i] && right == count)
                        right = i;
                pxr_range_decode(&decoder, below(width, symbol), width[symbol]);
        }
        *sound = pxr_range_decoder_end(&decoder);
        return right;
}

static double bits_of(const struct law *law, const uint8_t *symbols, int count)
{
        double bits = 0;

        for (int i = 0; i < count; i++)
                bits += 32 - log2((double)law->width[i % LEVELS_TURNS][symbols[i]]);
        return bits;
}

/* The end costs a byte at most, and the rest a millionth. What the encoder's division leaves over
 * is the last symbol's, and a help where that is often drawn in spite of its probability. */
static void expect_round_trip(const struct law *law, int count, bool rare)
{
        uint8_t *symbols = draw(law, count, rare);
        struct pxr_range_encoder encoder = encode(law, symbols, count);
        double bytes = bits_of(law, symbols, count) / 8;
        bool sound;

        ck_assert_int_eq(decode(law, encoder.bytes, encoder.size, symbols, count, &sound), count);
        ck_assert(sound);
        ck_assert_double_le((double)encoder.size, bytes * (1 + 1e-6) + 2);
        if (!rare)
                ck_assert_double_ge((double)encoder.size, bytes * (1 - 1e-6) - 2);
        free(encoder.bytes);
        free(symbols);
}

START_TEST(symbols_decode_to_the_same_and_cost_their_bits)
{
        static const double sharpness[] = { 0, 1, 5, 20, 100 };
        static const int levels[] = { 2, 3, 256 };

        for (int l = 0; l < 3; l++)
                for (int s = 0; s < 5; s++)
                        for (int rare = 0; rare < 2; rare++) {
                                const struct law law = law_of(levels[l], sharpness[s], 5);

                                expect_round_trip(&law, 20000, rare);
                                for (int count = 0; count < 40; count++)
                                        expect_round_trip(&law, count, rare);
                        }
}
END_TEST

/* A million pixels that are black with probability 1 - 2^-32. */
START_TEST(a_certain_symbol_costs_nothing)
{
        struct law law = { .levels = 2 };
        uint8_t *symbols = calloc(1000000, 1);
        struct pxr_range_encoder encoder;
        bool sound;

        for (int turn = 0; turn < LEVELS_TURNS; turn++) {
                law.width[turn][0] = PXR_RANGE_TOTAL - 1;
                law.width[turn][1] = 1;
        }
        encoder = encode(&law, symbols, 1000000);
        ck_assert_uint_le(encoder.size, 1);
        ck_assert_int_eq(decode(&law, encoder.bytes, encoder.size, symbols, 1000000, &sound),
                         1000000);
        ck_assert(sound);
        free(encoder.bytes);
        free(symbols);
}
END_TEST

/* The last of two symbols, again and again, keeps the interval at the upper end, where bytes of
 * 0xff wait for a carry. */
START_TEST(a_carry_propagates_through_many_bytes)
{
        struct law law = { .levels = 2 };
        uint8_t symbols[3000];

        for (int turn = 0; turn < LEVELS_TURNS; turn++) {
                law.width[turn][0] = PXR_RANGE_TOTAL - 3;
                law.width[turn][1] = 3;
        }
        for (int first = 0; first < 2; first++)
                for (int last = 0; last < 2; last++) {
                        struct pxr_range_encoder encoder;
                        bool sound;

                        memset(symbols, 1, sizeof(symbols));
                        symbols[0] = (uint8_t)first;
                        symbols[sizeof(symbols) - 1] = (uint8_t)last;
                        encoder = encode(&law, symbols, sizeof(symbols));
                        ck_assert_int_eq(decode(&law, encoder.bytes, encoder.size, symbols,
                                                sizeof(symbols), &sound),
                                         sizeof(symbols));
                        ck_assert(sound);
                        free(encoder.bytes);
                }
}
END_TEST

/* A stream that is called sound and gives the same symbols is the same stream. And four
 * of five others are called unsound. */
static void expect_noticed(const struct law *law, const uint8_t *symbols, int count,
                           const uint8_t *bytes, size_t size, int *sound_ones)
{
        bool sound;
        int right = decode(law, bytes, size, symbols, count, &sound);

        ck_assert(!sound || right < count);
        *sound_ones += sound;
}

START_TEST(other_streams_are_detected)
{
        enum { COUNT = 2000 };
        const struct law law = law_of(4, 2, 8);
        uint8_t *symbols = draw(&law, COUNT, false);
        struct pxr_range_encoder encoder = encode(&law, symbols, COUNT);
        uint8_t *bytes = calloc(encoder.size + 1, 1);
        int sound_ones = 0, size = (int)encoder.size;

        memcpy(bytes, encoder.bytes, encoder.size);
        for (int cut = 0; cut < size; cut++)
                expect_noticed(&law, symbols, COUNT, bytes, (size_t)cut, &sound_ones);
        for (int bit = 0; bit < 8 * size; bit++) {
                bytes[bit / 8] ^= 1 << bit % 8;
                expect_noticed(&law, symbols, COUNT, bytes, encoder.size, &sound_ones);
                bytes[bit / 8] ^= 1 << bit % 8;
        }
        expect_noticed(&law, symbols, COUNT, bytes, encoder.size + 1, &sound_ones);
        ck_assert_int_lt(sound_ones, size * 9 / 5);
        free(bytes);
        free(encoder.bytes);
        free(symbols);
}
END_TEST

START_TEST(no_symbols_take_no_bytes)
{
        const struct law law = law_of(2, 0, 1);
        struct pxr_range_encoder encoder = encode(&law, NULL, 0);
        bool sound;

        ck_assert_uint_eq(encoder.size, 0);
        decode(&law, NULL, 0, NULL, 0, &sound);
        ck_assert(sound);
        decode(&law, "", 1, NULL, 0, &sound);
        ck_assert(!sound);
        free(encoder.bytes);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("range_coder");

        ADD_TEST(suite, symbols_decode_to_the_same_and_cost_their_bits);
        ADD_TEST(suite, a_certain_symbol_costs_nothing);
        ADD_TEST(suite, a_carry_propagates_through_many_bytes);
        ADD_TEST(suite, other_streams_are_detected);
        ADD_TEST(suite, no_symbols_take_no_bytes);
        return run_suite(suite);
}
