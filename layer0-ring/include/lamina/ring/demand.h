/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_DEMAND_H
#define LAM_RING_DEMAND_H

/*
 * lamina/ring/demand.h: how full a ring is, and how full its consumers want it to look.
 *
 * Ring, layer 0. A demand is a word of a consumer's entry, in thousandths: a wish, which holds
 * nobody back by itself. A layer above may mind it (lamina/framed/pressure.h).
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_DEMAND_MAX 1000

/*
 * Set this consumer's demand; it starts with 0. It counts until it detaches, is evicted or is found
 * dead. The consumer's thread. Wait-free; one system call if the producer sleeps on us.
 *
 * Returns 0, or
 *   -EINVAL above LAM_RING_DEMAND_MAX
 */
int lam_ring_consumer_demand(struct lam_ring_consumer *consumer, uint32_t per_mille);

/*
 * The highest demand of all that are joined. What cannot be a demand is none. Any process that has
 * the ring mapped, read-only too. Wait-free. The dead count until the producer has found them.
 */
uint32_t lam_ring_demand(const struct lam_ring *ring);

/* The same, for the producer: the dead are taken out of the table, looked for each 8 ms. */
uint32_t lam_ring_producer_demand(struct lam_ring_producer *producer);

/*
 * Wait by the ladder until no demand is above @per_mille_max.
 *
 * Returns 0, or
 *   -ETIMEDOUT       one was at @deadline_ns
 *   -ENOTRECOVERABLE the ring is poisoned
 */
int lam_ring_producer_await_demand_until(
    struct lam_ring_producer *producer, uint32_t per_mille_max, uint64_t deadline_ns);

/*
 * Wait as lam_ring_producer_claim_until() would for room for @cell_count cells, of any events;
 * claim nothing. Returns as that; -EMSGSIZE: more than the ring has.
 */
int lam_ring_producer_await_room_until(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns);

/*
 * How many cells are in use: published, and not released by the slowest that gates; 0 where nobody
 * gates. Groups do not count. Any process, as lam_ring_stat_read(): walks about a sixteenth of the
 * ring.
 *
 * Returns 0, or
 *   -EPROTO the data object makes no sense
 */
int lam_ring_used_cells(const struct lam_ring *ring, uint64_t *used_cells);

#ifdef __cplusplus
}
#endif

#endif
