/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_EVENT_CRC_H
#define LAM_RING_EVENT_CRC_H

/*
 * lamina/ring/event_crc.h: the extension by which an event vouches for its bytes.
 *
 * Ring, layer 0. An event with LAM_EVENT_CRC32C carries an extension of 16 bytes, the last one
 * before its payload: a CRC-32C (lamina/base/crc32c.h) of the header's shape word (length, kind and
 * flags, 8 bytes in the machine's order), then of the extensions before it, then of the payload;
 * and 12 bytes of zero. Writing and verifying are the ends' choice; a file ring keeps only such
 * events across a power cut.
 */

#include "lamina/ring/event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_EVENT_EXTENSION_BYTES 16

/* Where the CRC32C extension begins in what a claim or a peek lends, if @flags have one. */
static inline uint32_t lam_event_crc_offset(uint16_t flags)
{
    return LAM_EVENT_EXTENSION_BYTES * (((flags & LAM_EVENT_CORRELATION) != 0 ? 1U : 0U) +
                                           ((flags & LAM_EVENT_TIMESTAMP) != 0 ? 1U : 0U));
}

/* Bytes that all extensions of @flags take, before the payload proper. */
static inline uint32_t lam_event_extension_bytes(uint16_t flags)
{
    /* No count of bits: where the CPU may have no instruction for it, that is a call. */
    return lam_event_crc_offset(flags) +
           ((flags & LAM_EVENT_CRC32C) != 0 ? LAM_EVENT_EXTENSION_BYTES : 0U);
}

/*
 * Write the extension into a claimed event whose other bytes are all there. @payload_bytes,
 * extensions included, @kind and @flags are those of the commit or stage that follows; @flags have
 * LAM_EVENT_CRC32C. The producer's thread; wait-free.
 */
void lam_event_crc_write(void *payload, uint32_t payload_bytes, uint16_t kind, uint16_t flags);

/* 1 when @event has the extension and it is right, or 0. Any thread; wait-free. */
int lam_event_crc_is_right(const struct lam_event *event);

#ifdef __cplusplus
}
#endif

#endif
