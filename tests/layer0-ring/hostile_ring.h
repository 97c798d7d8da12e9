/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_HOSTILE_RING_H
#define LAM_TEST_HOSTILE_RING_H

/*
 * For suites about a peer that means harm: a ring of which it maps both objects for writing, and
 * the words that it stores there.
 */

#include "lamina/ring/consumer.h"
#include "layout.h"
#include "nasty_word.h"
#include "processes.h"
#include "ring_stream.h"

static struct lam_ring ring; /* the hostile one: maps both objects for writing */
static uint64_t random_state = 11;

static inline uint64_t pick(uint64_t count)
{
    return pick_from(&random_state, count);
}

static inline void spoil(uint8_t *base, uint64_t bytes)
{
    uint64_t offset = pick(bytes / 8) * 8;
    uint64_t word = nasty_word(&random_state, lam_load_relaxed(&ring.data_head->horizon));

    /* Half the time in the heads, where each word means something; now and then in a group. */
    if (pick(2) == 0)
        offset = pick((bytes < 2048 ? bytes : 2048) / 8) * 8;
    else if (pick(4) == 0 && base == ring.control.base)
        offset = offsetof(struct lam_ring_control, groups) + pick(64) * 8;
    lam_store_relaxed((lam_atomic_u64 *)(void *)(base + offset), word);
}

static inline void spoil_one(int data, int control)
{
    if (data)
        spoil(ring.data.base, ring.data.head_bytes + ring.data.body_bytes);
    if (control)
        spoil(ring.control.base, ring.control.head_bytes);
}

static inline void make(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {
        .name = "hostile", .depth = 64, .backing = LAM_BACKING_MEMFD, .producers = producers};
    struct lam_error error;

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
}

static inline int join(struct lam_ring *mine, enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access};
    struct lam_error error;
    int data_fd, control_fd;

    lam_ring_fds(&ring, &data_fd, &control_fd);
    return lam_ring_attach_fds(mine, data_fd, control_fd, &options, &error);
}

/* Read everything that a view lends: a length out of bounds is the sanitizer's to see. */
static inline uint64_t sum(const struct lam_event *event)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < event->payload_bytes; i++)
        total += ((const uint8_t *)event->payload)[i];
    return total;
}

#endif
