/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_POOL_H
#define LAM_RUNTIME_POOL_H

/*
 * lamina/runtime/pool.h: several workers for one module.
 *
 * Runtime, floor 6. Each worker is a process that takes one call at a time, so as many calls run at
 * once as there are workers, and a worker that dies takes one call with it: its place is filled
 * from the spare while the others go on. Each has the module's state to itself: what a call leaves
 * in one is not in the others, and lam_runtime_reload() with keep_state refuses a pool that may
 * have more than one.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_POOL_WORKERS_MAX 64

/* Which worker a call goes to. Those that are being started are passed over while others serve. */
enum lam_pool_choice {
    LAM_POOL_ROUND_ROBIN = 0,  /* the next one that is idle, or else the next one */
    LAM_POOL_LEAST_LOADED = 1, /* the one with the fewest calls; the first of several */
    LAM_POOL_TWO_CHOICES = 2,  /* the one with fewer calls of two that are drawn */
    LAM_POOL_BY_KEY = 3,       /* the same one for the same key, as long as it is in the pool: where
                                  one comes or goes, no key changes between the others */
    LAM_POOL_RANDOM = 4,
};

/* The key of a request. Any thread that calls; it may not call a module. */
typedef uint64_t (*lam_pool_key_fn)(
    void *context, uint32_t method, const void *request, uint64_t request_bytes);

/* Zero is the default of each. Copied, but @key_context. */
struct lam_pool_options {
    uint32_t workers_min; /* default 1 */
    uint32_t
        workers_max; /* up to LAM_POOL_WORKERS_MAX; default 4, or workers_min if that is more */
    enum lam_pool_choice choice;
    uint32_t key_bytes;  /* by key: so many bytes at the request's start; default: all of it */
    lam_pool_key_fn key; /* by key: asked instead, if it is given */
    void *key_context;
    /* Calls inside and in line, in thousandths of what all workers can do, over a window: above the
     * one a worker is added, below the other one is taken away. */
    uint32_t load_up;   /* default 800 */
    uint32_t load_down; /* default 300; below load_up */
    uint64_t window_ns; /* default 1 s; at least 1 ms */
    /* Between a change of their number and the next one. Default 30 s. */
    uint64_t cooldown_ns;
};

/* One place of a pool. */
struct lam_pool_worker {
    int32_t pid;       /* 0: none is there now */
    uint32_t is_ready; /* it has run init, and serves */
    uint32_t inside;   /* calls in it and in line for it */
    uint32_t health;   /* enum lam_health_state, by its probes */
    uint64_t calls;    /* that it was given */
    uint64_t restarts; /* workers that came for one that had died */
};

struct lam_pool_stat {
    uint32_t workers; /* places; those behind it in @all are empty */
    uint32_t ready;   /* workers that serve */
    uint32_t busy;    /* that are in a call */
    uint32_t waiting; /* calls in line */
    uint64_t calls, restarts;
    struct lam_pool_worker all[LAM_POOL_WORKERS_MAX];
};

/*
 * Look at the workers of a module's current generation. Any thread; what moves meanwhile is an
 * answer between the old and the new one, but workers, ready, busy and waiting are of one moment.
 *
 * Returns 0, or -ENODEV it is unloaded; -ENOTSUP it runs in this process; -EAGAIN its state is
 * being handed over; -EUSERS more threads than LAM_RUNTIME_THREADS_MAX.
 */
int lam_pool_look(struct lam_module *module, struct lam_pool_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
