/* SPDX-License-Identifier: Apache-2.0 */
/* The asking half of a caller: requests and cancels. */
#include "caller.h"

#include "lamina/base/crash_point.h"
#include "wire.h"

/* What the next request goes out with. Returns 0, or -EBUSY. */
static int next_correlation(struct lam_caller *caller, struct lam_framed_correlation *correlation)
{
    LAM_ASSERT(caller->claimed_id == 0);
    /* Before it is sent: what a successor has begun to answer is not the dead one's. */
    caller_look_who_answers(caller);
    correlation->scope = caller->scope;
    return lam_call_table_next(&caller->table, &correlation->id);
}

static void claimed(struct lam_caller *caller, uint64_t id)
{
    caller->claimed_id = id;
    LAM_CRASH_POINT("call.request_claimed");
}

int lam_caller_try_claim(struct lam_caller *caller, uint64_t payload_bytes, void **payload)
{
    struct lam_framed_correlation correlation;
    int rc = next_correlation(caller, &correlation);

    if (rc != 0)
        return rc;
    rc = call_try_claim(caller->sender, &correlation, payload_bytes, payload);
    if (rc == 1)
        claimed(caller, correlation.id);
    return rc;
}

int lam_caller_claim_until(
    struct lam_caller *caller, uint64_t payload_bytes, uint64_t deadline_ns, void **payload)
{
    struct lam_framed_correlation correlation;
    int rc = next_correlation(caller, &correlation);

    if (rc != 0)
        return rc;
    rc = call_claim_until(caller->sender, &correlation, payload_bytes, deadline_ns, payload);
    if (rc == 0)
        claimed(caller, correlation.id);
    return rc;
}

static struct lam_ticket begin(struct lam_caller *caller, uint64_t deadline_ns)
{
    caller->counts.begun++;
    return (struct lam_ticket){lam_call_table_begin(&caller->table, deadline_ns)};
}

struct lam_ticket lam_caller_commit(
    struct lam_caller *caller, uint64_t payload_bytes, uint16_t kind, uint64_t deadline_ns)
{
    LAM_ASSERT(caller->claimed_id != 0);
    caller->claimed_id = 0;
    call_commit(caller->sender, payload_bytes, kind, LAM_CALL_REQUEST, deadline_ns);
    LAM_CRASH_POINT("call.request_sent");
    return begin(caller, deadline_ns);
}

void lam_caller_abort(struct lam_caller *caller)
{
    LAM_ASSERT(caller->claimed_id != 0);
    caller->claimed_id = 0;
    lam_framed_sender_abort(caller->sender);
}

int lam_caller_try_begin(struct lam_caller *caller, const struct iovec *parts, uint32_t part_count,
    uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket)
{
    struct lam_framed_correlation correlation;
    const struct call_out out = {parts, part_count, kind, LAM_CALL_REQUEST, deadline_ns};
    int rc = next_correlation(caller, &correlation);

    if (rc != 0)
        return rc;
    rc = call_try_send(caller->sender, &correlation, &out);
    if (rc == 1)
        *ticket = begin(caller, deadline_ns);
    return rc;
}

int lam_caller_begin_until(struct lam_caller *caller, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket)
{
    struct lam_framed_correlation correlation;
    const struct call_out out = {parts, part_count, kind, LAM_CALL_REQUEST, deadline_ns};
    int rc = next_correlation(caller, &correlation);

    if (rc != 0)
        return rc;
    rc = call_send_until(caller->sender, &correlation, &out, deadline_ns);
    if (rc == 0)
        *ticket = begin(caller, deadline_ns);
    return rc;
}

int lam_caller_cancel(struct lam_caller *caller, struct lam_ticket ticket)
{
    struct lam_call_slot *slot = lam_call_table_waiting(&caller->table, ticket.id);
    struct lam_framed_correlation correlation = {.id = ticket.id, .scope = caller->scope};
    void *nothing = NULL;

    LAM_ASSERT(caller->claimed_id == 0);
    if (slot == NULL)
        return -ENOENT;
    (void)lam_call_table_finish(&caller->table, slot, -ECANCELED);
    caller->counts.canceled++;
    /* A channel that is closed or poisoned says so elsewhere. */
    if (call_try_claim(caller->sender, &correlation, 0, &nothing) != 1)
        return 0;
    call_commit(caller->sender, 0, 0, LAM_CALL_CANCEL, 0);
    LAM_CRASH_POINT("call.cancel_sent");
    return 1;
}
