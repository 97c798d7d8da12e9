/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon's loop does beside serving: tells the news, looks at sockets, locks and clocks. */
#include "daemon_internal.h"

#include <errno.h>
#include <string.h>

static void fill_notice(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    enum daemon_notice notice, struct lam_daemon_event *event)
{
    static const enum lam_daemon_event_type types[] = {[NOTICE_CONNECTED] = LAM_DAEMON_CONNECTED,
        [NOTICE_SILENT] = LAM_DAEMON_SILENT,
        [NOTICE_SPEAKS] = LAM_DAEMON_SPEAKS,
        [NOTICE_GONE] = LAM_DAEMON_GONE};

    *event = (struct lam_daemon_event){
        .type = types[notice], .client = slot->peer.client, .peer = &slot->peer};
    slot->notices &= ~(uint32_t)notice;
    daemon->notices -= slot->notices == 0;
    if (notice != NOTICE_GONE)
        return;
    event->reason = slot->reason;
    event->goodbye = slot->goodbye.reason;
    memcpy(event->text, slot->goodbye.text, sizeof(event->text));
    slot->state = DAEMON_FREE; /* its peer stays as it is until a newcomer takes the slot */
}

int lam_daemon_tell(struct lam_daemon *daemon, struct lam_daemon_event *event)
{
    for (uint32_t i = 0; daemon->notices != 0 && i < daemon->slot_count; i++) {
        struct lam_daemon_slot *slot = &daemon->slots[i];

        if (slot->notices == 0)
            continue;
        fill_notice(daemon, slot, (enum daemon_notice)(slot->notices & -slot->notices), event);
        return 1;
    }
    return 0;
}

uint64_t lam_daemon_sleep_until(
    const struct lam_daemon *daemon, uint64_t deadline_ns, uint64_t now_ns)
{
    uint64_t tick_ns = now_ns + LAM_WAIT_CHECK_NS;
    int needs_tick = daemon->options.silent_ns != 0 || !daemon->poll->listens;

    for (uint32_t i = 0; !needs_tick && i < daemon->slot_count; i++)
        needs_tick =
            daemon->slots[i].state == DAEMON_GREETING || daemon->slots[i].state == DAEMON_BUILDING;
    if (!needs_tick)
        return deadline_ns;
    return tick_ns < deadline_ns ? tick_ns : deadline_ns;
}

void lam_daemon_tend(struct lam_daemon *daemon)
{
    uint64_t now_ns = lam_clock_now_ns();

    lam_daemon_look(daemon);
    if (now_ns < daemon->look_at_ns)
        return;
    daemon->look_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    lam_daemon_tick(daemon, now_ns);
}

void lam_daemon_probe(struct lam_daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->live_count; i++) {
        struct lam_daemon_slot *slot = daemon->live[i];
        int rc = lam_ring_consumer_wait_until(
            &slot->receiver.lanes[LAM_LANE_CRITICAL].consumer, lam_clock_now_ns());

        if (rc == -EOWNERDEAD)
            slot->hung_up = 1;
    }
}
