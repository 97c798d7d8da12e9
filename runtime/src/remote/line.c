/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/client.h"
#include "remote/port.h"

struct line {
    struct lam_client client;
};

int line_open(struct line **line, const struct port_options *options, uint64_t deadline_ns,
    struct lam_error *error)
{
    struct lam_client_options client = {.endpoint = options->endpoint,
        .directory = options->directory,
        .name = options->name,
        .version_min = PORT_VERSION_MIN,
        .version_max = PORT_VERSION_MAX,
        .message_bytes_max = options->message_bytes_max};
    struct line *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a connection");
    rc = lam_client_connect(&made->client, &client, deadline_ns, error);
    if (rc != 0)
        free(made);
    else
        *line = made;
    return rc;
}

void line_close(struct line *line)
{
    lam_client_disconnect(&line->client, 0, NULL);
    free(line);
}

/* What the host may still write is copied before it is looked at. */
static int copy(struct line_room *room, const void *from, uint64_t bytes)
{
    room->count = bytes;
    if (bytes > room->capacity)
        return -EMSGSIZE;
    if (bytes != 0)
        memcpy(room->bytes, from, bytes);
    return 0;
}

int line_ask(struct line *line, enum port_lane lane, const void *bytes, uint64_t count,
    uint64_t deadline_ns, struct line_room *room)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct lam_reply reply;
    int rc = lam_client_request_until(
        &line->client, (enum lam_lane)lane, &part, 1, 0, deadline_ns, &reply);

    if (rc != 0)
        return rc;
    rc = copy(room, reply.payload, reply.payload_bytes);
    lam_client_release_reply(&line->client, &reply);
    return rc;
}

void line_tell(struct line *line, const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};

    (void)lam_client_send_until(&line->client, LAM_LANE_HIGH, &part, 1, 0, 0);
}

int line_next(struct line *line, uint64_t deadline_ns, struct line_room *room)
{
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc = lam_client_receive_until(&line->client, deadline_ns, &message, &lane);

    if (rc != 0)
        return rc;
    rc = copy(room, message.payload, message.payload_bytes);
    lam_client_release(&line->client, lane, &message);
    return rc;
}

uint64_t line_message_bytes_max(const struct line *line)
{
    return lam_client_welcome(&line->client)->message_bytes_max;
}

const char *line_goodbye(const struct line *line)
{
    return lam_client_goodbye(&line->client)->text;
}
