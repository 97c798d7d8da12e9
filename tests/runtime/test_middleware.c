/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_middleware.c: the program's code around its calls: in which order, what it may change, and
 * what a refusal keeps from running. Each pair writes down that it was there.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lamina/runtime/cache.h"
#include "lamina/runtime/middleware.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

/* One letter on the way in, its capital on the way out; and what the pair is told to do. */
static struct noter {
    char letter;
    int veto;
    const char *request; /* in the place of the one that came */
    const char *answer;  /* the same */
    int rc;
    uint64_t bytes; /* said, and not written */
} noters[4];

static char way[64];
static struct lam_middleware_call seen;
static char seen_request[64];
static int seen_rc;

static void note(char letter)
{
    size_t length = strlen(way);

    if (length + 1 < sizeof(way))
        way[length] = letter;
}

static int before(void *context, struct lam_middleware_call *call)
{
    const struct noter *noter = context;

    note(noter->letter);
    seen = *call;
    memset(seen_request, 0, sizeof(seen_request));
    if (call->request_bytes < sizeof(seen_request) && call->request_bytes > 0)
        memcpy(seen_request, call->request, call->request_bytes);
    if (noter->request != NULL) {
        call->request = noter->request;
        call->request_bytes = strlen(noter->request);
    }
    return noter->veto;
}

static int after(void *context, struct lam_middleware_call *call, int rc)
{
    const struct noter *noter = context;

    note((char)(noter->letter - 'a' + 'A'));
    seen_rc = rc;
    if (noter->answer != NULL) {
        call->reply->bytes = strlen(noter->answer);
        memcpy(call->reply->data, noter->answer, call->reply->bytes);
        call->reply->failure = LAM_FAILURE_NONE;
    }
    if (noter->bytes != 0)
        call->reply->bytes = noter->bytes;
    return noter->answer != NULL || noter->bytes != 0 ? noter->rc : rc;
}

static struct lam_middleware pairs[4];
static struct lam_middleware_options outer = {.pairs = pairs, .count = 2};
static struct lam_middleware_options inner = {.pairs = pairs + 2, .count = 2};

static void load(const struct lam_cache_options *cache)
{
    struct lam_module_options options = {.middleware = &inner, .cache = cache};

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("stage"), &options, &module, &error), 0),
        "%s", error.text);
}

static void setup(void)
{
    struct lam_runtime_options options = {.middleware = &outer};

    for (int i = 0; i < 4; i++) {
        noters[i] = (struct noter){.letter = (char)('a' + i)};
        pairs[i] = (struct lam_middleware){before, after, &noters[i]};
    }
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    memset(way, 0, sizeof(way));
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(middleware, .init = setup, .fini = teardown, .timeout = 20);

static char answer[64];
static struct lam_module_reply reply;

/* "work" with @request; its answer is a number of 8 bytes, then the request. */
static int work(const char *request)
{
    memset(answer, 0, sizeof(answer));
    reply = (struct lam_module_reply){.data = answer, .capacity = sizeof(answer)};
    return lam_module_call(
        module, LAM_METHOD_ID("work"), request, strlen(request), &reply, LAM_DEADLINE_NEVER);
}

Test(middleware, those_of_the_runtime_are_around_those_of_the_module)
{
    load(NULL);
    /* What they were made of may go. */
    memset(pairs, 0, sizeof(pairs));
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(str, way, "abcdDCBA"));
    cr_assert(eq(str, answer + 8, "abc"));
    cr_assert(eq(ptr, (void *)seen.module, (void *)module));
    cr_assert(eq(str, (char *)seen.module_name, "stage"));
    cr_assert(eq(str, (char *)seen.method_name, "work"));
    cr_assert(eq(str, (char *)seen.caller, ""));
    cr_assert(eq(u32, seen.method, LAM_METHOD_ID("work")));
    cr_assert(eq(u64, seen.deadline_ns, LAM_DEADLINE_NEVER));
    cr_assert(eq(u64, seen.generation, 1));
    cr_assert(eq(str, seen_request, "abc"));
}

