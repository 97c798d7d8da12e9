/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_WIRE_H
#define LAM_TESTS_SEQUENCER_PROOF_WIRE_H

/*
 * wire.h: frames by hand, as protocol/frame.h says how they lie.
 */

#include <stdint.h>
#include <string.h>

#include "protocol/frame.h"

#define WIRE_BYTES 2048

/* What a REFUSED or GOODBYE may say; machine.h has the same. */
#define REFUSED_STALE_CODE    1
#define REFUSED_WINDOW_CODE   2
#define REFUSED_SESSION_CODE  3
#define REFUSED_BUSY_CODE     4
#define REFUSED_NO_SPACE_CODE 7
#define REFUSED_APP_CODE      0x10000

/* A frame that is made; @count bytes of it there are. */
struct wire {
    uint8_t bytes[WIRE_BYTES];
    uint32_t count;
};

static inline void wire_put(struct wire *wire, const void *bytes, uint32_t count)
{
    memcpy(wire->bytes + wire->count, bytes, count);
    wire->count += count;
    memcpy(wire->bytes, &wire->count, sizeof(wire->count));
}

static inline void wire_put_u32(struct wire *wire, uint32_t value)
{
    wire_put(wire, &value, sizeof(value));
}

static inline void wire_put_u64(struct wire *wire, uint64_t value)
{
    wire_put(wire, &value, sizeof(value));
}

static inline void wire_begin(struct wire *wire, uint8_t kind, uint64_t request)
{
    uint8_t head[FRAME_HEADER_BYTES] = {[4] = kind};

    memcpy(head + 8, &request, sizeof(request));
    wire->count = 0;
    wire_put(wire, head, sizeof(head));
}

static inline uint32_t wire_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static inline uint64_t wire_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static inline void wire_hello(struct wire *wire, uint64_t session, uint64_t token)
{
    wire_begin(wire, FRAME_HELLO, 0);
    wire_put_u32(wire, FRAME_VERSION);
    wire_put_u32(wire, 0);
    wire_put_u64(wire, session);
    wire_put_u64(wire, token);
}

#endif
