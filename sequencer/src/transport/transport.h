/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_TRANSPORT_H
#define LAM_SEQUENCER_TRANSPORT_H

/*
 * transport.h: where clients come from: whole frames of theirs in, whole frames out, whatever lies
 * between. It has two sides, each for one thread: the reader's (next, hold), and the writer's
 * (send, flush, close). A connection is told of by the reader's side first, and is over when the
 * writer's side has closed it: nobody else ever writes to it, or gives its number to another.
 */

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "protocol/frame.h"

#define TRANSPORT_ADDRESS_BYTES 64

/* Who is at the other end, as the kernel says. */
struct transport_peer {
    uid_t uid;                             /* (uid_t)-1: from another machine, as far as is known */
    pid_t pid;                             /* 0: likewise */
    char address[TRANSPORT_ADDRESS_BYTES]; /* for limits and for the log: "tcp:10.0.0.1:4000" */
};

enum transport_event_kind {
    TRANSPORT_CONNECTED = 1, /* peer */
    TRANSPORT_FRAME = 2,     /* one whole frame, its length checked, lent until the next call */
    TRANSPORT_GONE = 3,      /* the end; reason: 0 in order, -EPROTO, -EMSGSIZE, -errno */
};

struct transport_event {
    enum transport_event_kind kind;
    uint64_t connection; /* never 0, never used again */
    struct transport_peer peer;
    const uint8_t *bytes; /* 8-byte aligned */
    uint32_t count;
    int reason;
};

struct transport;

struct transport_ops {
    /*
     * Reader: what has happened, connections in turn, one frame each. Never waits.
     * Returns 1, 0: nothing yet, or -errno: it is of no use any more.
     */
    int (*next)(struct transport *transport, struct transport_event *event);
    /* Reader: no more frames of that connection (0: again), so that it feels pressure. */
    void (*hold)(struct transport *transport, uint64_t connection, int is_held);
    /*
     * Writer: one frame, copied or sent. Returns 1, 0: what it has not read fills its buffer, or
     * -ENOTCONN: it is gone, or will be.
     */
    int (*send)(struct transport *transport, uint64_t connection, const struct iovec *parts,
        unsigned part_count);
    /* Writer: what was copied goes out; what is done is taken. Returns how much was done. */
    unsigned (*flush)(struct transport *transport);
    /*
     * Writer: the last frame was sent. What was copied still goes out, for a while; then the
     * reader's side says GONE, where it has not said so before.
     */
    void (*close)(struct transport *transport, uint64_t connection);
    /* After both sides have ended. */
    void (*destroy)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    uint32_t number; /* the high 8 bits of its connections' numbers */
};

#endif
