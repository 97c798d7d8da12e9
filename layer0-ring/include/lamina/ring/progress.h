/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PROGRESS_H
#define LAM_RING_PROGRESS_H

/*
 * lamina/ring/progress.h: who is there, how far they are, and waiting for them.
 *
 * Ring, layer 0. Questions of the producer about its consumers. They read the consumer table, and
 * where a death matters ask for locks: none belongs on a hot path. A consumer is *there* once it
 * has joined, until it leaves, dies or is evicted; by one name it is there once, however often it
 * came. For counters of all kinds see lamina/ring/stat.h, which any process can read.
 *
 * All calls by the producer's thread.
 */

#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/ring/producer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The sequence behind the last published event: all below it is published. Wait-free. */
LAM_INLINE uint64_t lam_ring_producer_published(const struct lam_ring_producer *producer)
{
    return producer->next;
}

/*
 * The lowest cursor of all gating consumers: all below it is released by all. Wait-free.
 *
 * Returns 1, or 0: nobody gates, and *@cursor is what lam_ring_producer_published() says.
 */
int lam_ring_producer_lowest(const struct lam_ring_producer *producer, uint64_t *cursor);

/*
 * The cursor of the consumer that has this name. Wait-free. A dead one counts until it is found
 * dead.
 *
 * Returns 0, or
 *   -ENOENT none of that name is there
 */
int lam_ring_producer_cursor_of(
    const struct lam_ring_producer *producer, const char *name, uint64_t *cursor);

/*
 * How many consumers are there, and alive, whose name begins with @prefix (NULL: all). A system
 * call each. The dead are taken out of the table.
 */
uint32_t lam_ring_producer_count(struct lam_ring_producer *producer, const char *prefix);

/*
 * How many cells must be released before @cell_count of them can be claimed (for an event,
 * lam_ring_event_cells()); 0: a claim would succeed, as far as consumers are concerned. Wait-free.
 */
uint64_t lam_ring_producer_lacks(const struct lam_ring_producer *producer, uint64_t cell_count);

/*
 * Whether the event at @sequence was released by all that gate; where nobody gates, whether it was
 * published. Wait-free.
 */
int lam_ring_producer_is_consumed(const struct lam_ring_producer *producer, uint64_t sequence);

/*
 * Wait until that is so, by the ladder; also after a close. The dead are taken out of the table
 * meanwhile, and required ones looked at; nobody is evicted for it.
 *
 * Returns 0, or
 *   -ETIMEDOUT       it was not so at @deadline_ns; lam_ring_producer_blocker() says who is behind
 *   -EINVAL          @sequence is not published
 *   -ECANCELED       a required consumer was not back within its grace
 *   -ENOTRECOVERABLE the ring is poisoned
 */
int lam_ring_producer_await_consumed_until(
    struct lam_ring_producer *producer, uint64_t sequence, uint64_t deadline_ns);

/*
 * Wait until consumers of all these names are there.
 *
 * Returns 0, or
 *   -ETIMEDOUT some were not at @deadline_ns; @error names them
 *   -EINVAL    no or more than 64 names, or one that no consumer can have
 */
int lam_ring_producer_wait_names_until(struct lam_ring_producer *producer, const char *const *names,
    uint32_t count, uint64_t deadline_ns, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
