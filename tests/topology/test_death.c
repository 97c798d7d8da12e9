/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deaths in a running topology: who is named, how fast, and what the policy makes of it.
 */
#include "run.h"

#include "lamina/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

TestSuite(death, .timeout = 60);

static struct run run;

static int run_to_end(const char *const *more)
{
    run_numbers(&run, more);
    return run_wait(&run, 30);
}

Test(death, a_killed_worker_is_named_with_its_step_and_ends_all_under_policy_stop)
{
    cr_expect(eq(int, run_to_end((const char *[]){"fault=sinks.1:500:kill", NULL}), 1));
    cr_expect(strstr(run.err, ": sinks.1 (pid ") != NULL, "%s", run.err);
    cr_expect(
        strstr(run.err, ") was killed by signal 9 (Killed) at step 500, ") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, "policy stop: stopping the others") != NULL, "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

Test(death, an_exit_code_is_named)
{
    cr_expect(eq(int, run_to_end((const char *[]){"fault=sinks.0:7:exit", NULL}), 1));
    cr_expect(strstr(run.err, "sinks.0 (pid ") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, ") exited with code 3 at step 7, ") != NULL, "%s", run.err);
}

Test(death, all_have_ended_within_a_second_of_a_kill_9)
{
    struct lam_observer *observer;
    uint64_t killed_ns;
    pid_t source;

    run_numbers(&run, (const char *[]){"pause=1000", "events=100000", NULL});
    observer = run_observe(&run);
    run_reach(observer, "sinks", 0, 50);
    source = run_pid(observer, "source", 0);
    killed_ns = lam_clock_now_ns();
    cr_assert(eq(int, kill(run_pid(observer, "sinks", 0), SIGKILL), 0));
    cr_expect(eq(int, run_wait(&run, 10), 1), "%s", run.err);
    cr_expect(lt(u64, run.ended_ns - killed_ns, LAM_NS_PER_S));
    cr_expect(strstr(run.err, "sinks.0 (pid ") != NULL, "%s", run.err);
    cr_expect(eq(int, run_is_alive(source), 0));
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(death, the_main_role_s_death_ends_all)
{
    cr_expect(eq(int, run_to_end((const char *[]){"fault=source:100:kill", NULL}), 1));
    cr_expect(strstr(run.err, ": source (pid ") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, "killed by signal 9 (Killed) at step 100, ") != NULL, "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

Test(death, a_restarted_worker_rejoins_and_the_run_completes)
{
    cr_expect(eq(int,
                  run_to_end((const char *[]){
                      "fault=sinks.1:300:kill", "sinks.policy=restart", "pause=200", NULL}),
                  0),
        "%s", run.err);
    cr_expect(strstr(run.err, "at step 300, ") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, "policy restart: starting it again (1 of 5)") != NULL, "%s", run.err);
    /* The one that died has missed numbers; the other has not. */
    cr_expect(strstr(run.out, "1 of 2 sums agree\n") != NULL, "%s%s", run.out, run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

Test(death, a_program_that_fails_at_once_uses_its_restarts_up)
{
    cr_expect(eq(int,
        run_to_end((const char *[]){"sinks.command=/bin/false", "sinks.policy=restart",
            "sinks.restart_limit=3", "sinks.restart_backoff=1ms", NULL}),
        1));
    cr_expect(strstr(run.err, "starting it again (3 of 3)") != NULL, "%s", run.err);
    cr_expect(
        strstr(run.err, "its 3 restarts are used up: stopping the others") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, "before it was ready") != NULL, "%s", run.err);
}

Test(death, who_does_not_end_after_the_main_role_is_named_and_stopped)
{
    cr_expect(eq(int,
        run_to_end((const char *[]){
            "source.command=/bin/true", "sinks.command=/bin/sleep,30", "grace=200ms", NULL}),
        1));
    cr_expect(
        strstr(run.err, "sinks.0, sinks.1 did not end after the main role had: stopping") != NULL,
        "%s", run.err);
    cr_expect(lt(dbl, run_seconds(&run), 10.0));
}

Test(death, the_death_of_up_takes_all_along_and_the_next_one_cleans_up)
{
    struct lam_observer *observer;
    struct lam_topology_peer peer;
    struct run next = {0};
    char name[64];
    pid_t sink;

    run_numbers(&run, (const char *[]){"pause=100000", NULL});
    observer = run_observe(&run);
    sink = run_pid(observer, "sinks", 1);
    cr_assert(eq(int, kill(run.pid, SIGKILL), 0));
    cr_expect(eq(int, run_wait(&run, 10), -SIGKILL));
    for (int i = 0; i < 2000 && run_is_alive(sink); i++)
        (void)usleep(1000);
    cr_expect(eq(int, run_is_alive(sink), 0));
    cr_expect(eq(int, lam_observer_is_up(observer), 0));
    run_look(observer, "sinks", 1, &peer);
    cr_expect(eq(int, (int)peer.state, LAM_TOPOLOGY_DIED), "though nobody noted it");
    cr_expect(lt(int, 0, run_leftovers(&run)));
    lam_observer_detach(observer);

    (void)snprintf(name, sizeof(name), "name=%s", run.name);
    run_numbers(&next, (const char *[]){name, "sinks.count=1", NULL});
    cr_expect(eq(int, run_wait(&next, 30), 0), "%s", next.err);
    cr_expect(strstr(next.out, "1 of 1 sums agree\n") != NULL, "%s", next.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

/* The ring holds the source back meanwhile, and nothing is lost. */
Test(death, a_paused_worker_is_not_dead)
{
    struct lam_observer *observer;
    pid_t sink;

    run_numbers(&run, (const char *[]){"pause=500", NULL});
    observer = run_observe(&run);
    run_reach(observer, "sinks", 1, 10);
    sink = run_pid(observer, "sinks", 1);
    cr_assert(eq(int, kill(sink, SIGSTOP), 0));
    (void)usleep(300000);
    cr_assert(eq(int, kill(sink, SIGCONT), 0));
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
    cr_expect(strstr(run.out, "2 of 2 sums agree\n") != NULL, "%s", run.err);
    lam_observer_detach(observer);
}
