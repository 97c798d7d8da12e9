/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends and asks, and how requests come to their ends. */
#include "call/wire.h"
#include "client_internal.h"

#include <errno.h>

#define SENDS_A_LOOK 64

/* Before a send: is there anybody? Returns 0, or how the connection ended. */
static int look(struct lam_client *client)
{
    LAM_ASSERT_CONNECTED(client);
    if (__builtin_expect(++client->sends % SENDS_A_LOOK == 0, 0)) {
        lam_client_hear(client);
        if (client->lost == 0 && (client->hung_up || client->said_goodbye || client->sent_away))
            client->lost = lam_client_reason(client, -EOWNERDEAD);
    }
    return client->lost;
}

int lam_client_try_send(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind)
{
    int rc = look(client);

    if (rc == 0 && __builtin_expect(client->is_repeating, 0))
        rc = lam_client_repeat_lane(client, lane, 0);
    if (rc != 0)
        return rc == -ETIMEDOUT ? 0 : rc;
    return lam_lanes_sender_try_send(&client->link->sender, &lane, parts, part_count, kind, NULL);
}

/* The same with a deadline: recovers, and sends again what goes before anything new in @lane. */
static int look_until(struct lam_client *client, enum lam_lane lane, uint64_t deadline_ns)
{
    int rc = look(client);

    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    if (rc != 0)
        rc = lam_client_recover(client, deadline_ns);
    if (rc == 0 && __builtin_expect(client->is_repeating, 0))
        rc = lam_client_repeat_lane(client, lane, deadline_ns);
    return rc;
}

int lam_client_send_until(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns)
{
    int rc = look_until(client, lane, deadline_ns);

    if (rc != 0)
        return rc;
    return lam_lanes_sender_send_until(
        &client->link->sender, &lane, parts, part_count, kind, NULL, deadline_ns);
}

/*
 * Send a request: in place, where *@lane is not pressed and has room for it now; or else the long
 * way will wait, cut, degrade or refuse.
 */
static int send_until(struct lam_client *client, enum lam_lane *lane,
    const struct lam_framed_correlation *correlation, const struct call_out *out)
{
    struct lam_lanes_sender *sender = &client->link->sender;
    enum lam_lane chosen = *lane;
    struct call_parts all;

    if (lam_lanes_sender_choose(sender, &chosen) == 1 && chosen == *lane &&
        call_send_quickly(&sender->lanes[chosen], correlation, out))
        return 0;
    call_gather(&all, out->parts, out->part_count, out->type, out->word);
    return lam_lanes_sender_send_until(
        sender, lane, all.parts, all.count, out->kind, correlation, out->word);
}

int lam_client_begin_until(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket)
{
    struct lam_framed_correlation correlation = {.scope = client->scope};
    const struct call_out out = {parts, part_count, kind, LAM_CALL_REQUEST, deadline_ns};
    enum lam_lane taken = lane;
    int rc = look_until(client, lane, deadline_ns);

    LAM_ASSERT(part_count <= LAM_CALL_PART_COUNT_MAX);
    if (rc == 0)
        rc = lam_client_pay_until(client, deadline_ns);
    if (rc == 0)
        rc = lam_client_check_copy(client, parts, part_count);
    if (rc == 0)
        rc = lam_call_table_next(&client->table, &correlation.id);
    if (rc != 0)
        return rc;
    rc = send_until(client, &taken, &correlation, &out);
    if (rc != 0)
        return rc;
    (void)lam_call_table_begin(&client->table, deadline_ns);
    lam_client_note_lane(client, correlation.id, taken);
    lam_client_keep_copy(client, correlation.id, parts, part_count, lane, kind, deadline_ns);
    ticket->id = correlation.id;
    return 0;
}

/* One look. Returns as lam_client_try_take(), and the pump's answer, with what ended for us. */
static int take(struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    int rc = lam_call_table_take(&client->table, ticket, reply);

    while (rc == 0) {
        rc = lam_client_pump_answers(client, ticket, reply);
        if (rc != 1)
            return rc == 2 ? 1 : rc;
        rc = lam_call_table_take(&client->table, ticket, reply);
    }
    return rc;
}

int lam_client_try_take(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    int rc;

    LAM_ASSERT_CONNECTED(client);
    rc = take(client, ticket, reply);
    if (client->owed_count != 0)
        lam_client_pay(client);
    if (rc == 1 || rc == -ENOENT || (rc == -EBUSY && client->lost == 0))
        return rc;
    if (client->lost != 0)
        (void)lam_client_recover(client, 0);
    else if (client->is_repeating)
        lam_client_repeat(client, 0);
    (void)lam_call_table_expire(&client->table, lam_clock_now_ns());
    return lam_call_table_take(&client->table, ticket, reply);
}

static uint64_t earliest(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

int lam_client_take_until(struct lam_client *client, const struct lam_ticket *ticket,
    uint64_t deadline_ns, struct lam_reply *reply)
{
    LAM_ASSERT_CONNECTED(client);
    for (;;) {
        uint64_t due_ns = earliest(deadline_ns, lam_call_table_earliest_ns(&client->table));
        uint64_t now_ns;
        int rc;

        if (lam_call_table_count(&client->table, LAM_CALL_ENDED) == 0)
            lam_client_glance(client);
        rc = take(client, ticket, reply);

        if (rc == 1)
            return 0;
        if (rc == -ENOENT || rc == -EBUSY)
            return rc;
        if (client->lost != 0)
            rc = lam_client_recover(client, due_ns);
        if (rc == -EBUSY)
            return rc;
        now_ns = lam_clock_now_ns();
        if (lam_call_table_expire(&client->table, now_ns) != 0 || (rc < 0 && rc != -ETIMEDOUT))
            continue; /* some came to their end; the one that is waited for, perhaps */
        if (now_ns >= deadline_ns)
            return -ETIMEDOUT;
        if (client->lost != 0)
            continue;
        if (client->is_repeating)
            lam_client_repeat(client, due_ns);
        lam_client_tend(client, now_ns);
        lam_client_await_answer(client, earliest(due_ns, now_ns + LAM_WAIT_CHECK_NS));
    }
}

int lam_client_request_until(struct lam_client *client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, uint64_t deadline_ns,
    struct lam_reply *reply)
{
    struct lam_ticket ticket;
    int rc = lam_client_begin_until(client, lane, parts, part_count, kind, deadline_ns, &ticket);

    if (rc != 0)
        return rc;
    rc = lam_client_take_until(client, &ticket, LAM_DEADLINE_NEVER, reply);
    if (rc == 0)
        return reply->outcome;
    /* What is held is in the way of the answer: then there is none. */
    (void)lam_client_cancel(client, ticket);
    (void)lam_call_table_take(&client->table, &ticket, reply);
    return rc;
}

void lam_client_release_reply(struct lam_client *client, const struct lam_reply *reply)
{
    LAM_ASSERT_CONNECTED(client);
    if (reply->outcome == 0)
        lam_client_give_back(client, reply->place, CLIENT_ANSWERS);
}

struct lam_lanes_sender *lam_client_lanes(struct lam_client *client)
{
    LAM_ASSERT_CONNECTED(client);
    return &client->link->sender;
}

const struct lam_endpoint_welcome *lam_client_welcome(const struct lam_client *client)
{
    return &client->welcome;
}

const struct lam_ring_peer *lam_client_peer(const struct lam_client *client)
{
    return &client->peer;
}

const struct lam_endpoint_goodbye *lam_client_goodbye(const struct lam_client *client)
{
    return &client->goodbye;
}

const struct lam_client_counts *lam_client_counts(const struct lam_client *client)
{
    return &client->counts;
}
