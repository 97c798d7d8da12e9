/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment.h"

#include <endian.h>
#include <string.h>

#include "lamina/base/crc32c.h"

#define MAGIC   UINT64_C(0x004d4745534d414c) /* "LAMSEGM" */
#define VERSION 1

_Static_assert(sizeof(struct segment_header) == SEGMENT_HEADER_BYTES, "as segment.h says");

/* From the disk's order of bytes to ours, or back. */
static void turn(struct segment_header *header)
{
    header->magic = le64toh(header->magic);
    header->version = le32toh(header->version);
    header->crc = le32toh(header->crc);
    header->journal = le64toh(header->journal);
    header->index = le64toh(header->index);
    header->segment = le64toh(header->segment);
    header->segment_bytes = le64toh(header->segment_bytes);
    header->sector_bytes = le32toh(header->sector_bytes);
}

/* Of the bytes as they lie on a disk. */
static uint32_t crc_of(struct segment_header header)
{
    header.crc = 0;
    return lam_crc32c(0, &header, sizeof(header));
}

void segment_header_write(struct segment_header *header, uint8_t *bytes)
{
    struct segment_header raw;

    header->magic = MAGIC;
    header->version = VERSION;
    memset(header->reserved, 0, sizeof(header->reserved));
    raw = *header;
    turn(&raw);
    header->crc = crc_of(raw);
    raw.crc = htole32(header->crc);
    memset(bytes, 0, header->sector_bytes);
    memcpy(bytes, &raw, sizeof(raw));
}

int segment_header_read(const uint8_t *bytes, uint32_t sector_bytes, struct segment_header *header)
{
    struct segment_header raw;
    uint8_t seen = 0;

    memcpy(&raw, bytes, sizeof(raw));
    *header = raw;
    turn(header);
    for (uint32_t i = sizeof(raw) - sizeof(raw.reserved); i < sector_bytes; i++)
        seen |= bytes[i];
    return header->magic == MAGIC && header->version == VERSION && header->crc == crc_of(raw) &&
           header->sector_bytes == sector_bytes && seen == 0;
}
