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
    uint64_t earliest_ns; /* no deadline of a waiting one is earlier */
};

/*
 * Use @slots, @slot_count of them, 1 to LAM_CALL_PENDING_MAX, kept as long as the table is used.
 * Each slot's generations go on from what its memory holds: zeroed memory will do.
 */
void lam_call_table_init(
    struct lam_call_table *table, struct lam_call_slot *slots, uint32_t slot_count);

/*
 * The id that the next request to begin will have, so that it can be sent first: nothing need be
 * undone where that fails.
 *
 * Returns 0 and *@id, or
 *   -EBUSY all slots wait for their end, or for that to be taken
 */
int lam_call_table_next(const struct lam_call_table *table, uint64_t *id);

/* Begin a request; there is a free slot. Returns its id, that of lam_call_table_next(). */
uint64_t lam_call_table_begin(struct lam_call_table *table, uint64_t deadline_ns);

/* The slot that waits with this @id, or NULL: what comes for it is late, foreign or hostile. */
struct lam_call_slot *lam_call_table_waiting(struct lam_call_table *table, uint64_t id);

/* The slot of this @id, whatever its state, or NULL: it was taken, or never was. */
struct lam_call_slot *lam_call_table_find(struct lam_call_table *table, uint64_t id);

/*
 * A waiting one has come to its end. Returns its reply: ticket and @outcome are set, all else is 0
 * and is filled by the caller.
 */
struct lam_reply *lam_call_table_finish(
    struct lam_call_table *table, struct lam_call_slot *slot, int32_t outcome);

/* A waiting one has come to its end, and that is taken at once, by who has it. */
void lam_call_table_drop(struct lam_call_table *table, struct lam_call_slot *slot);

/* Finish all that wait, with @outcome. Goes through all slots. Returns how many there were. */
uint32_t lam_call_table_fail(struct lam_call_table *table, int32_t outcome);

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
