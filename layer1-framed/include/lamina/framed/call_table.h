/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_CALL_TABLE_H
#define LAM_FRAMED_CALL_TABLE_H

/*
 * lamina/framed/call_table.h: requests that wait for their end.
 *
 * Framed, layer 1. Pure bookkeeping: no channel, no clock, no memory of its own, nothing shared.
 * lamina/framed/caller.h is this table over a pair of channels; whoever has other channels uses it
 * likewise. A request is *waiting* from begin until it is finished, once: by its answer, its
 * deadline, a cancel, or the end of the channel; *ended* until it is taken; then its slot is free,
 * and the id will not come again for 2^32 rounds of that slot.
 *
 * One thread at a time. All calls take the same time however many requests there are, but where it
 * is said.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"
#include "lamina/base/inline.h"
#include "lamina/framed/call_message.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_CALL_PENDING_MAX     65536
#define LAM_CALL_PENDING_DEFAULT 64

/* No slot; also the end of a list. */
#define LAM_CALL_NONE UINT32_MAX

enum lam_call_state {
    LAM_CALL_FREE = 0,
    LAM_CALL_WAITING = 1,
    LAM_CALL_ENDED = 2,
};

struct lam_call_slot {
    /* Fields are private. */
    uint64_t deadline_ns;
    uint32_t generation;
    uint32_t lot; /* see lam_call_table_divide() */
    enum lam_call_state state;
    uint32_t previous;      /* of those that have ended */
    uint32_t following;     /* likewise; or of the free ones */
    struct lam_reply reply; /* of one that has ended */
};

struct lam_call_table {
    /* Fields are private. */
    struct lam_call_slot *slots; /* the caller's */
    uint32_t slot_count;
    uint32_t free_first;
    uint32_t free_last;
    uint32_t ended_first;
    uint32_t ended_last;
    uint32_t counts[3];   /* by state */
    uint32_t lot;         /* of those that begin */
    uint32_t has_earlier; /* some of an earlier one may wait */
    uint64_t earliest_ns; /* no deadline of a waiting one is earlier */
};

/*
 * Use @slots, @slot_count of them, 1 to LAM_CALL_PENDING_MAX, kept as long as the table is used.
 * Each slot's generations go on from what its memory holds: zeroed memory will do.
 */
void lam_call_table_init(
    struct lam_call_table *table, struct lam_call_slot *slots, uint32_t slot_count);

/* Private: the steps that the inline calls are made of. */
LAM_INLINE uint32_t lam_call_slot_index(
    const struct lam_call_table *table, const struct lam_call_slot *slot)
{
    return (uint32_t)(slot - table->slots);
}

LAM_INLINE uint64_t lam_call_slot_id(uint32_t index, uint32_t generation)
{
    return (uint64_t)generation << 32 | index;
}

/* At the end of the free ones: of all ids, that of this slot's next request is furthest away. */
LAM_INLINE void lam_call_table_set_free(struct lam_call_table *table, struct lam_call_slot *slot)
{
    uint32_t index = lam_call_slot_index(table, slot);

    slot->state = LAM_CALL_FREE;
    slot->following = LAM_CALL_NONE;
    if (table->counts[LAM_CALL_FREE]++ == 0)
        table->free_first = index;
    else
        table->slots[table->free_last].following = index;
    table->free_last = index;
}

/* Its end has come; where it goes is the caller's. */
LAM_INLINE void lam_call_table_leave_waiting(
    struct lam_call_table *table, const struct lam_call_slot *slot)
{
    LAM_ASSERT(slot->state == LAM_CALL_WAITING);
    if (--table->counts[LAM_CALL_WAITING] == 0)
        table->earliest_ns = LAM_DEADLINE_NEVER;
}

/* Never 0: so no id is, and memory that was never written names no request. */
LAM_INLINE uint32_t lam_call_generation_after(uint32_t generation)
{
    return generation + 1 != 0 ? generation + 1 : 1;
}

/*
 * The id that the next request to begin will have, so that it can be sent first: nothing need be
 * undone where that fails.
 *
 * Returns 0 and *@id, or
 *   -EBUSY all slots wait for their end, or for that to be taken
 */
