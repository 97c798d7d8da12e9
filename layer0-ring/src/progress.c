/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is there, and how far: the producer's questions, and its waits for the answers.
 */
#include "lamina/ring/progress.h"
#include "layout.h"
#include "producer_internal.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Between two looks at who has joined: at first, and after a while. */
#define JOIN_PAUSE_NS     UINT64_C(20000)
#define JOIN_PAUSE_MAX_NS LAM_NS_PER_MS

static struct lam_ring_entry *entry_at(const struct lam_ring_producer *producer, uint32_t index)
{
    return &producer->ring->control_head->entries[index];
}

static int is_there(const struct lam_ring_entry *entry)
{
    /* A4 */
    enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));

    return state == LAM_RING_ENTRY_GATING || state == LAM_RING_ENTRY_LOSSY ||
           state == LAM_RING_ENTRY_MEMBER;
}

static int gates(const struct lam_ring_entry *entry)
{
    /* A4 */
    return lam_ring_entry_state_of(lam_load_acquire(&entry->state)) == LAM_RING_ENTRY_GATING;
}

/* The entry or the group that is furthest behind, or UINT32_MAX: nobody gates. */
static uint32_t furthest_behind(const struct lam_ring_producer *producer, uint64_t *lag_cells)
{
    uint64_t used = lam_load_acquire(&producer->ring->control_head->used); /* A26 */
    struct lam_ring_bound groups = {.sequence = producer->next, .index = UINT32_MAX};
    uint32_t found = UINT32_MAX;

    *lag_cells = 0;
    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        const struct lam_ring_entry *entry = entry_at(producer, index);
        uint64_t lag = producer->next - lam_load_acquire(&entry->cursor); /* A2 */

        /* One that cannot be is the next claim's to expel. */
        if (!gates(entry) || (int64_t)lag < 0 || (found != UINT32_MAX && lag <= *lag_cells))
            continue;
        found = index;
        *lag_cells = lag;
    }
    if (lam_load_relaxed(&producer->ring->control_head->groups_used) != 0)
        lam_ring_group_scan(producer, &groups);
    if (groups.index == UINT32_MAX ||
        (found != UINT32_MAX && producer->next - groups.sequence <= *lag_cells))
        return found;
    *lag_cells = producer->next - groups.sequence;
    return groups.index;
}

int lam_ring_producer_lowest(const struct lam_ring_producer *producer, uint64_t *cursor)
{
    uint64_t lag_cells;
    uint32_t index = furthest_behind(producer, &lag_cells);

    *cursor = producer->next - lag_cells;
    return index != UINT32_MAX;
}

int lam_ring_producer_cursor_of(
    const struct lam_ring_producer *producer, const char *name, uint64_t *cursor)
{
    uint32_t index = lam_ring_producer_find(producer, name);

    if (index == UINT32_MAX || !is_there(entry_at(producer, index)))
        return -ENOENT;
    *cursor = lam_load_acquire(&entry_at(producer, index)->cursor); /* A2 */
    return 0;
}

uint64_t lam_ring_producer_lacks(const struct lam_ring_producer *producer, uint64_t cell_count)
{
    uint64_t needed = producer->next + cell_count + 1 - producer->ring->depth;
    uint64_t lowest;

    (void)lam_ring_producer_lowest(producer, &lowest);
    return (int64_t)(needed - lowest) > 0 ? needed - lowest : 0;
}

int lam_ring_producer_is_consumed(const struct lam_ring_producer *producer, uint64_t sequence)
{
    uint64_t lowest;

    (void)lam_ring_producer_lowest(producer, &lowest);
    return (int64_t)(lowest - sequence) > 0;
}

int lam_ring_producer_blocker(struct lam_ring_producer *producer, struct lam_ring_blocker *blocker)
{
    uint64_t lag_cells;
    uint32_t index = furthest_behind(producer, &lag_cells);

    memset(blocker, 0, sizeof(*blocker));
    blocker->index = UINT32_MAX;
    /* Who has not come holds more back than any that has. */
    if (producer->blocker_index == LAM_RING_ANYONE && lam_ring_producer_holds(producer)) {
        lam_ring_producer_missing_name(producer, blocker->name);
        blocker->lag_cells = producer->next - producer->hold_at;
    } else if (index == UINT32_MAX) {
        return 0;
    } else {
        blocker->index = index;
        blocker->lag_cells = lag_cells;
        lam_ring_group_name(producer, index, blocker);
        if (producer->blocker_index != index)
            return 1;
    }
    if (producer->blocked_since_ns != 0)
        blocker->since_ns = lam_clock_now_ns() - producer->blocked_since_ns;
    return 1;
}

