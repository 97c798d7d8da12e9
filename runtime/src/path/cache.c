/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c: the stage that answers in the place of the module, where it can.
 */
#include "lamina/runtime/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "path/cache_table.h"
#include "path/methods.h"
#include "path/path.h"

#define BYTES_DEFAULT (UINT64_C(8) << 20)

struct cache {
    uint64_t ttl_ns, error_ttl_ns;
    uint64_t seed;
    struct lam_method_set methods; /* none: those that are flagged */
    uint32_t shard_count;
    struct cache_shard *shards;
};

/* ---- its options ---- */

static int check(const struct lam_module *module, const struct lam_cache_options *options,
    struct lam_error *error)
{
    uint32_t shards = options->shard_count != 0 ? options->shard_count : 1;

    if (shards > LAM_CACHE_SHARDS_MAX || (shards & (shards - 1)) != 0)
        return lam_error_set(error, -EINVAL,
            "module %s: cache.shard_count is %u: it has to be a power of two up to %d",
            module->name, shards, LAM_CACHE_SHARDS_MAX);
    if (options->bytes_max != 0 && options->bytes_max / shards < LAM_CACHE_BYTES_MIN)
        return lam_error_set(error, -EINVAL,
            "module %s: cache.bytes_max is %llu: give each of %u shards %d at least", module->name,
            (unsigned long long)options->bytes_max, shards, LAM_CACHE_BYTES_MIN);
    return 0;
}

static void close_stage(void *state)
{
    struct cache *cache = state;

    for (uint32_t i = 0; i < cache->shard_count; i++)
        cache_shard_fini(&cache->shards[i]);
    free(cache->shards);
    lam_method_set_free(&cache->methods);
    free(cache);
}

static int make_shards(struct cache *cache, const struct lam_cache_options *options)
{
    uint32_t count = options->shard_count != 0 ? options->shard_count : 1;
    uint64_t bytes_max = options->bytes_max != 0 ? options->bytes_max : BYTES_DEFAULT;
    int rc = 0;

    cache->shards = aligned_alloc(128, count * sizeof(*cache->shards));
    if (cache->shards == NULL)
        return -ENOMEM;
    cache->shard_count = count;
    memset(cache->shards, 0, count * sizeof(*cache->shards));
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = cache_shard_init(&cache->shards[i], bytes_max / count);
    return rc;
}

static int open_stage(void **state, struct lam_module *module,
    const struct lam_module_options *given, struct lam_error *error)
{
    const struct lam_cache_options *options = given->cache;
    struct cache *cache;
    int rc;

    if (options == NULL)
        return 0;
    rc = check(module, options, error);
    if (rc != 0)
        return rc;
    cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    cache->ttl_ns = options->ttl_ns != 0 ? options->ttl_ns : LAM_CACHE_TTL_DEFAULT;
    cache->error_ttl_ns = options->error_ttl_ns;
    /* So that no two processes have the same buckets. */
    cache->seed = lam_clock_now_ns() ^ (uintptr_t)cache;
    rc = lam_method_set_fill(
        &cache->methods, module, "cache", options->methods, options->method_count, error);
    if (rc == 0 && make_shards(cache, options) != 0)
        rc = lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    if (rc != 0) {
        close_stage(cache);
        return rc;
    }
    *state = cache;
    return 1;
}

static int admit(void *state, const struct lam_generation *generation, struct lam_error *error)
{
    const struct cache *cache = state;

    return lam_method_set_admit(&cache->methods, "cache", generation, error);
}

/* ---- the way of a call ---- */

static int is_wanted(const struct cache *cache, const struct lam_passage *passage)
{
    if (cache->methods.count == 0)
        return (passage->method->flags & LAM_METHOD_CACHEABLE) != 0;
    return lam_method_set_has(&cache->methods, passage);
}

