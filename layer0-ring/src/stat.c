/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/stat.h"
#include "group_table.h"
#include "layout.h"
#include "many_internal.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

static enum lam_ring_state state_now(const struct lam_ring *ring, uint64_t word)
{
    enum lam_ring_state state = lam_ring_state_of(word);

    if ((state > LAM_RING_CLOSED && state != LAM_RING_FAILED) ||
        lam_load_relaxed(&ring->control_head->poisoned) != 0)
        return LAM_RING_POISONED;
    if (state == LAM_RING_OPEN && (ring->producers == LAM_RING_ONE_PRODUCER
                                          ? !lam_ring_lock_is_held(ring, LAM_RING_LOCK_PRODUCER)
                                          : !lam_ring_many_is_alive(ring, UINT32_MAX)))
        return LAM_RING_DEAD;
    return state;
}

enum lam_ring_state lam_ring_state_read(const struct lam_ring *ring)
{
    return state_now(ring, lam_load_acquire(&ring->data_head->state)); /* A5 */
}

uint64_t lam_ring_epoch(const struct lam_ring *ring)
{
    /* A5: a successor found the last event of the one before, then opened its own epoch. */
    return lam_ring_epoch_of(lam_load_acquire(&ring->data_head->state));
}

/* The waypoint nearest above @sequence, or the head where there is none. */
static struct lam_ring_place place_above(
    const struct lam_ring *ring, uint64_t sequence, const struct lam_ring_place *head)
{
    const struct lam_ring_data *data = ring->data_head;
    struct lam_ring_place best = *head;
    /* A3, pairs with R3: the entries up to this one are complete. */
    uint64_t count = lam_load_acquire(&data->waypoint_count);

    for (uint64_t back = 1; back < LAM_RING_WAYPOINT_COUNT && back <= count; back++) {
        const struct lam_ring_waypoint *waypoint =
            &data->waypoints[(count - back) % LAM_RING_WAYPOINT_COUNT];
        struct lam_ring_place place = {.sequence = lam_load_relaxed(&waypoint->sequence),
            .ordinal = lam_load_relaxed(&waypoint->ordinal)};

        lam_fence_acquire(); /* A8, pairs with R7 in lam_ring_producer_waypoint() */
        if (lam_load_relaxed(&data->waypoint_count) - count >= LAM_RING_WAYPOINT_COUNT - back ||
            (int64_t)(place.sequence - sequence) < 0)
            break;
        if ((int64_t)(best.sequence - place.sequence) > 0)
            best = place;
    }
    return best;
}

/*
 * Events of the ring before the cursor of a gating consumer: those before the next waypoint, less
 * those on the way there, which it holds. Where it goes on meanwhile, or what lies there makes no
 * sense, the answer is that of the waypoint.
 */
static uint64_t ordinal_of(
    const struct lam_ring *ring, uint64_t cursor, const struct lam_ring_place *head)
{
    struct lam_ring_place above = place_above(ring, cursor, head);
    struct lam_ring_place walked = {.sequence = cursor};

    while ((int64_t)(walked.sequence - above.sequence) < 0 &&
           walked.sequence - cursor < ring->depth && lam_ring_walk_one(ring, &walked) == 1)
        ;
    lam_fence_acquire(); /* A7, pairs with F5: nothing under the walk was overwritten */
    if (walked.sequence != above.sequence ||
        (int64_t)(cursor - lam_load_relaxed(&ring->data_head->horizon)) < 0)
        return above.ordinal;
    return above.ordinal - walked.ordinal;
}

/* What follows from the cursor; each figure is 0 rather than absurd. */
static void place_consumer(const struct lam_ring *ring, const struct lam_ring_entry *entry,
    const struct lam_ring_place *head, struct lam_ring_consumer_stat *consumer)
{
    uint64_t joined = lam_load_relaxed(&entry->joined);
    uint64_t ordinal;

    consumer->cursor = lam_load_acquire(&entry->cursor); /* A2 */
    ordinal = consumer->lossy ? lam_load_relaxed(&entry->cursor_ordinal)
                              : ordinal_of(ring, consumer->cursor, head);
    /* It may have gone on past the head that we walked to before. */
    if ((int64_t)(head->sequence - consumer->cursor) > 0)
        consumer->lag_cells = head->sequence - consumer->cursor;
    if ((int64_t)(head->ordinal - ordinal) > 0)
        consumer->lag_events = head->ordinal - ordinal;
    consumer->lost = lam_load_relaxed(&entry->lost);
    if (joined != UINT64_MAX && (int64_t)(ordinal - joined - consumer->lost) > 0)
        consumer->events = ordinal - joined - consumer->lost;
}

/* A group's member is as far as what it holds, or as its group. Its events are the group's. */
static void place_member(const struct lam_ring *ring, const struct lam_ring_entry *entry,
    const struct lam_ring_place *head, struct lam_ring_consumer_stat *consumer)
{
    const struct lam_ring_group *group = &ring->control_head->groups[lam_ring_group_of(entry)];
    uint64_t ordinal;

    consumer->cursor = lam_load_acquire(&entry->holds) != 0   /* A30 */
                           ? lam_load_acquire(&entry->cursor) /* A2 */
                           : lam_ring_claim_sequence(
                                 /* A13 */
                                 ring->data_head->first_sequence, lam_load_acquire(&group->claim));
    ordinal = ordinal_of(ring, consumer->cursor, head);
    if ((int64_t)(head->sequence - consumer->cursor) > 0)
        consumer->lag_cells = head->sequence - consumer->cursor;
    if ((int64_t)(head->ordinal - ordinal) > 0)
        consumer->lag_events = head->ordinal - ordinal;
    memcpy(consumer->group, group->name, LAM_RING_CONSUMER_NAME_MAX);
}

