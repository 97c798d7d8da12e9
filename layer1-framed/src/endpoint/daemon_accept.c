/* SPDX-License-Identifier: Apache-2.0 */
/* Newcomers: from the knock to the rings. Nothing of theirs is believed before it was looked at. */
#include "daemon_internal.h"
#include "lamina/base/crash_point.h"
#include "lamina/ring/pass.h"
#include "packet.h"
#include "shortage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_AT_ONCE 8

static void send_refusal(int socket, const struct lam_endpoint_refused *refused)
{
    uint8_t bytes[LAM_ENDPOINT_REFUSED_BYTES];

    lam_endpoint_write_refused(refused, bytes);
    (void)lam_packet_send(socket, bytes, sizeof(bytes));
}

void lam_daemon_refuse(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    enum lam_endpoint_code code, const char *text)
{
    struct lam_endpoint_refused refused = {.code = code};

    (void)snprintf(refused.text, sizeof(refused.text), "%s", text);
    if (slot->state == DAEMON_BUILDING) /* it was welcomed, and may be on its rings by now */
        lam_daemon_send_away(slot, code, 0, text);
    else
        send_refusal(slot->socket, &refused);
    daemon->counts.refused++;
    lam_daemon_free_slot(daemon, slot);
}

/* A slot for a newcomer; the one who has kept us waiting for longest makes room. */
static struct lam_daemon_slot *find_room(struct lam_daemon *daemon)
{
    struct lam_daemon_slot *oldest = NULL;

    for (uint32_t i = 0; i < daemon->slot_count; i++) {
        struct lam_daemon_slot *slot = &daemon->slots[i];

        if (slot->state == DAEMON_FREE)
            return slot;
        if (slot->state == DAEMON_GREETING &&
            (oldest == NULL || slot->deadline_ns < oldest->deadline_ns))
            oldest = slot;
    }
    if (oldest != NULL) {
        daemon->counts.late++;
        lam_daemon_free_slot(daemon, oldest);
    }
    return oldest;
}

static void fill_credentials(struct lam_daemon_slot *slot)
{
    struct ucred who = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t bytes = sizeof(who);

    (void)getsockopt(slot->socket, SOL_SOCKET, SO_PEERCRED, &who, &bytes);
    slot->peer = (struct lam_daemon_peer){.pid = who.pid, .uid = who.uid, .gid = who.gid};
}

static void take_in(struct lam_daemon *daemon, int socket)
{
    struct lam_daemon_slot *slot = find_room(daemon);

    if (slot == NULL) {
        struct lam_endpoint_refused refused = {.code = LAM_ENDPOINT_TOO_MANY,
            .found = daemon->clients,
            .expected_max = daemon->clients_max,
            .text = "too many connect at once"};

        send_refusal(socket, &refused);
        daemon->counts.refused++;
        (void)close(socket);
        return;
    }
    lam_daemon_free_slot(daemon, slot); /* its last tenant's name may still be there */
    slot->state = DAEMON_GREETING;
    slot->socket = socket;
    slot->deadline_ns = lam_deadline_after_ns(daemon->options.handshake_ns);
    fill_credentials(slot);
    LAM_CRASH_POINT("endpoint.accepted");
    if (lam_daemon_poll_add(daemon, slot) != 0)
        lam_daemon_free_slot(daemon, slot);
    else
        lam_daemon_greet(daemon, slot); /* who is quick has said what it wants by now */
}

/* Nothing is left for one more but what is kept for it. Returns whether somebody was told so. */
static int refuse_for_want(struct lam_daemon *daemon)
{
    struct lam_endpoint_refused refused = {.code = LAM_ENDPOINT_NO_MEMORY};
    int socket;

    if (daemon->poll->spare < 0)
        return 0;
    (void)close(daemon->poll->spare);
    daemon->poll->spare = -1;
    socket = accept4(daemon->place.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
        lam_endpoint_say_shortage(-EMFILE, "the daemon", refused.text, sizeof(refused.text));
        send_refusal(socket, &refused);
        daemon->counts.refused++;
        (void)close(socket);
    }
    (void)lam_daemon_poll_spare(daemon);
    return socket >= 0;
}

