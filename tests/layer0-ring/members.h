/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_MEMBERS_H
#define LAM_TEST_MEMBERS_H

/*
 * For suites on groups: how members join, and what they take.
 */

#include "lamina/ring/group.h"
#include "one_producer.h"

#define NOTHING (-1000)

static inline void join(struct lam_ring_member *member, uint32_t events_max)
{
    struct lam_ring_member_options options = {.group = "workers", .events_max = events_max};

    cr_assert(
        eq(int, lam_ring_member_attach(member, &ring, &options, &error), 0), "%s", error.text);
}

/* The value of the next event, which stays borrowed; or what the peek returned if not 1. */
static inline int64_t peek(struct lam_ring_member *member)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_member_try_peek(member, &event);

    if (rc != 1)
        return rc == 0 ? NOTHING : rc;
    return (int64_t)value_of(&event);
}

static inline int64_t take(struct lam_ring_member *member)
{
    int64_t value = peek(member);

    lam_ring_member_release(member);
    return value;
}

/* As the kernel does when its owner dies. */
static inline void die(struct lam_ring_member *member)
{
    lam_lock_drop(&member->consumer.lock);
    lam_lock_drop(&member->heir);
}

/* What others had is found every 8 ms. */
static inline int64_t peek_soon(struct lam_ring_member *member)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    int64_t value;

    do {
        value = peek(member);
    } while (value == NOTHING && lam_clock_now_ns() < deadline_ns);
    return value;
}

#endif
