/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_DAEMON_H
#define LAM_FRAMED_DAEMON_H

/*
 * lamina/framed/daemon.h: one process that many clients find by a name.
 *
 * Framed, layer 1. A daemon holds an endpoint (lamina/framed/endpoint.h). Each client that it takes
 * gets three lanes in both directions (lamina/framed/lanes.h) and a ring of answers, of memory that
 * the daemon made, and shares nothing with the other clients: what one of them writes, at the
 * socket or in its rings, costs that one its connection and nobody else anything.
 *
 * One loop on one thread: lam_daemon_wait_until() yields one event at a time. While it spins it
 * makes no system call but for a look at the sockets every 50 us; while it sleeps, rings and
 * sockets wake it alike. A look at a newcomer makes its rings, which takes some hundred
 * microseconds.
 *
 * All calls from that one thread. Nothing allocates between create and destroy but a client's
 * coming: its memory, and a thread that sleeps on rings (lamina/ring/notify.h) with the first one.
 * A forked child has no daemon: it may call nothing here but lam_daemon_destroy(), which gives its
 * copies back and takes nothing from its parent. Calls of a daemon that is not there abort.
 */

#include <sys/types.h>

#include "lamina/framed/call_message.h"
#include "lamina/framed/endpoint.h"
#include "lamina/framed/lanes.h"
#include "lamina/framed/lanes_receiver.h"
#include "lamina/framed/lanes_sender.h"
#include "lamina/framed/pressure.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_DAEMON_CLIENTS_DEFAULT 16
#define LAM_DAEMON_CLIENTS_MAX     256
#define LAM_DAEMON_DEPTH_DEFAULT   1024
#define LAM_DAEMON_HANDSHAKE_NS    LAM_NS_PER_S
#define LAM_DAEMON_TAKEOVER_NS     (2 * LAM_NS_PER_S)

/* Who a client is: what the kernel says, what it says itself, and what was agreed on. */
struct lam_daemon_peer {
    uint64_t client;  /* its number at this daemon, the session: never 0, never used again */
    uint64_t kept_id; /* its own number, the same after each of its reconnects */
    pid_t pid;        /* as the kernel says, in our PID namespace; 0 it has none there */
    uid_t uid;
    gid_t gid;
    uint32_t version;
    uint64_t features;
    uint16_t extensions;               /* of every message, both ways */
    enum lam_pressure_answer pressure; /* what its sends do about it */
    int resumes;                  /* it was here before, and may send again what we have seen */
    struct lam_identity identity; /* as it says, in its own PID namespace */
    char name[LAM_ENDPOINT_NAME_MAX + 1]; /* likewise */
};

