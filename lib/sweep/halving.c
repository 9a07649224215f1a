/* SPDX-License-Identifier: MIT */
/*
 * halving.c - asynchronous successive halving (ASHA).
 *
 * Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2: a
 * trial is promoted as soon as it is among the best of its rung so far, without waiting for the
 * rung to fill.
 */
#include "sweep/halving.h"

struct pxr_cursor pxr_halving_candidates(struct pxr_store *store, int64_t sweep, int rungs,
                                         int64_t factor, struct pxr_diag *diag)
{
        /* The result of a job that failed or is suspect is NULL. */
        return pxr_query(
                store, NULL, diag,
                "WITH ended AS (SELECT job.spec_hash, number, rung, iif(state = 'finished' AND "
                "suspect IS NULL AND abs(nats_per_image) < 9e999, nats_per_image, NULL) AS result "
                "FROM job LEFT JOIN nll ON nll.run = job.run AND nll.name = 'final_nll' AND "
                "split = 'valid' WHERE sweep = ? AND listed AND state IN ('finished', 'failed')), "
                "placed AS (SELECT *, row_number() OVER (PARTITION BY rung ORDER BY result "
                "NULLS LAST, number) AS place, count(*) OVER (PARTITION BY rung) AS ends "
                "FROM ended) SELECT spec_hash FROM placed WHERE result IS NOT NULL "
                "AND place <= ends / ? AND rung < ? ORDER BY rung DESC, place",
                "iii", sweep, factor, (int64_t)rungs - 1);
}
