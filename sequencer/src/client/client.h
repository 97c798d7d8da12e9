/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_CLIENT_CLIENT_H
#define LAM_SEQUENCER_CLIENT_CLIENT_H

/*
 * client.h: the client's parts. All that it does is done by a step, with the calls of an env: the
 * public functions work over Linux's, and over a simulated one, in which a test makes the client.
 *
 *     slots  requests without an answer, by number modulo the window; numbers from floor to next
 *     link   one connection at a time: connecting, greeting, open, closing, and again
 *     in     what came, not yet taken; lent to the caller until the next step
 *     out    frames on their way. What a connection breaks with is written anew from the slots
 */

#include <errno.h>
#include <stdint.h>

#include "env/env.h"
#include "lamina/base/error.h"
#include "lamina/sequencer/client.h"
#include "protocol/frame.h"

#define CLIENT_WINDOW_MAX  65536
#define CLIENT_RETRY_NS    UINT64_C(100000000)
#define CLIENT_RETRY_MAX   UINT64_C(5000000000)
#define CLIENT_GREETING_NS UINT64_C(5000000000) /* for a connection, and for its welcome */
#define CLIENT_TEXT_BYTES  256

/* A call of the env, and whether it has one in flight. */
struct client_call {
    struct lam_env_io io;
    int is_flying;
};

struct client_buffer {
    uint8_t *bytes;
    uint32_t room, begin, end;
};

struct client_slot {
    uint64_t request; /* 0: free */
    uint8_t *bytes;
    uint32_t count, room;
    uint32_t tries; /* connections that it was sent over */
    uint64_t due_ns;
    int is_query, is_sent; /* over the present connection */
};

enum client_link {
    LINK_IDLE, /* until retry_at_ns */
    LINK_CONNECTING,
    LINK_GREETING,
    LINK_OPEN,
    LINK_CLOSING,
    LINK_OVER, /* for good */
};

struct lam_sequencer_client {
    struct lam_env *env;
    struct lam_sequencer_client_options options;
    int has_key;
    uint8_t seed[32];

    enum client_link link;
    int is_failed; /* LINK_OVER is next */
    int file;
    struct client_call connect, receive, send, close;
    uint64_t retry_at_ns, deadline_ns;
    uint64_t sent_ns, heard_ns, heartbeat_ns;
    uint32_t failures; /* connections in turn that did not come to a welcome */

    uint64_t session, token;
    int was_welcome, is_session_lost;
    uint32_t bytes_max, node_window;

    struct client_slot *slots;
    uint32_t window;
    uint64_t floor, next;
    uint64_t unsent;      /* all below are sent, or have their answer */
    uint64_t busy_due_ns; /* when one that was refused is due again */

    int is_subscribed, has_asked; /* asked: over the present connection */
    uint64_t from;                /* the sequence to go on from */
    uint64_t seen;                /* of that sequence, how many of its events were taken */
    int has_hint, is_leaving, has_left;

    struct client_buffer in, out;
    uint8_t *lent; /* a reply's bytes, where they were not aligned in the stream */
    uint32_t lent_room;
    char text[CLIENT_TEXT_BYTES];
    struct lam_error failure, said;
    void (*end_env)(struct lam_sequencer_client *client); /* NULL: the env is somebody else's */
    int (*env_fd)(const struct lam_sequencer_client *client);
};

/*
 * A client in @env, which is for its thread alone. @seed: of its private key; NULL: it has none.
 * options->key is not looked at. Returns as lam_sequencer_client_create.
 */
int client_create(struct lam_sequencer_client **client, struct lam_env *env,
    const struct lam_sequencer_client_options *options, const uint8_t *seed,
    struct lam_error *error);

/* link.c: do what is due of the connection. Returns 1 where it did something. */
int client_link_step(struct lam_sequencer_client *client);

/* break.c: a call of the present connection, its arguments but for the file set. */
void client_start(
    struct lam_sequencer_client *client, struct client_call *call, enum lam_env_call what);

/* The connection is of no use: try another, later. What is behind @client says why, as printf. */
#define client_break(client, ...)                                                                  \
    client_break_said((client), lam_error_set(&(client)->said, -EIO, __VA_ARGS__))

/* Nor will another be. */
#define client_fail(client, ...)                                                                   \
    client_fail_said((client), lam_error_set(&(client)->said, -EIO, __VA_ARGS__))

/* By client->said; @code is nothing. */
void client_break_said(struct lam_sequencer_client *client, int code);
void client_fail_said(struct lam_sequencer_client *client, int code);

/* Has every call in flight ended? Takes those that have. */
int client_link_is_quiet(struct lam_sequencer_client *client);

/* out.c: what is to be sent goes into the buffer, and on its way. Returns 1, or 0: nothing is. */
int client_out_step(struct lam_sequencer_client *client);

/* @frame goes out, for which there is room: it is not of a request. */
void client_out_put(struct lam_sequencer_client *client, const struct frame *frame);

/* Is there an event of whose fate nothing is known? */
int client_has_doubt(const struct lam_sequencer_client *client);

/* Room for @count bytes in all; what is there stays. Returns 0 or -ENOMEM. */
int client_buffer_grow(struct client_buffer *buffer, uint32_t count);

/* in.c: the next frame that has come. Returns 1 and *@reply, 0: none is for the caller. */
int client_in_take(struct lam_sequencer_client *client, struct lam_sequencer_reply *reply);

static inline uint64_t client_after(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + delay_ns;
}

/* When the next step is due. */
uint64_t client_due_ns(const struct lam_sequencer_client *client);

/* greet.c: a frame before the welcome. */
void client_greet_hello(struct lam_sequencer_client *client);
void client_greet_take(struct lam_sequencer_client *client, const struct frame *frame);

/* A GOODBYE, at any time. */
void client_greet_goodbye(struct lam_sequencer_client *client, const struct frame *frame);

/* The text that ends a frame, for people, in client->text. */
const char *client_text(struct lam_sequencer_client *client, const struct frame *frame);

#endif
