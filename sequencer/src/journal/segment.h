/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SEGMENT_H
#define LAM_SEQUENCER_SEGMENT_H

/*
 * segment.h: the first sector of a segment; batches follow. Written once, before the segment has
 * its name. All numbers are little-endian.
 *
 *     byte 0    seal           16  "LAMSEGM", version 1, of these 64 bytes: seal.h
 *     byte 16   journal         8  random: which journal it is of
 *     byte 24   index           8  as in its name
 *     byte 32   segment         8  random: the id that its batches' checksums begin with
 *     byte 40   segment_bytes   8  of the file, always
 *     byte 48   sector_bytes    4
 *     byte 52   reserved       12  zeros, as all behind it in the sector
 *
 * The id is random, not the index, so that nobody who only sends events can send one that looks
 * like a batch to a search for batches.
 */

#include "journal/seal.h"

#define SEGMENT_HEADER_BYTES 64

struct segment_header {
    struct seal seal;
    uint64_t journal;
    uint64_t index;
    uint64_t segment;
    uint64_t segment_bytes;
    uint32_t sector_bytes;
    uint8_t reserved[12];
};

/* Fills in a whole sector at @bytes, sealed. */
void segment_header_write(const struct segment_header *header, uint8_t *bytes);

/* Returns 1 and the header of the sector at @bytes, or 0: it is none, or damaged. */
int segment_header_read(const uint8_t *bytes, uint32_t sector_bytes, struct segment_header *header);

#endif
