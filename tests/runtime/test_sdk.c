/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sdk.c: what a module is lent with a call: metrics, arena, deadline.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "modules.h"

#define ARENA_BYTES 4096

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void setup(void)
{
    struct lam_runtime_options options = {.arena_bytes = ARENA_BYTES};

    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("sdk"), NULL, &module, &error), 0),
        "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(sdk, .init = setup, .fini = teardown, .timeout = 20);

/* ---- metrics ---- */

static int note(enum lam_metric kind, const char *name, uint64_t value)
{
    struct {
        uint32_t kind, unused;
        uint64_t value;
        char name[256];
    } request = {.kind = kind, .value = value};
    uint64_t size = 0;

    (void)snprintf(request.name, sizeof(request.name), "%s", name);
    return module_ask(module, "note", &request, sizeof(request), NULL, &size);
}

static struct lam_module_metric seen[LAM_METRICS_MAX];
static char names[LAM_METRICS_MAX][LAM_NAME_BYTES_MAX];

static void keep(void *context, const struct lam_module_metric *metric)
{
    uint32_t *count = context;

    (void)strcpy(names[*count], metric->name);
    seen[*count] = *metric;
    (*count)++;
}

static uint32_t look(void)
{
    uint32_t count = 0;

    cr_assert(eq(u32, lam_module_metrics(module, keep, &count), count));
    return count;
}

Test(sdk, metrics_arrive_by_name_and_kind_in_the_order_they_came)
{
    uint64_t size = 0;

    cr_assert(eq(u32, look(), 0));
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, module_ask(module, "note-all", NULL, 0, NULL, &size), 0));
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, "gauge", 9), 0)); /* another kind, another metric */
    cr_assert(eq(u32, look(), 4));
    cr_assert(eq(str, names[0], "counter"));
    cr_assert(eq(int, seen[0].kind, LAM_METRIC_COUNTER));
    cr_assert(eq(u64, seen[0].value, 6));
    cr_assert(eq(str, names[1], "gauge"));
    cr_assert(eq(int, seen[1].kind, LAM_METRIC_GAUGE));
    cr_assert(eq(u64, seen[1].value, 3));
    cr_assert(eq(str, names[2], "histogram"));
    cr_assert(eq(int, seen[2].kind, LAM_METRIC_HISTOGRAM));
    cr_assert(eq(u64, seen[2].value, 6));
    cr_assert(eq(u64, seen[2].median, 4));
    cr_assert(eq(u64, seen[2].max, 5));
    cr_assert(eq(str, names[3], "gauge"));
    cr_assert(eq(u64, seen[3].value, 9));
    cr_assert(eq(u32, lam_module_metrics(module, NULL, NULL), 4));
}

Test(sdk, quantiles_of_a_histogram_are_known_to_3_2_percent)
{
    for (uint64_t value = 1; value <= 1000; value++)
        cr_assert(eq(int, note(LAM_METRIC_HISTOGRAM, "ns", value * 1000), 0));
    cr_assert(eq(u32, look(), 1));
    cr_assert(eq(u64, seen[0].value, 1000));
    cr_assert(seen[0].median >= 500000 && seen[0].median <= 516000);
    cr_assert(seen[0].p90 >= 900000 && seen[0].p90 <= 928800);
    cr_assert(seen[0].p99 >= 990000 && seen[0].p99 <= 1021680);
    cr_assert(seen[0].max >= 1000000 && seen[0].max <= 1032000);
}

Test(sdk, metrics_outlive_the_code_that_noted_them)
{
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, "calls", 5), 0));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, "calls", 1), 0));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(eq(u32, look(), 1));
    cr_assert(eq(u64, seen[0].value, 6));
}

Test(sdk, a_module_has_64_metrics_and_those_it_has_go_on)
{
    char name[16];

    for (int i = 0; i < LAM_METRICS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        cr_assert(eq(int, note((enum lam_metric)(i % 3), name, 1), 0));
    }
    for (int kind = 0; kind < 3; kind++)
        cr_assert(eq(int, note((enum lam_metric)kind, "more", 1), -ENOSPC));
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, "m0", 1), 0));
    cr_assert(eq(u32, look(), LAM_METRICS_MAX));
    cr_assert(eq(u64, seen[0].value, 2));
}

