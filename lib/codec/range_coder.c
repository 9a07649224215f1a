/* SPDX-License-Identifier: MIT */
/*
 * range_coder.c - arithmetic coding (a range coder, after G. N. N. Martin, 1979).
 *
 * Everything encoded so far is an interval of numbers, `low` to `low + range`, whose leading bytes
 * are already written. A symbol narrows it to its share. When the range falls below 2^56, one more
 * byte is certain except for a carry, which is added to the bytes written.
 */
#include "codec/range_coder.h"

enum { BYTES = 8 }; /* of `low` */

static const uint64_t least_range = (uint64_t)1 << 56;

/* Narrow `range` to a share of it; how far `low` moves. What the division leaves over belongs to
 * the last symbol. */
static uint64_t narrow(uint64_t *range, uint64_t below, uint64_t width)
{
        uint64_t unit = *range / PXR_RANGE_TOTAL, offset = unit * below;

        *range = below + width < PXR_RANGE_TOTAL ? unit * width : *range - offset;
        return offset;
}

void pxr_range_encoder_init(struct pxr_range_encoder *encoder, uint8_t *bytes)
{
        *encoder = (struct pxr_range_encoder) { .bytes = bytes, .range = UINT64_MAX };
}

static void put(struct pxr_range_encoder *encoder, uint64_t number)
{
        encoder->bytes[encoder->size++] = (uint8_t)(number >> 56);
}

/* All that was encoded is below 1, so that a carry ends within the bytes there are. */
static void carry(struct pxr_range_encoder *encoder)
{
        size_t at = encoder->size;

        while (at > 0 && ++encoder->bytes[--at] == 0)
                continue;
}

void pxr_range_encode(struct pxr_range_encoder *encoder, uint64_t below, uint64_t width)
{
        uint64_t offset = narrow(&encoder->range, below, width);

        encoder->low += offset;
        if (encoder->low < offset)
                carry(encoder);
        while (encoder->range < least_range) {
                put(encoder, encoder->low);
                encoder->low <<= 8;
                encoder->range <<= 8;
        }
}

/* A number of the interval with at most one byte that is not zero. Returns how many it has. It is
 * below `low` if it wrapped at 2^64. */
static int shortest(uint64_t low, uint64_t range, uint64_t *number)
{
        *number = 0;
        if (*number - low < range)
                return 0;
        *number = (low + least_range - 1) & ~(least_range - 1);
        return 1;
}

void pxr_range_encoder_end(struct pxr_range_encoder *encoder)
{
        uint64_t number;
        int bytes = shortest(encoder->low, encoder->range, &number);

        if (number < encoder->low)
                carry(encoder);
        if (bytes)
                put(encoder, number);
}

static uint8_t get(struct pxr_range_decoder *decoder)
{
        size_t at = decoder->at++;

        return at < decoder->size ? decoder->bytes[at] : 0;
}

void pxr_range_decoder_init(struct pxr_range_decoder *decoder, const void *bytes, size_t size)
{
        *decoder = (struct pxr_range_decoder) { .bytes = bytes, .size = size, .range = UINT64_MAX };
        for (int i = 0; i < BYTES; i++)
                decoder->value = decoder->value << 8 | get(decoder);
}

uint64_t pxr_range_peek(struct pxr_range_decoder *decoder)
{
        uint64_t number = decoder->value / (decoder->range / PXR_RANGE_TOTAL);

        return number < PXR_RANGE_TOTAL ? number : PXR_RANGE_TOTAL - 1;
}

void pxr_range_decode(struct pxr_range_decoder *decoder, uint64_t below, uint64_t width)
{
        uint64_t offset = narrow(&decoder->range, below, width);

        decoder->low += offset;
        decoder->value -= offset;
        while (decoder->range < least_range) {
                decoder->low <<= 8;
                decoder->range <<= 8;
                decoder->value = decoder->value << 8 | get(decoder);
        }
}

bool pxr_range_decoder_past(const struct pxr_range_decoder *decoder)
{
        return decoder->at > decoder->size + BYTES;
}

bool pxr_range_decoder_end(const struct pxr_range_decoder *decoder)
{
        uint64_t number;
        size_t bytes = (size_t)shortest(decoder->low, decoder->range, &number);

        return decoder->value == number - decoder->low &&
               decoder->size == decoder->at - BYTES + bytes;
}
