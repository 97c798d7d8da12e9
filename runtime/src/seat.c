/* SPDX-License-Identifier: Apache-2.0 */
#include "seat.h"

#include <pthread.h>
#include <stdlib.h>

static struct lam_seat seats[LAM_RUNTIME_THREADS_MAX];
/* One more than the highest seat that was ever taken. */
static lam_atomic_u32 seats_used;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
_Thread_local struct lam_seat *lam_seat_own;

/* The end of a thread: it cannot be inside a call. */
static void give_back(void *own)
{
    struct lam_seat *seat = own;

    LAM_ASSERT(seat->depth == 0);
    lam_seat_own = NULL;
    /* Release, pairs with the compare-and-swap in sit_down(): the next one finds it as it is. */
    lam_store_release(&seat->is_taken, 0);
}

/* The other threads were not copied, and what they were inside ends never. */
static void forked(void)
{
    for (uint32_t i = 0; i < LAM_RUNTIME_THREADS_MAX; i++) {
        struct lam_seat *seat = &seats[i];

        if (seat == lam_seat_own)
            continue;
        seat->depth = 0;
        seat->inner = NULL;
        seat->above = NULL;
        /* Relaxed, both: there is one thread. */
        for (uint32_t depth = 0; depth < SEAT_PIN_COUNT; depth++)
            lam_store_relaxed(&seat->pins[depth], 0);
        lam_store_relaxed(&seat->is_taken, 0);
    }
}

static void start(void)
{
    LAM_ASSERT(pthread_key_create(&key, give_back) == 0);
    LAM_ASSERT(pthread_atfork(NULL, NULL, forked) == 0);
}

/* Whoever counts pins must not stop short of this seat. */
static void count_in(uint32_t index)
{
    /* Relaxed: the value is only a first guess. */
    uint32_t used = lam_load_relaxed(&seats_used);

    while (used <= index && !lam_cas_acq_rel(&seats_used, &used, index + 1))
        ;
}

static struct lam_seat *sit_down(void)
{
    for (uint32_t i = 0; i < LAM_RUNTIME_THREADS_MAX; i++) {
        uint32_t is_taken = 0;

        /* Relaxed: a look that spares the compare-and-swap of seats that are taken. */
        if (lam_load_relaxed(&seats[i].is_taken) == 0 &&
            lam_cas_acq_rel(&seats[i].is_taken, &is_taken, 1)) {
            count_in(i);
            return &seats[i];
        }
    }
    return NULL;
}

struct lam_seat *lam_seat_take(void)
{
    struct lam_seat *seat;

    LAM_ASSERT(pthread_once(&once, start) == 0);
    seat = sit_down();
    if (seat == NULL)
        return NULL;
    if (seat->arena == NULL)
        seat->arena = aligned_alloc(64, SEAT_ARENA_BYTES);
    if (seat->arena == NULL || pthread_setspecific(key, seat) != 0) {
        lam_store_release(&seat->is_taken, 0);
        return NULL;
    }
    lam_seat_own = seat;
    return seat;
}

uint32_t lam_seat_index(const struct lam_seat *seat)
{
    return (uint32_t)(seat - seats);
}

uint32_t lam_seat_count_pins(const void *generation)
{
    /*
     * S1, pairs with the compare-and-swap in count_in(): a seat that is missed here was taken
     * behind the heavy barrier, and its thread finds the generation replaced.
     */
    uint32_t used = lam_load_acquire(&seats_used), count = 0;

    for (uint32_t i = 0; i < used; i++)
        for (uint32_t depth = 0; depth < SEAT_PIN_COUNT; depth++)
            /* S2, pairs with R2 in lam_unpin(): what the call did is done. */
            count +=
                lam_load_acquire(&seats[i].pins[depth]) == (uint64_t)(uintptr_t)generation ? 1 : 0;
    return count;
}
