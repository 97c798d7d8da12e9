/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arming is what a consumer does before it sleeps: announce, fence, look again; the sleep is
 * left to the notifier's thread (notify.c).
 */
#include "consumer_wait.h"
#include "lamina/ring/notify.h"
#include "notify_kick.h"

#include <sys/eventfd.h>

void lam_ring_watch_disarm(struct lam_ring_watch *watch)
{
    uint32_t armed = watch->armed_last;
    eventfd_t value;

    if (armed == 0)
        return;
    watch->armed_last = 0;
    if (lam_cas_acq_rel(&watch->armed, &armed, armed + 1)) /* R33 */
        lam_ring_consumer_retract(watch->consumer);
    else
        (void)eventfd_read(watch->fd, &value); /* it has been made readable, or is about to be */
}

/* Why there may be no more: by the ring's words; by locks, where somebody may be dead. */
static int look_for_the_end(struct lam_ring_watch *watch)
{
    if (lam_load_relaxed(&watch->suspect) == 0)
        return lam_ring_consumer_idle(watch->consumer);
    lam_store_relaxed(&watch->suspect, 0);
    /* It may have filled what a dead one left. */
    return lam_ring_consumer_probe(watch->consumer) != 0 ||
           lam_ring_consumer_is_ready(watch->consumer);
}

int lam_ring_watch_arm(struct lam_ring_watch *watch)
{
    struct lam_ring_notifier *notifier = watch->notifier;
    struct lam_ring_consumer *consumer = watch->consumer;
    uint32_t armed;

    lam_ring_watch_disarm(watch);
    lam_store_relaxed(&watch->next, consumer->next);
    lam_store_relaxed(&watch->entry_state, consumer->entry_state);
    /* A27 */
    lam_store_relaxed(&watch->bell, lam_load_acquire(&consumer->ring->control_head->consumer_bell));
    lam_store_relaxed(&watch->look_at_ns, (consumer->guards & LAM_RING_GUARD_AFTER) != 0
                                              ? lam_deadline_after_ns(LAM_WAIT_CHECK_NS)
                                              : 0);
    armed = lam_load_relaxed(&watch->armed) + 1;
    lam_store_release(&watch->armed, armed); /* R33 */
    watch->armed_last = armed;
    lam_ring_consumer_announce(consumer); /* F2, and between armed and idle the same */
    if (lam_ring_consumer_is_ready(consumer) || look_for_the_end(watch) != 0) {
        lam_ring_watch_disarm(watch);
        return 1;
    }
    if (lam_load_relaxed(&notifier->idle) != 0)
        lam_ring_notifier_kick(notifier);
    return 0;
}
