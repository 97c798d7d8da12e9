/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for one call: eight bytes of the call's arena, as they are and written, beside the same of
 * malloc() and free(). The arena is reset every 1,000 times, so that each time succeeds.
 */
#include "module.h"

#include <errno.h>
#include <stdlib.h>

#include "lamina/runtime/module.h"

#include "layers.h"
#include "report.h"

#define ARENA_BYTES 65536
#define PER_RESET   1000
#define BYTES       8

static int open_arena(struct bench_lane *lane)
{
    struct lam_call_arena *arena = bench_private_memory(sizeof(*arena));

    lane->state = arena;
    arena->bytes = ARENA_BYTES;
    arena->base = bench_private_memory(ARENA_BYTES);
    return 0;
}

static uint64_t take(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct lam_call_arena *arena = lane->state;

    for (uint64_t i = 0; i < count; i++) {
        void *memory;

        if (i % PER_RESET == 0)
            arena->used = 0;
        memory = lam_call_arena_take(arena, BYTES, BYTES);
        bench_must(memory == NULL ? -ENOMEM : 0);
        module_use(memory);
    }
    return 0;
}

static uint64_t take_and_write(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct lam_call_arena *arena = lane->state;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t *memory;

        if (i % PER_RESET == 0)
            arena->used = 0;
        memory = lam_call_arena_take(arena, BYTES, BYTES);
        bench_must(memory == NULL ? -ENOMEM : 0);
        *memory = i;
        module_use(memory);
    }
    return 0;
}

static uint64_t allocate(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        void *memory = malloc(BYTES);

        bench_must(memory == NULL ? -ENOMEM : 0);
        module_use(memory);
        free(memory);
    }
    return 0;
}

static const struct bench_subject subjects[] = {
    {.name = "take", .layer = MODULE_LAYER, .open = open_arena, .ask = take},
    {.name = "take_and_write", .layer = MODULE_LAYER, .open = open_arena, .ask = take_and_write},
    {.name = "malloc_free", .layer = -1, .open = open_arena, .ask = allocate},
};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))
#define PROBE         (SUBJECT_COUNT - 1)

static void report(const struct bench_campaign *campaign, uint32_t lane, uint32_t probe)
{
    bench_report_begin("module", "arena", &campaign->lanes[lane]);
    bench_report_text("arena", campaign->lanes[lane].subject->name);
    bench_report_number("take_ns", bench_campaign_median(campaign, lane, 0), 2);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 2);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    const struct bench_shape shape = {.payload_bytes = BYTES, .batch = 1, .readers = 1};
    uint32_t lanes[SUBJECT_COUNT];

    module_begin(&campaign, &module_measure_alone, options);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        lanes[i] = bench_campaign_add(&campaign, &subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < PROBE; i++)
        report(&campaign, lanes[i], lanes[PROBE]);
    return 0;
}

const struct module_part module_arena = {"arena", run};
