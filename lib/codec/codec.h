/* SPDX-License-Identifier: MIT */
/*
 * codec.h - lossless compression of images by arithmetic coding under a model.
 *
 * The encoder evaluates the images first, so all their values are in its tensors from the start;
 * the decoder has only what it has decoded. A model that peeks at values it predicts makes small
 * streams that cannot be decoded; a causal one makes streams as long as its NLL.
 */
#ifndef PXR_CODEC_CODEC_H
#define PXR_CODEC_CODEC_H

#include "base/progress.h"
#include "tensor/graph.h"

/* Images computed at once, the same in encoder and decoder: the bits of a matrix product's row may
 * depend on the number of rows. */
enum { PXR_CODEC_GROUP = 16 };

/* The least number of values in a stream, so that its overhead is small. */
enum { PXR_CODEC_STREAM = 1 << 17 };

struct pxr_coding {
        const struct pxr_graph *graph; /* of a model that is not given small images */
        const float *parameters;
        const int32_t *classes; /* [image]: for a model that is given the class; else NULL */
        int64_t images;
        int64_t images_per_stream;           /* a multiple of PXR_CODEC_GROUP */
        int threads;                         /* do not change the result */
        const struct pxr_observer *observer; /* of the images coded; NULL: none */
};

/* Streams are coded in parallel, one per worker. */
struct pxr_streams {
        int64_t count;
        struct pxr_stream_bytes {
                uint8_t *bytes; /* of malloc() */
                size_t size;
        } * stream;    /* [count] */
        double spared; /* by encoding: bits of NLL beyond the 32 that a value costs at most */
};

int64_t pxr_images_per_stream(const struct pxr_graph *graph);

int64_t pxr_stream_count(int64_t images, int64_t images_per_stream);

/* `spared` stays. */
void pxr_streams_free(struct pxr_streams *streams);

/* Encode pixels[image][row][col][colour] to `streams`, to be freed by the caller, and add up the
 * NLL of all images, as evaluated, in *nats. Returns 0, 1 when the observer stopped it, or -1 after
 * an error. */
int pxr_encode(const struct pxr_coding *coding, const uint8_t *pixels, struct pxr_streams *streams,
               double *nats, struct pxr_diag *diag);

/* Warn if the size of the streams, allowing for their ends and for `spared`, differs from the NLL
 * by over 0.5 %. */
void pxr_codec_compare(const struct pxr_streams *streams, double nats, struct pxr_diag *diag);

/* Decode the streams. Also returns PXR_UNDECODABLE, with no error recorded, if a stream is not one
 * that this model makes on this machine; not all are detected: some give wrong images. */
enum { PXR_UNDECODABLE = 2 };
int pxr_decode(const struct pxr_coding *coding, const struct pxr_streams *streams, uint8_t *pixels,
               struct pxr_diag *diag);

/* Turn probabilities of levels into widths above 0 that add up to PXR_RANGE_TOTAL. Returns 0, or -1
 * if the probabilities are not finite or do not add up to 1. */
int pxr_codec_widths(int levels, const double *probability, uint64_t *width);

/* Why images cannot be coded under a graph; NULL: they can. */
const char *pxr_codec_misfit(const struct pxr_graph *graph);

#endif
