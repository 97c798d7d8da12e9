/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_CLIENT_H
#define LAM_FRAMED_CLIENT_H

/*
 * lamina/framed/client.h: one who finds a daemon by its name.
 *
 * Framed, layer 1. A client has three lanes to its daemon and three from it, and a ring of answers.
 * It sends and receives messages, and asks: a request has a deadline, comes to exactly one end, and
 * that is taken once (lamina/framed/call_table.h). Answers, and what the daemon sends of itself,
 * are lent where they lie and released in any order. What is not taken holds the lane that it came
 * by and no other: whatever is left lying in the lanes, answers get through.
 *
 * With reconnect the end of a connection ends no request: calls that wait connect anew, and send
 * again what has no answer, from copies that the client keeps: each until its own deadline, and
 * what the next daemon has no room for later. A want of descriptors or memory, here or there, is
 * waited out. A daemon that sends this client away (lam_daemon_drop(), a broken protocol), or
 * refuses it, is not asked again: all requests end with that, as each later call does.
 *
 * So a daemon may see a request twice, and can tell: lam_daemon_request.is_repeated, and the same
 * correlation id from the same kept_id. What the daemon sends of itself is not repeated.
 *
 * All calls from one thread at a time. No call but connect, and a reconnect, allocates or makes
 * system calls, but to sleep, to wake, and to look at the socket once in 64 sends or 8 ms of
 * waiting. A forked child has no client, and does not keep its parent's alive: it may call nothing
 * but lam_client_disconnect(), which gives its copies back and says nothing. Calls of a client that
 * is not connected by this process abort, and so does the release of what it does not lend.
 */

#include <sys/types.h>

#include "lamina/framed/call_table.h"
#include "lamina/framed/endpoint.h"
#include "lamina/framed/held.h"
#include "lamina/framed/lanes.h"
#include "lamina/framed/lanes_receiver.h"
#include "lamina/framed/lanes_sender.h"
#include "lamina/framed/pressure.h"
#include "lamina/ring/pass.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_CLIENT_HELD_MAX    64  /* messages of one lane that are lent or wait to be taken */
#define LAM_CLIENT_ANSWERS_MAX 256 /* answers, likewise */

struct lam_client_options {
    const char *endpoint;
    const char *directory; /* NULL: lam_endpoint_directory() */
    const char *name;      /* of this client, for people; NULL: the program's */
    /* What the application speaks. */
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
     * What our sends and requests do about a lane above pressure_max (per mille; 0:
     * LAM_PRESSURE_MAX_DEFAULT). The other side is told; with pressure_required it is refused when
     * it ignores pressure.
     */
    enum lam_pressure_answer pressure_answer;
    uint32_t pressure_max;
    int pressure_required;
    /* What to ask for; 0: as the daemon likes. */
    uint64_t depth;      /* of each direction, all lanes together, in cells: a power of two */
    uint32_t cell_bytes; /* a power of two */
    uint64_t message_bytes_max;
    /*
     * Messages in frames that one lane, or the answers, may have lent, or waiting to be taken, at
     * once; 0: 1, at most LAM_FRAMED_STREAMS_MAX. Each has a buffer of message_bytes_max, in each
     * lane. One more waits in its lane, and a daemon that sends it waits with it, until its own
     * deadline at most.
     */
    uint32_t streams_max;
    uint64_t turns_max; /* between lanes that come in */
    enum lam_wait_mode wait;
    uint64_t spin_ns;
    uint32_t requests_max; /* outstanding, or their end not taken; 0: LAM_CALL_PENDING_DEFAULT */
    /*
     * 1: connect anew when the daemon has died or shut down. Copies of unanswered requests are
     * kept, of request_bytes_max each (0: 4096); larger ones are refused: -EMSGSIZE. requests_max
     * is 1024 at most then.
     */
    int reconnect;
    uint32_t request_bytes_max;
    /* A daemon that leaves a request unanswered so long is asked whether it is there; 0: never. */
    uint64_t silent_ns;
};

