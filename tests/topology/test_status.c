/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role's process learns from its topology, and what an observer sees of it.
 */
#include "run.h"

#include "lamina/base/clock.h"
#include "lamina/topology/topology.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(status, .timeout = 60);

static struct run run;
static struct lam_error error;

Test(status, a_process_that_up_did_not_start_joins_by_name_and_by_file)
{
    struct lam_topology *topology = NULL;
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_observer *observer;
    struct lam_topology_peer peer;
    char expected[128];

    run_numbers(&run, (const char *[]){"pause=1000", "sinks.count=3", NULL});
    observer = run_observe(&run);
    cr_assert(
        eq(int, lam_topology_open(&topology, run.name, "sinks", 2, &error), 0), "%s", error.text);
    cr_expect(eq(str, (char *)lam_topology_name(topology), run.name));
    cr_expect(eq(str, (char *)lam_topology_role(topology), "sinks"));
    cr_expect(eq(u32, lam_topology_index(topology), 2));
    cr_expect(eq(str, (char *)lam_topology_end_name(topology), "sinks.2"));
    cr_expect(eq(u32, lam_topology_count(topology, "sinks"), 3));
    cr_expect(eq(u32, lam_topology_count(topology, "nobody"), 0));
    cr_expect(eq(str, (char *)lam_topology_parameter(topology, "pause"), "1000"));
    cr_expect(lam_topology_parameter(topology, "nothing") == NULL);
    cr_expect(eq(u32, lam_topology_edge_count(topology), 2));
    cr_expect(eq(u32, lam_topology_edge(topology, "sums")->ring_count, 3));
    cr_expect(lam_topology_edge(topology, "nothing") == NULL);
    (void)snprintf(expected, sizeof(expected), "%s.sums.2", run.name);
    cr_expect(eq(int, lam_topology_ring_name(topology, "sums", 2, name), 0));
    cr_expect(eq(str, name, expected));
    cr_expect(eq(int, lam_topology_ring_name(topology, "sums", 3, name), -EINVAL));
    cr_expect(eq(int, lam_topology_ring_name(topology, "none", 0, name), -ENOENT));
    cr_expect(eq(int, lam_topology_peer(topology, "source", 0, &peer), 0));
    cr_expect(eq(int, peer.state, LAM_TOPOLOGY_READY));
    cr_expect(eq(u32, peer.starts, 1));
    cr_expect(eq(int, lam_topology_peer(topology, "source", 1, &peer), -ENOENT));
    cr_expect(eq(int, lam_topology_stopping(topology), 0));
    lam_topology_close(topology);
    lam_observer_detach(observer);
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
}

Test(status, opening_says_what_is_wrong)
{
    struct lam_topology *topology = NULL;
    struct lam_observer *observer;

    cr_expect(eq(int, lam_topology_open(&topology, NULL, NULL, 0, &error), -EINVAL));
    cr_expect(eq(str, error.text,
        "not started by `lamina up`: give the topology's file, the role and its index"));
    cr_expect(eq(int, lam_topology_open(&topology, "not-up", "sinks", 0, &error), -ENOENT));
    cr_expect(eq(str, error.text, "no topology \"not-up\" is up on this machine"));
    cr_expect(eq(int, lam_topology_open(&topology, "./none.yaml", "sinks", 0, &error), -ENOENT));
    cr_expect(eq(int, lam_topology_open(&topology, NUMBERS_YAML, NULL, 0, &error), -EINVAL));

    run_numbers(&run, (const char *[]){"pause=1000", NULL});
    observer = run_observe(&run);
    cr_expect(eq(int, lam_topology_open(&topology, run.name, "zinks", 0, &error), -EINVAL));
    cr_expect(strstr(error.text, "has no role \"zinks\"") != NULL, "%s", error.text);
    cr_expect(eq(int, lam_topology_open(&topology, run.name, "sinks", 2, &error), -EINVAL));
    cr_expect(eq(str, error.text, "role sinks has 2 processes: there is no number 2"));
    lam_observer_detach(observer);
    cr_expect(eq(int, run_wait(&run, 30), 0), "%s", run.err);
}

