/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_REQUIRED_CLOCK_H
#define LAM_TEST_REQUIRED_CLOCK_H

/*
 * Required consumers on a clock that the test moves, so that every moment can be chosen.
 */

#include "required.h"

#define PROGRESS_NS (100 * LAM_NS_PER_MS)
#define GRACE_NS    (1000 * LAM_NS_PER_MS)
#define STARTUP_NS  (500 * LAM_NS_PER_MS)

static inline void require(uint32_t count, enum lam_ring_failure_action action)
{
    struct lam_ring_required_options options = {.names = names,
        .count = count,
        .action = action,
        .startup_ns = STARTUP_NS,
        .progress_ns = PROGRESS_NS,
        .check_ns = 1,
        .grace_ns = GRACE_NS,
        .alert = note_alert,
        .context = &alerts};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0), "%s",
        error.text);
}

/* It stands still until it is moved. */
static uint64_t now_ns;
static unsigned probes;
static struct lam_base_ops ops;

static inline uint64_t read_clock(void)
{
    return now_ns;
}

static inline int count_probe(int fd, uint64_t byte)
{
    probes++;
    return lam_base_linux.lock_probe(fd, byte);
}

static inline void setup(void)
{
    ops = lam_base_linux;
    ops.now_ns = read_clock;
    ops.lock_probe = count_probe;
    now_ns = 1000 * LAM_NS_PER_S;
    lam_base = &ops;
    open_ring_at(DEPTH, UINT64_MAX - 2);
}

static inline void teardown(void)
{
    lam_base = &lam_base_linux;
    close_ring();
}

static inline int fill(void)
{
    int rc;

    do
        rc = publish();
    while (rc == 1);
    return rc;
}

#endif
