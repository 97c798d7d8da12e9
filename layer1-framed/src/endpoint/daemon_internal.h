/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_DAEMON_INTERNAL_H
#define LAM_ENDPOINT_DAEMON_INTERNAL_H

/*
 * daemon_internal.h: what a daemon knows of each of its clients.
 *
 * A slot is free, or holds a newcomer that has not said what it wants (GREETING), one that was
 * given its rings and has to attach them (BUILDING), a client (LIVE), or one that is gone and was
 * not told of (GONE). Only BUILDING and LIVE have rings.
 */

#include "lamina/framed/daemon.h"
#include "lamina/ring/notify.h"
#include "owner.h"

#define DAEMON_NEWCOMERS 8 /* slots beyond the clients: those who only knock take no client's */
#define DAEMON_LOOK_AT   32
/* A client that says more than this over the socket in a second says too much. */
#define DAEMON_PACKETS_MAX 256

enum daemon_state {
    DAEMON_FREE = 0,
    DAEMON_GREETING,
    DAEMON_BUILDING,
    DAEMON_LIVE,
    DAEMON_GONE,
};

enum daemon_notice {
    NOTICE_CONNECTED = 1,
    NOTICE_SILENT = 2,
    NOTICE_SPEAKS = 4,
    NOTICE_GONE = 8,
};

struct lam_daemon_slot {
    struct lam_lanes_receiver receiver;
    uint32_t hung_up; /* its socket: what its rings hold is the last */
    enum daemon_state state;
    uint32_t notices;
    uint32_t index;
    int socket;
    int reason; /* why it is gone, or will be */
    uint32_t said_goodbye;
    uint32_t packets; /* since packets_ns */
    uint64_t packets_ns;
    uint64_t deadline_ns; /* of the handshake */
    uint64_t read_mark;   /* how far it has read, all lanes together */
    uint64_t read_ns;     /* when that was seen to change, or to be all */
    uint64_t asked_ns;    /* a PING is out since; 0 none */
    uint32_t is_silent;
    uint32_t is_watched;
    uint32_t is_claimed; /* a reply is being written in place */
    struct lam_daemon_peer peer;
    struct lam_endpoint_goodbye goodbye;
    struct lam_lanes_sender sender;
    struct lam_ring_watch watches[LAM_LANE_COUNT];
    struct lam_lanes in;
    struct lam_lanes out;
    struct lam_framed_sender answers;
    struct lam_ring answers_ring;
};

#define DAEMON_WATCH_CLIENTS (LAM_RING_WATCH_COUNT_MAX / LAM_LANE_COUNT)
#define DAEMON_NOTIFIERS     (LAM_DAEMON_CLIENTS_MAX / DAEMON_WATCH_CLIENTS + 1)

struct lam_daemon_poll {
    int epoll;
    int spare;        /* a descriptor that is nobody's: to tell one that there is none for it */
    uint32_t listens; /* the listener is looked at */
    uint32_t opened;  /* bits of notifiers */
    struct lam_ring_notifier notifiers[DAEMON_NOTIFIERS];
};

/* daemon_poll.c */

/* What epoll says of: a slot by its index, the listener, or a watch. */
#define POLL_LISTENER UINT32_MAX
#define POLL_WATCH    (UINT32_MAX - 1)

int lam_daemon_poll_listen(struct lam_daemon *daemon, int on);
/* Have the spare descriptor again, where that can be. Returns 0, or -1 and errno. */
int lam_daemon_poll_spare(struct lam_daemon *daemon);
int lam_daemon_poll_add(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
void lam_daemon_poll_remove(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
int lam_daemon_watch(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, struct lam_error *error);
void lam_daemon_unwatch(struct lam_daemon_slot *slot);
/* In a forked child, which has no notifier: close what they have open here. */
void lam_daemon_abandon_watches(struct lam_daemon_slot *slot);
/* Look at all sockets, without waiting. */
void lam_daemon_look(struct lam_daemon *daemon);
/* Sleep until a ring, a socket or @deadline_ns, or not, when a ring has something already. */
void lam_daemon_sleep(struct lam_daemon *daemon, uint64_t deadline_ns);

/* daemon_tend.c */

/* The oldest news of the first slot that has any. Returns 1 and the event, or 0. */
int lam_daemon_tell(struct lam_daemon *daemon, struct lam_daemon_event *event);
/* How long to sleep: to @deadline_ns, or until something has to be looked at. */
uint64_t lam_daemon_sleep_until(
    const struct lam_daemon *daemon, uint64_t deadline_ns, uint64_t now_ns);
/* Look at the sockets, and now and then at what takes time. */
void lam_daemon_tend(struct lam_daemon *daemon);
/* Whoever cannot be slept for: ask locks whether its clients live. */
void lam_daemon_probe(struct lam_daemon *daemon);

/* daemon_accept.c */
void lam_daemon_accept(struct lam_daemon *daemon);
void lam_daemon_greet(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
void lam_daemon_refuse(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    enum lam_endpoint_code code, const char *text);

/* daemon_rings.c */
struct lam_lanes_options lam_daemon_lanes_options(
    const struct lam_daemon *daemon, uint64_t depth, uint32_t cell_bytes);
int lam_daemon_make_rings(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    const struct lam_endpoint_welcome *welcome, struct lam_error *error);
void lam_daemon_destroy_rings(struct lam_daemon_slot *slot);

/* daemon_send.c */
/* Close what goes to the client: it reads what was sent before. */
void lam_daemon_close_senders(struct lam_daemon_slot *slot);
void lam_daemon_say_goodbye(struct lam_daemon_slot *slot, uint32_t reason, const char *text);
/* Tell one that was welcomed why it has to go, so that it does not come back; @text or NULL. */
void lam_daemon_send_away(
    struct lam_daemon_slot *slot, enum lam_endpoint_code code, uint32_t reason, const char *text);

/* daemon_clients.c */
void lam_daemon_free_rings(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
void lam_daemon_free_slot(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
void lam_daemon_join(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
void lam_daemon_notice(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, enum daemon_notice notice);
/* It is gone: @reason as in struct lam_daemon_event, @text or NULL. Its rings are freed. */
void lam_daemon_gone(
    struct lam_daemon *daemon, struct lam_daemon_slot *slot, int reason, const char *text);
/* The live slot of @client, or NULL. */
struct lam_daemon_slot *lam_daemon_find(const struct lam_daemon *daemon, uint64_t client);

/* daemon_hear.c */
/* Its socket has something, or is hung up. */
void lam_daemon_hear(struct lam_daemon *daemon, struct lam_daemon_slot *slot);
/* Now and then: handshakes that take too long, clients that are silent. */
void lam_daemon_tick(struct lam_daemon *daemon, uint64_t now_ns);

#endif
