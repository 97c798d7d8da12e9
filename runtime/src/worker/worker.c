/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: the life of a worker, and how its end is told.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often a wait looks whether the worker is there. */
#define LOOK_NS (10 * LAM_NS_PER_MS)
/* How long the kernel may take to end a process whose channel is dead. */
#define END_NS (5 * LAM_NS_PER_S)

int lam_worker_begin(
    struct lam_worker *worker, const char *program, const char *argument, struct lam_error *error)
{
    int rc = spawn_start(&worker->process, program, argument, error);

    if (rc != 0)
        return rc;
    rc = lam_link_create(
        &worker->link, worker->process.socket, lam_deadline_after_ns(END_NS), error);
    if (rc != 0) {
        (void)spawn_bury(&worker->process, 0);
        return rc;
    }
    worker->probe_id = 0;
    worker->is_alive = 1;
    return 0;
}

int lam_worker_await(struct lam_worker *worker, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t look_ns = lam_deadline_after_ns(LOOK_NS);
        int rc = lam_framed_sender_wait_receivers_until(
            &worker->link.sender, 1, look_ns < deadline_ns ? look_ns : deadline_ns);

        if (rc != -ETIMEDOUT)
            return rc;
        if (spawn_is_dead(&worker->process))
            return -EOWNERDEAD;
        if (look_ns >= deadline_ns)
            return rc;
    }
}

struct spawn_end lam_worker_end(struct lam_worker *worker, uint64_t deadline_ns)
{
    worker->is_alive = 0;
    lam_link_end(&worker->link);
    free(worker->buffer.bytes);
    worker->buffer = (struct link_buffer){NULL, 0};
    return spawn_bury(&worker->process, deadline_ns);
}

/* It is dead, or as good as that: end it and say why. */
static int tell_end(struct lam_worker *worker, struct lam_module_reply *reply, int rc)
{
    struct spawn_end end;

    if (rc == -ETIMEDOUT) {
        (void)lam_worker_end(worker, 0);
        return lam_reply_fail(reply, LAM_FAILURE_DEADLINE, 0, rc);
    }
    if (rc != -EOWNERDEAD && rc != -EPIPE) {
        (void)lam_worker_end(worker, 0);
        return lam_reply_fail(reply, LAM_FAILURE_POISONED, rc, -ENOTRECOVERABLE);
    }
    end = lam_worker_end(worker, lam_deadline_after_ns(END_NS));
    return end.signal != 0 ? lam_reply_fail(reply, LAM_FAILURE_CRASHED, end.signal, -EOWNERDEAD)
                           : lam_reply_fail(reply, LAM_FAILURE_EXITED, end.status, -EOWNERDEAD);
}

/* The next message. Returns 0, -ETIMEDOUT, -EOWNERDEAD, or another error of the channel. */
static int take(struct lam_worker *worker, struct link_message *message, uint64_t deadline_ns)
{
    int was_dead = 0;

    for (;;) {
        uint64_t look_ns = lam_deadline_after_ns(LOOK_NS);
        int rc = lam_link_take(
            &worker->link, &worker->buffer, message, look_ns < deadline_ns ? look_ns : deadline_ns);

        if (rc != -ETIMEDOUT)
            return rc;
        if (was_dead)
            return -EOWNERDEAD;
        if (look_ns >= deadline_ns)
            return rc;
        was_dead = spawn_is_dead(&worker->process); /* what it said before comes first */
    }
}

static int send(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, const struct lam_module_reply *reply, uint64_t id)
{
    const struct lam_call *call = order->frame == NULL ? NULL : &order->frame->call;
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_REQUEST,
        .features = (uint16_t)order->entry,
        .request_id = id,
        .module_id = generation->module == NULL ? 0 : generation->module->name_hash,
        .method_id = order->method};
    struct link_request body = {
        .deadline_ns = order->deadline_ns, .reply_capacity = reply->capacity};
    char caller[LAM_NAME_BYTES_MAX] = "";
    struct iovec parts[4];
    int rc;

    if (body.reply_capacity > LINK_REPLY_BYTES_MAX) /* no more than that can come */
        body.reply_capacity = LINK_REPLY_BYTES_MAX;
    if (order->entry == LINK_METHOD && body.reply_capacity > generation->sandbox->wish->reply_bytes)
        body.reply_capacity = generation->sandbox->wish->reply_bytes;
    if (call != NULL) {
        body.trace = call->trace;
        body.depth = call->depth;
        body.depth_max = call->depth_max;
        body.pressure = call->pressure;
        memcpy(caller, call->caller, strlen(call->caller)); /* a module's name, or none */
    }
    body.caller_bytes = (uint32_t)((strlen(caller) + 16) & ~(size_t)15);
    parts[1] = (struct iovec){.iov_base = &body, .iov_len = sizeof(body)};
    parts[2] = (struct iovec){.iov_base = caller, .iov_len = body.caller_bytes};
    parts[3] = (struct iovec){
        .iov_base = (void *)(uintptr_t)order->request, .iov_len = order->request_bytes};
    if (order->request_bytes > LAM_WORKER_REQUEST_BYTES_MAX)
        return -EMSGSIZE;
    rc = lam_worker_tell_metrics(generation, worker, order->deadline_ns);
    return rc != 0 ? rc : lam_link_send(&worker->link, &header, parts, 4, order->deadline_ns);
}

