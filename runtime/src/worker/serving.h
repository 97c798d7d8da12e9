/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SERVING_H
#define LAM_RUNTIME_SERVING_H

/*
 * serving.h: what the process of a worker has. One thread, one module.
 */

#include <unistd.h>

#include "internal.h"
#include "worker/link.h"

struct serving {
    struct lam_link link;
    struct lam_runtime runtime;
    struct lam_module module;
    struct lam_generation generation;
    struct lam_seat seat; /* for its arena */
    uint32_t depth;       /* entries that run, one within the other */
    struct link_buffer buffers[LAM_RUNTIME_DEPTH_MAX + 2];
    uint8_t
        *rooms[LAM_RUNTIME_DEPTH_MAX + 1]; /* each LINK_REPLY_BYTES_MAX, then a page that is not */
    uint64_t next_id;
};

extern struct serving serving;

/* The host is gone, or makes no sense: there is nobody to tell. */
static _Noreturn inline void leave(int status)
{
    _exit(status);
}

/* ---- serve.c ---- */

/* Run what a request asks for, and answer. */
void serving_answer(const struct link_message *message);

/* ---- serve_lent.c ---- */

/* What the module is lent here: its calls go over the link. */
extern const struct lam_host serving_lent;

/* ---- serve_metrics.c ---- */

/* The host says that it has a metric of that name. */
void serving_learn(const struct link_message *message);

/* May the module note it? 0, or -ENOSPC: the host has as many names as it keeps. */
int serving_admit_metric(enum lam_metric kind, const char *name);

/* ---- serve_describe.c ---- */

/* What the module says of itself, as the link carries it: at most LINK_DESCRIPTION_BYTES_MAX. */
void serving_describe(uint8_t *bytes, uint64_t *count);

#endif
