/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/breaker.h"
#include "lamina/runtime/retry.h"

#include "layers.h"

#define ALIGNMENT 64

static void must_be(int is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void make_buffers(struct module_caller *caller)
{
    size_t bytes = (caller->bytes / ALIGNMENT + 1) * (size_t)ALIGNMENT;

    caller->request = aligned_alloc(ALIGNMENT, bytes);
    caller->reply = aligned_alloc(ALIGNMENT, bytes);
    must_be(caller->request != NULL && caller->reply != NULL, "no memory");
    memset(caller->request, 'q', bytes);
    memset(caller->reply, 0, bytes);
    caller->call = (struct lam_call){.bytes = sizeof(caller->call),
        .method = caller->method,
        .deadline_ns = LAM_DEADLINE_NEVER,
        .caller = ""};
}

/* The function itself, by the loader alone. */
static void open_raw(struct module_caller *caller)
{
    const struct lam_descriptor *descriptor;

    caller->handle = dlopen(BENCH_MODULE_FILE, RTLD_NOW | RTLD_LOCAL);
    must_be(caller->handle != NULL, "dlopen() of " BENCH_MODULE_FILE " fails");
    descriptor = dlsym(caller->handle, LAM_ABI_SYMBOL);
    must_be(descriptor != NULL, BENCH_MODULE_FILE " has no " LAM_ABI_SYMBOL);
    for (uint32_t i = 0; i < descriptor->method_count; i++)
        if (descriptor->methods[i].id == LAM_METHOD_ID("echo"))
            caller->entry = descriptor->methods[i].call;
    must_be(caller->entry != NULL, BENCH_MODULE_FILE " has no method echo");
}

static struct lam_module *load(
    struct lam_runtime *runtime, const char *name, const struct lam_module_options *given)
{
    struct lam_module_options options = *given;
    struct lam_module *module;
    struct lam_error error = {""};

    options.name = name;
    bench_must(bench_said(
        lam_runtime_load(runtime, BENCH_MODULE_FILE, &options, &module, &error), &error));
    return module;
}

static void open_caller(struct module_caller *caller, const char *method, uint32_t bytes,
    const struct lam_module_options *options)
{
    static const struct lam_runtime_options with_workers = {.worker = BENCH_WORKER_PROGRAM};
    int has_workers = options->host == LAM_MODULE_IN_WORKER;
    struct lam_error error = {""};
    int rc;

    *caller = (struct module_caller){.method = lam_method_id(method), .bytes = bytes};
    rc = lam_runtime_create(&caller->runtime, has_workers ? &with_workers : NULL, &error);
    bench_must(bench_said(rc, &error));
    caller->module = load(caller->runtime, "echo", options);
    if (caller->method != LAM_METHOD_ID("echo"))
        caller->module = load(caller->runtime, method, options);
    make_buffers(caller);
    if (!has_workers)
        open_raw(caller);
}

void module_caller_open(struct module_caller *caller, const char *method, uint32_t bytes)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_PROCESS};

    open_caller(caller, method, bytes, &options);
}

void module_caller_open_as(
    struct module_caller *caller, uint32_t bytes, const struct lam_module_options *options)
{
    open_caller(caller, "echo", bytes, options);
}

void module_caller_open_guarded(struct module_caller *caller, uint32_t bytes)
{
    struct lam_breaker_options breaker = {.counts_results = 1};
    struct lam_retry_options retry = {.deadline_ns = LAM_NS_PER_S};
    struct lam_module_options options = {.counts_calls = 1, .breaker = &breaker, .retry = &retry};

    module_caller_open_as(caller, bytes, &options);
}

void module_caller_close(struct module_caller *caller)
{
    lam_runtime_destroy(caller->runtime);
    if (caller->handle != NULL)
        (void)dlclose(caller->handle);
    module_caller_leave(caller);
}

void module_caller_join(struct module_caller *caller, const struct module_caller *first)
{
    *caller = *first;
    make_buffers(caller);
}

void module_caller_leave(struct module_caller *caller)
{
    free(caller->request);
    free(caller->reply);
}

void module_caller_run(struct module_caller *caller, uint64_t count)
{
    struct lam_module_reply reply = {.data = caller->reply, .capacity = caller->bytes};
    int failures = 0;

    for (uint64_t i = 0; i < count; i++)
        failures |= lam_module_call(caller->module, caller->method, caller->request, caller->bytes,
            &reply, LAM_DEADLINE_NEVER);
    must_be(failures == 0 && reply.bytes == caller->bytes, "a call fails");
}

void module_caller_run_raw(struct module_caller *caller, uint64_t count)
{
    struct lam_call *call = &caller->call;
    int failures = 0;

    for (uint64_t i = 0; i < count; i++) {
        call->request = caller->request;
        call->request_bytes = caller->bytes;
        call->reply = caller->reply;
        call->reply_capacity = caller->bytes;
        call->reply_bytes = 0;
        failures |= caller->entry(call);
    }
    must_be(failures == 0 && call->reply_bytes == caller->bytes, "a raw call fails");
}

void module_caller_check(struct module_caller *caller)
{
    must_be(
        memcmp(caller->request, caller->reply, caller->bytes) == 0, "an answer is not the request");
    memset(caller->reply, 0, caller->bytes);
}

void module_caller_detach(struct bench_lane *lane, uint32_t side)
{
    if (side == 0)
        module_caller_close(lane->state);
}

uint64_t module_caller_ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    module_caller_run(lane->state, count);
    return 0;
}

uint64_t module_caller_look(struct bench_lane *lane, uint64_t count)
{
    module_caller_check(lane->state);
    return 0;
}