/* A message that the daemon sent of itself, not taken yet. Private. */
struct lam_client_push {
    struct lam_framed_message message;
    enum lam_lane lane;
};

/* A cancel that its lane has had no room for. Private. */
struct lam_client_owed {
    uint64_t id;
    uint32_t lane;
};

/* The copy of a request. Private. */
struct lam_client_copy {
    uint64_t id; /* 0 none */
    uint64_t order;
    uint64_t deadline_ns;
    uint32_t bytes;
    uint16_t kind;
    uint16_t lane;
};

struct lam_client_counts {
    uint64_t reconnects;
    uint64_t repeated; /* requests sent again */
    uint64_t late;     /* replies dropped: their request had ended */
    uint64_t damaged;  /* messages and replies whose CRC32C was wrong, or missing */
    struct lam_pressure_counts pressure; /* of what we sent */
};

/* One connection's rings. Of two, one is in use; the other may still lend what came by it. */
struct lam_client_link {
    struct lam_lanes_receiver receiver;
    struct lam_lanes_sender sender;
    struct lam_held held[LAM_LANE_COUNT];
    struct lam_framed_receiver answers;
    struct lam_held answers_held;
    struct lam_held_message held_messages[LAM_LANE_COUNT][LAM_CLIENT_HELD_MAX];
    struct lam_held_message answer_messages[LAM_CLIENT_ANSWERS_MAX];
    uint32_t is_open;
    uint32_t is_over; /* no longer the connection: kept for what it lends */
    struct lam_lanes out;
    struct lam_lanes in;
    struct lam_ring answers_ring;
};

/* Kept in place by the caller until lam_client_disconnect(). Fields are private. */
struct lam_client {
    struct lam_client_link *link; /* the one in use */
    uint32_t owner;               /* the process that connected it; 0 none */
    struct lam_call_table table;
    struct lam_client_push *pushes; /* a queue */
    uint64_t push_first;
    uint64_t push_next;
    uint64_t scope;
    uint32_t sends;   /* since the last look at the socket */
    uint32_t hung_up; /* its socket: what the rings hold is the last */
    int lost;         /* how the connection ended: 0, -EPIPE, -EOWNERDEAD ... */
    int ending;       /* how it will have, when all that came before is taken in */
    int socket;
    uint32_t said_goodbye;
    int sent_away;         /* by the daemon, for good: the error that says why; or 0 */
    uint32_t is_repeating; /* bits of lanes that have requests to send again */
    uint64_t repeat_from[LAM_LANE_COUNT]; /* those begun before are sent */
    uint64_t frames_ns;                   /* how long one of frames may take that is sent again */
    uint64_t retry_at_ns;                 /* when to connect anew next */
    uint64_t retry_ns;                    /* how long after the last time that was */
    uint64_t began;                       /* requests, in order */
    uint64_t look_at_ns;                  /* when to look at the socket next */
    uint64_t came;                        /* answers */
    uint64_t came_last;                   /* when the silence was looked at */
    uint64_t heard_ns;
    uint64_t asked_ns; /* a PING is out since; 0 none */
    uint8_t *lanes;    /* by slot of the table: where its request went */
    struct lam_client_owed *owed;
    uint32_t owed_count; /* at most twice requests_max */
    struct lam_client_copy *copies;
    uint8_t *copy_bytes;
    void *memory;
    struct lam_endpoint_hello hello;
    struct lam_endpoint_welcome welcome;
    struct lam_endpoint_goodbye goodbye;
    struct lam_ring_peer peer;
    struct lam_client_options options;
    struct lam_client_counts counts;
    uint32_t demands[LAM_LANE_COUNT]; /* made again after a reconnect */
    char endpoint[LAM_ENDPOINT_NAME_MAX + 1];
    char directory[LAM_ENDPOINT_PATH_MAX + 1];
    struct lam_client_link links[2];
};

