/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sdk_module.c: a module that uses what it is lent as its requests say.
 */
#include "lamina/runtime/module.h"

/* Notes a metric: its kind, its value, its name. Returns what the host said. */
static int note(struct lam_call *call)
{
    struct {
        uint32_t kind, unused;
        uint64_t value;
    } head;

    if (call->request_bytes <= sizeof(head))
        return -EINVAL;
    memcpy(&head, call->request, sizeof(head));
    return call->host->metric(
        call, (enum lam_metric)head.kind, (const char *)call->request + sizeof(head), head.value);
}

/* The same by the functions of the header: 2 of a counter, 3 of a gauge, 4 and 5 of a histogram. */
static int note_all(struct lam_call *call)
{
    int rc = lam_call_count(call, "counter", 2);

    if (rc == 0)
        rc = lam_call_gauge(call, "gauge", 3);
    for (uint64_t value = 4; rc == 0 && value <= 5; value++)
        rc = lam_call_measure(call, "histogram", value);
    return rc;
}

/* Takes pieces of the arena, of so many bytes and so aligned, until it ends. Answers how many. */
static int take(struct lam_call *call)
{
    uint64_t wanted[2], count = 0;
    uint8_t *last = NULL, *piece;

    if (call->request_bytes != sizeof(wanted))
        return -EINVAL;
    memcpy(wanted, call->request, sizeof(wanted));
    while ((piece = (uint8_t *)lam_call_arena_take(&call->arena, wanted[0], wanted[1])) != NULL) {
        if ((uintptr_t)piece % wanted[1] != 0 || (last != NULL && piece < last + wanted[0]))
            return -EFAULT;
        memset(piece, 0x5a, wanted[0]);
        last = piece;
        count++;
    }
    return lam_call_answer(call, &count, sizeof(count));
}

/* A call within this one takes what this one has left. Answers how many pieces that were. */
static int take_within(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    uint64_t wanted[2];
    uint8_t *own;
    int rc;

    if (call->request_bytes != sizeof(wanted))
        return -EINVAL;
    memcpy(wanted, call->request, sizeof(wanted));
    own = (uint8_t *)lam_call_arena_take(&call->arena, wanted[0], wanted[1]);
    if (own == NULL)
        return -ENOMEM;
    memset(own, 1, wanted[0]);
    rc = lam_call_module(call, "sdk", LAM_METHOD_ID("take"), wanted, sizeof(wanted), &reply);
    for (uint64_t i = 0; i < wanted[0]; i++)
        if (own[i] != 1)
            return -EFAULT;
    call->reply_bytes = reply.bytes;
    return rc;
}

/* Its deadline and what is left of it. */
static int until(struct lam_call *call)
{
    uint64_t times[2] = {call->deadline_ns, lam_call_remaining_ns(call)};

    return lam_call_answer(call, times, sizeof(times));
}

/* The deadline of a call within this one, which is given as long as the request says, if that is
 * nearer than what this one was given. */
static int until_within(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    uint64_t own;
    int rc;

    if (call->request_bytes != sizeof(own))
        return -EINVAL;
    memcpy(&own, call->request, sizeof(own));
    if (own < call->deadline_ns)
        call->deadline_ns = own;
    rc = lam_call_module(call, "sdk", LAM_METHOD_ID("until"), NULL, 0, &reply);
    call->reply_bytes = reply.bytes;
    return rc;
}

#define METHODS(METHOD)                                                                            \
    METHOD(note, "note", 0)                                                                        \
    METHOD(note_all, "note-all", 0)                                                                \
    METHOD(take, "take", 0)                                                                        \
    METHOD(take_within, "take-within", 0)                                                          \
    METHOD(until, "until", 0)                                                                      \
    METHOD(until_within, "until-within", 0)

LAM_MODULE("sdk", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
