/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment.h"

#include <endian.h>
#include <string.h>

#define MAGIC   UINT64_C(0x004d4745534d414c) /* "LAMSEGM" */
#define VERSION 1

_Static_assert(sizeof(struct segment_header) == SEGMENT_HEADER_BYTES, "as segment.h says");

/* From the disk's order of bytes to ours, or back. */
static void turn(struct segment_header *header)
{
    header->journal = le64toh(header->journal);
    header->index = le64toh(header->index);
    header->segment = le64toh(header->segment);
    header->segment_bytes = le64toh(header->segment_bytes);
    header->sector_bytes = le32toh(header->sector_bytes);
}

void segment_header_write(const struct segment_header *header, uint8_t *bytes)
{
    struct segment_header raw = *header;

    memset(raw.reserved, 0, sizeof(raw.reserved));
    turn(&raw);
    seal_write(&raw, sizeof(raw), MAGIC, VERSION);
    memset(bytes, 0, header->sector_bytes);
    memcpy(bytes, &raw, sizeof(raw));
}

int segment_header_read(const uint8_t *bytes, uint32_t sector_bytes, struct segment_header *header)
{
    uint8_t seen = 0;

    memcpy(header, bytes, sizeof(*header));
    turn(header);
    for (uint32_t i = sizeof(*header) - sizeof(header->reserved); i < sector_bytes; i++)
        seen |= bytes[i];
    return seal_holds(bytes, sizeof(*header), MAGIC, VERSION) &&
           header->sector_bytes == sector_bytes && seen == 0;
}
