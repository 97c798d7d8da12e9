/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_REQUIRED_REALLY_H
#define LAM_TEST_REQUIRED_REALLY_H

/*
 * required_really.h: one required consumer "a" on the real clock, looked at each millisecond.
 */
#include "required.h"

static inline void require_really(enum lam_ring_failure_action action, uint64_t grace_ns)
{
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .action = action,
        .startup_ns = SOON,
        .progress_ns = 20 * LAM_NS_PER_MS,
        .check_ns = LAM_NS_PER_MS,
        .grace_ns = grace_ns,
        .alert = note_alert,
        .context = &alerts};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0));
}

static const struct lam_ring_consumer_options resume_a = {.name = "a", .start = LAM_RING_RESUME};

/* A ring at the wrap that requires "a", and a child that is it, joined and stopped. */
static inline pid_t require_a_stopped_one(
    enum lam_ring_failure_action action, struct child_log *log)
{
    pid_t child;
    int status;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, UINT64_MAX - 50);
    require_really(action, 5 * LAM_NS_PER_MS);
    child = start_child(log, &resume_a, UINT64_MAX);
    await_word(&log->ready, 1);
    cr_assert(eq(int, kill(child, SIGSTOP), 0));
    cr_assert(eq(int, waitpid(child, &status, WUNTRACED), child));
    return child;
}

#endif
