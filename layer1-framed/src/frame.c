/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

static int is_message_kind(uint16_t kind)
{
    return kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END;
}

/* The frame that gives its message up: behind a piece, before the last one, and empty. */
static int cut_is_sound(const struct frame *frame)
{
    return frame->cut == 1 && frame->piece_bytes == 0 &&
           (frame->flags & ~LAM_EVENT_CRC32C) == LAM_EVENT_LAST_FRAME && frame->offset > 0 &&
           frame->offset < frame->total;
}

/* A piece lies inside its message, and the flags say where. */
static int piece_is_sound(const struct frame *frame)
{
    int first = (frame->flags & LAM_EVENT_FIRST_FRAME) != 0;
    int last = (frame->flags & LAM_EVENT_LAST_FRAME) != 0;

    /* In this order: the subtraction below cannot wrap. */
    if (frame->piece_bytes == 0 || frame->offset >= frame->total)
        return 0;
    if (frame->piece_bytes > frame->total - frame->offset)
        return 0;
    if (first != (frame->offset == 0) ||
        last != (frame->piece_bytes == frame->total - frame->offset))
        return 0;
    /* What a message says of itself is on its first frame alone. */
    return first || (frame->flags & FLAGS_OF_EXTENSIONS & ~LAM_EVENT_CRC32C) == 0;
}

int lam_frame_load(const struct lam_event *event, struct frame *frame)
{
    uint32_t overhead = lam_event_extension_bytes(event->flags) + LAM_FRAME_HEADER_BYTES;
    const struct lam_frame_header *header;
    uint64_t shape;

    if (event->payload_bytes < overhead)
        return 0;
    frame->piece = (const uint8_t *)event->payload + overhead;
    frame->piece_bytes = event->payload_bytes - overhead;
    frame->flags = event->flags;
    header = (const struct lam_frame_header *)(const void *)(frame->piece - LAM_FRAME_HEADER_BYTES);
    /* Relaxed, all four: the stamp was loaded with acquire before (A1 of the ring). */
    frame->message = lam_load_relaxed(&header->message);
    frame->total = lam_load_relaxed(&header->total);
    frame->offset = lam_load_relaxed(&header->offset);
    shape = lam_load_relaxed(&header->shape);
    frame->kind = (uint16_t)shape;
    frame->cut = (uint16_t)(shape >> 16);
    frame->sender = (uint32_t)(shape >> 32);

    if (!is_message_kind(frame->kind))
        return 0;
    if ((frame->flags & LAM_EVENT_FIRST_FRAME) != 0) {
        if (frame->message != event->sequence)
            return 0;
    } else if ((int64_t)(event->sequence - frame->message) <= 0) {
        return 0;
    }
    return frame->cut != 0 ? cut_is_sound(frame) : piece_is_sound(frame);
}
