/* SPDX-License-Identifier: Apache-2.0 */
/* The answering half of a responder. */
#include "lamina/base/crash_point.h"
#include "responder.h"
#include "wire.h"

static struct lam_framed_sender *sender_of(
    const struct lam_responder *responder, const struct lam_request *request)
{
    /* Below the bound: requests of other numbers are passed over. */
    return responder->senders[call_number(request->correlation.scope)];
}

static void done(struct lam_responder *responder, struct lam_request *request)
{
    (void)lam_responder_free_slot(responder, lam_responder_slot_of(responder, request));
    request->payload = NULL;
}

int lam_responder_release(struct lam_responder *responder, struct lam_request *request)
{
    struct lam_responder_slot *slot = lam_responder_slot_of(responder, request);

    if (slot->state == RESPONDER_RELEASED)
        return 0;
    slot->state = RESPONDER_RELEASED;
    request->payload = NULL;
    return lam_held_finish(&responder->held, slot->place);
}

int lam_responder_try_claim(struct lam_responder *responder, const struct lam_request *request,
    uint64_t payload_bytes, void **payload)
{
    struct lam_framed_sender *sender = sender_of(responder, request);
    int rc;

    if (sender == NULL)
        return -ENOENT;
    rc = call_try_claim(sender, &request->correlation, payload_bytes, payload);
    LAM_CRASH_POINT("call.reply_claimed");
    return rc;
}

static uint64_t earlier(uint64_t deadline_ns, const struct lam_request *request)
{
    return deadline_ns < request->deadline_ns ? deadline_ns : request->deadline_ns;
}

int lam_responder_claim_until(struct lam_responder *responder, const struct lam_request *request,
    uint64_t payload_bytes, uint64_t deadline_ns, void **payload)
{
    struct lam_framed_sender *sender = sender_of(responder, request);
    int rc;

    if (sender == NULL)
        return -ENOENT;
    rc = call_claim_until(
        sender, &request->correlation, payload_bytes, earlier(deadline_ns, request), payload);
    LAM_CRASH_POINT("call.reply_claimed");
    return rc;
}

void lam_responder_commit(struct lam_responder *responder, struct lam_request *request,
    uint64_t payload_bytes, uint16_t kind, int32_t status)
{
    struct lam_framed_sender *sender = sender_of(responder, request);

    LAM_ASSERT(sender != NULL);
    call_commit(sender, payload_bytes, kind, LAM_CALL_REPLY, (uint32_t)status);
    LAM_CRASH_POINT("call.reply_sent");
    responder->counts.answered++;
    done(responder, request);
}

void lam_responder_abort(struct lam_responder *responder, const struct lam_request *request)
{
    struct lam_framed_sender *sender = sender_of(responder, request);

    LAM_ASSERT(sender != NULL);
    lam_framed_sender_abort(sender);
}

static struct call_out reply_of(const struct lam_answer *answer)
{
    return (struct call_out){
        answer->parts, answer->part_count, answer->kind, LAM_CALL_REPLY, (uint32_t)answer->status};
}

int lam_responder_try_reply(
    struct lam_responder *responder, struct lam_request *request, const struct lam_answer *answer)
{
    struct lam_framed_sender *sender = sender_of(responder, request);
    const struct call_out out = reply_of(answer);
    int rc;

    if (sender == NULL)
        return -ENOENT;
    rc = call_try_send(sender, &request->correlation, &out);
    if (rc != 1)
        return rc;
    responder->counts.answered++;
    done(responder, request);
    return 1;
}

int lam_responder_reply_until(struct lam_responder *responder, struct lam_request *request,
    const struct lam_answer *answer, uint64_t deadline_ns)
{
    struct lam_framed_sender *sender = sender_of(responder, request);
    const struct call_out out = reply_of(answer);
    int rc;

    if (sender == NULL)
        return -ENOENT;
    rc = call_send_until(sender, &request->correlation, &out, earlier(deadline_ns, request));
    if (rc != 0)
        return rc;
    responder->counts.answered++;
    done(responder, request);
    return 0;
}

void lam_responder_drop(struct lam_responder *responder, struct lam_request *request)
{
    done(responder, request);
}
