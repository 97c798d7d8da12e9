/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HOSTILE_ATOMIC_H
#define TEST_HOSTILE_ATOMIC_H

/*
 * What lamina/base/atomic.h brings when LAM_ATOMIC_MODEL names this file: the same words and the
 * same functions, except that before each access the hostile one may have a turn. So bytes change
 * between any two looks at shared words, inside of calls, and the same on each run.
 */

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint32_t lam_atomic_u32;
typedef _Atomic uint64_t lam_atomic_u64;

/* Accesses until the next turn. Of one thread: others are left alone. */
extern _Thread_local int64_t hostile_left;
void hostile_turn(void);

static inline void hostile_step(void)
{
    if (__builtin_expect(--hostile_left == 0, 0))
        hostile_turn();
}

#define HOSTILE_LOAD(name, order, suffix, type, word)                                              \
    static inline type name##_##suffix(const word *from)                                           \
    {                                                                                              \
        hostile_step();                                                                            \
        return atomic_load_explicit(from, memory_order_##order);                                   \
    }
#define HOSTILE_STORE(name, order, suffix, type, word)                                             \
    static inline void name##_##suffix(word *to, type value)                                       \
    {                                                                                              \
        hostile_step();                                                                            \
        atomic_store_explicit(to, value, memory_order_##order);                                    \
    }
#define HOSTILE_MODIFY(name, change, suffix, type, word)                                           \
    static inline type name##_##suffix(word *at, type value)                                       \
    {                                                                                              \
        hostile_step();                                                                            \
        return change(at, value);                                                                  \
    }
#define HOSTILE_FUNCTIONS(suffix, type, word)                                                      \
    HOSTILE_LOAD(lam_load_relaxed, relaxed, suffix, type, word)                                    \
    HOSTILE_LOAD(lam_load_acquire, acquire, suffix, type, word)                                    \
    HOSTILE_STORE(lam_store_relaxed, relaxed, suffix, type, word)                                  \
    HOSTILE_STORE(lam_store_release, release, suffix, type, word)                                  \
    HOSTILE_MODIFY(lam_exchange_acq_rel, atomic_exchange, suffix, type, word)                      \
    HOSTILE_MODIFY(lam_add_acq_rel, atomic_fetch_add, suffix, type, word)                          \
    HOSTILE_MODIFY(lam_or_seq_cst, atomic_fetch_or, suffix, type, word)                            \
    HOSTILE_MODIFY(lam_and_seq_cst, atomic_fetch_and, suffix, type, word)                          \
    static inline int lam_cas_acq_rel_##suffix(word *at, type *expected, type desired)             \
    {                                                                                              \
        hostile_step();                                                                            \
        return atomic_compare_exchange_strong(at, expected, desired);                              \
    }

HOSTILE_FUNCTIONS(u32, uint32_t, lam_atomic_u32)
HOSTILE_FUNCTIONS(u64, uint64_t, lam_atomic_u64)

#define HOSTILE_BY_WIDTH(name, at)                                                                 \
    _Generic((at),                                                                                 \
        lam_atomic_u32 *: name##_u32,                                                              \
        const lam_atomic_u32 *: name##_u32,                                                        \
        lam_atomic_u64 *: name##_u64,                                                              \
        const lam_atomic_u64 *: name##_u64)
#define lam_load_relaxed(at)            HOSTILE_BY_WIDTH(lam_load_relaxed, at)(at)
#define lam_load_acquire(at)            HOSTILE_BY_WIDTH(lam_load_acquire, at)(at)
#define lam_store_relaxed(at, value)    HOSTILE_BY_WIDTH(lam_store_relaxed, at)(at, value)
#define lam_store_release(at, value)    HOSTILE_BY_WIDTH(lam_store_release, at)(at, value)
#define lam_exchange_acq_rel(at, value) HOSTILE_BY_WIDTH(lam_exchange_acq_rel, at)(at, value)
#define lam_add_acq_rel(at, value)      HOSTILE_BY_WIDTH(lam_add_acq_rel, at)(at, value)
#define lam_or_seq_cst(at, value)       HOSTILE_BY_WIDTH(lam_or_seq_cst, at)(at, value)
#define lam_and_seq_cst(at, value)      HOSTILE_BY_WIDTH(lam_and_seq_cst, at)(at, value)
#define lam_cas_acq_rel(at, expected, desired)                                                     \
    HOSTILE_BY_WIDTH(lam_cas_acq_rel, at)(at, expected, desired)

static inline void lam_fence_acquire(void)
{
    atomic_thread_fence(memory_order_acquire);
}

static inline void lam_fence_release(void)
{
    atomic_thread_fence(memory_order_release);
}

static inline void lam_fence_seq_cst(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void lam_pause(void)
{
    hostile_step();
}

#endif
