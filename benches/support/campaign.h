/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_CAMPAIGN_H
#define LAM_BENCH_CAMPAIGN_H

/*
 * campaign.h: many short windows over several lanes, in turns: A B C, A B C ...
 *
 * What is compared was measured within milliseconds of each other. A window counts when both CPUs
 * were near before and after it, and nothing else ran on them meanwhile. Ratios are taken within
 * each round in which both windows count, and the median of them is the result.
 */

#include <stdint.h>

#include "crew.h"
#include "measure.h"

#define BENCH_LANES_MAX  32
#define BENCH_ROUNDS_MAX 256

struct bench_window {
    double readings[BENCH_READING_COUNT];
    double placement_ns; /* the worse of before and after */
    uint32_t disturbed;  /* somebody else had one of our CPUs */
};

struct bench_campaign {
    struct bench_crew crew;
    const struct bench_measure *measure;
    struct bench_lane lanes[BENCH_LANES_MAX]; /* lane 0 is the placement probe */
    uint32_t lane_count;
    uint32_t wanted_rounds;
    uint32_t part_count; /* the lanes are opened anew for each part: other pages, other luck */
    uint64_t window_ns;
    uint64_t settle_ns; /* each lane runs this long before its windows are planned */
    uint64_t budget_ns; /* after which no further round begins */

    /* Results. */
    struct bench_plan plans[BENCH_LANES_MAX];
    struct bench_window windows[BENCH_ROUNDS_MAX][BENCH_LANES_MAX];
    uint32_t round_count;       /* all that ran */
    uint32_t far_windows;       /* windows left out because the CPUs were far apart */
    uint32_t disturbed_windows; /* windows left out because others ran */
    double near_ns;             /* the best placement seen */
};

/* An empty campaign with the placement probe in it. */
void bench_campaign_init(struct bench_campaign *campaign, const struct bench_measure *measure);

/* Before processes of a run part that have campaigns of their own: they judge placements alike. */
void bench_campaign_share(void);

/* Adds a lane, returns its index. */
uint32_t bench_campaign_add(struct bench_campaign *campaign, const struct bench_subject *subject,
    const struct bench_shape *shape);

/* Runs it from crew start to crew stop. Returns 0 or -errno. */
int bench_campaign_run(struct bench_campaign *campaign, uint32_t readers, const int *cpus);

/* In how many rounds the windows of both lanes count (other 0: of the one). */
uint32_t bench_campaign_clean_count(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index);

/*
 * The median over the windows of a lane that count, of one reading. Here and below: where none
 * counts, all are taken, and the line says "clean":false.
 */
double bench_campaign_median(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t reading);

/* The median over rounds in which both windows count, of the quotient of readings 0. */
double bench_campaign_ratio(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index);

/* The middle half of that quotient over those rounds, as a share of the median. */
double bench_campaign_spread(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index);

#endif
