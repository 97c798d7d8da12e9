/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticks: one process publishes market ticks to 8 readers, processes too, that sleep between ticks.
 * One of them takes a nap, and the publisher says by whom it was held back. Layer 0.
 *
 *     ticks [seconds]     2 by default
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/ring/ring.h"
#include "tick.h"

static void print_results(const struct tick_result *results)
{
    static const uint32_t per_mille[] = {500, 990, 999};

    (void)printf("\n%-12s %10s %8s %10s %10s %10s %10s\n", "reader", "ticks", "wrong", "p50 us",
        "p99 us", "p99.9 us", "max us");
    for (uint32_t i = 0; i < TICKS_READERS; i++) {
        char name[32] = TICKS_SLOW_NAME;

        if (i != TICKS_SLOW_READER)
            (void)snprintf(name, sizeof(name), TICKS_READER_NAME "-%u", i);
        (void)printf("%-12s %10llu %8llu", name, (unsigned long long)results[i].received,
            (unsigned long long)results[i].wrong);
        for (unsigned k = 0; k < 3; k++) {
            uint64_t value_ns = 0;

            (void)lam_histogram_quantile(&results[i].latency, per_mille[k], &value_ns);
            (void)printf(" %10.1f", (double)value_ns / 1e3);
        }
        (void)printf(" %10.1f\n", (double)results[i].latest_ns / 1e3);
    }
}

static pid_t start_reader(
    const char *name, uint32_t index, uint64_t nap_at_number, struct tick_result *result)
{
    pid_t parent = getpid();
    pid_t child = fork();

    if (child != 0)
        return child;
    /* Should the publisher be killed, nobody is left to read for. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    _exit(read_ticks(name, index, nap_at_number, result));
}

/* Returns 0 when all readers ended well. */
static int await_readers(const pid_t *readers, uint32_t count)
{
    int failed = 0;

    for (uint32_t i = 0; i < count; i++) {
        int status;

        if (waitpid(readers[i], &status, 0) != readers[i] || status != 0)
            failed = 1;
    }
    return failed;
}

static int run(struct lam_ring *ring, double seconds, struct tick_result *results)
{
    uint64_t nap_at_number = (uint64_t)(seconds * TICKS_PER_SECOND / 3) + 1;
    pid_t readers[TICKS_READERS];
    int failed = 0;
    uint32_t count;

    for (count = 0; count < TICKS_READERS && !failed; count++) {
        readers[count] = start_reader(
            ring->name, count, count == TICKS_SLOW_READER ? nap_at_number : 0, &results[count]);
        failed = readers[count] < 0;
    }
    if (failed) {
        perror("fork");
        return 1; /* the readers there are die with us */
    }
    failed = publish_ticks(ring, seconds);
    return await_readers(readers, count) | failed;
}

int main(int argc, char **argv)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .depth = TICKS_DEPTH};
    size_t bytes = sizeof(struct tick_result) * TICKS_READERS;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2.0;
    struct lam_error error = {""};
    struct tick_result *results;
    struct lam_ring ring;
    char name[32];
    int failed;

    if (!(seconds >= 0.6 && seconds <= 3600)) {
        (void)fprintf(stderr, "usage: ticks [seconds from 0.6 to 3600]\n");
        return 2;
    }
    results = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    (void)snprintf(name, sizeof(name), "ticks-%ld", (long)getpid());
    options.name = name;
    if (lam_ring_create(&ring, &options, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    (void)fflush(stdout);
    failed = run(&ring, seconds, results);
    print_results(results);
    (void)lam_ring_destroy(&ring);
    return failed;
}
