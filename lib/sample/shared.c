/* SPDX-License-Identifier: MIT */
/* shared.c - drawing images on several ranks. */
#include "sample/shared.h"

#include "base/clock.h"

struct pxr_generation *pxr_generation_share(const struct pxr_generation *all,
                                            const struct pxr_ranks *ranks)
{
        const struct pxr_graph *graph = all->graph;
        struct pxr_generation *share = pxr_alloc(all->arena, sizeof(*share));
        int first = pxr_ranks_first(ranks, all->count, ranks->rank);
        int count = pxr_ranks_first(ranks, all->count, ranks->rank + 1) - first;
        struct pxr_image_key *key = pxr_alloc_array(all->arena, count, sizeof(*key));

        if (!share || !key)
                return NULL;
        for (int i = 0; i < count; i++)
                key[i].number = (uint32_t)(first + i);
        *share = *all;
        share->memory = NULL;
        share->count = count;
        share->key = key;
        share->nats = all->nats ? all->nats + first : NULL;
        share->classes = all->classes ? all->classes + first : NULL;
        if (all->small)
                share->small +=
                        (size_t)first * graph->small_rows * graph->small_cols * graph->colours;
        return share;
}

int pxr_generate_shared(const struct pxr_generation *all, struct pxr_generation *share,
                        struct pxr_ranks *ranks, uint8_t *pixels, struct pxr_diag *diag)
{
        size_t size = pxr_graph_values(all->graph);
        double started = pxr_now(), worked;
        int status;

        share->parameters = all->parameters;
        status = pxr_ranks_publish(ranks, PXR_RANK_EVALUATED, all->parameters,
                                   all->graph->parameter_values);
        if (!status)
                status = pxr_ranks_order(ranks, &(struct pxr_rank_order) { .task = PXR_RANK_DRAW });
        if (status)
                return status;
        status = pxr_generate(share, pixels, diag);
        if (status) { /* the others still draw */
                pxr_ranks_abandon(ranks);
                return status;
        }
        worked = pxr_now() - started;
        for (int rank = 1; rank < ranks->size && !status; rank++) {
                int first = pxr_ranks_first(ranks, all->count, rank);
                int count = pxr_ranks_first(ranks, all->count, rank + 1) - first;

                if (count == 0)
                        continue;
                status = pxr_ranks_receive(ranks, rank, pixels + first * size, count * size, worked,
                                           false);
                if (!status && all->nats)
                        status = pxr_ranks_receive(ranks, rank, all->nats + first,
                                                   count * sizeof(double), worked, false);
        }
        return status;
}

int pxr_generate_help(struct pxr_generation *share, struct pxr_ranks *ranks, uint8_t *pixels,
                      struct pxr_diag *diag)
{
        int status = pxr_generate(share, pixels, diag);

        if (status || share->count == 0)
                return status;
        status = pxr_ranks_send(ranks, 0, pixels, share->count * pxr_graph_values(share->graph));
        if (!status && share->nats)
                status = pxr_ranks_send(ranks, 0, share->nats, share->count * sizeof(double));
        return status ? status : pxr_ranks_settle(ranks);
}
