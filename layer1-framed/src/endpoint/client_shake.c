/* SPDX-License-Identifier: Apache-2.0 */
/* How a client comes to its rings. What the daemon says is looked at before it is believed. */
#include "client_internal.h"
#include "lamina/base/crash_point.h"
#include "lamina/base/poll.h"
#include "packet.h"
#include "place.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RETRY_NS  (2 * LAM_NS_PER_MS)
#define ANSWER_NS LAM_NS_PER_S /* with a deadline of 0 */

/* The geometry is what was welcomed, or else it is not what we agreed on. */
static int check_ring(
    const struct lam_client *client, const struct lam_ring *ring, struct lam_error *error)
{
    if ((UINT64_C(1) << ring->cell_shift) == client->welcome.cell_bytes &&
        ring->producers == LAM_RING_ONE_PRODUCER)
        return 0;
    return lam_error_set(error, -EPROTO, "a ring came with cells of %llu bytes, expected %u",
        (unsigned long long)(UINT64_C(1) << ring->cell_shift), client->welcome.cell_bytes);
}

static struct lam_ring *ring_at(struct lam_client_link *link, uint32_t i)
{
    if (i == 2 * LAM_LANE_COUNT)
        return &link->answers_ring;
    return i % 2 == 0 ? &link->out.rings[i / 2] : &link->in.rings[i / 2];
}

/* The rings, one by one, in the order in which they are passed: all of them, or none. */
static int take_rings(struct lam_client *client, struct lam_client_link *link, uint64_t deadline_ns,
    struct lam_error *error)
{
    uint32_t taken = 0;
    int rc = 0;

    while (rc == 0 && taken < LAM_ENDPOINT_RINGS) {
        struct lam_ring *ring = ring_at(link, taken);
        struct lam_ring_attach_options options = {
            .access =
                taken % 2 == 0 && taken < 2 * LAM_LANE_COUNT ? LAM_ACCESS_WRITE : LAM_ACCESS_READ,
            .deadline_ns = deadline_ns};

        taken++;
        rc = lam_ring_receive(client->socket, ring, &options, NULL, error);
        if (rc == 0)
            rc = check_ring(client, ring, error);
        LAM_CRASH_POINT("endpoint.took_a_ring");
    }
    while (rc != 0 && taken > 0)
        lam_ring_detach(ring_at(link, --taken)); /* also safe on the one that did not come */
    return rc == -EPIPE ? -EOWNERDEAD : rc;
}

static int be_refused(struct lam_client *client, const uint8_t *bytes, struct lam_error *error)
{
    struct lam_endpoint_refused refused, wrong;
    char text[2 * LAM_ENDPOINT_REFUSED_TEXT_BYTES];

    if (lam_endpoint_read_refused(bytes, &refused, &wrong) != 0)
        return lam_error_set(error, -EPROTO, "a refusal that makes no sense");
    lam_client_note_refusal(client, &refused);
    lam_client_say_refusal(&refused, text, sizeof(text));
    return lam_error_set(error, lam_endpoint_refusal_error(refused.code),
        "endpoint %s: refused: %s", client->endpoint, text);
}

static int hear_answer(struct lam_client *client, uint64_t deadline_ns, struct lam_error *error)
{
    uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];
    struct lam_endpoint_refused wrong = {.field = LAM_ENDPOINT_FIELD_TYPE};
    size_t count = 0;
    int rc = 0;
    int type;

    while (rc == 0) {
        rc = lam_poll_until(client->socket, POLLIN, deadline_ns);
        if (rc != 0)
            return lam_error_set(error, rc,
                "the daemon, pid %d, does not answer: it is busy, or stopped", client->peer.pid);
        rc = lam_packet_receive(client->socket, bytes, &count);
        if (rc == -EPIPE) /* refused unheard: a reset comes before what was said, once */
            rc = lam_packet_receive(client->socket, bytes, &count);
    }
    if (rc == -EPIPE)
        return lam_error_set(error, -EOWNERDEAD, "the daemon died, or closed the connection");
    type = rc == 1 ? lam_endpoint_packet_type(bytes, count, &wrong) : rc;
    if (type == LAM_ENDPOINT_REFUSED)
        return be_refused(client, bytes, error);
    if (type != LAM_ENDPOINT_WELCOME ||
        lam_endpoint_read_welcome(bytes, &client->welcome, &wrong) != 0)
        return lam_error_set(error, -EPROTO,
            "the daemon's answer makes no sense: %s is 0x%llx, expected 0x%llx to 0x%llx",
            lam_endpoint_field_name(wrong.field), (unsigned long long)wrong.found,
            (unsigned long long)wrong.expected_min, (unsigned long long)wrong.expected_max);
    return lam_client_check_welcome(client, error);
}

