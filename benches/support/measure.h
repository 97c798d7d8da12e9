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
};

/*
 * Round trips. Reading 0: median over groups, ns for each trip. Reading 1: the 99th percentile of
 * trips that were timed alone, less what the clock itself takes.
 */
extern const struct bench_measure bench_measure_handoff;

/* A stream that all readers read. Reading 0: messages a second, to the last reader's last byte. */
extern const struct bench_measure bench_measure_throughput;

/*
 * Messages copied in by the sender and skimmed by the reader. Reading 0: ns for each message in the
 * sender. Reading 1: ns to peek and release one that lies ready.
 */
extern const struct bench_measure bench_measure_copy;

/* The round trip of one line, ns: says whether both CPUs are near. Lane 0 is that probe. */
double bench_measure_placement(struct bench_crew *crew);

#endif
