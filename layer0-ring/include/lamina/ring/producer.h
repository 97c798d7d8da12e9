/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PRODUCER_H
#define LAM_RING_PRODUCER_H

/*
 * lamina/ring/producer.h: the end that writes.
 *
 * Ring, layer 0. One producer at a time, held by a lock that the kernel drops at its death; the
 * next one takes the next epoch and continues the sequence. Claim space, write the payload where it
 * will be read, commit; or abort, and nothing was there (lamina/ring/claim.h). Events become
 * visible whole, in order; a batch becomes visible all at once (lamina/ring/batch.h).
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a peer
 * that sleeps, and allocate nothing.
 */

#include <stdint.h>

#include "lamina/base/wait.h"
#include "lamina/ring/batch.h"
#include "lamina/ring/claim.h"
#include "lamina/ring/producer_end.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_ring_producer_options {
    enum lam_wait_mode wait;  /* while the ring is full; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;         /* the spin window, ns; 0: HYBRID learns it, YIELD has the default */
    uint32_t timestamp_every; /* lamina/ring/timestamp.h: so many commits have one time; 0 none */
    /*
     * Buffer until consumers come: the ring may be filled before, and nothing of it is overwritten
     * until so many gate it, and those of these names. Then it ends by itself. Names are kept by
     * the caller until then, or until detach.
     */
    uint32_t await_count;
    uint32_t await_name_count; /* at most 64 */
    const char *const *await_names;
};

/* Who holds a producer back. */
struct lam_ring_blocker {
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    uint32_t index;     /* in the consumer table; from 64 on it is a group, short of members */
    uint32_t pid;       /* as the consumer wrote it, in its own namespace */
    uint64_t lag_cells; /* between its cursor and the producer */
    uint64_t since_ns;  /* how long the producer has waited for it, 0 it does not */
};

/*
 * Become the producer of @ring, which was created or attached for writing and is kept until
 * lam_ring_producer_detach(). @options may be NULL. After a predecessor that died, unfinished
 * events are dropped, published ones kept, and the epoch grows.
 *
 * Allocates the private map of worn cells. Returns 0, or
 *   -EINVAL   the ring is for many producers; there is no such wait mode; or more is awaited than a
 *             ring can have, or a name that no consumer can have
 *   -EBUSY    another producer is alive; @error has its pid. Or another process replaces or cleans
 *             the ring, and does not end
 *   -ENOENT   the ring was destroyed or replaced since it was attached: attach it anew
 *   -EACCES   the ring is mapped read-only
 *   -EPROTO   the data object makes no sense; @error says which field
 *   -ENOTSUP  no lock can be taken here (no /proc)
 *   -ENOMEM, -errno
 */
int lam_ring_producer_attach(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options, struct lam_error *error);

/*
 * Close the ring in order: consumers get -EPIPE once they have taken the last event. A claim in
 * hand is aborted. The next producer opens the ring again. Nothing happens after a close or a
 * failure. Wait-free; one system call if a consumer sleeps.
 */
void lam_ring_producer_close(struct lam_ring_producer *producer);

/*
 * Give the end back, and what the attach allocated. Without a close before, consumers see a
 * producer that died; a claim in hand was never there. Safe on an end that failed to attach.
 */
void lam_ring_producer_detach(struct lam_ring_producer *producer);

/*
 * Who holds the producer back: the consumer whose cursor is the lowest, and since when a claim has
 * failed because of it. Or, of those that the producer buffers for, one that has not come: then
 * *@blocker has its name, "" where any would do, and UINT32_MAX for an index. Walks the consumer
 * table; system calls only while the producer buffers.
 *
 * Returns 1 and fills *@blocker, or 0: no gating consumer is joined.
 */
int lam_ring_producer_blocker(struct lam_ring_producer *producer, struct lam_ring_blocker *blocker);

/*
 * Wait until at least @count consumers have joined: they see all that is published from then on.
 *
 * Returns 0, or
 *   -ETIMEDOUT fewer had joined by @deadline_ns
 *   -EINVAL    @count is more than a ring can have
 */
int lam_ring_producer_wait_consumers_until(
    struct lam_ring_producer *producer, uint32_t count, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
