/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CONSUMER_OPTIONS_H
#define LAM_RING_CONSUMER_OPTIONS_H

/*
 * lamina/ring/consumer_options.h: how a consumer joins a ring.
 *
 * Ring, layer 0. Part of lamina/ring/consumer.h.
 */

#include <stdint.h>

#include "lamina/base/wait.h"

enum lam_ring_start {
    LAM_RING_HEAD = 0,   /* what is published after joining */
    LAM_RING_OLDEST = 1, /* everything that the ring still holds */
    LAM_RING_RESUME = 2, /* where the one before of our name stopped; without one, as OLDEST */
};

enum lam_ring_policy {
    LAM_RING_GATE = 0,            /* the producer waits for us */
    LAM_RING_GATE_THEN_EVICT = 1, /* it waits so long and no longer */
    LAM_RING_LOSSY = 2,           /* it does not wait; we are told what we missed */
};

struct lam_ring_consumer_options {
    const char *name; /* for people and for uniqueness; NULL: the pid and the entry's number */
    enum lam_ring_start start;
    enum lam_ring_policy policy;
    uint64_t patience_ns; /* GATE_THEN_EVICT: how long we may hold the producer; see every 8 ms */
    enum lam_wait_mode wait; /* while the ring is empty; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;        /* the spin window, ns; 0: HYBRID learns it, YIELD has the default */
    /*
     * Names of gating consumers that go first: this one sees an event once all of them have
     * released it, and with it all that they stored before. NULL for none.
     */
    const char *const *after;
    uint32_t after_count;       /* LAM_RING_AFTER_COUNT_MAX at most */
    uint64_t after_deadline_ns; /* wait until then for those who have not joined; 0 does not wait */
};

#endif
