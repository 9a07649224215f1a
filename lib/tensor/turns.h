/* SPDX-License-Identifier: MIT */
/*
 * turns.h - when, in generation, each part of each tensor is computed.
 */
#ifndef PXR_TENSOR_TURNS_H
#define PXR_TENSOR_TURNS_H

#include "tensor/reach.h"

/* Mostly a colour group of a pixel is computed when its own turn comes, before its value is known.
 * What reads the image at that very place (the image itself, and whatever lies between it and the
 * first mask A) has to wait until the value is set. */
struct pxr_turns {
        unsigned char **wait; /* [node][order]: 0: in its turn; 1 + c: when colour c is set */
        enum pxr_span *kept;  /* [node]: of its output, no more is read than the pixel whose turn
                                 it is, or its row */
        bool *constant;       /* [node]: computed once, before the first pixel. Others that depend
                                 on no value are computed pixel by pixel, all colours at once */
        const char *fallback; /* as pxr_graph_fallback(); then all maps are kept */
};

/* The turns of a graph. Returns 0, or -1 when memory is out. */
int pxr_turns_make(struct pxr_turns *turns, const struct pxr_graph *graph,
                   enum pxr_precision precision);
void pxr_turns_free(struct pxr_turns *turns);

/* The name of the first op that keeps generation from going step by step: it has no `advance`, or
 * it reads pixels that are yet to come. Whole passes are then made instead. NULL: there is none, or
 * memory is out. */
const char *pxr_graph_fallback(const struct pxr_graph *graph, enum pxr_precision precision);

#endif
