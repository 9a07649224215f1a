/* SPDX-License-Identifier: MIT */
/*
 * certificate.h - the proof that a model is causal: no value's distribution depends on the value
 * itself or a later one, in the order of pixels (raster) and colours (R, G, B).
 *
 * It has two parts. The dependencies that ops declare are followed from the image to the logits;
 * and single input values are changed, after which the kernels must compute the same bits for all
 * logits that must not depend on them.
 */
#ifndef PXR_MODEL_CERTIFICATE_H
#define PXR_MODEL_CERTIFICATE_H

#include "base/progress.h"
#include "model/model.h"

/* How far the receptive field of a pixel of a map extends upwards, left and right: the most of any
 * pixel. */
struct pxr_extent {
        int above, left, right;
};
struct pxr_extent pxr_receptive_extent(const struct pxr_graph *graph, const struct pxr_node *node);

struct pxr_certificate {
        char digest[65];      /* SHA-256 over the graph and its dependencies; hexadecimal */
        int probes;           /* single values changed */
        unsigned char *field; /* [row][col]: 1 if the logits of the centre depend on that pixel */
};

/* How to examine a model; large ones take minutes. */
struct pxr_examination {
        int threads;                         /* the certificate does not depend on them */
        const struct pxr_observer *observer; /* cannot stop it; NULL: none */
};

/* Examine a model. `how` NULL: on one thread, without progress. Returns 0, or -1 after an error at
 * the location of the layer that leaks, which names tap and colour. */
int pxr_certify(struct pxr_arena *arena, const struct pxr_model *model,
                const struct pxr_examination *how, struct pxr_certificate *certificate,
                struct pxr_diag *diag);

/* The first part alone: digest and receptive field. */
int pxr_certify_dependencies(struct pxr_arena *arena, const struct pxr_model *model,
                             struct pxr_certificate *certificate, struct pxr_diag *diag);

#endif
