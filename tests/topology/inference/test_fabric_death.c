/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fabric_death.c: what the main job does when one of its processes stops or dies in mid-run.
 * Method: `lamina up` at a pace that lasts for seconds; signals to the processes that the observer
 * names; the report is compared with the same oracle as that of a run without a death.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fabric_run.h"
#include "json.h"
#include "lamina/base/clock.h"

TestSuite(fabric_death, .timeout = 60);

static struct fabric_run run;

static void expect_all_done(void)
{
    struct fabric_oracle oracle;
    const char *text;

    fabric_oracle(fabric_file("trace.csv"), &oracle);
    cr_assert_eq(fabric_wait(&run, 40), 0, "%s", fabric_stderr(&run));
    text = fabric_stdout(&run);
    cr_assert(json_is_one_object(text), "%s", text);
    cr_assert_eq(json_count(text, "requests"), oracle.requests);
    cr_assert_eq(json_count(text, "generated_tokens"), oracle.generated_tokens);
    cr_assert(json_is_text(text, "digest", oracle.digest), "%s in: %s", oracle.digest, text);
    cr_assert_eq(json_count(text, "mismatches"), 0);
}

/* Both say within a second which worker it was, and at which step. */
static void expect_told(void)
{
    uint64_t start_ns = lam_clock_now_ns();

    cr_assert(fabric_says(&run, "scheduler: workers.1 is gone at step ", 1000), "%s",
        fabric_stderr(&run));
    cr_assert(fabric_says(&run, "workers.1 (pid ", 1000), "%s", fabric_stderr(&run));
    cr_assert(fabric_says(&run, "was killed by signal 9 (Killed) at step ", 1000), "%s",
        fabric_stderr(&run));
    cr_assert_lt(lam_clock_now_ns() - start_ns, LAM_NS_PER_S);
}

Test(fabric_death, a_killed_worker_comes_back_and_all_requests_are_right)
{
    const char *const sets[] = {"workers.count=3", "workers.policy=restart", "speed=25", NULL};

    fabric_start(&run, sets, 1, -1);
    cr_assert_eq(kill(fabric_at_step(&run, "workers", 1, 100), SIGKILL), 0);
    expect_told();
    cr_assert(fabric_says(&run, "workers.1 is back", 5000), "%s", fabric_stderr(&run));
    expect_all_done();
    cr_assert_eq(json_count(run.text, "workers.1.deaths"), 1);
    cr_assert_eq(json_count(run.text, "workers.0.deaths"), 0);
    cr_assert_geq(json_count(run.text, "steps_repeated"), 1);
}

Test(fabric_death, workers_killed_one_after_the_other_change_nothing)
{
    const char *const sets[] = {"workers.count=2", "workers.policy=restart", "speed=20", NULL};
    uint64_t step = 50;
    uint64_t deaths[2];

    fabric_start(&run, sets, 1, -1);
    for (uint32_t i = 0; i < 4; i++, step += 150) {
        pid_t pid = fabric_at_step(&run, "workers", i % 2, step);

        cr_assert_eq(kill(pid, SIGKILL), 0);
        while (kill(pid, 0) == 0)
            (void)usleep(1000);
    }
    expect_all_done();
    deaths[0] = json_count(run.text, "workers.0.deaths");
    deaths[1] = json_count(run.text, "workers.1.deaths");
    cr_assert(deaths[0] == 2 && deaths[1] == 2, "%llu and %llu deaths: %s",
        (unsigned long long)deaths[0], (unsigned long long)deaths[1], fabric_stderr(&run));
}

Test(fabric_death, all_workers_killed_at_once_come_back)
{
    const char *const sets[] = {"workers.count=3", "workers.policy=restart", "speed=25", NULL};
    pid_t pids[3];

    fabric_start(&run, sets, 1, -1);
    for (uint32_t i = 0; i < 3; i++)
        pids[i] = fabric_at_step(&run, "workers", i, 100);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(kill(pids[i], SIGKILL), 0);
    expect_all_done();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(json_count(run.text, (const char *const[]){"workers.0.deaths",
                                              "workers.1.deaths", "workers.2.deaths"}[i]),
            1, "%s", run.text);
}

Test(fabric_death, a_killed_worker_ends_the_run_where_the_policy_says_stop)
{
    const char *const sets[] = {"workers.count=3", "workers.policy=stop", "speed=10", NULL};
    pid_t other;

    fabric_start(&run, sets, 1, -1);
    other = fabric_at_step(&run, "workers", 2, 100);
    cr_assert_eq(kill(fabric_at_step(&run, "workers", 1, 100), SIGKILL), 0);
    expect_told();
    cr_assert_eq(fabric_wait(&run, 10), 1);
    cr_assert(kill(other, 0) != 0 && errno == ESRCH, "a worker was left behind");
    cr_assert(json_is_one_object(fabric_stdout(&run)), "%s", run.text);
    cr_assert_lt(json_count(run.text, "requests"), 1000);
}

