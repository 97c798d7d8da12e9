/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/crc32c.h"
#include "crc32c_table.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

/* What half a byte does to the checksum: 16 words, so nothing is worked out at start-up. */
static const uint32_t of_half_byte[16] = {
    0x00000000,
    0x105ec76f,
    0x20bd8ede,
    0x30e349b1,
    0x417b1dbc,
    0x5125dad3,
    0x61c69362,
    0x7198540d,
    0x82f63b78,
    0x92a8fc17,
    0xa24bb5a6,
    0xb21572c9,
    0xc38d26c4,
    0xd3d3e1ab,
    0xe330a81a,
    0xf36e6f75,
};

uint32_t lam_crc32c_by_table(uint32_t state, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state ^= bytes[i];
        state = state >> 4 ^ of_half_byte[state & 15];
        state = state >> 4 ^ of_half_byte[state & 15];
    }
    return state;
}

#if defined(__x86_64__)
#define HAS_INSTRUCTION       __builtin_cpu_supports("sse4.2")
#define INSTRUCTION           __attribute__((target("sse4.2")))
#define OF_WORD(state, word)  __builtin_ia32_crc32di(state, word)
#define OF_BYTE(state, octet) __builtin_ia32_crc32qi(state, octet)
#define WORD_STATE            uint64_t
#elif defined(__aarch64__)
#define HAS_INSTRUCTION       ((getauxval(AT_HWCAP) & HWCAP_CRC32) != 0)
#define INSTRUCTION           __attribute__((target("+crc")))
#define OF_WORD(state, word)  __builtin_aarch64_crc32cx(state, word)
#define OF_BYTE(state, octet) __builtin_aarch64_crc32cb(state, octet)
#define WORD_STATE            uint32_t
#endif

#ifdef HAS_INSTRUCTION
INSTRUCTION static uint32_t by_instruction(uint32_t before, const uint8_t *bytes, size_t count)
{
    WORD_STATE state = before; /* as wide as the instruction has it: nothing lies between two */
    uint32_t rest;

    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;

        memcpy(&word, bytes, 8); /* of any alignment */
        state = OF_WORD(state, word);
    }
    rest = (uint32_t)state;
    for (; count > 0; count--)
        rest = OF_BYTE(rest, *bytes++);
    return rest;
}
#endif

#if defined(__x86_64__)
/*
 * The instruction takes three cycles, and another one may begin in each: so three runs of bytes at
 * once, each as if it were the first, and then put one behind another. A run as short as a third of
 * a KiB pays for that, and a long one makes it rare: of 4 KiB, of 1 KiB and of what is left nearly
 * all goes this way.
 */
#define RUNS      __attribute__((target("sse4.2,pclmul")))
#define LONG_RUN  ((size_t)1344)
#define SHORT_RUN ((size_t)336)

/* Zeros behind it multiply what a checksum stands for: @power is x^(8 * zeros - 33). */
RUNS static inline uint32_t behind_zeros(uint32_t state, uint32_t power)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(state), _mm_cvtsi64_si128(power), 0);

    return (uint32_t)OF_WORD(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* @one and @two: the powers of one run of zeros, and of two. */
RUNS static inline uint32_t by_three_runs(
    uint32_t before, const uint8_t *bytes, size_t run_bytes, uint32_t one, uint32_t two)
{
    uint64_t first = before, second = 0, third = 0;

    for (const uint8_t *end = bytes + run_bytes; bytes != end; bytes += 8) {
        uint64_t words[3];

        memcpy(&words[0], bytes, 8);
        memcpy(&words[1], bytes + run_bytes, 8);
        memcpy(&words[2], bytes + 2 * run_bytes, 8);
        first = OF_WORD(first, words[0]);
        second = OF_WORD(second, words[1]);
        third = OF_WORD(third, words[2]);
    }
    return behind_zeros((uint32_t)first, two) ^ behind_zeros((uint32_t)second, one) ^
           (uint32_t)third;
}

RUNS static uint32_t by_runs(uint32_t state, const uint8_t *bytes, size_t count)
{
    for (; count >= 3 * LONG_RUN; count -= 3 * LONG_RUN, bytes += 3 * LONG_RUN)
        state = by_three_runs(state, bytes, LONG_RUN, 0xc9c8b782, 0x889774e1);
    for (; count >= 3 * SHORT_RUN; count -= 3 * SHORT_RUN, bytes += 3 * SHORT_RUN)
        state = by_three_runs(state, bytes, SHORT_RUN, 0xa60ce07b, 0xcec3662e);
    return by_instruction(state, bytes, count);
}
#endif

#ifdef HAS_INSTRUCTION
INSTRUCTION static uint32_t by_word(uint64_t word)
{
    return (uint32_t)OF_WORD(~UINT32_C(0), word);
}
#endif

/* The state behind @count bytes. */
static inline uint32_t behind(uint32_t state, const void *bytes, size_t count)
{
#if defined(__x86_64__)
    if (count >= 3 * SHORT_RUN && HAS_INSTRUCTION && __builtin_cpu_supports("pclmul"))
        return by_runs(state, bytes, count);
#endif
#ifdef HAS_INSTRUCTION
    if (__builtin_expect(HAS_INSTRUCTION, 1))
        return by_instruction(state, bytes, count);
#endif
    return lam_crc32c_by_table(state, bytes, count);
}

uint32_t lam_crc32c(uint32_t before, const void *bytes, size_t count)
{
    return ~behind(~before, bytes, count);
}

uint32_t lam_crc32c_of_word(uint64_t word, const void *bytes, size_t count)
{
#ifdef HAS_INSTRUCTION
    if (__builtin_expect(HAS_INSTRUCTION, 1))
        return ~behind(by_word(word), bytes, count);
#endif
    return lam_crc32c(lam_crc32c(0, &word, sizeof(word)), bytes, count);
}
