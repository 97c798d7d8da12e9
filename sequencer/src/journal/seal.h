/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SEAL_H
#define LAM_SEQUENCER_SEAL_H

/*
 * seal.h: how the headers of the folder's files begin, and how they are believed: what kind of file
 * it is, in which version, and a checksum of all of the header.
 *
 *     byte 0    magic    8  little-endian, as all numbers
 *     byte 8    version  4
 *     byte 12   crc      4  CRC32C of the header with 0 here
 */

#include <stddef.h>
#include <stdint.h>

struct seal {
    uint64_t magic;
    uint32_t version;
    uint32_t crc;
};

/* Fills in the first bytes of the header of @count bytes; the others are as they lie on a disk. */
void seal_write(void *header, size_t count, uint64_t magic, uint32_t version);

/* Returns 1 where it is that kind of header, of that version, and whole, or 0. */
int seal_holds(const void *header, size_t count, uint64_t magic, uint32_t version);

#endif
