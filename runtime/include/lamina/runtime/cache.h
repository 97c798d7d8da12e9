/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CACHE_H
#define LAM_RUNTIME_CACHE_H

/*
 * lamina/runtime/cache.h: answers that are kept, and calls that share one.
 *
 * Runtime, floor 6. A stage of a module's path. Kept is what the same method of the same generation
 * answered to the same bytes: a hash finds it, the bytes decide. Calls that ask the same at the
 * same time run the module once, and those who came later wait for the answer of the first, within
 * their own deadlines; where that one fails, the next of them tries. A call within a call waits for
 * nobody, since that could be for itself: it finds what is kept, or runs.
 *
 * What is kept of one generation is dropped at the first call of a later one. A call that finds
 * its answer does not reach the module, whatever its deadline.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_CACHE_SHARDS_MAX  64
#define LAM_CACHE_BYTES_MIN   4096 /* of a shard */
#define LAM_CACHE_TTL_DEFAULT (60 * LAM_NS_PER_S)

/* Zero is the default of each. Everything is copied. */
struct lam_cache_options {
    uint64_t bytes_max; /* kept at a time, requests and 96 bytes for each included; default 8 MiB */
    uint64_t ttl_ns; /* how long an answer is kept; UINT64_MAX: until it is evicted; default 60 s */
    uint64_t error_ttl_ns; /* the same of a status other than 0; default: none is kept. -ENOSPC, and
                              failures of which the host tells, never are */
    const char *const *methods; /* those whose answers are kept; default: those that their module
                                   flags LAM_METHOD_CACHEABLE */
    uint32_t method_count;      /* at most LAM_METHODS_MAX */
    uint32_t shard_count; /* parts with a lock, and an order of use, of their own: a power of two up
                             to LAM_CACHE_SHARDS_MAX; default 1: what was used least recently of
                             all is evicted first */
};

/* A look at a cache. Counts begin with the load. */
struct lam_cache_stat {
    uint64_t hits;      /* calls that found their answer */
    uint64_t misses;    /* calls that ran */
    uint64_t shared;    /* calls that got the answer of one that ran at the same time */
    uint64_t evictions; /* answers that made room for others */
    uint64_t expired;   /* answers that were found too old */
    uint64_t entries;   /* that are kept now */
    uint64_t bytes;     /* that they take */
    uint64_t waiting;   /* calls that wait for the answer of another now */
};

/*
 * Any thread; what moves meanwhile is from between before and now.
 *
 * Returns 0, or -ENOENT this module has no cache.
 */
int lam_cache_look(struct lam_module *module, struct lam_cache_stat *stat);

/*
 * Forget every answer. One that is being made is given to those who wait for it already, and to
 * nobody later. Any thread. Returns 0, or -ENOENT this module has no cache.
 */
int lam_cache_clear(struct lam_module *module);

/*
 * The same of one request. Returns 1 it was kept or being made; 0 it was not; or -ENOENT.
 */
int lam_cache_remove(
    struct lam_module *module, uint32_t method, const void *request, uint64_t request_bytes);

#ifdef __cplusplus
}
#endif

#endif
