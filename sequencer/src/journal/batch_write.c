/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "journal/layout.h"
#include "lamina/base/assert.h"

void batch_begin(struct batch_writer *writer, uint8_t *bytes, uint32_t capacity)
{
    LAM_ASSERT(capacity >= BATCH_HEADER_BYTES && capacity <= BATCH_BYTES_MAX);
    *writer =
        (struct batch_writer){.bytes = bytes, .capacity = capacity, .used = BATCH_HEADER_BYTES};
}

int batch_add(struct batch_writer *writer, uint32_t sector_bytes, uint16_t kind, uint64_t time_ns,
    const void *data, uint32_t bytes)
{
    struct batch_record_header record = {
        .bytes = htole32(bytes), .kind = htole16(kind), .time_ns = htole64(time_ns)};
    uint64_t padded = batch_padded((uint64_t)bytes + sizeof(record), 8);
    uint8_t *at = writer->bytes + writer->used;

    if (batch_padded(writer->used + padded, sector_bytes) > writer->capacity)
        return -ENOSPC;
    memcpy(at, &record, sizeof(record));
    if (bytes != 0)
        memcpy(at + sizeof(record), data, bytes);
    memset(at + sizeof(record) + bytes, 0, padded - sizeof(record) - bytes);
    writer->used += (uint32_t)padded;
    writer->count++;
    return 0;
}

uint32_t batch_seal(struct batch_writer *writer, uint32_t sector_bytes, struct batch_place *place)
{
    uint32_t total_bytes = (uint32_t)batch_padded(writer->used, sector_bytes);
    struct batch_header header = {.magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .segment = place->segment,
        .offset = place->offset,
        .epoch = place->epoch,
        .first_sequence = place->next_sequence,
        .count = writer->count,
        .record_bytes = writer->used - BATCH_HEADER_BYTES,
        .total_bytes = total_bytes};
    uint32_t crc;

    LAM_ASSERT(writer->count > 0 && sector_bytes >= BATCH_SECTOR_BYTES_MIN &&
               (sector_bytes & (sector_bytes - 1)) == 0);
    memset(writer->bytes + writer->used, 0, total_bytes - writer->used);
    memcpy(header.previous, place->chain, sizeof(header.previous));
    header.body_crc = batch_crc(
        place->segment, writer->bytes + BATCH_HEADER_BYTES, total_bytes - BATCH_HEADER_BYTES);
    batch_header_turn(&header);
    memcpy(writer->bytes, &header, sizeof(header));
    crc = htole32(batch_header_crc(place->segment, writer->bytes));
    memcpy(writer->bytes + offsetof(struct batch_header, header_crc), &crc, sizeof(crc));
    batch_chain(writer->bytes, writer->used - BATCH_HEADER_BYTES, place->chain);
    place->offset += total_bytes;
    place->next_sequence += writer->count;
    return total_bytes;
}
