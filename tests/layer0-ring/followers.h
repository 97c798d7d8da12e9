/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FOLLOWERS_H
#define LAM_TEST_FOLLOWERS_H

/*
 * For suites on consumers that go after others: how they join, and what they take.
 */

#include "one_producer.h"

#define NOTHING (-1000)

/* Join as @name after up to two others. */
static inline int join(
    struct lam_ring_consumer *consumer, const char *name, const char *one, const char *other)
{
    const char *after[] = {one, other};
    struct lam_ring_consumer_options options = {
        .name = name, .after = after, .after_count = (one != NULL) + (other != NULL)};

    return lam_ring_consumer_attach(consumer, &ring, &options, &error);
}

static inline void must_join(
    struct lam_ring_consumer *consumer, const char *name, const char *one, const char *other)
{
    cr_assert(eq(int, join(consumer, name, one, other), 0), "%s", error.text);
}

/* Peek and release one event. Returns its value, or what the peek returned if that is not 1. */
static inline int64_t take(struct lam_ring_consumer *consumer)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_try_peek(consumer, &event);

    if (rc != 1)
        return rc == 0 ? NOTHING : rc;
    cr_assert(eq(int, lam_ring_consumer_release(consumer), 0));
    return (int64_t)value_of(&event);
}

/* As the kernel does when its owner dies: the lock is free, and the entry says nothing of it. */
static inline void die(struct lam_ring_consumer *consumer)
{
    lam_lock_drop(&consumer->lock);
}

#endif
