/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/daemon.h"

/* How long a client may leave no room for an answer: nobody else is served meanwhile. One that is
 * honest may be off the CPU for a second; what is large goes on only as it is read. */
#define ANSWER_NS         (2 * LAM_NS_PER_S)
#define ANSWER_NS_FOR_MIB (250 * LAM_NS_PER_MS)

struct port {
    struct lam_daemon daemon;
};

LAM_STATIC_ASSERT(
    sizeof(struct lam_daemon_request) <= sizeof(struct port_ask), "who is to be answered fits");

int port_open(struct port **port, const struct port_options *options, struct lam_error *error)
{
    struct lam_daemon_options daemon = {.name = options->endpoint,
        .directory = options->directory,
        .mode = (mode_t)options->mode,
        .clients_max = options->clients_max,
        .version_min = PORT_VERSION_MIN,
        .version_max = PORT_VERSION_MAX,
        .message_bytes_max = options->message_bytes_max};
    struct port *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for an endpoint");
    rc = lam_daemon_create(&made->daemon, &daemon, error);
    if (rc != 0)
        free(made);
    else
        *port = made;
    return rc;
}

void port_close(struct port *port)
{
    struct lam_daemon_event event;

    lam_daemon_shutdown(&port->daemon, 0, "the host has ended");
    while (lam_daemon_wait_until(&port->daemon, 0, &event) == 0)
        ;
    lam_daemon_destroy(&port->daemon);
    free(port);
}

static enum port_event event_of(const struct lam_daemon_event *event)
{
    switch (event->type) {
    case LAM_DAEMON_CONNECTED:
        return PORT_CAME;
    case LAM_DAEMON_MESSAGE:
        return PORT_TOLD;
    case LAM_DAEMON_REQUEST:
        return PORT_ASKED;
    case LAM_DAEMON_GONE:
        return PORT_WENT;
    default:
        return PORT_NOTHING;
    }
}

void port_wait(struct port *port, uint64_t deadline_ns, struct port_coming *coming)
{
    struct lam_daemon_event event;

    memset(coming, 0, sizeof(*coming));
    if (lam_daemon_wait_until(&port->daemon, deadline_ns, &event) != 0)
        return;
    coming->event = event_of(&event);
    coming->client = event.client;
    if (coming->event == PORT_ASKED || coming->event == PORT_TOLD) {
        coming->bytes = event.message.payload;
        coming->count = event.message.payload_bytes;
    }
    if (coming->event == PORT_ASKED) {
        coming->deadline_ns = event.request.deadline_ns;
        memcpy(&coming->ask, &event.request, sizeof(event.request));
    }
}

int port_answer(struct port *port, const struct port_ask *ask, const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct lam_daemon_request request;
    uint64_t patience_ns = ANSWER_NS + (count >> 20) * ANSWER_NS_FOR_MIB;
    int rc;

    memcpy(&request, ask, sizeof(request));
    rc = lam_daemon_reply_until(
        &port->daemon, &request, &part, 1, 0, 0, lam_deadline_after_ns(patience_ns));
    if (rc != 0 && rc != -ENOTCONN)
        lam_daemon_drop(&port->daemon, request.client, 0, "answers are not read");
    return rc;
}

int port_tell(struct port *port, uint64_t client, const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};

    return lam_daemon_try_send(&port->daemon, client, LAM_LANE_LOW, &part, 1, 0);
}

void port_drop(struct port *port, uint64_t client, const char *why)
{
    lam_daemon_drop(&port->daemon, client, 0, why);
}

uint32_t port_client_count(const struct port *port)
{
    return lam_daemon_client_count(&port->daemon);
}