/*
 * Connect to the daemon of options->endpoint, waiting for one to appear and to answer until
 * @deadline_ns (0 does not wait for it to appear, and 1 s for its answer).
 *
 * Returns 0, or
 *   -EINVAL       an option is out of range; @error says which
 *   -ENOENT       there is no such endpoint
 *   -ECONNREFUSED its daemon is dead, and no other has come
 *   -ETIMEDOUT    it does not answer: busy, or stopped; @error has its pid
 *   -EPROTO, -EPROTOTYPE, -EMSGSIZE, -EUSERS, -EACCES, -ENOMEM, -EPIPE
 *                 it refused: enum lam_endpoint_code; @error has field, found, expected. -EPROTO
 *                 also when it agrees to what was not asked for
 *   -EOWNERDEAD   it died while we connected
 *   -EMFILE       this process has no descriptors left, -ENFILE the machine: @error says how many
 *                 there are. A daemon without any refuses: -ENOMEM
 *   -errno        of the system call that @error names
 */
int lam_client_connect(struct lam_client *client, const struct lam_client_options *options,
    uint64_t deadline_ns, struct lam_error *error);

/*
 * Say goodbye, with a @reason of the application's, and give everything back. Nothing happens for
 * one that is not connected.
 */
void lam_client_disconnect(struct lam_client *client, uint32_t reason, const char *text);

/* Whether the daemon is there, as far as is known without waiting. Looks at the socket. */
int lam_client_is_connected(struct lam_client *client);

/*
 * How long the daemon has not answered a PING, in ns; 0: nothing was asked, or it has. Only with
 * silent_ns. A stopped daemon is silent, not dead.
 */
uint64_t lam_client_silence_ns(const struct lam_client *client);

/* What was agreed on; lent. And who the daemon is, as the kernel says. */
const struct lam_endpoint_welcome *lam_client_welcome(const struct lam_client *client);
const struct lam_ring_peer *lam_client_peer(const struct lam_client *client);

/*
 * What the daemon said when it went, or sent us away, or its successor refused us: reason 0 and no
 * text where it said nothing. Lent.
 */
const struct lam_endpoint_goodbye *lam_client_goodbye(const struct lam_client *client);
const struct lam_client_counts *lam_client_counts(const struct lam_client *client);

/*
 * The pressure of the lane to the daemon that we send by; and of the one from it that we receive
 * by. The daemon sees the same. Returns 0, or
 *   -ENOTCONN the connection is over
 *   -EPROTO   as lam_lanes_pressure()
 */
int lam_client_pressure(
    const struct lam_client *client, enum lam_lane lane, struct lam_pressure *pressure);
int lam_client_incoming_pressure(
    const struct lam_client *client, enum lam_lane lane, struct lam_pressure *pressure);

/*
 * Ask the daemon to hold back what it sends of itself by @lane, as lam_lanes_receiver_demand();
 * answers come all the same. The next connection after a reconnect asks so, too. Whether it is
 * minded, lam_client_welcome()->pressure says.
 *
 * Returns 0, or -EINVAL above LAM_PRESSURE_FULL, or -ENOTCONN: only the next connection will
 */
int lam_client_demand(struct lam_client *client, enum lam_lane lane, uint32_t per_mille);

/* The lanes to the daemon, for claims in place. Lent until a call that may connect anew. */
struct lam_lanes_sender *lam_client_lanes(struct lam_client *client);

/*
 * Send the bytes that @parts point to as one message.
 *
 * Returns 1; 0 the lane is full; or
 *   -EMSGSIZE        larger than half the lane's ring
 *   -ECANCELED       the lane is pressed, and the answer to that is LAM_PRESSURE_REJECT
 *   -EPIPE           the daemon shut down: lam_client_goodbye()
 *   -EOWNERDEAD      it died
 *   -EACCES          it sent us away, -EPROTO for what it takes for a broken protocol:
 *                    lam_client_goodbye() says why. With reconnect also what its successor refused
 *                    us with, as from connect (-EPROTO for -EMSGSIZE)
 *   -ENOTRECOVERABLE a lane is poisoned
 * What was sent before the end of the connection was known may never have been read.
 */