static void read_consumer(const struct lam_ring *ring, uint32_t index,
    enum lam_ring_entry_state state, const struct lam_ring_place *head,
    struct lam_ring_consumer_stat *consumer)
{
    const struct lam_ring_entry *entry = &ring->control_head->entries[index];

    memcpy(consumer->name, entry->name, LAM_RING_CONSUMER_NAME_MAX);
    consumer->index = index;
    consumer->pid = entry->identity.pid;
    consumer->alive = (uint32_t)lam_ring_entry_is_alive(ring, index);
    consumer->asleep = (lam_load_relaxed(&ring->control_head->sleeping) >> index) & 1;
    consumer->required = lam_load_relaxed(&entry->required) != 0;
    consumer->lossy = state == LAM_RING_ENTRY_LOSSY;
    consumer->evicted = state == LAM_RING_ENTRY_EVICTED;
    consumer->expelled = state == LAM_RING_ENTRY_EXPELLED;
    if (state == LAM_RING_ENTRY_MEMBER)
        place_member(ring, entry, head, consumer);
    else
        place_consumer(ring, entry, head, consumer);
    consumer->lag_max = lam_load_relaxed(&entry->lag_max);
    if (consumer->lag_max < consumer->lag_cells)
        consumer->lag_max = consumer->lag_cells;
    consumer->empty = lam_load_relaxed(&entry->empty);
    consumer->spin_waits = lam_load_relaxed(&entry->spin_waits);
    consumer->yield_waits = lam_load_relaxed(&entry->yield_waits);
    consumer->parks = lam_load_relaxed(&entry->parks);
    consumer->wakes = lam_load_relaxed(&entry->wakes);
    consumer->overruns = lam_load_relaxed(&entry->overruns);
}

static void read_consumers(
    const struct lam_ring *ring, const struct lam_ring_place *head, struct lam_ring_stat *stat)
{
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        const struct lam_ring_entry *entry = &ring->control_head->entries[index];
        /* A4 */
        enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

        if (state == LAM_RING_ENTRY_GATING || state == LAM_RING_ENTRY_LOSSY ||
            state == LAM_RING_ENTRY_EVICTED || state == LAM_RING_ENTRY_EXPELLED ||
            state == LAM_RING_ENTRY_MEMBER ||
            (state != LAM_RING_ENTRY_FREE && lam_load_relaxed(&entry->required) != 0))
            read_consumer(ring, index, state, head, &stat->consumers[stat->consumer_count++]);
    }
}

static void read_producer(const struct lam_ring *ring, struct lam_ring_stat *stat)
{
    const struct lam_ring_control *control = ring->control_head;

    stat->bytes = lam_load_relaxed(&control->bytes);
    stat->full = lam_load_relaxed(&control->full);
    stat->blocked_ns = lam_load_relaxed(&control->blocked_ns);
    stat->spin_waits = lam_load_relaxed(&control->spin_waits);
    stat->yield_waits = lam_load_relaxed(&control->yield_waits);
    stat->parks = lam_load_relaxed(&control->parks);
    stat->wakes = lam_load_relaxed(&control->wakes);
    stat->reaped = lam_load_relaxed(&control->reaped);
    stat->evicted = lam_load_relaxed(&control->evicted);
    stat->expelled = lam_load_relaxed(&control->expelled);
    stat->repairs = lam_load_relaxed(&control->repairs);
    stat->alarms = lam_load_relaxed(&control->alarms);
    stat->recoveries = lam_load_relaxed(&control->recoveries);
    stat->producer_pid = control->producer.pid;
    if (ring->producers == LAM_RING_MANY_PRODUCERS)
        stat->producer_count = lam_ring_many_count(ring, &stat->producer_pid);
    else
        stat->producer_count = (uint32_t)lam_ring_lock_is_held(ring, LAM_RING_LOCK_PRODUCER);
    stat->blocked_on = lam_load_relaxed(&control->blocked_on);
}

int lam_ring_stat_read(const struct lam_ring *ring, struct lam_ring_stat *stat)
{
    struct lam_ring_place head = {0};
    uint64_t word;

    memset(stat, 0, sizeof(*stat));
    if (lam_ring_find_head(ring, &head) != 0)
        return -EPROTO;
    word = lam_load_acquire(&ring->data_head->state); /* A5 */
    stat->state = state_now(ring, word);
    stat->epoch = lam_ring_epoch_of(word);
    stat->head = head.sequence;
    stat->events = head.ordinal;
    stat->oldest = lam_load_relaxed(&ring->data_head->horizon);
    stat->depth = ring->depth;
    stat->page_bytes = ring->page_bytes;
    stat->numa_node = ring->data.numa_node;
    stat->file = (ring->data_head->mark.traits & LAM_RING_TRAIT_FILE) != 0;
    stat->hardened = (ring->data_head->mark.traits & LAM_RING_TRAIT_HARDENED) != 0;
    if (stat->state == LAM_RING_FAILED)
        memcpy(stat->failure, ring->data_head->failure, LAM_RING_FAILURE_MAX);
    read_producer(ring, stat);
    read_consumers(ring, &head, stat);
    return 0;
}

const struct lam_histogram *lam_ring_latency(const struct lam_ring *ring, uint32_t index)
{
    return index < ring->histogram_count ? &ring->histograms[index] : NULL;
}
