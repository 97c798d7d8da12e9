/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving half of a responder: requests are queued, cancelled, passed over, handed out. */
#include "lamina/base/crash_point.h"
#include "responder.h"
#include "wire.h"

/* Messages that one call looks at, at most: callers as fast as we are must not keep us. */
#define LOOKS_MAX 256

static uint32_t index_of(
    const struct lam_responder *responder, const struct lam_responder_slot *slot)
{
    return (uint32_t)(slot - responder->slots);
}

struct lam_responder_slot *lam_responder_slot_of(
    const struct lam_responder *responder, const struct lam_request *request)
{
    struct lam_responder_slot *slot = &responder->slots[request->slot];

    LAM_ASSERT(request->slot < responder->slot_count && slot->state >= RESPONDER_IN_WORK &&
               slot->correlation.id == request->correlation.id &&
               slot->correlation.scope == request->correlation.scope);
    return slot;
}

int lam_responder_free_slot(struct lam_responder *responder, struct lam_responder_slot *slot)
{
    int rc = 0;

    if (slot->state != RESPONDER_RELEASED)
        rc = lam_held_finish(&responder->held, slot->place);
    slot->state = RESPONDER_FREE;
    slot->next = responder->free_first;
    responder->free_first = index_of(responder, slot);
    return rc;
}

/* A slot for a request that is received; there is one. */
static struct lam_responder_slot *take_slot(struct lam_responder *responder,
    const struct lam_framed_message *message, const struct call *call, enum responder_state state)
{
    struct lam_responder_slot *slot = &responder->slots[responder->free_first];

    responder->free_first = slot->next;
    slot->correlation = call->correlation;
    slot->deadline_ns = call->word;
    slot->place = lam_held_keep(&responder->held, message);
    slot->state = (uint8_t)state;
    slot->canceled = 0;
    return slot;
}

static void enqueue(struct lam_responder *responder, const struct lam_framed_message *message,
    const struct call *call)
{
    uint32_t index = responder->free_first;
    struct lam_responder_slot *slot = take_slot(responder, message, call, RESPONDER_QUEUED);

    slot->payload = call->payload;
    slot->payload_bytes = call->payload_bytes;
    slot->kind = call->kind;
    slot->next = RESPONDER_NONE;
    if (responder->queue_last == RESPONDER_NONE)
        responder->queue_first = index;
    else
        responder->slots[responder->queue_last].next = index;
    responder->queue_last = index;
    LAM_CRASH_POINT("call.request_queued");
}

/* The slot is the application's now. */
static void hand_over(struct lam_responder *responder, const struct lam_responder_slot *slot,
    struct lam_request *request)
{
    responder->counts.received++;
    request->deadline_ns = slot->deadline_ns;
    request->correlation = slot->correlation;
    request->slot = index_of(responder, slot);
    LAM_CRASH_POINT("call.request_taken");
}

/* Is this too late to be answered? We may have been kept off our CPU since it came. */
static int has_expired(struct lam_responder *responder, uint64_t deadline_ns)
{
    if (deadline_ns == LAM_DEADLINE_NEVER || lam_clock_now_ns() < deadline_ns)
        return 0;
    responder->counts.expired++;
    return 1;
}

/* Seldom, and all are looked at: nothing is spent on a way to find one. */
static void cancel(struct lam_responder *responder, const struct lam_framed_correlation *which)
{
    for (uint32_t i = 0; i < responder->slot_count; i++) {
        struct lam_responder_slot *slot = &responder->slots[i];

        if (slot->state == RESPONDER_FREE || slot->canceled || slot->correlation.id != which->id ||
            slot->correlation.scope != which->scope)
            continue;
        slot->canceled = 1;
        responder->counts.canceled++;
    }
}

static int is_known(const struct lam_responder *responder, uint64_t scope)
{
    uint32_t number = call_number(scope);

    return number < LAM_RESPONDER_CALLER_COUNT_MAX && responder->senders[number] != NULL;
}

/* A request comes. Returns 2: handed out; 1 queued, where there is no @request to fill, or over. */
static int come_in(struct lam_responder *responder, const struct lam_framed_message *message,
    const struct call *call, struct lam_request *request)
{
    if (request == NULL) {
        enqueue(responder, message, call);
        return 1;
    }
    if (has_expired(responder, call->word))
        return lam_held_pass(&responder->held, message) == 0 ? 1 : -ESTALE;
    call_expect_claim(responder->senders[call_number(call->correlation.scope)]);
    request->payload = call->payload;
    request->payload_bytes = call->payload_bytes;
    request->kind = call->kind;
    hand_over(responder, take_slot(responder, message, call, RESPONDER_IN_WORK), request);
    return 2;
}

