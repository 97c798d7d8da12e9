/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CACHE_TABLE_H
#define LAM_RUNTIME_CACHE_TABLE_H

/*
 * cache_table.h: a part of a cache: what is kept, found by its key, in the order of its use; and
 * what is being made.
 *
 * An entry is in the table, or held by those who read it, or both: the last of them frees it. All
 * functions but release are called under the shard's lock. What an entry answers is written before
 * it lands and never again, so that it is copied without the lock.
 */

#include <pthread.h>

#include "lamina/base/atomic.h"
#include "lamina/runtime/cache.h"

struct cache_key {
    uint64_t hash; /* of the request */
    uint64_t generation;
    const void *request;
    uint64_t request_bytes;
    uint32_t method;
};

struct cache_entry {
    struct cache_entry *next, **at; /* of its bucket; at is NULL: not in the table */
    struct cache_entry *older, *newer;
    lam_atomic_u32 users;
    uint32_t is_kept;    /* in the order of use, and counted */
    uint32_t has_landed; /* the call has ended */
    int32_t rc;
    uint8_t *answer; /* NULL after a landing: there is none to share */
    uint64_t answer_bytes;
    uint64_t expires_ns;
    uint64_t generation;
    uint64_t request_bytes;
    uint32_t method;
    uint32_t waiters;
    uint8_t request[];
};

_Static_assert(sizeof(struct cache_entry) == 96, "as lamina/runtime/cache.h says");

struct cache_shard {
    _Alignas(128) pthread_mutex_t lock;
    pthread_cond_t landed;
    struct cache_entry **buckets;
    uint64_t mask;
    struct cache_entry *oldest, *newest;
    uint64_t bytes_max;
    uint64_t generation; /* the latest that called */
    struct lam_cache_stat stat;
};

/* Returns 0 or -ENOMEM. */
int cache_shard_init(struct cache_shard *shard, uint64_t bytes_max);

/* No call is inside. One that was never made, all zeros, is allowed. */
void cache_shard_fini(struct cache_shard *shard);

/* A later generation calls: forget what those before it answered. */
void cache_drop_older(struct cache_shard *shard, uint64_t generation);

/* The entry of @key, kept or being made, or NULL. One that is too old is forgotten. */
struct cache_entry *cache_find(
    struct cache_shard *shard, const struct cache_key *key, uint64_t now_ns);

/* A new one, being made and held by the caller; NULL: it would not find room, or no memory. */
struct cache_entry *cache_begin(struct cache_shard *shard, const struct cache_key *key);

/* It was used now. */
void cache_touch(struct cache_shard *shard, struct cache_entry *entry);

/* It has landed, with what is in its fields; @expires_ns 0: it is for those who wait. */
void cache_land(struct cache_shard *shard, struct cache_entry *entry, uint64_t expires_ns);

/* Out of the table. */
void cache_drop(struct cache_shard *shard, struct cache_entry *entry);

void cache_clear(struct cache_shard *shard);

/* Returns how many there were: of all generations. */
uint32_t cache_remove(struct cache_shard *shard, const struct cache_key *key);

static inline void cache_hold(struct cache_entry *entry)
{
    (void)lam_add_acq_rel(&entry->users, 1);
}

void cache_release(struct cache_entry *entry);

#endif
