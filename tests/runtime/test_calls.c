/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_calls.c: what a call carries in, what it brings back, and who says that it failed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void setup(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), NULL, &module, &error), 0),
        "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(calls, .init = setup, .fini = teardown, .timeout = 20);

static void expect_failure(struct lam_module_reply *reply, uint32_t method, int rc,
    enum lam_failure failure, int32_t detail)
{
    cr_assert(eq(int, lam_module_call(module, method, "abc", 3, reply, LAM_DEADLINE_NEVER), rc));
    cr_assert(eq(u32, reply->failure, failure));
    cr_assert(eq(i32, reply->detail, detail));
    cr_assert(eq(u64, reply->bytes, 0));
}

Test(calls, an_answer_too_long_says_how_long_it_is)
{
    char room[3];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("echo"), "abc", 3, &reply, LAM_DEADLINE_NEVER),
        -ENOSPC));
    cr_assert(eq(u64, reply.bytes, 4));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
}

Test(calls, a_method_that_is_not_there_is_told_from_one_that_fails)
{
    struct lam_module_reply reply = {.data = NULL};

    expect_failure(&reply, LAM_METHOD_ID("nothing"), -ENOENT, LAM_FAILURE_NO_METHOD,
        (int32_t)LAM_METHOD_ID("nothing"));
    for (uint32_t id = 0; id < 256; id++) /* no name of its methods has such an id */
        expect_failure(&reply, id, -ENOENT, LAM_FAILURE_NO_METHOD, (int32_t)id);
    for (int32_t status = -3; status <= 3; status++) {
        cr_assert(eq(int,
            lam_module_call(module, LAM_METHOD_ID("status"), &status, sizeof(status), &reply,
                LAM_DEADLINE_NEVER),
            status));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
        cr_assert(eq(u64, reply.bytes, 0));
    }
}

Test(calls, a_module_that_says_it_wrote_past_its_room_is_not_believed)
{
    struct lam_module_options options = {.name = "wrong"};
    char room[16];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("wrong_bytes"), &options, &module, &error), 0));
    expect_failure(&reply, LAM_METHOD_ID("echo"), -EPROTO, LAM_FAILURE_BAD_REPLY, 0);
}

Test(calls, a_module_calls_itself_until_it_is_too_deep)
{
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);

    cr_assert(eq(int, module_ask(module, "nest", "test", 5, &depth, &size), 0));
    cr_assert(eq(u32, depth, 4)); /* 5 by default, the first is 0 */
    size = sizeof(depth);
    cr_assert(eq(int, module_ask(module, "nest", "nobody", 7, &depth, &size), -ENODEV));
}

Test(calls, a_serial_module_may_call_itself)
{
    struct lam_module_options options = {.name = "serial"};
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    cr_assert(eq(int, module_ask(module, "nest", "serial", 7, &depth, &size), 0));
    cr_assert(eq(u32, depth, 4));
    cr_assert(eq(u64, module_count(module), 1)); /* and its turn was given back */
}

Test(calls, a_call_knows_its_caller_its_deadline_and_its_trace)
{
    struct lam_module_options options = {.name = "relay"};
    struct lam_module *relay;
    struct lam_call call;
    struct lam_module_reply reply = {.data = &call, .capacity = sizeof(call)};

    cr_assert(eq(int,
        lam_runtime_load(runtime, module_file("concurrent_too"), &options, &relay, &error), 0));
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("context"), NULL, 0, &reply, UINT64_C(1) << 62), 0));
    cr_assert(eq(u64, call.deadline_ns, UINT64_C(1) << 62));
    cr_assert(eq(u32, call.depth, 0));
    cr_assert(eq(u32, call.depth_max, 5));
    cr_assert(eq(u64, call.trace.id[0], 0));
    cr_assert(eq(u64, call.arena.bytes, 65536));
    cr_assert(eq(int,
        lam_module_call(relay, LAM_METHOD_ID("relay"), "test", 5, &reply, UINT64_C(1) << 61), 0));
    cr_assert(eq(u64, call.deadline_ns, UINT64_C(1) << 61));
    cr_assert(eq(u32, call.depth, 1));
    cr_assert(eq(u64, call.trace.id[0], 77));
    cr_assert(eq(str, (char *)(uintptr_t)call.caller, "relay"));
}

static char logged[256];

static void keep_log(void *context, const char *name, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)snprintf(logged, sizeof(logged), "%s %s %d %s %u %s=%s", (const char *)context, name,
        (int)level, text, field_count, fields[0].name, fields[0].value);
}

Test(calls, a_modules_log_arrives)
{
    struct lam_runtime_options options = {.log = keep_log, .log_context = (char[]){"here"}};
    struct lam_runtime *other;
    struct lam_call call;
    struct lam_module_reply reply = {.data = &call, .capacity = sizeof(call)};

    cr_assert(eq(int, lam_runtime_create(&other, &options, &error), 0));
    cr_assert(
        eq(int, lam_runtime_load(other, module_file("concurrent"), NULL, &module, &error), 0));
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("context"), NULL, 0, &reply, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(str, logged, "here test 2 called 1 caller="));
    lam_runtime_destroy(other);
}