Test(sdk, a_name_that_would_move_a_cursor_is_written_in_digits)
{
    char text[16384];

    cr_assert(eq(int, note(LAM_METRIC_COUNTER, "a\033[2J\n\x7f", 1), 0));
    (void)lam_runtime_prometheus(runtime, text, sizeof(text));
    cr_assert(strstr(text, "name=\"a\\\\x1b[2J\\n\\\\x7f\"") != NULL, "%s", text);
}

Test(sdk, a_metric_of_no_kind_or_too_long_a_name_is_refused)
{
    char name[LAM_NAME_BYTES_MAX + 1];

    memset(name, 'n', sizeof(name));
    name[LAM_NAME_BYTES_MAX] = '\0';
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, name, 1), -EINVAL));
    cr_assert(eq(int, note((enum lam_metric)3, "x", 1), -EINVAL));
    cr_assert(eq(u32, look(), 0));
    name[LAM_NAME_BYTES_MAX - 1] = '\0';
    cr_assert(eq(int, note(LAM_METRIC_COUNTER, name, 1), 0));
    cr_assert(eq(u32, look(), 1));
    cr_assert(eq(str, names[0], name));
}

/* ---- arena ---- */

static uint64_t take(const char *method, uint64_t bytes, uint64_t align)
{
    uint64_t wanted[2] = {bytes, align}, count = 0, size = sizeof(count);

    cr_assert(eq(int, module_ask(module, method, wanted, sizeof(wanted), &count, &size), 0));
    return count;
}

Test(sdk, an_arena_ends_at_its_bound_and_is_whole_again_in_the_next_call)
{
    for (int call = 0; call < 3; call++) {
        cr_assert(eq(u64, take("take", 64, 64), ARENA_BYTES / 64));
        cr_assert(eq(u64, take("take", ARENA_BYTES, 1), 1));
        cr_assert(eq(u64, take("take", ARENA_BYTES + 1, 1), 0));
        cr_assert(eq(u64, take("take", UINT64_MAX, 64), 0));
    }
}

Test(sdk, pieces_of_an_arena_are_aligned_and_apart)
{
    for (uint64_t align = 1; align <= 64; align *= 2)
        for (uint64_t bytes = 1; bytes <= 200; bytes += 33) {
            uint64_t step = (bytes + align - 1) & ~(align - 1);

            cr_assert(eq(u64, take("take", bytes, align), (ARENA_BYTES - bytes) / step + 1));
        }
}

Test(sdk, a_call_within_a_call_has_what_is_left_of_the_arena)
{
    cr_assert(eq(u64, take("take-within", 64, 64), ARENA_BYTES / 64 - 1));
    cr_assert(eq(u64, take("take-within", ARENA_BYTES - 64, 1), 0));
    cr_assert(eq(u64, take("take-within", ARENA_BYTES, 1), 0));
    cr_assert(eq(u64, take("take", 64, 64), ARENA_BYTES / 64));
}

/* ---- deadline ---- */

/* A call until @outer that calls until @inner: the deadline that the inner one has. */
static uint64_t deadline_within(uint64_t outer, uint64_t inner, uint64_t *remaining)
{
    uint64_t times[2] = {0, 0};
    struct lam_module_reply reply = {.data = times, .capacity = sizeof(times)};

    cr_assert(eq(int,
        lam_module_call(
            module, LAM_METHOD_ID("until-within"), &inner, sizeof(inner), &reply, outer),
        0));
    *remaining = times[1];
    return times[0];
}

Test(sdk, a_call_within_a_call_has_the_nearer_deadline)
{
    uint64_t near = lam_deadline_after_ns(100 * LAM_NS_PER_S), remaining;
    uint64_t far = lam_deadline_after_ns(200 * LAM_NS_PER_S);

    cr_assert(eq(u64, deadline_within(near, far, &remaining), near));
    cr_assert(remaining > 0 && remaining <= 100 * LAM_NS_PER_S);
    cr_assert(eq(u64, deadline_within(far, near, &remaining), near));
    cr_assert(eq(u64, deadline_within(LAM_DEADLINE_NEVER, near, &remaining), near));
    cr_assert(eq(u64, deadline_within(near, LAM_DEADLINE_NEVER, &remaining), near));
    cr_assert(eq(u64, deadline_within(LAM_DEADLINE_NEVER, LAM_DEADLINE_NEVER, &remaining),
        LAM_DEADLINE_NEVER));
    cr_assert(eq(u64, remaining, UINT64_MAX));
    (void)deadline_within(1, 1, &remaining);
    cr_assert(eq(u64, remaining, 0)); /* long over */
}
