/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a consumer's reading starts.
 *
 * A gating one stores its cursor first and then looks whether what it gates is still there: see
 * producer_room.c. From the settled place on nothing is overwritten, and the head is found by
 * walking. A lossy one holds nobody, so its walk counts only if nothing under it was overwritten.
 */
#include "settle.h"

#include <errno.h>

/* The horizon moves once a sixteenth of a lap; a producer that moves it all the time is no ring. */
#define TRIES_MAX 100000

static uint64_t horizon_now(const struct lam_ring *ring)
{
    return lam_load_relaxed(&ring->data_head->horizon);
}

int lam_ring_recent_place(const struct lam_ring *ring, uint64_t back, struct lam_ring_place *place)
{
    const struct lam_ring_data *data = ring->data_head;

    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        /* A3, pairs with R3: the entries up to this one are complete. */
        uint64_t count = lam_load_acquire(&data->waypoint_count);
        uint64_t at = count - 1 - (count > back ? back : count - 1);

        for (; at < count; at++) {
            const struct lam_ring_waypoint *waypoint =
                &data->waypoints[at % LAM_RING_WAYPOINT_COUNT];

            place->sequence = lam_load_relaxed(&waypoint->sequence);
            place->ordinal = lam_load_relaxed(&waypoint->ordinal);
            lam_fence_acquire(); /* A8, pairs with R7 in lam_ring_producer_waypoint() */
            /* Neither rewritten under us, nor overwritten cells. */
            if (lam_load_relaxed(&data->waypoint_count) - at < LAM_RING_WAYPOINT_COUNT &&
                (int64_t)(place->sequence - horizon_now(ring)) >= 0)
                return 0;
        }
    }
    return -EPROTO;
}

int lam_ring_find_head(const struct lam_ring *ring, struct lam_ring_place *place)
{
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        int rc = lam_ring_recent_place(ring, 0, place);
        uint64_t from = place->sequence;

        if (rc != 0)
            return rc;
        rc = lam_ring_walk(ring, place);
        lam_fence_acquire(); /* A7, pairs with F5 */
        if ((int64_t)(from - horizon_now(ring)) >= 0)
            return rc; /* nothing under the walk was overwritten */
    }
    return -EPROTO;
}

static int settle_lossy(struct lam_ring_consumer *consumer, enum lam_ring_start start)
{
    struct lam_ring_place place = {0};
    int rc = start == LAM_RING_HEAD
                 ? lam_ring_find_head(consumer->ring, &place)
                 : lam_ring_recent_place(consumer->ring, LAM_RING_WAYPOINT_COUNT - 2, &place);

    consumer->next = place.sequence;
    consumer->ordinal = place.ordinal;
    lam_store_relaxed(
        &consumer->ring->control_head->entries[consumer->index].cursor_ordinal, place.ordinal);
    return rc;
}

/*
 * How many events lie before @place, a boundary that we gate: those before a waypoint behind it,
 * less those on the way there.
 */
static int count_before(const struct lam_ring *ring, struct lam_ring_place *place)
{
    struct lam_ring_place waypoint = {0};
    struct lam_ring_place walked = {.sequence = place->sequence};
    int rc = lam_ring_recent_place(ring, LAM_RING_WAYPOINT_COUNT - 2, &waypoint);

    /* A waypoint more than a lap away is a lie, and stamps that keep pace with us another. */
    while (rc == 0 && (int64_t)(walked.sequence - waypoint.sequence) < 0 &&
           walked.sequence - place->sequence < ring->depth)
        rc = lam_ring_walk_one(ring, &walked) == 1 ? 0 : -EPROTO;
    place->ordinal = waypoint.ordinal - walked.ordinal;
    return walked.sequence == waypoint.sequence ? rc : -EPROTO;
}

static int settle_gating(struct lam_ring_consumer *consumer, enum lam_ring_start start)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_place place = {0};
    unsigned tries = 0;
    int rc;

    do {
        place.sequence = horizon_now(ring);
        rc = start == LAM_RING_HEAD ? lam_ring_recent_place(ring, 0, &place) : 0;
        if (rc != 0 || ++tries > TRIES_MAX)
            return -EPROTO;
        lam_store_release(consumer->cursor, place.sequence);
        lam_fence_seq_cst(); /* F6, pairs with F5 in raise_horizon(); joins was counted before */
    } while ((int64_t)(place.sequence - horizon_now(ring)) < 0);
    rc = start == LAM_RING_HEAD ? lam_ring_walk(ring, &place) : count_before(ring, &place);
    consumer->next = place.sequence;
    consumer->ordinal = place.ordinal;
    return rc;
}

/* Enter the table and find a place. Returns 0, or -ESTALE: evicted while looking for it. */
static int enter(struct lam_ring_consumer *consumer, enum lam_ring_start start)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_entry *entry = &ring->control_head->entries[consumer->index];
    int lossy = consumer->policy == LAM_RING_LOSSY;
    uint64_t state = lam_load_acquire(&entry->state);
    int rc;

    /*
     * R10, pairs with A2 in after.c: who sees this cursor, and followed the entry's last owner, sees
     * that the entry is another's.
     */
    lam_store_release(consumer->cursor, horizon_now(ring));
    /* R4, pairs with the acquire of state in the producer's scan: the cursor is there. */
    do {
        consumer->entry_state =
            lam_ring_entry_next(state, lossy ? LAM_RING_ENTRY_LOSSY : LAM_RING_ENTRY_GATING);
    } while (!lam_cas_acq_rel(&entry->state, &state, consumer->entry_state));
    (void)lam_or_seq_cst(&ring->control_head->used, UINT64_C(1) << consumer->index);
    /* R9, pairs with A9 in the producer's rescan(): who sees the count sees entry and cursor. */
    (void)lam_add_acq_rel(&ring->control_head->joins, 1);
    rc = lossy ? settle_lossy(consumer, start) : settle_gating(consumer, start);
    return lam_ring_consumer_is_evicted(consumer) ? -ESTALE : rc;
}

int lam_ring_settle(
    struct lam_ring_consumer *consumer, enum lam_ring_start start, struct lam_error *error)
{
    unsigned tries = 0;
    int rc;

    consumer->stride = 1;
    do {
        rc = enter(consumer, start);
    } while (rc == -ESTALE && ++tries < TRIES_MAX);
    if (rc != 0)
        return lam_error_set(error, rc,
            "ring %s: no place to start: an impossible event, or a producer that never lets us in",
            consumer->ring->name);
    (void)lam_ring_consumer_release(consumer);
    return 0;
}
