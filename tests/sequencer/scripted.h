/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCRIPTED_H
#define TEST_SCRIPTED_H

/*
 * scripted.h: a world of one connection at a time, whose other end is the test: time goes on when
 * somebody waits, and bytes arrive in the pieces that the test chooses. A small node can answer: it
 * keeps replies as the real one does, and applies each number once.
 */

#include <stdint.h>

#include "env/env.h"
#include "protocol/frame.h"

#define SCRIPTED_BYTES  (1 << 18)
#define SCRIPTED_NUMBER 4096 /* requests that the node can tell apart */

struct scripted_node {
    uint64_t session, token, sequence;
    uint32_t window;
    uint64_t heartbeat_ns;
    uint64_t floor;
    uint64_t applied[SCRIPTED_NUMBER]; /* by number: the sequence; 0: it was not */
    unsigned times[SCRIPTED_NUMBER];
    unsigned wrong;    /* what a client should not have sent */
    unsigned busy_in;  /* the n-th request from here on is refused as busy; 0: none */
    unsigned break_in; /* the connection breaks after the n-th request; 0: none */
    int breaks_before; /* and that request is lost with it */
};

struct scripted {
    struct lam_env env;
    uint64_t now_ns, random;
    int connect_result; /* 0: a connection; 1: none comes */
    int file;           /* of the present connection; 0: there is none */
    unsigned connections, waits;
    uint64_t connected_ns[64];
    uint32_t piece; /* the most bytes that one call moves */
    struct lam_env_io *connect, *receive;
    struct lam_env_done made;
    int has_ended; /* the node's side is closed */
    uint8_t to[SCRIPTED_BYTES], from[SCRIPTED_BYTES];
    uint32_t to_begin, to_end, from_begin, from_end;
    struct scripted_node *node; /* NULL: the test itself */
};

void scripted_begin(struct scripted *world, struct scripted_node *node);

/* Bytes, or a frame, to the client. */
void scripted_say_bytes(struct scripted *world, const void *bytes, uint32_t count);
void scripted_say(struct scripted *world, const struct frame *frame);

/* A welcome of the node's, or of a plain one. */
struct frame scripted_welcome(const struct scripted *world);

/* The next frame of the client. Returns 1, or 0: there is none. */
int scripted_hear(struct scripted *world, struct frame *frame);

/* The node's end of the connection closes. */
void scripted_end(struct scripted *world);

#endif
