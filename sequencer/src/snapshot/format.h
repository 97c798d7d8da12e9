/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_FORMAT_H
#define LAM_SEQUENCER_SNAPSHOT_FORMAT_H

/*
 * format.h: a snapshot's file: a header of its own 4 KiB, then the content up to the end of the
 * file. The header is written last, so that nothing unfinished has one. All is little-endian.
 *
 *     byte 0     seal            16  "LAMSNAP", version 1, of these 4096 bytes: journal/seal.h
 *     byte 16    journal          8  which, as in its name
 *     byte 24    epoch            8
 *     byte 32    next_sequence    8  as in its name: it holds all before this one
 *     byte 40    content_bytes    8  of the file, behind the header
 *     byte 48    chain           32  of the journal, there
 *     byte 80    digest          32  BLAKE3 of the content
 *     byte 112   app_version      4
 *     byte 116   zeros            4
 *     byte 120   app_name        32  ends with a zero
 *     byte 152   zeros         3944
 */

#include "journal/seal.h"
#include "snapshot/snapshot.h"

#define SNAPSHOT_HEADER_BYTES 4096

struct snapshot_header {
    struct seal seal;
    uint64_t journal;
    uint64_t epoch;
    uint64_t next_sequence;
    uint64_t content_bytes;
    uint8_t chain[BLAKE3_BYTES];
    uint8_t digest[BLAKE3_BYTES];
    uint32_t app_version;
    uint32_t reserved;
    char app_name[32];
    uint8_t zeros[3944];
};

/* What a header says beside the place. */
struct snapshot_content {
    uint64_t bytes;
    uint8_t digest[BLAKE3_BYTES];
};

/* Fills in all of @header as it lies on a disk, sealed. */
void snapshot_header_write(struct snapshot_header *header, const struct snapshot_place *place,
    const struct snapshot_content *content);

/* Returns 1, or 0: it is none, or damaged. */
int snapshot_header_read(const struct snapshot_header *header, struct snapshot_place *place,
    struct snapshot_content *content);

/* Returns 1 where the two are of the same state, whatever their epochs, or 0. */
int snapshot_place_equals(const struct snapshot_place *one, const struct snapshot_place *other);

#endif
