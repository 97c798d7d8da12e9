/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_GATE_H
#define LAM_RUNTIME_GATE_H

/*
 * gate.h: so much inside at a time, the others in a queue; and so many in a second.
 *
 * How much is inside of a gate and how many wait is one word, so that who leaves cannot miss who
 * came to wait. What becomes free while somebody waits is handed to the first of them, once it is
 * enough for that one: who comes later does not overtake, however little it needs. A call takes one
 * place, or as many as it has bytes.
 */

#include <pthread.h>

#include "lamina/base/atomic.h"

struct gate_waiter;

struct lam_gate {
    _Alignas(
        64) lam_atomic_u64 word; /* inside; waiting in the upper bits, changed under the lock */
    uint64_t places;             /* at most LAM_GATE_PLACES_MAX; 0: no limit, nothing is counted */
    uint32_t queue_max;
    _Alignas(64) pthread_mutex_t lock;
    struct gate_waiter *first, *last;
};

/* Above it there is room for as many who wait as there can be threads. */
#define LAM_GATE_PLACES_MAX (UINT64_C(1) << 40)

void lam_gate_init(struct lam_gate *gate, uint64_t places, uint32_t queue_max);
void lam_gate_fini(struct lam_gate *gate);

/*
 * Go in with @weight places; wait for them until @deadline_ns, if the queue is not full. Lock-free
 * where they are there. Returns 0; -EAGAIN the queue is full, or the gate has fewer (at once);
 * -ETIMEDOUT.
 */
int lam_gate_enter(struct lam_gate *gate, uint64_t weight, uint64_t deadline_ns);
void lam_gate_leave(struct lam_gate *gate, uint64_t weight);

uint64_t lam_gate_inside(const struct lam_gate *gate);
uint32_t lam_gate_waiting(const struct lam_gate *gate);

/* Thousandths of the places and of the queue that are taken. */
uint32_t lam_gate_pressure(const struct lam_gate *gate);

/* Thousandths of the places that are taken, where they are not calls. All, if somebody waits. */
uint32_t lam_gate_fullness(const struct lam_gate *gate);

/* A bucket of tokens, as the time at which it would be full again. */
struct lam_bucket {
    _Alignas(64) lam_atomic_u64 full_ns;
    uint64_t token_ns; /* until another token; 0: no limit */
    uint64_t burst_ns; /* of a full bucket */
    uint64_t queue_ns; /* of tokens that may be taken before they are there */
};

void lam_bucket_init(struct lam_bucket *bucket, uint64_t per_s, uint32_t burst, uint32_t queue_max);

/*
 * Take a token at @now_ns. Where it is there only later, at *@at_ns, the caller waits until then.
 * Lock-free. Returns 1, or 0: there is none in time, or none by @deadline_ns.
 */
int lam_bucket_take(
    struct lam_bucket *bucket, uint64_t now_ns, uint64_t deadline_ns, uint64_t *at_ns);
void lam_bucket_give_back(struct lam_bucket *bucket);

uint32_t lam_bucket_pressure(const struct lam_bucket *bucket, uint64_t now_ns);

#endif
