/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 0 beside the rings of others: round trips and streams over the same bytes, between the same
 * two processes, in the same windows. One line for each row and peer; a peer that this build lacks
 * is named on standard error, with the reason.
 */
#include <stdio.h>
#include <unistd.h>

#include "layers.h"
#include "options.h"
#include "payload.h"
#include "peers.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static const struct row {
    uint32_t payload_bytes, batch; /* batch 0: round trips */
} rows[] = {{48, 0}, {8, 0}, {48, 1}, {48, 8}, {48, 32}, {8, 1}, {8, 8}, {8, 32}};

struct lanes {
    uint32_t ring, probe, stamped, cursor;
    uint32_t peers[BENCH_LANES_MAX]; /* by index in bench_peers; 0: not in this row */
};

static void add_lanes(struct bench_campaign *campaign, const struct bench_shape *shape, int trips,
    struct lanes *lanes)
{
    struct bench_shape probe_shape = *shape;

    probe_shape.payload_bytes = 8;
    lanes->ring = bench_campaign_add(campaign, &bench_ring, shape);
    lanes->stamped = bench_campaign_add(campaign, &bench_probe_stamped, shape);
    lanes->cursor = bench_campaign_add(campaign, &bench_probe_cursor, shape);
    if (trips)
        lanes->probe = bench_campaign_add(campaign, &bench_probe_bounce2, &probe_shape);
    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (bench_peers[i].subject != NULL && shape->payload_bytes <= bench_peers[i].bytes_max)
            lanes->peers[i] = bench_campaign_add(campaign, bench_peers[i].subject, shape);
}

static void report_trip(
    const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t peer)
{
    bench_report_number("p50_ns", bench_campaign_median(campaign, lanes->ring, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lanes->ring, 1), 1);
    bench_report_number("peer_ns", bench_campaign_median(campaign, peer, 0), 1);
    bench_report_number("peer_p99_ns", bench_campaign_median(campaign, peer, 1), 1);
    bench_report_text("probe", campaign->lanes[lanes->probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, lanes->probe, 0), 1);
}

static void report_stream(
    const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t peer)
{
    bench_report_count("batch", campaign->lanes[lanes->ring].shape.batch);
    bench_report_number("msgs_per_s", bench_campaign_median(campaign, lanes->ring, 0), 0);
    bench_report_number("peer_per_s", bench_campaign_median(campaign, peer, 0), 0);
    bench_report_text("probe", campaign->lanes[lanes->probe].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(campaign, lanes->probe, 0), 0);
}

static void report(const struct bench_campaign *campaign, const struct row *row,
    const struct lanes *lanes, uint32_t index)
{
    uint32_t peer = lanes->peers[index];

    bench_report_begin(
        "peers", row->batch == 0 ? "handoff" : "throughput", &campaign->lanes[lanes->ring]);
    bench_report_text("peer", bench_peers[index].name);
    bench_report_text(
        "peer_mode", row->batch > 1 && bench_peers[index].batches ? "batches" : "one by one");
    if (row->batch == 0)
        report_trip(campaign, lanes, peer);
    else
        report_stream(campaign, lanes, peer);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lanes->ring, lanes->probe));
    bench_report_ratio("ratio_peer", bench_campaign_ratio(campaign, lanes->ring, peer));
    bench_report_number("spread_peer", bench_campaign_spread(campaign, lanes->ring, peer), 3);
    bench_report_end(campaign, lanes->ring, lanes->probe);
}

static int run(const struct bench_options *options, const struct row *row)
{
    static struct bench_campaign campaign;
    struct lanes lanes = {0};
    struct bench_shape shape;
    int trips = row->batch == 0;

    bench_run_shape(&shape, options, row->payload_bytes, trips ? 1 : row->batch, 1);
    bench_run_init(&campaign, trips ? &bench_measure_handoff : &bench_measure_throughput, options);
    add_lanes(&campaign, &shape, trips, &lanes);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    if (!trips)
        lanes.probe = bench_run_stream_probe(&campaign, lanes.stamped, lanes.cursor);
    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (lanes.peers[i] != 0)
            report(&campaign, row, &lanes, i);
    return 0;
}

/* Says which are missing. Returns how many are there. */
static uint32_t count_peers(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (bench_peers[i].subject != NULL)
            count++;
        else
            fprintf(stderr, "bench: peer %s is not built: %s\n", bench_peers[i].name,
                bench_peers[i].why_not);
    return count;
}

/* Peers that print what they do print it on standard error: standard output is for the lines. */
static void keep_output(void)
{
    int fd = dup(STDOUT_FILENO);
    FILE *lines = fd < 0 ? NULL : fdopen(fd, "w");

    if (lines == NULL || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return;
    fflush(stdout);
    stdout = lines;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static int wants(const struct bench_options *options, const struct row *row)
{
    if (options->payload_bytes != 0 && options->payload_bytes != row->payload_bytes)
        return 0;
    return options->batch == 0 || options->batch == row->batch;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "peers: layer 0 beside the rings of others");
    if (options.depth != 0 && options.depth != BENCH_PEER_SLOTS) {
        fprintf(stderr, "bench: the peers have %u slots, and no others\n", BENCH_PEER_SLOTS);
        return 2;
    }
    if (count_peers() == 0) {
        printf("skipped: no peer is in this build; ./dev bench peers installs them\n");
        return 77;
    }
    bench_options_need_two_cpus();
    keep_output();
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (wants(&options, &rows[i]) && run(&options, &rows[i]) != 0)
            return 1;
    return 0;
}
