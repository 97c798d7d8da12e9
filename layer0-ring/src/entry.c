/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry of the consumer table: found by name, else a free one; taken by its lock; signed.
 *
 * Whoever holds the lock of an entry owns it: a state that is left there is a dead one's. A name
 * has one entry as long as there is room: so that who comes again finds what it left.
 */
#include "after.h"
#include "group_table.h"
#include "lamina/base/crash_point.h"
#include "layout.h"
#include "names.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How long a joiner looks at another one that has its name: in naps of a millisecond. */
#define NAPS_MAX 100

static struct lam_ring_entry *entry_at(const struct lam_ring_consumer *consumer, uint32_t index)
{
    return &consumer->ring->control_head->entries[index];
}

int lam_ring_entry_is_named(const struct lam_ring_entry *entry, const char *name)
{
    return strncmp(entry->name, name, LAM_RING_CONSUMER_NAME_MAX) == 0;
}

/* How well an entry suits a newcomer, best first. What others left is taken last. */
enum suit {
    SUIT_OURS,    /* our name is on it */
    SUIT_FREE,    /* nobody's name is */
    SUIT_DONE,    /* nobody can resume it */
    SUIT_LEFT,    /* a name and a place would be forgotten */
    SUIT_GATING,  /* likewise, and it still gates */
    SUIT_NOT_OURS /* a required consumer's */
};

static enum suit suits(const struct lam_ring_entry *entry, const char *name)
{
    /* A4 */
    enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

    if (lam_ring_entry_is_orphan(entry, lam_load_acquire(&entry->state))) /* A4 */
        return SUIT_NOT_OURS; /* its group hands on what it holds */
    if (name != NULL && lam_ring_entry_is_named(entry, name))
        return SUIT_OURS;
    if (lam_load_relaxed(&entry->required) != 0)
        return SUIT_NOT_OURS;
    switch (state) {
    case LAM_RING_ENTRY_FREE:
        return entry->name[0] == '\0' ? SUIT_FREE : SUIT_DONE;
    case LAM_RING_ENTRY_GATING:
        return SUIT_GATING;
    case LAM_RING_ENTRY_LEFT:
        return entry->name[0] == '\0' ? SUIT_FREE : SUIT_LEFT;
    case LAM_RING_ENTRY_DEAD:
    case LAM_RING_ENTRY_EVICTED:
        return SUIT_LEFT;
    default:
        return SUIT_DONE;
    }
}

static int is_joined(uint64_t word)
{
    enum lam_ring_entry_state state = lam_ring_entry_state_of(word);

    return state == LAM_RING_ENTRY_GATING || state == LAM_RING_ENTRY_LOSSY ||
           state == LAM_RING_ENTRY_EVICTED || state == LAM_RING_ENTRY_EXPELLED;
}

/*
 * Take the lock of the entry with our name. Its holder may be somebody who leaves, or who gives the
 * entry another name; so a live one of our name counts when it lasts.
 *
 * Returns 0, 1 where the entry is no longer ours, -EEXIST, or -errno of the lock.
 */
static int take_named(struct lam_ring_consumer *consumer, uint32_t index, const char *name)
{
    const struct lam_ring_entry *entry = entry_at(consumer, index);
    uint64_t last = 0;

    for (unsigned naps = 0; naps < NAPS_MAX; naps++) {
        uint64_t word = lam_load_acquire(&entry->state); /* A4 */
        int rc = lam_lock_take(
            &consumer->lock, consumer->ring->control.fd, LAM_RING_LOCK_CONSUMER + index);

        if (rc == 0) {
            if (lam_ring_entry_is_named(entry, name) && suits(entry, name) == SUIT_OURS)
                return 0;
            lam_lock_drop(&consumer->lock);
            return 1;
        }
        if (rc != -EBUSY)
            return rc;
        if (!lam_ring_entry_is_named(entry, name))
            return 1;
        if (is_joined(word) && naps > 0 && word == last)
            return -EEXIST;
        last = word;
        lam_ring_nap();
    }
    return -EEXIST;
}

/* Take any entry that suits us as @suit says. Returns 0, 1 there is none, or -errno. */
static int take_other(struct lam_ring_consumer *consumer, enum suit suit, const char *name)
{
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        struct lam_ring_entry *entry = entry_at(consumer, index);
        uint64_t word = lam_load_acquire(&entry->state); /* A4 */
        int rc;

        if (suits(entry, name) != suit)
            continue;
        rc = lam_lock_take(
            &consumer->lock, consumer->ring->control.fd, LAM_RING_LOCK_CONSUMER + index);
        if (rc == -EBUSY)
            continue;
        if (rc != 0)
            return rc;
        if (suits(entry, name) == suit && lam_load_acquire(&entry->state) == word) { /* A4 */
            consumer->index = index;
            memset(entry->name, 0, sizeof(entry->name)); /* nobody takes us for a dead one */
            return 0;
        }
        lam_lock_drop(&consumer->lock); /* it changed hands meanwhile: look at the next */
    }
    return 1;
}

