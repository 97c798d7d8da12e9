/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/crc32c.h"
#include "crc32c_table.h"

#include <string.h>

#if defined(__aarch64__)
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
#define OF_WORD(state, word)  ((uint32_t)__builtin_ia32_crc32di(state, word))
#define OF_BYTE(state, octet) __builtin_ia32_crc32qi(state, octet)
#elif defined(__aarch64__)
#define HAS_INSTRUCTION       ((getauxval(AT_HWCAP) & HWCAP_CRC32) != 0)
#define INSTRUCTION           __attribute__((target("+crc")))
#define OF_WORD(state, word)  __builtin_aarch64_crc32cx(state, word)
#define OF_BYTE(state, octet) __builtin_aarch64_crc32cb(state, octet)
#endif

#ifdef HAS_INSTRUCTION
INSTRUCTION static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t count)
{
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;

        memcpy(&word, bytes, 8); /* of any alignment */
        state = OF_WORD(state, word);
    }
    for (; count > 0; count--)
        state = OF_BYTE(state, *bytes++);
    return state;
}
#endif

uint32_t lam_crc32c(uint32_t before, const void *bytes, size_t count)
{
#ifdef HAS_INSTRUCTION
    if (__builtin_expect(HAS_INSTRUCTION, 1))
        return ~by_instruction(~before, bytes, count);
#endif
    return ~lam_crc32c_by_table(~before, bytes, count);
}
