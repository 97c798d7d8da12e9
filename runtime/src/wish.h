/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_WISH_H
#define LAM_RUNTIME_WISH_H

/*
 * wish.h: what is asked of a worker, in one piece, as it goes there.
 */

#include "lamina/runtime/sandbox.h"

/* Letters of the one argument of the program of workers: what is to be done before it is asked. */
#define WORKER_IN_PIDS     'p'
#define WORKER_WITH_USERS  'u' /* and in a user namespace, at once */
#define WORKER_HAS_CALLS   'c' /* it will be held to the list of calls: make that ready, */
#define WORKER_MAY_FORK    'f' /* with processes, */
#define WORKER_HAS_NETWORK 'n' /* with sockets */
#define WORKER_LETTERS_MAX 5

struct sandbox_wish {
    uint32_t bytes; /* all of this */
    uint32_t layers;
    uint64_t memory_bytes, file_bytes, reply_bytes; /* UINT64_MAX: no end */
    uint32_t cpu_s;                                 /* 0: no end */
    uint32_t files;
    uint32_t processes;
    uint32_t network;
    uint32_t strict;
    uint32_t writable_at; /* in @paths: the lists "/a:/b", readable first, each with a terminator */
    char paths[];
};

/* A generation's in a worker. */
struct lam_sandbox {
    struct lam_sandbox_report report; /* of its first worker; no later one has less */
    uint32_t is_known;
    uint32_t reserved;
    const struct sandbox_wish *wish; /* behind this, in the same piece */
};

/*
 * Look at the options (NULL: defaults) and make a wish of them, to be freed. @memory_bytes holds
 * where they have none of their own.
 *
 * Returns 0 and sets *@wish, or -EINVAL, -ENOENT, -ENOMEM; @error names the field.
 */
int lam_sandbox_wish(const struct lam_sandbox_options *options, uint64_t memory_bytes,
    struct sandbox_wish **wish, struct lam_error *error);

/* A copy of it with room for a report, to be freed; or NULL. */
struct lam_sandbox *lam_sandbox_create(const struct sandbox_wish *wish);

/*
 * Take what a worker says of itself: input. Returns 0, or -EPROTO it makes no sense, -ENOTSUP it
 * is strict and a layer is missing, or one that the first worker had.
 */
int lam_sandbox_take_report(
    struct lam_sandbox *sandbox, const void *bytes, uint64_t count, struct lam_error *error);

#endif
