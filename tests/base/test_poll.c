/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a wait for a descriptor ends when it is ready, when its peer is gone, at its deadline, and
 * by nothing else. Method: pipes, and a timer whose signal is handled.
 */
#include "lamina/base/clock.h"
#include "lamina/base/poll.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int ends[2];
static volatile sig_atomic_t ticks;

static void setup(void)
{
    cr_assert(eq(int, pipe(ends), 0));
    ticks = 0;
}

TestSuite(poll, .init = setup, .timeout = 20);

Test(poll, what_is_ready_is_not_waited_for_even_past_the_deadline)
{
    cr_assert(eq(int, lam_poll_until(ends[1], POLLOUT, 0), 0));
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, 0), 0));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, LAM_DEADLINE_NEVER), 0));
}

Test(poll, nothing_by_the_deadline_is_a_timeout_and_not_before)
{
    uint64_t deadline_ns = lam_deadline_after_ns(20 * LAM_NS_PER_MS);

    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, 0), -ETIMEDOUT));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, deadline_ns), -ETIMEDOUT));
    cr_assert(ge(u64, lam_clock_now_ns(), deadline_ns));
}

Test(poll, a_peer_that_is_gone_is_not_waited_for)
{
    cr_assert(eq(int, close(ends[1]), 0));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, LAM_DEADLINE_NEVER), 0));
}

/* The fifth signal brings what is waited for. */
static void tick(int signal)
{
    (void)signal;
    if (++ticks == 5)
        (void)write(ends[1], "x", 1);
}

Test(poll, signals_end_no_wait)
{
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    struct sigaction action;
    uint64_t deadline_ns = lam_deadline_after_ns(40 * LAM_NS_PER_MS);
    char byte;

    memset(&action, 0, sizeof(action));
    action.sa_handler = tick;
    cr_assert(eq(int, sigaction(SIGALRM, &action, NULL), 0));
    cr_assert(eq(int, setitimer(ITIMER_REAL, &often, NULL), 0));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, LAM_DEADLINE_NEVER), 0));
    cr_assert(ge(int, (int)ticks, 5));
    cr_assert(eq(int, (int)read(ends[0], &byte, 1), 1));
    cr_assert(eq(int, lam_poll_until(ends[0], POLLIN, deadline_ns), -ETIMEDOUT));
    cr_assert(ge(u64, lam_clock_now_ns(), deadline_ns));
    cr_assert(eq(int, setitimer(ITIMER_REAL, &never, NULL), 0));
}
