/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_MEASURE_H
#define LAM_BENCH_MEASURE_H

/*
 * measure.h: one window over one lane: what is timed, and how often.
 */

#include <stdint.h>

#include "crew.h"

#define BENCH_READING_COUNT 2

/* How much one window of a lane holds, so that windows of all lanes last about as long. */
struct bench_plan {
    uint64_t group_count;   /* groups of round trips */
    uint64_t per_group;     /* round trips that are timed together */
    uint64_t single_count;  /* round trips timed alone */
    uint64_t message_count; /* of a stream */
};

struct bench_measure {
    /* Finds what one window of @window_ns holds. */
    void (*plan)(
        struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan);
    /* Runs one window. */
    void (*run)(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
        double readings[BENCH_READING_COUNT]);
    int anywhere; /* 1: how near the CPUs are to each other makes no difference to it */
};

/*
 * Round trips. Reading 0: median over groups, ns for each trip. Reading 1: the 99th percentile of
 * trips that were timed alone, less what the clock itself takes.
 */
extern const struct bench_measure bench_measure_handoff;

/* A stream that all readers read. Reading 0: messages a second, to the last reader's last byte. */
extern const struct bench_measure bench_measure_throughput;

/* Streams that all children send and side 0 reads. Reading 0: messages of all a second. */
extern const struct bench_measure bench_measure_gather;

/*
 * Messages copied in by the sender and skimmed by the reader. Reading 0: ns for each message in the
 * sender. Reading 1: ns to peek and release one that lies ready.
 */
extern const struct bench_measure bench_measure_copy;

/*
 * Messages that all readers read whole, each before the next one is sent. Reading 0: ns for each in
 * the sender, whose lines the readers have then. Reading 1: ns until the last of them has read it.
 */
extern const struct bench_measure bench_measure_copy_read;

/* Messages that nobody takes. Reading 0: ns for each in the sender. */
extern const struct bench_measure bench_measure_publish;

/*
 * Round trips that begin at a steady pace, BENCH_PACE_NS apart. Reading 0: the middle of single
 * trips, ns, less the clock. Reading 1: their 99th percentile.
 */
#define BENCH_PACE_NS 10000
extern const struct bench_measure bench_measure_paced;

/* The same, BENCH_ASLEEP_NS apart: whoever waits by sleeping is asleep when a trip begins. */
#define BENCH_ASLEEP_NS 200000
extern const struct bench_measure bench_measure_asleep;

/*
 * Messages BENCH_IDLE_NS apart, between which the reader has nothing to do. Reading 0: its CPU time
 * in percent of one CPU. Reading 1: CPU us for each message.
 */
#define BENCH_IDLE_NS 10000000
extern const struct bench_measure bench_measure_idle;

/* Ends the program where @found is not the sum of what was sent. */
void bench_measure_check(const struct bench_lane *lane, uint64_t found, uint64_t expected);

/* What one reading of the clock takes. */
double bench_measure_clock_ns(void);

/* The round trip of one line, ns: says whether both CPUs are near. Lane 0 is that probe. */
double bench_measure_placement(struct bench_crew *crew);

#endif
