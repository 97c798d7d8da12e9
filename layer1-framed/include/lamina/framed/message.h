/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_MESSAGE_H
#define LAM_FRAMED_MESSAGE_H

/*
 * lamina/framed/message.h: what layer 1 moves.
 *
 * Framed, layer 1. A message is an event of the ring: contiguous in place, up to half the ring. Its
 * id is its sequence. A longer one travels as frames and is put together again in a buffer of the
 * receiver. Framed knows bytes and kinds; it never knows what they mean.
 *
 * Every frame is an event of kind LAM_FRAMED_KIND_FRAME. Behind the event's header, and on the
 * first frame behind the message's extensions, lies the frame's own header, then its piece:
 *
 *     byte 0   message  64 bits  id of the message: the sequence of its first frame
 *     byte 8   total    64 bits  bytes of the whole message, without extensions; 1 or more
 *     byte 16  offset   64 bits  where in the message this piece belongs
 *     byte 24  kind     16 bits  of the message
 *     byte 26  cut      16 bits  0, or 1: the sender gives the message up here
 *     byte 28  zero     32 bits
 *     byte 32  piece    to the end of the event; empty only where cut is 1
 *
 * FIRST_FRAME is set where offset is 0 and cut is not set, LAST_FRAME where the piece ends the
 * message or cut is set. Frames of a message follow each other with nothing in between.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"
#include "lamina/ring/event.h"

/* Kinds 0x8000 to 0x80ff are layer 1's own; the rest of the reserved ones pass through. */
#define LAM_FRAMED_KIND_FRAME 0x8001
#define LAM_FRAMED_KIND_END   0x8100

#define LAM_FRAMED_EXTENSION_BYTES 16

/* The most that a bound on messages of frames can be. */
#define LAM_FRAMED_MESSAGE_BYTES_MAX (UINT64_C(1) << 40)

/*
 * Says which message this one answers, or belongs to. Both words are the application's, and are
 * handed over as they were sent.
 */
struct lam_framed_correlation {
    uint64_t id;
    uint64_t scope;
};

/* A message lent by a receiver, until it is released. */
struct lam_framed_message {
    const void *payload; /* 16-byte aligned */
    uint64_t payload_bytes;
    uint64_t id;
    uint64_t end;                                     /* private: what a release hands back */
    const struct lam_framed_correlation *correlation; /* lent with the payload; NULL for none */
    uint16_t kind;
    uint16_t flags; /* of LAM_EVENT_CORRELATION, LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C */
};

/* Where a message of frames came to an end before it was complete. */
struct lam_framed_loss {
    uint64_t id;
    uint64_t total_bytes;
    uint64_t received_bytes; /* of them, before the cut; 0 where it was larger than the bound */
    uint16_t kind;
};

/* The header of a frame, in shared memory: loaded word by word, once, and checked. */
struct lam_frame_header {
    lam_atomic_u64 message;
    lam_atomic_u64 total;
    lam_atomic_u64 offset;
    lam_atomic_u64 shape; /* kind, cut, zero */
};

#define LAM_FRAME_HEADER_BYTES 32

LAM_STATIC_ASSERT(
    sizeof(struct lam_frame_header) == LAM_FRAME_HEADER_BYTES, "a frame's header is 32 bytes");
LAM_STATIC_ASSERT(sizeof(struct lam_framed_correlation) == LAM_FRAMED_EXTENSION_BYTES,
    "an extension is 16 bytes");

#endif
