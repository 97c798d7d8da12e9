/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_LOCKS_H
#define LAM_RING_LOCKS_H

/*
 * Which byte of the control object is whose lock, and who is gone by it.
 */

#include <stdint.h>

#include "lamina/base/ops.h"
#include "lamina/ring/ring.h"

/* Consumer i holds byte LAM_RING_LOCK_CONSUMER + i. */
enum {
    LAM_RING_LOCK_PRODUCER = 0,
    LAM_RING_LOCK_CONSUMER = 1,
    LAM_RING_LOCK_CREATOR = 100,
    LAM_RING_LOCK_REPLACE = 101,
    LAM_RING_LOCK_REPAIR = 102, /* whoever fills a hole that a dead producer left */
    LAM_RING_LOCK_GROUPS = 103, /* whoever joins, leaves or gives up a group */
    LAM_RING_LOCK_MANY = 128,   /* of many producers, i holds LAM_RING_LOCK_MANY + i */
    LAM_RING_LOCK_END = 192,
};

/* Whether somebody holds that lock. What cannot be found out is no proof of death. System calls. */
static inline int lam_ring_lock_is_held(const struct lam_ring *ring, uint64_t byte)
{
    return lam_base->lock_probe(ring->control.fd, byte) != 0;
}

/* Whether the owner of that entry of the consumer table is alive. */
static inline int lam_ring_entry_is_alive(const struct lam_ring *ring, uint32_t index)
{
    return lam_ring_lock_is_held(ring, LAM_RING_LOCK_CONSUMER + index);
}

#endif
