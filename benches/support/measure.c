/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "payload.h"
#include "stats.h"

#define SAMPLE_COUNT_MAX 8192

/* A window opens with this share of its work untimed: caches and predictors settle ... */
#define WARM_UP_SHARE 8

static double samples[SAMPLE_COUNT_MAX];

void bench_measure_check(const struct bench_lane *lane, uint64_t found, uint64_t expected)
{
    if (found != expected) {
        fprintf(stderr, "bench: %s received other bytes than were sent: sum %#llx, not %#llx\n",
            lane->subject->name, (unsigned long long)found, (unsigned long long)expected);
        exit(1);
    }
}

static uint64_t bounded(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

double bench_measure_clock_ns(void)
{
    static double cost_ns;

    if (cost_ns == 0) {
        for (uint32_t i = 0; i < 1001; i++) {
            uint64_t started_ns = bench_now_ns();

            for (uint32_t k = 0; k < 15; k++)
                (void)bench_now_ns();
            samples[i] = (double)(bench_now_ns() - started_ns) / 16;
        }
        cost_ns = bench_quantile(samples, 1001, 0.5);
    }
    return cost_ns;
}

/* The least of a few tries: a plan made from a disturbed one would have windows of nothing. */
#define PLAN_TRIES 3

/* ... and with a whole lap of the ring, if not too long: then its lines are where they stay. */
static uint64_t warm_up(const struct bench_shape *shape, uint64_t count)
{
    uint64_t lap = shape->cell_bytes ? shape->depth / bench_message_cells(shape) + 1 : 1;
    uint64_t warm = count / WARM_UP_SHARE + 1;

    if (warm < lap && lap <= count)
        warm = lap;
    return (warm / shape->batch + 1) * shape->batch;
}

/* Round trips. */

static double time_round_trips(struct bench_crew *crew, uint32_t lane_index, uint64_t count)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t started_ns;

    bench_crew_order(crew, BENCH_ORDER_ANSWER, lane_index, count);
    started_ns = bench_now_ns();
    lane->subject->ask(lane, count, BENCH_SEED);
    started_ns = bench_now_ns() - started_ns;
    (void)bench_crew_finish(crew);
    return (double)started_ns;
}

double bench_measure_placement(struct bench_crew *crew)
{
    (void)time_round_trips(crew, 0, 64);
    return time_round_trips(crew, 0, 512) / 512;
}

static void plan_handoff(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    uint64_t count = 2, trip_ns;
    double took_ns;

    do {
        count *= 2;
        took_ns = time_round_trips(crew, lane_index, count);
        for (uint32_t i = 1; i < PLAN_TRIES; i++)
            took_ns = least(took_ns, time_round_trips(crew, lane_index, count));
    } while (took_ns < 100e3);
    trip_ns = (uint64_t)(took_ns / (double)count) + 1;
    plan->per_group = bounded(4000 / trip_ns, 1, 64);
    plan->group_count = bounded(window_ns / (trip_ns * plan->per_group), 8, SAMPLE_COUNT_MAX);
    plan->single_count = bounded(window_ns / 2 / trip_ns, 8, SAMPLE_COUNT_MAX);
}

static void run_handoff(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t warm_count = warm_up(&lane->shape, plan->group_count * plan->per_group);
    uint64_t value;

    bench_crew_order(crew, BENCH_ORDER_ANSWER, lane_index,
        warm_count + plan->group_count * plan->per_group + plan->single_count);
    value = lane->subject->ask(lane, warm_count, BENCH_SEED);
    for (uint64_t i = 0; i < plan->group_count; i++) {
        uint64_t started_ns = bench_now_ns();

        value = lane->subject->ask(lane, plan->per_group, value);
        samples[i] = (double)(bench_now_ns() - started_ns) / (double)plan->per_group;
    }
    readings[0] = bench_quantile(samples, (uint32_t)plan->group_count, 0.5);
    for (uint64_t i = 0; i < plan->single_count; i++) {
        uint64_t started_ns = bench_now_ns();

        value = lane->subject->ask(lane, 1, value);
        samples[i] = (double)(bench_now_ns() - started_ns) - bench_measure_clock_ns();
    }
    readings[1] = bench_quantile(samples, (uint32_t)plan->single_count, 0.99);
    bench_measure_check(
        lane, value, bench_payload_expected(lane->shape.payload_bytes, bench_crew_finish(crew)));
}

const struct bench_measure bench_measure_handoff = {plan_handoff, run_handoff, 0};

/* Streams. */

