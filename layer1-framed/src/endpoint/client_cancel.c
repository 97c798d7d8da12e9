/* SPDX-License-Identifier: Apache-2.0 */
/* Cancels: each goes by its request's lane, behind it, and is owed while there is no room. */
#include "call/wire.h"
#include "client_internal.h"
#include "lamina/framed/stream.h"

#include <errno.h>

void lam_client_note_lane(struct lam_client *client, uint64_t id, enum lam_lane lane)
{
    client->lanes[lam_ticket_slot((struct lam_ticket){.id = id})] = (uint8_t)lane;
}

/*
 * Send it, whatever the lane's pressure is: it takes load off. Returns 0; -ETIMEDOUT where there
 * was no room by @deadline_ns, -EBUSY where the application has a claim in hand there; or how the
 * lane has ended.
 */
static int send(struct lam_client *client, struct lam_client_owed owed, uint64_t deadline_ns)
{
    struct lam_framed_sender *sender = &client->link->sender.lanes[owed.lane];
    struct lam_framed_correlation correlation = {.id = owed.id, .scope = client->scope};
    struct call_parts all;
    int rc;

    if (sender->producer.claimed_end != sender->producer.next ||
        lam_framed_sender_is_streaming(sender))
        return -EBUSY;
    call_gather(&all, NULL, 0, LAM_CALL_CANCEL, 0);
    rc = lam_framed_sender_try_send(sender, all.parts, all.count, 0, &correlation);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    if (deadline_ns == 0)
        return -ETIMEDOUT;
    return lam_framed_sender_send_until(sender, all.parts, all.count, 0, &correlation, deadline_ns);
}

void lam_client_pay(struct lam_client *client)
{
    uint32_t left = 0;

    if (client->lost != 0)
        return;
    for (uint32_t i = 0; i < client->owed_count; i++) {
        struct lam_client_owed owed = client->owed[i];
        int rc = send(client, owed, 0);

        if (rc == -ETIMEDOUT || rc == -EBUSY)
            client->owed[left++] = owed;
    }
    client->owed_count = left;
}

int lam_client_pay_until(struct lam_client *client, uint64_t deadline_ns)
{
    if (__builtin_expect(client->owed_count == 0, 1))
        return 0;
    lam_client_pay(client);
    /* With as many owed as there may be requests, a cancel of each of those would find no place. */
    while (client->owed_count >= client->options.requests_max) {
        int rc = send(client, client->owed[0], deadline_ns);

        if (rc != 0)
            return rc;
        client->owed[0] = client->owed[--client->owed_count]; /* there is no order among them */
        lam_client_pay(client);
    }
    return 0;
}

int lam_client_cancel(struct lam_client *client, struct lam_ticket ticket)
{
    struct lam_call_slot *slot;

    LAM_ASSERT_CONNECTED(client);
    slot = lam_call_table_waiting(&client->table, ticket.id);
    if (slot == NULL)
        return -ENOENT;
    (void)lam_call_table_finish(&client->table, slot, -ECANCELED);
    if (client->lost != 0)
        return 0; /* whoever serves next is not asked */
    LAM_ASSERT(client->owed_count < 2 * client->options.requests_max);
    client->owed[client->owed_count++] =
        (struct lam_client_owed){.id = ticket.id, .lane = client->lanes[lam_ticket_slot(ticket)]};
    lam_client_pay(client);
    return 0;
}
