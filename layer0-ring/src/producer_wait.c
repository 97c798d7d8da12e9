/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer that waits for room.
 */
#include "lamina/base/crash_point.h"
#include "lamina/ring/batch.h"
#include "layout.h"
#include "producer_internal.h"

#include <errno.h>

/*
 * Sleep until the consumer that holds us back releases, or to the ladder's next look. Returns as
 * lam_ring_producer_make_room(): what the look after the announcement saw.
 */
static int park(struct lam_ring_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->producer_bell); /* A27 */
    uint32_t blocker = producer->blocker_index;
    int rc;

    (void)lam_exchange_acq_rel(&control->blocked_on, blocker + 1);
    lam_fence_seq_cst(); /* F4, pairs with F3: it sees that we sleep, or we see its cursor */
    LAM_CRASH_POINT("park.producer_announced");
    rc = lam_ring_producer_make_room(producer, cell_count);
    if (rc == 0 && producer->blocker_index == blocker && blocker != UINT32_MAX) {
        lam_ring_count(&control->parks);
        lam_base->futex_wait(&control->producer_bell, bell, lam_wait_park_until(wait));
        lam_wait_woken(wait, lam_load_relaxed(&control->producer_rung_ns));
    }
    LAM_CRASH_POINT("park.producer_woken");
    lam_store_relaxed(&control->blocked_on, 0);
    return rc;
}

/* One turn of a wait for room. Returns as lam_ring_producer_make_room(), or -ETIMEDOUT. */
static int turn(struct lam_ring_producer *producer, uint64_t cell_count, struct lam_wait *wait)
{
    int verdict = lam_wait_step(wait);

    if (verdict < 0) {
        int rc;

        /* We may have been kept off our CPU since the last look, and so from the required ones. */
        producer->look_now = producer->required != NULL;
        rc = lam_ring_producer_make_room(producer, cell_count);
        return rc != 0 ? rc : verdict;
    }
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

int lam_ring_producer_await_batch(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns)
{
    int rc = lam_ring_producer_make_room(producer, cell_count);

    if (rc == 0)
        rc = wait_room(producer, cell_count, deadline_ns);
    return rc < 0 ? rc : 0;
}
