/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_BATCH_H
#define LAM_SEQUENCER_BATCH_H

/*
 * batch.h: how events lie in a journal: in batches, each of which knows its own place.
 *
 * A batch is a header, records and zeros up to the next sector. All numbers are little-endian.
 *
 *     byte 0    magic            8  "LAMJRNL" and a zero
 *     byte 8    version          4  1
 *     byte 12   header_crc       4  CRC32C of the segment's id and of the header with 0 here
 *     byte 16   segment          8  the id of the segment that it was written to
 *     byte 24   offset           8  where in that segment
 *     byte 32   epoch            8
 *     byte 40   first_sequence   8  of its first record; those behind it count up
 *     byte 48   count            4  records: at least 1
 *     byte 52   record_bytes     4  of all records
 *     byte 56   total_bytes      4  header, records and zeros: whole sectors
 *     byte 60   body_crc         4  CRC32C of the segment's id and of all behind the header
 *     byte 64   previous        32  the chain's value before this batch
 *     byte 96   reserved        32  zeros
 *
 * The chain's value behind a batch is the BLAKE3 of the header and the records. Since lengths have
 * a checksum of their own, a damaged one is never followed; since both checksums begin with the id
 * of the segment, what an older segment has left in the same file is no batch of this one; since a
 * batch knows its offset and the chain, none can be lost, doubled or moved between two others.
 *
 *     record: bytes 4 | kind 2 | zeros 2 | time_ns 8 | data, and zeros up to a multiple of 8
 *
 * Nothing here calls the system, and all of it is for one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "hash/blake3.h"

#define BATCH_HEADER_BYTES     128
#define BATCH_RECORD_BYTES     16 /* before its data */
#define BATCH_BYTES_MAX        (UINT32_C(64) << 20)
#define BATCH_SECTOR_BYTES_MIN 512

/* Where the next batch belongs: the end of what there is. */
struct batch_place {
    uint64_t segment;
    uint64_t offset;
    uint64_t epoch; /* a batch may have a later one, never an earlier one */
    uint64_t next_sequence;
    uint8_t chain[BLAKE3_BYTES];
};

/* A batch that is being made, in memory of the caller's, 8-byte aligned. */
struct batch_writer {
    uint8_t *bytes;
    uint32_t capacity;
    uint32_t used;
    uint32_t count;
};

struct batch_record {
    uint64_t sequence;
    uint64_t time_ns;
    const uint8_t *data; /* in the batch */
    uint32_t bytes;
    uint16_t kind;
};

/* A batch that was read and believed. */
struct batch_view {
    const uint8_t *bytes;
    uint64_t epoch;
    uint64_t sequence; /* of the next record */
    uint32_t at, end;  /* what is left of the records */
    uint32_t total_bytes;
};

/* @capacity: at least a header, at most BATCH_BYTES_MAX; the rest of it is not used. */
void batch_begin(struct batch_writer *writer, uint8_t *bytes, uint32_t capacity);

/* Returns 0, or -ENOSPC: it would not end within the capacity at a boundary of @sector_bytes. */
int batch_add(struct batch_writer *writer, uint32_t sector_bytes, uint16_t kind, uint64_t time_ns,
    const void *data, uint32_t bytes);

/*
 * What was added, at least one record, becomes a batch that belongs at @place; @place moves behind
 * it. @sector_bytes: a power of two from BATCH_SECTOR_BYTES_MIN on.
 *
 * Returns how many bytes there are to be written.
 */
uint32_t batch_seal(struct batch_writer *writer, uint32_t sector_bytes, struct batch_place *place);

/* What lies where a batch may begin. */
enum batch_verdict {
    BATCH_WHOLE = 0, /* the batch that belongs here */
    BATCH_NOTHING,   /* zeros, as far as a header would reach */
    BATCH_SHORT,     /* the header is whole, and what is there ends before the batch does */
    BATCH_NO_HEADER, /* no header of this segment: never written here, cut or damaged */
    BATCH_NO_BODY,   /* the header is whole, what is behind it is not */
    BATCH_MISPLACED, /* the header is whole, its offset, sequence, epoch or chain are not these */
    BATCH_NONSENSE,  /* whole by its checksums, and no writer makes it */
};

/*
 * Look at @count bytes, of any content, for the batch that belongs at @place. Only for BATCH_WHOLE
 * *@view is set and @place moves behind it. Ends in time of the order of @count.
 */
enum batch_verdict batch_read(
    const uint8_t *bytes, uint64_t count, struct batch_place *place, struct batch_view *view);

/*
 * Where the batch at @bytes says that it begins: for the first one of a journal whose older
 * segments are gone. Returns 1, and all of @place, or 0: there is no whole header of that segment.
 */
int batch_peek(const uint8_t *bytes, uint64_t count, uint64_t segment, struct batch_place *place);

/* Returns 1 where a batch of that segment begins, whatever else is wrong with it, or 0. */
int batch_has_header(const uint8_t *bytes, uint64_t count, uint64_t segment);

/* The next record. Returns 1, or 0 behind the last one. */
int batch_next(struct batch_view *view, struct batch_record *record);

/* For messages. Never NULL. */
const char *batch_verdict_text(enum batch_verdict verdict);

#endif
