/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What some consumers look at besides, at each peek and release: whether they were evicted, and
 * whether those that go before them have released the event.
 */
#include "after.h"
#include "lamina/base/assert.h"
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

/*
 * The event is there, and a leader has not released it. See now and then whether those live that
 * hold it. Returns 0 or the error.
 */
static int held_by_leader(struct lam_ring_consumer *consumer, uint64_t end)
{
    uint64_t now_ns;

    /* As a wait would say it: in a poisoned ring nobody may ever release it. */
    if (lam_load_relaxed(&consumer->ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if ((++consumer->idle_streak & 63) != 0)
        return 0; /* the clock costs more than the look at the cursors */
    now_ns = lam_clock_now_ns();
    if (now_ns < consumer->probe_at_ns)
        return 0;
    consumer->probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    lam_ring_after_probe(consumer);
    return lam_ring_after_scan(consumer, end);
}

static int peek_after(struct lam_ring_consumer *consumer)
{
    uint64_t end = consumer->next + consumer->stride;
    int rc;

    if (__builtin_expect((int64_t)(consumer->after_bound - end) >= 0, 1))
        return 1;
    rc = lam_ring_after_scan(consumer, end);
    if (rc == 0)
        rc = held_by_leader(consumer, end);
    /* Whoever was evicted looks at bytes and words of which nothing follows. */
    return rc < 0 && lam_ring_consumer_is_evicted(consumer) ? -ESTALE : rc;
}

/* Asked when the next event is there and nothing of it was lent yet. Returns 1, 0 or -errno. */
int lam_ring_consumer_guard_peek(struct lam_ring_consumer *consumer)
{
    LAM_ASSERT((consumer->guards & LAM_RING_GUARD_LOSSY) == 0); /* it reads by lossy.h */
    /* Who may be evicted may look at bytes that are overwritten under it. */
    if (lam_ring_consumer_is_evicted(consumer))
        return -ESTALE;
    return (consumer->guards & LAM_RING_GUARD_AFTER) != 0 ? peek_after(consumer) : 1;
}

int lam_ring_consumer_guard_release(struct lam_ring_consumer *consumer)
{
    uint64_t cursor = lam_load_relaxed(consumer->cursor);

    if ((consumer->release_guards & LAM_RING_GUARD_PADDING) != 0 &&
        (int64_t)(cursor - consumer->padding) >= 0) {
        consumer->release_guards &= (uint16_t)~LAM_RING_GUARD_PADDING;
        /* Nobody was shown it, so nobody will release it. */
        if (cursor == consumer->padding)
            return lam_ring_consumer_release_to(consumer, consumer->padding_end);
    }
    return lam_ring_consumer_is_evicted(consumer) ? -ESTALE : 0;
}
