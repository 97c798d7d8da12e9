/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer that waits for room, or for consumers to come.
 */
#include "layout.h"
#include "producer_internal.h"

#include <errno.h>
#include <string.h>

/*
 * Sleep until the consumer that holds us back releases, or to the ladder's next look. Returns as
 * lam_ring_producer_make_room(): what the look after the announcement saw.
 */
static int park(struct lam_ring_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->producer_bell);
    uint32_t blocker = producer->blocker_index;
    int rc;

    (void)lam_exchange_acq_rel(&control->blocked_on, blocker + 1);
    lam_fence_seq_cst(); /* F4, pairs with F3: it sees that we sleep, or we see its cursor */
    rc = lam_ring_producer_make_room(producer, cell_count);
    if (rc == 0 && producer->blocker_index == blocker && blocker != UINT32_MAX) {
        lam_ring_count(&control->parks);
        lam_base->futex_wait(&control->producer_bell, bell, lam_wait_park_until(wait));
        lam_wait_woken(wait, lam_load_relaxed(&control->producer_rung_ns));
    }
    lam_store_relaxed(&control->blocked_on, 0);
    return rc;
}

/* One turn of a wait for room. Returns as lam_ring_producer_make_room(), or -ETIMEDOUT. */
static int turn(struct lam_ring_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    int verdict = lam_wait_step(wait);

    if (verdict < 0)
        return verdict;
    /* Seldom enough that the clock costs nothing: whoever holds us may be dead or due. */
    producer->look_now = verdict == LAM_WAIT_CHECK || verdict == LAM_WAIT_PARK;
    return verdict == LAM_WAIT_PARK ? park(producer, cell_count, wait)
                                    : lam_ring_producer_make_room(producer, cell_count);
}

static int wait_room(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns)
{
    struct lam_ring_control *control = producer->ring->control_head;
    struct lam_wait wait;
    enum lam_wait_rung rung;
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

int lam_ring_producer_claim_until(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload)
{
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);
    int rc = lam_ring_producer_try_claim(producer, payload_bytes, payload);

    while (rc == 0) {
        rc = wait_room(producer, cell_count, deadline_ns);
        if (rc == 1)
            rc = lam_ring_producer_try_claim(producer, payload_bytes, payload);
    }
    return rc < 0 ? rc : 0;
}

int lam_ring_producer_claim_batch_until(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns)
{
    int rc = lam_ring_producer_try_claim_batch(producer, cell_count);

    while (rc == 0) {
        rc = wait_room(producer, cell_count, deadline_ns);
        if (rc == 1)
            rc = lam_ring_producer_try_claim_batch(producer, cell_count);
    }
    return rc < 0 ? rc : 0;
}

int lam_ring_producer_blocker(struct lam_ring_producer *producer, struct lam_ring_blocker *blocker)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint64_t used = lam_load_acquire(&control->used);

    memset(blocker, 0, sizeof(*blocker));
    blocker->index = UINT32_MAX;
    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        struct lam_ring_entry *entry = &control->entries[index];
        uint64_t lag_cells = producer->next - lam_load_acquire(&entry->cursor);

        if (lam_ring_entry_state_of(lam_load_acquire(&entry->state)) != LAM_RING_ENTRY_GATING ||
            (blocker->index != UINT32_MAX && lag_cells <= blocker->lag_cells))
            continue;
        blocker->index = index;
        blocker->lag_cells = lag_cells;
    }
    if (blocker->index == UINT32_MAX)
        return 0;
    memcpy(blocker->name, control->entries[blocker->index].name, LAM_RING_CONSUMER_NAME_MAX);
    blocker->pid = control->entries[blocker->index].identity.pid;
    if (producer->blocked_since_ns != 0 && producer->blocker_index == blocker->index)
        blocker->since_ns = lam_clock_now_ns() - producer->blocked_since_ns;
    return 1;
}

static uint32_t count_joined(struct lam_ring_producer *producer)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint64_t used = lam_load_acquire(&control->used);
    uint32_t joined = 0;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        uint64_t state = lam_load_acquire(&control->entries[index].state);

        if ((lam_ring_entry_state_of(state) == LAM_RING_ENTRY_GATING ||
                lam_ring_entry_state_of(state) == LAM_RING_ENTRY_LOSSY) &&
            !lam_ring_producer_reap(producer, index))
            joined++;
    }
    return joined;
}

int lam_ring_producer_wait_consumers_until(
    struct lam_ring_producer *producer, uint32_t count, uint64_t deadline_ns)
{
    struct lam_wait wait;

    if (count > LAM_RING_CONSUMER_COUNT_MAX)
        return -EINVAL;
    /* By yielding: nobody rings a bell for who comes, and it happens once. */
    lam_wait_init(&wait, LAM_WAIT_YIELD, LAM_WAIT_SPIN_NS_DEFAULT, deadline_ns);
    while (count_joined(producer) < count) {
        int verdict = lam_wait_step(&wait);

        if (verdict < 0)
            return verdict;
    }
    return 0;
}
