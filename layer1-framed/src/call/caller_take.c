/* SPDX-License-Identifier: Apache-2.0 */
/* The answered half of a caller: replies are matched to requests, and requests come to an end. */
#include "caller.h"
#include "lamina/base/crash_point.h"
#include "wire.h"

/* Messages that one call looks at, at most: a responder as fast as we are must not keep us. */
#define LOOKS_MAX 256

/* What a take is looking for, and where it goes. */
struct wanted {
    const struct lam_ticket *ticket; /* NULL: any */
    struct lam_reply *reply;
};

/* Returns 2 it was wanted, and is taken; 1 it is kept for its own take. */
static int answer(struct lam_caller *caller, const struct wanted *wanted,
    struct lam_call_slot *slot, const struct lam_framed_message *message, const struct call *call)
{
    int is_wanted = wanted->ticket == NULL || wanted->ticket->id == call->correlation.id;
    struct lam_reply *reply = wanted->reply;

    if (is_wanted)
        lam_call_table_drop(&caller->table, slot);
    else
        reply = lam_call_table_finish(&caller->table, slot, 0);
    reply->payload = call->payload;
    reply->payload_bytes = call->payload_bytes;
    reply->ticket.id = call->correlation.id;
    reply->outcome = 0;
    reply->status = (int32_t)(uint32_t)call->word;
    reply->kind = call->kind;
    reply->flags = message->flags;
    reply->published_ns = (message->flags & LAM_EVENT_TIMESTAMP) != 0 ? message->published_ns : 0;
    reply->place = lam_held_keep(&caller->held, message);
    LAM_CRASH_POINT("call.reply_kept");
    caller->counts.answered++;
    return is_wanted ? 2 : 1;
}

/* What is this message for? As answer(), 1 where it is dropped, or the end of the channel. */
static int sort(struct lam_caller *caller, const struct wanted *wanted,
    const struct lam_framed_message *message)
{
    struct lam_call_slot *slot;
    struct call call;

    if (!call_load(message, &call) || call.type != LAM_CALL_REPLY)
        return lam_framed_receiver_poison(caller->receiver);
    if (call.correlation.scope != caller->scope) {
        caller->counts.foreign++;
    } else {
        slot = lam_call_table_waiting(&caller->table, call.correlation.id);
        if (slot != NULL)
            return answer(caller, wanted, slot, message, &call);
        caller->counts.late++;
    }
    return lam_held_pass(&caller->held, message) == 0 ? 1 : -ESTALE;
}

/* The answer to one request was cut short, or is larger than we take. Returns 1. */
static int lose(
    struct lam_caller *caller, const struct lam_framed_correlation *correlation, int outcome)
{
    struct lam_call_slot *slot = NULL;

    if (correlation->scope == caller->scope)
        slot = lam_call_table_waiting(&caller->table, correlation->id);
    if (slot != NULL) {
        (void)lam_call_table_finish(&caller->table, slot, outcome);
        caller->counts.failed++;
    }
    return 1;
}

/* Take one message in. As answer(); 0 none is there; -EBUSY; or the end of the channel. */
static int receive(struct lam_caller *caller, const struct wanted *wanted)
{
    struct lam_framed_correlation correlation;
    struct lam_framed_message message;
    int rc;

    if (lam_held_is_full(&caller->held))
        return -EBUSY;
    rc = call_try_receive(caller->receiver, &message);
    if (rc == 1)
        return sort(caller, wanted, &message);
    if (rc < 0 && call_lost_one(caller->receiver, rc, &correlation))
        return lose(caller, &correlation, rc);
    return rc;
}

