/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_WAIT_ANY_H
#define LAM_RING_WAIT_ANY_H

/*
 * lamina/ring/wait_any.h: one wait over several rings.
 *
 * Ring, layer 0. A thread that consumes from several rings spins over all their next cells, then
 * announces itself in all rings, looks again, and sleeps on all bells at once.
 */

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_WAIT_ANY_MAX 64

/*
 * Wait until one of @consumers, @count of them, will find something; take nothing. All are this
 * thread's; lossy ones, too. The wait goes by the mode and the cadence of the first, but yields
 * instead of sleeping where a ring is SPIN_ONLY.
 *
 * *@index: in, the one that was served last, UINT32_MAX for none; out, the one found. The search
 * starts behind the one served last, so that none is served twice while another one is ready.
 *
 * Returns 0 with *@index; or the end of one's stream, with *@index: -EPIPE, -ECANCELED,
 * -EOWNERDEAD, -ESTALE, -ENOTRECOVERABLE as lam_ring_consumer_try_peek(), only while no other is
 * ready: leave it out of the next call, which would say so again; or
 *   -ETIMEDOUT nothing came by @deadline_ns; *@index is as it was
 *   -EINVAL    @count is 0 or more than LAM_RING_WAIT_ANY_MAX
 */
int lam_ring_wait_any_until(struct lam_ring_consumer *const *consumers, uint32_t count,
    uint64_t deadline_ns, uint32_t *index);

/*
 * The same, but that the end of a stream is no news for those whose bits (1 << index) are in
 * @ended: they are waited for all the same, since a successor may go on.
 */
int lam_ring_wait_any_but_until(struct lam_ring_consumer *const *consumers, uint32_t count,
    uint64_t ended, uint64_t deadline_ns, uint32_t *index);

#ifdef __cplusplus
}
#endif

#endif
