/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RING_STREAM_H
#define LAM_TEST_RING_STREAM_H

/*
 * A stream of events whose every byte follows from its number, so that a reader can check all of it
 * without being told. Payloads are made of words that look like stamps: the sequence of a cell
 * nearby, now or some laps later, so that any old byte that passes for a stamp is found out.
 */

#include <stdint.h>
#include <string.h>

/* A step of splitmix64: the tests' random numbers, the same on each run. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The payload size of event @number: 0 to @bytes_max, small ones often. */
static inline uint32_t test_event_bytes(uint64_t number, uint32_t bytes_max)
{
    uint64_t state = number * 77 + 5;
    uint64_t value = test_random(&state);

    return (uint32_t)((value >> 8) % ((value & 3) == 0 ? bytes_max + 1U : 130U) % (bytes_max + 1U));
}

/* The word at @offset of the payload of event @number that starts at @sequence. */
static inline uint64_t test_event_word(uint64_t number, uint64_t sequence, uint32_t offset)
{
    uint64_t state = number ^ (uint64_t)offset << 40;
    uint64_t value = test_random(&state);

    /* Half of the words are the stamp of some cell from here to two laps of a small ring on. */
    return (value & 1) == 0 ? sequence + (value >> 1) % 300 : value;
}

static inline void test_event_fill(
    void *payload, uint32_t bytes, uint64_t number, uint64_t sequence)
{
    for (uint32_t offset = 0; offset < bytes; offset += 8) {
        uint64_t word = test_event_word(number, sequence, offset);

        memcpy((char *)payload + offset, &word, bytes - offset < 8 ? bytes - offset : 8);
    }
}

/* 1 when all bytes are what test_event_fill() wrote. */
static inline int test_event_is(
    const void *payload, uint32_t bytes, uint64_t number, uint64_t sequence)
{
    for (uint32_t offset = 0; offset < bytes; offset += 8) {
        uint64_t word = test_event_word(number, sequence, offset);

        if (memcmp((const char *)payload + offset, &word,
                bytes - offset < 8 ? bytes - offset : 8) != 0)
            return 0;
    }
    return 1;
}

#endif
