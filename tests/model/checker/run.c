/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's run: set up once, then schedule after schedule from the same memory.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

/* What set-up allocates lies at the start of the heap, and is put back with all other regions. */
#define HEAP_BYTES 65536

struct region {
    uint8_t *memory;
    uint64_t bytes;
    uint64_t saved_at;
};

static struct region regions[MODEL_REGION_COUNT];
static uint32_t region_count;
static uint8_t saved[1 << 20];
static uint64_t saved_bytes;
static uint8_t heap[HEAP_BYTES] __attribute__((aligned(64)));
static uint64_t heap_used;
static uint64_t heap_kept;
static uint64_t marks[16];

void model_region(void *memory, uint64_t bytes)
{
    LAM_ASSERT(region_count < MODEL_REGION_COUNT && saved_bytes + bytes <= sizeof(saved));
    regions[region_count++] =
        (struct region){.memory = memory, .bytes = bytes, .saved_at = saved_bytes};
    saved_bytes += bytes;
}

static void save_regions(void)
{
    if (heap_used != 0)
        model_region(heap, heap_used);
    heap_kept = heap_used;
    for (uint32_t i = 0; i < region_count; i++)
        memcpy(saved + regions[i].saved_at, regions[i].memory, regions[i].bytes);
}

static void restore_regions(void)
{
    heap_used = heap_kept;
    for (uint32_t i = 0; i < region_count; i++)
        memcpy(regions[i].memory, saved + regions[i].saved_at, regions[i].bytes);
}

void *model_calloc(size_t count, size_t bytes)
{
    uint64_t size = (count * bytes + 63) / 64 * 64;
    void *memory = heap + heap_used;

    if (heap_used + size > HEAP_BYTES)
        return NULL;
    memset(memory, 0, size);
    heap_used += size;
    return memory;
}

void model_free(void *memory)
{
    (void)memory;
}

void model_mark(uint32_t mark)
{
    marks[mark % 16]++;
}

uint64_t model_marks(uint32_t mark)
{
    return marks[mark % 16];
}

void model_forget_marks(void)
{
    memset(marks, 0, sizeof(marks));
}

static void set_up(const struct model_program *program)
{
    static uint32_t run;
    uint64_t schedule = model_engine.schedule;

    memset(&model_engine, 0, sizeof(model_engine));
    model_engine.run = ++run;
    model_engine.schedule = schedule;
    model_engine.program = program;
    model_engine.self = MODEL_FINALLY;
    region_count = 0;
    saved_bytes = 0;
    heap_used = 0;
    model_forget_locations();
    model_machine_forget();
    model_choices_restart();
    program->set_up();
    save_regions();
    model_machine_save();
}

static void begin_schedule(void)
{
    restore_regions();
    model_engine.schedule++;
    model_engine.stores = 0;
    model_engine.sleep_set = 0;
    model_engine.deviations = 0;
    model_engine.killed = 0;
    model_engine.over = 0;
    model_engine.in_kernel = 0;
    memset(model_engine.actors, 0, sizeof(model_engine.actors));
    model_memory_begin();
    model_machine_begin();
    model_choices_begin();
    model_trace_begin();
    model_engine.running = 1;
    model_run_schedule();
    model_engine.running = 0;
}

/* Whether there is more to try, and the schedule after the one in hand made ready. */
static int go_on(void)
{
    const struct model_options *options = model_engine.options;
    struct model_result *result = model_engine.result;
    uint64_t most = options->schedules_max;

    if (result->failed)
        return 0;
    result->schedules++;
    if (options->search == MODEL_RANDOM)
        return result->schedules < (most == 0 ? 10000 : most);
    if (model_engine.learned) {
        /* There were steps before which nobody else was let in: again, from the start. */
        model_engine.learned = 0;
        result->restarts++;
        result->schedules = 0;
        model_choices_restart();
        return 1;
    }
    if (!model_choices_next()) {
        result->complete = 1;
        return 0;
    }
    return most == 0 || result->schedules < most;
}

int model_run(const struct model_program *program, const struct model_options *options,
    struct model_result *result)
{
    memset(result, 0, sizeof(*result));
    set_up(program);
    model_engine.options = options;
    model_engine.result = result;
    do
        begin_schedule();
    while (go_on());
    return result->failed;
}
