/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_CRC32C_TABLE_H
#define LAM_BASE_CRC32C_TABLE_H

/*
 * Shared by crc32c.c and its test alone: the way without the instruction.
 */

#include <stddef.h>
#include <stdint.h>

/* Over the inverted checksum, as the instruction: neither inverted before nor after. */
uint32_t lam_crc32c_by_table(uint32_t state, const uint8_t *bytes, size_t count);

#endif
