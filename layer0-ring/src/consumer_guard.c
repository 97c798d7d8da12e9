/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What some consumers look at besides, at each peek and release: whether they were evicted.
 */
#include "layout.h"
#include "settle.h"

#include <errno.h>

int lam_ring_consumer_holds(const struct lam_ring_consumer *consumer)
{
    /*
     * A6, pairs with R6 in evict(): if anything that we loaded before was overwritten after the
     * eviction, we see the eviction now.
     */
    lam_fence_acquire();
    return lam_load_relaxed(&consumer->ring->control_head->entries[consumer->index].state) ==
           consumer->entry_state;
}

/* Asked when the next event is there and nothing of it was lent yet. Returns 1, 0 or -errno. */
int lam_ring_consumer_guard_peek(struct lam_ring_consumer *consumer)
{
    /* Who may be evicted may look at bytes that are overwritten under it. */
    return lam_ring_consumer_is_evicted(consumer) ? -ESTALE : 1;
}

int lam_ring_consumer_guard_release(struct lam_ring_consumer *consumer)
{
    return lam_ring_consumer_is_evicted(consumer) ? -ESTALE : 0;
}