static double time_stream(
    struct bench_crew *crew, uint32_t lane_index, uint64_t count, enum bench_order order)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t started_ns, sum;

    bench_crew_order(crew, order, lane_index, count);
    started_ns = bench_now_ns();
    lane->subject->send(lane, count, BENCH_SEED);
    /* The reader's part counts, except where it has none: skimming costs the sender nothing. */
    if (order == BENCH_ORDER_RECEIVE) {
        sum = bench_crew_finish(crew);
        started_ns = bench_now_ns() - started_ns;
        bench_measure_check(lane, sum,
            crew->readers *
                bench_payload_expected_run(lane->shape.payload_bytes, BENCH_SEED, count));
    } else {
        started_ns = bench_now_ns() - started_ns;
        bench_measure_check(
            lane, bench_crew_finish(crew), count * BENCH_SEED + count * (count - 1) / 2);
    }
    return (double)started_ns;
}

static void plan_stream(struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns,
    struct bench_plan *plan, enum bench_order order)
{
    uint32_t batch = crew->lanes[lane_index].shape.batch;
    uint64_t count = 4 * (uint64_t)batch;
    double took_ns;

    do {
        count *= 2;
        took_ns = time_stream(crew, lane_index, count, order);
        for (uint32_t i = 1; i < PLAN_TRIES; i++)
            took_ns = least(took_ns, time_stream(crew, lane_index, count, order));
    } while (took_ns < 300e3);
    count = (uint64_t)((double)count * (double)window_ns / took_ns);
    plan->message_count = bounded(count / batch, 2, UINT32_MAX) * batch;
}

static void plan_throughput(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan_stream(crew, lane_index, window_ns, plan, BENCH_ORDER_RECEIVE);
}

static void run_throughput(struct bench_crew *crew, uint32_t lane_index,
    const struct bench_plan *plan, double readings[BENCH_READING_COUNT])
{
    uint64_t count = plan->message_count;
    uint64_t warm_count = warm_up(&crew->lanes[lane_index].shape, count);

    (void)time_stream(crew, lane_index, warm_count, BENCH_ORDER_RECEIVE);
    readings[0] = (double)count / time_stream(crew, lane_index, count, BENCH_ORDER_RECEIVE) * 1e9;
    readings[1] = 0;
}

const struct bench_measure bench_measure_throughput = {plan_throughput, run_throughput, 0};

/* Streams of many into one: the children send. */

static double time_gathered(struct bench_crew *crew, uint32_t lane_index, uint64_t count)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t started_ns, sum;

    bench_crew_order(crew, BENCH_ORDER_SEND, lane_index, count);
    started_ns = bench_now_ns();
    bench_crew_release(crew);
    sum = lane->subject->receive(lane, crew->readers * count);
    started_ns = bench_now_ns() - started_ns;
    (void)bench_crew_finish(crew);
    bench_measure_check(lane, sum,
        crew->readers * bench_payload_expected_run(lane->shape.payload_bytes, BENCH_SEED, count));
    return (double)started_ns;
}

static void plan_gather(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    uint64_t count = 4;
    double took_ns;

    do {
        count *= 2;
        took_ns = time_gathered(crew, lane_index, count);
        for (uint32_t i = 1; i < PLAN_TRIES; i++)
            took_ns = least(took_ns, time_gathered(crew, lane_index, count));
    } while (took_ns < 300e3);
    plan->message_count = (uint64_t)((double)count * (double)window_ns / took_ns) + 1;
}

static void run_gather(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    uint64_t count = plan->message_count;

    (void)time_gathered(crew, lane_index, count / WARM_UP_SHARE + 1);
    readings[0] = (double)(crew->readers * count) / time_gathered(crew, lane_index, count) * 1e9;
    readings[1] = 0;
}

const struct bench_measure bench_measure_gather = {plan_gather, run_gather, 0};

/* Copies. */

static void plan_copy(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan_stream(crew, lane_index, window_ns, plan, BENCH_ORDER_SKIM);
}

static void run_copy(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t count = plan->message_count;
    uint32_t round_count = 15;

    (void)time_stream(crew, lane_index, warm_up(&lane->shape, count), BENCH_ORDER_SKIM);
    readings[0] = time_stream(crew, lane_index, count, BENCH_ORDER_SKIM) / (double)count;
    for (uint32_t i = 0; i < round_count; i++) {
        bench_crew_order(crew, BENCH_ORDER_SKIM_LATER, lane_index, 1);
        lane->subject->send(lane, 1, BENCH_SEED);
        bench_crew_release(crew);
        samples[i] = (double)bench_crew_finish(crew) - bench_measure_clock_ns();
    }
    readings[1] = bench_quantile(samples, round_count, 0.5);
}

const struct bench_measure bench_measure_copy = {plan_copy, run_copy, 0};
