/* SPDX-License-Identifier: Apache-2.0 */
#include "path/gate.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"

#define WAITING_SHIFT 41 /* LAM_GATE_PLACES_MAX may be inside */
#define ONE_WAITS     (UINT64_C(1) << WAITING_SHIFT)

/* On the stack of who waits; under the gate's lock. */
struct gate_waiter {
    struct gate_waiter *next;
    uint64_t weight;
    pthread_cond_t let_in;
    int is_in;
};

static uint64_t inside_of(uint64_t word)
{
    return word & (ONE_WAITS - 1);
}

static uint32_t waiting_of(uint64_t word)
{
    return (uint32_t)(word >> WAITING_SHIFT);
}

void lam_gate_init(struct lam_gate *gate, uint64_t places, uint32_t queue_max)
{
    *gate = (struct lam_gate){.places = places, .queue_max = queue_max};
    LAM_ASSERT(pthread_mutex_init(&gate->lock, NULL) == 0);
}

void lam_gate_fini(struct lam_gate *gate)
{
    (void)pthread_mutex_destroy(&gate->lock);
}

static int take_places(struct lam_gate *gate, uint64_t weight)
{
    uint64_t word = lam_load_relaxed(&gate->word); /* relaxed: only a first guess */

    while (waiting_of(word) == 0 && inside_of(word) + weight <= gate->places)
        if (lam_cas_acq_rel(&gate->word, &word, word + weight))
            return 1;
    return 0;
}

/* Under the lock. Returns 1 there is room now, 0 it has to wait, -EAGAIN too many do. */
static int join_queue(struct lam_gate *gate, uint64_t weight)
{
    uint64_t word = lam_load_relaxed(&gate->word);

    for (;;) {
        if (waiting_of(word) == 0 && inside_of(word) + weight <= gate->places) {
            if (lam_cas_acq_rel(&gate->word, &word, word + weight))
                return 1;
        } else if (waiting_of(word) >= gate->queue_max) {
            return -EAGAIN;
        } else if (lam_cas_acq_rel(&gate->word, &word, word + ONE_WAITS)) {
            return 0;
        }
    }
}

/* Under the lock: those at the head of the queue for whom there is room. */
static void let_in(struct lam_gate *gate)
{
    struct gate_waiter *first;

    /* Relaxed: while somebody waits, the word changes under the lock alone. */
    while ((first = gate->first) != NULL &&
           inside_of(lam_load_relaxed(&gate->word)) + first->weight <= gate->places) {
        gate->first = first->next;
        if (gate->first == NULL)
            gate->last = NULL;
        first->is_in = 1;
        (void)lam_add_acq_rel(&gate->word, first->weight - ONE_WAITS);
        LAM_ASSERT(pthread_cond_signal(&first->let_in) == 0);
    }
}

/* Under the lock: out of the queue, wherever it stands. */
static void give_up(struct lam_gate *gate, struct gate_waiter *waiter)
{
    struct gate_waiter **at = &gate->first, *before = NULL;

    while (*at != waiter) {
        before = *at;
        at = &(*at)->next;
    }
    *at = waiter->next;
    if (gate->last == waiter)
        gate->last = before;
    (void)lam_add_acq_rel(&gate->word, -ONE_WAITS);
    let_in(gate); /* it may have needed more than those behind it do */
}

static void wait_in_queue(struct lam_gate *gate, struct gate_waiter *waiter, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S)};
    int rc = 0;

    if (gate->first == NULL)
        gate->first = waiter;
    else
        gate->last->next = waiter;
    gate->last = waiter;
    while (!waiter->is_in && rc != ETIMEDOUT)
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(&waiter->let_in, &gate->lock)
                 : pthread_cond_timedwait(&waiter->let_in, &gate->lock, &deadline);
    if (!waiter->is_in)
        give_up(gate, waiter);
}

static __attribute__((noinline)) int enter_slowly(
    struct lam_gate *gate, uint64_t weight, uint64_t deadline_ns)
{
    struct gate_waiter waiter = {.weight = weight};
    pthread_condattr_t monotonic;
    int rc;

