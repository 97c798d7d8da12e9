/* SPDX-License-Identifier: Apache-2.0 */
/* One event in flight: beside a bare round trip by the same sockets and a bare write and sync. */
#include "sequencer.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "report.h"
#include "stats.h"

#define PAYLOAD_BYTES 64
#define SECTOR_BYTES  4096
#define SINGLES_MAX   400

enum lane { NODE, BARE, SYNC, BARE_AND_SYNC };

static const uint8_t payload[PAYLOAD_BYTES] = {1, 2, 3};

struct trip {
    struct node_process node;
    struct lam_sequencer_client *client;
    struct bare_echo echo;
    struct bare_log log;
    uint32_t singles;
};

static void do_one(struct trip *trip, enum lane lane)
{
    if (lane == NODE)
        bench_node_call(trip->client, payload, sizeof(payload));
    else if (lane == BARE)
        bare_echo_call(&trip->echo, payload, sizeof(payload));
    else
        bare_log_append(&trip->log, SECTOR_BYTES);
}

/* The median of single ones, ns. */
static double middle(struct trip *trip, enum lane lane)
{
    double singles[SINGLES_MAX];

    for (uint32_t i = 0; i < trip->singles; i++) {
        uint64_t began = bench_now_ns();

        do_one(trip, lane);
        singles[i] = (double)(bench_now_ns() - began);
    }
    return bench_quantile(singles, trip->singles, 0.5);
}

static void measure(struct trip *trip, struct turns *turns, int syncs)
{
    for (uint32_t round = 0; round < turns->rounds; round++) {
        turns->figures[NODE][round] = middle(trip, NODE);
        turns->figures[BARE][round] = middle(trip, BARE);
        turns->figures[SYNC][round] = syncs ? middle(trip, SYNC) : 0;
        turns->figures[BARE_AND_SYNC][round] =
            turns->figures[BARE][round] + turns->figures[SYNC][round];
    }
}

static void run_one(
    const struct bench_options *options, const char *transport, enum lam_sequencer_policy policy)
{
    struct turns turns = {.rounds = options->quick ? 2 : 15, .lanes = 4};
    struct trip trip = {.singles = options->quick ? 20 : SINGLES_MAX};
    int syncs = policy == LAM_SEQUENCER_DISK;
    char variant[32];

    bench_node_start(&trip.node, transport, policy);
    trip.client = bench_node_client(&trip.node);
    bare_echo_start(&trip.echo, transport, trip.node.folder);
    bare_log_open(&trip.log, trip.node.folder);
    measure(&trip, &turns, syncs);
    (void)snprintf(variant, sizeof(variant), "%s-%s", transport, syncs ? "disk" : "none");
    turns_report(&turns, "trip", variant, PAYLOAD_BYTES, NODE, BARE_AND_SYNC,
        syncs ? "socket+sync" : "socket");
    bench_report_number("socket_ns", turns_median(&turns, BARE), 1);
    bench_report_number("sync_ns", turns_median(&turns, SYNC), 1);
    printf("}\n");
    bare_log_close(&trip.log);
    bare_echo_stop(&trip.echo);
    lam_sequencer_client_destroy(trip.client);
    bench_node_stop(&trip.node);
    bench_node_remove(&trip.node);
}

static int run(const struct bench_options *options)
{
    run_one(options, "unix", LAM_SEQUENCER_NONE);
    run_one(options, "unix", LAM_SEQUENCER_DISK);
    run_one(options, "tcp", LAM_SEQUENCER_NONE);
    run_one(options, "tcp", LAM_SEQUENCER_DISK);
    return 0;
}

const struct sequencer_part sequencer_trip = {"trip", run};
