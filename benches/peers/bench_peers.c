/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 0 beside the rings of others, layer 1 beside their transports: round trips and streams over
 * the same bytes, between the same two processes, in the same windows. One line for each row and
 * peer; a peer that this build lacks is named on standard error, with the reason.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chart.h"
#include "clock.h"
#include "layers.h"
#include "options.h"
#include "payload.h"
#include "peers.h"
#include "peers_chart.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* A dozen campaigns of some fifteen lanes at level 1, within five minutes. */
#define WINDOWS_OF_MANY   15
#define BUDGET_OF_MANY_NS UINT64_C(15000000000)

/* Peers that map their memory as it is touched have done so for some laps then. */
#define SETTLE_NS (20 * BENCH_NS_PER_MS)

static const struct row {
    uint32_t level, payload_bytes, batch; /* batch 0: round trips */
} rows[] = {{0, 48, 0}, {0, 8, 0}, {0, 48, 1}, {0, 48, 8}, {0, 48, 32}, {0, 8, 1}, {0, 8, 8},
    {0, 8, 32}, {1, 64, 0}, {1, 64, 1}, {1, 1024, 0}, {1, 1024, 1}, {1, 4096, 0}, {1, 4096, 1},
    {1, 32768, 0}, {1, 32768, 1}, {1, 131072, 0}, {1, 131072, 1}, {1, BENCH_PAYLOAD_BYTES_MAX, 0},
    {1, BENCH_PAYLOAD_BYTES_MAX, 1}};

struct lanes {
    uint32_t ours, probe, stamped, cursor;
    uint32_t peers[BENCH_LANES_MAX]; /* by index in bench_peers; 0: not in this row */
};

static int wants_peer(const struct bench_options *options, const struct bench_peer *peer)
{
    return options->part == NULL || strcmp(options->part, peer->name) == 0;
}

static void add_probes(struct bench_campaign *campaign, const struct row *row,
    const struct bench_shape *shape, struct lanes *lanes)
{
    struct bench_shape word_shape = *shape;

    word_shape.payload_bytes = BENCH_WORD_BYTES;
    if (row->level == 0 || row->batch != 0)
        lanes->stamped = bench_campaign_add(campaign, &bench_probe_stamped, shape);
    if (row->level == 0)
        lanes->cursor = bench_campaign_add(campaign, &bench_probe_cursor, shape);
    if (row->batch == 0 && row->level == 0)
        lanes->probe = bench_campaign_add(campaign, &bench_probe_bounce2, &word_shape);
    else if (row->batch == 0)
        lanes->probe = bench_campaign_add(campaign, &bench_probe_buffer2, shape);
    else
        lanes->probe = lanes->stamped;
}

static void add_lanes(struct bench_campaign *campaign, const struct bench_options *options,
    const struct row *row, const struct bench_shape *shape, struct lanes *lanes)
{
    const struct bench_subject *ours = row->level == 0 ? &bench_ring : bench_peers_framed;

    lanes->ours = bench_campaign_add(campaign, ours, shape);
    add_probes(campaign, row, shape, lanes);
    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (bench_peer_has(&bench_peers[i], row->level, row->payload_bytes) &&
            wants_peer(options, &bench_peers[i]))
            lanes->peers[i] = bench_campaign_add(campaign, bench_peers[i].subject, shape);
}

static void report_trip(
    const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t peer)
{
    bench_report_number("p50_ns", bench_campaign_median(campaign, lanes->ours, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lanes->ours, 1), 1);
    bench_report_number("peer_ns", bench_campaign_median(campaign, peer, 0), 1);
    bench_report_number("peer_p99_ns", bench_campaign_median(campaign, peer, 1), 1);
    bench_report_text("probe", campaign->lanes[lanes->probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, lanes->probe, 0), 1);
}

static void report_stream(
    const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t peer)
{
    bench_report_count("batch", campaign->lanes[lanes->ours].shape.batch);
    bench_report_number("msgs_per_s", bench_campaign_median(campaign, lanes->ours, 0), 0);
    bench_report_number("peer_per_s", bench_campaign_median(campaign, peer, 0), 0);
    bench_report_text("probe", campaign->lanes[lanes->probe].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(campaign, lanes->probe, 0), 0);
}

static void report(const struct bench_campaign *campaign, const struct row *row,
    const struct lanes *lanes, uint32_t index)
{
    uint32_t peer = lanes->peers[index];

    bench_report_begin(
        "peers", row->batch == 0 ? "handoff" : "throughput", &campaign->lanes[lanes->ours]);
    bench_report_text("peer", bench_peers[index].name);
    bench_report_text(
        "peer_mode", row->batch > 1 && bench_peers[index].batches ? "batches" : "one by one");
    if (row->batch == 0)
        report_trip(campaign, lanes, peer);
    else
        report_stream(campaign, lanes, peer);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lanes->ours, lanes->probe));
    bench_report_ratio("ratio_peer", bench_campaign_ratio(campaign, lanes->ours, peer));
    bench_report_number("spread_peer", bench_campaign_spread(campaign, lanes->ours, peer), 3);
    bench_report_end(campaign, lanes->ours, lanes->probe);
}

