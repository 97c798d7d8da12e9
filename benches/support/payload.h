/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_PAYLOAD_H
#define LAM_BENCH_PAYLOAD_H

/*
 * payload.h: what every subject and every probe writes into a message, and reads out of it.
 *
 * The writer fills all bytes, the reader adds up all 8-byte words. Filling costs a copy from a warm
 * template, adding up less than the transfer of the lines, so neither hides what is measured. The
 * sum of a payload is known from its seed: a window whose sums are wrong fails the bench.
 *
 * Sizes are multiples of 8. Those of small events, one word and the payload of one cell, are
 * constants where they are used (BENCH_BY_SIZE), as sizeof is in a user's program. A payload of
 * nothing has the sum 0: there only the count of messages can be wrong.
 */

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_EVENT_BYTES       48 /* the payload of one 64-byte cell */
#define BENCH_WORD_BYTES        8
#define BENCH_PAYLOAD_BYTES_MAX (2U << 20)

#define BENCH_INLINE static inline __attribute__((always_inline))

/* Calls @function with the size as a constant where it is that of a small event. */
#define BENCH_BY_SIZE(bytes, function, ...)                                                        \
    ((bytes) == BENCH_EVENT_BYTES     ? function(BENCH_EVENT_BYTES, __VA_ARGS__)                   \
        : (bytes) == BENCH_WORD_BYTES ? function(BENCH_WORD_BYTES, __VA_ARGS__)                    \
                                      : function((bytes), __VA_ARGS__))

/* Private memory of the process, filled once by bench_payload_init(). */
extern uint64_t bench_template[BENCH_PAYLOAD_BYTES_MAX / 8];

void bench_payload_init(void);

/* The sum of the payload of @bytes that was filled with @seed. */
uint64_t bench_payload_expected(uint32_t bytes, uint64_t seed);

/* The sum over @count payloads, filled with @seed, @seed + 1 and so on. */
uint64_t bench_payload_expected_run(uint32_t bytes, uint64_t seed, uint64_t count);

typedef uint64_t bench_pair_of_words __attribute__((vector_size(16), aligned(8), may_alias));

/* Spelled out, so that no compiler makes more stores of it in one subject than in another. */
BENCH_INLINE void bench_fill_event(void *payload, uint64_t seed)
{
    bench_pair_of_words *pairs = (bench_pair_of_words *)payload;
    const bench_pair_of_words two = {2, 2};
    bench_pair_of_words words = {seed, seed + 1};

    pairs[0] = words;
    words += two;
    pairs[1] = words;
    words += two;
    pairs[2] = words;
}

BENCH_INLINE void bench_fill(void *payload, uint32_t bytes, uint64_t seed)
{
    uint64_t *words = (uint64_t *)payload;

    if (bytes == BENCH_EVENT_BYTES) {
        bench_fill_event(payload, seed);
    } else if (bytes == BENCH_WORD_BYTES) {
        words[0] = seed;
    } else if (bytes != 0) {
        memcpy(words, bench_template, bytes);
        words[0] = seed;
        words[bytes / 8 - 1] = seed;
    }
}

BENCH_INLINE uint64_t bench_sum_event(const void *payload)
{
    const bench_pair_of_words *pairs = (const bench_pair_of_words *)payload;
    bench_pair_of_words sums = pairs[0] + pairs[1] + pairs[2];

    return sums[0] + sums[1];
}

BENCH_INLINE uint64_t bench_sum(const void *payload, uint32_t bytes)
{
    const uint64_t *words = (const uint64_t *)payload;
    const bench_pair_of_words *pairs = (const bench_pair_of_words *)payload;
    bench_pair_of_words a = {0, 0}, b = {0, 0}, c = {0, 0}, d = {0, 0};
    uint32_t count = bytes / 8, i = 0;
    uint64_t sum;

    if (bytes == BENCH_EVENT_BYTES)
        return bench_sum_event(payload);
    if (bytes == BENCH_WORD_BYTES)
        return words[0];
    for (; i + 8 <= count; i += 8, pairs += 4) {
        a += pairs[0];
        b += pairs[1];
        c += pairs[2];
        d += pairs[3];
    }
    a += b + c + d;
    sum = a[0] + a[1];
    for (; i < count; i++)
        sum += words[i];
    return sum;
}

#ifdef __cplusplus
}
#endif

#endif
