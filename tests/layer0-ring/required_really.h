/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_REQUIRED_REALLY_H
#define LAM_TEST_REQUIRED_REALLY_H

/*
 * required_really.h: one required consumer "a" on the real clock, looked at each millisecond.
 */
#include "required.h"

static inline void require_really(enum lam_ring_failure_action action, uint64_t grace_ns)
{
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .action = action,
        .startup_ns = SOON,
        .progress_ns = 20 * LAM_NS_PER_MS,
        .check_ns = LAM_NS_PER_MS,
        .grace_ns = grace_ns,
        .alert = note_alert,
        .context = &alerts};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0));
}

static const struct lam_ring_consumer_options resume_a = {.name = "a", .start = LAM_RING_RESUME};

#endif