void lam_daemon_accept(struct lam_daemon *daemon)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int socket = accept4(daemon->place.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (socket >= 0)
            take_in(daemon, socket);
        else if (errno == EMFILE && refuse_for_want(daemon))
            continue;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* They wait in the queue until a tick: looked at, they would keep us awake. */
            (void)lam_daemon_poll_listen(daemon, 0);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* The rings, by as many messages as there are. */
static int pass_rings(struct lam_daemon_slot *slot, struct lam_error *error)
{
    int rc = 0;

    for (uint32_t lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        rc = lam_ring_send(slot->socket, &slot->in.rings[lane], LAM_ACCESS_WRITE, 0, error);
        LAM_CRASH_POINT("endpoint.half_passed");
        if (rc == 0)
            rc = lam_ring_send(slot->socket, &slot->out.rings[lane], LAM_ACCESS_READ, 0, error);
    }
    if (rc == 0)
        rc = lam_ring_send(slot->socket, &slot->answers_ring, LAM_ACCESS_READ, 0, error);
    return rc;
}

static void welcome_it(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    const struct lam_endpoint_welcome *welcome)
{
    uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES];
    struct lam_error error = {.text = ""};
    int rc = lam_daemon_make_rings(daemon, slot, welcome, &error);

    if (rc != 0) {
        if (lam_endpoint_is_shortage(rc))
            lam_endpoint_say_shortage(rc, "the daemon", error.text, sizeof(error.text));
        lam_daemon_refuse(daemon, slot, LAM_ENDPOINT_NO_MEMORY, error.text);
        return;
    }
    slot->state = DAEMON_BUILDING;
    daemon->clients++;
    lam_endpoint_write_welcome(welcome, bytes);
    rc = lam_packet_send(slot->socket, bytes, sizeof(bytes));
    LAM_CRASH_POINT("endpoint.welcomed");
    if (rc == 0)
        rc = pass_rings(slot, &error);
    LAM_CRASH_POINT("endpoint.passed");
    if (rc != 0) {
        daemon->counts.late++;
        lam_daemon_free_slot(daemon, slot);
    }
}

static void fill_peer(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome)
{
    /* Where it lies is in the number: it is found without a search. */
    slot->peer.client = ++daemon->generation * daemon->slot_count + slot->index;
    slot->peer.kept_id = hello->client_id;
    slot->peer.version = welcome->version;
    slot->peer.features = welcome->features;
    slot->peer.extensions = welcome->extensions;
    slot->peer.pressure = (enum lam_pressure_answer)hello->pressure;
    slot->peer.resumes = (hello->flags & LAM_ENDPOINT_RESUMES) != 0;
    slot->peer.identity = hello->identity;
    memcpy(slot->peer.name, hello->name, sizeof(slot->peer.name));
    welcome->session = slot->peer.client;
    welcome->identity = daemon->identity;
    memcpy(welcome->name, daemon->place.name, sizeof(welcome->name));
}

static void decide(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, const struct lam_endpoint_hello *hello)
{
    struct lam_endpoint_welcome welcome = {0};
    struct lam_endpoint_refused refused = {.code = LAM_ENDPOINT_MALFORMED};

    if (lam_endpoint_negotiate(&daemon->terms, hello, &welcome, &refused) != 0) {
        send_refusal(slot->socket, &refused);
        daemon->counts.refused++;
        lam_daemon_free_slot(daemon, slot);
        return;
    }
    fill_peer(daemon, slot, hello, &welcome);
    if (daemon->is_shut)
        lam_daemon_refuse(daemon, slot, LAM_ENDPOINT_SHUTTING_DOWN, "the daemon shuts down");
    else if (daemon->clients >= daemon->clients_max)
        lam_daemon_refuse(
            daemon, slot, LAM_ENDPOINT_TOO_MANY, "as many clients as may be are here");
    else if (daemon->options.accept != NULL &&
             daemon->options.accept(daemon->options.context, &slot->peer) != 0)
        lam_daemon_refuse(daemon, slot, LAM_ENDPOINT_NOT_ALLOWED, "the daemon does not want it");
    else
        welcome_it(daemon, slot, &welcome);
}

static void refuse_bytes(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, struct lam_endpoint_refused *refused)
{
    refused->code = LAM_ENDPOINT_MALFORMED;
    (void)snprintf(refused->text, sizeof(refused->text), "a packet makes no sense");
    send_refusal(slot->socket, refused);
    daemon->counts.violations++;
    lam_daemon_free_slot(daemon, slot);
}

void lam_daemon_greet(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    struct lam_endpoint_refused refused = {.field = LAM_ENDPOINT_FIELD_TYPE};
    uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];
    struct lam_endpoint_hello hello;
    size_t count = 0;
    int rc = lam_packet_receive(slot->socket, bytes, &count);
    int type;

    if (rc == 0)
        return;
    if (rc == -EPIPE) {
        daemon->counts.late++;
        lam_daemon_free_slot(daemon, slot);
        return;
    }
    type = rc == 1 ? lam_endpoint_packet_type(bytes, count, &refused) : rc;
    if (slot->state == DAEMON_BUILDING && type == LAM_ENDPOINT_READY)
        lam_daemon_join(daemon, slot);
    else if (slot->state == DAEMON_GREETING && type == LAM_ENDPOINT_HELLO &&
             lam_endpoint_read_hello(bytes, &hello, &refused) == 0)
        decide(daemon, slot, &hello);
    else
        refuse_bytes(daemon, slot, &refused);
}
