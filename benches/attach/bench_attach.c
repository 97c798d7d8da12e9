/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long it takes to join a ring of 64 MiB, as a consumer and as the producer, against mapping
 * that much shared memory and touching its pages. The ring maps its cells twice, so that events are
 * contiguous where it wraps: twice_ns is the same of two mappings.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include "clock.h"
#include "layers.h"
#include "options.h"
#include "report.h"
#include "runs.h"
#include "stats.h"

#define RING_BYTES (UINT64_C(64) << 20)
#define TRIES      3 /* a window */

/*
 * Each subject joins once in ask(), which returns how long it took, and leaves in send(). All of it
 * is done by side 0; the other process looks on.
 */

struct joined {
    struct lam_ring ring; /* the creator's */
    struct lam_ring mine;
    struct lam_ring_consumer consumer;
    struct lam_ring_producer producer;
};

static int open_ring(struct bench_lane *lane)
{
    struct joined *joined = bench_private_memory(sizeof(*joined));
    struct lam_ring_options options = {
        .backing = LAM_BACKING_MEMFD, .name = "bench.attach", .depth = lane->shape.depth};
    struct lam_error error = {""};

    lane->state = joined;
    return bench_said(lam_ring_create(&joined->ring, &options, &error), &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct joined *joined = lane->state;

    lam_ring_detach(&joined->ring);
}

static void map(struct joined *joined, enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access};
    struct lam_error error = {""};
    int data_fd, control_fd;

    lam_ring_fds(&joined->ring, &data_fd, &control_fd);
    bench_must(bench_said(
        lam_ring_attach_fds(&joined->mine, data_fd, control_fd, &options, &error), &error));
}

static uint64_t join_consumer(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct joined *joined = lane->state;
    uint64_t started_ns = bench_now_ns();

    map(joined, LAM_ACCESS_READ);
    bench_must(lam_ring_consumer_attach(&joined->consumer, &joined->mine, NULL, NULL));
    return bench_now_ns() - started_ns;
}

static void leave_consumer(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct joined *joined = lane->state;

    lam_ring_consumer_detach(&joined->consumer);
    lam_ring_detach(&joined->mine);
}

static uint64_t join_producer(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct joined *joined = lane->state;
    uint64_t started_ns = bench_now_ns();

    map(joined, LAM_ACCESS_WRITE);
    bench_must(lam_ring_producer_attach(&joined->producer, &joined->mine, NULL, NULL));
    return bench_now_ns() - started_ns;
}

static void leave_producer(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct joined *joined = lane->state;

    lam_ring_producer_detach(&joined->producer);
    lam_ring_detach(&joined->mine);
}

static const struct bench_subject consumer = {.name = "consumer",
    .layer = 0,
    .open = open_ring,
    .detach = detach,
    .ask = join_consumer,
    .send = leave_consumer};
static const struct bench_subject producer = {.name = "producer",
    .layer = 0,
    .open = open_ring,
    .detach = detach,
    .ask = join_producer,
    .send = leave_producer};

/* The probe. */

struct mapped {
    int fd;
    int protection;
    void *at[2];
};

static int open_object(struct bench_lane *lane, int protection)
{
    struct mapped *mapped = bench_private_memory(sizeof(*mapped));

    lane->state = mapped;
    mapped->protection = protection;
    mapped->fd = memfd_create("bench.map", MFD_CLOEXEC);
    if (mapped->fd < 0 || posix_fallocate(mapped->fd, 0, (off_t)RING_BYTES) != 0)
        return -ENOMEM;
    return 0;
}

static int open_to_read(struct bench_lane *lane)
{
    return open_object(lane, PROT_READ);
}

static int open_to_write(struct bench_lane *lane)
{
    return open_object(lane, PROT_READ | PROT_WRITE);
}

static void close_object(struct bench_lane *lane, uint32_t side)
{
    struct mapped *mapped = lane->state;

    close(mapped->fd);
}

static void *map_one(const struct mapped *mapped)
{
    void *at = mmap(NULL, RING_BYTES, mapped->protection, MAP_SHARED | MAP_POPULATE, mapped->fd, 0);

    bench_must(at == MAP_FAILED ? -errno : 0);
    return at;
}

/* @count: how many mappings of the one object. */
static uint64_t map_all(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct mapped *mapped = lane->state;
    uint64_t started_ns = bench_now_ns();

    for (uint64_t i = 0; i < count; i++)
        mapped->at[i] = map_one(mapped);
    return bench_now_ns() - started_ns;
}

static void unmap_all(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct mapped *mapped = lane->state;

    for (uint64_t i = 0; i < count; i++)
        munmap(mapped->at[i], RING_BYTES);
}

static const struct bench_subject map_read = {.name = "map_read",
    .layer = -1,
    .open = open_to_read,
    .detach = close_object,
    .ask = map_all,
    .send = unmap_all};
static const struct bench_subject map_write = {.name = "map_write",
    .layer = -1,
    .open = open_to_write,
    .detach = close_object,
    .ask = map_all,
    .send = unmap_all};

/* Reading 0: ns to join. Reading 1, of the probe: ns of two mappings. */

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan->single_count = TRIES;
}

static double least_of(struct bench_lane *lane, uint64_t count, uint64_t mappings)
{
    double times[TRIES];

    for (uint64_t i = 0; i < count; i++) {
        times[i] = (double)lane->subject->ask(lane, mappings, 0);
        lane->subject->send(lane, mappings, 0);
    }
    return bench_quantile(times, (uint32_t)count, 0);
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];

    readings[0] = least_of(lane, plan->single_count, 1);
    readings[1] = lane->subject->layer < 0 ? least_of(lane, plan->single_count, 2) : 0;
}

static const struct bench_measure measure = {plan, run_window, 1};

static void report(const struct bench_campaign *campaign, uint32_t lane, uint32_t probe)
{
    double twice_ns = bench_campaign_median(campaign, probe, 1);

    bench_report_begin("attach", NULL, &campaign->lanes[lane]);
    bench_report_text("end", campaign->lanes[lane].subject->name);
    bench_report_count("ring_bytes", RING_BYTES);
    bench_report_number("attach_ns", bench_campaign_median(campaign, lane, 0), 0);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 0);
    bench_report_number("twice_ns", twice_ns, 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_ratio("ratio_twice", bench_campaign_median(campaign, lane, 0) / twice_ns);
    bench_report_end(campaign, lane, probe);
}

int main(int argc, char **argv)
{
    static struct bench_campaign campaign;
    struct bench_options options;
    struct bench_shape shape = {.batch = 1, .cell_bytes = 64, .readers = 1};
    uint32_t read_lane, write_lane, read_probe, write_probe;

    bench_options_read(&options, argc, argv, "attach: how long it takes to join 64 MiB");
    bench_options_need_two_cpus();
    shape.depth = RING_BYTES / shape.cell_bytes;
    bench_run_init(&campaign, &measure, &options);
    read_lane = bench_campaign_add(&campaign, &consumer, &shape);
    write_lane = bench_campaign_add(&campaign, &producer, &shape);
    read_probe = bench_campaign_add(&campaign, &map_read, &shape);
    write_probe = bench_campaign_add(&campaign, &map_write, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(&options, 2)) != 0)
        return 1;
    report(&campaign, read_lane, read_probe);
    report(&campaign, write_lane, write_probe);
    return 0;
}