/* Every lane of a row of level 1 is a point of the picture. */
static void keep_points(
    const struct bench_campaign *campaign, const struct row *row, struct bench_points *points)
{
    for (uint32_t lane = 1; lane < campaign->lane_count; lane++) {
        double value = bench_campaign_median(campaign, lane, 0);
        struct bench_point *point = bench_points_add(
            points, campaign->lanes[lane].subject->name, row->payload_bytes, row->batch != 0);

        point->value = row->batch != 0 ? value * row->payload_bytes : value;
        point->spread = bench_campaign_spread(campaign, lane, 0);
        point->is_clean = bench_campaign_clean_count(campaign, lane, 0) != 0;
    }
}

static int run(
    const struct bench_options *options, const struct row *row, struct bench_points *points)
{
    static struct bench_campaign campaign;
    struct bench_options fitted = *options;
    struct lanes lanes = {0};
    struct bench_shape shape;
    int trips = row->batch == 0;

    /* As the slots of the others are: no larger than the event. */
    if (fitted.cell_bytes == 0 && row->payload_bytes <= 16)
        fitted.cell_bytes = 32;
    bench_run_shape(&shape, &fitted, row->payload_bytes, trips ? 1 : row->batch, 1);
    bench_run_init(&campaign, trips ? &bench_measure_handoff : &bench_measure_throughput, options);
    if (row->level == 1 && !options->quick && options->windows == 0) {
        campaign.wanted_rounds = WINDOWS_OF_MANY;
        campaign.budget_ns = BUDGET_OF_MANY_NS;
    }
    if (row->level == 1)
        campaign.settle_ns = options->quick ? 2 * BENCH_NS_PER_MS : SETTLE_NS;
    add_lanes(&campaign, options, row, &shape, &lanes);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    if (!trips && row->level == 0)
        lanes.probe = bench_run_stream_probe(&campaign, lanes.stamped, lanes.cursor);
    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (lanes.peers[i] != 0)
            report(&campaign, row, &lanes, i);
    if (row->level == 1)
        keep_points(&campaign, row, points);
    return 0;
}

/*
 * Each row in a process of its own: libraries with threads cannot begin anew behind a fork, and
 * none of them leaves anything to the next row.
 */
static int run_apart(
    const struct bench_options *options, const struct row *row, struct bench_points *points)
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        status = run(options, row, points);
        fflush(NULL);
        _exit(status);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    bench_peers_clean(pid);
    if (status != 0)
        fprintf(
            stderr, "bench: the row of %u bytes failed, status %#x\n", row->payload_bytes, status);
    return status != 0;
}

/* Says which are missing. Returns how many are there. */
static uint32_t count_peers(const struct bench_options *options)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (!wants_peer(options, &bench_peers[i]))
            continue;
        else if (bench_peers[i].subject != NULL)
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
    if (row->level == 1 && bench_peers_framed == NULL)
        return 0;
    if (options->layer >= 0 && options->layer != (int)row->level)
        return 0;
    if (options->payload_bytes != 0)
        return options->payload_bytes == row->payload_bytes;
    if (options->batch != 0 && options->batch != row->batch)
        return 0;
    /* Is it alive, not how fast. */
    return !options->quick || row->level == 0 || row->payload_bytes == 64 ||
           row->payload_bytes == 131072;
}

static int has_peers(const struct bench_options *options, const struct row *row)
{
    for (uint32_t i = 0; i < bench_peer_count; i++)
        if (bench_peer_has(&bench_peers[i], row->level, row->payload_bytes) &&
            wants_peer(options, &bench_peers[i]))
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    struct bench_points *points;
    int failed = 0;

    bench_options_read(
        &options, argc, argv, "peers: layers 0 and 1 beside the rings and transports of others");
    if (options.depth != 0 && options.depth != BENCH_PEER_SLOTS && options.layer != 1) {
        fprintf(stderr, "bench: the rings have %u slots, and no others\n", BENCH_PEER_SLOTS);
        return 2;
    }
    if (count_peers(&options) == 0) {
        fprintf(stderr, "bench: no peer is called %s\n", options.part ? options.part : "");
        return 2;
    }
    bench_options_need_two_cpus();
    keep_output();
    bench_campaign_share();
    points = bench_shared_memory(sizeof(*points));
    bench_points_init(points);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (wants(&options, &rows[i]) && has_peers(&options, &rows[i]))
            failed |= run_apart(&options, &rows[i], points);
    if (points->count == 0 || (options.folder == NULL && (options.quick || options.part)))
        return failed;
    /* A program that was carried to another machine has no build folder there. */
    if (options.folder == NULL)
        options.folder = access(BENCH_BINARY_DIR, W_OK) == 0 ? BENCH_BINARY_DIR : ".";
    bench_points_sort(points);
    return bench_chart_save(points, &peers_chart, options.folder, "peers") != 0 || failed;
}
