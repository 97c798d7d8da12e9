/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_PACE_H
#define LAM_INFERENCE_PACE_H

/*
 * pace.h: when a request of the trace is due. At once, as recorded, or so many times faster.
 */

#include <stdint.h>

#include "lamina/base/error.h"

struct pace {
    /* Fields are private. */
    double factor; /* 0: everything is due at once */
    uint64_t start_ns;
    uint64_t first_arrival_ns;
    uint32_t started;
};

/*
 * Parse the parameter `speed`: "max", "recorded" (the same as 1), or a factor from 0.001 to
 * 1000000.
 *
 * Returns 0 or -EINVAL.
 */
int pace_init(struct pace *pace, const char *speed, struct lam_error *error);

/*
 * When the request that arrived at @arrival_ns of the trace is due, on the clock of @now_ns. The
 * first one asked for is due now.
 */
uint64_t pace_due_ns(struct pace *pace, uint64_t arrival_ns, uint64_t now_ns);

#endif