static int take(struct lam_ring_consumer *consumer, const char *name)
{
    int rc = 1;

    for (uint32_t index = 0; name != NULL && index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        if (!lam_ring_entry_is_named(entry_at(consumer, index), name))
            continue;
        rc = take_named(consumer, index, name);
        consumer->index = index;
        if (rc <= 0)
            return rc;
    }
    for (int suit = SUIT_FREE; rc == 1 && suit < SUIT_NOT_OURS; suit++)
        rc = take_other(consumer, (enum suit)suit, name);
    return rc;
}

int lam_ring_entry_take(
    struct lam_ring_consumer *consumer, const char *name, struct lam_error *error)
{
    const struct lam_ring *ring = consumer->ring;
    int rc = take(consumer, name);

    if (rc == 0) {
        LAM_CRASH_POINT("attach.consumer_locked");
        rc = lam_ring_confirm(ring, error);
        if (rc != 0)
            lam_lock_drop(&consumer->lock);
        return rc;
    }
    if (rc == 1)
        return lam_error_set(error, -EUSERS, "ring %s: all %d places for consumers are taken",
            ring->name, LAM_RING_CONSUMER_COUNT_MAX);
    if (rc == -EEXIST)
        return lam_error_set(
            error, rc, "ring %s: a live consumer is named %s already", ring->name, name);
    return lam_error_set(error, rc, "ring %s: cannot lock: %s", ring->name, strerror(-rc));
}

/*
 * Whether the owner of the entry at @index is alive by the name @name. Of two that join at once the
 * one with the lower entry stays, unless the other did not see it and goes on.
 */
static int has_name(const struct lam_ring_consumer *consumer, uint32_t index, const char *name)
{
    const struct lam_ring *ring = consumer->ring;
    const struct lam_ring_entry *entry = entry_at(consumer, index);
    uint64_t last = 0;

    for (unsigned naps = 0; naps < NAPS_MAX; naps++) {
        uint64_t word = lam_load_acquire(&entry->state); /* A4 */
        enum lam_ring_entry_state state = lam_ring_entry_state_of(word);

        if (state == LAM_RING_ENTRY_FREE || !lam_ring_entry_is_named(entry, name) ||
            lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_CONSUMER + index) != 1)
            return 0;
        if (state == LAM_RING_ENTRY_JOINING ? index < consumer->index : naps > 0 && word == last)
            return 1;
        last = word;
        lam_ring_nap();
    }
    return 1;
}

static int name_is_taken(const struct lam_ring_consumer *consumer, const char *name)
{
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++)
        if (index != consumer->index && has_name(consumer, index, name))
            return 1;
    return 0;
}

int lam_ring_entry_sign(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    struct lam_ring_entry *entry = entry_at(consumer, consumer->index);
    const char *name = options->name;

    entry->identity = lam_identity_self();
    lam_store_relaxed(&entry->parks, 0);
    lam_store_relaxed(&entry->spin_waits, 0);
    lam_store_relaxed(&entry->yield_waits, 0);
    lam_store_relaxed(&entry->lost, 0);
    lam_store_relaxed(&entry->empty, 0);
    lam_store_relaxed(&entry->wakes, 0);
    lam_store_relaxed(&entry->overruns, 0);
    lam_store_relaxed(&entry->joined, UINT64_MAX);
    lam_store_relaxed(&entry->lag_max, 0);
    lam_store_relaxed(&entry->demand, 0);
    memset(consumer->ring->control_head->counters[consumer->index], 0,
        sizeof(consumer->ring->control_head->counters[0]));
    if (consumer->index < consumer->ring->histogram_count)
        memset(&consumer->ring->histograms[consumer->index], 0, sizeof(struct lam_histogram));
    lam_store_relaxed(&entry->patience_ns, options->patience_ns);
    lam_ring_after_declare(consumer, options);
    if (name == NULL)
        (void)snprintf(
            entry->name, sizeof(entry->name), "%u.%u", entry->identity.pid, consumer->index);
    else if (!lam_ring_entry_is_named(entry, name))
        (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    lam_fence_seq_cst(); /* F10: of two that join at once, one at least sees the other's */
    if (name != NULL && name_is_taken(consumer, name))
        return lam_error_set(error, -EEXIST, "ring %s: a live consumer is named %s already",
            consumer->ring->name, name);
    return 0;
}