struct lam_daemon_options {
    const char *name;      /* of the endpoint */
    const char *directory; /* NULL: lam_endpoint_directory(). Made where it is not there, 0700 */
    mode_t mode;           /* of the socket: who may connect; 0 for 0600 */
    int set_group;         /* 1: the socket is given to @group */
    gid_t group;
    uint32_t clients_max; /* 0: LAM_DAEMON_CLIENTS_DEFAULT; a client takes about 35 descriptors */
    /* What the application speaks: clients get the highest common version. */
    uint32_t version_min, version_max;
    uint64_t features_offered, features_required;
    uint64_t type_hash; /* 0: any */
    /*
     * LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C: what every message, request and answer is to carry,
     * both ways. Agreed on is what both sides offer; who lacks what is required is refused. With
     * CRC32C a message without one is a damaged one: plain claims in place carry none.
     */
    uint16_t extensions_offered, extensions_required;
    /*
     * What our sends do about a lane above pressure_max (per mille; 0:
     * LAM_PRESSURE_MAX_DEFAULT). The other side is told; with pressure_required it is refused when
     * it ignores pressure.
     */
    enum lam_pressure_answer pressure_answer;
    uint32_t pressure_max;
    int pressure_required;
    /* Of each direction of a client. depth: all lanes together, in cells; 0 for 1024. */
    uint64_t depth, depth_max; /* default and bound; depth_max 0: depth */
    uint32_t cell_bytes;       /* 0 for 64; also the bound */
    uint64_t first_sequence;   /* of all rings: 0, but tests start near wraps */
    uint8_t share_percent[LAM_LANE_COUNT];
    uint64_t message_bytes_max; /* of messages of frames; a client's lanes have a buffer each */
    uint64_t turns_max;         /* between lanes: struct lam_lanes_receiver_options */
    /* SPIN_ONLY: neither we nor clients ever sleep, and a message costs no look for sleepers. */
    enum lam_ring_waiting waiting;
    enum lam_wait_mode wait; /* SPIN and YIELD never sleep; where SPIN_ONLY is set, others yield */
    uint64_t spin_ns;
    uint64_t handshake_ns; /* how long a newcomer may take; 0: LAM_DAEMON_HANDSHAKE_NS */
    /* A client that leaves what we sent unread so long is asked; 0: none is. */
    uint64_t silent_ns;
    /*
     * Whether to take the client that *@peer is. Returns 0, or anything else to refuse it. May not
     * call the daemon. NULL takes all that the socket's mode lets in.
     */
    int (*accept)(void *context, const struct lam_daemon_peer *peer);
    void *context;
};

/* The names that a daemon holds. Private. */
struct lam_endpoint_place {
    int directory_fd;
    int listener;
    ino_t inode;      /* of our socket; 0 none */
    ino_t left_inode; /* of that of the lock's last holder, who is dead; 0 not known */
    struct lam_lock lock;
    char directory[LAM_ENDPOINT_PATH_MAX + 1];
    char name[LAM_ENDPOINT_NAME_MAX + 1];
};

/* Why clients went, and newcomers were sent away. */
struct lam_daemon_counts {
    uint64_t connected;
    uint64_t left; /* in order */
    uint64_t died;
    uint64_t violations; /* broke the protocol: socket or rings */
    uint64_t refused;    /* by negotiation, accept function or bounds */
    uint64_t late;       /* did not finish their handshake in time, or made room for others */
    uint64_t silent;     /* times that a client was found silent */
    uint64_t cut;        /* messages of frames that never became whole, or were too large */
    uint64_t damaged;    /* messages and requests whose CRC32C was wrong, or missing: dropped */
    struct lam_pressure_counts pressure; /* of what was sent, to all clients; replies mind none */
};

struct lam_daemon_slot;
struct lam_daemon_poll;

/* Kept in place by the caller until lam_daemon_destroy(). Fields are private. */
struct lam_daemon {
    struct lam_daemon_slot **live; /* connected clients, in the order of service */
    uint32_t owner;                /* the process that created it; 0 none */
    uint32_t live_count;
    uint32_t live_next;
    uint32_t served;              /* messages since the last look at the sockets */
    uint32_t notices;             /* slots that have something to tell */
    struct lam_daemon_slot *lent; /* whose message the last event lent */
    struct lam_framed_message lent_message;
    enum lam_lane lent_lane;
    struct lam_daemon_slot *slots;
    uint32_t slot_count;
    uint32_t clients_max;
    uint32_t clients; /* that have rings */
    uint32_t is_shut;
    uint64_t generation;
    uint64_t look_at_ns; /* when the locks and the silent are looked at next */
    struct lam_cadence cadence;
    enum lam_wait_mode wait;
    struct lam_daemon_poll *poll;
    struct lam_endpoint_place place;
    struct lam_endpoint_terms terms;
    struct lam_identity identity;
    struct lam_daemon_options options;
    struct lam_daemon_counts counts;
};

