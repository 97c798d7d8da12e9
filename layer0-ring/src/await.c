/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer that buffers until consumers come, and one that waits until an event is consumed.
 */
#include "lamina/ring/progress.h"
#include "lamina/ring/required.h"
#include "layout.h"
#include "producer_internal.h"

#include <errno.h>
#include <stdio.h>

void lam_ring_producer_hold(struct lam_ring_producer *producer)
{
    producer->hold_at = producer->horizon;
    producer->released = producer->horizon; /* what an earlier scan allowed is not to be used */
}

static uint32_t count_gating(const struct lam_ring_producer *producer)
{
    const struct lam_ring_control *control = producer->ring->control_head;
    uint64_t used = lam_load_acquire(&control->used); /* A26 */
    uint32_t count = 0;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        uint64_t state = lam_load_acquire(&control->entries[index].state); /* A4 */

        count += lam_ring_entry_state_of(state) == LAM_RING_ENTRY_GATING &&
                 lam_ring_producer_sees_alive(producer, index);
    }
    return count;
}

/* The first name that is awaited and does not gate, or NULL. */
static const char *missing_name(const struct lam_ring_producer *producer)
{
    const struct lam_ring_required *required = producer->required;

    for (uint32_t i = 0; i < producer->await_name_count; i++)
        if (!lam_ring_producer_is_gated_by(producer, producer->await_names[i]))
            return producer->await_names[i];
    for (uint32_t i = 0; required != NULL && i < required->options.count; i++)
        if (!required->ones[i].came && !required->ones[i].given_up)
            return required->options.names[i];
    return NULL;
}

void lam_ring_producer_missing_name(const struct lam_ring_producer *producer, char *text)
{
    const char *name = missing_name(producer);

    (void)snprintf(text, LAM_RING_CONSUMER_NAME_MAX + 1, "%s", name == NULL ? "" : name);
}

int lam_ring_producer_holds(struct lam_ring_producer *producer)
{
    if (producer->await_count != 0 && count_gating(producer) >= producer->await_count)
        producer->await_count = 0;
    if (producer->await_name_count != 0 && producer->await_count == 0) {
        uint32_t i = 0;

        while (i < producer->await_name_count &&
               lam_ring_producer_is_gated_by(producer, producer->await_names[i]))
            i++;
        if (i == producer->await_name_count)
            producer->await_name_count = 0;
    }
    return producer->await_count != 0 || producer->await_name_count != 0 ||
           (producer->required != NULL && !lam_ring_required_came(producer));
}

/* Returns 1, 0, or why it will not be. */
static int look(struct lam_ring_producer *producer, uint64_t sequence, int thorough)
{
    struct lam_ring_blocker behind;
    int rc;

    if (lam_ring_producer_is_consumed(producer, sequence))
        return 1;
    if (lam_load_relaxed(&producer->ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if (!thorough)
        return 0;
    if (producer->required != NULL && !producer->closed) {
        rc = lam_ring_required_look(producer, lam_clock_now_ns());
        if (rc < 0)
            return rc;
    }
    if (lam_ring_producer_blocker(producer, &behind) && behind.index != UINT32_MAX)
        (void)lam_ring_producer_reap(producer, behind.index);
    return 0;
}

/* Sleep until the one that is furthest behind releases. Returns as look(). */
static int park(struct lam_ring_producer *producer, uint64_t sequence, const struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->producer_bell); /* A27 */
    struct lam_ring_blocker behind;
    int rc;

    if (!lam_ring_producer_blocker(producer, &behind) || behind.index == UINT32_MAX)
        return look(producer, sequence, 1);
    (void)lam_exchange_acq_rel(&control->blocked_on, behind.index + 1);
    lam_fence_seq_cst(); /* F4, pairs with F3: it sees that we sleep, or we see its cursor */
    rc = look(producer, sequence, 1);
    if (rc == 0) {
        lam_ring_count(&control->parks);
        lam_base->futex_wait(&control->producer_bell, bell, lam_wait_park_until(wait));
    }
    lam_store_relaxed(&control->blocked_on, 0);
    return rc;
}

int lam_ring_producer_await_consumed_until(
    struct lam_ring_producer *producer, uint64_t sequence, uint64_t deadline_ns)
{
    struct lam_wait wait;
    int rc;

    LAM_ASSERT(lam_lock_is_held(&producer->lock));
    if ((int64_t)(producer->next - sequence) <= 0)
        return -EINVAL;
    lam_wait_init(&wait, producer->wait, LAM_WAIT_SPIN_NS_DEFAULT, deadline_ns);
    rc = look(producer, sequence, 0);
    while (rc == 0) {
        int verdict = lam_wait_step(&wait);

        if (verdict < 0)
            return verdict;
        rc = verdict == LAM_WAIT_PARK ? park(producer, sequence, &wait)
                                      : look(producer, sequence, verdict == LAM_WAIT_CHECK);
    }
    return rc < 0 ? rc : 0;
}