/* What is this message? As come_in(); 1 where it is passed over; or the end of the channel. */
static int sort(struct lam_responder *responder, const struct lam_framed_message *message,
    struct lam_request *request)
{
    struct call call;

    if (!call_load(message, &call) || call.type == LAM_CALL_REPLY)
        return lam_framed_receiver_poison(responder->receiver);
    if (call.type == LAM_CALL_REQUEST) {
        if (is_known(responder, call.correlation.scope))
            return come_in(responder, message, &call, request);
        responder->counts.unknown++;
    } else {
        cancel(responder, &call.correlation);
    }
    return lam_held_pass(&responder->held, message) == 0 ? 1 : -ESTALE;
}

/* Take one message in. As sort(); 0 none is there; or -EBUSY. */
static int receive(struct lam_responder *responder, struct lam_request *request)
{
    struct lam_framed_correlation correlation;
    struct lam_framed_message message;
    int rc;

    if (responder->free_first == RESPONDER_NONE || lam_held_is_full(&responder->held))
        return -EBUSY;
    rc = call_try_receive(responder->receiver, &message);
    if (rc == 1)
        return sort(responder, &message, request);
    /* A request that its caller gave up midway, or larger than we take: it never was one. */
    if (rc < 0 && call_lost_one(responder->receiver, rc, &correlation)) {
        responder->counts.cut++;
        return 1;
    }
    return rc;
}

/* Hand out the first of what was received ahead. Returns 1, or 0: nothing of it is wanted. */
static int hand_out(struct lam_responder *responder, struct lam_request *request)
{
    struct lam_responder_slot *slot;

    while (responder->queue_first != RESPONDER_NONE) {
        slot = &responder->slots[responder->queue_first];
        responder->queue_first = slot->next;
        if (slot->next == RESPONDER_NONE)
            responder->queue_last = RESPONDER_NONE;
        if (slot->canceled || has_expired(responder, slot->deadline_ns)) {
            (void)lam_responder_free_slot(responder, slot);
            continue;
        }
        slot->state = RESPONDER_IN_WORK;
        request->payload = slot->payload;
        request->payload_bytes = slot->payload_bytes;
        request->kind = slot->kind;
        hand_over(responder, slot, request);
        return 1;
    }
    return 0;
}

int lam_responder_try_receive(struct lam_responder *responder, struct lam_request *request)
{
    int rc = 1;

    if (responder->queue_first != RESPONDER_NONE && hand_out(responder, request))
        return 1;
    if (responder->ended != 0) {
        rc = responder->ended;
        responder->ended = 0;
        return rc;
    }
    for (uint32_t looks = 0; rc == 1 && looks < LOOKS_MAX; looks++)
        rc = receive(responder, request);
    if (rc == 2)
        return 1;
    return rc == 1 ? 0 : rc;
}

int lam_responder_receive_until(
    struct lam_responder *responder, uint64_t deadline_ns, struct lam_request *request)
{
    int rc = lam_responder_try_receive(responder, request);

    while (rc == 0) {
        int ended = lam_ring_consumer_wait_until(&responder->receiver->consumer, deadline_ns);

        rc = lam_responder_try_receive(responder, request);
        if (rc != 0)
            break;
        if (ended != 0)
            return ended;
        /* Something came, and no request: only the clock ends that. */
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
    return rc == 1 ? 0 : rc;
}

int lam_responder_is_ready(const struct lam_responder *responder)
{
    return responder->queue_first != RESPONDER_NONE || responder->ended != 0;
}

int lam_responder_is_canceled(struct lam_responder *responder, const struct lam_request *request)
{
    const struct lam_responder_slot *slot = lam_responder_slot_of(responder, request);
    int rc = 1;

    for (uint32_t looks = 0; rc == 1 && !slot->canceled && looks < LOOKS_MAX; looks++)
        rc = receive(responder, NULL);
    /* Told once what was received ahead is handed out. */
    if (rc < 0 && rc != -EBUSY)
        responder->ended = rc;
    return slot->canceled;
}
