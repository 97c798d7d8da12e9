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
 *     byte 28  sender   32 bits  0; on a ring with many producers its entry + 1 in the low 8 bits,
 *                                that entry's generation above
 *     byte 32  piece    to the end of the event; empty only where cut is 1
 *
 * FIRST_FRAME is set where offset is 0 and cut is not set, LAST_FRAME where the piece ends the
 * message or cut is set. Frames of a message follow each other with nothing in between where the
 * ring has one producer; with many, those of up to one message of each producer come interleaved.
 *
 * Extensions (lamina/ring/event.h) of a message in place lie before its payload. Of a message of
 * frames, the first frame carries correlation and timestamp. The CRC32C is carried by every frame,
 * each for itself, as lamina/ring/event_crc.h has it: a frame's words are believed only after that,
 * they say where each piece belongs, and so all of them vouch for the whole message.
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
    uint64_t published_ns; /* monotonic; set only where flags have LAM_EVENT_TIMESTAMP. Of a message
                              of frames: when its first frame was */
    uint16_t kind;
    uint16_t flags; /* of LAM_EVENT_CORRELATION, LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C */
};

/* What a receiver did not get: one message, or a run of events, or both. */
struct lam_framed_loss {
    /* A message that was cut short, refused or found damaged. */
    uint64_t id;             /* of the message; nothing else of it is set where total_bytes is 0 */
    uint64_t total_bytes;    /* 0: no message of which more is known */
    uint64_t received_bytes; /* of them, before the cut; 0 where it was larger than the bound */
    uint16_t kind;
    uint16_t flags; /* LAM_EVENT_CORRELATION: */
    struct lam_framed_correlation correlation;
    /* After an eviction or an overrun. */
    uint64_t event_count; /* missed exactly: messages in place, and frames; 0 none were */
    uint64_t from;        /* sequence of the first of them */
    uint64_t to;          /* and of what is read next */
};

/* The header of a frame, in shared memory: loaded word by word, once, and checked. */
struct lam_frame_header {
    lam_atomic_u64 message;
    lam_atomic_u64 total;
    lam_atomic_u64 offset;
    lam_atomic_u64 shape; /* kind, cut, sender */
};

#define LAM_FRAME_HEADER_BYTES 32

LAM_STATIC_ASSERT(
    sizeof(struct lam_frame_header) == LAM_FRAME_HEADER_BYTES, "a frame's header is 32 bytes");
LAM_STATIC_ASSERT(sizeof(struct lam_framed_correlation) == LAM_FRAMED_EXTENSION_BYTES,
    "an extension is 16 bytes");

#endif
