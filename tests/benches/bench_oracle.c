/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a bench whose receivers find other bytes than were sent ends with an error, whatever it
 * measures. Method: the ring as a subject, and the same with one message in each stream, or the
 * last of each row of round trips, made from another value than the harness asked for; each in a
 * process of its own, of which the exit status and the words on standard error are looked at.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "clock.h"
#include "cpus.h"
#include "layers.h"
#include "payload.h"

/* The last one of each stream carries the seed of the next. */
static void send_wrong(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    if (count > 1)
        bench_ring.send(lane, count - 1, value);
    bench_ring.send(lane, 1, value + count);
}

/* What it answered to is not what it says. */
static uint64_t answer_wrong(struct bench_lane *lane, uint64_t count)
{
    return bench_ring.answer(lane, count) + 1;
}

static void measure(
    const struct bench_subject *subject, const struct bench_measure *measure, uint32_t readers)
{
    static struct bench_campaign campaign;
    struct bench_shape shape = {
        .payload_bytes = 1024, .batch = 1, .cell_bytes = 64, .depth = 4096, .readers = readers};

    bench_payload_init();
    bench_campaign_init(&campaign, measure);
    campaign.wanted_rounds = 1;
    campaign.window_ns = 100 * BENCH_NS_PER_US;
    campaign.budget_ns = BENCH_NS_PER_MS;
    (void)bench_campaign_add(&campaign, subject, &shape);
    _exit(bench_campaign_run(&campaign, readers, NULL) == 0 ? 0 : 3);
}

/* Its exit status, or -1; what it says is in @text. */
static int run(const struct bench_subject *subject, const struct bench_measure *how,
    uint32_t readers, char text[256])
{
    int ends[2], status;
    size_t bytes;
    FILE *said;
    pid_t pid;

    fflush(NULL);
    if (pipe(ends) != 0 || (pid = fork()) < 0)
        return -1;
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        measure(subject, how, readers);
    }
    close(ends[1]);
    said = fdopen(ends[0], "r");
    bytes = said == NULL ? 0 : fread(text, 1, 255, said);
    text[bytes] = 0;
    if (said != NULL)
        fclose(said);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
    struct bench_subject wrong = bench_ring;
    const struct {
        const struct bench_measure *how;
        uint32_t readers;
    } cases[] = {{&bench_measure_handoff, 1}, {&bench_measure_throughput, 1},
        {&bench_measure_throughput, 2}, {&bench_measure_copy_read, 2}};
    int failures = 0;

    wrong.send = send_wrong;
    wrong.answer = answer_wrong;
    if (bench_cpus_count() < 2) {
        printf("two processes that spin need two CPUs\n");
        return 77;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        int right = run(&bench_ring, cases[i].how, cases[i].readers, text);
        int found = run(&wrong, cases[i].how, cases[i].readers, text);
        int said = strstr(text, "received other bytes") != NULL;

        printf("case %zu: right bytes %d, wrong bytes %d%s\n", i, right, found,
            said ? "" : ", unsaid");
        failures += right != 0 || found != 1 || !said;
    }
    return failures != 0;
}