/* Its answer, looked at: it is copied already. Returns the status, or -EPROTO with *@is_bad. */
static int finish(const struct link_message *message, struct lam_module_reply *reply, int *is_bad)
{
    struct link_response response;
    uint64_t bytes;

    *is_bad = 1;
    if (message->header.body_bytes < sizeof(response))
        return -EPROTO;
    memcpy(&response, message->body, sizeof(response));
    bytes = message->header.body_bytes - sizeof(response);
    if (bytes > reply->capacity || (response.status == 0 && bytes != response.reply_bytes))
        return -EPROTO;
    *is_bad = 0;
    reply->bytes = response.status == 0 || response.status == -ENOSPC ? response.reply_bytes : 0;
    reply->failure = response.failure;
    reply->detail = 0;
    if (bytes != 0)
        memcpy(reply->data, message->body + sizeof(response), bytes);
    return response.status;
}

/* What came that is not the answer. Returns 0, or an error that ends the worker. */
static int serve(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, const struct link_message *message)
{
    switch (message->header.type) {
    case LAM_PROTOCOL_EVENT:
        return lam_worker_note(generation, message);
    case LAM_PROTOCOL_REQUEST:
        return order->frame == NULL ? -EPROTO : lam_worker_relay(worker, order->frame, message);
    default:
        return -EPROTO;
    }
}

/* The answer to its last probe, if this is it. */
static int take_probe(struct lam_worker *worker, const struct link_message *message)
{
    struct link_response response;

    if (worker->probe_id == 0 || message->header.type != LAM_PROTOCOL_RESPONSE ||
        message->header.request_id != worker->probe_id ||
        message->header.body_bytes < sizeof(response))
        return 0;
    memcpy(&response, message->body, sizeof(response));
    worker->probe_id = 0;
    worker->probe_status = response.status;
    return 1;
}

int lam_worker_send(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, uint64_t reply_capacity, uint64_t *id)
{
    struct lam_module_reply room = {.capacity = reply_capacity};

    *id = ++worker->next_id;
    return send(generation, worker, order, &room, *id);
}

int lam_worker_hear(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, uint64_t id, struct lam_module_reply *reply, int *status)
{
    struct link_message message;
    int rc = 0;

    while (rc == 0) {
        rc = take(worker, &message, order->deadline_ns);
        if (rc == 0 && id != 0 && message.header.type == LAM_PROTOCOL_RESPONSE &&
            message.header.request_id == id) {
            int is_bad;

            rc = finish(&message, reply, &is_bad);
            if (!is_bad) {
                *status = rc;
                return 0;
            }
        } else if (rc == 0 && !take_probe(worker, &message)) {
            rc = serve(generation, worker, order, &message);
            if (!worker->is_alive) /* a call within this one saw its end */
                return -EOWNERDEAD;
        }
    }
    return rc;
}

int lam_worker_tell_end(struct lam_worker *worker, struct lam_module_reply *reply, int rc)
{
    if (!worker->is_alive)
        return lam_reply_fail(reply, LAM_FAILURE_CRASHED, 0, -EOWNERDEAD);
    if (rc == -ETIMEDOUT && spawn_is_dead(&worker->process))
        rc = -EOWNERDEAD; /* a full ring that nobody reads */
    return tell_end(worker, reply, rc);
}

int lam_worker_ask(struct lam_generation *generation, struct lam_worker *worker,
    const struct worker_order *order, struct lam_module_reply *reply)
{
    uint64_t id;
    int status, rc = lam_worker_send(generation, worker, order, reply->capacity, &id);

    if (rc == -EMSGSIZE)
        return lam_reply_fail(reply, LAM_FAILURE_NONE, 0, rc);
    if (rc == 0)
        rc = lam_worker_hear(generation, worker, order, id, reply, &status);
    return rc == 0 ? status : lam_worker_tell_end(worker, reply, rc);
}
