/* SPDX-License-Identifier: Apache-2.0 */
#include "outgoing.h"

#include <errno.h>
#include <string.h>

#include "lamina/base/crash_point.h"

/* A frame holds its own header and something of the message, also behind all extensions. */
#define FRAME_BYTES_MIN 128

int lam_outgoing_check(uint64_t message_bytes_max, uint16_t extensions, struct lam_error *error)
{
    if (message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
    if ((extensions & ~FLAGS_OF_CHOICE) != 0)
        return lam_error_set(error, -EINVAL,
            "extensions are 0x%x: LAM_EVENT_TIMESTAMP and LAM_EVENT_CRC32C can be asked for",
            (unsigned)extensions);
    return 0;
}

/*
 * A quarter of the ring: the sender writes one frame while receivers copy another out. One more
 * cell is claimed with each and not used, so that a cut can be published whenever a stream is open.
 */
uint64_t lam_outgoing_frame_bytes_max(const struct lam_ring *ring)
{
    uint64_t cell_bytes = UINT64_C(1) << ring->cell_shift;
    uint64_t quarter_bytes = ring->depth / 4 * cell_bytes;
    uint64_t bytes_max = lam_ring_payload_bytes_max(ring) - cell_bytes;

    if (quarter_bytes < FRAME_BYTES_MIN)
        return 0;
    quarter_bytes -= LAM_EVENT_HEADER_BYTES;
    /* Of a very large ring: an event's length is 32 bits. */
    return quarter_bytes < bytes_max ? quarter_bytes : bytes_max;
}

int lam_outgoing_open(struct lam_framed_outgoing *stream, uint64_t total_bytes, uint16_t kind,
    uint16_t extensions, const struct lam_framed_correlation *correlation)
{
    LAM_ASSERT(stream->bytes_total == 0);
    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    if (total_bytes == 0)
        return -EINVAL;
    if (total_bytes > stream->message_bytes_max || stream->frame_bytes_max == 0)
        return -EMSGSIZE;
    stream->bytes_total = total_bytes;
    stream->bytes_sent = 0;
    stream->kind = kind;
    stream->flags = extensions;
    if (correlation != NULL) {
        stream->flags |= LAM_EVENT_CORRELATION;
        stream->correlation = *correlation;
    }
    return 0;
}

/* The extensions of the next frame: what a message says of itself is on the first one alone. */
static uint16_t next_flags(const struct lam_framed_outgoing *stream)
{
    return stream->bytes_sent == 0 ? stream->flags : stream->flags & LAM_EVENT_CRC32C;
}

uint64_t lam_outgoing_overhead(const struct lam_framed_outgoing *stream)
{
    return LAM_FRAME_HEADER_BYTES + lam_event_extension_bytes(next_flags(stream));
}

uint64_t lam_outgoing_next_piece(const struct lam_framed_outgoing *stream)
{
    uint64_t room = stream->frame_bytes_max - lam_outgoing_overhead(stream);
    uint64_t left = stream->bytes_total - stream->bytes_sent;

    return left < room ? left : room;
}

static void write_header(
    const struct lam_framed_outgoing *stream, uint8_t *header_bytes, uint16_t cut)
{
    struct lam_frame_header *header = (struct lam_frame_header *)(void *)header_bytes;

    /* Relaxed, all four: the stamp that is stored last carries them (R1 of the ring). */
    lam_store_relaxed(&header->message, stream->id);
    lam_store_relaxed(&header->total, stream->bytes_total);
    lam_store_relaxed(&header->offset, stream->bytes_sent);
    lam_store_relaxed(&header->shape,
        (uint64_t)stream->kind | (uint64_t)cut << 16 | (uint64_t)stream->sender << 32);
}

uint16_t lam_outgoing_seal(struct lam_framed_outgoing *stream, uint8_t *event, uint64_t sequence,
    uint64_t piece_bytes, uint64_t *event_bytes)
{
    uint64_t overhead = lam_outgoing_overhead(stream);
    uint16_t flags = next_flags(stream);

    LAM_ASSERT(piece_bytes > 0 && piece_bytes <= stream->piece_bytes);
    if (stream->bytes_sent == 0) {
        stream->id = sequence;
        flags |= LAM_EVENT_FIRST_FRAME;
    }
    if (piece_bytes == stream->bytes_total - stream->bytes_sent)
        flags |= LAM_EVENT_LAST_FRAME;
    write_header(stream, event + overhead - LAM_FRAME_HEADER_BYTES, 0);
    LAM_CRASH_POINT("frame.header_written");
    *event_bytes = overhead + piece_bytes;
    lam_extensions_write(event, *event_bytes, LAM_FRAMED_KIND_FRAME, flags, &stream->correlation);
    stream->bytes_sent += piece_bytes;
    stream->piece_bytes = 0;
    if ((flags & LAM_EVENT_LAST_FRAME) != 0)
        stream->bytes_total = 0;
    return flags;
}

uint64_t lam_outgoing_cut_bytes(const struct lam_framed_outgoing *stream)
{
    return LAM_FRAME_HEADER_BYTES + lam_event_extension_bytes(stream->flags & LAM_EVENT_CRC32C);
}

uint16_t lam_outgoing_seal_cut(const struct lam_framed_outgoing *stream, uint8_t *event)
{
    uint16_t flags = (uint16_t)((stream->flags & LAM_EVENT_CRC32C) | LAM_EVENT_LAST_FRAME);
    uint64_t event_bytes = lam_outgoing_cut_bytes(stream);

    write_header(stream, event + event_bytes - LAM_FRAME_HEADER_BYTES, 1);
    LAM_CRASH_POINT("cut.header_written");
    lam_extensions_write(event, event_bytes, LAM_FRAMED_KIND_FRAME, flags, NULL);
    return flags;
}
