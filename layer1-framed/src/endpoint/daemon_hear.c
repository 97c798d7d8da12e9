/* SPDX-License-Identifier: Apache-2.0 */
/* What clients say over their sockets, and whether they are silent. */
#include "daemon_internal.h"
#include "packet.h"

#include <errno.h>

#define HEAR_AT_ONCE 16

/* Whether it says more than anyone has to say. */
static int is_flood(struct lam_daemon_slot *slot)
{
    uint64_t now_ns = lam_clock_now_ns();

    if (now_ns - slot->packets_ns > LAM_NS_PER_S) {
        slot->packets_ns = now_ns;
        slot->packets = 0;
    }
    return ++slot->packets > DAEMON_PACKETS_MAX;
}

static void answer_ping(struct lam_daemon_slot *slot, const uint8_t *bytes)
{
    uint8_t answer[LAM_ENDPOINT_PING_BYTES];
    uint32_t count =
        lam_endpoint_write_small(LAM_ENDPOINT_PONG, lam_endpoint_read_number(bytes), answer);

    (void)lam_packet_send(slot->socket, answer, count); /* who reads no answer gets none */
}

static void heard_of(struct lam_daemon *daemon, struct lam_daemon_slot *slot, uint64_t now_ns)
{
    slot->asked_ns = 0;
    slot->read_ns = now_ns;
    if (!slot->is_silent)
        return;
    slot->is_silent = 0;
    lam_daemon_notice(daemon, slot, NOTICE_SPEAKS);
}

/* One packet of a client. Returns NULL, or what is wrong with it. */
static const char *hear_packet(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, const uint8_t *bytes, size_t count)
{
    struct lam_endpoint_refused refused;

    if (is_flood(slot))
        return "more packets on the socket than anyone has to send";
    switch (lam_endpoint_packet_type(bytes, count, &refused)) {
    case LAM_ENDPOINT_PING:
        answer_ping(slot, bytes);
        return NULL;
    case LAM_ENDPOINT_PONG:
        heard_of(daemon, slot, lam_clock_now_ns());
        return NULL;
    case LAM_ENDPOINT_GOODBYE:
        slot->said_goodbye = 1;
        return lam_endpoint_read_goodbye(bytes, &slot->goodbye, &refused) == 0
                   ? NULL
                   : "a goodbye without an end";
    default:
        return "a packet on the socket makes no sense";
    }
}

void lam_daemon_hear(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    if (slot->state == DAEMON_GREETING || slot->state == DAEMON_BUILDING)
        lam_daemon_greet(daemon, slot);
    for (int i = 0; slot->state == DAEMON_LIVE && !slot->hung_up && i < HEAR_AT_ONCE; i++) {
        uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];
        const char *wrong = NULL;
        size_t count = 0;
        int rc = lam_packet_receive(slot->socket, bytes, &count);

        if (rc == 0)
            return;
        if (rc == 1)
            wrong = hear_packet(daemon, slot, bytes, count);
        else if (rc == -EPROTO)
            wrong = "descriptors, or a packet too long, on the socket";
        if (wrong != NULL) {
            lam_daemon_gone(daemon, slot, -EPROTO, wrong);
        } else if (rc < 0) {
            slot->hung_up = 1; /* what it sent before is still served */
            lam_daemon_poll_remove(daemon, slot);
        }
    }
}

/* How far it has read, all rings together, and whether that is all there is. */
static int has_unread(struct lam_daemon_slot *slot, uint64_t *mark)
{
    int unread = 0;

    *mark = 0;
    for (uint32_t i = 0; i <= LAM_LANE_COUNT; i++) {
        struct lam_framed_sender *sender =
            i < LAM_LANE_COUNT ? &slot->sender.lanes[i] : &slot->answers;
        struct lam_ring_blocker blocker = {.lag_cells = 0};

        (void)lam_framed_sender_blocker(sender, &blocker);
        *mark += sender->producer.next - blocker.lag_cells;
        unread |= blocker.lag_cells != 0;
    }
    return unread;
}

static void ask(struct lam_daemon *daemon, struct lam_daemon_slot *slot, uint64_t now_ns)
{
    uint8_t bytes[LAM_ENDPOINT_PING_BYTES];
    uint64_t mark;
    int unread = has_unread(slot, &mark);

    if (!unread || mark != slot->read_mark) {
        slot->read_mark = mark;
        heard_of(daemon, slot, now_ns);
        return;
    }
    if (slot->asked_ns == 0 && now_ns - slot->read_ns >= daemon->options.silent_ns) {
        slot->asked_ns = now_ns;
        (void)lam_packet_send(
            slot->socket, bytes, lam_endpoint_write_small(LAM_ENDPOINT_PING, now_ns, bytes));
    } else if (slot->asked_ns != 0 && !slot->is_silent &&
               now_ns - slot->asked_ns >= daemon->options.silent_ns) {
        slot->is_silent = 1;
        daemon->counts.silent++;
        lam_daemon_notice(daemon, slot, NOTICE_SILENT);
    }
}

void lam_daemon_tick(struct lam_daemon *daemon, uint64_t now_ns)
{
    for (uint32_t i = 0; i < daemon->slot_count; i++) {
        struct lam_daemon_slot *slot = &daemon->slots[i];

        if ((slot->state == DAEMON_GREETING || slot->state == DAEMON_BUILDING) &&
            now_ns >= slot->deadline_ns) {
            daemon->counts.late++;
            lam_daemon_free_slot(daemon, slot);
        } else if (slot->state == DAEMON_LIVE && daemon->options.silent_ns != 0) {
            ask(daemon, slot, now_ns);
        }
    }
    (void)lam_daemon_poll_listen(daemon, 1);
}
