/* SPDX-License-Identifier: MIT */
/*
 * certificate.h - the proof that a model is causal: no value's distribution sees the value itself
 * or a later one, in the order of pixels (raster) and colours (R, G, B).
 *
 * It has two legs. The dependencies that the ops declare are followed from the image to the logits;
 * and single input values are changed in the kernels themselves, upon which no logit that must not
 * depend on them may change a bit.
 */
#ifndef PXR_MODEL_CERTIFICATE_H
#define PXR_MODEL_CERTIFICATE_H

#include "base/progress.h"
#include "model/model.h"

struct pxr_certificate {
        char digest[65]; /* SHA-256 over the graph and its dependencies; hexadecimal */
        int probes;      /* single values changed */
        int field_above, field_left, field_right; /* extent of the receptive field of `field` */
        int centre_row, centre_col;
        unsigned char *field; /* [row][col]: 1 where a value can reach the centre's logits */
};

/* How to examine: a large model takes minutes. */
struct pxr_examination {
        int threads;                         /* the certificate does not depend on them */
        const struct pxr_observer *observer; /* cannot stop it; NULL: none */
};

/* Examine a model; `how` may be NULL: on one thread, silently. Returns 0, or -1 after an error at
 * the line of the layer that leaks, which names tap and colour. */
int pxr_certify(struct pxr_arena *arena, const struct pxr_model *model,
                const struct pxr_examination *how, struct pxr_certificate *certificate,
                struct pxr_diag *diag);

/* The two legs, for `pxr-layers check`. dependencies() also fills in the receptive field. */
int pxr_certify_dependencies(struct pxr_arena *arena, const struct pxr_model *model,
                             struct pxr_certificate *certificate, struct pxr_diag *diag);
int pxr_certify_kernels(const struct pxr_model *model, const struct pxr_examination *how,
                        struct pxr_certificate *certificate, struct pxr_diag *diag);

/* Pixels that the centre of a node's map can see: how far up, and how far to the left and right. */
struct pxr_extent {
        int above, left, right;
};
struct pxr_extent pxr_receptive_extent(const struct pxr_graph *graph, const struct pxr_node *node);

#endif
