/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a connection, and the next one: what has no answer is sent again, from copies, in the
 * order in which it was begun.
 */
#include "call/wire.h"
#include "client_internal.h"
#include "gather.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <string.h>

int lam_client_check_copy(
    const struct lam_client *client, const struct iovec *parts, uint32_t part_count)
{
    uint64_t bytes;

    if (!client->options.reconnect)
        return 0;
    if (lam_gather_sum(parts, part_count, &bytes) != 0)
        return -EMSGSIZE;
    return bytes > client->options.request_bytes_max ? -EMSGSIZE : 0;
}

static uint8_t *bytes_of(const struct lam_client *client, const struct lam_client_copy *copy)
{
    return client->copy_bytes +
           (uint64_t)(copy - client->copies) * client->options.request_bytes_max;
}

void lam_client_keep_copy(struct lam_client *client, uint64_t id, const struct iovec *parts,
    uint32_t part_count, enum lam_lane lane, uint16_t kind, uint64_t deadline_ns)
{
    struct lam_ticket ticket = {.id = id};
    struct gather gather = {.parts = parts, .part_count = part_count};
    struct lam_client_copy *copy;
    uint64_t bytes = 0;

    if (!client->options.reconnect)
        return;
    (void)lam_gather_sum(parts, part_count, &bytes); /* lam_client_check_copy() bounded it */
    copy = &client->copies[lam_ticket_slot(ticket)];
    *copy = (struct lam_client_copy){.id = id,
        .order = client->began++,
        .deadline_ns = deadline_ns,
        .bytes = (uint32_t)bytes,
        .kind = kind,
        .lane = (uint16_t)lane};
    lam_gather_bytes(&gather, bytes_of(client, copy), bytes);
}

/* Of those that wait, the first that was begun at @order or later, or NULL. */
static const struct lam_client_copy *next_copy(struct lam_client *client, uint64_t order)
{
    const struct lam_client_copy *next = NULL;

    for (uint32_t i = 0; i < client->options.requests_max; i++) {
        const struct lam_client_copy *copy = &client->copies[i];

        if (copy->id != 0 && copy->order >= order && (next == NULL || copy->order < next->order) &&
            lam_call_table_waiting(&client->table, copy->id) != NULL)
            next = copy;
    }
    return next;
}

static int repeat(struct lam_client *client, const struct lam_client_copy *copy)
{
    struct lam_framed_correlation correlation = {.id = copy->id, .scope = client->scope};
    enum lam_lane lane = (enum lam_lane)copy->lane;
    struct iovec part = {.iov_base = bytes_of(client, copy), .iov_len = copy->bytes};
    struct call_parts all;

    call_gather(&all, &part, 1, LAM_ENDPOINT_CALL_AGAIN, copy->deadline_ns);
    client->counts.repeated++;
    return lam_lanes_sender_send_until(&client->link->sender, &lane, all.parts, all.count,
        copy->kind, &correlation, copy->deadline_ns);
}

/* What cannot be sent by its deadline ends by that. */
static void repeat_all(struct lam_client *client)
{
    uint64_t order = 0;
    const struct lam_client_copy *copy;

    while ((copy = next_copy(client, order)) != NULL) {
        order = copy->order + 1;
        (void)repeat(client, copy);
        LAM_CRASH_POINT("endpoint.repeated");
    }
}

int lam_client_recover(struct lam_client *client, uint64_t deadline_ns)
{
    struct lam_error error;
    int rc = client->lost;

    if (client->socket >= 0)
        lam_client_close(client);
    if (client->options.reconnect && !client->is_given_up) {
        if (deadline_ns == 0)
            return -ETIMEDOUT;
        rc = lam_client_open_until(client, deadline_ns, &error);
        if (rc == 0) {
            LAM_CRASH_POINT("endpoint.reconnected");
            client->counts.reconnects++;
            repeat_all(client);
            return 0;
        }
        /* Nobody is there yet: a later call may find one. */
        if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -EAGAIN || rc == -EOWNERDEAD ||
            rc == -EPIPE || rc == -ETIMEDOUT || rc == -EBUSY)
            return rc == -EBUSY ? rc : -ETIMEDOUT;
        client->is_given_up = 1;
    }
    (void)lam_call_table_fail(&client->table, rc == -EPIPE ? -EPIPE : -EOWNERDEAD);
    return rc;
}
