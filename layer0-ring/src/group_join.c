/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member's life: a plain consumer first, then one of a group.
 */
#include "group_table.h"
#include "settle.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define EVENTS_MAX (1U << 20)

static int check_options(const struct lam_ring *ring, const struct lam_ring_member_options *options,
    struct lam_error *error)
{
    if (options->group == NULL || options->group[0] == '\0' ||
        strlen(options->group) > LAM_RING_CONSUMER_NAME_MAX)
        return lam_error_set(error, -EINVAL,
            "ring %s: group name \"%.60s\" is empty or longer than %d bytes", ring->name,
            options->group == NULL ? "" : options->group, LAM_RING_CONSUMER_NAME_MAX);
    if (ring->producers != LAM_RING_ONE_PRODUCER)
        return lam_error_set(error, -EINVAL,
            "ring %s: a group needs a ring with one producer; of rings for many none looks for it",
            ring->name);
    if ((options->start != LAM_RING_HEAD && options->start != LAM_RING_OLDEST) ||
        options->events_max > EVENTS_MAX)
        return lam_error_set(error, -EINVAL,
            "ring %s: group %s starts at %d and takes %u events at once: "
            "head or oldest, and %u at most",
            ring->name, options->group, (int)options->start, options->events_max, EVENTS_MAX);
    return 0;
}

int lam_ring_member_attach(struct lam_ring_member *member, struct lam_ring *ring,
    const struct lam_ring_member_options *options, struct lam_error *error)
{
    struct lam_ring_consumer_options plain = {.name = options->name,
        .start = options->start,
        .wait = options->wait,
        .spin_ns = options->spin_ns};
    struct lam_lock lock = {.fd = -1};
    int rc = check_options(ring, options, error);

    memset(member, 0, sizeof(*member));
    member->consumer.lock.fd = member->heir.fd = -1;
    if (rc == 0)
        rc = lam_ring_consumer_attach(&member->consumer, ring, &plain, error);
    if (rc != 0)
        return rc;
    member->base = ring->data_head->first_sequence;
    member->events_max = options->events_max == 0 ? 1 : options->events_max;
    rc = lam_ring_group_lock(ring, &lock);
    if (rc != 0)
        (void)lam_error_set(error, rc,
            "ring %s: cannot lock its groups: somebody stopped while it joined or left one",
            ring->name);
    else
        rc = lam_ring_group_enter(member, options, error);
    lam_lock_drop(&lock);
    if (rc != 0)
        lam_ring_consumer_detach(&member->consumer);
    member->held = member->consumer.index;
    return rc;
}

void lam_ring_member_detach(struct lam_ring_member *member)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    struct lam_lock lock = {.fd = -1};

    if (!lam_lock_is_held(&consumer->lock))
        return;
    /* Without it, too: then the producer, or who comes next, gives the group up. */
    (void)lam_ring_group_lock(consumer->ring, &lock);
    lam_ring_group_leave(member, lam_lock_is_held(&lock));
    lam_lock_drop(&lock);
    lam_fence_seq_cst(); /* F3: a producer that sleeps on any of the group must look again */
    if (lam_load_relaxed(consumer->blocked_on) != 0)
        lam_ring_consumer_wake_producer(consumer);
}
