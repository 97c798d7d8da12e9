/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CONSUMER_H
#define LAM_RING_CONSUMER_H

/*
 * lamina/ring/consumer.h: an end that reads.
 *
 * Ring, layer 0. Every consumer sees every event, in order, where it lies (lamina/ring/peek.h). A
 * gating consumer holds the producer back until it releases: what it peeked stays as it is. It
 * joins and leaves while the ring runs; when it dies, the kernel drops its lock and it holds nobody
 * back.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a
 * producer that sleeps, and allocate nothing.
 */

#include <stdint.h>

#include "lamina/ring/consumer_end.h"
#include "lamina/ring/consumer_options.h"
#include "lamina/ring/peek.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Join @ring, kept until lam_ring_consumer_detach(). @options may be NULL: gating, at head, hybrid
 * waits. A lossy consumer reads by lamina/ring/lossy.h, and aborts if it peeks.
 *
 * Returns 0, or
 *   -EINVAL  there is no such policy, start or wait mode; the name is empty or too long, the policy
 *            and its patience do not fit, there is nothing to resume by (no name, or a lossy
 *            policy), or one to go after is lossy or may be evicted: then nobody could say what it
 *            has seen
 *   -EEXIST  a live consumer has that name
 *   -ELOOP   it would go after itself, over others that go after it; @error has the way round
 *   -ENOENT  the ring was destroyed or replaced since it was attached: attach it anew. Or nobody
 *            of a name to go after had joined by after_deadline_ns; @error says which
 *   -EUSERS  the table of 64 is full
 *   -EBUSY   another process replaces or cleans the ring, and does not end
 *   -EACCES  control is mapped read-only (an observer)
 *   -EPROTO  the ring makes no sense, or what a predecessor left; @error says where
 *   -ESTALE  evicted again and again while it looked for its place
 *   -ENOTSUP no lock can be taken here (no /proc)
 *   -errno   of the system call that @error names
 */
int lam_ring_consumer_attach(struct lam_ring_consumer *consumer, struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error);

/*
 * What an attach with LAM_RING_RESUME found. *@lost: events that the predecessor had not released
 * and that are no longer in the ring, exactly; the reading starts behind them. 0 while the producer
 * has not found a dead one dead: until then it holds its place.
 *
 * Returns 1: in the place of a predecessor of this name, that died, was evicted, or left; what it
 * had not released comes again, nothing else does. 0: no such place is known.
 */
int lam_ring_consumer_resumed(const struct lam_ring_consumer *consumer, uint64_t *lost);

/*
 * Leave. What was peeked and not released may be overwritten from now on. One that gates and has a
 * name of its own leaves its place to who resumes by that name; of a required one
 * (lamina/ring/required.h) the producer holds it as long as it would a dead one's.
 */
void lam_ring_consumer_detach(struct lam_ring_consumer *consumer);

/*
 * Join again after an eviction, in the same entry; no event comes twice. *@lost is how many events
 * lie between the last that was peeked and the new start, exactly. Those that were peeked and not
 * released may have changed under the eye, as the refused release has told.
 *
 * Returns 0, or
 *   -EALREADY this consumer was not evicted
 *   -EPROTO   no place to start makes sense
 *   -ESTALE   it was evicted again and again while it looked for one
 * On error it is evicted as before.
 */
int lam_ring_consumer_readmit(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    uint64_t *lost, struct lam_error *error);

/*
 * Where this consumer stands: the sequence of the event that it looks at next, and how many events
 * of the ring came before that one. So a loss has a range: what lies between the places before and
 * after the readmit, or the lossy read, that told of it. Wait-free.
 */
LAM_INLINE void lam_ring_consumer_place(
    const struct lam_ring_consumer *consumer, uint64_t *sequence, uint64_t *ordinal)
{
    *sequence = consumer->next;
    *ordinal = consumer->ordinal;
}

#ifdef __cplusplus
}
#endif

#endif
