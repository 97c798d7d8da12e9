/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's calls, plain, within a call, and through stages, against raw calls of the same
 * function of the same file, found by dlsym(). Who calls reads nothing of the answer: the copy is
 * the function's.
 */
#include "module.h"

#include "clock.h"
#include "layers.h"
#include "report.h"
#include "stats.h"

#define SAMPLES_MAX 8192
#define GROUP_NS    4000
#define PLAN_NS     50000

static const uint32_t payloads[] = {0, 64, 256, 1024, 4096}; /* those that memlink publishes */
#define PAYLOAD_COUNT (sizeof(payloads) / sizeof(payloads[0]))

static double samples[SAMPLES_MAX];

static int open_nothing(struct bench_lane *lane)
{
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side, const char *method)
{
    if (side != 0)
        return 0;
    lane->state = bench_private_memory(sizeof(struct module_caller));
    module_caller_open(lane->state, method, lane->shape.payload_bytes);
    return 0;
}

static int attach_echo(struct bench_lane *lane, uint32_t side)
{
    return attach(lane, side, "echo");
}

static int attach_relay(struct bench_lane *lane, uint32_t side)
{
    return attach(lane, side, "relay");
}

static int attach_guarded(struct bench_lane *lane, uint32_t side)
{
    if (side != 0)
        return 0;
    lane->state = bench_private_memory(sizeof(struct module_caller));
    module_caller_open_guarded(lane->state, lane->shape.payload_bytes);
    return 0;
}

static uint64_t ask_raw(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    module_caller_run_raw(lane->state, count);
    return 0;
}

static const struct bench_subject subjects[] = {
    {.name = "plain",
        .layer = MODULE_LAYER,
        .open = open_nothing,
        .attach = attach_echo,
        .detach = module_caller_detach,
        .ask = module_caller_ask,
        .receive = module_caller_look},
    {.name = "nested",
        .layer = MODULE_LAYER,
        .open = open_nothing,
        .attach = attach_relay,
        .detach = module_caller_detach,
        .ask = module_caller_ask,
        .receive = module_caller_look},
    {.name = "guarded",
        .layer = MODULE_LAYER,
        .open = open_nothing,
        .attach = attach_guarded,
        .detach = module_caller_detach,
        .ask = module_caller_ask,
        .receive = module_caller_look},
    {.name = "raw_call",
        .layer = -1,
        .open = open_nothing,
        .attach = attach_echo,
        .detach = module_caller_detach,
        .ask = ask_raw,
        .receive = module_caller_look},
};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))
#define RAW           (SUBJECT_COUNT - 1)

static double time_calls(struct bench_lane *lane, uint64_t count)
{
    uint64_t started_ns = bench_now_ns();

    lane->subject->ask(lane, count, 0);
    return (double)(bench_now_ns() - started_ns);
}

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    uint64_t count = 16;
    double took_ns;

    do {
        count *= 2;
        took_ns = time_calls(&crew->lanes[lane_index], count);
    } while (took_ns < PLAN_NS);
    plan->per_group = (uint64_t)(GROUP_NS * (double)count / took_ns) + 1;
    plan->group_count = window_ns / GROUP_NS + 1;
    plan->single_count = (uint64_t)((double)window_ns / 8 * (double)count / took_ns) + 100;
    if (plan->single_count > SAMPLES_MAX)
        plan->single_count = SAMPLES_MAX;
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];

    (void)time_calls(lane, plan->per_group * 4);
    for (uint64_t i = 0; i < plan->group_count; i++)
        samples[i] = time_calls(lane, plan->per_group) / (double)plan->per_group;
    readings[0] = bench_quantile(samples, (uint32_t)plan->group_count, 0.5);
    for (uint64_t i = 0; i < plan->single_count; i++)
        samples[i] = time_calls(lane, 1) - bench_measure_clock_ns();
    readings[1] = bench_quantile(samples, (uint32_t)plan->single_count, 0.99);
    if (lane->subject->receive != NULL)
        (void)lane->subject->receive(lane, 0);
}

const struct bench_measure module_measure_alone = {plan, run_window, 1};

static void report(const struct bench_campaign *campaign, const uint32_t *lanes, uint32_t subject)
{
    uint32_t lane = lanes[subject], probe = lanes[RAW];

    bench_report_begin("module", "call", &campaign->lanes[lane]);
    bench_report_text("call", subjects[subject].name);
    bench_report_number("call_ns", bench_campaign_median(campaign, lane, 0), 2);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", subjects[RAW].name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 2);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_ratio("ratio_plain", bench_campaign_ratio(campaign, lane, lanes[0]));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    uint32_t lanes[PAYLOAD_COUNT][SUBJECT_COUNT] = {{0}};

    module_begin(&campaign, &module_measure_alone, options);
    for (uint32_t i = 0; i < PAYLOAD_COUNT; i++) {
        struct bench_shape shape = {.payload_bytes = payloads[i], .batch = 1, .readers = 1};

        if (options->payload_bytes != 0 && options->payload_bytes != payloads[i])
            continue;
        for (uint32_t k = 0; k < SUBJECT_COUNT; k++)
            lanes[i][k] = bench_campaign_add(&campaign, &subjects[k], &shape);
    }
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < PAYLOAD_COUNT; i++)
        for (uint32_t k = 0; k < RAW && lanes[i][k] != 0; k++)
            report(&campaign, lanes[i], k);
    return 0;
}

const struct module_part module_calls = {"call", run};
