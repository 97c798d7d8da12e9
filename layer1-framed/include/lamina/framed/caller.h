/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_CALLER_H
#define LAM_FRAMED_CALLER_H

/*
 * lamina/framed/caller.h: the end that asks.
 *
 * Framed, layer 1. A caller is a sender of requests and a receiver of replies, both attached by the
 * user, and a table of what is outstanding. Requests may be many at once; answers come in any
 * order. Each request comes to exactly one end, which is taken once: its answer, or why there is
 * none. An answer that comes later than that, twice, or for another caller is dropped and counted:
 * it never passes for the answer to something else. Deadlines travel with requests.
 *
 * The death of the responder ends what was asked of it, for who waits within 10 ms, also where a
 * successor has taken the channel of replies in the meantime: what that one answers of it is late.
 * In a channel of replies with many senders the death of one of them is not told: its requests end
 * by their deadlines.
 *
 * Nothing but the messages lies in shared memory. All calls from one thread at a time; nothing here
 * allocates once attached.
 */

#include "lamina/framed/call_table.h"
#include "lamina/framed/held.h"
#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_caller_options {
    /* Requests that wait, or whose end was not taken; 0: LAM_CALL_PENDING_DEFAULT. */
    uint32_t pending_max;
    /* Where replies go, among the callers of one channel of requests: lam_responder_add(). */
    uint32_t number;
};

/* What a caller has seen. */
struct lam_caller_counts {
    uint64_t begun;
    uint64_t answered;
    uint64_t expired;
    uint64_t canceled;
    uint64_t failed;  /* by the end of the channel, or of the answer */
    uint64_t late;    /* dropped: answers to what had ended, twice among them */
    uint64_t foreign; /* dropped: of another caller's scope */
};

struct lam_caller {
    /* Fields are private. */
    struct lam_framed_sender *sender;
    struct lam_framed_receiver *receiver;
    uint64_t scope;
    uint64_t epoch;      /* of the channel of replies, as seen last: who answers */
    uint64_t claimed_id; /* of the claim in hand; 0 none */
    struct lam_call_table table;
    struct lam_held held;
    struct lam_caller_counts counts;
    void *memory; /* the table's, from attach to detach */
};

/*
 * Become a caller over @sender and @receiver, which are attached and kept until
 * lam_caller_detach(). The sender may serve others of this thread, too; the receiver is this
 * caller's alone: what comes for others is dropped. It should have joined before the responder can
 * answer. @options may be NULL.
 *
 * Allocates the table. Returns 0, or
 *   -EINVAL pending_max is above LAM_CALL_PENDING_MAX; @error says so
 *   -ENOMEM
 */
int lam_caller_attach(struct lam_caller *caller, struct lam_framed_sender *sender,
    struct lam_framed_receiver *receiver, const struct lam_caller_options *options,
    struct lam_error *error);

/* Give the table back. Outstanding requests are forgotten, lent replies are released. */
void lam_caller_detach(struct lam_caller *caller);

/*
 * Claim room for a request of up to @payload_bytes, to be written in place, without waiting.
 * *@payload is borrowed until commit or abort. At most one claim at a time.
 *
 * Returns 1; 0 the channel is full; or an error of lam_framed_sender_try_claim(), or
 *   -EBUSY pending_max requests are outstanding or not taken: take one
 */
int lam_caller_try_claim(struct lam_caller *caller, uint64_t payload_bytes, void **payload);

/* The same, waiting until @deadline_ns. Returns 0, or an error, -ETIMEDOUT among them. */
int lam_caller_claim_until(
    struct lam_caller *caller, uint64_t payload_bytes, uint64_t deadline_ns, void **payload);

/*
 * Send the claimed request, with @payload_bytes of it written. @deadline_ns, monotonic and
 * absolute, is when it ends unanswered; the responder sees it. Wait-free. Returns its ticket.
 */
struct lam_ticket lam_caller_commit(
    struct lam_caller *caller, uint64_t payload_bytes, uint16_t kind, uint64_t deadline_ns);

/* Give the claim back; there was no request. */
void lam_caller_abort(struct lam_caller *caller);

/*
 * Send a request of bytes that lie elsewhere, @part_count parts, at most LAM_CALL_PART_COUNT_MAX,
 * without waiting. It must fit half the ring.
 *
 * Returns as lam_caller_try_claim(), with *@ticket where 1
 */
int lam_caller_try_begin(struct lam_caller *caller, const struct iovec *parts, uint32_t part_count,
    uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket);

/*
 * The same, of any length that the sender takes, waiting for room until @deadline_ns, which is the
 * request's, too. Returns 0 and *@ticket, or an error of lam_framed_sender_send_until(), or -EBUSY
 * as lam_caller_try_claim().
 */
int lam_caller_begin_until(struct lam_caller *caller, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket);

/*
 * Take the end of request @ticket, or with NULL of any, the first to end. Receives what is there,
 * at most so many messages in one call, and keeps the ends of others for their own takes. Never
 * waits.
 *
 * Returns 1 and fills *@reply (look at its outcome); 0 not yet; or
 *   -ENOENT no such request is outstanding, or with NULL none at all
 *   -EBUSY  twice pending_max answers are held behind the oldest that was not released, or one of
 *           frames comes next: release, or take and release, what is held before it
 */
int lam_caller_try_take(
    struct lam_caller *caller, const struct lam_ticket *ticket, struct lam_reply *reply);

/*
 * The same, waiting until @deadline_ns, or until the request's own, whichever is earlier.
 *
 * Returns 0 and fills *@reply, or an error of lam_caller_try_take(), or
 *   -ETIMEDOUT this wait is over, and the request is as it was
 */
int lam_caller_take_until(struct lam_caller *caller, const struct lam_ticket *ticket,
    uint64_t deadline_ns, struct lam_reply *reply);

/*
 * Ask and wait: lam_caller_begin_until(), then the take of its end.
 *
 * Returns 0 and fills *@reply: answered, by whatever status, to be released; or the error of the
 * begin, or the outcome; nothing is lent then
 */
int lam_caller_call_until(struct lam_caller *caller, const struct iovec *parts, uint32_t part_count,
    uint16_t kind, uint64_t deadline_ns, struct lam_reply *reply);

/*
 * Give a taken reply back, in any order among others. Their memory is the responder's again once
 * all older ones are back, too: an end that is never taken holds the channel, as does one not
 * released. Nothing happens for one that lends nothing.
 *
 * Returns as lam_framed_receiver_release()
 */
int lam_caller_release(struct lam_caller *caller, const struct lam_reply *reply);

/*
 * Give a request up: its end is -ECANCELED, to be taken, and its answer will be dropped. The
 * responder is told without waiting, so that it can stop.
 *
 * Returns 1; 0 the channel is full: the responder will not know; or
 *   -ENOENT it is not waiting: it had ended already
 */
int lam_caller_cancel(struct lam_caller *caller, struct lam_ticket ticket);

/* How many requests wait for their end. */
LAM_INLINE uint32_t lam_caller_outstanding(const struct lam_caller *caller)
{
    return lam_call_table_count(&caller->table, LAM_CALL_WAITING);
}

#ifdef __cplusplus
}
#endif

#endif
