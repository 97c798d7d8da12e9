/* SPDX-License-Identifier: Apache-2.0 */
/* link.c: one connection after another. */
#include "client/client.h"

#include <errno.h>
#include <string.h>

/* It was in flight, and has ended. */
static int has_ended(struct client_call *call)
{
    if (!call->is_flying || !call->io.done)
        return 0;
    call->is_flying = 0;
    return 1;
}

int client_link_is_quiet(struct lam_sequencer_client *client)
{
    (void)has_ended(&client->receive);
    (void)has_ended(&client->send);
    (void)has_ended(&client->close);
    if (has_ended(&client->connect) && client->connect.io.result >= 0) {
        client->file = (int)client->connect.io.result; /* it was too late to be cancelled */
        client_start(client, &client->close, LAM_ENV_CLOSE);
    }
    return !client->connect.is_flying && !client->receive.is_flying && !client->send.is_flying &&
           !client->close.is_flying;
}

static int begin(struct lam_sequencer_client *client, uint64_t now_ns)
{
    if (now_ns < client->retry_at_ns)
        return 0;
    client->connect.io = (struct lam_env_io){.name = client->options.address};
    client->link = LINK_CONNECTING;
    client->deadline_ns = client_after(now_ns, CLIENT_GREETING_NS);
    client_start(client, &client->connect, LAM_ENV_CONNECT);
    return 1;
}

static int connecting(struct lam_sequencer_client *client, uint64_t now_ns)
{
    if (!has_ended(&client->connect)) {
        if (now_ns < client->deadline_ns)
            return 0;
        client_break(client, "no connection within five seconds; is the node running?");
        return 1;
    }
    if (client->connect.io.result == -EINVAL || client->connect.io.result == -ENAMETOOLONG) {
        client_fail(client, "it is no address that can be connected to: %s",
            strerror((int)-client->connect.io.result));
        return 1;
    }
    if (client->connect.io.result < 0) {
        client_break(client, "cannot connect: %s; is the node running?",
            strerror((int)-client->connect.io.result));
        return 1;
    }
    client->file = (int)client->connect.io.result;
    client->link = LINK_GREETING;
    client->in.begin = client->in.end = 0;
    client->out.begin = client->out.end = 0;
    client->heartbeat_ns = 0;
    client->has_asked = 0;
    client_greet_hello(client);
    return 1;
}

/* Room for the frame that has begun, all of it, at the buffer's start. */
static int make_room(struct client_buffer *in)
{
    uint32_t length = 0;

    if (in->begin != 0) {
        memmove(in->bytes, in->bytes + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->begin = 0;
    }
    if (frame_length(in->bytes, in->end, FRAME_BYTES_MAX, &length) == 1 && length > in->room)
        return client_buffer_grow(in, length);
    return 0;
}

/* Is there one that is to be taken, or refused, first? */
static int has_frame(const struct client_buffer *in)
{
    uint32_t length;
    int rc = frame_length(in->bytes + in->begin, in->end - in->begin, FRAME_BYTES_MAX, &length);

    return rc < 0 || (rc == 1 && in->end - in->begin >= length);
}

/* The next bytes, where no whole frame is left in the buffer. */
static int receive(struct lam_sequencer_client *client, uint64_t now_ns)
{
    struct client_buffer *in = &client->in;
    int64_t result = client->receive.io.result;

    if (has_ended(&client->receive)) {
        if (result > 0) {
            in->end += (uint32_t)result;
            client->heard_ns = now_ns;
        } else if (result == 0) {
            client_break(client, "the node has closed the connection");
        } else {
            client_break(client, "the connection broke: %s", strerror((int)-result));
        }
        return 1;
    }
    if (client->receive.is_flying || has_frame(in))
        return 0;
    if (make_room(in) != 0) {
        client_break(client, "no memory for what the node sends");
        return 1;
    }
    client->receive.io =
        (struct lam_env_io){.bytes = in->bytes + in->end, .count = in->room - in->end};
    client_start(client, &client->receive, LAM_ENV_RECEIVE);
    return 1;
}

static int send_out(struct lam_sequencer_client *client, uint64_t now_ns)
{
    struct client_buffer *out = &client->out;
    int64_t result = client->send.io.result;

    if (has_ended(&client->send)) {
        if (result <= 0)
            client_break(client, "the connection broke: %s", strerror((int)-result));
        else
            out->begin += (uint32_t)result;
        return 1;
    }
    if (client->send.is_flying || out->begin == out->end)
        return 0;
    client->send.io =
        (struct lam_env_io){.bytes = out->bytes + out->begin, .count = out->end - out->begin};
    client->sent_ns = now_ns;
    client_start(client, &client->send, LAM_ENV_SEND);
    return 1;
}

/* What time alone brings about. */
static int watch(struct lam_sequencer_client *client, uint64_t now_ns)
{
    if (client->link == LINK_GREETING && now_ns >= client->deadline_ns) {
        client_break(client, "no welcome within five seconds");
        return 1;
    }
    if (client->heartbeat_ns == 0)
        return 0;
    if (now_ns >= client_after(client->heard_ns, 3 * client->heartbeat_ns)) {
        client_break(client, "nothing was heard of the node for three heartbeats");
        return 1;
    }
    if (now_ns < client_after(client->sent_ns, client->heartbeat_ns) || client->send.is_flying)
        return 0;
    client->sent_ns = now_ns;
    client_out_put(client, &(struct frame){.kind = FRAME_BEAT});
    return 1;
}

static int talking(struct lam_sequencer_client *client, uint64_t now_ns)
{
    int did = receive(client, now_ns);

    if (client->link != LINK_CLOSING)
        did |= watch(client, now_ns);
    if (client->link == LINK_OPEN)
        did |= client_out_step(client);
    if (client->link != LINK_CLOSING)
        did |= send_out(client, now_ns);
    return did;
}

int client_link_step(struct lam_sequencer_client *client)
{
    uint64_t now_ns = client->env->ops->now_ns(client->env);

    switch (client->link) {
    case LINK_IDLE:
        return begin(client, now_ns);
    case LINK_CONNECTING:
        return connecting(client, now_ns);
    case LINK_GREETING:
    case LINK_OPEN:
        return talking(client, now_ns);
    case LINK_CLOSING:
        if (!client_link_is_quiet(client))
            return 0;
        client->link = client->is_failed ? LINK_OVER : LINK_IDLE;
        return 1;
    case LINK_OVER:
        break;
    }
    return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t client_due_ns(const struct lam_sequencer_client *client)
{
    uint64_t due_ns = UINT64_MAX;

    if (client->has_hint)
        return 0;
    if (client->link == LINK_IDLE)
        return client->retry_at_ns;
    if (client->link == LINK_CONNECTING || client->link == LINK_GREETING)
        return client->deadline_ns;
    if (client->link != LINK_OPEN)
        return due_ns;
    if (client->heartbeat_ns != 0) {
        due_ns = client_after(client->heard_ns, 3 * client->heartbeat_ns);
        if (!client->send.is_flying)
            due_ns = least(due_ns, client_after(client->sent_ns, client->heartbeat_ns));
    }
    return least(due_ns, client->busy_due_ns);
}
