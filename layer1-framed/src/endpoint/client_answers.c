/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: they come by a ring of their own, and go to the table of requests. */
#include "call/wire.h"
#include "client_held.h"
#include "lamina/ring/wait_any.h"

#include <errno.h>

/* The answer that waits for @correlation, or NULL: it came too late, or is nobody's here. */
static struct lam_call_slot *find(
    struct lam_client *client, const struct lam_framed_correlation *correlation)
{
    struct lam_call_slot *slot = NULL;

    if (correlation->scope == client->scope)
        slot = lam_call_table_waiting(&client->table, correlation->id);
    client->counts.late += slot == NULL;
    return slot;
}

/*
 * Returns as lam_client_take_answer(), or the end of the ring: @message is none that a daemon of
 * this library writes.
 */
static int sort(struct lam_client *client, const struct lam_framed_message *message,
    const struct lam_ticket *ticket, struct lam_reply *reply)
{
    struct lam_client_link *link = client->link;
    struct lam_call_slot *slot;
    struct call call;
    int is_wanted;

    if (!call_load(message, &call) || call.type != LAM_CALL_REPLY)
        return lam_framed_receiver_poison(&link->answers);
    client->came++;
    slot = find(client, &call.correlation);
    if (slot == NULL) {
        (void)lam_held_pass(&link->answers_held, message);
        return 1;
    }
    is_wanted = ticket != NULL && ticket->id == call.correlation.id;
    if (is_wanted)
        lam_call_table_drop(&client->table, slot);
    else
        reply = lam_call_table_finish(&client->table, slot, 0);
    reply->payload = call.payload;
    reply->payload_bytes = call.payload_bytes;
    reply->ticket.id = call.correlation.id;
    reply->outcome = 0;
    reply->status = (int32_t)(uint32_t)call.word;
    reply->kind = call.kind;
    reply->flags = message->flags;
    reply->published_ns = (message->flags & LAM_EVENT_TIMESTAMP) != 0 ? message->published_ns : 0;
    reply->place =
        client_place(client, CLIENT_ANSWERS, lam_held_keep(&link->answers_held, message));
    return is_wanted ? 2 : 1;
}

int lam_client_take_answer(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    struct lam_client_link *link = client->link;
    struct lam_framed_correlation correlation;
    struct lam_framed_message message;
    struct lam_call_slot *slot;
    int rc;

    if (lam_held_is_full(&link->answers_held))
        return -EBUSY;
    rc = call_try_receive(&link->answers, &message);
    if (rc == 1)
        rc = sort(client, &message, ticket, reply);
    if (rc >= 0)
        return rc;
    if (!call_lost_one(&link->answers, rc, &correlation)) {
        lam_client_note_end(client, rc);
        return rc;
    }
    /* One answer was cut short, is too large or damaged: its request has ended by that. */
    client->counts.damaged += rc == -EBADMSG;
    slot = find(client, &correlation);
    if (slot != NULL)
        (void)lam_call_table_finish(&client->table, slot, rc);
    return 1;
}

int lam_client_pump_answers(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    uint32_t hung_up = client->hung_up;
    int had_ended = client->ending != 0;
    int rc;

    if (client->lost != 0)
        return client->lost;
    rc = lam_client_take_answer(client, ticket, reply);
    if (rc > 0 || rc == -EBUSY)
        return rc;
    if (rc == 0 && !had_ended && !hung_up)
        return 0;
    if (client->ending == 0) /* past its last store: what is not there now will not come */
        lam_client_note_end(client, -EOWNERDEAD);
    return lam_client_end(client);
}

void lam_client_glance(const struct lam_client *client)
{
    const struct lam_framed_receiver *answers = &client->link->answers;

    if (client->lost != 0 || client->options.wait == LAM_WAIT_FUTEX)
        return;
    for (uint32_t looks = 0;
         looks < LAM_RING_QUICK_LOOKS && answers->state == 0 && !lam_lanes_is_there(answers);
         looks++)
        lam_pause();
}

void lam_client_await_answer(struct lam_client *client, uint64_t deadline_ns)
{
    struct lam_client_link *link = client->link;
    struct lam_lanes_receiver *receiver = &link->receiver;
    struct lam_ring_consumer *consumers[1 + LAM_LANE_COUNT] = {&link->answers.consumer};
    uint32_t index = UINT32_MAX;
    uint32_t count = 1;

    /* Taken in, as far as there are places: or a daemon in the middle of a large one waits for us,
     * and answers nobody. */
    while (lam_client_take_push(client) == 1)
        ;
    if (client->ending != 0)
        return;
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        if (((receiver->paused | receiver->restless) >> lane & 1) == 0)
            consumers[count++] = &receiver->lanes[lane].consumer;
    (void)lam_ring_wait_any_until(consumers, count, deadline_ns, &index);
}
