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
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    uint64_t run = ++runs;
    int rc;

    if (call->depth > 0)
        return lam_call_answer(call, &run, sizeof(run));
    rc = lam_call_module(call, "stage", call->method, call->request, call->request_bytes, &reply);
    call->reply_bytes = reply.bytes;
    return rc;
}

/* Alone: its place, how many they are, then what came. */
static int gather(struct lam_call *call)
{
    static const uint32_t alone[2] = {0, 1};
    void *reply;
    int rc = lam_call_reserve(call, sizeof(alone) + call->request_bytes, &reply);

    if (rc != 0)
        return rc;
    memcpy(reply, alone, sizeof(alone));
    if (call->request_bytes != 0)
        memcpy((char *)reply + sizeof(alone), call->request, call->request_bytes);
    return 0;
}

/* One of several. What its request begins with says how it ends. */
static int gather_one(struct lam_call *call, uint32_t place, uint32_t count)
{
    char first = call->request_bytes > 0 ? *(const char *)call->request : 0;
    struct lam_later *later;
    uint32_t which[2] = {place, count};
    int rc = gather(call);

    if (rc == 0)
        memcpy(call->reply, which, sizeof(which));
    switch (first) {
    case '!':
        return -77;
    case '>':
        call->reply_bytes = call->reply_capacity + 1;
        return 0;
    case '~': /* as if nothing were said of it */
        return LAM_LATER;
    case '+':
        later = call->host->later(call);
        if (later == NULL)
            return -ENOMEM;
        (void)call->host->answer(later, 0, "later", 5);
        return LAM_LATER;
    default:
        return rc;
    }
}

static void work_at_once(struct lam_call *calls, int32_t *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct lam_call *call = lam_batch_at(calls, i);

        if (call->method == LAM_METHOD_ID("again"))
            results[i] = again(call);
        else
            results[i] = gather_one(call, i, count);
    }
}

#ifdef SERIAL
#define STAGE_FEATURES 0
#else
#define STAGE_FEATURES LAM_MODULE_CONCURRENT
#endif

#define METHODS(METHOD)                                                                            \
    METHOD(work, "work", LAM_METHOD_CACHEABLE)                                                     \
    METHOD(work, "labour", LAM_METHOD_CACHEABLE)                                                   \
    METHOD(work, "plain", 0)                                                                       \
    METHOD(count, "count", 0)                                                                      \
    METHOD(status, "status", LAM_METHOD_CACHEABLE)                                                 \
    METHOD(hold, "hold", LAM_METHOD_CACHEABLE)                                                     \
    METHOD(again, "again", LAM_METHOD_CACHEABLE)                                                   \
    METHOD(gather, "gather", 0)                                                                    \
    METHOD(gather, "collect", 0)

LAM_MODULE(
    "stage", LAM_VERSION(1, 0, 0), METHODS, .features = STAGE_FEATURES, .batch = work_at_once);
