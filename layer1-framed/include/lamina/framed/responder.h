/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_RESPONDER_H
#define LAM_FRAMED_RESPONDER_H

/*
 * lamina/framed/responder.h: the end that answers.
 *
 * Framed, layer 1. A responder is a receiver of requests and a sender of replies for each of its
 * callers, all attached by the user. Requests are lent where they lie, with kind, deadline and
 * correlation; they may be held together and answered in any order. Those that have expired or were
 * cancelled before they were looked at are passed over and counted. What is no request is dropped:
 * bytes that no caller writes poison the channel.
 *
 * Nothing but the messages lies in shared memory. All calls from one thread at a time; nothing here
 * allocates once attached.
 */

#include "lamina/framed/call_message.h"
#include "lamina/framed/held.h"
#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RESPONDER_CALLER_COUNT_MAX 64
#define LAM_RESPONDER_PENDING_MAX      65536
#define LAM_RESPONDER_PENDING_DEFAULT  64

struct lam_responder_options {
    /* Requests received and not answered or dropped; 0: LAM_RESPONDER_PENDING_DEFAULT. */
    uint32_t pending_max;
};

struct lam_responder_counts {
    uint64_t received;
    uint64_t answered;
    uint64_t expired;  /* passed over: the deadline had gone by */
    uint64_t canceled; /* passed over, or seen while in work */
    uint64_t unknown;  /* passed over: no sender for that caller */
    uint64_t cut;      /* passed over: given up midway, or larger than the receiver takes */
};

/* One request in hand. Private. */
struct lam_responder_slot {
    struct lam_framed_correlation correlation;
    uint64_t deadline_ns;
    const void *payload;
    uint64_t payload_bytes;
    uint64_t place;
    uint32_t next;
    uint16_t kind;
    uint8_t state;
    uint8_t canceled;
};

struct lam_responder {
    /* Fields are private. */
    struct lam_framed_receiver *receiver;
    struct lam_framed_sender *senders[LAM_RESPONDER_CALLER_COUNT_MAX];
    struct lam_responder_slot *slots;
    uint32_t slot_count;
    uint32_t free_first;
    uint32_t queue_first; /* received ahead, in order */
    uint32_t queue_last;
    int32_t ended; /* how the channel of requests ended, behind what was received ahead */
    struct lam_held held;
    struct lam_responder_counts counts;
    void *memory;
};

/* A request in hand, until it is answered or dropped. */
struct lam_request {
    const void *payload; /* lent until answered, dropped, or released before */
    uint64_t payload_bytes;
    uint64_t deadline_ns; /* as the caller sent it; LAM_DEADLINE_NEVER */
    struct lam_framed_correlation correlation;
    uint16_t kind;
    uint32_t slot; /* private */
};

/* An answer whose bytes lie elsewhere: in the request, it may be. */
struct lam_answer {
    const struct iovec *parts;
    uint32_t part_count; /* LAM_CALL_PART_COUNT_MAX at most; 0: @status says it all */
    uint16_t kind;
    int32_t status; /* 0, or a negative errno */
};

/*
 * Become a responder over @receiver, attached, kept until lam_responder_detach(). @options may be
 * NULL.
 *
 * Allocates the table. Returns 0, or
 *   -EINVAL pending_max is above LAM_RESPONDER_PENDING_MAX; @error says so
 *   -ENOMEM
 */
int lam_responder_attach(struct lam_responder *responder, struct lam_framed_receiver *receiver,
    const struct lam_responder_options *options, struct lam_error *error);

/* Give the table back. What is in hand is not answered. */
void lam_responder_detach(struct lam_responder *responder);

/*
 * Replies to the caller of @number (struct lam_caller_options) go by @sender, kept until removed
 * or replaced. With NULL that caller is unknown. Returns 0, or -EINVAL: @number is not below
 * LAM_RESPONDER_CALLER_COUNT_MAX.
 */
int lam_responder_add(
    struct lam_responder *responder, uint32_t number, struct lam_framed_sender *sender);

/*
 * Take the next request that still wants an answer, without waiting.
 *
 * Returns 1 and fills *@request; 0 none is there yet; an error of
 * lam_framed_receiver_try_receive() for the channel of requests, or
 *   -EBUSY pending_max requests are in hand, or one of frames comes next: answer, drop or release
 *          something
 */
int lam_responder_try_receive(struct lam_responder *responder, struct lam_request *request);

/* The same, waiting until @deadline_ns. Returns 0, or an error, -ETIMEDOUT among them. */
int lam_responder_receive_until(
    struct lam_responder *responder, uint64_t deadline_ns, struct lam_request *request);

/* 1 something was received ahead: the next try_receive finds it without a look at the channel. */
int lam_responder_is_ready(const struct lam_responder *responder);

/* Nanoseconds that are left to answer, as of now; 0 none, LAM_DEADLINE_NEVER no end. */
LAM_INLINE uint64_t lam_request_remaining_ns(const struct lam_request *request)
{
    uint64_t now_ns;

    if (request->deadline_ns == LAM_DEADLINE_NEVER)
        return LAM_DEADLINE_NEVER;
    now_ns = lam_clock_now_ns();
    return now_ns < request->deadline_ns ? request->deadline_ns - now_ns : 0;
}

/*
 * Has the caller cancelled this request? Receives ahead, as far as the table has room, to find out.
 * It may be answered all the same: the answer is dropped there.
 */
int lam_responder_is_canceled(struct lam_responder *responder, const struct lam_request *request);

/*
 * Give the request's payload back before it is answered; it stays in hand. In any order. Returns
 * as lam_framed_receiver_release().
 */
int lam_responder_release(struct lam_responder *responder, struct lam_request *request);

/*
 * Claim room for the answer to @request, up to @payload_bytes, to be written in place, without
 * waiting. The request's payload stays lent meanwhile. At most one claim for each caller.
 *
 * Returns 1; 0 the caller's channel is full; or an error of lam_framed_sender_try_claim(), or
 *   -ENOENT no sender is known for that caller any more
 * On 0 or an error the request stays in hand.
 */
int lam_responder_try_claim(struct lam_responder *responder, const struct lam_request *request,
    uint64_t payload_bytes, void **payload);

/*
 * The same, waiting until @deadline_ns, or the request's own: nobody waits for the answer after
 * that. Returns 0, or an error, -ETIMEDOUT among them.
 */
int lam_responder_claim_until(struct lam_responder *responder, const struct lam_request *request,
    uint64_t payload_bytes, uint64_t deadline_ns, void **payload);

/*
 * Send the claimed answer, with @payload_bytes of it written, and a status: 0, or a negative errno.
 * The request is done with, and its payload released. Wait-free.
 */
void lam_responder_commit(struct lam_responder *responder, struct lam_request *request,
    uint64_t payload_bytes, uint16_t kind, int32_t status);

/* Give the claim back; the request stays in hand. */
void lam_responder_abort(struct lam_responder *responder, const struct lam_request *request);

/*
 * Answer with bytes that lie elsewhere. try_: must fit half the ring.
 *
 * Returns as lam_responder_try_claim(), or as lam_responder_claim_until() and
 * lam_framed_sender_send_until(); where 1 and 0 the request is done with
 */
int lam_responder_try_reply(
    struct lam_responder *responder, struct lam_request *request, const struct lam_answer *answer);
int lam_responder_reply_until(struct lam_responder *responder, struct lam_request *request,
    const struct lam_answer *answer, uint64_t deadline_ns);

/* Done with a request, without an answer: its caller waits until its deadline. */
void lam_responder_drop(struct lam_responder *responder, struct lam_request *request);

#ifdef __cplusplus
}
#endif

#endif
