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
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/clock.h"
#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_sequencer_client_options {
    const char *address; /* as lam_sequencer_config.listen. Required, kept until destroy */
    const char *key;     /* file of the private key; NULL: none is shown */
    uint32_t window;     /* requests without an answer; 0: as the node allows */
    uint64_t session;    /* resume this one, with its token; 0: a new one */
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
    uint64_t sequence; /* of the event */
    uint32_t index;    /* EVENT: of those of one sequence */
    uint32_t code;
    const char *text;
    const void *bytes; /* lent until the next call */
    size_t count;
};

struct lam_sequencer_client;

/*
 * A client that begins to connect. Returns 0 and the client, which is the caller's, or -EINVAL,
 * -ENOMEM, -errno with @error.
 */
int lam_sequencer_client_create(struct lam_sequencer_client **client,
    const struct lam_sequencer_client_options *options, struct lam_error *error);

void lam_sequencer_client_destroy(struct lam_sequencer_client *client);

/*
 * Send an event, or a query where @is_query. Copied. Never waits.
 *
 * Returns 1 and *@request, its number; 0: the window is full; or -EMSGSIZE, or
 *     -ENOTRECOVERABLE  the node has sent it away for good: lam_sequencer_client_failure()
 */
int lam_sequencer_client_try_send(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t *request);

/* Be told of all that is published from @from_sequence on (0: from now on). Instead of sending. */
int lam_sequencer_client_subscribe(struct lam_sequencer_client *client, uint64_t from_sequence);

/* Do what is due, and take the next reply. Never waits. Returns 1, 0, or -ENOTRECOVERABLE. */
int lam_sequencer_client_step(
    struct lam_sequencer_client *client, struct lam_sequencer_reply *reply);

/* To be polled for reading: a step is due when it is ready, or at *@due_ns. */
int lam_sequencer_client_fd(const struct lam_sequencer_client *client, uint64_t *due_ns);

/* A step, waiting. Returns 0 and *@reply, -ETIMEDOUT, or -ENOTRECOVERABLE. */
int lam_sequencer_client_wait_until(
    struct lam_sequencer_client *client, uint64_t deadline_ns, struct lam_sequencer_reply *reply);

/*
 * Send one event or query and wait for its answer; no other may be without one. Returns 0 and
 * *@reply, also where it is a refusal; -ETIMEDOUT: whether it is applied is not known, and its
 * answer will come by a later step; or as try_send.
 */
int lam_sequencer_client_call_until(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t deadline_ns, struct lam_sequencer_reply *reply);

/* The session and its token, to resume it in another process. 0 before the first welcome. */
uint64_t lam_sequencer_client_session(const struct lam_sequencer_client *client, uint64_t *token);

/* Why it was sent away, or "". Borrowed. */
const char *lam_sequencer_client_failure(const struct lam_sequencer_client *client);

#ifdef __cplusplus
}
#endif

#endif
