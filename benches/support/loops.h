/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_LOOPS_H
#define LAM_BENCH_LOOPS_H

/*
 * loops.h: the four loops of a subject, made of its put_NAME() and take_NAME().
 *
 *     BENCH_INLINE void put_NAME(uint32_t bytes, STATE *state, uint64_t value);
 *     BENCH_INLINE uint64_t take_NAME(uint32_t bytes, STATE *state, int is_late);
 *
 * In a round trip the next message is never there yet (is_late): one call that waits for it. In a
 * stream it mostly is: look first, then wait.
 *
 * One message at a time; BENCH_LOOPS(NAME, STATE) defines ask_NAME() and so on, as struct
 * bench_subject takes them. A macro, since each must be inlined into its loop with its size.
 */

#include "payload.h"
#include "subject.h"

#define BENCH_LOOPS(name, state_type)                                                              \
    BENCH_INLINE uint64_t ask_##name##_sized(                                                      \
        uint32_t bytes, state_type *state, uint64_t count, uint64_t value)                         \
    {                                                                                              \
        for (uint64_t i = 0; i < count; i++) {                                                     \
            put_##name(bytes, state, value);                                                       \
            value = take_##name(bytes, state, 1);                                                  \
        }                                                                                          \
        return value;                                                                              \
    }                                                                                              \
    static uint64_t ask_##name(struct bench_lane *lane, uint64_t count, uint64_t value)            \
    {                                                                                              \
        return BENCH_BY_SIZE(lane->shape.payload_bytes, ask_##name##_sized,                        \
            (state_type *)lane->state, count, value);                                              \
    }                                                                                              \
    BENCH_INLINE uint64_t answer_##name##_sized(uint32_t bytes, state_type *state, uint64_t count) \
    {                                                                                              \
        uint64_t value = 0;                                                                        \
        for (uint64_t i = 0; i < count; i++) {                                                     \
            value = take_##name(bytes, state, 1);                                                  \
            put_##name(bytes, state, value);                                                       \
        }                                                                                          \
        return value;                                                                              \
    }                                                                                              \
    static uint64_t answer_##name(struct bench_lane *lane, uint64_t count)                         \
    {                                                                                              \
        return BENCH_BY_SIZE(                                                                      \
            lane->shape.payload_bytes, answer_##name##_sized, (state_type *)lane->state, count);   \
    }                                                                                              \
    BENCH_INLINE void send_##name##_sized(                                                         \
        uint32_t bytes, state_type *state, uint64_t count, uint64_t value)                         \
    {                                                                                              \
        for (uint64_t i = 0; i < count; i++)                                                       \
            put_##name(bytes, state, value++);                                                     \
    }                                                                                              \
    static void send_##name(struct bench_lane *lane, uint64_t count, uint64_t value)               \
    {                                                                                              \
        BENCH_BY_SIZE(lane->shape.payload_bytes, send_##name##_sized, (state_type *)lane->state,   \
            count, value);                                                                         \
    }                                                                                              \
    BENCH_INLINE uint64_t receive_##name##_sized(                                                  \
        uint32_t bytes, state_type *state, uint64_t count)                                         \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
        for (uint64_t i = 0; i < count; i++)                                                       \
            sum += take_##name(bytes, state, 0);                                                   \
        return sum;                                                                                \
    }                                                                                              \
    static uint64_t receive_##name(struct bench_lane *lane, uint64_t count)                        \
    {                                                                                              \
        return BENCH_BY_SIZE(                                                                      \
            lane->shape.payload_bytes, receive_##name##_sized, (state_type *)lane->state, count);  \
    }

#endif