int lam_client_try_send(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind);

/*
 * The same, waiting for room until @deadline_ns, and in frames where needed. Connects anew, where
 * that is wanted. Returns 0, or an error, -ETIMEDOUT among them.
 */
int lam_client_send_until(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns);

/*
 * Take the next message that the daemon sent of itself. Lent until lam_client_release().
 *
 * Returns 1; 0 none is there; or
 *   -EPIPE, -EOWNERDEAD, -EACCES, -EPROTO, -EUSERS, -ENOTRECOVERABLE the connection is over, as
 *           with lam_client_try_send(), and the last message was taken. With reconnect the first
 *           two are not told: a later call may go on
 *   -EBUSY  more comes in a lane of which LAM_CLIENT_HELD_MAX messages are held; or one of frames,
 *           behind any that lies in place, or behind streams_max of them: release something. Told
 *           only while the other lanes have nothing
 *   -ECANCELED, -EMSGSIZE, -EBADMSG one of frames was cut short, or too large; one is damaged: the
 *           next call goes on
 */
int lam_client_try_receive(
    struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane);

/* The same, waiting until @deadline_ns. Returns 0, or an error, -ETIMEDOUT among them. */
int lam_client_receive_until(struct lam_client *client, uint64_t deadline_ns,
    struct lam_framed_message *message, enum lam_lane *lane);

/* Release a message that was taken, in any order. Wait-free. */
void lam_client_release(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message);

/*
 * Begin a request of the bytes that @parts point to, at most LAM_CALL_PART_COUNT_MAX parts. It ends
 * by @deadline_ns, which the daemon sees, at the latest.
 *
 * Returns 0 and *@ticket, or an error of lam_client_send_until(), or
 *   -EBUSY requests_max are outstanding or not taken: take one
 */
int lam_client_begin_until(struct lam_client *client, enum lam_lane lane, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns, struct lam_ticket *ticket);

/*
 * Take the end of request @ticket, or with NULL of any, the first to end: look at reply->outcome.
 * What is lent, is so until lam_client_release_reply().
 *
 * Returns 1; 0 not yet; or
 *   -ENOENT no such request is outstanding, or with NULL none at all
 *   -EBUSY  LAM_CLIENT_ANSWERS_MAX answers are held; or one of frames comes, behind any that lies
 *           in place, or behind streams_max of them: take or release something
 */
int lam_client_try_take(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply);

/*
 * The same, waiting until @deadline_ns. Connects anew. Returns 0, or an error, -ETIMEDOUT too; or
 *   -EBUSY with reconnect, too: what came by both connections before is held, and a third one has
 *          no place: release something
 */
int lam_client_take_until(struct lam_client *client, const struct lam_ticket *ticket,
    uint64_t deadline_ns, struct lam_reply *reply);

/*
 * Ask and wait. Returns 0 and fills *@reply: answered, by whatever status; or the error of the
 * begin; or the outcome, and nothing is lent.
 */
int lam_client_request_until(struct lam_client *client, enum lam_lane lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind, uint64_t deadline_ns,
    struct lam_reply *reply);

/* Give a taken reply back, in any order. Nothing happens for one that lends nothing. */
void lam_client_release_reply(struct lam_client *client, const struct lam_reply *reply);

/*
 * Give a request up: its end is -ECANCELED, to be taken. The daemon is told by the lane that the
 * request went by: so it sees the request first, and then the cancel, whatever the lanes' urgency.
 * A lane that is full is told by a later call of this client, as soon as it has room: no cancel is
 * dropped while the connection lasts. Where requests_max cancels are owed so, the next begin waits.
 *
 * Returns 0, or -ENOENT: it has ended already.
 */
int lam_client_cancel(struct lam_client *client, struct lam_ticket ticket);

#ifdef __cplusplus
}
#endif

#endif
