/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SEAT_H
#define LAM_RUNTIME_SEAT_H

/*
 * seat.h: what each thread of this process is in the middle of.
 *
 * A thread that calls a module takes a seat, once, and gives it back when it ends. Its pins say
 * which generations it is inside, one for each call within a call: nobody else writes them, and who
 * wants to end a generation reads those of all seats. So a call touches no line that another
 * thread's call writes.
 */

#include <stddef.h>

#include "lamina/base/atomic.h"
#include "lamina/runtime/runtime.h"

#define SEAT_ARENA_BYTES (1U << 20)
/* Behind those of calls: one for each that went to another module in the place of its own. */
#define SEAT_DETOUR    (LAM_RUNTIME_DEPTH_MAX + 1)
#define SEAT_PIN_COUNT (2 * SEAT_DETOUR)

struct lam_frame;

struct lam_seat {
    /* By depth: the address of a struct lam_generation, or 0. The one behind is for who looks. */
    _Alignas(128) lam_atomic_u64 pins[SEAT_PIN_COUNT];
    /* This thread's own. */
    uint32_t depth;          /* calls that it is inside */
    lam_atomic_u32 is_taken; /* by a thread */
    struct lam_frame *inner; /* the innermost of them */
    /* Of another process, which the outermost of them is a part of; NULL: of none. */
    const struct lam_trace *above;
    uint8_t *arena; /* SEAT_ARENA_BYTES, kept for the next who sits here */
};

extern _Thread_local struct lam_seat *lam_seat_own;

/* Take a seat. Returns it, or NULL: there is none, or no memory for its arena. */
struct lam_seat *lam_seat_take(void);

/* This thread's, or NULL. */
static inline struct lam_seat *lam_seat_mine(void)
{
    return __builtin_expect(lam_seat_own != NULL, 1) ? lam_seat_own : lam_seat_take();
}

/* Which one it is: below LAM_RUNTIME_THREADS_MAX. */
uint32_t lam_seat_index(const struct lam_seat *seat);

/* How many pins of all seats are on @generation. Behind lam_barrier_heavy(): none that came before
 * it is missed. */
uint32_t lam_seat_count_pins(const void *generation);

#endif
