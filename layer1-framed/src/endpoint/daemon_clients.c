/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are here: how they come and how they go. */
#include "daemon_internal.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void lam_daemon_notice(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, enum daemon_notice notice)
{
    daemon->notices += slot->notices == 0;
    slot->notices |= notice;
}

void lam_daemon_free_rings(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    if (slot->state != DAEMON_BUILDING && slot->state != DAEMON_LIVE)
        return;
    if (daemon->owner == lam_endpoint_process)
        lam_daemon_unwatch(slot);
    else
        lam_daemon_abandon_watches(slot);
    lam_lanes_receiver_detach(&slot->receiver);
    lam_lanes_sender_detach(&slot->sender);
    lam_framed_sender_detach(&slot->answers);
    lam_daemon_destroy_rings(slot);
    daemon->clients--;
}

void lam_daemon_free_slot(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    uint32_t index = slot->index;

    lam_daemon_free_rings(daemon, slot);
    if (slot->socket >= 0)
        (void)close(slot->socket);
    if (slot->notices != 0)
        daemon->notices--;
    memset(slot, 0, sizeof(*slot));
    slot->index = index;
    slot->socket = -1;
}

void lam_daemon_join(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    struct lam_error error = {.text = ""};

    if (daemon->is_shut) { /* it was told */
        lam_daemon_free_slot(daemon, slot);
        return;
    }
    if (lam_daemon_watch(daemon, slot, &error) != 0) {
        lam_daemon_refuse(daemon, slot, LAM_ENDPOINT_NO_MEMORY, error.text);
        return;
    }
    LAM_CRASH_POINT("endpoint.joined");
    slot->state = DAEMON_LIVE;
    slot->read_ns = lam_clock_now_ns();
    daemon->live[daemon->live_count++] = slot;
    daemon->counts.connected++;
    lam_daemon_notice(daemon, slot, NOTICE_CONNECTED);
}

static void leave_live(struct lam_daemon *daemon, const struct lam_daemon_slot *slot)
{
    uint32_t at = 0;

    while (daemon->live[at] != slot)
        at++;
    for (daemon->live_count--; at < daemon->live_count; at++)
        daemon->live[at] = daemon->live[at + 1];
    if (daemon->live_next >= daemon->live_count)
        daemon->live_next = 0;
}

static void count_gone(struct lam_daemon *daemon, int reason)
{
    if (reason == -EPIPE)
        daemon->counts.left++;
    else if (reason == -EOWNERDEAD)
        daemon->counts.died++;
    else if (reason != -ECANCELED)
        daemon->counts.violations++;
}

void lam_daemon_gone(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, int reason, const char *text)
{
    if (daemon->lent == slot)
        lam_daemon_release(daemon);
    leave_live(daemon, slot);
    count_gone(daemon, reason);
    if (reason == -EPROTO) /* else it would connect anew, and do it again */
        lam_daemon_send_away(slot, LAM_ENDPOINT_MALFORMED, 0, text);
    /* In order for its side, whatever its own end was: it is we who go. */
    lam_daemon_close_senders(slot);
    lam_daemon_free_rings(daemon, slot);
    (void)close(slot->socket);
    slot->socket = -1;
    slot->state = DAEMON_GONE;
    slot->reason = reason;
    if (text != NULL) {
        slot->goodbye.reason = 0;
        (void)snprintf(slot->goodbye.text, sizeof(slot->goodbye.text), "%s", text);
    }
    lam_daemon_notice(daemon, slot, NOTICE_GONE);
}

struct lam_daemon_slot *lam_daemon_find(const struct lam_daemon *daemon, uint64_t client)
{
    struct lam_daemon_slot *slot;

    LAM_ASSERT_CREATED(daemon);
    slot = &daemon->slots[client % daemon->slot_count];
    return slot->state == DAEMON_LIVE && slot->peer.client == client ? slot : NULL;
}
