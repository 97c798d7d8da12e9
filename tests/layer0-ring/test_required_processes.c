/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a required consumer that is killed and comes back misses nothing, one that is stopped is
 * never overtaken, and one that does not come back is not waited for longer than its grace.
 * Method: children on the real clock, killed and stopped; deadlines only bound the test.
 */
#include "required_really.h"

TestSuite(required_processes, .timeout = 60);

static void kill_and_come_back(
    uint64_t first_sequence, int (*publish_some)(uint64_t deadline_ns), unsigned rounds)
{
    struct child_log *log = make_log();
    struct lam_ring_stat stat;
    uint64_t released = 0;
    pid_t child;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, first_sequence);
    require_really(LAM_RING_FAIL_CALL, SOON);
    for (unsigned round = 0; round <= rounds; round++) {
        lam_store_relaxed(&log->first, UINT64_MAX);
        child = start_child(log, &resume_a, UINT64_MAX);
        while (lam_load_relaxed(&log->first) == UINT64_MAX || published < (round + 1) * 300)
            cr_assert(eq(int, publish_some(lam_deadline_after_ns(SOON)), 0));
        cr_assert(eq(u64, lam_load_relaxed(&log->lost), 0));
        cr_assert(ge(u64, lam_load_relaxed(&log->first), released), "round %u", round);
        cr_assert(le(u64, lam_load_relaxed(&log->first), lam_load_relaxed(&log->releasing)));
        cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
        if (round == rounds)
            break;
        kill_child(child);
        released = lam_load_relaxed(&log->released);
        /* The producer fills the ring, finds it dead, and waits. */
        while (publish_some(lam_deadline_after_ns(LAM_NS_PER_MS)) == 0)
            continue;
        nap_ms(round == 0 ? 80 : 2);
        while (lam_ring_producer_check(&producer) != 1)
            cr_assert(eq(int, publish_some(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    }
    cr_assert(ge(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(u32, alerts.raised, alerts.over + required.standing));
    cr_assert(ge(u32, alerts.over, rounds));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.reaped, 0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), published));
    close_ring();
    (void)munmap(log, 4096);
}

Test(required_processes, a_killed_one_that_comes_back_after_80_ms_misses_nothing)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        kill_and_come_back(starts[i] - 500, publish_until, 3);
}

Test(required_processes, a_killed_one_that_comes_back_misses_nothing_of_batches)
{
    kill_and_come_back(UINT64_MAX - 700, publish_batch_until, 3);
}

Test(required_processes, a_stopped_one_is_stalled_and_is_never_overtaken)
{
    struct child_log *log = make_log();
    pid_t child = require_a_stopped_one(LAM_RING_FAIL_EVICT, log);

    while (publish_until(lam_deadline_after_ns(SOON)) != -ECANCELED)
        continue;
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_STALLED));
    cr_assert(eq(int, kill(child, SIGCONT), 0));
    while (lam_ring_producer_check(&producer) != 0)
        nap_ms(1);
    for (int i = 0; i < 300; i++)
        while (publish_until(lam_deadline_after_ns(SOON)) != 0)
            continue;
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), published));
    cr_assert(ge(u32, alerts.over, 1));
    close_ring();
    (void)munmap(log, 4096);
}

Test(required_processes, a_killed_one_that_does_not_come_back_fails_the_ring)
{
    static const struct lam_ring_consumer_options other = {.name = "b", .start = LAM_RING_OLDEST};
    struct child_log *log = make_log(), *other_log = make_log();
    pid_t child, bystander;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, UINT64_MAX - 50);
    require_really(LAM_RING_FAIL_RING, 10 * LAM_NS_PER_MS);
    child = start_child(log, &resume_a, UINT64_MAX);
    bystander = start_child(other_log, &other, UINT64_MAX);
    await_word(&log->ready, 1);
    await_word(&other_log->ready, 1);
    kill_child(child);
    while (publish_until(lam_deadline_after_ns(SOON)) == 0)
        continue;
    cr_assert(eq(int, publish(), -ECANCELED));
    cr_assert(eq(int, end_of_child(bystander), ECANCELED));
    cr_assert(eq(u64, lam_load_relaxed(&other_log->released), published));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_DEAD));
    close_ring();
    (void)munmap(log, 4096);
    (void)munmap(other_log, 4096);
}
