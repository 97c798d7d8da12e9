/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/wait_any.h"
#include "consumer_wait.h"
#include "settle.h"

#include <errno.h>

struct crowd {
    struct lam_ring_consumer *const *consumers;
    uint32_t count;
    uint64_t ended; /* whose ends are known */
    uint32_t first; /* where each search starts */
    uint32_t found;
};

/* Whether one of them will find something: crowd->found. */
static int any_is_ready(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        uint32_t at = (crowd->first + i) % crowd->count;

        if (lam_ring_consumer_is_ready(crowd->consumers[at])) {
            crowd->found = at;
            return 1;
        }
    }
    return 0;
}

/* Ask each, until one says that its stream has ended: crowd->found. Returns 0 or that. */
static int any_has_ended(struct crowd *crowd, int (*ask)(struct lam_ring_consumer *consumer))
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        uint32_t at = (crowd->first + i) % crowd->count;
        int rc = ask(crowd->consumers[at]);

        if (rc != 0 && (crowd->ended >> at & 1) == 0) {
            crowd->found = at;
            return rc;
        }
    }
    return 0;
}

static void sleep_on_all(struct crowd *crowd, struct lam_wait *wait,
    lam_atomic_u32 *const bells[LAM_RING_WAIT_ANY_MAX], const uint32_t rung[LAM_RING_WAIT_ANY_MAX])
{
    uint64_t rung_ns = 0;

    for (uint32_t i = 0; i < crowd->count; i++) {
        const struct lam_ring_consumer *consumer = crowd->consumers[i];

        lam_ring_count(&consumer->ring->control_head->entries[consumer->index].parks);
    }
    lam_base->futex_wait_any(bells, rung, crowd->count, lam_wait_park_until(wait));
    if (any_is_ready(crowd))
        rung_ns =
            lam_load_relaxed(&crowd->consumers[crowd->found]->ring->control_head->consumer_rung_ns);
    lam_wait_woken(wait, rung_ns);
}

/* Announce in all rings, look again, sleep on all bells. Returns 0 or the end of a stream. */
static int park(struct crowd *crowd, struct lam_wait *wait)
{
    lam_atomic_u32 *bells[LAM_RING_WAIT_ANY_MAX];
    uint32_t rung[LAM_RING_WAIT_ANY_MAX];
    int rc = 0;

    for (uint32_t i = 0; i < crowd->count; i++) {
        bells[i] = &crowd->consumers[i]->ring->control_head->consumer_bell;
        rung[i] = lam_load_acquire(bells[i]); /* A27 */
        lam_ring_consumer_announce(crowd->consumers[i]);
    }
    if (!any_is_ready(crowd)) {
        rc = any_has_ended(crowd, lam_ring_consumer_end_of_stream);
        if (rc == 0)
            sleep_on_all(crowd, wait, bells, rung);
    }
    for (uint32_t i = 0; i < crowd->count; i++)
        lam_ring_consumer_retract(crowd->consumers[i]);
    return rc;
}

/* One turn of the wait. Returns 1: one is ready; 0; or the wait's or a stream's end. */
static int turn(struct crowd *crowd, struct lam_wait *wait)
{
    int verdict;
    int rc;

    do {
        verdict = lam_wait_step(wait);
        if (any_is_ready(crowd))
            return 1;
    } while (verdict == LAM_WAIT_LOOK);
    if (verdict < 0)
        return verdict;
    if (verdict == LAM_WAIT_PARK)
        rc = park(crowd, wait);
    else
        rc = any_has_ended(crowd,
            verdict == LAM_WAIT_CHECK ? lam_ring_consumer_probe : lam_ring_consumer_end_of_stream);
    /* An end is told only while no other one has anything. */
    return any_is_ready(crowd) ? 1 : rc;
}

/* The wait came to @rc. Short ones, too, must find the end of a stream. */
static int end(struct crowd *crowd, struct lam_wait *wait, int rc)
{
    if (rc != -ETIMEDOUT)
        return rc == 1 ? lam_ring_consumer_end_wait(crowd->consumers[crowd->found], wait, 0) : rc;
    (void)lam_wait_end(wait);
    for (uint32_t i = 0; rc == -ETIMEDOUT && i < crowd->count; i++) {
        crowd->found = (crowd->first + i) % crowd->count;
        if ((crowd->ended >> crowd->found & 1) == 0)
            rc = lam_ring_consumer_timed_out(crowd->consumers[crowd->found], wait);
    }
    return rc;
}

static enum lam_wait_mode mode_of(const struct crowd *crowd)
{
    enum lam_wait_mode mode = crowd->consumers[0]->wait;

    for (uint32_t i = 1; i < crowd->count; i++)
        mode = lam_ring_wait_mode(crowd->consumers[i]->ring, mode);
    return mode;
}

int lam_ring_wait_any_but_until(struct lam_ring_consumer *const *consumers, uint32_t count,
    uint64_t ended, uint64_t deadline_ns, uint32_t *index)
{
    struct crowd crowd = {.consumers = consumers, .count = count, .ended = ended};
    struct lam_wait wait;
    int rc = 0;

    if (count == 0 || count > LAM_RING_WAIT_ANY_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++)
        LAM_ASSERT(lam_lock_is_held(&consumers[i]->lock)); /* not after detach, nor in a fork */
    crowd.first = (*index + 1) % count;
    if (!any_is_ready(&crowd)) {
        lam_wait_begin(&wait, mode_of(&crowd), &consumers[0]->cadence, deadline_ns);
        do {
            rc = turn(&crowd, &wait);
        } while (rc == 0);
        rc = end(&crowd, &wait, rc);
    }
    if (rc != -ETIMEDOUT)
        *index = crowd.found;
    return rc < 0 ? rc : 0;
}

int lam_ring_wait_any_until(struct lam_ring_consumer *const *consumers, uint32_t count,
    uint64_t deadline_ns, uint32_t *index)
{
    return lam_ring_wait_any_but_until(consumers, count, 0, deadline_ns, index);
}
