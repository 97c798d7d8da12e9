/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of many producers that waits: for room, or for consumers to come.
 */
#include "count.h"
#include "lamina/base/crash_point.h"
#include "many_internal.h"

#include <errno.h>
#include <string.h>

/* Sleep until the consumer that is in the way releases, or to the ladder's next look. */
static int park_on_consumer(
    struct lam_ring_many_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->producer_bell); /* A27 */
    uint32_t blocker = producer->blocker;
    uint64_t at;
    int rc;

    /* Left there when we wake: others may sleep on it. The consumer takes it, and rings for all. */
    (void)lam_exchange_acq_rel(&control->entries[blocker].blocked_on, blocker + 1);
    lam_fence_seq_cst(); /* F4, pairs with F3: it sees that we sleep, or we see its cursor */
    LAM_CRASH_POINT("park.many_announced");
    rc = lam_ring_many_make_room(producer, cell_count, &at);
    if (rc == 0 && producer->blocker == blocker) {
        (void)lam_add_acq_rel(&control->parks, 1);
        lam_base->futex_wait(&control->producer_bell, bell, lam_wait_park_until(wait));
        lam_wait_woken(wait, lam_load_relaxed(&control->producer_rung_ns));
    }
    return rc;
}

/* The same, until whoever has claimed the next event publishes it: as a consumer waits for it. */
static int park_on_producer(
    struct lam_ring_many_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->consumer_bell); /* A27 */
    uint32_t blocker = producer->blocker;
    uint64_t at;
    int rc;

    (void)lam_or_seq_cst(&control->sleeping, UINT64_C(1) << producer->index);
    lam_fence_seq_cst(); /* F2, pairs with F1 */
    rc = lam_ring_many_make_room(producer, cell_count, &at);
    if (rc == 0 && producer->blocker == blocker) {
        (void)lam_add_acq_rel(&control->parks, 1);
        lam_base->futex_wait(&control->consumer_bell, bell, lam_wait_park_until(wait));
        lam_wait_woken(wait, lam_load_relaxed(&control->consumer_rung_ns));
    }
    return rc;
}

static int turn(struct lam_ring_many_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    int verdict = lam_wait_step(wait);
    uint64_t at;

    if (verdict < 0)
        return verdict;
    /* Seldom enough that the clock costs nothing: whoever holds us may be dead or due. */
    producer->look_now = verdict == LAM_WAIT_CHECK || verdict == LAM_WAIT_PARK;
    if (verdict != LAM_WAIT_PARK || producer->blocker == UINT32_MAX)
        return lam_ring_many_make_room(producer, cell_count, &at);
    return producer->blocker < LAM_RING_CONSUMER_COUNT_MAX
               ? park_on_consumer(producer, cell_count, wait)
               : park_on_producer(producer, cell_count, wait);
}

static int wait_room(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t deadline_ns)
{
    struct lam_ring_control *control = producer->ring->control_head;
    enum lam_wait_rung rung;
    struct lam_wait wait;
    int rc;

    lam_wait_begin(&wait, producer->wait, &producer->cadence, deadline_ns);
    do {
        rc = turn(producer, cell_count, &wait);
    } while (rc == 0);
    rung = lam_wait_end(&wait);
    if (rc == 1)
        lam_ring_count_wait(rung, &control->spin_waits, &control->yield_waits);
    return rc;
}

int lam_ring_many_claim_until(struct lam_ring_many_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload)
{
    uint64_t cell_count = lam_ring_many_cell_count(producer, payload_bytes);
    int rc = lam_ring_many_try_claim(producer, payload_bytes, payload);

    while (rc == 0) {
        rc = wait_room(producer, cell_count, deadline_ns);
        if (rc == 1)
            rc = lam_ring_many_try_claim(producer, payload_bytes, payload);
    }
    return rc < 0 ? rc : 0;
}

/* The gating consumer that is farthest behind @frontier, if there is one. */
static int find_consumer(
    const struct lam_ring *ring, uint64_t frontier, struct lam_ring_many_blocker *blocker)
{
    const struct lam_ring_control *control = ring->control_head;
    uint64_t used = lam_load_acquire(&control->used); /* A26 */
    uint64_t lag_cells = 0;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        const struct lam_ring_entry *entry = &control->entries[index];
        uint64_t behind = frontier - lam_load_acquire(&entry->cursor); /* A2 */

        /* A4 */
        if (lam_ring_entry_state_of(lam_load_acquire(&entry->state)) != LAM_RING_ENTRY_GATING ||
            (int64_t)behind <= (int64_t)lag_cells)
            continue;
        lag_cells = behind;
        blocker->index = index;
        blocker->pid = entry->identity.pid;
        memcpy(blocker->name, entry->name, LAM_RING_CONSUMER_NAME_MAX);
    }
    return lag_cells != 0;
}

static int find_producer(
    const struct lam_ring *ring, uint64_t frontier, struct lam_ring_many_blocker *blocker)
{
    const struct lam_ring_many_entry *entry;
    uint32_t index = lam_ring_many_claimer(ring, frontier);

    if (index == LAM_RING_PRODUCER_COUNT_MAX || !lam_ring_many_has_hole(ring, frontier))
        return 0;
    entry = &lam_ring_many_of(ring)->entries[index];
    blocker->is_producer = 1;
    blocker->index = index;
    blocker->pid = entry->identity.pid;
    memcpy(blocker->name, entry->name, LAM_RING_PRODUCER_NAME_MAX);
    return 1;
}

int lam_ring_many_blocker(
    struct lam_ring_many_producer *producer, struct lam_ring_many_blocker *blocker)
{
    struct lam_ring_view view;
    uint32_t code;

    memset(blocker, 0, sizeof(*blocker));
    if (lam_ring_many_survey(producer->ring, &view) != 0)
        return 0;
    if (find_consumer(producer->ring, view.frontier, blocker))
        view.frontier =
            /* A2 */
            lam_load_acquire(&producer->ring->control_head->entries[blocker->index].cursor);
    else if (!find_producer(producer->ring, view.frontier, blocker))
        return 0;
    blocker->lag_cells = lam_load_acquire(producer->tail) - view.frontier; /* A22 */
    code = blocker->index + blocker->is_producer * LAM_RING_CONSUMER_COUNT_MAX;
    if (producer->blocked_since_ns != 0 && producer->blocker == code)
        blocker->since_ns = lam_clock_now_ns() - producer->blocked_since_ns;
    return 1;
}

static uint32_t count_joined(const struct lam_ring *ring)
{
    struct lam_ring_control *control = ring->control_head;
    uint64_t used = lam_load_acquire(&control->used); /* A26 */
    uint32_t joined = 0;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        const struct lam_ring_entry *entry = &control->entries[index];
        /* A4 */
        enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

        joined += (state == LAM_RING_ENTRY_GATING || state == LAM_RING_ENTRY_LOSSY) &&
                  lam_ring_entry_is_settled(entry) && lam_ring_entry_is_alive(ring, index);
    }
    return joined;
}

int lam_ring_many_wait_consumers_until(
    struct lam_ring_many_producer *producer, uint32_t count, uint64_t deadline_ns)
{
    struct lam_wait wait;

    if (count > LAM_RING_CONSUMER_COUNT_MAX)
        return -EINVAL;
    /* By yielding: nobody rings a bell for who comes, and it happens once. */
    lam_wait_init(&wait, LAM_WAIT_YIELD, LAM_WAIT_SPIN_NS_DEFAULT, deadline_ns);
    while (count_joined(producer->ring) < count) {
        int verdict = lam_wait_step(&wait);

        if (verdict < 0)
            return verdict;
    }
    return 0;
}
