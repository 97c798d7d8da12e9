/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_ATOMIC_H
#define LAM_BASE_ATOMIC_H

/*
 * lamina/base/atomic.h: shared words, with the memory order in the name of each access.
 *
 * Base, floor 0. Every word that two threads or processes touch is a lam_atomic_u32 or a
 * lam_atomic_u64 and is touched through these functions alone, so that each order can be read and
 * searched for, and so that a model checker can take their place: it defines LAM_ATOMIC_MODEL and
 * brings a header of the same names.
 *
 * In C the width is chosen by the pointer's type: lam_load_acquire(&word).
 *
 * All functions are wait-free on x86-64 and on AArch64 with LSE; without LSE the read-modify-write
 * ones are lock-free. Any thread, any process.
 */

#include <stdint.h>

#include "lamina/base/assert.h"
#include "lamina/base/inline.h"

#ifdef LAM_ATOMIC_MODEL
#include LAM_ATOMIC_MODEL
#else

#ifdef __cplusplus
#include <atomic>
typedef std::atomic<uint32_t> lam_atomic_u32;
typedef std::atomic<uint64_t> lam_atomic_u64;
#define LAM_ORDER(order)     std::memory_order_##order
#define LAM_ATOMIC(function) std::atomic_##function
#else
#include <stdatomic.h>
typedef _Atomic uint32_t lam_atomic_u32;
typedef _Atomic uint64_t lam_atomic_u64;
#define LAM_ORDER(order)     memory_order_##order
#define LAM_ATOMIC(function) atomic_##function
#endif

/* In shared memory both languages must see the same bytes. */
LAM_STATIC_ASSERT(sizeof(lam_atomic_u32) == 4, "a shared 32-bit word is 4 bytes");
LAM_STATIC_ASSERT(sizeof(lam_atomic_u64) == 8, "a shared 64-bit word is 8 bytes");

#ifdef __cplusplus
#define LAM_TYPED(name, suffix) name /* C++ overloads; C chooses with _Generic below */
#else
#define LAM_TYPED(name, suffix) name##_##suffix
#endif

#define LAM_ATOMIC_FUNCTIONS(suffix, type, word)                                                   \
    static inline type LAM_TYPED(lam_load_relaxed, suffix)(const word *from)                       \
    {                                                                                              \
        return LAM_ATOMIC(load_explicit)(from, LAM_ORDER(relaxed));                                \
    }                                                                                              \
    static inline type LAM_TYPED(lam_load_acquire, suffix)(const word *from)                       \
    {                                                                                              \
        return LAM_ATOMIC(load_explicit)(from, LAM_ORDER(acquire));                                \
    }                                                                                              \
    static inline void LAM_TYPED(lam_store_relaxed, suffix)(word * to, type value)                 \
    {                                                                                              \
        LAM_ATOMIC(store_explicit)(to, value, LAM_ORDER(relaxed));                                 \
    }                                                                                              \
    static inline void LAM_TYPED(lam_store_release, suffix)(word * to, type value)                 \
    {                                                                                              \
        LAM_ATOMIC(store_explicit)(to, value, LAM_ORDER(release));                                 \
    }                                                                                              \
    static inline type LAM_TYPED(lam_exchange_acq_rel, suffix)(word * at, type value)              \
    {                                                                                              \
        return LAM_ATOMIC(exchange_explicit)(at, value, LAM_ORDER(acq_rel));                       \
    }                                                                                              \
    static inline type LAM_TYPED(lam_add_acq_rel, suffix)(word * at, type value)                   \
    {                                                                                              \
        return LAM_ATOMIC(fetch_add_explicit)(at, value, LAM_ORDER(acq_rel));                      \
    }                                                                                              \
    static inline type LAM_TYPED(lam_or_seq_cst, suffix)(word * at, type value)                    \
    {                                                                                              \
        return LAM_ATOMIC(fetch_or_explicit)(at, value, LAM_ORDER(seq_cst));                       \
    }                                                                                              \
    static inline type LAM_TYPED(lam_and_seq_cst, suffix)(word * at, type value)                   \
    {                                                                                              \
        return LAM_ATOMIC(fetch_and_explicit)(at, value, LAM_ORDER(seq_cst));                      \
    }                                                                                              \
    /* 1 and @desired is in place, or 0 and *@expected is what was found. */                       \
    static inline int LAM_TYPED(lam_cas_acq_rel, suffix)(word * at, type * expected, type desired) \
    {                                                                                              \
        return LAM_ATOMIC(compare_exchange_strong_explicit)(                                       \
            at, expected, desired, LAM_ORDER(acq_rel), LAM_ORDER(acquire));                        \
    }

LAM_ATOMIC_FUNCTIONS(u32, uint32_t, lam_atomic_u32)
LAM_ATOMIC_FUNCTIONS(u64, uint64_t, lam_atomic_u64)
#undef LAM_ATOMIC_FUNCTIONS
#undef LAM_TYPED

#ifndef __cplusplus
#define LAM_BY_WIDTH(name, at)                                                                     \
    _Generic((at),                                                                                 \
        lam_atomic_u32 *: name##_u32,                                                              \
        const lam_atomic_u32 *: name##_u32,                                                        \
        lam_atomic_u64 *: name##_u64,                                                              \
        const lam_atomic_u64 *: name##_u64)
#define lam_load_relaxed(at)            LAM_BY_WIDTH(lam_load_relaxed, at)(at)
#define lam_load_acquire(at)            LAM_BY_WIDTH(lam_load_acquire, at)(at)
#define lam_store_relaxed(at, value)    LAM_BY_WIDTH(lam_store_relaxed, at)(at, value)
#define lam_store_release(at, value)    LAM_BY_WIDTH(lam_store_release, at)(at, value)
#define lam_exchange_acq_rel(at, value) LAM_BY_WIDTH(lam_exchange_acq_rel, at)(at, value)
#define lam_add_acq_rel(at, value)      LAM_BY_WIDTH(lam_add_acq_rel, at)(at, value)
#define lam_or_seq_cst(at, value)       LAM_BY_WIDTH(lam_or_seq_cst, at)(at, value)
#define lam_and_seq_cst(at, value)      LAM_BY_WIDTH(lam_and_seq_cst, at)(at, value)
#define lam_cas_acq_rel(at, expected, desired)                                                     \
    LAM_BY_WIDTH(lam_cas_acq_rel, at)(at, expected, desired)
#endif

static inline void lam_fence_acquire(void)
{
    LAM_ATOMIC(thread_fence)(LAM_ORDER(acquire));
}

static inline void lam_fence_release(void)
{
    LAM_ATOMIC(thread_fence)(LAM_ORDER(release));
}

static inline void lam_fence_seq_cst(void)
{
    LAM_ATOMIC(thread_fence)(LAM_ORDER(seq_cst));
}

/* Tell the core that this is a spin loop. About 20 ns on current x86-64. */
static inline void lam_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

#endif /* LAM_ATOMIC_MODEL */

/*
 * @value, of which the compiler no longer knows what it is made of: an equal value that comes by a
 * load from another core cannot take its place.
 */
static inline uint64_t lam_opaque_u64(uint64_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

/* Two lines: the prefetcher of x86-64 fetches pairs, and some AArch64 lines are 128 bytes. */
#define LAM_HOT_BYTES 128

#endif