static void fill_peer(struct lam_client *client)
{
    struct ucred who = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t bytes = sizeof(who);

    (void)getsockopt(client->socket, SOL_SOCKET, SO_PEERCRED, &who, &bytes);
    client->peer = (struct lam_ring_peer){.pid = who.pid, .uid = who.uid, .gid = who.gid};
}

/* From HELLO to READY, over a socket that is connected. */
static int shake_hands(struct lam_client *client, struct lam_client_link *link,
    uint64_t deadline_ns, struct lam_error *error)
{
    uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES];
    int rc;

    lam_endpoint_write_hello(&client->hello, bytes);
    rc = lam_packet_send(client->socket, bytes, sizeof(bytes));
    if (rc != 0 && rc != -EPIPE) /* who has gone may have said why */
        return lam_error_set(error, rc, "no hello: %s", strerror(-rc));
    LAM_CRASH_POINT("endpoint.said_hello");
    rc = hear_answer(client, deadline_ns, error);
    if (rc == 0)
        rc = take_rings(client, link, deadline_ns, error);
    if (rc != 0)
        return rc;
    rc = lam_client_attach_ends(client, link, error);
    if (rc != 0) {
        lam_lanes_detach(&link->in);
        lam_lanes_detach(&link->out);
        lam_ring_detach(&link->answers_ring);
        return rc;
    }
    link->is_open = 1;
    rc = lam_packet_send(
        client->socket, bytes, lam_endpoint_write_small(LAM_ENDPOINT_READY, 0, bytes));
    LAM_CRASH_POINT("endpoint.said_ready");
    if (rc != 0)
        lam_client_close_link(link);
    return rc == 0 ? 0 : lam_error_set(error, -EOWNERDEAD, "the daemon died meanwhile");
}

int lam_client_open(struct lam_client *client, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_client_link *link = &client->links[client->links[0].is_open];
    int rc;

    if (link->is_open)
        return lam_error_set(
            error, -EBUSY, "messages of the connection before the last are not released");
    rc = lam_endpoint_call(
        client->endpoint, client->directory[0] == '\0' ? NULL : client->directory, error);
    if (rc < 0)
        return rc;
    client->socket = rc;
    fill_peer(client);
    LAM_CRASH_POINT("endpoint.connected");
    rc = shake_hands(client, link, deadline_ns, error);
    if (rc == 0) {
        lam_client_begin_link(client, link);
        return 0;
    }
    (void)close(client->socket);
    client->socket = -1;
    return rc;
}

/* What may be otherwise a moment later: nobody there, or somebody who is about to go or to come. */
static int is_worth_a_try(int rc)
{
    return rc == -ENOENT || rc == -ECONNREFUSED || rc == -EAGAIN || rc == -EOWNERDEAD ||
           rc == -EPIPE;
}

int lam_client_open_until(struct lam_client *client, uint64_t deadline_ns, struct lam_error *error)
{
    uint64_t answer_ns = deadline_ns != 0 ? deadline_ns : lam_deadline_after_ns(ANSWER_NS);

    for (;;) {
        struct timespec pause = {.tv_nsec = RETRY_NS};
        int rc = lam_client_open(client, answer_ns, error);

        if (!is_worth_a_try(rc) || lam_clock_now_ns() >= deadline_ns)
            return rc != -EAGAIN ? rc
                                 : lam_error_set(error, -ETIMEDOUT,
                                       "endpoint %s: more connect at once than its daemon takes in",
                                       client->endpoint);
        (void)nanosleep(&pause, NULL);
    }
}
