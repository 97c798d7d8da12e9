/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_WAKE_H
#define LAM_RING_WAKE_H

/*
 * Bells: who sleeps on a ring, and is woken.
 */

#include "lamina/base/wait.h"
#include "layout.h"

/* Ring the consumers' bell: all that sleep wake and look. Returns how many did. */
int lam_ring_wake_consumers(struct lam_ring_control *control);

/* The same, for those alone that go after another consumer. */
void lam_ring_wake_chained(struct lam_ring_control *control);

/* Ring the producers' bell. */
void lam_ring_wake_producers(struct lam_ring_control *control);

static inline int lam_ring_is_wait_mode(enum lam_wait_mode mode)
{
    return mode <= LAM_WAIT_FUTEX;
}

/* An end must not sleep on a ring whose peers do not look for sleepers. */
static inline enum lam_wait_mode lam_ring_wait_mode(
    const struct lam_ring *ring, enum lam_wait_mode wanted)
{
    if (ring->waiting == LAM_RING_SPIN_ONLY && wanted != LAM_WAIT_SPIN)
        return LAM_WAIT_YIELD;
    return wanted;
}

#endif