enum lam_daemon_event_type {
    LAM_DAEMON_CONNECTED = 1, /* a client is here: look at peer */
    LAM_DAEMON_MESSAGE = 2,   /* a message that wants no reply */
    LAM_DAEMON_REQUEST = 3,   /* one that wants one: lam_daemon_try_reply() */
    LAM_DAEMON_CANCELED = 4,  /* the request of that correlation is given up by its client */
    LAM_DAEMON_GONE = 5,      /* reason says why; all that the client held is free */
    LAM_DAEMON_SILENT = 6, /* it does not read and does not answer, and it is not dead: stopped */
    LAM_DAEMON_SPEAKS = 7, /* it does again */
};

/* What a reply needs to know of its request; may be kept, and used after its event. */
struct lam_daemon_request {
    uint64_t client;
    uint64_t deadline_ns; /* nobody waits for the reply after that; LAM_DEADLINE_NEVER */
    struct lam_framed_correlation correlation; /* its id is unique for kept_id, also when it comes
                                                  again: is_repeated */
    enum lam_lane lane;
    int is_repeated; /* the client had no reply before its last connection ended */
};

struct lam_daemon_event {
    enum lam_daemon_event_type type;
    uint64_t client;
    const struct lam_daemon_peer *peer; /* lent until the next wait */
    /* MESSAGE and REQUEST. The payload is lent until the next wait, or lam_daemon_release(). */
    struct lam_framed_message message;
    enum lam_lane lane;
    struct lam_daemon_request request; /* and CANCELED */
    /* GONE: -EPIPE it left in order, -EOWNERDEAD it died, -EPROTO it broke the protocol. */
    int reason;
    uint32_t goodbye;                           /* what it said with -EPIPE, 0 nothing */
    char text[LAM_ENDPOINT_GOODBYE_TEXT_BYTES]; /* likewise; with -EPROTO what it did */
};

/*
 * Open the endpoint options->name. Clients may come from then on; who comes is looked at in
 * lam_daemon_wait_until().
 *
 * A dead daemon's endpoint is taken over. A child that it had just forked may have its lock open
 * until it first runs: then it is waited for, up to LAM_DAEMON_TAKEOVER_NS. A living one's is
 * refused at once.
 *
 * Returns 0, or
 *   -EINVAL an option is out of range; @error says which
 *   -EBUSY  a daemon of that name is alive; @error has its pid, and how to find it. Or somebody
 *           else listens at the socket
 *   -EEXIST what is there under the socket's or the lock's name is none: it is left alone
 *   -ENOENT no directory for endpoints is known
 *   -ENOSPC no room for the lock or the socket; @error has the mount, what is needed and free
 *   -EMFILE this process has no descriptors left, -ENFILE the machine
 *   -ENOMEM, -errno of the system call that @error names
 */
int lam_daemon_create(
    struct lam_daemon *daemon, const struct lam_daemon_options *options, struct lam_error *error);

/*
 * Yield the next event, waiting until @deadline_ns. Releases what the event before lent.
 *
 * Clients are served in turn, one message each; of one client the lanes by urgency.
 *
 * Returns 0 and fills *@event, or
 *   -ETIMEDOUT nothing came
 *   -EPIPE     lam_daemon_shutdown() was called, and no event is left
 */
int lam_daemon_wait_until(
    struct lam_daemon *daemon, uint64_t deadline_ns, struct lam_daemon_event *event);

/* Give back what the last event lent, before the next wait does. */
void lam_daemon_release(struct lam_daemon *daemon);

/*
 * Send the bytes that @parts point to as one message to @client, without waiting.
 *
 * Returns 1; 0 the lane is full: the client does not read; or
 *   -EMSGSIZE        larger than half the lane's ring
 *   -ECANCELED       the lane is pressed, and the answer to that is LAM_PRESSURE_REJECT
 *   -ENOTCONN        no such client, or no longer
 *   -ENOTRECOVERABLE it poisoned its lane: it will be gone
 */
int lam_daemon_try_send(struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind);

