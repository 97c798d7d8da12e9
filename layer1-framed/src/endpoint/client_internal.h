/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_CLIENT_INTERNAL_H
#define LAM_ENDPOINT_CLIENT_INTERNAL_H

/*
 * client_internal.h: the parts of a client.
 *
 * What came and was not released is *held*, by its link and lane; its place, with both, stands
 * where a receiver would look for what to release.
 */

#include "lamina/framed/client.h"
#include "owner.h"

#define CLIENT_PUSHES  512 /* a power of two, more than all lanes of both links can hold */
#define CLIENT_ANSWERS 3   /* where a place names a lane */

/* client_shake.c: one connection. */

/* One try to connect, with the link that is free. Returns as lam_client_connect(). */
int lam_client_open(struct lam_client *client, uint64_t deadline_ns, struct lam_error *error);
/* The same, again and again until @deadline_ns, while that may help. */
int lam_client_open_until(struct lam_client *client, uint64_t deadline_ns, struct lam_error *error);

/* client_link.c */

/*
 * Become the ends of the rings of @link, which came as client->welcome says. On error of none of
 * them. Returns as lam_lanes_receiver_attach() or lam_lanes_sender_attach().
 */
int lam_client_attach_ends(
    struct lam_client *client, struct lam_client_link *link, struct lam_error *error);
/* @link is the connection from now on: nothing of it is held, heard or lost yet. */
void lam_client_begin_link(struct lam_client *client, struct lam_client_link *link);
/* Leave the connection: its socket, and its link as soon as that lends nothing. */
void lam_client_close(struct lam_client *client);
void lam_client_close_link(struct lam_client_link *link);
/* How many messages and answers @link lends, taken or not. */
uint64_t lam_client_held_count(const struct lam_client_link *link);

/* client_held.c */

/* Give back what is held at @place of lane @which, or of CLIENT_ANSWERS. Anything else aborts. */
void lam_client_give_back(struct lam_client *client, uint64_t place, uint32_t which);

/* client_receive.c */

/* Put the next message of the lanes into the queue. As lam_lanes_receiver_try_receive(). */
int lam_client_take_push(struct lam_client *client);
/* A receive came to @rc, below 0: where that is the end, remember it. */
void lam_client_note_end(struct lam_client *client, int rc);
/* It has ended, by client->ending: take in what came before, and say so from now on. */
int lam_client_end(struct lam_client *client);

/* client_answers.c */

/* Look for about a microsecond at what is polled. No answer: the pump has it. */
void lam_client_glance(const struct lam_client *client);
/*
 * Take the next answer: that of @ticket to *@reply, any other one to the table; @ticket may be
 * NULL. Returns 2 that one, which is taken; 1 another one; 0 none is there; -EBUSY; or the ring's
 * end.
 */
int lam_client_take_answer(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply);
/* The same; and when there is none and none will come, that is the connection's end. */
int lam_client_pump_answers(
    struct lam_client *client, const struct lam_ticket *ticket, struct lam_reply *reply);
/* Wait until an answer may be there, or @deadline_ns. Takes messages in meanwhile. */
void lam_client_await_answer(struct lam_client *client, uint64_t deadline_ns);

/* client_cancel.c */

/* The request @id went by @lane. */
void lam_client_note_lane(struct lam_client *client, uint64_t id, enum lam_lane lane);
/* Send the cancels that are owed, as far as there is room. */
void lam_client_pay(struct lam_client *client);
/*
 * Before a request: the same, and wait until all that could be cancelled then has a place. Returns
 * 0, or an error of lam_framed_sender_send_until().
 */
int lam_client_pay_until(struct lam_client *client, uint64_t deadline_ns);

/* client_socket.c */

/* Look at the socket. */
void lam_client_hear(struct lam_client *client);
/* Look at it if that is due, and ask a daemon that is silent. */
void lam_client_tend(struct lam_client *client, uint64_t now_ns);
void lam_client_say_goodbye(struct lam_client *client, uint32_t reason, const char *text);
/* What a refusal says is the daemon's last word. */
void lam_client_note_refusal(struct lam_client *client, const struct lam_endpoint_refused *refused);
/* The one sentence for @refused. */
void lam_client_say_refusal(
    const struct lam_endpoint_refused *refused, char *text, size_t text_bytes);
/* A look found that the connection is over by @rc: what that is by what the daemon has said. */
int lam_client_reason(const struct lam_client *client, int rc);

/* client_welcome.c */

/* Whether the WELCOME is within what the HELLO asked for. Returns 0, or -EPROTO with the field. */
int lam_client_check_welcome(const struct lam_client *client, struct lam_error *error);

/* client_resume.c */

/*
 * The connection is over: connect anew until @deadline_ns, where that is wanted, and send again
 * what has no answer, as far as there is room; else fail all requests. With a deadline of 0 it does
 * not connect.
 *
 * Returns 0 it is there again; -ETIMEDOUT nobody was, or no resources; -EBUSY what came by
 * connections before is held; or what it ended with, when all requests have failed
 */
int lam_client_recover(struct lam_client *client, uint64_t deadline_ns);
/* client_repeat.c */

/*
 * Go on with what is to be sent again, in all lanes, without waiting for room; what takes frames is
 * given a while, until @deadline_ns at most; 0: none.
 */
void lam_client_repeat(struct lam_client *client, uint64_t deadline_ns);
/*
 * Send again all that @lane has to before anything newer goes there, and take in what comes, until
 * @deadline_ns. Returns 0, -ETIMEDOUT the lane is full, -EBUSY too much is held, how the connection
 * ended, or an error of the send.
 */
int lam_client_repeat_lane(struct lam_client *client, enum lam_lane lane, uint64_t deadline_ns);
void lam_client_keep_copy(struct lam_client *client, uint64_t id, const struct iovec *parts,
    uint32_t part_count, enum lam_lane lane, uint16_t kind, uint64_t deadline_ns);
/* Returns -EMSGSIZE when no copy of so much could be kept, or 0. */
int lam_client_check_copy(
    const struct lam_client *client, const struct iovec *parts, uint32_t part_count);

#endif
