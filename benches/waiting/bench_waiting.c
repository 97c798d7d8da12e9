/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waiting costs. sleep: a round trip of ends that are asleep when it begins, over bare futex
 * words. paced: round trips 10 us apart, of ends that spin and of ends that may sleep, over the
 * bare stamped ring. idle: CPU time of a reader that gets an event every 10 ms, over a bare futex.
 */
#include "clock.h"
#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* A sleep takes long, and an idle reader is measured over many of them. */
#define SLEEP_WINDOW_NS (20 * BENCH_NS_PER_MS)
#define PACED_WINDOW_NS (10 * BENCH_NS_PER_MS)
#define IDLE_WINDOW_NS  (170 * BENCH_NS_PER_MS)
#define IDLE_WINDOWS    11

static struct bench_campaign campaign;

static void begin(const struct bench_options *options, const struct bench_measure *measure,
    uint64_t window_ns, struct bench_shape *shape)
{
    bench_run_shape(
        shape, options, options->payload_bytes ? options->payload_bytes : BENCH_EVENT_BYTES, 1, 1);
    bench_run_init(&campaign, measure, options);
    if (!options->quick)
        campaign.window_ns = window_ns;
}

static int sleep_at_once(const struct bench_options *options)
{
    struct bench_shape shape;
    uint32_t lane, probe;

    begin(options, &bench_measure_asleep, SLEEP_WINDOW_NS, &shape);
    lane = bench_campaign_add(&campaign, &bench_ring_futex, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_sleeper, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    bench_report_begin("waiting", "sleep", &campaign.lanes[lane]);
    bench_report_text("waiting", "futex");
    bench_report_count("pace_ns", BENCH_ASLEEP_NS);
    bench_report_number("p50_ns", bench_campaign_median(&campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(&campaign, lane, 1), 1);
    bench_report_text("probe", campaign.lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(&campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lane, probe));
    bench_report_end(&campaign, lane, probe);
    return 0;
}

static void report_paced(uint32_t lane, uint32_t spin, uint32_t probe)
{
    bench_report_begin("waiting", "paced", &campaign.lanes[lane]);
    bench_report_text("waiting", lane == spin ? "spin" : campaign.lanes[lane].subject->name);
    bench_report_count("pace_ns", BENCH_PACE_NS);
    bench_report_number("p50_ns", bench_campaign_median(&campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(&campaign, lane, 1), 1);
    bench_report_text("probe", campaign.lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(&campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lane, probe));
    bench_report_ratio("ratio_spin", bench_campaign_ratio(&campaign, lane, spin));
    bench_report_end(&campaign, lane, probe);
}

static int paced(const struct bench_options *options)
{
    struct bench_shape shape;
    uint32_t spin, hybrid, probe;

    begin(options, &bench_measure_paced, PACED_WINDOW_NS, &shape);
    spin = bench_campaign_add(&campaign, &bench_ring, &shape);
    hybrid = bench_campaign_add(&campaign, &bench_ring_hybrid, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_stamped, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report_paced(spin, spin, probe);
    report_paced(hybrid, spin, probe);
    return 0;
}

static void report_idle(uint32_t lane, uint32_t probe)
{
    bench_report_begin("waiting", "idle", &campaign.lanes[lane]);
    bench_report_text("waiting", campaign.lanes[lane].subject->name);
    bench_report_count("pace_ns", BENCH_IDLE_NS);
    bench_report_number("cpu_percent", bench_campaign_median(&campaign, lane, 0), 3);
    bench_report_number("event_cpu_us", bench_campaign_median(&campaign, lane, 1), 1);
    bench_report_text("probe", campaign.lanes[probe].subject->name);
    bench_report_number("probe_percent", bench_campaign_median(&campaign, probe, 0), 3);
    bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lane, probe));
    bench_report_end(&campaign, lane, probe);
}

static int idle(const struct bench_options *options)
{
    struct bench_shape shape;
    uint32_t hybrid, futex, probe;

    begin(options, &bench_measure_idle, IDLE_WINDOW_NS, &shape);
    if (options->windows == 0 && !options->quick)
        campaign.wanted_rounds = IDLE_WINDOWS;
    hybrid = bench_campaign_add(&campaign, &bench_ring_hybrid, &shape);
    futex = bench_campaign_add(&campaign, &bench_ring_futex, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_sleeper, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report_idle(hybrid, probe);
    report_idle(futex, probe);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "waiting: asleep, at a steady pace, idle");
    bench_options_need_two_cpus();
    return sleep_at_once(&options) != 0 || paced(&options) != 0 || idle(&options) != 0;
}