Test(fabric_death, a_worker_that_dies_too_often_ends_the_run)
{
    const char *const sets[] = {
        "workers.count=2", "workers.policy=restart", "workers.restart_limit=1", "speed=10", NULL};
    pid_t first;

    fabric_start(&run, sets, 1, -1);
    first = fabric_at_step(&run, "workers", 0, 50);
    cr_assert_eq(kill(first, SIGKILL), 0);
    cr_assert(fabric_says(&run, "workers.0 is back", 5000), "%s", fabric_stderr(&run));
    cr_assert_eq(kill(fabric_at_step(&run, "workers", 0, 100), SIGKILL), 0);
    cr_assert_eq(fabric_wait(&run, 15), 1, "%s", fabric_stderr(&run));
}

Test(fabric_death, a_killed_scheduler_ends_the_workers_and_the_run)
{
    const char *const sets[] = {"workers.count=2", "speed=10", NULL};
    pid_t worker;

    fabric_start(&run, sets, 1, -1);
    worker = fabric_at_step(&run, "workers", 1, 50);
    cr_assert_eq(kill(fabric_at_step(&run, "scheduler", 0, 50), SIGKILL), 0);
    cr_assert_eq(fabric_wait(&run, 10), 1, "%s", fabric_stderr(&run));
    cr_assert_not_null(strstr(fabric_stderr(&run), "scheduler (pid "), "%s", run.text);
    cr_assert(kill(worker, 0) != 0 && errno == ESRCH, "a worker was left behind");
}

Test(fabric_death, a_scheduler_that_is_started_again_does_the_whole_trace)
{
    const char *const sets[] = {"workers.count=2", "scheduler.policy=restart", "speed=25", NULL};

    fabric_start(&run, sets, 1, -1);
    cr_assert_eq(kill(fabric_at_step(&run, "scheduler", 0, 200), SIGKILL), 0);
    expect_all_done();
    cr_assert_eq(json_count(run.text, "workers.0.deaths"), 0);
}

Test(fabric_death, ctrl_c_stops_it_cleanly_with_the_report_so_far)
{
    const char *const sets[] = {"workers.count=2", "speed=10", NULL};
    pid_t worker;

    fabric_start(&run, sets, 1, -1);
    worker = fabric_at_step(&run, "workers", 1, 200);
    cr_assert_eq(kill(run.pid, SIGINT), 0);
    cr_assert_eq(fabric_wait(&run, 10), 130, "%s", fabric_stderr(&run));
    cr_assert_null(strstr(fabric_stderr(&run), "is gone"), "%s", run.text);
    cr_assert(json_is_one_object(fabric_stdout(&run)), "%s", run.text);
    cr_assert_geq(json_count(run.text, "steps"), 150);
    cr_assert_lt(json_count(run.text, "requests"), 1000);
    cr_assert_eq(json_count(run.text, "mismatches"), 0);
    cr_assert(kill(worker, 0) != 0 && errno == ESRCH, "a worker was left behind");
}

Test(fabric_death, a_paused_worker_is_named_and_waited_for_and_not_taken_for_dead)
{
    const char *const sets[] = {"workers.count=2", "speed=25", NULL};
    pid_t worker;

    fabric_start(&run, sets, 1, -1);
    worker = fabric_at_step(&run, "workers", 1, 100);
    cr_assert_eq(kill(worker, SIGSTOP), 0);
    cr_assert(fabric_says(&run, "waiting for workers.1 at step ", 2500), "%s", fabric_stderr(&run));
    cr_assert_eq(kill(worker, SIGCONT), 0);
    expect_all_done();
    cr_assert_eq(json_count(run.text, "workers.1.deaths"), 0);
}

Test(fabric_death, a_killed_lamina_up_leaves_nothing_running_and_its_name_free)
{
    const char *const slow[] = {"workers.count=2", "speed=10", NULL};
    uint64_t deadline_ns;
    pid_t pids[2];

    fabric_start(&run, slow, 1, -1);
    pids[0] = fabric_at_step(&run, "workers", 1, 50);
    pids[1] = fabric_at_step(&run, "scheduler", 0, 50);
    cr_assert_eq(kill(run.pid, SIGKILL), 0);
    cr_assert_eq(fabric_wait(&run, 10), -SIGKILL);
    deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    for (int i = 0; i < 2; i++)
        while (kill(pids[i], 0) == 0) {
            cr_assert_lt(lam_clock_now_ns(), deadline_ns, "process %d was left behind", pids[i]);
            (void)usleep(2000);
        }
    fabric_start(&run, (const char *const[]){"workers.count=2", NULL}, 1, -1);
    expect_all_done();
}
