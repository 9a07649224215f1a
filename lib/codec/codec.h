/* SPDX-License-Identifier: MIT */
/*
 * codec.h - lossless compression of images by arithmetic coding under a model.
 *
 * The encoder has evaluated the images, and their values stand in its tensors from the start; the
 * decoder has what it decoded and nothing else. A model that sees what it is to predict makes small
 * streams that cannot be decoded; any other makes streams as long as its NLL says.
 */
#ifndef PXR_CODEC_CODEC_H
#define PXR_CODEC_CODEC_H

#include "base/progress.h"
#include "tensor/graph.h"

/* Images computed at once. Both sides must have the same: the bits of a matrix product's row may
 * depend on how many rows there are. */
enum { PXR_CODEC_GROUP = 16 };

struct pxr_coding {
        const struct pxr_graph *graph; /* of a model that is given nothing */
        const float *parameters;
        int64_t images;
        int64_t images_per_stream;           /* a multiple of PXR_CODEC_GROUP */
        int threads;                         /* change nothing */
        const struct pxr_observer *observer; /* of the images coded; NULL: none */
};

/* Streams are decoded side by side, one to a worker. */
struct pxr_streams {
        int64_t count;
        uint8_t **bytes; /* [count], each of malloc() */
        size_t *size;
        double spared; /* bits, by encoding: no value costs more than 32, whatever its NLL */
};

/* How many images of a graph's a stream should have: enough for its end and its length to cost
 * little. */
int64_t pxr_images_per_stream(const struct pxr_graph *graph);

int64_t pxr_stream_count(int64_t images, int64_t images_per_stream);

/* Room for so many streams, all of them empty. Returns 0 or -1. */
int pxr_streams_init(struct pxr_streams *streams, int64_t count, struct pxr_diag *diag);
void pxr_streams_free(struct pxr_streams *streams);

/* Encode pixels[image][row][col][colour] to `streams`, to be freed by the caller, and add up the
 * NLL of all images, as evaluated, in *nats. Returns 0, 1 when the observer stopped it, or -1 after
 * an error. */
int pxr_encode(const struct pxr_coding *coding, const uint8_t *pixels, struct pxr_streams *streams,
               double *nats, struct pxr_diag *diag);

/* An NLL is real when images take the space it says. Warn when the streams, beyond their ends and
 * what was spared, are 0.5 % larger or smaller. */
void pxr_codec_compare(const struct pxr_streams *streams, double nats, struct pxr_diag *diag);

/* The reverse, which also returns PXR_UNDECODABLE, with no error recorded, where a stream is not
 * what the model makes of any images on this machine. Some such give other images instead. */
enum { PXR_UNDECODABLE = 2 };
int pxr_decode(const struct pxr_coding *coding, const struct pxr_streams *streams, uint8_t *pixels,
               struct pxr_diag *diag);

/* Widths of all levels, which add up to PXR_RANGE_TOTAL, none of them 0, out of their
 * probabilities. Returns 0, or -1 when these are none: not finite, or not adding up to 1. */
int pxr_codec_widths(int levels, const double *probability, uint64_t *width);

/* Why images cannot be coded under a graph, in words; NULL: they can. */
const char *pxr_codec_misfit(const struct pxr_graph *graph);

#endif
