/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_EVENT_H
#define LAM_RING_EVENT_H

/*
 * lamina/ring/event.h: what a cell holds.
 *
 * Ring, layer 0. An event fills one cell or several in a row. Its first 16 bytes are its header,
 * the same for all layers; the payload follows and is contiguous, also where the ring wraps.
 *
 *     byte 0   stamp   64 bits  the event's own sequence, stored last, with release
 *     byte 8   length  32 bits  bytes after these 16, extensions included
 *     byte 12  kind    16 bits  the application's; from 0x8000 on Lamina's own
 *     byte 14  flags   16 bits  LAM_EVENT_..., for the layers above
 *     byte 16  extensions of 16 bytes each, where flagged, then the payload
 *
 * Words are in the machine's byte order: a ring never leaves its machine.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"

#define LAM_EVENT_HEADER_BYTES 16

/* Kinds from here on belong to Lamina's own layers. */
#define LAM_EVENT_KIND_RESERVED 0x8000

/*
 * The length of what is no event: space that a producer gave back, or that a dead one had claimed,
 * on a ring with many producers. Kind and flags are its cells. Consumers pass over it unseen.
 */
#define LAM_EVENT_PADDING UINT32_MAX

/* Each of the first three adds an extension of 16 bytes behind the header, in this order. */
#define LAM_EVENT_CORRELATION 0x0001
#define LAM_EVENT_TIMESTAMP   0x0002
#define LAM_EVENT_CRC32C      0x0004 /* of what, and its bytes: lamina/ring/event_crc.h */
#define LAM_EVENT_FIRST_FRAME 0x0008
#define LAM_EVENT_LAST_FRAME  0x0010

struct lam_event_header {
    lam_atomic_u64 stamp;
    lam_atomic_u64 shape; /* length, kind, flags: one word, so that one load has them all */
};

LAM_STATIC_ASSERT(sizeof(struct lam_event_header) == LAM_EVENT_HEADER_BYTES, "header is 16 bytes");

/* An event lent by lam_ring_consumer_try_peek(), until it is released. */
struct lam_event {
    const void *payload; /* 16-byte aligned; extensions first, where flagged */
    uint32_t payload_bytes;
    uint16_t kind;
    uint16_t flags;
    uint64_t sequence; /* of its first cell */
    uint64_t end;      /* sequence of the cell behind its last */
};

/* The shape word of padding that is @cell_count cells long. */
static inline uint64_t lam_event_padding_shape(uint64_t cell_count)
{
    return (uint64_t)LAM_EVENT_PADDING | cell_count << 32;
}

/* The shape word of an event: what one load of a header tells. */
static inline uint64_t lam_event_shape(uint32_t payload_bytes, uint16_t kind, uint16_t flags)
{
    return (uint64_t)payload_bytes | (uint64_t)kind << 32 | (uint64_t)flags << 48;
}

#endif