/* Receive until the end of @ticket can be taken. As lam_caller_try_take(), without the clock. */
static int come_in(
    struct lam_caller *caller, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    const struct wanted wanted = {ticket, reply};
    int taken;
    int rc = 1;

    /* First: the last answers of a dead one were published before its successor's epoch. */
    caller_look_who_answers(caller);
    for (uint32_t looks = 0; rc == 1 && looks < LOOKS_MAX; looks++)
        rc = receive(caller, &wanted);
    if (rc == 0 && lam_call_table_has_earlier(&caller->table))
        caller->counts.failed += lam_call_table_fail_earlier(&caller->table, -EOWNERDEAD);
    if (rc == 2)
        return 1;
    if (rc < 0 && rc != -EBUSY)
        caller->counts.failed += lam_call_table_fail(&caller->table, rc);
    taken = lam_call_table_take(&caller->table, ticket, reply);
    return taken == 0 && rc == -EBUSY ? rc : taken;
}

/* The same, where it may have ended already. */
static int take_in(
    struct lam_caller *caller, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    int taken = lam_call_table_take(&caller->table, ticket, reply);

    /* With nothing outstanding, too: what is late is dropped, so that the responder has room. */
    if (taken == 1 || (taken != 0 && ticket != NULL))
        return taken;
    return come_in(caller, ticket, reply);
}

static int expire(
    struct lam_caller *caller, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    uint32_t count;

    if (lam_call_table_earliest_ns(&caller->table) == LAM_DEADLINE_NEVER)
        return 0;
    count = lam_call_table_expire(&caller->table, lam_clock_now_ns());
    caller->counts.expired += count;
    return count == 0 ? 0 : lam_call_table_take(&caller->table, ticket, reply);
}

int lam_caller_try_take(
    struct lam_caller *caller, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    int rc = take_in(caller, ticket, reply);

    if (rc == 0 || rc == -EBUSY) {
        int expired = expire(caller, ticket, reply);

        if (expired != 0)
            return expired;
    }
    return rc;
}

/* Until when to sleep: a successor of who should answer rings no bell, so look now and then. */
static uint64_t next_look_ns(const struct lam_caller *caller, uint64_t deadline_ns)
{
    uint64_t look_ns = lam_deadline_after_ns(LAM_WAIT_CHECK_NS);
    uint64_t earliest_ns = lam_call_table_earliest_ns(&caller->table);

    if (deadline_ns < earliest_ns)
        earliest_ns = deadline_ns;
    return look_ns < earliest_ns ? look_ns : earliest_ns;
}

int lam_caller_take_until(struct lam_caller *caller, const struct lam_ticket *ticket,
    uint64_t deadline_ns, struct lam_reply *reply)
{
    /* Without the clock at first: what comes soon is not kept up by it. */
    int rc = take_in(caller, ticket, reply);

    while (rc == 0) {
        int ended = lam_ring_consumer_wait_until(
            &caller->receiver->consumer, next_look_ns(caller, deadline_ns));

        rc = come_in(caller, ticket, reply);
        if (rc != 0)
            break;
        /* Nothing came, or not for us: answers to others must not keep us from the clock. */
        if (ended < 0 && ended != -ETIMEDOUT)
            caller->counts.failed += lam_call_table_fail(&caller->table, ended);
        rc = lam_caller_try_take(caller, ticket, reply);
        if (rc == 0 && lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
    return rc == 1 ? 0 : rc;
}

int lam_caller_call_until(struct lam_caller *caller, const struct iovec *parts, uint32_t part_count,
    uint16_t kind, uint64_t deadline_ns, struct lam_reply *reply)
{
    struct lam_ticket ticket;
    int rc = lam_caller_begin_until(caller, parts, part_count, kind, deadline_ns, &ticket);

    if (rc != 0)
        return rc;
    rc = lam_caller_take_until(caller, &ticket, deadline_ns, reply);
    if (rc == 0)
        return reply->outcome;
    /* Nobody else knows the ticket. */
    (void)lam_caller_cancel(caller, ticket);
    (void)lam_call_table_take(&caller->table, &ticket, reply);
    return rc;
}

int lam_caller_release(struct lam_caller *caller, const struct lam_reply *reply)
{
    return reply->outcome == 0 ? lam_held_finish(&caller->held, reply->place) : 0;
}
