/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: the module of the tests. Its state is a counter. What is wrong with it is chosen by
 * macros: KIND for what it answers, FEATURES, NO_STATE, and WRONG_... for what goes wrong.
 */
#include <unistd.h>

#include "lamina/runtime/module.h"

#ifndef KIND
#define KIND 1
#endif
#ifndef FEATURES
#define FEATURES 0
#endif

static uint64_t counters[8];
static int inits;

/* Its configuration, if there is one, is where it tells of its end: one byte into a descriptor. */
static int tell = -1;

static int start(struct lam_call *call)
{
    if (++inits != 1)
        return 41;
#ifdef WRONG_INIT
    return 42;
#endif
    call->state = &counters[KIND % 8];
    if (call->request_bytes == sizeof(tell))
        memcpy(&tell, call->request, sizeof(tell));
    return 0;
}

static int stop(struct lam_call *call)
{
    char kind = KIND;

    if (call->state == &counters[KIND % 8] && tell >= 0)
        return write(tell, &kind, 1) != 1;
    return 0;
}

/* The kind, then what came. */
static int echo(struct lam_call *call)
{
    void *reply;
    int rc = lam_call_reserve(call, call->request_bytes + 1, &reply);

    if (rc != 0)
        return rc;
    *(char *)reply = KIND;
    if (call->request_bytes != 0)
        memcpy((char *)reply + 1, call->request, call->request_bytes);
#ifdef WRONG_BYTES
    call->reply_bytes = call->reply_capacity + 1;
#endif
    return 0;
}

/* One more, and how many that are. Not atomic: the module is serial. */
static int count(struct lam_call *call)
{
    uint64_t *counter = (uint64_t *)call->state;
    uint64_t before = *counter;

    (void)lam_call_remaining_ns(call);
    *counter = before + 1;
    return lam_call_answer(call, counter, sizeof(*counter));
}

/* The number of the request, as a status. */
static int status(struct lam_call *call)
{
    int32_t number = 0;

    memcpy(&number, call->request, sizeof(number));
    return number;
}

/* Waits for a byte from the descriptor that the request names, then says its kind. */
static int wait_for(struct lam_call *call)
{
    char kind = KIND, byte;
    int fd;

    memcpy(&fd, call->request, sizeof(fd));
    if (read(fd, &byte, 1) != 1)
        return -EIO;
    return lam_call_answer(call, &kind, 1);
}

/* Calls "nest" of the module that the request names, until it is too deep; answers how deep. */
static int nest(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    char *own = (char *)lam_call_arena_take(&call->arena, 1024, 64);
    uint32_t depth = call->depth;
    int rc;

    if (own == NULL || (uintptr_t)own % 64 != 0)
        return -ENOMEM;
    memset(own, (int)depth, 1024);
    rc = lam_call_module(call, (const char *)call->request, LAM_METHOD_ID("nest"), call->request,
        call->request_bytes, &reply);
    for (int i = 0; i < 1024; i++)
        if (own[i] != (char)depth)
            return -EFAULT;
    if (rc == 0) {
        call->reply_bytes = reply.bytes;
        return 0;
    }
    if (rc != -ELOOP || reply.failure != LAM_FAILURE_TOO_DEEP)
        return rc;
    return lam_call_answer(call, &depth, sizeof(depth));
}

/* What it was lent: depth, caller, deadline, trace. */
static int context(struct lam_call *call)
{
    struct lam_log_field field = {"caller", call->caller};

    call->host->log(call, LAM_LEVEL_WARN, "called", &field, 1);
    (void)lam_call_count(call, "contexts", 1);
    return lam_call_answer(call, call, sizeof(*call));
}

static int relay(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    int rc;

    call->trace.id[0] = 77;
    rc = lam_call_module(
        call, (const char *)call->request, LAM_METHOD_ID("context"), NULL, 0, &reply);
    call->reply_bytes = reply.bytes;
    return rc;
}

#ifndef NO_STATE
static int save(struct lam_call *call)
{
#ifdef WRONG_SAVE
    return 43;
#endif
    /* More than anybody has room for at first. */
    static char state[10000];

    memcpy(state, call->state, sizeof(uint64_t));
    return lam_call_answer(call, state, sizeof(state));
}

static int restore(struct lam_call *call)
{
#ifdef WRONG_RESTORE
    return 44;
#endif
    if (call->request_bytes != 10000)
        return -EINVAL;
    memcpy(call->state, call->request, sizeof(uint64_t));
    return 0;
}
#endif

#define METHODS(METHOD)                                                                            \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)                                                    \
    METHOD(count, "count", 0)                                                                      \
    METHOD(status, "status", 0)                                                                    \
    METHOD(wait_for, "wait", 0)                                                                    \
    METHOD(nest, "nest", 0)                                                                        \
    METHOD(context, "context", 0)                                                                  \
    METHOD(relay, "relay", 0)

#ifndef NO_STATE
#define STATE .save = save, .restore = restore
#else
#define STATE .save = NULL
#endif
LAM_MODULE("test", LAM_VERSION(1, 0, KIND), METHODS, .features = FEATURES, .init = start,
    .shutdown = stop, STATE);
