/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_LINK_H
#define LAM_RUNTIME_LINK_H

/*
 * link.h: the channel between a host and a worker, one ring each way, and what goes over it.
 *
 * Each message begins with a header of lamina/runtime/protocol.h. Behind it:
 *
 *     request   struct link_request, the caller's name, then what the entry reads. Its features say
 *               which entry: enum link_entry. The worker sends requests, too: its module calls
 *               another one.
 *     response  struct link_response, then what the entry gave. Same request id.
 *     event     struct link_event, then strings, each with its terminator: a line of the log, or a
 *               metric. The host sends those, too: of a metric whose name the worker may not know.
 *
 * Both sides are one thread at a time. Integers behind the header are this machine's.
 */

#include "lamina/framed/receiver.h"
#include "lamina/framed/sender.h"
#include "lamina/runtime/abi.h"
#include "lamina/runtime/dependency.h"
#include "lamina/runtime/protocol.h"
#include "lamina/runtime/runtime.h"
#include "wish.h"

#define LINK_MESSAGE_BYTES_MAX (UINT64_C(64) << 20)
#define LINK_REPLY_BYTES_MAX   LAM_WORKER_REPLY_BYTES_MAX
#define LINK_DEPTH             2048 /* cells: up to 64 KiB travel in place */
#define LINK_FIELDS_MAX        16   /* of a line of the log; those behind them do not travel */

enum link_entry {
    LINK_METHOD = 0,
    LINK_OPEN = 1, /* load the image; the answer is a struct link_description */
    LINK_INIT = 2,
    LINK_SHUTDOWN = 3,
    LINK_HEALTH = 4,
    LINK_SAVE = 5,
    LINK_RESTORE = 6,
    LINK_SANDBOX = 7, /* before LINK_OPEN: a struct sandbox_wish; the answer is a report */
};

struct link_request {
    uint64_t deadline_ns;
    uint64_t reply_capacity;
    struct lam_trace trace;
    uint32_t depth;
    uint32_t depth_max;
    uint32_t pressure;
    uint32_t caller_bytes; /* of the name behind this, with its terminator, padded to 16 */
};

struct link_response {
    int32_t status;
    uint32_t failure;     /* of a call that the worker's module made */
    uint64_t reply_bytes; /* said by the entry; the bytes behind this are 0 unless status is 0 */
    int32_t detail;       /* of that failure */
    uint32_t reserved;
};

struct link_event {
    uint32_t is_metric;
    uint32_t kind; /* enum lam_metric, or enum lam_level */
    uint64_t value;
    uint32_t
        string_count; /* a line's text, then name and value of each field; or a metric's name */
    uint32_t reserved;
};

/* The answer to LINK_OPEN: then the reason, or what the worker says of its module. */
struct link_opened {
    int32_t rc;
    uint32_t reserved;
};

/* What that is: then a struct link_method for each, and a struct link_dependency for each. */
struct link_description {
    uint64_t features;
    struct lam_version version;
    uint32_t method_count;
    uint32_t dependency_count;
    char name[LAM_NAME_BYTES_MAX];
};

struct link_method {
    uint32_t id;
    uint32_t flags;
    char name[LAM_NAME_BYTES_MAX];
};

struct link_dependency {
    uint32_t flags;
    uint32_t reserved;
    char name[LAM_NAME_BYTES_MAX];
    char range[LAM_RANGE_TEXT_BYTES]; /* "": any version */
};

#define LINK_DESCRIPTION_BYTES_MAX                                                                 \
    (sizeof(struct link_description) + LAM_METHODS_MAX * sizeof(struct link_method) +              \
        LAM_DEPENDENCIES_MAX * sizeof(struct link_dependency))

struct lam_link {
    struct lam_ring out, in;
    struct lam_framed_sender sender;
    struct lam_framed_receiver receiver;
    uint32_t parts; /* of the above that are there, in their order: see link.c */
};

/* A message that was taken; all of it in memory of ours. */
struct link_message {
    struct lam_protocol_header header;
    const uint8_t *body; /* 16-byte aligned */
};

/* Memory that messages are taken into: grows, is kept. All zero is none. */
struct link_buffer {
    uint8_t *bytes;
    uint64_t capacity;
};

/*
 * The host: make both rings and give them to the worker at the other end of @socket, until
 * @deadline_ns. It joins by and by (lam_framed_sender_wait_receivers_until()).
 *
 * Returns 0, or a negative errno with @error.
 */
int lam_link_create(
    struct lam_link *link, int socket, uint64_t deadline_ns, struct lam_error *error);

/* The worker: take both rings and join. */
int lam_link_join(struct lam_link *link, int socket, struct lam_error *error);

void lam_link_end(struct lam_link *link);

/* Send header and parts (iov[0] is set here). Returns as lam_framed_sender_send_until(). */
int lam_link_send(struct lam_link *link, const struct lam_protocol_header *header,
    struct iovec *parts, uint32_t part_count, uint64_t deadline_ns);

/*
 * Answer the request @id: *@response, and @data where its status is 0. Returns as lam_link_send().
 */
int lam_link_respond(struct lam_link *link, uint64_t id, const struct link_response *response,
    const void *data, uint64_t deadline_ns);

/*
 * Take the next message, waiting until @deadline_ns.
 *
 * Returns 0, -ETIMEDOUT, -EPROTO what came is no message of this protocol, -ENOMEM, or as
 * lam_framed_receiver_take_until().
 */
int lam_link_take(struct lam_link *link, struct link_buffer *buffer, struct link_message *message,
    uint64_t deadline_ns);

#endif
