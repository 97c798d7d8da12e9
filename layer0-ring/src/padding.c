/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a consumer peeks at that is no event: padding, on a ring with many producers; else a lie.
 */
#include "consumer_wait.h"
#include "lamina/base/assert.h"
#include "settle.h"

#include <errno.h>

/* Pass over the padding from @from to where the consumer now stands. */
static void passed(struct lam_ring_consumer *consumer, uint64_t from)
{
    if (from == consumer->next)
        return;
    if (lam_load_relaxed(consumer->cursor) == from) {
        (void)lam_ring_consumer_release(consumer); /* nothing is borrowed */
        return;
    }
    /* Released with what lies before it: see lam_ring_consumer_guard_release(). */
    if ((consumer->release_guards & LAM_RING_GUARD_PADDING) == 0 || consumer->padding_end != from)
        consumer->padding = from;
    consumer->padding_end = consumer->next;
    consumer->release_guards |= LAM_RING_GUARD_PADDING;
}

/* Returns 1 to look again, or as lam_ring_consumer_try_peek(). */
int lam_ring_consumer_odd(struct lam_ring_consumer *consumer)
{
    uint64_t from = consumer->next;
    uint64_t cell_count, is_event;
    uint64_t shape = lam_load_relaxed(&lam_ring_consumer_cell(consumer, from)->shape);

    /* It would find words of two events, and poison the ring for all. */
    LAM_ASSERT((consumer->guards & LAM_RING_GUARD_LOSSY) == 0);
    if (lam_ring_consumer_is_evicted(consumer))
        return -ESTALE;
    cell_count = lam_ring_shape_cells(consumer->ring, shape, &is_event);
    if (cell_count == 0 || is_event)
        return lam_ring_consumer_poison(consumer);
    consumer->next = from + cell_count;
    passed(consumer, from);
    /* A lap of it is enough for one look: whoever stores that does not hold us here. */
    if (consumer->odd_ordinal != consumer->ordinal ||
        consumer->odd_cells >= consumer->ring->depth) {
        consumer->odd_ordinal = consumer->ordinal;
        consumer->odd_cells = 0;
    }
    consumer->odd_cells += cell_count;
    return consumer->odd_cells < consumer->ring->depth;
}
