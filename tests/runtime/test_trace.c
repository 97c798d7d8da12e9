/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace.c: every call is a span below the one that called it, in one tree, whatever modules
 * and processes it goes through; and a trace is told whole or not at all.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "lamina/runtime/middleware.h"
#include "lamina/runtime/trace.h"
#include "modules.h"

#define DEPTH 5 /* of calls within calls, by default */

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static struct lam_span spans[8192];

static void create(const struct lam_trace_options *trace)
{
    static char program[4096];
    struct lam_runtime_options options = {.worker = program, .trace = trace};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static struct lam_module *load(const char *kind, const struct lam_module_options *options)
{
    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), options, &module, &error), 0),
        "%s", error.text);
    return module;
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(trace, .fini = teardown, .timeout = 60);

static const struct lam_trace_options ring = {.ring_spans = 8192};

static uint32_t read_all(void)
{
    uint64_t lost;
    uint32_t count = lam_trace_read(runtime, spans, 8192, &lost);

    cr_assert(eq(u64, lost, 0));
    return count;
}

Test(trace, a_call_is_a_span_that_says_what_it_was)
{
    uint64_t before_ns = lam_clock_now_ns(), none = 0;
    int32_t status = -5;

    create(&ring);
    load("concurrent", NULL);
    cr_assert(eq(chr, module_kind(module), 3));
    cr_assert(eq(int, module_ask(module, "status", &status, sizeof(status), NULL, &none), -5));
    none = 0;
    cr_assert(eq(int, module_ask(module, "nothing", NULL, 0, NULL, &none), -ENOENT));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(chr, module_kind(module), 3));
    cr_assert(eq(u32, read_all(), 3));
    cr_assert(eq(str, spans[0].module, "test"));
    cr_assert(eq(str, spans[0].method_name, "echo"));
    cr_assert(eq(str, spans[1].method_name, "status"));
    cr_assert(eq(u32, spans[1].method, LAM_METHOD_ID("status")));
    cr_assert(spans[0].rc == 0 && spans[1].rc == -5);
    cr_assert(spans[1].generation == 1 && spans[2].generation == 2);
    for (int i = 0; i < 3; i++) {
        cr_assert(spans[i].span != 0 && (spans[i].id[0] | spans[i].id[1]) != 0);
        cr_assert(spans[i].parent == 0 && spans[i].depth == 0);
        cr_assert(spans[i].failure == LAM_FAILURE_NONE);
        cr_assert(spans[i].start_ns >= before_ns);
        before_ns = spans[i].start_ns + spans[i].duration_ns;
        cr_assert(before_ns <= lam_clock_now_ns());
    }
    cr_assert(spans[0].id[0] != spans[1].id[0] && spans[0].span != spans[1].span);
}

/* One tree of DEPTH calls, each within the next one, from spans[@at] on. */
static void expect_chain(uint32_t at)
{
    const struct lam_span *one = &spans[at];

    for (int i = 0; i < DEPTH; i++, one++) {
        cr_assert(eq(u32, one->depth, (uint32_t)(DEPTH - 1 - i)));
        cr_assert(one->id[0] == spans[at].id[0] && one->id[1] == spans[at].id[1]);
        cr_assert(eq(u64, one->parent, i == DEPTH - 1 ? 0 : one[1].span));
        if (i > 0)
            cr_assert(one->start_ns <= one[-1].start_ns && one->duration_ns >= one[-1].duration_ns);
    }
}

static void call_deep(void)
{
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);

    cr_assert(eq(int, module_ask(module, "nest", "test", 5, &depth, &size), 0));
    cr_assert(eq(u32, depth, DEPTH - 1));
}

Test(trace, calls_within_calls_hang_below_the_one_that_called)
{
    create(&ring);
    load("concurrent", NULL);
    call_deep();
    call_deep();
    cr_assert(eq(u32, read_all(), 2 * DEPTH));
    expect_chain(0);
    expect_chain(DEPTH);
    cr_assert(spans[0].id[0] != spans[DEPTH].id[0]);
}

Test(trace, the_module_sees_the_span_that_is_told)
{
    struct lam_call call;
    uint64_t size = sizeof(call);

    create(&ring);
    load("concurrent", NULL);
    cr_assert(eq(int, module_ask(module, "context", "", 0, &call, &size), 0));
    cr_assert(eq(u32, read_all(), 1));
    cr_assert(call.trace.id[0] == spans[0].id[0] && call.trace.id[1] == spans[0].id[1]);
    cr_assert(call.trace.span == spans[0].span && call.trace.parent == 0);
}

/* "relay" of one calls "context" of the other, and writes a trace of its own before. */
Test(trace, one_tree_goes_through_several_processes)
{
    struct lam_module_options first = {.host = LAM_MODULE_IN_WORKER, .name = "first"};
    struct lam_module_options second = {.host = LAM_MODULE_IN_WORKER, .name = "second"};
    struct lam_call call;
    uint64_t size = sizeof(call);

    create(&ring);
    load("first", &second);
    load("first", &first);
    cr_assert(eq(int, module_ask(module, "relay", "second", 7, &call, &size), 0));
    cr_assert(eq(u32, read_all(), 2));
    cr_assert(eq(str, spans[0].module, "second"));
    cr_assert(eq(str, spans[1].module, "first"));
    cr_assert(spans[0].parent == spans[1].span && spans[1].parent == 0);
    cr_assert(spans[0].id[0] == spans[1].id[0] && spans[0].id[1] == spans[1].id[1]);
    cr_assert(spans[0].id[0] != 77);
    /* As the module saw it, over there. */
    cr_assert(call.trace.id[0] == spans[0].id[0] && call.trace.span == spans[0].span);
    cr_assert(call.trace.parent == spans[1].span);
}

