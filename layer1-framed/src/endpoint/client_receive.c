/* SPDX-License-Identifier: Apache-2.0 */
/* What comes to a client: answers to the table, the rest to a queue; held until given back. */
#include "client_internal.h"

#include <errno.h>

/* A place of the application's: which link, which lane, and where that holds it. */
#define PLACE_LANE_SHIFT 61
#define PLACE_LINK       (UINT64_C(1) << 63)
#define PLACE_MASK       ((UINT64_C(1) << PLACE_LANE_SHIFT) - 1)

static uint64_t keep(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    uint64_t place = lam_held_keep(&client->link->held[lane], message) & PLACE_MASK;

    return place | (uint64_t)lane << PLACE_LANE_SHIFT |
           (client->link == &client->links[1] ? PLACE_LINK : 0);
}

void lam_client_give_back(struct lam_client *client, uint64_t place)
{
    struct lam_client_link *link = &client->links[(place & PLACE_LINK) != 0];
    uint64_t lane = place >> PLACE_LANE_SHIFT & 3;
    uint64_t count = 0;

    LAM_ASSERT(link->is_open && lane < LAM_LANE_COUNT);
    (void)lam_held_finish(&link->held[lane], place & PLACE_MASK);
    if (!link->is_over)
        return;
    for (uint32_t i = 0; i < LAM_LANE_COUNT; i++)
        count += lam_held_count(&link->held[i]);
    if (count == 0)
        lam_client_close_link(link);
}

/* The header of a reply, or 0: it is none. */
static int is_reply(const struct lam_framed_message *message, int32_t *status)
{
    const struct lam_call_header *header = message->payload;

    /* Relaxed: the stamp that was acquired carries them. Each is loaded once. */
    if (message->payload_bytes < LAM_CALL_HEADER_BYTES ||
        lam_load_relaxed(&header->type) != LAM_CALL_REPLY)
        return 0;
    *status = (int32_t)(uint32_t)lam_load_relaxed(&header->word);
    return 1;
}

static void push(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    struct lam_client_push *place = &client->pushes[client->push_next % CLIENT_PUSHES];

    client->push_next++;
    place->message = *message;
    place->message.end = keep(client, lane, message);
    place->lane = lane;
}

/* @message came by @lane: whose is it? */
static void sort(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    struct lam_framed_correlation correlation;
    struct lam_call_slot *slot;
    struct lam_reply *reply;
    int32_t status;

    client->came++;
    if (message->correlation == NULL || !is_reply(message, &status)) {
        push(client, lane, message);
        return;
    }
    correlation = *message->correlation;
    slot = correlation.scope == client->scope
               ? lam_call_table_waiting(&client->table, correlation.id)
               : NULL;
    if (slot == NULL) {
        client->counts.late++;
        (void)lam_held_pass(&client->link->held[lane], message);
        return;
    }
    reply = lam_call_table_finish(&client->table, slot, 0);
    reply->payload = (const uint8_t *)message->payload + LAM_CALL_HEADER_BYTES;
    reply->payload_bytes = message->payload_bytes - LAM_CALL_HEADER_BYTES;
    reply->status = status;
    reply->kind = message->kind;
    reply->place = keep(client, lane, message);
}

/* Whether every lane can give one more. */
static int has_places(const struct lam_client *client)
{
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        if (lam_held_count(&client->link->held[lane]) == LAM_CLIENT_HELD_MAX)
            return 0;
    return 1;
}

/* A receive came to @rc, below 0. Returns what to tell of it. */
static int judge(struct lam_client *client, int rc)
{
    if (rc == -ECANCELED || rc == -EMSGSIZE || rc == -EBUSY || rc == -ETIMEDOUT)
        return rc;
    lam_client_hear(client); /* it may have said why */
    client->lost = rc == -EOWNERDEAD && client->said_goodbye ? -EPIPE : rc;
    return client->lost;
}

/* There is nothing; and if the socket is hung up nothing will come. */
static int nothing(struct lam_client *client, uint32_t hung_up)
{
    if (!hung_up)
        return 0;
    client->lost = client->said_goodbye ? -EPIPE : -EOWNERDEAD;
    return client->lost;
}

