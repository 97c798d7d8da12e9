/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_module.c: a module by which the stages of a path are seen: it says how often it ran, and
 * waits where it is told to.
 */
#include <unistd.h>

#include "lamina/runtime/module.h"

static _Atomic uint64_t runs;

/* Which run of all this is, then what came. */
static int work(struct lam_call *call)
{
    uint64_t run = ++runs;
    void *reply;
    int rc = lam_call_reserve(call, sizeof(run) + call->request_bytes, &reply);

    if (rc != 0)
        return rc;
    memcpy(reply, &run, sizeof(run));
    if (call->request_bytes != 0)
        memcpy((char *)reply + sizeof(run), call->request, call->request_bytes);
    return 0;
}

/* How many runs there were. */
static int count(struct lam_call *call)
{
    uint64_t now = runs;

    return lam_call_answer(call, &now, sizeof(now));
}

/* The number of the request, as a status. */
static int status(struct lam_call *call)
{
    int32_t number = 0;

    runs++;
    if (call->request_bytes == sizeof(number))
        memcpy(&number, call->request, sizeof(number));
    call->reply_bytes = 0;
    return number;
}

/* Waits for a byte from the descriptor that the request names: 'x' is an error. Answers its run. */
static int hold(struct lam_call *call)
{
    uint64_t run = ++runs;
    char byte;
    int fd;

    memcpy(&fd, call->request, sizeof(fd));
    if (read(fd, &byte, 1) != 1 || byte == 'x')
        return -EIO;
    return lam_call_answer(call, &run, sizeof(run));
}

/* Asks itself the same, once. */
static int again(struct lam_call *call)
{
    struct lam_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    uint64_t run = ++runs;
    int rc;

    if (call->depth > 0)
        return lam_call_answer(call, &run, sizeof(run));
    rc = lam_call_module(call, "stage", call->method, call->request, call->request_bytes, &reply);
    call->reply_bytes = reply.bytes;
    return rc;
}

#define METHODS(METHOD)                                                                            \
    METHOD(work, "work", LAM_METHOD_CACHEABLE)                                                     \
    METHOD(work, "labour", LAM_METHOD_CACHEABLE)                                                   \
    METHOD(work, "plain", 0)                                                                       \
    METHOD(count, "count", 0)                                                                      \
    METHOD(status, "status", LAM_METHOD_CACHEABLE)                                                 \
    METHOD(hold, "hold", LAM_METHOD_CACHEABLE)                                                     \
    METHOD(again, "again", LAM_METHOD_CACHEABLE)

LAM_MODULE("stage", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