/* Spreads over buckets, no more: bytes are compared. */
static uint64_t hash_of(uint64_t seed, const uint8_t *at, uint64_t bytes)
{
    uint64_t hash = seed ^ bytes * UINT64_C(0x9e3779b97f4a7c15);

    for (uint64_t word; bytes != 0; at += sizeof(word)) {
        uint64_t now = bytes < sizeof(word) ? bytes : sizeof(word);

        word = 0;
        memcpy(&word, at, now);
        hash = (hash ^ word) * UINT64_C(0xd6e8feb86659fd93);
        hash ^= hash >> 32;
        bytes -= now;
    }
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 29;
}

static struct cache_shard *shard_of(const struct cache *cache, const struct cache_key *key)
{
    return &cache->shards[(key->hash >> 56) & (cache->shard_count - 1)];
}

/* Not beside cache_drop(): static analysis then takes every share for the last one. */
void cache_release(struct cache_entry *entry)
{
    /* Both ways: the other readers are done with it. */
    if (lam_add_acq_rel(&entry->users, UINT32_MAX) == 1) {
        free(entry->answer);
        free(entry);
    }
}

/* What the module would say, with this room for it. Gives @entry back. */
static int answer_from(struct cache_entry *entry, struct lam_module_reply *reply)
{
    int rc = entry->rc;

    reply->bytes = rc == 0 ? entry->answer_bytes : 0;
    if (rc == 0 && entry->answer_bytes > reply->capacity)
        rc = -ENOSPC;
    else if (reply->bytes != 0)
        memcpy(reply->data, entry->answer, reply->bytes);
    cache_release(entry);
    return rc;
}

/* The first of those who ask this. Gives @entry back. */
static int lead(const struct cache *cache, struct cache_shard *shard, struct cache_entry *entry,
    struct lam_passage *passage)
{
    const struct lam_module_reply *reply = passage->reply;
    int rc = lam_path_go_on(passage);
    uint64_t ttl_ns = rc == 0 ? cache->ttl_ns : cache->error_ttl_ns;

    if (ttl_ns != 0 && rc != -ENOSPC && reply->failure == LAM_FAILURE_NONE) {
        entry->rc = rc;
        entry->answer = malloc(reply->bytes + 1);
        if (entry->answer != NULL && reply->bytes != 0)
            memcpy(entry->answer, reply->data, reply->bytes);
        entry->answer_bytes = entry->answer != NULL ? reply->bytes : 0;
    }
    LAM_ASSERT(pthread_mutex_lock(&shard->lock) == 0);
    cache_land(shard, entry, lam_deadline_after_ns(ttl_ns));
    LAM_ASSERT(pthread_mutex_unlock(&shard->lock) == 0);
    cache_release(entry);
    return rc;
}

/* Until @entry has landed. Under the lock. Returns 0, or -ETIMEDOUT. */
static int await(struct cache_shard *shard, struct cache_entry *entry, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S)};
    int rc = 0;

    entry->waiters++;
    shard->stat.waiting++;
    while (rc == 0 && !entry->has_landed)
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(&shard->landed, &shard->lock)
                 : pthread_cond_clockwait(&shard->landed, &shard->lock, CLOCK_MONOTONIC, &deadline);
    shard->stat.waiting--;
    entry->waiters--;
    return entry->has_landed ? 0 : -rc;
}

/*
 * Under the lock: the entry that this call is to do with, held for it. It has landed with an
 * answer; or *@is_first: it is to be made; or NULL with *@rc: 0 to run without an entry, or
 * -ETIMEDOUT.
 */
static struct cache_entry *take_entry(struct cache_shard *shard, const struct cache_key *key,
    const struct lam_frame *frame, int *is_first, int *rc)
{
    struct cache_entry *entry;

    *is_first = 0;
    *rc = 0;
    while ((entry = cache_find(shard, key, lam_clock_now_ns())) != NULL) {
        if (entry->has_landed) {
            shard->stat.hits++;
            cache_touch(shard, entry);
            cache_hold(entry);
            return entry;
        }
        if (frame->outer != NULL)
            break;
        cache_hold(entry);
        *rc = await(shard, entry, frame->call.deadline_ns);
        if (*rc == 0 && entry->answer != NULL) {
            shard->stat.shared++;
            return entry;
        }
        cache_release(entry);
        if (*rc != 0)
            return NULL;
    }
    shard->stat.misses++;
    *is_first = entry == NULL;
    return entry == NULL ? cache_begin(shard, key) : NULL;
}

