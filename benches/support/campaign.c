/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign.h"

#include <string.h>

#include "clock.h"
#include "machine.h"
#include "probes.h"
#include "stats.h"

/* A placement this much slower than the best one of the same run is far: 4 to 6 times is usual. */
#define FAR_FACTOR 2.5

/* A window that was disturbed is tried again at once, this often. */
#define TRIES 6

/* What to gather: a reading of a lane, over that of another (0: none). */
struct bench_pick {
    uint32_t lane_index, other_index, reading;
};

/*
 * The best of all campaigns of this run: one of them may be far from beginning to end. Shared, so
 * that processes of this run that measure one after another know it of each other.
 */
static double *best_placement_ns;

void bench_campaign_share(void)
{
    if (best_placement_ns == NULL)
        best_placement_ns = bench_shared_memory(sizeof(*best_placement_ns));
}

void bench_campaign_init(struct bench_campaign *campaign, const struct bench_measure *measure)
{
    struct bench_shape shape = {.payload_bytes = 8, .batch = 1, .readers = 1};

    bench_campaign_share();
    memset(campaign, 0, sizeof(*campaign));
    campaign->measure = measure;
    campaign->part_count = 1;
    (void)bench_campaign_add(campaign, &bench_probe_bounce1, &shape);
}

uint32_t bench_campaign_add(struct bench_campaign *campaign, const struct bench_subject *subject,
    const struct bench_shape *shape)
{
    struct bench_lane *lane = &campaign->lanes[campaign->lane_count];

    LAM_ASSERT(campaign->lane_count < BENCH_LANES_MAX);
    lane->subject = subject;
    lane->shape = *shape;
    return campaign->lane_count++;
}

static void note_placement(struct bench_campaign *campaign, struct bench_window *window)
{
    double placement_ns = bench_measure_placement(&campaign->crew);

    if (*best_placement_ns == 0 || placement_ns < *best_placement_ns)
        *best_placement_ns = placement_ns;
    campaign->near_ns = *best_placement_ns;
    if (placement_ns > window->placement_ns)
        window->placement_ns = placement_ns;
}

static int is_far(const struct bench_campaign *campaign, const struct bench_window *window)
{
    return !campaign->measure->anywhere && window->placement_ns > FAR_FACTOR * campaign->near_ns;
}

static void run_window(
    struct bench_campaign *campaign, uint32_t lane_index, struct bench_window *window)
{
    uint64_t preempted, stolen;

    memset(window, 0, sizeof(*window));
    note_placement(campaign, window);
    stolen = bench_machine_stolen_ticks();
    preempted = bench_preempted();
    campaign->measure->run(
        &campaign->crew, lane_index, &campaign->plans[lane_index], window->readings);
    /* With fewer CPUs than ends, or than threads, being put off is what is measured. */
    window->disturbed = bench_machine_stolen_ticks() != stolen;
    if (!campaign->lanes[lane_index].subject->threads)
        window->disturbed |=
            bench_preempted() != preempted || bench_crew_preempted(&campaign->crew) != 0;
    window->disturbed &= !campaign->crew.oversubscribed;
    note_placement(campaign, window);
}

static void run_round(struct bench_campaign *campaign, struct bench_window *round, uint64_t end_ns)
{
    for (uint32_t lane_index = 1; lane_index < campaign->lane_count; lane_index++) {
        struct bench_window *window = &round[lane_index];

        for (uint32_t tries = 0; tries < TRIES; tries++) {
            run_window(campaign, lane_index, window);
            campaign->disturbed_windows += window->disturbed;
            campaign->far_windows += (uint32_t)is_far(campaign, window);
            if ((!window->disturbed && !is_far(campaign, window)) || bench_now_ns() > end_ns)
                break;
        }
    }
}

/* Of two lanes, or of one. The best placement is known at the end only: what passed may be far. */
static int is_clean(const struct bench_campaign *campaign, const struct bench_window *round,
    uint32_t lane_index, uint32_t other_index)
{
    const struct bench_window *window = &round[lane_index], *other = &round[other_index];

    if (window->disturbed || is_far(campaign, window))
        return 0;
    return other_index == 0 || (!other->disturbed && !is_far(campaign, other));
}

