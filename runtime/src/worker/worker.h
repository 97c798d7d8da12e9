/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_WORKER_H
#define LAM_RUNTIME_WORKER_H

/*
 * worker.h: a worker as its host has it, and the host's conversation with it.
 *
 * All of it by whoever has this worker's turn: one thread at a time.
 */

#include "internal.h"
#include "linux/spawn.h"
#include "worker/link.h"

struct lam_worker {
    struct spawn_process process;
    struct lam_link link;
    struct link_buffer buffer;
    uint64_t next_id;
    uint64_t probe_id; /* of a probe of its health that it has not answered; or 0 */
    int32_t probe_status;
    uint32_t is_alive;
    uint32_t metrics_told; /* names of its module's metrics that it knows */
};

/* What a worker is asked. */
struct worker_order {
    enum link_entry entry;
    uint32_t method;
    struct lam_frame *frame; /* of a method, or NULL */
    const void *request;
    uint64_t request_bytes;
    uint64_t deadline_ns;
};

/*
 * Start a process and hand it its channel; it joins by itself. Returns 0, or a negative errno with
 * @error.
 */
int lam_worker_begin(
    struct lam_worker *worker, const char *program, const char *argument, struct lam_error *error);

/* Wait until it has joined, until @deadline_ns. Returns 0, or -ETIMEDOUT, or -EOWNERDEAD. */
int lam_worker_await(struct lam_worker *worker, uint64_t deadline_ns);

/* End it: at once, or, with a deadline, by itself until then. */
struct spawn_end lam_worker_end(struct lam_worker *worker, uint64_t deadline_ns);

/*
 * Ask, serve what it asks meanwhile, and take the answer into *@reply.
 *
 * Returns what the entry returned; or, with reply->failure, -EOWNERDEAD (CRASHED, EXITED),
 * -ETIMEDOUT (DEADLINE), -ENOTRECOVERABLE (POISONED): the worker has been ended then.
 */
int lam_worker_ask(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, struct lam_module_reply *reply);

/*
 * The same in parts. Ask: @reply_capacity bytes are room for the answer. Returns 0 and sets *@id;
 * -EMSGSIZE nothing was sent; or an error that ends the worker.
 */
int lam_worker_send(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, uint64_t reply_capacity, uint64_t *id);

/*
 * Serve what it asks, until the answer to @id is there or order->deadline_ns is over. An @id of 0:
 * until then, or until an error. The answer to a probe is taken on the way.
 *
 * Returns 0 and sets *@status, -ETIMEDOUT, which is no end yet, or an error that ends the worker.
 */
int lam_worker_hear(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, uint64_t id, struct lam_module_reply *reply, int *status);

/* After such an error, or when its time is over: end it, and say why. As lam_worker_ask(). */
int lam_worker_tell_end(struct lam_worker *worker, struct lam_module_reply *reply, int rc);

/* ---- confine.c ---- */

/* The argument of the program for a worker of such a sandbox, with its terminator. */
void lam_worker_argument(const struct lam_sandbox *sandbox, char letters[WORKER_LETTERS_MAX + 1]);

/* What a worker that has joined is asked: to confine itself as generation->sandbox says. */
struct worker_order lam_worker_confinement(
    const struct lam_generation *generation, uint64_t deadline_ns);

/* Its answer: what it reports. Returns 0, or as lam_sandbox_take_report() with @error. */
int lam_worker_is_confined(struct lam_generation *generation, const struct lam_module_reply *answer,
    struct lam_error *error);

/* ---- tell_metrics.c ---- */

/* The names that it has not been told yet. Returns 0, or an error that ends the worker. */
int lam_worker_tell_metrics(
    const struct lam_generation *generation, struct lam_worker *worker, uint64_t deadline_ns);

/* ---- relay.c: what the worker says and asks of its own ---- */

/* A line of the log, or a metric. Returns 0, or -EPROTO. */
int lam_worker_note(struct lam_generation *generation, const struct link_message *message);

/* Its module calls another one, within @frame. Returns 0, or an error that ends the worker. */
int lam_worker_relay(
    struct lam_worker *worker, struct lam_frame *frame, const struct link_message *message);

#endif
