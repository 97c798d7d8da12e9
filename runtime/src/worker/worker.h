/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_WORKER_H
#define LAM_RUNTIME_WORKER_H

/*
 * worker.h: a worker as its host has it, and the host's conversation with it.
 *
 * All of it under the generation's turn: one thread at a time.
 */

#include "internal.h"
#include "linux/spawn.h"
#include "worker/link.h"

struct lam_worker {
    struct spawn_process process;
    struct lam_link link;
    struct link_buffer buffer;
    uint64_t next_id;
    uint32_t is_alive;
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
    const struct worker_order *order, struct lam_reply *reply);

/* ---- confine.c ---- */

/* The argument of the program for a worker of such a sandbox, or NULL. */
const char *lam_worker_argument(const struct lam_sandbox *sandbox);

/*
 * Have a worker that has joined confine itself as generation->sandbox says, and look at what it
 * reports. Returns 0, or as lam_sandbox_take_report() and lam_worker_ask() with @error.
 */
int lam_worker_confine(struct lam_generation *generation, struct lam_worker *worker,
    uint64_t deadline_ns, struct lam_error *error);

/* ---- relay.c: what the worker says and asks of its own ---- */

/* A line of the log, or a metric. Returns 0, or -EPROTO. */
int lam_worker_note(struct lam_generation *generation, const struct link_message *message);

/* Its module calls another one, within @frame. Returns 0, or an error that ends the worker. */
int lam_worker_relay(
    struct lam_worker *worker, struct lam_frame *frame, const struct link_message *message);

#endif
