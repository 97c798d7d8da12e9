/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question and its answer over a Unix socket of packets, to another process, whose ends sleep or
 * ask again and again: what a module in a process of its own would cost without shared memory.
 * Beside it two bare buffers, and layer 3 where it is.
 */
#include "module.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "layers.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

#define PAYLOAD_BYTES 64

struct ends {
    int fds[2];
    uint8_t packet[PAYLOAD_BYTES];
};

static int open_ends(struct bench_lane *lane, int flags)
{
    struct ends *ends = bench_private_memory(sizeof(*ends));

    lane->state = ends;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, ends->fds) != 0 ? -errno
                                                                                         : 0;
}

static int open_asleep(struct bench_lane *lane)
{
    return open_ends(lane, 0);
}

static int open_asking(struct bench_lane *lane)
{
    return open_ends(lane, SOCK_NONBLOCK);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    const struct ends *ends = lane->state;

    close(ends->fds[0]);
    close(ends->fds[1]);
}

static void put(struct ends *ends, uint32_t side, uint64_t value)
{
    bench_fill(ends->packet, PAYLOAD_BYTES, value);
    bench_must(send(ends->fds[side], ends->packet, PAYLOAD_BYTES, MSG_NOSIGNAL) == PAYLOAD_BYTES
                   ? 0
                   : -errno);
}

static uint64_t get(struct ends *ends, uint32_t side)
{
    uint32_t looks = 0;
    ssize_t got;

    while ((got = recv(ends->fds[side], ends->packet, PAYLOAD_BYTES, 0)) < 0 && errno == EAGAIN)
        bench_pause(&looks);
    bench_must(got == PAYLOAD_BYTES ? 0 : -EIO);
    return bench_sum(ends->packet, PAYLOAD_BYTES);
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        put(lane->state, 0, value);
        value = get(lane->state, 0);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        value = get(lane->state, 1);
        put(lane->state, 1, value);
    }
    return value;
}

static const struct bench_subject asleep = {.name = "sleeps",
    .layer = -1,
    .open = open_asleep,
    .detach = detach,
    .ask = ask,
    .answer = answer};
static const struct bench_subject asking = {.name = "asks",
    .layer = -1,
    .open = open_asking,
    .detach = detach,
    .ask = ask,
    .answer = answer};

static void report(
    const struct bench_campaign *campaign, uint32_t lane, uint32_t probe, uint32_t zerocopy)
{
    bench_report_begin("module", "socket", &campaign->lanes[lane]);
    bench_report_text("waiting", campaign->lanes[lane].subject->name);
    bench_report_number("p50_ns", bench_campaign_median(campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    if (zerocopy != 0) {
        bench_report_number("zerocopy_ns", bench_campaign_median(campaign, zerocopy, 0), 1);
        bench_report_ratio("ratio_zerocopy", bench_campaign_ratio(campaign, lane, zerocopy));
    }
    bench_report_end(campaign, lane, probe);
}

/* The main subject of layer 3, where the package has it. */
static uint32_t add_zerocopy(struct bench_campaign *campaign, const struct bench_shape *shape)
{
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_layers[i].subject->layer == 3 && bench_layers[i].variant == NULL)
            return bench_campaign_add(campaign, bench_layers[i].subject, shape);
    return 0;
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    uint32_t lanes[2], probe, zerocopy;

    bench_run_shape(&shape, options, PAYLOAD_BYTES, 1, 1);
    module_begin(&campaign, &bench_measure_handoff, options);
    lanes[0] = bench_campaign_add(&campaign, &asleep, &shape);
    lanes[1] = bench_campaign_add(&campaign, &asking, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_buffer2, &shape);
    zerocopy = add_zerocopy(&campaign, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report(&campaign, lanes[0], probe, zerocopy);
    report(&campaign, lanes[1], probe, zerocopy);
    return 0;
}

const struct module_part module_socket = {"socket", run};
