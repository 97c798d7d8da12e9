/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_NET_H
#define LAM_TESTS_SEQUENCER_PROOF_NET_H

/*
 * net.h: a network of one thread and one seed, as a transport of the node's and as what its clients
 * hold in their hands: frames take time, buffers have an end, and a connection breaks anywhere,
 * with whatever was under way.
 */

#include <stddef.h>
#include <stdint.h>

#include "proof/random.h"
#include "transport/transport.h"

#define NET_CONNECTIONS  32 /* at once, those that nobody has closed yet among them */
#define NET_FRAMES       256
#define NET_BUFFER_BYTES 16384 /* to a client, before it has read them */
#define NET_FRAME_BYTES  2048  /* of the largest frame that is carried */

struct net_frame {
    uint64_t due_ns;
    uint8_t *bytes;
    uint32_t count;
};

/* One direction. */
struct net_queue {
    struct net_frame frames[NET_FRAMES];
    uint32_t first, count;
    uint32_t sent;  /* of them the writer has let go; the others wait for its flush */
    uint64_t bytes; /* of all */
    uint64_t last_ns;
};

enum net_state { NET_FREE, NET_COMING, NET_OPEN, NET_CUT, NET_OVER };

struct net_connection {
    enum net_state state;
    uint64_t number;             /* the node's */
    uint64_t due_ns;             /* COMING, CUT: when the node is told */
    int is_told_gone, is_closed; /* by the reader's side, by the writer's */
    int is_held;
    int is_left; /* by the client */
    struct net_queue to_node, to_client;
};

struct net {
    struct transport transport; /* first: it is what is passed on */
    struct random random;
    const uint64_t *now_ns;
    uint64_t delay_ns; /* of a frame, at most */
    uint64_t numbers;  /* given */
    unsigned turn;
    uint8_t *lent;
    struct net_connection connections[NET_CONNECTIONS];
    int is_up;      /* a node is there */
    uint64_t sends; /* of the node's, whole */
};

/* @now_ns: the time, kept by the caller. */
void net_init(struct net *net, uint64_t seed, const uint64_t *now_ns, uint64_t delay_ns);

void net_fini(struct net *net);

/* The node has died: every connection breaks. Up again by net_up. */
void net_down(struct net *net);
void net_up(struct net *net);

/* Returns a connection of the client's, or -1: nobody is there, or there are too many. */
int net_connect(struct net *net);

/* Returns 1, 0: there is no room now, or -1: it is broken. */
int net_send(struct net *net, int connection, const uint8_t *bytes, uint32_t count);

/* Returns 1 with @bytes filled, 0, or -1: it is broken. */
int net_receive(struct net *net, int connection, uint8_t bytes[NET_FRAME_BYTES], uint32_t *count);

/* Break it, and give it up: the node is told later, or, where @is_silent, never. */
void net_leave(struct net *net, int connection, int is_silent);

/* When the next thing that is under way arrives, later than now; UINT64_MAX: nothing is. */
uint64_t net_due_ns(const struct net *net);

#endif
