/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon sends: messages, replies, and that it goes. */
#include "call/wire.h"
#include "daemon_internal.h"
#include "lamina/base/crash_point.h"
#include "packet.h"
#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int lam_daemon_try_send(struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    if (slot == NULL)
        return -ENOTCONN;
    return lam_lanes_sender_try_send(&slot->sender, &lane, parts, part_count, kind, NULL);
}

int lam_daemon_send_until(struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, uint64_t deadline_ns)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    if (slot == NULL)
        return -ENOTCONN;
    return lam_lanes_sender_send_until(
        &slot->sender, &lane, parts, part_count, kind, NULL, deadline_ns);
}

int lam_daemon_try_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, int32_t status)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, request->client);
    const struct call_out out = {parts, part_count, kind, LAM_CALL_REPLY, (uint32_t)status};

    return slot == NULL ? -ENOTCONN : call_try_send(&slot->answers, &request->correlation, &out);
}

int lam_daemon_reply_until(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, int32_t status,
    uint64_t deadline_ns)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, request->client);
    const struct call_out out = {parts, part_count, kind, LAM_CALL_REPLY, (uint32_t)status};

    return slot == NULL ? -ENOTCONN
                        : call_send_until(&slot->answers, &request->correlation, &out, deadline_ns);
}

int lam_daemon_try_claim_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    uint64_t payload_bytes, void **payload)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, request->client);
    int rc;

    if (slot == NULL)
        return -ENOTCONN;
    LAM_ASSERT(!slot->is_claimed);
    rc = call_try_claim(&slot->answers, &request->correlation, payload_bytes, payload);
    slot->is_claimed = rc == 1;
    return rc;
}

void lam_daemon_commit_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    uint64_t payload_bytes, uint16_t kind, int32_t status)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, request->client);

    if (slot == NULL)
        return; /* it is gone, and the claim with it: no fault of ours */
    LAM_ASSERT(slot->is_claimed);
    slot->is_claimed = 0;
    call_commit(&slot->answers, payload_bytes, kind, LAM_CALL_REPLY, (uint32_t)status);
}

void lam_daemon_abort_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, request->client);

    if (slot == NULL || !slot->is_claimed)
        return;
    slot->is_claimed = 0;
    lam_framed_sender_abort(&slot->answers);
}

struct lam_lanes_sender *lam_daemon_lanes(struct lam_daemon *daemon, uint64_t client)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    return slot == NULL ? NULL : &slot->sender;
}

const struct lam_daemon_peer *lam_daemon_peer(const struct lam_daemon *daemon, uint64_t client)
{
    const struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    return slot == NULL ? NULL : &slot->peer;
}

uint32_t lam_daemon_client_count(const struct lam_daemon *daemon)
{
    return daemon->live_count;
}

const struct lam_daemon_counts *lam_daemon_counts(const struct lam_daemon *daemon)
{
    return &daemon->counts;
}

void lam_daemon_close_senders(struct lam_daemon_slot *slot)
{
    slot->is_claimed = 0;
    lam_lanes_sender_close(&slot->sender);
    lam_framed_sender_close(&slot->answers);
}

void lam_daemon_say_goodbye(struct lam_daemon_slot *slot, uint32_t reason, const char *text)
{
    struct lam_endpoint_goodbye goodbye = {.reason = reason};
    uint8_t bytes[LAM_ENDPOINT_GOODBYE_BYTES];

    (void)snprintf(goodbye.text, sizeof(goodbye.text), "%s", text == NULL ? "" : text);
    lam_endpoint_write_goodbye(&goodbye, bytes);
    (void)lam_packet_send(slot->socket, bytes, sizeof(bytes));
}

void lam_daemon_send_away(
    struct lam_daemon_slot *slot, enum lam_endpoint_code code, uint32_t reason, const char *text)
{
    struct lam_endpoint_refused refused = {.code = code, .found = reason};
    uint8_t bytes[LAM_ENDPOINT_REFUSED_BYTES];

    (void)snprintf(refused.text, sizeof(refused.text), "%s", text == NULL ? "" : text);
    lam_endpoint_write_refused(&refused, bytes);
    (void)lam_packet_send(slot->socket, bytes, sizeof(bytes));
}

void lam_daemon_drop(struct lam_daemon *daemon, uint64_t client, uint32_t reason, const char *text)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    if (slot == NULL)
        return;
    lam_daemon_send_away(slot, LAM_ENDPOINT_NOT_ALLOWED, reason, text);
    lam_daemon_gone(daemon, slot, -ECANCELED, NULL);
}

void lam_daemon_shutdown(struct lam_daemon *daemon, uint32_t reason, const char *text)
{
    LAM_ASSERT_CREATED(daemon);
    if (daemon->is_shut)
        return;
    daemon->is_shut = 1;
    (void)lam_daemon_poll_listen(daemon, 0);
    lam_endpoint_place_hide(&daemon->place);
    for (uint32_t i = 0; i < daemon->slot_count; i++) {
        struct lam_daemon_slot *slot = &daemon->slots[i];

        if (slot->state == DAEMON_GREETING)
            lam_daemon_refuse(daemon, slot, LAM_ENDPOINT_SHUTTING_DOWN, "the daemon shuts down");
        if (slot->state != DAEMON_LIVE && slot->state != DAEMON_BUILDING)
            continue;
        lam_daemon_say_goodbye(slot, reason, text);
        LAM_CRASH_POINT("endpoint.said_goodbye");
        lam_daemon_close_senders(slot); /* what was sent before is read before the end */
    }
}
