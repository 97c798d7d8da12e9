/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c: a call within a call goes to a host in another process, and the spans of both processes
 * are one tree; what the caller traces not, the host traces not.
 */
#include <fcntl.h>

#include "lamina/runtime/middleware.h"
#include "lamina/runtime/trace.h"
#include "remote/stage.h"

static struct lam_span spans[256]; /* of the host, by its own order */

static void tell(void *context, const struct lam_span *span)
{
    TEST_CHECK(write(*(const int *)context, span, sizeof(*span)) == sizeof(*span));
}

/* What the host has told: a call's spans are told before its answer is sent. */
static unsigned spans_of(int fd)
{
    unsigned count = 0;

    while (count < 256 && read(fd, &spans[count], sizeof(spans[0])) == sizeof(spans[0]))
        count++;
    return count;
}

/* Calls within calls there: "nest" of one module, then of the other until it is too deep. */
static void nest_there(struct lam_remote *remote)
{
    uint32_t depth = 0;
    struct lam_module_reply reply = {.data = &depth, .capacity = sizeof(depth)};

    TEST_CHECK(lam_remote_call(remote, "first", "nest", "many", 5, &reply, stage_soon()) == 0);
    TEST_CHECK(depth > 1);
}

static int ask_there(void *context, struct lam_middleware_call *call)
{
    lam_remote_set_trace(context, &call->trace);
    nest_there(context);
    return 0;
}

/* A runtime here, whose calls ask the host. *@span is what it says of one. Returns if it did. */
static int call_here(
    struct lam_remote *remote, const struct lam_trace_options *trace, struct lam_span *span)
{
    struct lam_middleware pair = {.before = ask_there, .context = remote};
    struct lam_middleware_options middleware = {.pairs = &pair, .count = 1};
    struct lam_runtime_options options = {.middleware = &middleware, .trace = trace};
    struct lam_runtime *runtime;
    struct lam_module *module;
    int is_told;

    TEST_OK(lam_runtime_create(&runtime, &options, &stage_error), stage_error);
    TEST_OK(lam_runtime_load(runtime, module_file("concurrent"), NULL, &module, &stage_error),
        stage_error);
    TEST_CHECK(module_kind(module) == 3);
    is_told = lam_trace_read(runtime, span, 1, NULL) == 1;
    lam_runtime_destroy(runtime);
    return is_told;
}

static const struct lam_span *find(uint64_t number, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (spans[i].span == number)
            return &spans[i];
    return NULL;
}

/* Of one trace, each below another one of the host's, the outermost below @root. */
static void expect_tree(const struct lam_span *root, int told)
{
    unsigned count = spans_of(told), outermost = 0;

    TEST_CHECK(count > 2);
    for (unsigned i = 0; i < count; i++) {
        const struct lam_span *above = find(spans[i].parent, count);

        TEST_CHECK(spans[i].id[0] == root->id[0] && spans[i].id[1] == root->id[1]);
        TEST_CHECK(spans[i].span != 0 && spans[i].span != root->span);
        TEST_CHECK(above != NULL || spans[i].parent == root->span);
        TEST_CHECK(spans[i].depth == (above != NULL ? above->depth + 1 : 0));
        outermost += above == NULL;
    }
    TEST_CHECK(outermost == 1);
}

static void spans_of_both_processes_are_one_tree(struct lam_remote *remote, int told)
{
    static const struct lam_trace_options ring = {.ring_spans = 16};
    struct lam_span root;

    for (unsigned i = 0; i < 3; i++) {
        TEST_CHECK(call_here(remote, &ring, &root));
        TEST_CHECK(root.parent == 0);
        expect_tree(&root, told);
    }
}

static void a_call_that_is_not_sampled_here_is_not_there(struct lam_remote *remote, int told)
{
    static const struct lam_trace_options rarely = {.ring_spans = 16, .sample_every = UINT32_MAX};
    struct lam_span root;

    TEST_CHECK(!call_here(remote, &rarely, &root));
    TEST_CHECK(spans_of(told) == 0);
}

static void without_a_trace_of_ours_the_host_begins_one(
    struct lam_remote *remote, uint32_t sample_every, int told)
{
    static const struct lam_span none;
    unsigned count;

    lam_remote_set_trace(remote, NULL);
    nest_there(remote);
    if (sample_every > 1) {
        TEST_CHECK(spans_of(told) == 0);
        return;
    }
    count = spans_of(told);
    TEST_CHECK(count > 2 && spans[count - 1].parent == none.parent);
    TEST_CHECK((spans[count - 1].id[0] | spans[count - 1].id[1]) != 0);
}

/* With a host that samples each call, and with one that of itself samples none. */
static void try_a_host(uint32_t sample_every)
{
    static int ends[2];
    struct lam_trace_options trace = {
        .sink = tell, .context = &ends[1], .sample_every = sample_every};
    struct lam_remote_options options = {.threads = 2};
    struct stage_host host;
    struct lam_remote *remote;

    TEST_CHECK(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    stage_options.trace = &trace;
    host = stage_begin(&options);
    stage_options.trace = NULL;
    remote = stage_connect(0);
    spans_of_both_processes_are_one_tree(remote, ends[0]);
    a_call_that_is_not_sampled_here_is_not_there(remote, ends[0]);
    without_a_trace_of_ours_the_host_begins_one(remote, sample_every, ends[0]);
    spans_of_both_processes_are_one_tree(remote, ends[0]);
    lam_remote_disconnect(remote);
    stage_end(&host);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    stage_open_folder();
    try_a_host(1);
    try_a_host(UINT32_MAX);
    stage_close_folder();
    return 0;
}
