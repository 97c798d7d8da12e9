/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's calls of a module in two workers, by turns or to the one that has least to do,
 * beside those of a module in one worker without a pool. All workers share the other CPU.
 */
#include "module.h"

#include "lamina/runtime/pool.h"

#include "report.h"

#define WORKERS 2

static void start_one(struct module_caller *caller, uint32_t bytes)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};

    module_caller_open_as(caller, bytes, &options);
}

static void start_pool(struct module_caller *caller, uint32_t bytes, enum lam_pool_choice choice)
{
    struct lam_pool_options pool = {
        .workers_min = WORKERS, .workers_max = WORKERS, .choice = choice};
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .pool = &pool};

    module_caller_open_as(caller, bytes, &options);
}

static void start_turns(struct module_caller *caller, uint32_t bytes)
{
    start_pool(caller, bytes, LAM_POOL_ROUND_ROBIN);
}

static void start_least(struct module_caller *caller, uint32_t bytes)
{
    start_pool(caller, bytes, LAM_POOL_LEAST_LOADED);
}

static int open_one(struct bench_lane *lane)
{
    return module_beside_open(lane, start_one);
}

static int open_turns(struct bench_lane *lane)
{
    return module_beside_open(lane, start_turns);
}

static int open_least(struct bench_lane *lane)
{
    return module_beside_open(lane, start_least);
}

#define SUBJECT(its_name, its_layer, its_open)                                                     \
    {                                                                                              \
        .name = (its_name), .layer = (its_layer), .open = (its_open),                              \
        .detach = module_beside_detach, .ask = module_beside_ask,                                  \
        .answer = module_elsewhere_answer                                                          \
    }

static const struct bench_subject subjects[] = {
    SUBJECT("one_worker", -1, open_one),
    SUBJECT("round_robin", MODULE_LAYER, open_turns),
    SUBJECT("least_loaded", MODULE_LAYER, open_least),
};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static void report(const struct bench_campaign *campaign, uint32_t lane, uint32_t probe)
{
    bench_report_begin("module", "pool", &campaign->lanes[lane]);
    bench_report_text("choice", campaign->lanes[lane].subject->name);
    bench_report_count("workers", WORKERS);
    bench_report_number("p50_ns", bench_campaign_median(campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    const struct bench_shape shape = {.payload_bytes = MODULE_TRIP_BYTES, .batch = 1, .readers = 1};
    uint32_t lanes[SUBJECT_COUNT];

    module_begin(&campaign, &module_measure_beside, options);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        lanes[i] = bench_campaign_add(&campaign, &subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 1; i < SUBJECT_COUNT; i++)
        report(&campaign, lanes[i], lanes[0]);
    return 0;
}

const struct module_part module_pool = {"pool", run};