static int run_stage(void *state, struct lam_passage *passage)
{
    const struct cache *cache = state;
    const struct lam_call *call = &passage->frame->call;
    struct cache_key key = {.generation = passage->generation->number,
        .request = call->request,
        .request_bytes = call->request_bytes,
        .method = call->method};
    struct cache_shard *shard;
    struct cache_entry *entry;
    int is_first, rc;

    if (!is_wanted(cache, passage))
        return lam_path_go_on(passage);
    key.hash = hash_of(cache->seed, key.request, key.request_bytes);
    shard = shard_of(cache, &key);
    LAM_ASSERT(pthread_mutex_lock(&shard->lock) == 0);
    cache_drop_older(shard, key.generation);
    entry = take_entry(shard, &key, passage->frame, &is_first, &rc);
    LAM_ASSERT(pthread_mutex_unlock(&shard->lock) == 0);
    if (rc != 0)
        return lam_reply_fail(passage->reply, LAM_FAILURE_BUSY, 0, rc);
    if (entry == NULL)
        return lam_path_go_on(passage);
    return is_first ? lead(cache, shard, entry, passage) : answer_from(entry, passage->reply);
}

const struct lam_stage_kind lam_stage_cache = {
    .name = "cache", .open = open_stage, .admit = admit, .run = run_stage, .close = close_stage};

/* ---- from outside ---- */

int lam_cache_look(struct lam_module *module, struct lam_cache_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    const struct cache *cache = lam_path_find(path, &lam_stage_cache);

    memset(stat, 0, sizeof(*stat));
    for (uint32_t i = 0; cache != NULL && i < cache->shard_count; i++) {
        struct cache_shard *shard = &cache->shards[i];

        LAM_ASSERT(pthread_mutex_lock(&shard->lock) == 0);
        stat->hits += shard->stat.hits;
        stat->misses += shard->stat.misses;
        stat->shared += shard->stat.shared;
        stat->evictions += shard->stat.evictions;
        stat->expired += shard->stat.expired;
        stat->entries += shard->stat.entries;
        stat->bytes += shard->stat.bytes;
        stat->waiting += shard->stat.waiting;
        LAM_ASSERT(pthread_mutex_unlock(&shard->lock) == 0);
    }
    lam_path_close(path);
    return cache != NULL ? 0 : -ENOENT;
}

int lam_cache_clear(struct lam_module *module)
{
    struct lam_path *path = lam_path_of(module);
    const struct cache *cache = lam_path_find(path, &lam_stage_cache);

    for (uint32_t i = 0; cache != NULL && i < cache->shard_count; i++) {
        LAM_ASSERT(pthread_mutex_lock(&cache->shards[i].lock) == 0);
        cache_clear(&cache->shards[i]);
        LAM_ASSERT(pthread_mutex_unlock(&cache->shards[i].lock) == 0);
    }
    lam_path_close(path);
    return cache != NULL ? 0 : -ENOENT;
}

int lam_cache_remove(
    struct lam_module *module, uint32_t method, const void *request, uint64_t request_bytes)
{
    struct lam_path *path = lam_path_of(module);
    const struct cache *cache = lam_path_find(path, &lam_stage_cache);
    struct cache_key key = {.request = request, .request_bytes = request_bytes, .method = method};
    int rc = -ENOENT;

    if (cache != NULL) {
        struct cache_shard *shard;

        key.hash = hash_of(cache->seed, request, request_bytes);
        shard = shard_of(cache, &key);
        LAM_ASSERT(pthread_mutex_lock(&shard->lock) == 0);
        rc = cache_remove(shard, &key) != 0;
        LAM_ASSERT(pthread_mutex_unlock(&shard->lock) == 0);
    }
    lam_path_close(path);
    return rc;
}