Test(status, a_role_without_a_command_is_waited_for_and_joins_by_itself)
{
    char path[] = "/tmp/lamina-join-XXXXXX";
    struct lam_topology *topology = NULL;
    struct lam_topology_peer peer;
    char name[32];
    FILE *file = fdopen(mkstemp(path), "w");

    cr_assert(file != NULL);
    (void)snprintf(name, sizeof(name), "j%d", (int)getpid());
    (void)fprintf(file,
        "name: %s\nroles:\n  inside: {command: [/bin/sleep, \"1\"], main: true}\n"
        "  outside: {}\n",
        name);
    cr_assert(eq(int, fclose(file), 0));
    run_start(&run, (const char *[]){"lamina", "up", path, NULL});
    (void)snprintf(run.name, sizeof(run.name), "%s", name);
    for (int i = 0; i < 500; i++, (void)usleep(1000))
        if (lam_topology_open(&topology, path, "outside", 0, &error) == 0)
            break;
    cr_assert(topology != NULL, "%s", error.text);
    cr_expect(eq(int, lam_topology_peer(topology, "outside", 0, &peer), 0));
    cr_expect(eq(int, peer.state, LAM_TOPOLOGY_STARTING));
    cr_expect(eq(int, peer.pid, (int)getpid()));
    cr_expect(eq(int,
        lam_topology_wait_ready_until(
            topology, "inside", lam_deadline_after_ns(LAM_NS_PER_MS), &error),
        -ETIMEDOUT));
    cr_expect(eq(str, error.text, "inside is not ready"));
    lam_topology_ready(topology);
    cr_expect(
        eq(int, lam_topology_wait_ready_until(topology, "outside", LAM_DEADLINE_NEVER, NULL), 0));
    lam_topology_close(topology);
    cr_expect(eq(int, run_wait(&run, 10), 0), "%s", run.err);
    (void)remove(path);
}

Test(status, stat_shows_rates_lag_and_who_is_waited_for)
{
    struct lam_observer *observer;
    struct run stat = {0};

    run_numbers(&run, (const char *[]){"pause=100", "fault=sinks.1:50:hang", "grace=100ms", NULL});
    observer = run_observe(&run);
    /* The source fills the ring, which holds 255 numbers beyond what the hanging sink has taken. */
    run_reach(observer, "source", 0, 300);
    (void)usleep(100000);
    run_start(&stat, (const char *[]){"lamina", "stat", run.name, "--once", NULL});
    cr_expect(eq(int, run_wait(&stat, 10), 0), "%s", stat.err);
    cr_expect(strstr(stat.out, "source waits for sinks.1\n") != NULL, "%s", stat.out);
    run_start(&stat, (const char *[]){"lamina", "stat", run.name, "--once", "--json", NULL});
    cr_expect(eq(int, run_wait(&stat, 10), 0), "%s", stat.err);
    cr_expect(strncmp(stat.out, "{\"topology\":\"", 13) == 0, "%s", stat.out);
    cr_expect(strstr(stat.out, "\"waiting\":\"source waits for sinks.1\"") != NULL, "%s", stat.out);
    cr_expect(
        strstr(stat.out, "{\"name\":\"sinks.1\",\"state\":\"ready\",") != NULL, "%s", stat.out);
    cr_assert(eq(int, kill(run.pid, SIGINT), 0));
    cr_expect(eq(int, run_wait(&run, 10), 130), "%s", run.err);
    lam_observer_detach(observer);
}

Test(status, stat_of_what_is_not_up_says_so)
{
    run_start(&run, (const char *[]){"lamina", "stat", "not-up", "--once", NULL});
    cr_expect(eq(int, run_wait(&run, 10), 3));
    cr_expect(eq(str, run.err, "lamina stat: no topology \"not-up\" is up on this machine\n"));
}

Test(status, a_page_of_other_bytes_is_refused_by_its_field)
{
    struct lam_topology *topology = NULL;
    char path[128];
    char zeros[200000] = "";
    int file;

    (void)snprintf(run.name, sizeof(run.name), "h%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.topology", run.name);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(file >= 0 && write(file, zeros, 100) == 100);
    cr_expect(eq(int, lam_topology_open(&topology, run.name, "a", 0, &error), -EPROTO));
    cr_expect(strstr(error.text, ": size is 100, expected ") != NULL, "%s", error.text);
    cr_assert(write(file, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros));
    cr_expect(eq(int, lam_topology_open(&topology, run.name, "a", 0, &error), -EPROTO));
    cr_expect(strstr(error.text, ": magic is 0, expected ") != NULL, "%s", error.text);
    (void)close(file);
    (void)remove(path);
}
