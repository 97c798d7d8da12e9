/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining after other consumers: who they are, and that none of them goes after us.
 *
 * Each joiner writes hashes of the names it goes after into its entry, fences, and then looks at
 * what the others wrote: of two that join at once, one at least sees the other's. So a cycle cannot
 * come about unseen, though those in it may be waiting for one another still.
 */
#include "after.h"
#include "names.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a; never 0. Names are compared by it only to find cycles. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (unsigned i = 0; i < LAM_RING_CONSUMER_NAME_MAX && name[i] != '\0'; i++)
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    return hash == 0 ? 1 : hash;
}

int lam_ring_after_check(const struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    if (options->after_count == 0)
        return 0;
    if (options->after == NULL)
        return lam_error_set(
            error, -EINVAL, "ring %s: the names to go after are missing: NULL", ring->name);
    if (options->after_count > LAM_RING_AFTER_COUNT_MAX)
        return lam_error_set(error, -EINVAL, "ring %s: %u names to go after, of %d at most",
            ring->name, options->after_count, LAM_RING_AFTER_COUNT_MAX);
    if (options->policy == LAM_RING_LOSSY)
        return lam_error_set(error, -EINVAL,
            "ring %s: a lossy consumer goes after nobody: what it waits for would be overwritten",
            ring->name);
    for (uint32_t i = 0; i < options->after_count; i++) {
        const char *name = options->after[i];

        if (name == NULL || name[0] == '\0' || strlen(name) > LAM_RING_CONSUMER_NAME_MAX)
            return lam_error_set(error, -EINVAL,
                "ring %s: name %u to go after is empty or longer than %d bytes", ring->name, i,
                LAM_RING_CONSUMER_NAME_MAX);
        if (options->name != NULL && strcmp(name, options->name) == 0)
            return lam_error_set(
                error, -ELOOP, "ring %s: %s would go after itself", ring->name, name);
    }
    return 0;
}

void lam_ring_after_declare(
    struct lam_ring_consumer *consumer, const struct lam_ring_consumer_options *options)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];

    for (uint32_t i = 0; i < LAM_RING_AFTER_COUNT_MAX; i++)
        lam_store_relaxed(
            &entry->after[i], i < options->after_count ? hash_of(options->after[i]) : 0);
}

/* A search from us over those that we go after: entries, and who led to each. */
struct search {
    const struct lam_ring_consumer *consumer;
    uint64_t hashes[LAM_RING_CONSUMER_COUNT_MAX]; /* of living names; 0 none */
    uint32_t from[LAM_RING_CONSUMER_COUNT_MAX];
    uint32_t queue[LAM_RING_CONSUMER_COUNT_MAX];
    uint32_t count;
    uint64_t seen;
};

static void begin_search(struct search *search, const struct lam_ring_consumer *consumer)
{
    const struct lam_ring *ring = consumer->ring;

    memset(search, 0, sizeof(*search));
    search->consumer = consumer;
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        const struct lam_ring_entry *entry = &ring->control_head->entries[index];
        /* A4 */
        enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

        /* One that resumes is alive in the state that its predecessor was left in. */
        if (state != LAM_RING_ENTRY_FREE &&
            (index == consumer->index ||
                lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_CONSUMER + index) == 1))
            search->hashes[index] = hash_of(entry->name);
    }
    search->queue[search->count++] = consumer->index;
    search->seen = UINT64_C(1) << consumer->index;
}

/* Put those that @index goes after into the queue. Returns 1 if we are among them. */
static int follow(struct search *search, uint32_t index)
{
    const struct lam_ring_consumer *consumer = search->consumer;
    const struct lam_ring_entry *entry = &consumer->ring->control_head->entries[index];

    for (uint32_t i = 0; i < LAM_RING_AFTER_COUNT_MAX; i++) {
        uint64_t hash = lam_load_relaxed(&entry->after[i]);

        if (hash == 0)
            continue;
        if (hash == search->hashes[consumer->index])
            return 1;
        for (uint32_t next = 0; next < LAM_RING_CONSUMER_COUNT_MAX; next++)
            if (search->hashes[next] == hash && (search->seen >> next & 1) == 0) {
                search->seen |= UINT64_C(1) << next;
                search->from[next] = index;
                search->queue[search->count++] = next;
            }
    }
    return 0;
}

