/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_WIRE_H
#define LAM_TEST_WIRE_H

/*
 * wire.h: numbers of a frame (protocol/frame.h), to and from its bytes, whatever their alignment.
 */

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t wire_get_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

static inline uint64_t wire_get_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

/* Both return what is behind it. */
static inline uint8_t *wire_put_u32(uint8_t *bytes, uint32_t value)
{
    value = htole32(value);
    memcpy(bytes, &value, sizeof(value));
    return bytes + sizeof(value);
}

static inline uint8_t *wire_put_u64(uint8_t *bytes, uint64_t value)
{
    value = htole64(value);
    memcpy(bytes, &value, sizeof(value));
    return bytes + sizeof(value);
}

#endif
