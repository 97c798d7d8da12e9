/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_LAYOUT_H
#define LAM_SEQUENCER_LAYOUT_H

/*
 * layout.h: a batch's header and records as they lie on a disk; batch.h describes them.
 */

#include <endian.h>
#include <string.h>

#include "journal/batch.h"
#include "lamina/base/crc32c.h"

#define BATCH_MAGIC   UINT64_C(0x004c4e524a4d414c) /* "LAMJRNL" */
#define BATCH_VERSION 1

struct batch_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_crc;
    uint64_t segment;
    uint64_t offset;
    uint64_t epoch;
    uint64_t first_sequence;
    uint32_t count;
    uint32_t record_bytes;
    uint32_t total_bytes;
    uint32_t body_crc;
    uint8_t previous[BLAKE3_BYTES];
    uint8_t reserved[32];
};

struct batch_record_header {
    uint32_t bytes;
    uint16_t kind;
    uint16_t reserved;
    uint64_t time_ns;
};

_Static_assert(sizeof(struct batch_header) == BATCH_HEADER_BYTES, "as batch.h says");
_Static_assert(sizeof(struct batch_record_header) == BATCH_RECORD_BYTES, "as batch.h says");

/* From the disk's order of bytes to ours, or back: it is the same. */
static inline void batch_header_turn(struct batch_header *header)
{
    header->magic = le64toh(header->magic);
    header->version = le32toh(header->version);
    header->header_crc = le32toh(header->header_crc);
    header->segment = le64toh(header->segment);
    header->offset = le64toh(header->offset);
    header->epoch = le64toh(header->epoch);
    header->first_sequence = le64toh(header->first_sequence);
    header->count = le32toh(header->count);
    header->record_bytes = le32toh(header->record_bytes);
    header->total_bytes = le32toh(header->total_bytes);
    header->body_crc = le32toh(header->body_crc);
}

/* Of a piece of the segment of that id. */
static inline uint32_t batch_crc(uint64_t segment, const void *bytes, size_t count)
{
    uint64_t id = htole64(segment);

    return lam_crc32c(lam_crc32c(0, &id, sizeof(id)), bytes, count);
}

/* Of a header as it lies on a disk, whatever its own field holds. */
static inline uint32_t batch_header_crc(uint64_t segment, const uint8_t *bytes)
{
    struct batch_header header;

    memcpy(&header, bytes, sizeof(header));
    header.header_crc = 0;
    return batch_crc(segment, &header, sizeof(header));
}

static inline uint64_t batch_padded(uint64_t bytes, uint64_t align)
{
    return (bytes + align - 1) & ~(align - 1);
}

/* The chain behind a batch. */
static inline void batch_chain(const uint8_t *bytes, uint32_t record_bytes, uint8_t *chain)
{
    blake3(bytes, BATCH_HEADER_BYTES + record_bytes, chain);
}

#endif
