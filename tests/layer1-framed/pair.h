/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FRAMED_PAIR_H
#define LAM_TEST_FRAMED_PAIR_H

/*
 * pair.h: a caller and a responder of one process, over two channels, for the tests of calls.
 */

#include "channel.h"
#include "starts.h"

struct pair {
    struct channel requests; /* its sender is the caller's */
    struct channel replies;  /* its sender is the responder's */
    struct lam_caller caller;
    struct lam_responder responder;
};

static inline void pair_open_channel(struct channel *channel, uint64_t depth, uint64_t start)
{
    channel_make_ring(&channel->ring, depth, start);
    channel_attach_sender(channel);
    channel_attach_receiver(channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

static inline void pair_open_of(struct pair *pair, uint64_t depth, uint32_t pending_max)
{
    const struct lam_caller_options caller = {.pending_max = pending_max};
    const struct lam_responder_options responder = {.pending_max = pending_max};
    struct lam_error error = {""};

    pair_open_channel(&pair->requests, depth, test_next_start());
    pair_open_channel(&pair->replies, depth, test_next_start());
    if (lam_caller_attach(
            &pair->caller, &pair->requests.sender, &pair->replies.receiver, &caller, &error) != 0 ||
        lam_responder_attach(&pair->responder, &pair->requests.receiver, &responder, &error) != 0 ||
        lam_responder_add(&pair->responder, 0, &pair->replies.sender) != 0)
        channel_fail(&error);
    /* Generations begin just before their 32 bits are used up. */
    for (uint32_t i = 0; i < pair->caller.table.slot_count; i++)
        pair->caller.table.slots[i].generation = UINT32_MAX - 2;
}

static inline void pair_open(struct pair *pair)
{
    pair_open_of(pair, 64, 8);
}

static inline void pair_close(struct pair *pair)
{
    lam_caller_detach(&pair->caller);
    lam_responder_detach(&pair->responder);
    channel_close(&pair->replies);
    channel_close(&pair->requests);
}

/* Ask message @number of @bytes, in place. Returns as lam_caller_try_claim(). */
static inline int pair_try_ask(struct pair *pair, uint64_t number, uint64_t bytes,
    uint64_t deadline_ns, struct lam_ticket *ticket)
{
    void *payload = NULL;
    int rc = lam_caller_try_claim(&pair->caller, bytes, &payload);

    if (rc == 1) {
        known_fill(payload, number, 0, bytes);
        *ticket = lam_caller_commit(&pair->caller, bytes, (uint16_t)(number & 0x7fff), deadline_ns);
    }
    return rc;
}

static inline struct lam_ticket pair_ask(struct pair *pair, uint64_t number)
{
    struct lam_ticket ticket = {0};

    if (pair_try_ask(pair, number, 48, soon(), &ticket) != 1)
        abort();
    return ticket;
}

/* The next request in hand, which must be there. */
static inline struct lam_request pair_next(struct pair *pair)
{
    struct lam_request request = {.payload = NULL};

    if (lam_responder_try_receive(&pair->responder, &request) != 1)
        abort();
    return request;
}

/* Answer with message @number of @bytes, in place. Returns as lam_responder_try_claim(). */
static inline int pair_try_answer(
    struct pair *pair, struct lam_request *request, uint64_t number, uint64_t bytes, int32_t status)
{
    void *payload = NULL;
    int rc = lam_responder_try_claim(&pair->responder, request, bytes, &payload);

    if (rc == 1) {
        known_fill(payload, number, 0, bytes);
        lam_responder_commit(&pair->responder, request, bytes, (uint16_t)(number & 0x7fff), status);
    }
    return rc;
}

static inline void pair_answer(struct pair *pair, struct lam_request *request, uint64_t number)
{
    if (pair_try_answer(pair, request, number, 48, 0) != 1)
        abort();
}

/* Is this the answer @number, byte for byte? */
static inline int pair_is_answer(const struct lam_reply *reply, uint64_t number, uint64_t bytes)
{
    return reply->outcome == 0 && reply->payload_bytes == bytes &&
           reply->kind == (uint16_t)(number & 0x7fff) && (uintptr_t)reply->payload % 16 == 0 &&
           known_matches(reply->payload, number, bytes);
}

/* Take the end of @ticket, which must be @outcome, and give it back. Returns 1 it is. */
static inline int pair_ends(struct pair *pair, struct lam_ticket ticket, int outcome)
{
    struct lam_reply reply = {.outcome = 1};

    return lam_caller_try_take(&pair->caller, &ticket, &reply) == 1 && reply.outcome == outcome &&
           reply.ticket.id == ticket.id && lam_caller_release(&pair->caller, &reply) == 0;
}

#endif
