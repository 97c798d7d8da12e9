/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lossy read: stamp and length, copy, acquire fence, and the horizon must still be at or below
 * the event. The producer stores the horizon, fences (F5, a release too), and only then overwrites
 * what lies below; so whoever copied a byte that was overwritten sees the new horizon after its
 * fence. Looking at the stamp again instead would let torn events through: the cells behind the
 * first are overwritten without it.
 */
#include "lamina/ring/lossy.h"
#include "lamina/base/crash_point.h"
#include "layout.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

/*
 * The race is meant: what was torn is thrown away by the look at the horizon afterwards. The one
 * function that ThreadSanitizer is told to leave alone.
 */
__attribute__((no_sanitize("thread"), noinline)) void lam_ring_copy_racing(
    void *to, const void *from, uint64_t bytes)
{
    const uint8_t *source = from;
    uint8_t *target = to;

    for (; bytes >= 8; bytes -= 8, source += 8, target += 8) {
        uint64_t word;

        __builtin_memcpy(&word, source, 8);
        __builtin_memcpy(target, &word, 8);
    }
    while (bytes-- > 0)
        *target++ = *source++;
}

/* After an acquire fence: whether all that was loaded from @sequence on was still whole. */
static int still_there(const struct lam_ring_consumer *consumer, uint64_t sequence)
{
    lam_fence_acquire(); /* A7, pairs with F5: the horizon that was stored before the overwriting */
    return (int64_t)(sequence - lam_load_relaxed(&consumer->ring->data_head->horizon)) >= 0;
}

/* The producer has gone round: find a place to go on, and count what lies between. */
static int lapped(struct lam_ring_consumer *consumer, uint64_t *lost)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    uint64_t depth = consumer->ring->depth;
    struct lam_ring_place place;
    /* A quarter of a lap behind the newest waypoint. */
    int rc = lam_ring_recent_place(consumer->ring, depth / 4 / lam_ring_stride(depth), &place);

    if (rc != 0)
        return rc;
    *lost = place.ordinal - consumer->ordinal;
    consumer->ordinal = place.ordinal;
    consumer->next = place.sequence;
    lam_store_relaxed(consumer->cursor, place.sequence);
    lam_store_relaxed(&entry->cursor_ordinal, place.ordinal);
    lam_ring_count_many(&entry->lost, *lost);
    lam_ring_count(&entry->overruns);
    return -EOVERFLOW;
}

static void pass(struct lam_ring_consumer *consumer, const struct lam_event *event)
{
    consumer->next = event->end;
    consumer->ordinal++;
    /* Relaxed: for observers; nobody waits for a lossy reader. */
    lam_store_relaxed(consumer->cursor, event->end);
    lam_store_relaxed(
        &consumer->ring->control_head->entries[consumer->index].cursor_ordinal, consumer->ordinal);
}

/* What look_once() found is no event. */
#define PADDING 2

/* Header of the next event. Returns 1, 0, or an error, as a read; or PADDING. */
static int look_once(struct lam_ring_consumer *consumer, struct lam_event *event, uint64_t *lost)
{
    const struct lam_event_header *header = lam_ring_consumer_cell(consumer, consumer->next);
    /* A1: see lam_ring_consumer_try_peek(). */
    uint64_t stamp = lam_load_acquire(&header->stamp);
    uint64_t shape = lam_load_relaxed(&header->shape);
    uint64_t is_event;
    uint64_t cell_count = lam_ring_shape_cells(consumer->ring, shape, &is_event);

    if (!still_there(consumer, consumer->next))
        return lapped(consumer, lost);
    if (stamp != consumer->next) {
        int rc = lam_ring_consumer_idle(consumer);

        /* The end is ours only if we were not lapped between the two looks. */
        return rc < 0 && !still_there(consumer, consumer->next) ? lapped(consumer, lost) : rc;
    }
    if (cell_count == 0)
        return lam_ring_consumer_poison(consumer);
    event->payload = (consumer->guards & LAM_RING_GUARD_APART) == 0
                         ? header + 1
                         : lam_ring_consumer_apart(consumer, consumer->next) + 1;
    event->payload_bytes = (uint32_t)shape;
    event->kind = (uint16_t)(shape >> 32);
    event->flags = (uint16_t)(shape >> 48);
    event->sequence = consumer->next;
    event->end = consumer->next + cell_count;
    return is_event ? 1 : PADDING;
}

static int look(struct lam_ring_consumer *consumer, struct lam_event *event, uint64_t *lost)
{
    uint64_t from = consumer->next;
    int rc;

    /* A lap of padding is enough for one look: whoever stores that does not hold us here. */
    while ((rc = look_once(consumer, event, lost)) == PADDING &&
           event->end - from < consumer->ring->depth)
        consumer->next = event->end;
    return rc == PADDING ? 0 : rc;
}

int lam_ring_consumer_try_read(struct lam_ring_consumer *consumer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost)
{
    int rc = look(consumer, event, lost);

    LAM_ASSERT(consumer->policy == LAM_RING_LOSSY);
    if (rc != 1)
        return rc;
    if (event->payload_bytes > capacity)
        return -EMSGSIZE;
    lam_ring_copy_racing(buffer, event->payload, event->payload_bytes);
    LAM_CRASH_POINT("lossy.copied");
    if (!still_there(consumer, event->sequence))
        return lapped(consumer, lost);
    event->payload = buffer;
    pass(consumer, event);
    return 1;
}

int lam_ring_consumer_skip(
    struct lam_ring_consumer *consumer, struct lam_event *event, uint64_t *lost)
{
    int rc = look(consumer, event, lost);

    LAM_ASSERT(consumer->policy == LAM_RING_LOSSY);
    if (rc == 1)
        pass(consumer, event);
    return rc;
}

int lam_ring_consumer_read_until(struct lam_ring_consumer *consumer, uint64_t deadline_ns,
    void *buffer, uint64_t capacity, struct lam_event *event, uint64_t *lost)
{
    int rc = lam_ring_consumer_try_read(consumer, buffer, capacity, event, lost);

    while (rc == 0) {
        int end = lam_ring_consumer_wait_until(consumer, deadline_ns);

        /* The end of the stream, too, is ours only if we were not lapped meanwhile. */
        rc = lam_ring_consumer_try_read(consumer, buffer, capacity, event, lost);
        /* What the wait saw may be gone, or was padding: by a producer that does nothing else. */
        if (rc == 0 && end == 0 && lam_clock_now_ns() >= deadline_ns)
            end = -ETIMEDOUT;
        if (rc == 0 && end != 0)
            return end;
    }
    return rc < 0 ? rc : 0;
}
