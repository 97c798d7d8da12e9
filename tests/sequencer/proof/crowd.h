/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_CROWD_H
#define LAM_TESTS_SEQUENCER_PROOF_CROWD_H

/*
 * crowd.h: clients that keep to protocol/frame.h, some that do not, and what all of them were told.
 * They make their frames by hand, with no line of the sequencer's.
 *
 * What must hold of one connection is checked here: requests are answered in their order, each
 * once, a repeat as it was answered the first time, and what is no request by a refusal.
 */

#include "proof/history.h"
#include "proof/net.h"
#include "proof/workload.h"

#define CROWD_CLIENTS_MAX 12
#define CROWD_WAITING_MAX 256 /* answers of one connection */
#define CROWD_OPEN_MAX    64  /* requests of a session, without an answer or with one */

enum crowd_kind { CROWD_HONEST, CROWD_SUBSCRIBER, CROWD_STRANGER };
enum crowd_state { CROWD_AWAY, CROWD_HELLO, CROWD_THERE };

/* What the node has to say next on a connection. */
enum crowd_want { WANT_ANSWER, WANT_QUERY, WANT_REPEAT, WANT_REFUSAL, WANT_SUBSCRIBED };

struct crowd_waiting {
    enum crowd_want want;
    uint64_t request;
    size_t op;     /* its index; WANT_REFUSAL: none */
    uint32_t code; /* WANT_REFUSAL: with which; 0: any */
};

/* A request of the present session. */
struct crowd_request {
    uint64_t number;
    size_t op;
    uint32_t bytes;                             /* of the event */
    int is_used, is_answered, is_sent, is_busy; /* sent: on this connection; busy: it came back */
    unsigned sendings;
};

struct crowd_client {
    enum crowd_kind kind;
    enum crowd_state state;
    int connection;
    uint64_t act_ns, read_ns, beat_ns;
    uint64_t session, token, floor, next_number;
    uint32_t window, lag;                          /* how far the floor that it tells is behind */
    struct crowd_request requests[CROWD_OPEN_MAX]; /* of number, at number % CROWD_OPEN_MAX */
    struct crowd_waiting waiting[CROWD_WAITING_MAX];
    unsigned waiting_first, waiting_count;
    uint64_t heard;        /* SUBSCRIBER: the sequence of the last publication */
    uint32_t subscription; /* without a gap, as far as it knows */
};

struct crowd {
    struct net *net;
    struct workload workload;
    struct workload_histogram *histogram;
    struct crowd_client clients[CROWD_CLIENTS_MAX];
    unsigned client_count;
    struct history_op *ops;
    size_t op_count, op_capacity;
    struct history_publication *publications;
    size_t publication_count, publication_capacity;
    uint64_t clock; /* counts what clients have done and heard: the history's time */
    uint32_t subscriptions;
    uint64_t answers, repeats, refusals, sessions;
    int is_calm;        /* nothing new, no faults of their own: all that is open gets its answer */
    const char *broken; /* what was not so, or NULL */
};

void crowd_begin(
    struct crowd *crowd, struct net *net, uint64_t seed, struct workload_histogram *histogram);

void crowd_end(struct crowd *crowd);

/* All clients do what is due and hear what has come. Returns how much was done. */
unsigned crowd_step(struct crowd *crowd);

/* When the next one does something of its own. */
uint64_t crowd_due_ns(const struct crowd *crowd);

/* Whether every request of an honest client is answered. */
int crowd_is_answered(const struct crowd *crowd);

/* For crowd_hear.c and crowd.c. */
int crowd_break(struct crowd *crowd, const char *what);
void crowd_lose_connection(struct crowd *crowd, struct crowd_client *client, int is_silent);
void crowd_lose_session(struct crowd *crowd, struct crowd_client *client);
void crowd_subscribe(struct crowd *crowd, struct crowd_client *client);
unsigned crowd_hear(struct crowd *crowd, struct crowd_client *client);

#endif
