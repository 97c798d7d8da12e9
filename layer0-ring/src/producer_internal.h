/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PRODUCER_INTERNAL_H
#define LAM_RING_PRODUCER_INTERNAL_H

/*
 * Shared by the producer's files alone.
 */

#include "count.h"
#include "lamina/ring/producer.h"
#include "wake.h"
#include "walk.h"
#include "worn.h"

/* The producer's map of worn cells. */
struct lam_ring_worn lam_ring_producer_worn(const struct lam_ring_producer *producer);

/*
 * Bring the counts of events and bytes up to now, from the map and the slack, and show the bytes.
 * What is not counted yet is above the horizon, so the map still has its bits.
 */
void lam_ring_producer_tally(struct lam_ring_producer *producer);

/* The lowest cursor of all that gate, or the producer's own position when there is none. */
struct lam_ring_bound {
    uint64_t sequence; /* all below it is released */
    uint32_t index;    /* an entry; from LAM_RING_BLOCKER_GROUP on a group; UINT32_MAX nobody */
    uint64_t state;    /* of that entry or group, when its cursor was read */
};

/* Lower *@bound to that of groups. Only where there are any. */
void lam_ring_group_scan(const struct lam_ring_producer *producer, struct lam_ring_bound *bound);

/* A group, or a member of one, says what cannot be: it no longer gates, and learns it. */
void lam_ring_group_expel(const struct lam_ring_producer *producer, struct lam_ring_bound who);

/* Put the name and, of a member, the pid of the one at @index into *@blocker. */
void lam_ring_group_name(
    const struct lam_ring_producer *producer, uint32_t index, struct lam_ring_blocker *blocker);

/*
 * Ask for the lock of a consumer, and take it out of the table if it is dead. Its name and place
 * are remembered. One that is required is left where it is. Returns 1 if it is out.
 */
int lam_ring_producer_reap(struct lam_ring_producer *producer, uint32_t index);

/* The same, whether it is required or not. */
int lam_ring_producer_bury(struct lam_ring_producer *producer, uint32_t index);

/*
 * Take a consumer that has held us back for longer than it may out of the table, if it is still in
 * the @state in which it did. Returns 1 if it is out.
 */
int lam_ring_producer_evict(
    struct lam_ring_producer *producer, uint32_t index, uint64_t state, uint64_t now_ns);

/* The same, without a look at its patience; but it must have one. Returns 1 if it is out. */
int lam_ring_producer_take_out(struct lam_ring_producer *producer, uint32_t index, uint64_t state);

/* The entry of a consumer of that name, one that gates if there is one; or UINT32_MAX. */
uint32_t lam_ring_producer_find(const struct lam_ring_producer *producer, const char *name);

/* Whether the entry's owner is alive. A system call. */
int lam_ring_producer_sees_alive(const struct lam_ring_producer *producer, uint32_t index);

/* Whether a live consumer of that name gates. A system call. */
int lam_ring_producer_is_gated_by(const struct lam_ring_producer *producer, const char *name);

/* Overwrite nothing of what the ring holds now, until who is awaited has come. */
void lam_ring_producer_hold(struct lam_ring_producer *producer);

/* The name of one who has not, or "" where any would do. */
void lam_ring_producer_missing_name(const struct lam_ring_producer *producer, char *text);

/* Whether nothing above hold_at may be overwritten: who was awaited has not come. */
int lam_ring_producer_holds(struct lam_ring_producer *producer);

/*
 * Look at the required consumers, if it is time to. Returns 0; 1: one was taken out of the table,
 * so that there may be room; or -ECANCELED: one has been missed for too long.
 */
int lam_ring_required_look(struct lam_ring_producer *producer, uint64_t now_ns);

/* Look at the one of that number: its alarm is raised, changed or ended. */
void lam_ring_required_watch(struct lam_ring_producer *producer, uint32_t i, uint64_t now_ns);

/* Whether the consumer of this entry is required: it is not taken out when it is found dead. */
int lam_ring_required_keeps(
    const struct lam_ring_required *required, const struct lam_ring_entry *entry);

/*
 * From now on the entry of the required consumer that gates there is kept when it leaves. Returns
 * 0 where it gates no longer, or is leaving without having seen that it is required.
 */
int lam_ring_required_keep(struct lam_ring_producer *producer, uint32_t index);

/* Whether all required consumers have come once. */
int lam_ring_required_came(struct lam_ring_producer *producer);

#endif