static uint32_t count_clean(const struct bench_campaign *campaign, const struct bench_window *round)
{
    for (uint32_t lane_index = 1; lane_index < campaign->lane_count; lane_index++)
        if (!is_clean(campaign, round, lane_index, 0))
            return 0;
    return 1;
}

/* Threads that share a CPU take turns of milliseconds: shorter windows would see one turn. */
static uint64_t window_ns(const struct bench_campaign *campaign, uint32_t lane_index)
{
    return campaign->window_ns * (campaign->lanes[lane_index].subject->threads ? 10 : 1);
}

/* What is found before the lane has settled is dropped. */
static void plan_lane(struct bench_campaign *campaign, uint32_t lane_index)
{
    uint64_t settled_ns = bench_now_ns() + campaign->settle_ns;
    int is_settled;

    do {
        is_settled = bench_now_ns() >= settled_ns;
        campaign->measure->plan(&campaign->crew, lane_index, window_ns(campaign, lane_index),
            &campaign->plans[lane_index]);
    } while (!is_settled);
}

/* One opening of all lanes: rounds until enough of them are clean, or @end_ns. */
static void run_part(struct bench_campaign *campaign, uint64_t end_ns)
{
    uint32_t wanted = (campaign->wanted_rounds + campaign->part_count - 1) / campaign->part_count;
    uint32_t first = campaign->round_count, clean_count = 0;

    for (uint32_t lane_index = 1; lane_index < campaign->lane_count; lane_index++)
        plan_lane(campaign, lane_index);
    while (clean_count < wanted && campaign->round_count < BENCH_ROUNDS_MAX &&
           (campaign->round_count == first || bench_now_ns() < end_ns)) {
        struct bench_window *round = campaign->windows[campaign->round_count++];

        run_round(campaign, round, end_ns);
        clean_count += count_clean(campaign, round);
    }
}

int bench_campaign_run(struct bench_campaign *campaign, uint32_t readers, const int *cpus)
{
    for (uint32_t part = 0; part < campaign->part_count; part++) {
        int rc =
            bench_crew_start(&campaign->crew, campaign->lanes, campaign->lane_count, readers, cpus);

        if (rc != 0)
            return rc;
        run_part(campaign, bench_now_ns() + campaign->budget_ns / campaign->part_count);
        bench_crew_stop(&campaign->crew);
    }
    return 0;
}

/* The readings, or quotients, of the clean rounds; of all rounds when @all. */
static uint32_t gather(
    const struct bench_campaign *campaign, const struct bench_pick *pick, int all, double *values)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < campaign->round_count; i++) {
        const struct bench_window *round = campaign->windows[i];

        if (!all && !is_clean(campaign, round, pick->lane_index, pick->other_index))
            continue;
        values[count] = round[pick->lane_index].readings[pick->reading];
        if (pick->other_index != 0)
            values[count] /= round[pick->other_index].readings[pick->reading];
        count++;
    }
    return count;
}

static uint32_t gather_best(
    const struct bench_campaign *campaign, const struct bench_pick *pick, double *values)
{
    uint32_t count = gather(campaign, pick, 0, values);

    return count != 0 ? count : gather(campaign, pick, 1, values);
}

uint32_t bench_campaign_clean_count(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index)
{
    double values[BENCH_ROUNDS_MAX];
    struct bench_pick pick = {lane_index, other_index, 0};

    return gather(campaign, &pick, 0, values);
}

double bench_campaign_median(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t reading)
{
    double values[BENCH_ROUNDS_MAX];
    struct bench_pick pick = {lane_index, 0, reading};

    return bench_quantile(values, gather_best(campaign, &pick, values), 0.5);
}

double bench_campaign_ratio(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index)
{
    double values[BENCH_ROUNDS_MAX];
    struct bench_pick pick = {lane_index, other_index, 0};

    return bench_quantile(values, gather_best(campaign, &pick, values), 0.5);
}

double bench_campaign_spread(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t other_index)
{
    double values[BENCH_ROUNDS_MAX];
    struct bench_pick pick = {lane_index, other_index, 0};

    return bench_spread(values, gather_best(campaign, &pick, values));
}
