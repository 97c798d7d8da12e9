/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows in which a message is read whole by all readers before the next one is sent: what it
 * costs to write to lines that others have read, apart from what the reading takes.
 */
#include "clock.h"
#include "measure.h"
#include "payload.h"
#include "stats.h"

#define SAMPLE_COUNT_MIN 8
#define SAMPLE_COUNT_MAX 256

static void send_one(struct bench_crew *crew, uint32_t lane_index, double *send_ns, double *read_ns)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t started_ns, sent_ns, sum;

    bench_crew_order(crew, BENCH_ORDER_RECEIVE_LATER, lane_index, 1);
    started_ns = bench_now_ns();
    lane->subject->send(lane, 1, BENCH_SEED);
    sent_ns = bench_now_ns();
    bench_crew_release(crew);
    sum = bench_crew_finish(crew);
    *send_ns = (double)(sent_ns - started_ns) - bench_measure_clock_ns();
    *read_ns = (double)(bench_now_ns() - sent_ns) - bench_measure_clock_ns();
    bench_measure_check(
        lane, sum, crew->readers * bench_payload_expected(lane->shape.payload_bytes, BENCH_SEED));
}

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    double send_ns, read_ns, took_ns = 1;

    for (uint32_t i = 0; i < SAMPLE_COUNT_MIN; i++) {
        send_one(crew, lane_index, &send_ns, &read_ns);
        took_ns = send_ns + read_ns + 1;
    }
    plan->single_count = (uint64_t)((double)window_ns / took_ns);
    if (plan->single_count < SAMPLE_COUNT_MIN)
        plan->single_count = SAMPLE_COUNT_MIN;
    if (plan->single_count > SAMPLE_COUNT_MAX)
        plan->single_count = SAMPLE_COUNT_MAX;
}

static void run(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    double sends[SAMPLE_COUNT_MAX], reads[SAMPLE_COUNT_MAX];

    /* A lap of the ring, so that all of its lines are the readers'. */
    for (uint32_t i = 0; i < SAMPLE_COUNT_MIN; i++)
        send_one(crew, lane_index, &sends[0], &reads[0]);
    for (uint64_t i = 0; i < plan->single_count; i++)
        send_one(crew, lane_index, &sends[i], &reads[i]);
    readings[0] = bench_quantile(sends, (uint32_t)plan->single_count, 0.5);
    readings[1] = bench_quantile(reads, (uint32_t)plan->single_count, 0.5);
}

const struct bench_measure bench_measure_copy_read = {plan, run, 0};