static void *call_often(void *unused)
{
    for (int i = 0; i < 200; i++)
        call_deep();
    return unused;
}

Test(trace, a_trace_is_sampled_whole_or_not_at_all)
{
    struct lam_trace_options options = {.ring_spans = 8192, .sample_every = 4};
    pthread_t threads[4];
    uint32_t count, roots = 0;

    create(&options);
    load("concurrent", NULL);
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_often, NULL), 0));
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
    count = read_all();
    cr_assert(eq(u32, count % DEPTH, 0));
    /* 800 calls of which 200 are expected; 60 is five deviations. */
    cr_assert(count / DEPTH > 140 && count / DEPTH < 260, "%u", count / DEPTH);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;

        for (uint32_t k = 0; k < count; k++)
            same += spans[k].id[0] == spans[i].id[0] && spans[k].id[1] == spans[i].id[1];
        cr_assert(eq(u32, same, DEPTH));
        roots += spans[i].parent == 0;
    }
    cr_assert(eq(u32, roots, count / DEPTH));
}

Test(trace, what_is_not_sampled_is_not_traced_at_all)
{
    struct lam_trace_options options = {.ring_spans = 64, .sample_every = UINT32_MAX};
    struct lam_call call;
    uint64_t size = sizeof(call);

    create(&options);
    load("concurrent", NULL);
    call_deep();
    cr_assert(eq(int, module_ask(module, "context", "", 0, &call, &size), 0));
    cr_assert(eq(u64, call.trace.id[0] | call.trace.id[1] | call.trace.span, 0));
    cr_assert(eq(u32, read_all(), 0));
}

Test(trace, the_oldest_span_makes_room_and_is_counted)
{
    struct lam_trace_options options = {.ring_spans = 4};
    uint64_t lost;

    create(&options);
    load("concurrent", NULL);
    for (int32_t status = 1; status <= 7; status++) {
        uint64_t none = 0;

        cr_assert(
            eq(int, module_ask(module, "status", &status, sizeof(status), NULL, &none), status));
    }
    cr_assert(eq(u32, lam_trace_read(runtime, spans, 3, &lost), 3));
    cr_assert(eq(u64, lost, 3));
    cr_assert(spans[0].rc == 4 && spans[1].rc == 5 && spans[2].rc == 6);
    cr_assert(eq(u32, lam_trace_read(runtime, spans, 3, &lost), 1));
    cr_assert(eq(u64, lost, 0));
    cr_assert(eq(i32, spans[0].rc, 7));
    cr_assert(eq(u32, lam_trace_read(runtime, spans, 3, NULL), 0));
}

static struct lam_span told;
static unsigned told_count;

static void sink(void *context, const struct lam_span *span)
{
    cr_assert(eq(ptr, context, (void *)&told));
    told = *span;
    told_count++;
}

static int refuse(void *context, struct lam_middleware_call *call)
{
    (void)context;
    cr_assert(call->trace.span != 0);
    return 9;
}

Test(trace, a_sink_is_told_of_calls_that_other_stages_end)
{
    struct lam_trace_options options = {.sink = sink, .context = &told};
    struct lam_middleware veto = {.before = refuse};
    struct lam_middleware_options middleware = {.pairs = &veto, .count = 1};
    struct lam_module_options of_module = {.middleware = &middleware};

    create(&options);
    load("concurrent", &of_module);
    cr_assert(eq(chr, module_kind(module), 0));
    cr_assert(eq(u32, told_count, 1));
    cr_assert(eq(i32, told.rc, -ECANCELED));
    cr_assert(eq(u32, told.failure, LAM_FAILURE_VETOED));
    cr_assert(eq(u32, lam_trace_read(runtime, spans, 1, NULL), 0));
}

Test(trace, nobody_traces_where_nobody_asked)
{
    struct lam_call call;
    uint64_t size = sizeof(call);

    create(NULL);
    load("concurrent", NULL);
    cr_assert(eq(int, module_ask(module, "context", "", 0, &call, &size), 0));
    cr_assert(eq(u64, call.trace.id[0] | call.trace.id[1] | call.trace.span, 0));
    cr_assert(eq(u32, lam_trace_read(runtime, spans, 1, NULL), 0));
}

static void expect_refused(const struct lam_trace_options *trace, const char *text)
{
    struct lam_runtime_options options = {.trace = trace};
    struct lam_runtime *made;

    cr_assert(eq(int, lam_runtime_create(&made, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
}

Test(trace, options_that_make_no_sense_are_named)
{
    create(NULL);
    expect_refused(&(struct lam_trace_options){.sample_every = 2}, "neither sink nor ring_spans");
    expect_refused(&(struct lam_trace_options){.ring_spans = 12}, "trace.ring_spans is 12");
    expect_refused(&(struct lam_trace_options){.ring_spans = 131072}, "trace.ring_spans is 131072");
}
