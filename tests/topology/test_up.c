/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lamina up as its users know it: real processes, what they see, what is left behind.
 */
#include "run.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(up, .timeout = 60);

static struct run run;

static int run_to_end(const char *const *more)
{
    run_numbers(&run, more);
    return run_wait(&run, 30);
}

Test(up, a_run_ends_with_0_and_leaves_nothing_behind)
{
    cr_expect(eq(int, run_to_end(NULL), 0), "%s", run.err);
    cr_expect(strstr(run.out, "2 of 2 sums agree\n") != NULL, "%s%s", run.out, run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

Test(up, every_number_of_workers_works)
{
    static const char *const counts[] = {"sinks.count=1", "sinks.count=3", "sinks.count=8"};
    static const char *const agree[] = {"1 of 1 sums", "3 of 3 sums", "8 of 8 sums"};

    for (size_t i = 0; i < 3; i++) {
        cr_expect(eq(int, run_to_end((const char *[]){counts[i], NULL}), 0), "%s", run.err);
        cr_expect(strstr(run.out, agree[i]) != NULL, "%s%s", run.out, run.err);
    }
}

Test(up, every_way_of_waiting_works)
{
    static const char *const ways[] = {
        "numbers.waiting=futex", "numbers.waiting=yield", "numbers.waiting=hybrid"};

    for (size_t i = 0; i < 3; i++) {
        cr_expect(eq(int, run_to_end((const char *[]){ways[i], NULL}), 0), "%s", run.err);
        cr_expect(strstr(run.out, "2 of 2 sums agree") != NULL, "%s%s", run.out, run.err);
    }
}

Test(up, json_keeps_standard_output_for_the_main_role)
{
    cr_expect(eq(int, run_to_end((const char *[]){"--json", NULL}), 0), "%s", run.err);
    cr_expect(eq(str, run.out, "2 of 2 sums agree\n"));
    cr_expect(strstr(run.err, "a sink has ended\n") != NULL, "%s", run.err);
    cr_expect(eq(int, run_to_end(NULL), 0));
    cr_expect(strstr(run.out, "a sink has ended\n") != NULL, "%s", run.out);
}

/* From the command line, so relative to the folder in which up was started. */
Test(up, settings_reach_the_roles)
{
    char folder[400];
    char expected[512];

    cr_assert(getcwd(folder, sizeof(folder)) != NULL);
    (void)snprintf(expected, sizeof(expected), "path %s/show\n", folder);
    cr_expect(eq(int, run_to_end((const char *[]){"file=show", "events=10", NULL}), 0));
    cr_expect(strstr(run.err, expected) != NULL, "%s is not in\n%s", expected, run.err);
}

/* What a stream of a process leads to, or nothing where it is closed. */
static const char *stream_of(pid_t pid, int stream)
{
    static char target[256];
    char path[64];
    ssize_t length;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, stream);
    length = readlink(path, target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    return target;
}

Test(up, a_closed_standard_stream_never_becomes_a_shared_page)
{
    struct lam_observer *observer;
    pid_t pids[3];

    run.closes_streams = 1;
    run_numbers(&run, (const char *[]){"pause=1000", NULL});
    observer = run_observe(&run);
    pids[0] = run.pid;
    pids[1] = run_pid(observer, "source", 0);
    pids[2] = run_pid(observer, "sinks", 1);
    for (int i = 0; i < 9; i++)
        cr_expect(eq(str, (char *)stream_of(pids[i / 3], i % 3), "/dev/null"), "%d", i);
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

static int runs_on_cpu_0_alone(pid_t pid)
{
    cpu_set_t set;

    return sched_getaffinity(pid, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1 &&
           CPU_ISSET(0, &set);
}

Test(up, roles_run_where_the_file_puts_them)
{
    struct lam_observer *observer;
    cpu_set_t ours;

    cr_assert(eq(int, sched_getaffinity(0, sizeof(ours), &ours), 0));
    if (!CPU_ISSET(0, &ours) || CPU_COUNT(&ours) < 2)
        cr_skip_test("needs CPU 0 and another");
    run_numbers(&run,
        (const char *[]){"pause=500", "sinks.cpus=0", "source.node=0", "numbers.node=0", NULL});
    observer = run_observe(&run);
    cr_expect(runs_on_cpu_0_alone(run_pid(observer, "sinks", 0)));
    cr_expect(runs_on_cpu_0_alone(run_pid(observer, "sinks", 1)));
    cr_expect(not(runs_on_cpu_0_alone(run_pid(observer, "source", 0))));
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
    lam_observer_detach(observer);
}

Test(up, a_second_one_of_a_name_is_refused_and_the_first_runs_on)
{
    struct run second = {0};
    struct lam_observer *observer;
    char name[64];

    run_numbers(&run, (const char *[]){"pause=1000", NULL});
    observer = run_observe(&run);
    (void)snprintf(name, sizeof(name), "name=%s", run.name);
    run_numbers(&second, (const char *[]){name, NULL});
    cr_expect(eq(int, run_wait(&second, 10), 3), "%s", second.err);
    cr_expect(strstr(second.err, "is up already, under process ") != NULL, "%s", second.err);
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
    cr_expect(strstr(run.out, "2 of 2 sums agree") != NULL);
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(up, control_c_ends_all_and_leaves_nothing_behind)
{
    struct lam_observer *observer;
    pid_t source, sink;

    run_numbers(&run, (const char *[]){"pause=100000", NULL});
    observer = run_observe(&run);
    source = run_pid(observer, "source", 0);
    sink = run_pid(observer, "sinks", 1);
    /* Sessions of their own: a terminal's Ctrl-C reaches up alone. */
    cr_expect(eq(int, getsid(source), source));
    cr_expect(eq(int, getsid(sink), sink));
    cr_assert(eq(int, kill(run.pid, SIGINT), 0));
    cr_expect(eq(int, run_wait(&run, 10), 130), "%s", run.err);
    cr_expect(strstr(run.err, "stopping on signal 2 (Interrupt)") != NULL, "%s", run.err);
    cr_expect(strstr(run.err, "killed by") == NULL, "%s", run.err);
    cr_expect(eq(int, run_is_alive(source), 0));
    cr_expect(eq(int, run_is_alive(sink), 0));
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(up, control_backslash_leaves_nothing_behind_either)
{
    struct lam_observer *observer;

    run_numbers(&run, (const char *[]){"pause=100000", NULL});
    observer = run_observe(&run);
    (void)run_pid(observer, "source", 0);
    cr_assert(eq(int, kill(run.pid, SIGQUIT), 0));
    cr_expect(eq(int, run_wait(&run, 10), 130), "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(up, a_role_that_ignores_sigterm_is_killed_after_the_grace)
{
    struct lam_observer *observer;

    run_numbers(&run, (const char *[]){"pause=1000", "fault=sinks.1:20:hang", "grace=300ms", NULL});
    observer = run_observe(&run);
    run_reach(observer, "sinks", 1, 20);
    (void)usleep(20000);
    run.started_ns = lam_observer_started_ns(observer);
    cr_assert(eq(int, kill(run.pid, SIGTERM), 0));
    cr_expect(eq(int, run_wait(&run, 10), 130), "%s", run.err);
    cr_expect(strstr(run.err, "sinks.1 did not end on SIGTERM: killing") != NULL, "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(up, a_second_control_c_does_not_wait_for_the_grace)
{
    struct lam_observer *observer;

    run_numbers(&run, (const char *[]){"pause=1000", "fault=sinks.1:20:hang", "grace=60s", NULL});
    observer = run_observe(&run);
    run_reach(observer, "sinks", 1, 20);
    (void)usleep(20000);
    cr_assert(eq(int, kill(run.pid, SIGINT), 0));
    (void)usleep(100000);
    cr_assert(eq(int, kill(run.pid, SIGINT), 0));
    cr_expect(eq(int, run_wait(&run, 10), 130), "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
    lam_observer_detach(observer);
}

Test(up, a_program_that_is_not_there_is_refused_before_anything_starts)
{
    cr_expect(eq(int, run_to_end((const char *[]){"sinks.command=no-such-role", NULL}), 2));
    cr_expect(
        strstr(run.err, "roles.sinks.command: no program \"no-such-role\"") != NULL, "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
}

Test(up, a_file_that_cannot_be_executed_leaves_nothing_behind)
{
    char path[] = "/tmp/lamina-bad-program-XXXXXX";
    char setting[128];
    int file = mkstemp(path);

    cr_assert(write(file,
                  "\x7f"
                  "ELF",
                  4) == 4);
    (void)fchmod(file, 0700);
    (void)close(file);
    (void)snprintf(setting, sizeof(setting), "sinks.command=%s", path);
    cr_expect(eq(int, run_to_end((const char *[]){setting, NULL}), 3), "%s", run.err);
    cr_expect(strstr(run.err, "role sinks: ") != NULL, "%s", run.err);
    cr_expect(eq(int, run_leftovers(&run), 0));
    (void)remove(path);
}

Test(up, unknown_keys_and_settings_are_refused_with_2)
{
    cr_expect(eq(int, run_to_end((const char *[]){"sinks.cuont=3", NULL}), 2));
    cr_expect(strstr(run.err, "(did you mean \"count\"?)") != NULL, "%s", run.err);
    run_start(&run, (const char *[]){"lamina", "up", "/nowhere.yaml", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 2));
    cr_expect(eq(str, run.err, "/nowhere.yaml: No such file or directory\n"));
    run_start(&run, (const char *[]){"lamina", "up", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 2));
}

Test(up, an_unknown_verb_is_answered_with_the_nearest)
{
    run_start(&run, (const char *[]){"lamina", "statt", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 2));
    cr_expect(strstr(run.err, "there is no verb \"statt\" (did you mean \"stat\"?)") != NULL, "%s",
        run.err);
    run_start(&run, (const char *[]){"lamina", "--help", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 0));
    cr_expect(strstr(run.out, " check ") != NULL && strstr(run.out, " up") != NULL, "%s", run.out);
}

Test(up, check_prints_the_plan_and_starts_nothing)
{
    run_start(&run, (const char *[]){"lamina", "check", NUMBERS_YAML, "--set",
                        "source.command=/bin/false", "--set", "sinks.command=/bin/false", "--set",
                        "sinks.count=5", "--set", "sums.message=1MiB", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 0), "%s", run.err);
    cr_expect(strncmp(run.out, "numbers: 6 processes on ", 24) == 0, "%s", run.out);
    cr_expect(strstr(run.out, "note: sums: messages above 496 bytes") != NULL, "%s", run.out);
    run_start(&run, (const char *[]){"lamina", "check", "--explain", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 0));
    cr_expect(strstr(run.out, "restart_backoff: duration; default 50ms\n") != NULL, "%s", run.out);
}

Test(up, the_hello_example_greets)
{
    const char *program = LAMINA_BIN "/hello_topology";

    if (access(program, X_OK) != 0)
        cr_skip_test("examples are not built");
    run_start(&run, (const char *[]){"lamina", "up", HELLO_YAML, NULL});
    cr_expect(eq(int, run_wait(&run, 10), 0), "%s", run.err);
    cr_expect(strstr(run.out, "listeners.0 heard: good morning\n") != NULL, "%s", run.out);
    cr_expect(strstr(run.out, "listeners.1 heard: good morning\n") != NULL, "%s", run.out);
    /* By itself it fails, with 1 and not with the length of what it says. */
    cr_expect(eq(int, system(LAMINA_BIN "/hello_topology 2>/dev/null"), 1 << 8));
}
