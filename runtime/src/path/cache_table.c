/* SPDX-License-Identifier: Apache-2.0 */
#include "path/cache_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

#define BUCKETS_MIN      64
#define BUCKETS_MAX      65536
#define BYTES_FOR_BUCKET 1024

static uint64_t size_of(const struct cache_entry *entry)
{
    return sizeof(*entry) + entry->request_bytes + entry->answer_bytes;
}

int cache_shard_init(struct cache_shard *shard, uint64_t bytes_max)
{
    uint64_t count = BUCKETS_MIN;

    while (count < BUCKETS_MAX && count < bytes_max / BYTES_FOR_BUCKET)
        count *= 2;
    memset(shard, 0, sizeof(*shard));
    shard->buckets = (struct cache_entry **)calloc(count, sizeof(*shard->buckets));
    if (shard->buckets == NULL)
        return -ENOMEM;
    shard->mask = count - 1;
    shard->bytes_max = bytes_max;
    LAM_ASSERT(pthread_mutex_init(&shard->lock, NULL) == 0);
    LAM_ASSERT(pthread_cond_init(&shard->landed, NULL) == 0);
    return 0;
}

void cache_shard_fini(struct cache_shard *shard)
{
    if (shard->buckets == NULL)
        return;
    cache_clear(shard);
    (void)pthread_cond_destroy(&shard->landed);
    (void)pthread_mutex_destroy(&shard->lock);
    free((void *)shard->buckets);
}

/* ---- the order of use ---- */

static void take_out(struct cache_shard *shard, struct cache_entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &shard->newest) = entry->older;
}

static void put_newest(struct cache_shard *shard, struct cache_entry *entry)
{
    entry->older = shard->newest;
    entry->newer = NULL;
    *(shard->newest != NULL ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

void cache_touch(struct cache_shard *shard, struct cache_entry *entry)
{
    take_out(shard, entry);
    put_newest(shard, entry);
}

/* ---- the table ---- */

void cache_drop(struct cache_shard *shard, struct cache_entry *entry)
{
    *entry->at = entry->next;
    if (entry->next != NULL)
        entry->next->at = entry->at;
    entry->at = NULL;
    if (entry->is_kept) {
        take_out(shard, entry);
        entry->is_kept = 0;
        shard->stat.entries--;
        shard->stat.bytes -= size_of(entry);
    }
    cache_release(entry);
}

void cache_clear(struct cache_shard *shard)
{
    for (uint64_t i = 0; i <= shard->mask; i++)
        while (shard->buckets[i] != NULL)
            cache_drop(shard, shard->buckets[i]);
}

void cache_drop_older(struct cache_shard *shard, uint64_t generation)
{
    struct cache_entry *entry = shard->oldest;

    if (generation <= shard->generation)
        return;
    shard->generation = generation;
    while (entry != NULL) {
        struct cache_entry *newer = entry->newer;

        if (entry->generation < generation)
            cache_drop(shard, entry);
        entry = newer;
    }
}

/* The bytes themselves: another request may have the same hash. */
static int is_same(const struct cache_entry *entry, const struct cache_key *key)
{
    return entry->method == key->method && entry->request_bytes == key->request_bytes &&
           (key->request_bytes == 0 ||
               memcmp(entry->request, key->request, key->request_bytes) == 0);
}

struct cache_entry *cache_find(
    struct cache_shard *shard, const struct cache_key *key, uint64_t now_ns)
{
    struct cache_entry *entry = shard->buckets[key->hash & shard->mask];

    while (entry != NULL && (entry->generation != key->generation || !is_same(entry, key)))
        entry = entry->next;
    if (entry != NULL && entry->is_kept && now_ns >= entry->expires_ns) {
        shard->stat.expired++;
        cache_drop(shard, entry);
        return NULL;
    }
    return entry;
}

uint32_t cache_remove(struct cache_shard *shard, const struct cache_key *key)
{
    struct cache_entry *entry = shard->buckets[key->hash & shard->mask];
    uint32_t count = 0;

    while (entry != NULL) {
        struct cache_entry *next = entry->next;

        if (is_same(entry, key)) {
            cache_drop(shard, entry);
            count++;
        }
        entry = next;
    }
    return count;
}

struct cache_entry *cache_begin(struct cache_shard *shard, const struct cache_key *key)
{
    struct cache_entry **bucket = &shard->buckets[key->hash & shard->mask];
    struct cache_entry *entry;

    if (key->request_bytes > shard->bytes_max - sizeof(*entry))
        return NULL;
    entry = calloc(1, sizeof(*entry) + key->request_bytes);
    if (entry == NULL)
        return NULL;
    entry->generation = key->generation;
    entry->method = key->method;
    entry->request_bytes = key->request_bytes;
    if (key->request_bytes != 0)
        memcpy(entry->request, key->request, key->request_bytes);
    entry->next = *bucket;
    entry->at = bucket;
    if (entry->next != NULL)
        entry->next->at = &entry->next;
    *bucket = entry;
    lam_store_relaxed(&entry->users, 2); /* relaxed: seen by others behind the lock */
    return entry;
}

void cache_land(struct cache_shard *shard, struct cache_entry *entry, uint64_t expires_ns)
{
    uint64_t size = size_of(entry);

    entry->has_landed = 1;
    if (entry->waiters != 0)
        LAM_ASSERT(pthread_cond_broadcast(&shard->landed) == 0);
    if (entry->at == NULL)
        return; /* it was dropped meanwhile */
    if (entry->answer == NULL || expires_ns == 0 || size > shard->bytes_max) {
        cache_drop(shard, entry);
        return;
    }
    while (shard->bytes_max - shard->stat.bytes < size) {
        cache_drop(shard, shard->oldest);
        shard->stat.evictions++;
    }
    entry->expires_ns = expires_ns;
    entry->is_kept = 1;
    put_newest(shard, entry);
    shard->stat.entries++;
    shard->stat.bytes += size;
}
