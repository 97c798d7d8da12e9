/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a consumer's reading starts.
 *
 * A gating one stores its cursor first and then looks whether what it gates is still there: see
 * producer_room.c. From the settled place on nothing is overwritten, and the head is found by
 * walking. A lossy one holds nobody, so its walk counts only if nothing under it was overwritten.
 */
#include "settle.h"
#include "lamina/base/crash_point.h"

#include <errno.h>

/*
 * How often a place is looked for, all loops of one search together: a producer that overtakes us
 * does so a few times, and one that does it for ever is no ring. After the sure tries the clock
 * ends it; the count, where a clock stands still.
 */
#define TRIES_SURE 1000
#define TRIES_MAX  100000
#define SEARCH_NS  (100 * LAM_NS_PER_MS)

struct tries {
    uint64_t until_ns;
    unsigned count;
};

static int may_try(struct tries *tries)
{
    if (++tries->count <= TRIES_SURE)
        return 1;
    if (tries->until_ns == 0)
        tries->until_ns = lam_deadline_after_ns(SEARCH_NS);
    return tries->count <= TRIES_MAX && lam_clock_now_ns() < tries->until_ns;
}

static uint64_t horizon_now(const struct lam_ring *ring)
{
    return lam_load_relaxed(&ring->data_head->horizon);
}

