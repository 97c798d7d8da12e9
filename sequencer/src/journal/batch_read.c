/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/layout.h"

static int is_zero(const uint8_t *bytes, uint64_t count)
{
    uint8_t seen = 0;

    for (uint64_t i = 0; i < count; i++)
        seen |= bytes[i];
    return seen == 0;
}

/* A header whose checksum holds: what it says of lengths can be followed. */
static int read_header(const uint8_t *bytes, uint64_t segment, struct batch_header *header)
{
    memcpy(header, bytes, sizeof(*header));
    batch_header_turn(header);
    return header->magic == BATCH_MAGIC && header->header_crc == batch_header_crc(segment, bytes);
}

/* As a writer makes it: checksums that hold do not say so. */
static int makes_sense(const struct batch_header *header)
{
    return header->version == BATCH_VERSION && header->count != 0 &&
           header->total_bytes <= BATCH_BYTES_MAX &&
           header->total_bytes % BATCH_SECTOR_BYTES_MIN == 0 &&
           header->total_bytes >= BATCH_HEADER_BYTES &&
           header->record_bytes <= header->total_bytes - BATCH_HEADER_BYTES &&
           is_zero(header->reserved, sizeof(header->reserved));
}

static int is_in_its_place(const struct batch_header *header, const struct batch_place *place)
{
    return header->segment == place->segment && header->offset == place->offset &&
           header->epoch >= place->epoch && header->first_sequence == place->next_sequence &&
           memcmp(header->previous, place->chain, sizeof(place->chain)) == 0;
}

/* Returns how many bytes the record at @bytes has, with its zeros, or 0: none fits in @count. */
static uint64_t record_bytes(const uint8_t *bytes, uint64_t count)
{
    struct batch_record_header record;
    uint64_t padded;

    if (count < sizeof(record))
        return 0;
    memcpy(&record, bytes, sizeof(record));
    padded = batch_padded((uint64_t)le32toh(record.bytes) + sizeof(record), 8);
    return record.reserved == 0 && padded <= count ? padded : 0;
}

/* The records fill their bytes, and are as many as the header says. */
static int has_its_records(const uint8_t *bytes, const struct batch_header *header)
{
    uint64_t left = header->record_bytes, count = 0;

    while (left > 0) {
        uint64_t one = record_bytes(bytes + header->record_bytes - left, left);

        if (one == 0)
            return 0;
        left -= one;
        count++;
    }
    return count == header->count;
}

int batch_has_header(const uint8_t *bytes, uint64_t count, uint64_t segment)
{
    struct batch_header header;

    return count >= BATCH_HEADER_BYTES && read_header(bytes, segment, &header);
}

int batch_peek(const uint8_t *bytes, uint64_t count, uint64_t segment, struct batch_place *place)
{
    struct batch_header header;

    if (count < BATCH_HEADER_BYTES || !read_header(bytes, segment, &header))
        return 0;
    *place = (struct batch_place){.segment = segment,
        .offset = header.offset,
        .epoch = header.epoch,
        .next_sequence = header.first_sequence};
    memcpy(place->chain, header.previous, sizeof(place->chain));
    return 1;
}

enum batch_verdict batch_read(
    const uint8_t *bytes, uint64_t count, struct batch_place *place, struct batch_view *view)
{
    const uint8_t *body = bytes + BATCH_HEADER_BYTES;
    struct batch_header header;

    if (is_zero(bytes, count < BATCH_HEADER_BYTES ? count : BATCH_HEADER_BYTES))
        return BATCH_NOTHING;
    if (count < BATCH_HEADER_BYTES || !read_header(bytes, place->segment, &header))
        return BATCH_NO_HEADER;
    if (!makes_sense(&header))
        return BATCH_NONSENSE;
    if (!is_in_its_place(&header, place))
        return BATCH_MISPLACED;
    if (count < header.total_bytes)
        return BATCH_SHORT;
    if (batch_crc(place->segment, body, header.total_bytes - BATCH_HEADER_BYTES) != header.body_crc)
        return BATCH_NO_BODY;
    if (!has_its_records(body, &header))
        return BATCH_NONSENSE;
    *view = (struct batch_view){.bytes = bytes,
        .epoch = header.epoch,
        .sequence = header.first_sequence,
        .at = BATCH_HEADER_BYTES,
        .end = BATCH_HEADER_BYTES + header.record_bytes,
        .total_bytes = header.total_bytes};
    batch_chain(bytes, header.record_bytes, place->chain);
    place->epoch = header.epoch;
    place->offset += header.total_bytes;
    place->next_sequence += header.count;
    return BATCH_WHOLE;
}

int batch_next(struct batch_view *view, struct batch_record *record)
{
    struct batch_record_header header;

    if (view->at == view->end)
        return 0;
    memcpy(&header, view->bytes + view->at, sizeof(header));
    record->sequence = view->sequence++;
    record->time_ns = le64toh(header.time_ns);
    record->data = view->bytes + view->at + sizeof(header);
    record->bytes = le32toh(header.bytes);
    record->kind = le16toh(header.kind);
    view->at += (uint32_t)batch_padded((uint64_t)record->bytes + sizeof(header), 8);
    return 1;
}

const char *batch_verdict_text(enum batch_verdict verdict)
{
    static const char *const texts[] = {
        [BATCH_WHOLE] = "a whole batch",
        [BATCH_NOTHING] = "nothing",
        [BATCH_SHORT] = "a batch that ends too early",
        [BATCH_NO_HEADER] = "no header of a batch of this segment",
        [BATCH_NO_BODY] = "a batch with damaged records",
        [BATCH_MISPLACED] = "a batch that belongs elsewhere",
        [BATCH_NONSENSE] = "a batch that no writer makes",
    };

    return (unsigned)verdict < sizeof(texts) / sizeof(texts[0]) ? texts[verdict] : "?";
}
