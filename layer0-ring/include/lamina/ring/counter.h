/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_COUNTER_H
#define LAM_RING_COUNTER_H

/*
 * lamina/ring/counter.h: a few counters of the application's own, beside the ring's.
 *
 * Ring, layer 0. Each end has 8, with names, in the control object: whoever looks at the ring
 * (lamina/ring/stat.h, `lamina stat`) sees them move. One writer, plain stores, a line that no
 * other end writes: counting costs a load, an addition and a store.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"
#include "lamina/base/inline.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_COUNTER_COUNT    8  /* of each end */
#define LAM_RING_COUNTER_NAME_MAX 23 /* bytes, without the terminator */

/* Where the producer's counters are found: behind those of the consumers. */
#define LAM_RING_PRODUCER_INDEX LAM_RING_CONSUMER_COUNT_MAX

/* As it lies in shared memory. */
struct lam_ring_counter {
    char name[LAM_RING_COUNTER_NAME_MAX + 1]; /* empty: not used */
    lam_atomic_u64 value;
};

LAM_STATIC_ASSERT(sizeof(struct lam_ring_counter) == 32, "a counter is 32 bytes");

struct lam_ring_producer;
struct lam_ring_consumer;

/*
 * The end's own counter of this name, made and set to 0 if it has none. *@counter is borrowed until
 * the end detaches. A consumer starts without any, whoever was in its entry before. The producer's
 * stay when it goes: a successor that asks for the same names counts on.
 *
 * The end's thread. Returns 0, or
 *   -EINVAL the name is missing, empty or longer than LAM_RING_COUNTER_NAME_MAX
 *   -ENOSPC the end has LAM_RING_COUNTER_COUNT others
 */
int lam_ring_producer_counter(
    struct lam_ring_producer *producer, const char *name, lam_atomic_u64 **counter);
int lam_ring_consumer_counter(
    struct lam_ring_consumer *consumer, const char *name, lam_atomic_u64 **counter);

/* Add @count. The end's thread alone: no read-modify-write. Wait-free. */
LAM_INLINE void lam_ring_counter_add(lam_atomic_u64 *counter, uint64_t count)
{
    lam_store_relaxed(counter, lam_load_relaxed(counter) + count);
}

/* A copy of a counter, as it was when it was read. */
struct lam_ring_counter_value {
    char name[LAM_RING_COUNTER_NAME_MAX + 1];
    uint64_t value;
};

/*
 * Copy the counters of the consumer with entry @index, or of the producer with
 * LAM_RING_PRODUCER_INDEX. Any process that has the ring mapped, read-only too. Wait-free.
 *
 * Returns how many there are, or -EINVAL: no end has that index.
 */
int lam_ring_counters_read(const struct lam_ring *ring, uint32_t index,
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT]);

#ifdef __cplusplus
}
#endif

#endif
