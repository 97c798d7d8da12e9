/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>

#include "gather.h"

int call_lost_one(
    const struct lam_framed_receiver *receiver, int rc, struct lam_framed_correlation *correlation)
{
    struct lam_framed_loss loss;

    *correlation = (struct lam_framed_correlation){0, 0};
    if (rc != -ECANCELED && rc != -EMSGSIZE && rc != -EBADMSG && rc != -EUSERS && rc != -EOWNERDEAD)
        return 0; /* of a death, the message that it cut is told first, by itself */
    if (!lam_framed_receiver_loss(receiver, &loss))
        return 0;
    if ((loss.flags & LAM_EVENT_CORRELATION) != 0)
        *correlation = loss.correlation;
    return 1;
}

/* Spreads what differs in few bits over all. */
static uint64_t mix(uint64_t word)
{
    word ^= word >> 33;
    word *= UINT64_C(0xff51afd7ed558ccd);
    word ^= word >> 33;
    word *= UINT64_C(0xc4ceb9fe1a85ec53);
    return word ^ word >> 33;
}

uint64_t call_new_scope(const struct lam_framed_sender *sender, uint32_t number)
{
    const struct lam_ring_producer *producer = &sender->producer;

    /*
     * The ring's id is random, and each producer of it has another epoch: only a second caller
     * over the same sender needs the clock to differ.
     */
    return (uint64_t)number << 32 |
           (mix(producer->ring->ring_id ^ mix(producer->epoch ^ mix(lam_clock_now_ns()))) >> 32);
}

int call_send_quickly(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out)
{
    uint64_t bytes;
    void *payload;

    LAM_ASSERT(out->part_count <= LAM_CALL_PART_COUNT_MAX);
    if (lam_gather_sum(out->parts, out->part_count, &bytes) != 0 ||
        call_try_claim(sender, correlation, bytes, &payload) != 1)
        return 0;
    lam_gather_all(out->parts, out->part_count, payload, bytes);
    call_commit(sender, bytes, out->kind, out->type, out->word);
    return 1;
}

int call_try_send(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out)
{
    struct call_parts all;

    if (__builtin_expect(call_send_quickly(sender, correlation, out), 1))
        return 1;
    call_gather(&all, out->parts, out->part_count, out->type, out->word);
    return lam_framed_sender_try_send(sender, all.parts, all.count, out->kind, correlation);
}

int call_send_until(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out,
    uint64_t deadline_ns)
{
    struct call_parts all;

    if (__builtin_expect(call_send_quickly(sender, correlation, out), 1))
        return 0;
    call_gather(&all, out->parts, out->part_count, out->type, out->word);
    return lam_framed_sender_send_until(
        sender, all.parts, all.count, out->kind, correlation, deadline_ns);
}