Test(middleware, a_refusal_keeps_all_behind_it_from_running)
{
    uint64_t runs, size = sizeof(runs);

    load(NULL);
    noters[2].veto = -77;
    cr_assert(eq(int, work("abc"), -ECANCELED));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_VETOED));
    cr_assert(eq(i32, reply.detail, -77));
    cr_assert(eq(u64, reply.bytes, 0));
    cr_assert(eq(str, way, "abcBA"));
    cr_assert(eq(int, seen_rc, -ECANCELED));
    noters[2].veto = 0;
    cr_assert(eq(int, module_ask(module, "count", NULL, 0, &runs, &size), 0));
    cr_assert(eq(u64, runs, 0));
}

Test(middleware, a_request_that_is_replaced_is_the_one_of_all_behind)
{
    struct lam_cache_options cache = {.bytes_max = 0};
    struct lam_cache_stat stat;

    load(&cache);
    noters[1].request = "rewritten";
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(str, answer + 8, "rewritten"));
    cr_assert(eq(str, seen_request, "rewritten")); /* by the last pair */
    cr_assert(eq(int, work("another"), 0));
    cr_assert(eq(int, lam_cache_look(module, &stat), 0));
    cr_assert(eq(u64, stat.hits, 1));
}

Test(middleware, an_answer_may_be_replaced_and_a_failure_healed)
{
    int32_t status = -5;
    uint64_t size = sizeof(answer);

    load(NULL);
    noters[1].answer = "instead";
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(u64, reply.bytes, 7));
    cr_assert(eq(str, answer, "instead"));
    cr_assert(eq(int, module_ask(module, "status", &status, sizeof(status), answer, &size), 0));
    cr_assert(eq(u64, size, 7));
    noters[2].veto = 1;
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
    noters[1].rc = -EACCES;
    cr_assert(eq(int, work("abc"), -EACCES));
    cr_assert(eq(int, seen_rc, -EACCES)); /* by the pair around it */
}

Test(middleware, an_answer_of_more_than_the_room_is_said_to_be_too_long)
{
    load(NULL);
    noters[3].bytes = sizeof(answer) + 1;
    cr_assert(eq(int, work("abc"), -ENOSPC));
    cr_assert(eq(u64, reply.bytes, sizeof(answer) + 1));
    cr_assert(eq(int, seen_rc, -ENOSPC));
}

Test(middleware, calls_within_calls_pass_as_well_and_generations_are_told)
{
    uint64_t run, size = sizeof(run);

    load(NULL);
    cr_assert(eq(int, module_ask(module, "again", "a", 1, &run, &size), 0));
    cr_assert(eq(str, way, "abcdabcdDCBADCBA"));
    cr_assert(eq(u32, seen.depth, 1));
    cr_assert(eq(str, (char *)seen.caller, "stage"));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(u64, seen.generation, 2));
}

Test(middleware, either_side_of_a_pair_may_be_missing)
{
    inner.count = 0;
    pairs[0].after = NULL;
    pairs[1].before = NULL;
    lam_runtime_destroy(runtime);
    cr_assert(eq(int,
        lam_runtime_create(&runtime, &(struct lam_runtime_options){.middleware = &outer}, &error),
        0));
    load(NULL);
    cr_assert(eq(int, work("abc"), 0));
    cr_assert(eq(str, way, "aB"));
}

static void expect_refused(const struct lam_middleware_options *wrong, const char *text)
{
    struct lam_module_options of_module = {.middleware = wrong};
    struct lam_runtime_options of_runtime = {.middleware = wrong};
    struct lam_runtime *made;
    struct lam_module *loaded;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("stage"), &of_module, &loaded, &error),
        -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
    cr_assert(eq(int, lam_runtime_create(&made, &of_runtime, &error), -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
}

Test(middleware, options_that_make_no_sense_are_named)
{
    const struct lam_middleware empty[2] = {{before, NULL, NULL}, {NULL, NULL, NULL}};

    expect_refused(&(struct lam_middleware_options){.count = 1}, "middleware.count is 1");
    expect_refused(
        &(struct lam_middleware_options){.pairs = pairs, .count = 17}, "middleware.count is 17");
    expect_refused(&(struct lam_middleware_options){.pairs = empty, .count = 2},
        "middleware.pairs[1] has neither");
    expect_refused(&(struct lam_middleware_options){.reserved = 3}, "middleware.reserved is 3");
}