static int recent_place(
    const struct lam_ring *ring, uint64_t back, struct lam_ring_place *place, struct tries *tries)
{
    const struct lam_ring_data *data = ring->data_head;

    while (may_try(tries)) {
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

int lam_ring_recent_place(const struct lam_ring *ring, uint64_t back, struct lam_ring_place *place)
{
    struct tries tries = {0};

    return recent_place(ring, back, place, &tries);
}

static int find_head(const struct lam_ring *ring, struct lam_ring_place *place, struct tries *tries)
{
    while (may_try(tries)) {
        int rc = recent_place(ring, 0, place, tries);
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

int lam_ring_find_head(const struct lam_ring *ring, struct lam_ring_place *place)
{
    struct tries tries = {0};

    return find_head(ring, place, &tries);
}

static int settle_lossy(
    struct lam_ring_consumer *consumer, enum lam_ring_start start, struct tries *tries)
{
    struct lam_ring_place place = {0};
    int rc = start == LAM_RING_HEAD
                 ? find_head(consumer->ring, &place, tries)
                 : recent_place(consumer->ring, LAM_RING_WAYPOINT_COUNT - 2, &place, tries);

    consumer->next = place.sequence;
    consumer->ordinal = place.ordinal;
    lam_store_relaxed(
        &consumer->ring->control_head->entries[consumer->index].cursor_ordinal, place.ordinal);
    return rc;
}

/* Whether events lead from @from to @to; *@count is how many. A lie leads no further than a lap. */
static int leads_to(const struct lam_ring *ring, uint64_t from, uint64_t to, uint64_t *count)
{
    struct lam_ring_place walked = {.sequence = from};

    while ((int64_t)(walked.sequence - to) < 0 && walked.sequence - from < ring->depth)
        if (lam_ring_walk_one(ring, &walked) != 1)
            return 0;
    *count = walked.ordinal;
    return walked.sequence == to;
}

/*
 * How many events lie before @place, a boundary that we gate: those before a waypoint behind it,
 * less those on the way there. Only where no waypoint is behind it, those before the newest and
 * from there on: that way nobody gates.
 */
static int count_before(
    const struct lam_ring *ring, struct lam_ring_place *place, struct tries *tries)
{
    struct lam_ring_place waypoint = {0};
    uint64_t count = 0;

    while (may_try(tries)) {
        int rc = recent_place(ring, LAM_RING_WAYPOINT_COUNT - 2, &waypoint, tries);

        if (rc == 0 && (int64_t)(waypoint.sequence - place->sequence) < 0)
            rc = recent_place(ring, 0, &waypoint, tries);
        if (rc != 0)
            return rc;
        if ((int64_t)(waypoint.sequence - place->sequence) >= 0) {
            rc = leads_to(ring, place->sequence, waypoint.sequence, &count) ? 0 : -EPROTO;
            place->ordinal = waypoint.ordinal - count;
            return rc;
        }
        rc = leads_to(ring, waypoint.sequence, place->sequence, &count) ? 0 : -EPROTO;
        place->ordinal = waypoint.ordinal + count;
        lam_fence_acquire(); /* A7, pairs with F5 */
        if ((int64_t)(waypoint.sequence - horizon_now(ring)) >= 0)
            return rc; /* nothing under the walk was overwritten */
    }
    return -EPROTO;
}

/* @origin: LAM_RING_RESUME's place; what is still there of it and above. */
static int settle_gating(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    const struct lam_ring_origin *origin, struct tries *tries)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_place place = {0};
    int rc;

    do {
        place.sequence = horizon_now(ring);
        if (start == LAM_RING_RESUME &&
            (origin->is_held || (int64_t)(origin->sequence - place.sequence) > 0))
            place.sequence = origin->sequence;
        rc = start == LAM_RING_HEAD ? recent_place(ring, 0, &place, tries) : 0;
        if (rc != 0 || !may_try(tries))
            return -EPROTO;
        lam_store_release(consumer->cursor, place.sequence); /* R10 */
        LAM_CRASH_POINT("join.cursor_stored");
        lam_fence_seq_cst(); /* F6, pairs with F5 in raise_horizon(); joins was counted before */
    } while ((int64_t)(place.sequence - horizon_now(ring)) < 0 &&
             !(start == LAM_RING_RESUME && origin->is_held));
    rc = start == LAM_RING_HEAD ? lam_ring_walk(ring, &place) : count_before(ring, &place, tries);
    consumer->next = place.sequence;
    consumer->ordinal = place.ordinal;
    return rc;
}

/*
 * Enter the table and find a place. Returns 0, or -ESTALE: evicted while looking for it, or the
 * predecessor's entry changed under us.
 */
static int enter(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    struct lam_ring_origin *origin, struct tries *tries)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_entry *entry = &ring->control_head->entries[consumer->index];
    int lossy = consumer->policy == LAM_RING_LOSSY;
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */
    int rc;

    if (start == LAM_RING_RESUME) {
        rc = lam_ring_take_place(consumer, origin, horizon_now(ring));
        if (rc != 0)
            return rc;
    } else {
        /*
         * R10, pairs with A2 in after.c: who sees this cursor, and followed the entry's last owner,
         * sees that the entry is another's.
         */
        lam_store_release(consumer->cursor, horizon_now(ring));
        /* R4, pairs with the acquire of state in the producer's scan: the cursor is there. */
        do {
            consumer->entry_state =
                lam_ring_entry_next(state, lossy ? LAM_RING_ENTRY_LOSSY : LAM_RING_ENTRY_GATING);
            lam_ring_keep_place(entry, state, consumer->entry_state); /* of one that was evicted */
        } while (!lam_cas_acq_rel(&entry->state, &state, consumer->entry_state)); /* R4 */
    }
    LAM_CRASH_POINT("join.gating");
    (void)lam_or_seq_cst(&ring->control_head->used, UINT64_C(1) << consumer->index); /* R26 */
    LAM_CRASH_POINT("join.used");
    /* R9, pairs with A9 in the producer's rescan(): who sees the count sees entry and cursor. */
    (void)lam_add_acq_rel(&ring->control_head->joins, 1);
    LAM_CRASH_POINT("join.counted");
    rc = lossy ? settle_lossy(consumer, start, tries)
               : settle_gating(consumer, start, origin, tries);
    return lam_ring_consumer_is_evicted(consumer) ? -ESTALE : rc;
}

int lam_ring_settle(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    struct lam_ring_origin *origin, struct lam_error *error)
{
    struct tries tries = {0};
    int rc;

    consumer->stride = 1;
    do {
        rc = enter(consumer, start, origin, &tries);
    } while (rc == -ESTALE && may_try(&tries));
    if (rc == 0 && start == LAM_RING_RESUME)
        rc = lam_ring_count_lost(consumer, origin);
    if (rc != 0)
        return lam_error_set(error, rc,
            "ring %s: no place to start: an impossible event, a predecessor's place that cannot "
            "be, or a producer that never lets us in",
            consumer->ring->name);
    (void)lam_ring_consumer_release(consumer);
    return 0;
}
