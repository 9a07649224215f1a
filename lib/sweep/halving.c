/* SPDX-License-Identifier: MIT */
/*
 * halving.c - asynchronous successive halving (ASHA).
 *
 * Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2: a
 * trial is promoted as soon as it is among the best of its rung so far, without waiting for the
 * rung to fill.
 */
#include "sweep/halving.h"

#include <math.h>

/* How many trials of its rung are better. */
static int better(const struct pxr_candidate *candidate, int count, int which)
{
        int better = 0;

        for (int i = 0; i < count; i++)
                if (candidate[i].rung == candidate[which].rung &&
                    (candidate[i].nats < candidate[which].nats ||
                     (candidate[i].nats == candidate[which].nats && i < which)))
                        better++;
        return better;
}

int pxr_halving_next(const struct pxr_candidate *candidate, int count, int rungs, int factor)
{
        for (int rung = rungs - 2; rung >= 0; rung--) {
                int ended = 0, best = -1;

                for (int i = 0; i < count; i++)
                        ended += candidate[i].rung == rung;
                for (int i = 0; i < count; i++)
                        if (candidate[i].rung == rung && !candidate[i].promoted &&
                            isfinite(candidate[i].nats) &&
                            better(candidate, count, i) < ended / factor &&
                            (best < 0 || candidate[i].nats < candidate[best].nats))
                                best = i;
                if (best >= 0)
                        return best;
        }
        return -1;
}
