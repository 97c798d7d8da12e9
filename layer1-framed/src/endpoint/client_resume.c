/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a connection, and the next one: what has no answer is sent again, from copies, in the
 * order in which it was begun.
 */
#include "client_internal.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <string.h>

static uint64_t sum(const struct iovec *parts, uint32_t part_count)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < part_count; i++)
        bytes += parts[i].iov_len;
    return bytes;
}

int lam_client_check_copy(
    const struct lam_client *client, const struct iovec *parts, uint32_t part_count)
{
    return client->options.reconnect && sum(parts, part_count) > client->options.request_bytes_max
               ? -EMSGSIZE
               : 0;
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
    struct lam_client_copy *copy;
    uint8_t *to;

    if (!client->options.reconnect)
        return;
    copy = &client->copies[lam_ticket_slot(ticket)];
    *copy = (struct lam_client_copy){.id = id,
        .order = client->began++,
        .deadline_ns = deadline_ns,
        .bytes = (uint32_t)sum(parts, part_count),
        .kind = kind,
        .lane = (uint16_t)lane};
    to = bytes_of(client, copy);
    for (uint32_t i = 0; i < part_count; i++) {
        if (parts[i].iov_len != 0)
            memcpy(to, parts[i].iov_base, parts[i].iov_len);
        to += parts[i].iov_len;
    }
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
    struct lam_call_header header;
    struct iovec parts[2] = {{.iov_base = &header, .iov_len = sizeof(header)},
        {.iov_base = bytes_of(client, copy), .iov_len = copy->bytes}};

    lam_store_relaxed(&header.word, copy->deadline_ns);
    lam_store_relaxed(&header.type, LAM_ENDPOINT_CALL_AGAIN);
    client->counts.repeated++;
    return lam_lanes_sender_send_until(
        &client->link->sender, &lane, parts, 2, copy->kind, &correlation, copy->deadline_ns);
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
