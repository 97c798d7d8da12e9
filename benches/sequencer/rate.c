/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed rates, open loop: each event has a time at which it is due, and its latency counts from
 * there, whether or not it could be sent then. So a stall is seen by all that were due in it.
 */
#include "sequencer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"
#include "stats.h"

#define PAYLOAD_BYTES 64
#define SAMPLES_MAX   (1 << 20)

static const uint8_t payload[PAYLOAD_BYTES] = {1, 2, 3};

struct rate {
    struct lam_sequencer_client *client;
    uint64_t count, interval_ns, began_ns;
    uint64_t sent, answered, refused, late;
    double *latencies;
};

static uint64_t due_ns(const struct rate *rate, uint64_t index)
{
    return rate->began_ns + index * rate->interval_ns;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench: rate: %s\n", what);
    exit(1);
}

static void send_due(struct rate *rate)
{
    uint64_t request;

    while (rate->sent < rate->count && bench_now_ns() >= due_ns(rate, rate->sent)) {
        int rc = lam_sequencer_client_try_send(rate->client, 0, payload, sizeof(payload), &request);

        if (rc < 0)
            fail("the node has sent it away");
        if (rc == 0) {
            rate->late++;
            return;
        }
        rate->sent++;
    }
}

/* Answers come in the order of the requests. */
static void run_rate(struct rate *rate)
{
    rate->began_ns = bench_now_ns();
    while (rate->answered < rate->count) {
        struct lam_sequencer_reply reply;
        int rc;

        send_due(rate);
        rc = lam_sequencer_client_step(rate->client, &reply);
        if (rc < 0)
            fail("the node has sent it away");
        if (rc == 0)
            continue;
        rate->refused += reply.kind != LAM_SEQUENCER_REPLY;
        rate->latencies[rate->answered] = (double)(bench_now_ns() - due_ns(rate, rate->answered));
        rate->answered++;
    }
}

static void report(const struct rate *rate, uint64_t per_s, const char *variant)
{
    uint32_t count = (uint32_t)rate->count;

    printf("{\"bench\":\"sequencer-rate\",\"variant\":\"%s\",\"payload_bytes\":%u", variant,
        PAYLOAD_BYTES);
    bench_report_count("events_per_s", per_s);
    bench_report_count("events", rate->count);
    bench_report_count("refused", rate->refused);
    bench_report_count("held_by_window", rate->late);
    bench_report_number("p50_us", bench_quantile(rate->latencies, count, 0.5) / 1e3, 1);
    bench_report_number("p99_us", bench_quantile(rate->latencies, count, 0.99) / 1e3, 1);
    bench_report_number("p999_us", bench_quantile(rate->latencies, count, 0.999) / 1e3, 1);
    bench_report_number("p9999_us", bench_quantile(rate->latencies, count, 0.9999) / 1e3, 1);
    bench_report_number("worst_us", rate->latencies[count - 1] / 1e3, 1);
    printf("}\n");
}

static void run_one(
    const struct bench_options *options, enum lam_sequencer_policy policy, uint64_t per_s)
{
    uint64_t seconds = options->quick ? 1 : 5;
    struct rate rate = {.count = per_s * seconds, .interval_ns = BENCH_NS_PER_S / per_s};
    struct node_process node;

    if (options->quick)
        rate.count = per_s / 20;
    if (rate.count > SAMPLES_MAX)
        rate.count = SAMPLES_MAX;
    rate.latencies = malloc(rate.count * sizeof(*rate.latencies));
    if (rate.latencies == NULL)
        fail("no memory");
    bench_node_start(&node, "unix", policy);
    rate.client = bench_node_client(&node);
    run_rate(&rate);
    report(&rate, per_s, policy == LAM_SEQUENCER_DISK ? "unix-disk" : "unix-none");
    lam_sequencer_client_destroy(rate.client);
    bench_node_stop(&node);
    bench_node_remove(&node);
    free(rate.latencies);
}

static int run(const struct bench_options *options)
{
    static const uint64_t rates[] = {1000, 10000, 50000};

    for (uint32_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        run_one(options, LAM_SEQUENCER_NONE, rates[i]);
        run_one(options, LAM_SEQUENCER_DISK, rates[i]);
    }
    return 0;
}

const struct sequencer_part sequencer_rate = {"rate", run};
