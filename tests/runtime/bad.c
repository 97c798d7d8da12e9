/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bad.c: a module that comes to every bad end that is asked for, and is well otherwise.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/module.h"

static uint64_t calls;

static int echo(struct lam_call *call)
{
    calls++;
    return lam_call_answer(call, call->request, call->request_bytes);
}

static int count(struct lam_call *call)
{
    calls++;
    return lam_call_answer(call, &calls, sizeof(calls));
}

extern uintptr_t nowhere;
uintptr_t nowhere = 16;

static int fault(struct lam_call *call)
{
    memset((void *)nowhere, 1, 1);
    return call == NULL;
}

static int give_up(struct lam_call *call)
{
    (void)call;
    abort();
}

static int leave(struct lam_call *call)
{
    (void)call;
    exit(7);
}

/* Deeper for ever, as far as a compiler can know. */
static uint64_t end_of_the_world = UINT64_MAX;

static uint64_t sink(const uint64_t *above)
{
    uint64_t frame[512];

    memset(frame, 1, sizeof(frame));
    frame[calls & 511] = *above + 1;
    return *above == end_of_the_world ? 0 : sink(frame) + frame[calls & 511];
}

static int overflow(struct lam_call *call)
{
    uint64_t depth = call->depth;

    return sink(&depth) != 0;
}

static int overrun(struct lam_call *call)
{
    memset(call->reply, 1, call->reply_capacity + 1);
    call->reply_bytes = call->reply_capacity;
    return 0;
}

static int overrun_far(struct lam_call *call)
{
    memset(call->reply, 1, call->reply_capacity + 16);
    call->reply_bytes = call->reply_capacity;
    return 0;
}

static int lie(struct lam_call *call)
{
    call->reply_bytes = call->reply_capacity + 1;
    return 0;
}

static int loop(struct lam_call *call)
{
    while (end_of_the_world != 0)
        calls++;
    return call == NULL;
}

static int kill_itself(struct lam_call *call)
{
    (void)call;
    return kill(getpid(), SIGKILL);
}

/* A child that goes on with all that it inherited, while its parent dies. */
static int leave_child(struct lam_call *call)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)sleep(300);
        _exit(0);
    }
    (void)call;
    _exit(pid < 0 ? 8 : 9);
}

static int own_pid(struct lam_call *call)
{
    pid_t pid = getpid();

    return lam_call_answer(call, &pid, sizeof(pid));
}

/* Says so, and calls the module that the request names. */
static int relay(struct lam_call *call)
{
    struct lam_log_field field = {"to", (const char *)call->request};
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    int rc;

    call->host->log(call, LAM_LEVEL_INFO, "relay", &field, 1);
    (void)lam_call_count(call, "relays", 1);
    rc = lam_call_module(
        call, (const char *)call->request, LAM_METHOD_ID("echo"), "through", 8, &reply);
    call->reply_bytes = reply.bytes;
    return rc;
}

static int nest(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    uint32_t depth = call->depth;
    int rc = lam_call_module(call, (const char *)call->request, LAM_METHOD_ID("nest"),
        call->request, call->request_bytes, &reply);

    if (rc == 0) {
        call->reply_bytes = reply.bytes;
        return 0;
    }
    return rc != -ELOOP ? rc : lam_call_answer(call, &depth, sizeof(depth));
}

#define FIELDS 16

/* A level that is none, and as many fields as go along: the first is of the request. */
static int log_oddly(struct lam_call *call)
{
    struct lam_log_field fields[FIELDS];

    for (int i = 0; i < FIELDS; i++)
        fields[i] = (struct lam_log_field){"field", i == 0 ? (const char *)call->request : "x"};
    call->host->log(call, (enum lam_level)77, "odd", fields, FIELDS);
    return 0;
}

/* What is asked of another module is more than any worker takes; then again, with little. */
static int ask_too_much(struct lam_call *call)
{
    uint64_t bytes = UINT64_C(64) << 20;
    struct lam_module_reply reply = {NULL, UINT64_C(64) << 20, 0, 0, 0};
    uint8_t *large = (uint8_t *)calloc(1, bytes);
    int rc;

    if (large == NULL)
        return -ENOMEM;
    reply.data = large;
    rc = lam_call_module(
        call, (const char *)call->request, LAM_METHOD_ID("echo"), large, bytes, &reply);
    if (rc == -EMSGSIZE && reply.failure == LAM_FAILURE_NONE)
        rc = lam_call_module(
            call, (const char *)call->request, LAM_METHOD_ID("echo"), "small", 5, &reply);
    free(large);
    return rc;
}

/* Asks the module that the request names for what no module has. Answers what the host said. */
static int ask_in_vain(struct lam_call *call)
{
    struct lam_module_reply reply = {NULL, 0, 0, 0, 0};
    int32_t said[3];

    said[0] = lam_call_module(
        call, (const char *)call->request, LAM_METHOD_ID("nothing"), NULL, 0, &reply);
    said[1] = (int32_t)reply.failure;
    said[2] = reply.detail;
    return lam_call_answer(call, said, sizeof(said));
}

static int save(struct lam_call *call)
{
    return lam_call_answer(call, &calls, sizeof(calls));
}

static int restore(struct lam_call *call)
{
    if (call->request_bytes != sizeof(calls))
        return -EINVAL;
    memcpy(&calls, call->request, sizeof(calls));
    return 0;
}

#define METHODS(METHOD)                                                                            \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)                                                    \
    METHOD(count, "count", 0)                                                                      \
    METHOD(fault, "fault", 0)                                                                      \
    METHOD(fault, "fault-again", LAM_METHOD_IDEMPOTENT)                                            \
    METHOD(give_up, "abort", 0)                                                                    \
    METHOD(leave, "exit", 0)                                                                       \
    METHOD(overflow, "overflow", 0)                                                                \
    METHOD(overrun, "overrun", 0)                                                                  \
    METHOD(overrun_far, "overrun-far", 0)                                                          \
    METHOD(lie, "lie", 0)                                                                          \
    METHOD(loop, "loop", 0)                                                                        \
    METHOD(kill_itself, "kill", 0)                                                                 \
    METHOD(leave_child, "leave-child", 0)                                                          \
    METHOD(own_pid, "pid", 0)                                                                      \
    METHOD(relay, "relay", 0)                                                                      \
    METHOD(nest, "nest", 0)                                                                        \
    METHOD(log_oddly, "log-oddly", 0)                                                              \
    METHOD(ask_too_much, "ask-too-much", 0)                                                        \
    METHOD(ask_in_vain, "ask-in-vain", 0)

LAM_MODULE("bad", LAM_VERSION(1, 0, 0), METHODS, .features = 0, .save = save, .restore = restore);