/* "a after b after a", the way from us to @last and back. */
static int say_cycle(const struct search *search, uint32_t last, struct lam_error *error)
{
    const struct lam_ring *ring = search->consumer->ring;
    const struct lam_ring_entry *entries = ring->control_head->entries;
    uint32_t self = search->consumer->index;
    int rc = lam_error_set(error, -ELOOP, "%.*s", LAM_RING_CONSUMER_NAME_MAX, entries[self].name);

    for (uint32_t index = last, steps = 0; steps < LAM_RING_CONSUMER_COUNT_MAX; steps++) {
        rc = lam_error_prefix(
            error, rc, "%.*s after ", LAM_RING_CONSUMER_NAME_MAX, entries[index].name);
        if (index == self)
            break;
        index = search->from[index];
    }
    return lam_error_prefix(error, rc, "ring %s: a cycle: ", ring->name);
}

static int refuse_cycle(const struct lam_ring_consumer *consumer, struct lam_error *error)
{
    struct search search;

    begin_search(&search, consumer);
    for (uint32_t at = 0; at < search.count; at++)
        if (follow(&search, search.queue[at]))
            return say_cycle(&search, search.queue[at], error);
    return 0;
}

int lam_ring_leader_find(
    const struct lam_ring_consumer *consumer, struct lam_ring_leader *leader, uint32_t *left)
{
    const struct lam_ring *ring = consumer->ring;

    *left = 0;
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        const struct lam_ring_entry *entry = &ring->control_head->entries[index];
        uint64_t word = lam_load_acquire(&entry->state); /* R4: name and cursor are there */
        enum lam_ring_entry_state state = lam_ring_entry_state_of(word);

        if ((state != LAM_RING_ENTRY_GATING && state != LAM_RING_ENTRY_LOSSY &&
                state != LAM_RING_ENTRY_LEFT) ||
            strncmp(entry->name, leader->name, LAM_RING_CONSUMER_NAME_MAX) != 0)
            continue;
        if (state == LAM_RING_ENTRY_LEFT) {
            *left = 1;
            continue;
        }
        /* Known to be a dead one's state: whoever holds the lock has only just taken it. */
        if ((leader->phase == LAM_RING_LEADER_GONE && index == leader->index &&
                word == leader->state) ||
            lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_CONSUMER + index) != 1 ||
            lam_load_acquire(&entry->state) != word) /* A4 */
            continue;
        if (state == LAM_RING_ENTRY_LOSSY || lam_load_relaxed(&entry->patience_ns) != 0)
            return -EINVAL;
        leader->cursor = lam_load_acquire(&entry->cursor); /* A2 */
        leader->state = word;
        leader->index = index;
        leader->phase = LAM_RING_LEADER_THERE;
        return 1;
    }
    return 0;
}

/* Returns 1, 0 and the first name that is missing, or -EINVAL. */
static int find_all(
    struct lam_ring_consumer *consumer, const char **missing, struct lam_error *error)
{
    for (uint32_t i = 0; i < consumer->leader_count; i++) {
        struct lam_ring_leader *leader = &consumer->leaders[i];
        uint32_t left;
        int rc = lam_ring_leader_find(consumer, leader, &left);

        *missing = leader->name;
        if (rc < 0)
            return lam_error_set(error, rc,
                "ring %s: cannot go after %s: it is lossy or may be evicted, and passes over "
                "events without having seen them",
                consumer->ring->name, leader->name);
        if (rc == 0)
            return 0;
    }
    return 1;
}

int lam_ring_after_resolve(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    const char *missing = NULL;
    int rc = 0;

    consumer->leader_count = options->after_count;
    for (uint32_t i = 0; i < options->after_count; i++)
        (void)snprintf(
            consumer->leaders[i].name, sizeof(consumer->leaders[i].name), "%s", options->after[i]);
    while (rc == 0 && options->after_count != 0) {
        rc = refuse_cycle(consumer, error);
        if (rc == 0)
            rc = find_all(consumer, &missing, error);
        if (rc != 0)
            break;
        if (lam_clock_now_ns() >= options->after_deadline_ns)
            return lam_error_set(error, -ENOENT,
                "ring %s: nobody named %s, to go after, has joined", consumer->ring->name, missing);
        lam_ring_nap();
    }
    return rc < 0 ? rc : 0;
}
