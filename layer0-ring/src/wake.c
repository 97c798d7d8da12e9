/* SPDX-License-Identifier: Apache-2.0 */
/* The bells of a ring. */
#include "wake.h"
#include "lamina/base/crash_point.h"

int lam_ring_wake_consumers(struct lam_ring_control *control)
{
    /* Taken with the bits, so that a sleeper costs one system call, not one an event. */
    if (lam_load_relaxed(&control->sleeping) == 0 ||
        lam_exchange_acq_rel(&control->sleeping, 0) == 0) /* A28 */
        return 0;
    LAM_CRASH_POINT("wake.bits_taken");
    lam_store_relaxed(&control->consumer_rung_ns, lam_clock_now_ns());
    (void)lam_add_acq_rel(&control->consumer_bell, 1); /* R27 */
    LAM_CRASH_POINT("wake.bell_rung");
    return lam_base->futex_wake_all(&control->consumer_bell);
}

void lam_ring_wake_chained(struct lam_ring_control *control)
{
    /* A28 */
    if (lam_load_relaxed(&control->chained) == 0 || lam_exchange_acq_rel(&control->chained, 0) == 0)
        return;
    LAM_CRASH_POINT("chain.bits_taken");
    lam_store_relaxed(&control->consumer_rung_ns, lam_clock_now_ns());
    (void)lam_add_acq_rel(&control->consumer_bell, 1); /* R27 */
    (void)lam_base->futex_wake_all(&control->consumer_bell);
}

void lam_ring_wake_producers(struct lam_ring_control *control)
{
    lam_store_relaxed(&control->producer_rung_ns, lam_clock_now_ns());
    (void)lam_add_acq_rel(&control->producer_bell, 1); /* R27 */
    LAM_CRASH_POINT("wake.producer_rung");
    (void)lam_base->futex_wake_all(&control->producer_bell);
}