void lam_client_glance(const struct lam_client *client)
{
    const struct lam_lanes_receiver *receiver = &client->link->receiver;

    if (client->lost != 0 || client->options.wait == LAM_WAIT_FUTEX)
        return;
    for (uint32_t looks = 0; looks < LAM_RING_QUICK_LOOKS && receiver->restless == 0 &&
                             lam_lanes_receiver_first(receiver) == LAM_LANE_COUNT;
         looks++)
        lam_pause();
}

int lam_client_pump(struct lam_client *client)
{
    uint32_t hung_up = client->hung_up;
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc;

    if (client->lost != 0)
        return client->lost;
    if (!has_places(client))
        return -EBUSY;
    rc = lam_lanes_receiver_try_receive(&client->link->receiver, &message, &lane);
    if (rc == 1)
        sort(client, lane, &message);
    if (rc == 0)
        return nothing(client, hung_up);
    return rc < 0 ? judge(client, rc) : 1;
}

int lam_client_pump_until(struct lam_client *client, uint64_t deadline_ns)
{
    uint32_t hung_up = client->hung_up;
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc;

    if (client->lost != 0)
        return client->lost;
    if (!has_places(client))
        return -EBUSY;
    rc = lam_lanes_receiver_receive_until(&client->link->receiver, deadline_ns, &message, &lane);
    if (rc == 0)
        sort(client, lane, &message);
    if (rc == -ETIMEDOUT)
        return nothing(client, hung_up);
    return rc < 0 ? judge(client, rc) : 1;
}

static int pop(struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    const struct lam_client_push *first = &client->pushes[client->push_first % CLIENT_PUSHES];

    if (client->push_first == client->push_next)
        return 0;
    client->push_first++;
    *message = first->message;
    *lane = first->lane;
    return 1;
}

int lam_client_try_receive(
    struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    int rc = 1;

    while (rc == 1) {
        if (pop(client, message, lane))
            return 1;
        rc = lam_client_pump(client);
    }
    if (rc == 0 || client->lost == 0)
        return rc;
    rc = lam_client_recover(client, 0);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/*
 * The common case: nothing waits to be taken, and what comes is no answer. Returns 1; 0 the long
 * way will find out, and whatever came is in the queue or in the table; or an error that is no end.
 */
static int receive_quickly(
    struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    int rc;

    if (client->push_first != client->push_next || client->lost != 0)
        return 0;
    lam_client_glance(client);
    if (!has_places(client) || lam_lanes_receiver_first(&client->link->receiver) == LAM_LANE_COUNT)
        return 0;
    rc = lam_lanes_receiver_try_receive(&client->link->receiver, message, lane);
    if (__builtin_expect(rc < 0, 0)) {
        rc = judge(client, rc);
        return client->lost != 0 ? 0 : rc;
    }
    if (rc == 0)
        return 0;
    if (__builtin_expect(message->correlation != NULL, 0)) {
        sort(client, *lane, message);
        return 0;
    }
    client->came++;
    message->end = keep(client, *lane, message);
    return 1;
}

int lam_client_receive_until(struct lam_client *client, uint64_t deadline_ns,
    struct lam_framed_message *message, enum lam_lane *lane)
{
    int quick = receive_quickly(client, message, lane);

    if (__builtin_expect(quick != 0, 1))
        return quick < 0 ? quick : 0;
    for (;;) {
        uint64_t now_ns, slice_ns;
        int rc = 1;

        while (rc == 1) {
            if (pop(client, message, lane))
                return 0;
            rc = lam_client_pump(client);
        }
        if (rc < 0 && client->lost != 0)
            rc = lam_client_recover(client, deadline_ns);
        if (rc < 0)
            return rc;
        now_ns = lam_clock_now_ns();
        if (now_ns >= deadline_ns)
            return -ETIMEDOUT;
        lam_client_tend(client, now_ns);
        slice_ns = now_ns + LAM_WAIT_CHECK_NS;
        rc = lam_client_pump_until(client, slice_ns < deadline_ns ? slice_ns : deadline_ns);
        if (rc < 0 && client->lost == 0)
            return rc;
    }
}

void lam_client_release(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    (void)lane; /* it is in the place, too */
    lam_client_give_back(client, message->end);
}
