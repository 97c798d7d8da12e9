/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stopped peer is killed where the policy says so, and passed only then; nobody else ever
 * is, whatever the table says.
 * Method: children on the real clock, one of them a stranger to the ring.
 */
#include "layout.h"
#include "required_really.h"

TestSuite(required_kill, .timeout = 60);

Test(required_kill, a_stopped_one_is_killed_by_that_policy_and_only_then_passed)
{
    struct child_log *log = make_log();
    pid_t child = require_a_stopped_one(LAM_RING_FAIL_KILL, log);
    int status;

    for (int i = 0; i < 300; i++)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_DEAD));
    close_ring();
    (void)munmap(log, 4096);
}

/* Of this process there is no killing; and what an entry says of another may be a lie. */
static void is_not_killed(pid_t liar)
{
    struct lam_ring_consumer one;
    struct lam_identity identity;
    int status;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, 0);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    if (liar != 0) {
        identity = lam_identity_of((uint32_t)liar);
        cr_assert(ne(u64, identity.start_ticks, 0));
        ring.control_head->entries[one.index].identity = identity;
    }
    require_really(LAM_RING_FAIL_KILL, 5 * LAM_NS_PER_MS);
    while (publish_until(lam_deadline_after_ns(SOON)) != -ECANCELED)
        continue;
    nap_ms(20);
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    if (liar != 0)
        cr_assert(eq(int, waitpid(liar, &status, WNOHANG), 0), "it lives");
    lam_ring_consumer_detach(&one);
    close_ring();
}

Test(required_kill, nobody_is_killed_who_does_not_map_the_ring)
{
    pid_t stranger = fork();

    if (stranger == 0) {
        (void)execlp("sleep", "sleep", "60", (char *)NULL);
        _exit(1);
    }
    nap_ms(50); /* it has another map once it has begun */
    is_not_killed(stranger);
    kill_child(stranger);
    is_not_killed(0);
}
