/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's loop: notices first, then messages, client by client; then the ladder. */
#include "call/wire.h"
#include "daemon_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SERVE_AT_ONCE 256 /* messages between two looks at the sockets */
#define LOOK_EVERY    32  /* microseconds of spinning, about */

void lam_daemon_release(struct lam_daemon *daemon)
{
    LAM_ASSERT_CREATED(daemon);
    if (daemon->lent == NULL)
        return;
    (void)lam_lanes_receiver_release(
        &daemon->lent->receiver, daemon->lent_lane, &daemon->lent_message);
    daemon->lent = NULL;
}

/*
 * Fill the event of a message with a correlation: a request or a cancel. Returns 1, or 0: it is
 * neither, and no client of this library writes such a thing.
 */
static int read_call(struct lam_daemon_slot *slot, struct lam_daemon_event *event)
{
    struct lam_framed_message *message = &event->message;
    const struct lam_call_header *header = message->payload;
    uint64_t type;

    if (message->payload_bytes < LAM_CALL_HEADER_BYTES)
        return 0;
    /* Relaxed: the stamp that was acquired carries them. Each is loaded once, then looked at. */
    type = lam_load_relaxed(&header->type);
    event->request = (struct lam_daemon_request){.client = slot->peer.client,
        .deadline_ns = lam_load_relaxed(&header->word),
        .correlation = *message->correlation,
        .lane = event->lane,
        .is_repeated = type == LAM_ENDPOINT_CALL_AGAIN};
    if (type == LAM_CALL_CANCEL)
        event->type = LAM_DAEMON_CANCELED;
    else if (type == LAM_CALL_REQUEST || type == LAM_ENDPOINT_CALL_AGAIN)
        event->type = LAM_DAEMON_REQUEST;
    else
        return 0;
    call_expect_claim(&slot->answers);
    message->payload = (const uint8_t *)message->payload + LAM_CALL_HEADER_BYTES;
    message->payload_bytes -= LAM_CALL_HEADER_BYTES;
    return 1;
}

/* A message of @slot is in *@event. Returns 1 when it is one for the application. */
static int lend(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, struct lam_daemon_event *event)
{
    daemon->lent = slot;
    daemon->lent_message.end = event->message.end; /* all that a release looks at */
    daemon->lent_lane = event->lane;
    event->client = slot->peer.client;
    event->peer = &slot->peer;
    event->type = LAM_DAEMON_MESSAGE;
    if (__builtin_expect(event->message.correlation == NULL, 1) || read_call(slot, event))
        return 1;
    lam_daemon_gone(daemon, slot, -EPROTO, "a message with a correlation is no request");
    return 0;
}

/* The end of a client's stream, or a message of its that was cut short. */
static void end(struct lam_daemon *daemon, struct lam_daemon_slot *slot, int rc)
{
    if (rc == -ECANCELED || rc == -EMSGSIZE)
        daemon->counts.cut++;
    else if (rc == -EBADMSG)
        daemon->counts.damaged++;
    else if (rc == -EPIPE || rc == -EOWNERDEAD) {
        lam_daemon_hear(daemon, slot); /* it may have said why */
        if (slot->state == DAEMON_LIVE)
            lam_daemon_gone(daemon, slot, slot->said_goodbye ? -EPIPE : rc, NULL);
    } else if (rc != -EBUSY)
        lam_daemon_gone(daemon, slot, -EPROTO, "impossible bytes in a ring");
}

/* Look at one client: at three stamps; @wide, at its end, too. Returns 1 and a message, or 0. */
static int serve_one(struct lam_daemon *daemon, struct lam_daemon_slot *slot, int wide,
    struct lam_daemon_event *event)
{
    struct lam_lanes_receiver *receiver = &slot->receiver;
    uint32_t hung_up = slot->hung_up;
    int rc;

    if (!wide && receiver->restless == 0 && lam_lanes_receiver_first(receiver) == LAM_LANE_COUNT)
        return 0;
    rc = lam_lanes_receiver_try_receive(receiver, &event->message, &event->lane);
    if (__builtin_expect(rc == 1, 1))
        return lend(daemon, slot, event);
    if (rc < 0)
        end(daemon, slot, rc);
    else if (hung_up != 0) /* it is past its last store: what is not there now will not come */
        lam_daemon_gone(daemon, slot, slot->said_goodbye ? -EPIPE : -EOWNERDEAD, NULL);
    return 0;
}

