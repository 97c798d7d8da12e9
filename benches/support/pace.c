/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows in which not both sides are busy: a sender alone, a sender at a steady pace, a sender
 * that is mostly idle.
 */
#include <time.h>

#include "clock.h"
#include "measure.h"
#include "payload.h"
#include "stats.h"

#define SAMPLE_COUNT_MAX 4096

/* A sender alone. */

static double time_sends(struct bench_crew *crew, uint32_t lane_index, uint64_t count)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t started_ns = bench_now_ns();

    lane->subject->send(lane, count, BENCH_SEED);
    return (double)(bench_now_ns() - started_ns);
}

/* At least a lap of the ring, so that each window has its bookkeeping in it. */
static void plan_publish(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    uint64_t count = crew->lanes[lane_index].shape.depth;
    double took_ns = time_sends(crew, lane_index, count);

    took_ns = time_sends(crew, lane_index, count);
    plan->message_count = count;
    if (took_ns < (double)window_ns)
        plan->message_count = (uint64_t)((double)count * (double)window_ns / took_ns);
}

static void run_publish(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    (void)time_sends(crew, lane_index, crew->lanes[lane_index].shape.depth);
    readings[0] = time_sends(crew, lane_index, plan->message_count) / (double)plan->message_count;
    readings[1] = 0;
}

const struct bench_measure bench_measure_publish = {plan_publish, run_publish, 1};

/* A sender at a steady pace. */

static void plan_trips(struct bench_plan *plan, uint64_t window_ns, uint64_t pace_ns)
{
    plan->single_count = window_ns / pace_ns + 8;
    if (plan->single_count > SAMPLE_COUNT_MAX)
        plan->single_count = SAMPLE_COUNT_MAX;
}

static void run_trips(struct bench_crew *crew, uint32_t lane_index, uint64_t count,
    uint64_t pace_ns, double readings[BENCH_READING_COUNT])
{
    static double samples[SAMPLE_COUNT_MAX];
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t value = BENCH_SEED, due_ns, warm_count = 16;

    bench_crew_order(crew, BENCH_ORDER_ANSWER, lane_index, warm_count + count);
    value = lane->subject->ask(lane, warm_count, value);
    due_ns = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t started_ns;

        due_ns += pace_ns;
        while ((started_ns = bench_now_ns()) < due_ns)
            lam_pause();
        value = lane->subject->ask(lane, 1, value);
        samples[i] = (double)(bench_now_ns() - started_ns) - bench_measure_clock_ns();
    }
    bench_measure_check(
        lane, value, bench_payload_expected(lane->shape.payload_bytes, bench_crew_finish(crew)));
    readings[0] = bench_middle(samples, (uint32_t)count);
    readings[1] = bench_quantile(samples, (uint32_t)count, 0.99);
}

static void plan_paced(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan_trips(plan, window_ns, BENCH_PACE_NS);
}

static void run_paced(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    run_trips(crew, lane_index, plan->single_count, BENCH_PACE_NS, readings);
}

const struct bench_measure bench_measure_paced = {plan_paced, run_paced, 0};

static void plan_asleep(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan_trips(plan, window_ns, BENCH_ASLEEP_NS);
}

static void run_asleep(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    run_trips(crew, lane_index, plan->single_count, BENCH_ASLEEP_NS, readings);
}

const struct bench_measure bench_measure_asleep = {plan_asleep, run_asleep, 1};

/* A sender that is mostly idle, and sleeps itself. */

static void plan_idle(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan->message_count = window_ns / BENCH_IDLE_NS + 3;
}

static void sleep_until(uint64_t due_ns)
{
    struct timespec due = {
        .tv_sec = (time_t)(due_ns / BENCH_NS_PER_S), .tv_nsec = (long)(due_ns % BENCH_NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
        continue;
}

static void run_idle(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t count = plan->message_count, started_ns, due_ns, sum;

    bench_crew_order(crew, BENCH_ORDER_RECEIVE, lane_index, count);
    due_ns = started_ns = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        due_ns += BENCH_IDLE_NS;
        sleep_until(due_ns);
        lane->subject->send(lane, 1, BENCH_SEED + i);
    }
    sum = bench_crew_finish(crew);
    started_ns = bench_now_ns() - started_ns;
    bench_measure_check(
        lane, sum, bench_payload_expected_run(lane->shape.payload_bytes, BENCH_SEED, count));
    readings[0] = (double)bench_crew_cpu_us(crew) * 100e3 / (double)started_ns;
    readings[1] = (double)bench_crew_cpu_us(crew) / (double)count;
}

const struct bench_measure bench_measure_idle = {plan_idle, run_idle, 1};
