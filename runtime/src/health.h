/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SRC_HEALTH_H
#define LAM_RUNTIME_SRC_HEALTH_H

/*
 * health.h: what answers in a row make of a state.
 */

#include "lamina/runtime/health.h"

struct health_row {
    uint32_t state; /* enum lam_health_state */
    uint32_t failures, refusals, successes;
};

/*
 * One more answer: 0 well, > 0 not ready, < 0 failed. Returns 1 where there are too many failures:
 * the state is LAM_HEALTH_DOWN then.
 */
static inline int health_judge(
    struct health_row *row, const struct lam_health_options *options, int status)
{
    row->successes = status == 0 ? row->successes + 1 : 0;
    row->refusals = status > 0 ? row->refusals + 1 : 0;
    row->failures = status < 0 ? row->failures + 1 : 0;
    if (row->successes >= options->successes)
        row->state = LAM_HEALTH_READY;
    else if (row->refusals >= options->failures)
        row->state = LAM_HEALTH_UNREADY;
    else if (row->failures >= options->failures)
        row->state = LAM_HEALTH_DOWN;
    return row->state == LAM_HEALTH_DOWN;
}

/* Counts of what was asked. */
struct health_count {
    uint64_t probes, failures, replaced;
};

struct lam_crew;

/* ---- worker/probe.c: by the keeper, inside the generation ---- */

/*
 * Take the answers of probes that are there, and, with @is_round, probe each worker that is idle.
 * Sets *@is_pending where one has not answered. Returns the best state of all, enum
 * lam_health_state.
 */
uint32_t lam_crew_probe(struct lam_crew *crew, const struct lam_health_options *options,
    int is_round, struct health_count *count, int *is_pending);

#endif