/* One message, of the client whose turn it is. Returns 1, or 0. */
static int serve(struct lam_daemon *daemon, int wide, struct lam_daemon_event *event)
{
    uint32_t at = daemon->live_next;

    for (uint32_t left = daemon->live_count; left > 0 && daemon->live_count > 0; left--) {
        struct lam_daemon_slot *slot;
        int found;

        if (at >= daemon->live_count)
            at = 0;
        slot = daemon->live[at];
        found = serve_one(daemon, slot, wide, event);
        if (at < daemon->live_count && daemon->live[at] == slot)
            at++; /* or else it is gone, and another one has its place */
        if (found) {
            daemon->live_next = at;
            daemon->served++;
            return 1;
        }
    }
    return 0;
}

static int wait_until(
    struct lam_daemon *daemon, uint64_t deadline_ns, struct lam_daemon_event *event)
{
    struct lam_wait wait;
    uint32_t looks = 0;
    int verdict;

    lam_wait_begin(&wait, daemon->wait, &daemon->cadence, deadline_ns);
    for (;;) {
        verdict = lam_wait_step(&wait);
        /* Who is found gone by it is news, and not slept over. */
        if (serve(daemon, verdict != LAM_WAIT_LOOK, event) || lam_daemon_tell(daemon, event))
            break;
        if (verdict == LAM_WAIT_LOOK || (verdict == LAM_WAIT_LOOK_WIDE && ++looks % LOOK_EVERY))
            continue;
        if (verdict == LAM_WAIT_PARK)
            lam_daemon_sleep(
                daemon, lam_daemon_sleep_until(daemon, deadline_ns, lam_clock_now_ns()));
        else if (verdict == LAM_WAIT_CHECK)
            lam_daemon_probe(daemon);
        lam_daemon_tend(daemon);
        if (lam_daemon_tell(daemon, event))
            break;
        if (verdict < 0)
            return verdict;
    }
    (void)lam_wait_end(&wait);
    return 0;
}

/*
 * One look at a client whose next message is what most are. Returns 1, 0 nothing is there, or -1:
 * something is, for the longer way.
 */
static inline int look_at(struct lam_daemon_slot *slot, struct lam_daemon_event *event)
{
    struct lam_lanes_receiver *receiver = &slot->receiver;

    if (__builtin_expect(lam_lanes_turns_may_be_due(&receiver->turns), 0))
        return lam_lanes_receiver_first(receiver) == LAM_LANE_COUNT ? 0 : -1;
    return lam_lanes_receiver_quickly(receiver, &event->message, &event->lane);
}

/*
 * Look for about a microsecond at what is polled, and at nothing else, at all clients, from the one
 * whose turn it is: what comes is in the event by the look that finds it. Returns 1 and a message,
 * or 0: the long way will find out.
 */
static int serve_quickly(struct lam_daemon *daemon, struct lam_daemon_event *event)
{
    if (daemon->wait == LAM_WAIT_FUTEX || daemon->is_shut)
        return 0;
    for (uint32_t looks = 0; looks < LAM_RING_QUICK_LOOKS; looks++) {
        uint32_t at = daemon->live_next;

        for (uint32_t left = daemon->live_count; left > 0; left--, at++) {
            int rc;

            if (at >= daemon->live_count)
                at = 0;
            rc = look_at(daemon->live[at], event);
            if (rc == 0)
                continue;
            if (rc == 1 ? !lend(daemon, daemon->live[at], event)
                        : !serve_one(daemon, daemon->live[at], 0, event))
                return 0;
            daemon->live_next = at + 1 < daemon->live_count ? at + 1 : 0;
            daemon->served++;
            return 1;
        }
        lam_pause();
    }
    return 0;
}

int lam_daemon_wait_until(
    struct lam_daemon *daemon, uint64_t deadline_ns, struct lam_daemon_event *event)
{
    int wide = 0;

    LAM_ASSERT_CREATED(daemon);
    lam_daemon_release(daemon);
    if (__builtin_expect(daemon->served >= SERVE_AT_ONCE, 0)) {
        wide = 1;
        lam_daemon_tend(daemon);
    }
    if (__builtin_expect(daemon->notices != 0, 0) && lam_daemon_tell(daemon, event))
        return 0;
    if (__builtin_expect(!wide && serve_quickly(daemon, event), 1))
        return 0;
    if (serve(daemon, wide, event))
        return 0;
    if (daemon->is_shut) {
        lam_daemon_tend(daemon);
        return lam_daemon_tell(daemon, event) || serve(daemon, 1, event) ||
                       lam_daemon_tell(daemon, event)
                   ? 0
                   : -EPIPE;
    }
    return wait_until(daemon, deadline_ns, event);
}