/*
 * The same, waiting for room until @deadline_ns, in frames where needed: meanwhile no other client
 * is served, so a client that leaves what came before lying costs all others up to that long. One
 * message in frames waits there for its taker, or as many as the client's streams_max; for more
 * without a wait send pieces by lam_daemon_lanes(). Returns 0, or an error: -ETIMEDOUT among them,
 * and then the client is told of the message that it was cut.
 */
int lam_daemon_send_until(struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, uint64_t deadline_ns);

/*
 * Answer a request, now or later, with at most LAM_CALL_PART_COUNT_MAX parts, which may lie in the
 * request; @status is 0 or a negative errno for the client. Returns as lam_daemon_try_send() and
 * lam_daemon_send_until().
 */
int lam_daemon_try_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, int32_t status);
int lam_daemon_reply_until(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, int32_t status,
    uint64_t deadline_ns);

/*
 * Claim room for the answer to @request and write it in place, without waiting: *@payload is
 * borrowed until the commit or abort, and no longer than to the next wait, which may find that the
 * client is gone. One such claim for a client at a time. Returns as lam_daemon_try_send(). A commit
 * or abort for a client that is gone does nothing.
 */
int lam_daemon_try_claim_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    uint64_t payload_bytes, void **payload);
void lam_daemon_commit_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request,
    uint64_t payload_bytes, uint16_t kind, int32_t status);
void lam_daemon_abort_reply(struct lam_daemon *daemon, const struct lam_daemon_request *request);

/*
 * The pressure of the lane to @client that we send by; and of the one from it that we receive by.
 * The client sees the same. Returns 0, or
 *   -ENOTCONN no such client
 *   -EPROTO   as lam_lanes_pressure()
 */
int lam_daemon_pressure(const struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    struct lam_pressure *pressure);
int lam_daemon_incoming_pressure(const struct lam_daemon *daemon, uint64_t client,
    enum lam_lane lane, struct lam_pressure *pressure);

/*
 * Ask @client to hold back what it sends by @lane, requests among it, as
 * lam_lanes_receiver_demand(). Whether it minds, lam_daemon_peer.pressure says.
 *
 * Returns 0, or -EINVAL above LAM_PRESSURE_FULL, or -ENOTCONN
 */
int lam_daemon_demand(
    struct lam_daemon *daemon, uint64_t client, enum lam_lane lane, uint32_t per_mille);

/*
 * The lanes to @client, for claims in place and for streams (lamina/framed/stream.h), or NULL: no
 * such client. Lent until the next wait; a claim ends before it, a stream may stay open.
 */
struct lam_lanes_sender *lam_daemon_lanes(struct lam_daemon *daemon, uint64_t client);

/* Who @client is, or NULL: no such client. Lent until the next wait. */
const struct lam_daemon_peer *lam_daemon_peer(const struct lam_daemon *daemon, uint64_t client);

/* Clients that are connected, and whose going was not told yet. */
uint32_t lam_daemon_client_count(const struct lam_daemon *daemon);

/* What has been counted since create; lent. */
const struct lam_daemon_counts *lam_daemon_counts(const struct lam_daemon *daemon);

/*
 * Send @client away, with a reason and a text (NULL none). It is GONE, with -ECANCELED; its own
 * calls end with -EACCES, and it does not come back by itself.
 */
void lam_daemon_drop(struct lam_daemon *daemon, uint64_t client, uint32_t reason, const char *text);

/*
 * Shut down in order: no more clients, and each one is told @reason and @text; they get what was
 * sent before, then -EPIPE. Events that are due are still yielded.
 */
void lam_daemon_shutdown(struct lam_daemon *daemon, uint32_t reason, const char *text);

/*
 * Give everything back. Without a shutdown before, clients see a daemon that died. Nothing happens
 * for one that was destroyed, or not created.
 */
void lam_daemon_destroy(struct lam_daemon *daemon);

#ifdef __cplusplus
}
#endif

#endif
