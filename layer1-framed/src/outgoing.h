/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_OUTGOING_H
#define LAM_FRAMED_SRC_OUTGOING_H

/*
 * outgoing.h: what a sender writes besides the application's bytes: extensions, and frames. Knows
 * nothing of the ring but the event that it is given.
 */

#include <string.h>

#include "lamina/base/crash_point.h"
#include "lamina/framed/sender.h"
#include "lamina/ring/event_crc.h"
#include "lamina/ring/timestamp.h"

#include "frame.h"

#define FLAGS_OF_CHOICE (LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)

/*
 * Write them at the start of @event, whose other @event_bytes, these included, are all there.
 * @kind and @flags are those of the commit that follows. @correlation is NULL where it is there.
 */
static inline void lam_extensions_write(uint8_t *event, uint64_t event_bytes, uint16_t kind,
    uint16_t flags, const struct lam_framed_correlation *correlation)
{
    uint8_t *at = event;

    if ((flags & LAM_EVENT_CORRELATION) != 0) {
        if (correlation != NULL)
            memcpy(at, correlation, sizeof(*correlation));
        at += LAM_FRAMED_EXTENSION_BYTES;
    }
    if ((flags & LAM_EVENT_TIMESTAMP) != 0) {
        const struct lam_event_timestamp time = {.at_ns = lam_clock_now_ns()};

        memcpy(at, &time, sizeof(time));
    }
    LAM_CRASH_POINT("extensions.written");
    /* Last: it covers the others, too. */
    if ((flags & LAM_EVENT_CRC32C) != 0)
        lam_event_crc_write(event, (uint32_t)event_bytes, kind, flags);
    LAM_CRASH_POINT("extensions.crc_written");
}

/* Options of a sender. Returns 0, or -EINVAL and says why. */
int lam_outgoing_check(uint64_t message_bytes_max, uint16_t extensions, struct lam_error *error);

/* How large an event for a frame may be: a quarter of the ring; 0 it is too small for frames. */
uint64_t lam_outgoing_frame_bytes_max(const struct lam_ring *ring);

/* Returns as lam_framed_sender_open_stream(). */
int lam_outgoing_open(struct lam_framed_outgoing *stream, uint64_t total_bytes, uint16_t kind,
    uint16_t extensions, const struct lam_framed_correlation *correlation);

/* What lies between an event's header and the piece of the next frame. */
uint64_t lam_outgoing_overhead(const struct lam_framed_outgoing *stream);

/* Bytes of the next piece: as many as the message and a frame have left. */
uint64_t lam_outgoing_next_piece(const struct lam_framed_outgoing *stream);

/*
 * Write what is around the next piece of @piece_bytes into @event, which starts at @sequence.
 * Returns the flags of its commit, and its size.
 */
uint16_t lam_outgoing_seal(struct lam_framed_outgoing *stream, uint8_t *event, uint64_t sequence,
    uint64_t piece_bytes, uint64_t *event_bytes);

/* Bytes of the frame that cuts the message. */
uint64_t lam_outgoing_cut_bytes(const struct lam_framed_outgoing *stream);

/* Write it. Returns the flags of its commit. */
uint16_t lam_outgoing_seal_cut(const struct lam_framed_outgoing *stream, uint8_t *event);

#endif
