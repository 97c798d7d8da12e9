/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PRODUCER_INTERNAL_H
#define LAM_RING_PRODUCER_INTERNAL_H

/*
 * Shared by the producer's files alone.
 */

#include "lamina/ring/producer.h"
#include "worn.h"

/* The producer's map of worn cells. */
struct lam_ring_worn lam_ring_producer_worn(const struct lam_ring_producer *producer);

/*
 * Bring the counts of events and bytes up to now, from the map and the slack, and show the bytes.
 * What is not counted yet is above the horizon, so the map still has its bits.
 */
void lam_ring_producer_tally(struct lam_ring_producer *producer);

/*
 * Ask for the lock of the consumer that holds us back, and free its entry if it is dead.
 * Returns 1 if it was.
 */
int lam_ring_producer_reap(struct lam_ring_producer *producer, uint32_t index);

#endif
