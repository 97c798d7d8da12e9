/* SPDX-License-Identifier: Apache-2.0 */
/* One sleep over sockets and rings: the rings' bells come in by eventfds (lamina/ring/notify.h). */
#include "daemon_internal.h"
#include "lamina/base/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static int control(struct lam_daemon *daemon, int what, int fd, uint32_t who)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u32 = who};

    return epoll_ctl(daemon->poll->epoll, what, fd, &event);
}

int lam_daemon_poll_listen(struct lam_daemon *daemon, int on)
{
    if (daemon->poll->listens == (uint32_t)on || daemon->place.listener < 0)
        return 0;
    daemon->poll->listens = (uint32_t)on;
    return control(
        daemon, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, daemon->place.listener, POLL_LISTENER);
}

int lam_daemon_poll_spare(struct lam_daemon *daemon)
{
    if (daemon->poll->spare < 0)
        daemon->poll->spare = fcntl(daemon->poll->epoll, F_DUPFD_CLOEXEC, 0);
    return daemon->poll->spare < 0 ? -1 : 0;
}

int lam_daemon_poll_add(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    return control(daemon, EPOLL_CTL_ADD, slot->socket, slot->index);
}

void lam_daemon_poll_remove(struct lam_daemon *daemon, struct lam_daemon_slot *slot)
{
    (void)control(daemon, EPOLL_CTL_DEL, slot->socket, slot->index);
}

static int never_sleeps(const struct lam_daemon *daemon)
{
    return daemon->wait == LAM_WAIT_SPIN || daemon->wait == LAM_WAIT_YIELD;
}

int lam_daemon_watch(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, struct lam_error *error)
{
    struct lam_daemon_poll *poll = daemon->poll;
    uint32_t which = slot->index / DAEMON_WATCH_CLIENTS;
    int rc = 0;

    if (never_sleeps(daemon))
        return 0;
    if ((poll->opened >> which & 1) == 0)
        rc = lam_ring_notifier_open(&poll->notifiers[which], error);
    if (rc != 0)
        return rc;
    poll->opened |= 1U << which;
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++) {
        rc = lam_ring_notifier_add(&poll->notifiers[which], &slot->watches[lane],
            &slot->receiver.lanes[lane].consumer, error);
        if (rc == 0 && control(daemon, EPOLL_CTL_ADD, slot->watches[lane].fd, POLL_WATCH) != 0) {
            rc = lam_error_set(error, -errno, "epoll_ctl: errno %d", errno);
            lam_ring_notifier_remove(&slot->watches[lane]);
        }
        if (rc != 0)
            break;
        slot->is_watched |= 1U << lane;
    }
    if (rc != 0)
        lam_daemon_unwatch(slot);
    return rc;
}

void lam_daemon_unwatch(struct lam_daemon_slot *slot)
{
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        if ((slot->is_watched >> lane & 1) != 0)
            lam_ring_notifier_remove(&slot->watches[lane]); /* closes its fd: epoll forgets it */
    slot->is_watched = 0;
}

void lam_daemon_abandon_watches(struct lam_daemon_slot *slot)
{
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        if ((slot->is_watched >> lane & 1) != 0)
            (void)close(slot->watches[lane].fd);
    slot->is_watched = 0;
}

void lam_daemon_look(struct lam_daemon *daemon)
{
    struct epoll_event events[DAEMON_LOOK_AT];
    int count = epoll_wait(daemon->poll->epoll, events, DAEMON_LOOK_AT, 0);

    daemon->served = 0;
    for (int i = 0; i < count; i++) {
        uint32_t who = events[i].data.u32;

        if (who == POLL_LISTENER)
            lam_daemon_accept(daemon);
        else if (who < daemon->slot_count)
            lam_daemon_hear(daemon, &daemon->slots[who]);
    }
}

/* Arm all rings. Returns 1 when none has anything. */
static int arm(struct lam_daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->live_count; i++) {
        struct lam_daemon_slot *slot = daemon->live[i];

        for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
            if ((slot->is_watched >> lane & 1) != 0 &&
                lam_lanes_receiver_end(&slot->receiver, (enum lam_lane)lane) == 0 &&
                lam_ring_watch_arm(&slot->watches[lane]) != 0)
                return 0;
    }
    return 1;
}

static void disarm(struct lam_daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->live_count; i++)
        for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
            if ((daemon->live[i]->is_watched >> lane & 1) != 0)
                lam_ring_watch_disarm(&daemon->live[i]->watches[lane]);
}

void lam_daemon_sleep(struct lam_daemon *daemon, uint64_t deadline_ns)
{
    if (arm(daemon))
        (void)lam_poll_until(daemon->poll->epoll, POLLIN, deadline_ns);
    disarm(daemon);
}
