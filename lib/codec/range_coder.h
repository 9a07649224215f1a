/* SPDX-License-Identifier: MIT */
/*
 * range_coder.h - arithmetic coding: symbols of known probability to bytes, and back.
 *
 * A symbol is a share of PXR_RANGE_TOTAL: `below` of it before the symbol's own `width`. It costs
 * log2(PXR_RANGE_TOTAL / width) bits, to within a ten millionth of one, and the end of a stream one
 * byte at most.
 */
#ifndef PXR_CODEC_RANGE_CODER_H
#define PXR_CODEC_RANGE_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shares are of 2^32, so that a symbol of probability 1 - 1e-6 costs what it should. */
#define PXR_RANGE_TOTAL ((uint64_t)1 << 32)

/* The most bytes that a symbol takes: of all symbols, and one more for the end, there must be room
 * in `bytes`. */
enum { PXR_RANGE_BYTES = 4 };

struct pxr_range_encoder {
        uint8_t *bytes;
        size_t size; /* written so far */
        uint64_t low, range;
};

void pxr_range_encoder_init(struct pxr_range_encoder *encoder, uint8_t *bytes);

/* width > 0, below + width <= PXR_RANGE_TOTAL. */
void pxr_range_encode(struct pxr_range_encoder *encoder, uint64_t below, uint64_t width);

/* Write the end. */
void pxr_range_encoder_end(struct pxr_range_encoder *encoder);

struct pxr_range_decoder {
        const uint8_t *bytes;
        size_t size, at;     /* bytes read; beyond the end they are zero */
        uint64_t low, range; /* those of the encoder */
        uint64_t value;      /* the number that was written, less `low` */
};

void pxr_range_decoder_init(struct pxr_range_decoder *decoder, const void *bytes, size_t size);

/* A number within the share of the symbol that comes next, below PXR_RANGE_TOTAL. */
uint64_t pxr_range_peek(struct pxr_range_decoder *decoder);

/* Go past that symbol, whose share is given as to the encoder. */
void pxr_range_decode(struct pxr_range_decoder *decoder, uint64_t below, uint64_t width);

/* Whether more bytes were read than there are: then the symbols are not those encoded. */
bool pxr_range_decoder_past(const struct pxr_range_decoder *decoder);

/* After the last symbol: whether the bytes are exactly those that encoding the same symbols gives.
 * Most altered or truncated streams fail this. */
bool pxr_range_decoder_end(const struct pxr_range_decoder *decoder);

#endif