uint32_t lam_ring_producer_count(struct lam_ring_producer *producer, const char *prefix)
{
    uint64_t used = lam_load_acquire(&producer->ring->control_head->used); /* A26 */
    size_t prefix_bytes = prefix == NULL ? 0 : strlen(prefix);
    uint32_t count = 0;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        const struct lam_ring_entry *entry = entry_at(producer, index);

        if (!is_there(entry) || prefix_bytes > LAM_RING_CONSUMER_NAME_MAX ||
            memcmp(entry->name, prefix == NULL ? "" : prefix, prefix_bytes) != 0)
            continue;
        if (lam_ring_producer_sees_alive(producer, index))
            count += (uint32_t)lam_ring_entry_is_settled(entry);
        else
            (void)lam_ring_producer_reap(producer, index);
    }
    return count;
}

int lam_ring_producer_wait_consumers_until(
    struct lam_ring_producer *producer, uint32_t count, uint64_t deadline_ns)
{
    /* Nobody rings a bell for who comes, and it happens once: asleep between looks. */
    lam_atomic_u32 nobody = 0;
    uint64_t pause_ns = JOIN_PAUSE_NS;

    if (count > LAM_RING_CONSUMER_COUNT_MAX)
        return -EINVAL;
    while (lam_ring_producer_count(producer, NULL) < count) {
        uint64_t now_ns = lam_clock_now_ns();
        uint64_t next_ns = now_ns + pause_ns;

        if (now_ns >= deadline_ns)
            return -ETIMEDOUT;
        (void)lam_base->futex_wait(&nobody, 0, next_ns < deadline_ns ? next_ns : deadline_ns);
        pause_ns = pause_ns < JOIN_PAUSE_MAX_NS ? 2 * pause_ns : JOIN_PAUSE_MAX_NS;
    }
    return 0;
}

static int is_there_by_name(const struct lam_ring_producer *producer, const char *name)
{
    uint32_t index = lam_ring_producer_find(producer, name);

    return index != UINT32_MAX && is_there(entry_at(producer, index)) &&
           lam_ring_entry_is_settled(entry_at(producer, index)) &&
           lam_ring_producer_sees_alive(producer, index);
}

int lam_ring_producer_is_gated_by(const struct lam_ring_producer *producer, const char *name)
{
    uint32_t index = lam_ring_producer_find(producer, name);

    return index != UINT32_MAX && gates(entry_at(producer, index)) &&
           lam_ring_producer_sees_alive(producer, index);
}

static uint32_t first_missing(
    const struct lam_ring_producer *producer, const char *const *names, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && is_there_by_name(producer, names[i]))
        i++;
    return i;
}

int lam_ring_producer_wait_names_until(struct lam_ring_producer *producer, const char *const *names,
    uint32_t count, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_wait wait;
    char missing[LAM_ERROR_TEXT_BYTES / 2] = "";
    size_t bytes = 0;

    if (names == NULL || count == 0 || count > LAM_RING_CONSUMER_COUNT_MAX)
        return lam_error_set(error, -EINVAL, "ring %s: waits for %u names: 1 to %d",
            producer->ring->name, count, LAM_RING_CONSUMER_COUNT_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (!lam_ring_is_consumer_name(names[i]))
            return lam_error_set(error, -EINVAL, "ring %s: name %u is none that a consumer has",
                producer->ring->name, i);
    lam_wait_init(&wait, LAM_WAIT_YIELD, LAM_WAIT_SPIN_NS_DEFAULT, deadline_ns);
    while (first_missing(producer, names, count) < count) {
        if (lam_wait_step(&wait) >= 0)
            continue;
        for (uint32_t i = 0; i < count && bytes < sizeof(missing); i++)
            if (!is_there_by_name(producer, names[i]))
                bytes +=
                    (size_t)snprintf(missing + bytes, sizeof(missing) - bytes, " %s", names[i]);
        return lam_error_set(error, -ETIMEDOUT, "ring %s: these consumers have not come:%s",
            producer->ring->name, missing);
    }
    return 0;
}
