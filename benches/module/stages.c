/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage costs a call that it helps nothing: a cache that has the answer, retries of a call
 * that succeeds, hedging of one that answers in time; each beside the same call without it.
 */
#include "module.h"

#include "lamina/runtime/cache.h"
#include "lamina/runtime/retry.h"

#include "layers.h"
#include "report.h"

#define PAYLOAD_BYTES 64

static int open_nothing(struct bench_lane *lane)
{
    return 0;
}

static int attach(
    struct bench_lane *lane, uint32_t side, void (*start)(struct module_caller *, uint32_t))
{
    if (side != 0)
        return 0;
    lane->state = bench_private_memory(sizeof(struct module_caller));
    start(lane->state, lane->shape.payload_bytes);
    return 0;
}

static void start_plain(struct module_caller *caller, uint32_t bytes)
{
    module_caller_open(caller, "echo", bytes);
}

static void start_cached(struct module_caller *caller, uint32_t bytes)
{
    static const char *const methods[] = {"echo"};
    struct lam_cache_options cache = {.methods = methods, .method_count = 1};
    struct lam_module_options options = {.cache = &cache};

    module_caller_open_as(caller, bytes, &options);
}

static void start_retried(struct module_caller *caller, uint32_t bytes)
{
    struct lam_retry_options retry = {.tries_max = 3};
    struct lam_module_options options = {.retry = &retry};

    module_caller_open_as(caller, bytes, &options);
}

static void start_hedged(struct module_caller *caller, uint32_t bytes)
{
    struct lam_retry_options retry = {.hedge_ns = LAM_NS_PER_S};
    struct lam_module_options options = {.retry = &retry};

    module_caller_open_as(caller, bytes, &options);
}

static int attach_plain(struct bench_lane *lane, uint32_t side)
{
    return attach(lane, side, start_plain);
}

static int attach_cached(struct bench_lane *lane, uint32_t side)
{
    return attach(lane, side, start_cached);
}

static int attach_retried(struct bench_lane *lane, uint32_t side)
{
    return attach(lane, side, start_retried);
}

static int open_plain_beside(struct bench_lane *lane)
{
    return module_beside_open(lane, start_plain);
}

static int open_hedged_beside(struct bench_lane *lane)
{
    return module_beside_open(lane, start_hedged);
}

#define ALONE(its_name, its_layer, its_attach)                                                     \
    {                                                                                              \
        .name = (its_name), .layer = (its_layer), .open = open_nothing, .attach = (its_attach),    \
        .detach = module_caller_detach, .ask = module_caller_ask, .receive = module_caller_look    \
    }
#define BESIDE(its_name, its_layer, its_open)                                                      \
    {                                                                                              \
        .name = (its_name), .layer = (its_layer), .open = (its_open),                              \
        .detach = module_beside_detach, .ask = module_beside_ask,                                  \
        .answer = module_elsewhere_answer, .threads = 1                                            \
    }

/* Of each the first is the probe. */
static const struct bench_subject in_thread[] = {ALONE("plain_call", -1, attach_plain),
    ALONE("cached", MODULE_LAYER, attach_cached), ALONE("retried", MODULE_LAYER, attach_retried)};
static const struct bench_subject with_threads[] = {BESIDE("plain_call", -1, open_plain_beside),
    BESIDE("hedged", MODULE_LAYER, open_hedged_beside)};

#define LANES_MAX 3

static int run_some(const struct bench_options *options, const struct bench_measure *measure,
    const struct bench_subject *subjects, uint32_t count)
{
    static struct bench_campaign campaign;
    const struct bench_shape shape = {.payload_bytes = PAYLOAD_BYTES, .batch = 1, .readers = 1};
    uint32_t lanes[LANES_MAX];

    module_begin(&campaign, measure, options);
    for (uint32_t i = 0; i < count; i++)
        lanes[i] = bench_campaign_add(&campaign, &subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 1; i < count; i++) {
        bench_report_begin("module", "stage", &campaign.lanes[lanes[i]]);
        bench_report_text("stage", subjects[i].name);
        bench_report_number("call_ns", bench_campaign_median(&campaign, lanes[i], 0), 2);
        bench_report_number("p99_ns", bench_campaign_median(&campaign, lanes[i], 1), 1);
        bench_report_text("probe", subjects[0].name);
        bench_report_number("probe_ns", bench_campaign_median(&campaign, lanes[0], 0), 2);
        bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lanes[i], lanes[0]));
        bench_report_end(&campaign, lanes[i], lanes[0]);
    }
    return 0;
}

static int run(const struct bench_options *options)
{
    if (run_some(options, &module_measure_alone, in_thread, 3) != 0)
        return 1;
    return run_some(options, &module_measure_beside, with_threads, 2);
}

const struct module_part module_stages = {"stage", run};
