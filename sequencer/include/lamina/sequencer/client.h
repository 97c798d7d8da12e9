/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_CLIENT_H
#define LAM_SEQUENCER_CLIENT_H

/*
 * lamina/sequencer/client.h: asks a sequencer, exactly once.
 *
 * Floor 6. A client has a session, which outlives its connections: when one breaks it comes back
 * and sends again what it has no answer for, and each request is applied once and answered by the
 * same reply. Replies come in the order of the requests of one connection.
 *
 * All calls from one thread at a time. lam_sequencer_client_fd() and _step() are for poll loops,
 * _call_until() for those who wait.
 *
 * Where it cannot be known whether a request was applied, because the node has forgotten the
 * session, the client ends and says so; it never sends such a request in another one.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/clock.h"
#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_sequencer_client_options {
    /* "unix:PATH" or "tcp:HOST:PORT", where the node listens. Required, kept until destroy */
    const char *address;
    /* file of the private key of Ed25519, in PEM, mode 0600; NULL: none is shown */
    const char *key;
    uint32_t window; /* requests without an answer; 0: as the node allows */
    /* resume this one, with its token; 0: a new one. What its last process sent and has no answer
       for is not asked for again: numbers go on behind it */
    uint64_t session;
    uint64_t token;
    uint64_t retry_ns; /* between connections; 0: 100 ms, doubled up to 5 s */
};

enum lam_sequencer_reply_kind {
    LAM_SEQUENCER_REPLY = 1,
    LAM_SEQUENCER_REFUSED = 2, /* code and text; nothing was applied */
    LAM_SEQUENCER_EVENT = 3,   /* of a subscription */
};

struct lam_sequencer_reply {
    enum lam_sequencer_reply_kind kind;
    int is_repeat;     /* it was applied before, and answered on a connection that broke */
    uint64_t request;  /* as lam_sequencer_client_try_send gave it */
    uint64_t sequence; /* of the event; of the last one before a query */
    uint32_t index;    /* EVENT: of those of one sequence */
    uint32_t code;     /* REFUSED. From 0x10000 on the application's, plus that */
    const char *text;  /* REFUSED: for people, else "". Lent as @bytes */
    const void *bytes; /* 8-byte aligned, lent until the next call */
    size_t count;
};

struct lam_sequencer_client;

/*
 * A client that connects by its next steps; a node that is not there is waited for. Returns 0 and
 * the client, which is the caller's, or -EINVAL, -ENOTSUP, -ENOMEM, -errno with @error.
 */
int lam_sequencer_client_create(struct lam_sequencer_client **client,
    const struct lam_sequencer_client_options *options, struct lam_error *error);

/* May be NULL. Its session stays: it may be resumed, and gives way in the end. */
void lam_sequencer_client_destroy(struct lam_sequencer_client *client);

/*
 * Send an event, or a query where @is_query. Copied. Never waits.
 *
 * Returns 1 and *@request, its number; 0: the window is full, or there was no welcome yet; or
 *     -EMSGSIZE         more than the node takes
 *     -EINVAL           it has subscribed, or ends
 *     -ENOMEM
 *     -ENOTRECOVERABLE  the node has sent it away for good: lam_sequencer_client_failure()
 */
int lam_sequencer_client_try_send(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t *request);

/*
 * Be told of all that is published from @from_sequence on (0: from now on). Instead of sending.
 * After a broken connection it goes on where it was. With 0, what is published while it has no
 * connection is missed until the node has said where now is, or the first event has come.
 *
 * Returns 0, -EINVAL: it has sent something, or subscribed before; or -ENOTRECOVERABLE.
 */
int lam_sequencer_client_subscribe(struct lam_sequencer_client *client, uint64_t from_sequence);

/* Do what is due, and take the next reply. Never waits. Returns 1, 0, or -ENOTRECOVERABLE. */
int lam_sequencer_client_step(
    struct lam_sequencer_client *client, struct lam_sequencer_reply *reply);

/*
 * To be polled for reading, the client's: a step is due when it is ready, or at *@due_ns, which may
 * have passed: then at once. LAM_DEADLINE_NEVER: only when it is ready. To be asked again after
 * each other call.
 */
int lam_sequencer_client_fd(const struct lam_sequencer_client *client, uint64_t *due_ns);

/* Wait for the first welcome. Returns 0, -ETIMEDOUT, or -ENOTRECOVERABLE. */
int lam_sequencer_client_welcome_until(struct lam_sequencer_client *client, uint64_t deadline_ns);

/*
 * A step, waiting for a reply, which may be for ever where nothing is asked. Returns 0 and *@reply,
 * -ETIMEDOUT, or -ENOTRECOVERABLE.
 */
int lam_sequencer_client_wait_until(
    struct lam_sequencer_client *client, uint64_t deadline_ns, struct lam_sequencer_reply *reply);

/*
 * Send one event or query and wait for its answer. Returns 0 and *@reply, also where it is a
 * refusal; -ETIMEDOUT: whether it is applied is not known, and its answer will come by a later
 * step; -EINVAL: another one is without an answer; or as try_send.
 */
int lam_sequencer_client_call_until(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t deadline_ns, struct lam_sequencer_reply *reply);

/* The session and its token, to resume it in another process. 0 before the first welcome. */
uint64_t lam_sequencer_client_session(const struct lam_sequencer_client *client, uint64_t *token);

/*
 * End the session, not only the connection: what is kept for it at the node is given back. Only
 * destroy may follow. Returns 0, -ETIMEDOUT, -EINVAL: a request is without an answer; or
 * -ENOTRECOVERABLE: it was over before.
 */
int lam_sequencer_client_end_until(struct lam_sequencer_client *client, uint64_t deadline_ns);

/* Why it was sent away, or has no connection at present, or "". Borrowed. */
const char *lam_sequencer_client_failure(const struct lam_sequencer_client *client);

#ifdef __cplusplus
}
#endif

#endif
