/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_CRC32C_H
#define LAM_BASE_CRC32C_H

/*
 * lamina/base/crc32c.h: the checksum of what has to be believed after a power cut or a copy.
 *
 * Base, floor 0. CRC-32C, the Castagnoli polynomial 0x1EDC6F41 of RFC 3720 (iSCSI), section 12.1:
 * bits reflected (0x82F63B78), begun with all ones and inverted at the end, as SSE 4.2 and ARMv8
 * compute it. The instruction is used where the processor has it, a small table elsewhere. It finds
 * accidents, and no forgery.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The checksum of @count bytes that follow those whose checksum is @before; 0 where none do. So
 * pieces may be taken one after another. Any thread, wait-free.
 */
uint32_t lam_crc32c(uint32_t before, const void *bytes, size_t count);

/* The same of the 8 bytes of @word, as they lie in memory, and @count bytes behind them. */
uint32_t lam_crc32c_of_word(uint64_t word, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
