/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/stat.h"
#include "layout.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

static int lock_is_free(const struct lam_ring *ring, uint64_t byte)
{
    return lam_base->lock_probe(ring->control.fd, byte) == 0;
}

static enum lam_ring_state state_now(const struct lam_ring *ring, uint64_t word)
{
    enum lam_ring_state state = lam_ring_state_of(word);

    if (lam_load_relaxed(&ring->control_head->poisoned) != 0)
        return LAM_RING_POISONED;
    if (state == LAM_RING_OPEN && lock_is_free(ring, LAM_RING_LOCK_PRODUCER))
        return LAM_RING_DEAD;
    return state;
}

static void read_consumers(const struct lam_ring *ring, struct lam_ring_stat *stat)
{
    const struct lam_ring_control *control = ring->control_head;

    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        const struct lam_ring_entry *entry = &control->entries[index];
        struct lam_ring_consumer_stat *consumer = &stat->consumers[stat->consumer_count];

        enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

        if (state != LAM_RING_ENTRY_GATING && state != LAM_RING_ENTRY_LOSSY &&
            state != LAM_RING_ENTRY_EVICTED)
            continue;
        memcpy(consumer->name, entry->name, LAM_RING_CONSUMER_NAME_MAX);
        consumer->index = index;
        consumer->pid = entry->identity.pid;
        consumer->alive = (uint32_t)!lock_is_free(ring, LAM_RING_LOCK_CONSUMER + index);
        consumer->cursor = lam_load_acquire(&entry->cursor);
        /* It may have gone on past the head that we walked to before. */
        consumer->lag_cells =
            (int64_t)(stat->head - consumer->cursor) < 0 ? 0 : stat->head - consumer->cursor;
        consumer->spin_waits = lam_load_relaxed(&entry->spin_waits);
        consumer->yield_waits = lam_load_relaxed(&entry->yield_waits);
        consumer->parks = lam_load_relaxed(&entry->parks);
        consumer->lost = lam_load_relaxed(&entry->lost);
        consumer->lossy = state == LAM_RING_ENTRY_LOSSY;
        consumer->evicted = state == LAM_RING_ENTRY_EVICTED;
        stat->consumer_count++;
    }
}

int lam_ring_stat_read(const struct lam_ring *ring, struct lam_ring_stat *stat)
{
    const struct lam_ring_control *control = ring->control_head;
    struct lam_ring_place place = {0};
    uint64_t word;

    memset(stat, 0, sizeof(*stat));
    if (lam_ring_find_head(ring, &place) != 0)
        return -EPROTO;
    word = lam_load_acquire(&ring->data_head->state);
    stat->state = state_now(ring, word);
    stat->epoch = lam_ring_epoch_of(word);
    stat->head = place.sequence;
    stat->events = place.ordinal;
    stat->oldest = lam_load_relaxed(&ring->data_head->horizon);
    stat->bytes = lam_load_relaxed(&control->bytes);
    stat->full = lam_load_relaxed(&control->full);
    stat->spin_waits = lam_load_relaxed(&control->spin_waits);
    stat->yield_waits = lam_load_relaxed(&control->yield_waits);
    stat->parks = lam_load_relaxed(&control->parks);
    stat->wakes = lam_load_relaxed(&control->wakes);
    stat->reaped = lam_load_relaxed(&control->reaped);
    stat->evicted = lam_load_relaxed(&control->evicted);
    stat->producer_pid = control->producer.pid;
    stat->blocked_on = lam_load_relaxed(&control->blocked_on);
    read_consumers(ring, stat);
    return 0;
}
