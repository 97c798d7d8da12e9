/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include "clock.h"
#include "layers.h"
#include "stats.h"

#define SAMPLES_MAX 8192
#define PLAN_NS     100000
#define GROUP_NS    4000
#define GROUP_MIN   4
#define SHORT_NS    100 /* below it the clock would show in a group of GROUP_MIN */

static double samples[SAMPLES_MAX];

int module_beside_open(
    struct bench_lane *lane, void (*start)(struct module_caller *caller, uint32_t bytes))
{
    struct module_beside *beside = bench_private_memory(sizeof(*beside));

    lane->state = beside;
    beside->start = start;
    return module_elsewhere_open(&beside->elsewhere);
}

void module_beside_detach(struct bench_lane *lane, uint32_t side)
{
    struct module_beside *beside = lane->state;

    if (beside->is_open)
        module_caller_close(&beside->caller);
    module_elsewhere_close(&beside->elsewhere);
}

uint64_t module_beside_ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct module_beside *beside = lane->state;

    module_caller_run(&beside->caller, count);
    return 0;
}

/* Its workers and threads run where the other process does, which sleeps meanwhile. */
static void start_there(const struct bench_crew *crew, struct bench_lane *lane)
{
    struct module_beside *beside = lane->state;

    if (beside->is_open)
        return;
    bench_cpus_pin(crew->cpus[1]);
    beside->start(&beside->caller, lane->shape.payload_bytes);
    bench_cpus_pin(crew->cpus[0]);
    beside->is_open = 1;
}

/* As bench_measure_handoff. */

static double time_calls(struct bench_lane *lane, uint64_t count)
{
    uint64_t started_ns = bench_now_ns();

    lane->subject->ask(lane, count, 0);
    return (double)(bench_now_ns() - started_ns);
}

static uint64_t at_most(double count)
{
    return count < 8 ? 8 : count > SAMPLES_MAX ? SAMPLES_MAX : (uint64_t)count;
}

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t count = 2;
    double took_ns;

    if (lane->subject->answer != module_elsewhere_answer) {
        bench_measure_handoff.plan(crew, lane_index, window_ns, plan);
        return;
    }
    module_elsewhere_begin(crew, lane_index);
    start_there(crew, lane);
    do {
        count *= 2;
        took_ns = time_calls(lane, count);
    } while (took_ns < PLAN_NS);
    module_elsewhere_end(crew, lane_index);
    took_ns /= (double)count;
    plan->per_group = took_ns < SHORT_NS ? (uint64_t)(GROUP_NS / took_ns) + 1 : GROUP_MIN;
    plan->group_count = at_most((double)window_ns / took_ns / (double)plan->per_group);
    plan->single_count = at_most((double)window_ns / took_ns / 2);
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    struct module_beside *beside = lane->state;

    if (lane->subject->answer != module_elsewhere_answer) {
        bench_measure_handoff.run(crew, lane_index, plan, readings);
        return;
    }
    module_elsewhere_begin(crew, lane_index);
    (void)time_calls(lane, plan->group_count);
    for (uint64_t i = 0; i < plan->group_count; i++)
        samples[i] = time_calls(lane, plan->per_group) / (double)plan->per_group;
    readings[0] = bench_quantile(samples, (uint32_t)plan->group_count, 0.5);
    for (uint64_t i = 0; i < plan->single_count; i++)
        samples[i] = time_calls(lane, 1) - bench_measure_clock_ns();
    readings[1] = bench_quantile(samples, (uint32_t)plan->single_count, 0.99);
    module_elsewhere_end(crew, lane_index);
    module_caller_check(&beside->caller);
}

const struct bench_measure module_measure_beside = {plan, run_window, 0};