LAM_INLINE int lam_call_table_next(const struct lam_call_table *table, uint64_t *id)
{
    uint32_t index = table->free_first;

    if (table->counts[LAM_CALL_FREE] == 0)
        return -EBUSY;
    *id = lam_call_slot_id(index, lam_call_generation_after(table->slots[index].generation));
    return 0;
}

/* Begin a request; there is a free slot. Returns its id, that of lam_call_table_next(). */
LAM_INLINE uint64_t lam_call_table_begin(struct lam_call_table *table, uint64_t deadline_ns)
{
    uint32_t index = table->free_first;
    struct lam_call_slot *slot = &table->slots[index];

    LAM_ASSERT(table->counts[LAM_CALL_FREE] != 0);
    table->counts[LAM_CALL_FREE]--;
    table->counts[LAM_CALL_WAITING]++;
    table->free_first = slot->following;
    slot->state = LAM_CALL_WAITING;
    slot->generation = lam_call_generation_after(slot->generation);
    slot->lot = table->lot;
    slot->deadline_ns = deadline_ns;
    if (deadline_ns < table->earliest_ns)
        table->earliest_ns = deadline_ns;
    return lam_call_slot_id(index, slot->generation);
}

/* The slot of this @id, whatever its state, or NULL: it was taken, or never was. */
LAM_INLINE struct lam_call_slot *lam_call_table_find(struct lam_call_table *table, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    struct lam_call_slot *slot;

    if (index >= table->slot_count)
        return NULL;
    slot = &table->slots[index];
    return slot->state != LAM_CALL_FREE && slot->generation == id >> 32 ? slot : NULL;
}

/* The slot that waits with this @id, or NULL: what comes for it is late, foreign or hostile. */
LAM_INLINE struct lam_call_slot *lam_call_table_waiting(struct lam_call_table *table, uint64_t id)
{
    struct lam_call_slot *slot = lam_call_table_find(table, id);

    return slot != NULL && slot->state == LAM_CALL_WAITING ? slot : NULL;
}

/*
 * A waiting one has come to its end. Returns its reply: ticket and @outcome are set, all else is 0
 * and is filled by the caller.
 */
struct lam_reply *lam_call_table_finish(
    struct lam_call_table *table, struct lam_call_slot *slot, int32_t outcome);

/* A waiting one has come to its end, and that is taken at once, by who has it. */
LAM_INLINE void lam_call_table_drop(struct lam_call_table *table, struct lam_call_slot *slot)
{
    lam_call_table_leave_waiting(table, slot);
    lam_call_table_set_free(table, slot);
}

/* Finish all that wait, with @outcome. Goes through all slots. Returns how many there were. */
uint32_t lam_call_table_fail(struct lam_call_table *table, int32_t outcome);

/* Those that wait now can be failed without those that begin from now on. */
LAM_INLINE void lam_call_table_divide(struct lam_call_table *table)
{
    table->lot++;
    if (table->counts[LAM_CALL_WAITING] != 0)
        table->has_earlier = 1;
}

/* 1 some that were divided off may wait still. */
LAM_INLINE int lam_call_table_has_earlier(const struct lam_call_table *table)
{
    return table->has_earlier != 0;
}

/* Finish all that were divided off and wait, with @outcome. As lam_call_table_fail(). */
uint32_t lam_call_table_fail_earlier(struct lam_call_table *table, int32_t outcome);

/*
 * Finish with -ETIMEDOUT what had to be answered by @now_ns. Goes through all slots, but only
 * where one may be due. Returns how many were.
 */
uint32_t lam_call_table_expire(struct lam_call_table *table, uint64_t now_ns);

/* No waiting request has a deadline before this; LAM_DEADLINE_NEVER where there is none. */
LAM_INLINE uint64_t lam_call_table_earliest_ns(const struct lam_call_table *table)
{
    return table->earliest_ns;
}

LAM_INLINE uint32_t lam_call_table_count(
    const struct lam_call_table *table, enum lam_call_state state)
{
    return table->counts[state];
}

/*
 * Take the end of the request @ticket, or with NULL of the one that ended first. Its slot is free
 * again.
 *
 * Returns 1 and fills *@reply; 0 it waits, or with NULL none has ended; or
 *   -ENOENT no such request: its end was taken; or with NULL there is none at all
 */
int lam_call_table_take(
    struct lam_call_table *table, const struct lam_ticket *ticket, struct lam_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