    LAM_ASSERT(pthread_condattr_init(&monotonic) == 0);
    LAM_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    LAM_ASSERT(pthread_cond_init(&waiter.let_in, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    LAM_ASSERT(pthread_mutex_lock(&gate->lock) == 0);
    rc = join_queue(gate, weight);
    if (rc == 0) {
        wait_in_queue(gate, &waiter, deadline_ns);
        rc = waiter.is_in ? 0 : -ETIMEDOUT;
    }
    LAM_ASSERT(pthread_mutex_unlock(&gate->lock) == 0);
    (void)pthread_cond_destroy(&waiter.let_in);
    return rc < 0 ? rc : 0;
}

int lam_gate_enter(struct lam_gate *gate, uint64_t weight, uint64_t deadline_ns)
{
    if (gate->places == 0)
        return 0;
    if (weight > gate->places) /* it would wait for ever */
        return -EAGAIN;
    if (take_places(gate, weight))
        return 0;
    return gate->queue_max == 0 ? -EAGAIN : enter_slowly(gate, weight, deadline_ns);
}

static __attribute__((noinline)) void hand_over(struct lam_gate *gate, uint64_t weight)
{
    LAM_ASSERT(pthread_mutex_lock(&gate->lock) == 0);
    (void)lam_add_acq_rel(&gate->word, -weight);
    let_in(gate);
    LAM_ASSERT(pthread_mutex_unlock(&gate->lock) == 0);
}

void lam_gate_leave(struct lam_gate *gate, uint64_t weight)
{
    uint64_t word = lam_load_relaxed(&gate->word); /* relaxed: only a first guess */

    if (gate->places == 0)
        return;
    while (waiting_of(word) == 0)
        if (lam_cas_acq_rel(&gate->word, &word, word - weight))
            return;
    hand_over(gate, weight);
}

uint64_t lam_gate_inside(const struct lam_gate *gate)
{
    return inside_of(lam_load_relaxed(&gate->word)); /* relaxed: for those who look */
}

uint32_t lam_gate_waiting(const struct lam_gate *gate)
{
    return waiting_of(lam_load_relaxed(&gate->word));
}

static uint32_t thousandths(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : part >= whole ? 1000 : (uint32_t)(part * 1000 / whole);
}

uint32_t lam_gate_pressure(const struct lam_gate *gate)
{
    uint64_t word = lam_load_relaxed(&gate->word);

    return thousandths(
        inside_of(word) + waiting_of(word), gate->places == 0 ? 0 : gate->places + gate->queue_max);
}

uint32_t lam_gate_fullness(const struct lam_gate *gate)
{
    uint64_t word = lam_load_relaxed(&gate->word);

    return waiting_of(word) != 0 ? 1000 : thousandths(inside_of(word), gate->places);
}

void lam_bucket_init(struct lam_bucket *bucket, uint64_t per_s, uint32_t burst, uint32_t queue_max)
{
    *bucket = (struct lam_bucket){.token_ns = per_s == 0 ? 0 : LAM_NS_PER_S / per_s};
    bucket->burst_ns = bucket->token_ns * (burst == 0 ? 1 : burst);
    bucket->queue_ns = bucket->token_ns * queue_max;
}

int lam_bucket_take(
    struct lam_bucket *bucket, uint64_t now_ns, uint64_t deadline_ns, uint64_t *at_ns)
{
    uint64_t full_ns = lam_load_relaxed(&bucket->full_ns); /* relaxed: only a first guess */
    uint64_t later_ns, behind_ns;

    do {
        later_ns = (full_ns > now_ns ? full_ns : now_ns) + bucket->token_ns;
        behind_ns = later_ns - now_ns > bucket->burst_ns ? later_ns - now_ns - bucket->burst_ns : 0;
        if (behind_ns > bucket->queue_ns || (behind_ns != 0 && now_ns + behind_ns > deadline_ns))
            return 0;
    } while (!lam_cas_acq_rel(&bucket->full_ns, &full_ns, later_ns));
    *at_ns = now_ns + behind_ns;
    return 1;
}

void lam_bucket_give_back(struct lam_bucket *bucket)
{
    (void)lam_add_acq_rel(&bucket->full_ns, -bucket->token_ns);
}

uint32_t lam_bucket_pressure(const struct lam_bucket *bucket, uint64_t now_ns)
{
    uint64_t full_ns = lam_load_relaxed(&bucket->full_ns); /* relaxed: for those who look */

    return thousandths(
        full_ns > now_ns ? full_ns - now_ns : 0, bucket->burst_ns + bucket->queue_ns);
}
