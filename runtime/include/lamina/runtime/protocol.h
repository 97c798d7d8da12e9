/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PROTOCOL_H
#define LAM_RUNTIME_PROTOCOL_H

/*
 * lamina/runtime/protocol.h: the header of memlink's protocol 1, which is our envelope for calls
 * that leave the process.
 *
 * Runtime, floor 6. 32 bytes, big-endian:
 *
 *     byte 0   magic        4D 4C 4E 4B ("MLNK")
 *     byte 4   version      8 bits, 1
 *     byte 5   type         8 bits, enum lam_protocol_type
 *     byte 6   features     16 bits
 *     byte 8   request id   64 bits; 0 where no answer is expected
 *     byte 16  module id    64 bits: FNV-1a-32 of the module's name
 *     byte 24  method id    32 bits: FNV-1a-32 of the method's name
 *     byte 28  body bytes   32 bits, at most LAM_PROTOCOL_BODY_BYTES_MAX
 *
 * Any thread; nothing here allocates or waits.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_PROTOCOL_MAGIC          UINT32_C(0x4d4c4e4b)
#define LAM_PROTOCOL_VERSION        1
#define LAM_PROTOCOL_HEADER_BYTES   32
#define LAM_PROTOCOL_BODY_BYTES_MAX (UINT32_C(64) << 20)

enum lam_protocol_type {
    LAM_PROTOCOL_REQUEST = 0,
    LAM_PROTOCOL_RESPONSE = 1,
    LAM_PROTOCOL_ERROR = 2,
    LAM_PROTOCOL_STREAM = 3,
    LAM_PROTOCOL_NEGOTIATE = 4, /* ours: memlink has no message for it */
    LAM_PROTOCOL_HEALTH = 16,
    LAM_PROTOCOL_LOAD = 32,
    LAM_PROTOCOL_UNLOAD = 33,
    LAM_PROTOCOL_STATS = 48,
    LAM_PROTOCOL_EVENT = 96,
};

struct lam_protocol_header {
    uint64_t request_id;
    uint64_t module_id;
    uint32_t method_id;
    uint32_t body_bytes;
    uint16_t features;
    uint8_t type;
};

static inline void lam_protocol_put(uint8_t *to, uint64_t value, unsigned bytes)
{
    value = __builtin_bswap64(value << (64 - 8 * bytes));
    memcpy(to, &value, bytes);
}

static inline uint64_t lam_protocol_get(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, from, bytes);
    return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

/* Write *@header to @bytes, LAM_PROTOCOL_HEADER_BYTES of them. */
static inline void lam_protocol_write(const struct lam_protocol_header *header, uint8_t *bytes)
{
    lam_protocol_put(bytes, LAM_PROTOCOL_MAGIC, 4);
    bytes[4] = LAM_PROTOCOL_VERSION;
    bytes[5] = header->type;
    lam_protocol_put(bytes + 6, header->features, 2);
    lam_protocol_put(bytes + 8, header->request_id, 8);
    lam_protocol_put(bytes + 16, header->module_id, 8);
    lam_protocol_put(bytes + 24, header->method_id, 4);
    lam_protocol_put(bytes + 28, header->body_bytes, 4);
}

static inline int lam_protocol_is_type(uint8_t type)
{
    return type <= LAM_PROTOCOL_NEGOTIATE || type == LAM_PROTOCOL_HEALTH ||
           type == LAM_PROTOCOL_LOAD || type == LAM_PROTOCOL_UNLOAD || type == LAM_PROTOCOL_STATS ||
           type == LAM_PROTOCOL_EVENT;
}

/*
 * Read a message of @count bytes at @bytes, whatever they are. They may not change meanwhile.
 *
 * Returns 0, or, looked at in this order,
 *   -EBADMSG         fewer bytes than a header
 *   -EPROTO          another magic
 *   -EPROTONOSUPPORT another version
 *   -ENOMSG          no such type
 *   -EMSGSIZE        a body above LAM_PROTOCOL_BODY_BYTES_MAX
 *   -ENODATA         not as many bytes behind the header as it says
 */
static inline int lam_protocol_read(
    struct lam_protocol_header *header, const uint8_t *bytes, uint64_t count)
{
    if (count < LAM_PROTOCOL_HEADER_BYTES)
        return -EBADMSG;
    if (lam_protocol_get(bytes, 4) != LAM_PROTOCOL_MAGIC)
        return -EPROTO;
    if (bytes[4] != LAM_PROTOCOL_VERSION)
        return -EPROTONOSUPPORT;
    if (!lam_protocol_is_type(bytes[5]))
        return -ENOMSG;
    header->type = bytes[5];
    header->features = (uint16_t)lam_protocol_get(bytes + 6, 2);
    header->request_id = lam_protocol_get(bytes + 8, 8);
    header->module_id = lam_protocol_get(bytes + 16, 8);
    header->method_id = (uint32_t)lam_protocol_get(bytes + 24, 4);
    header->body_bytes = (uint32_t)lam_protocol_get(bytes + 28, 4);
    if (header->body_bytes > LAM_PROTOCOL_BODY_BYTES_MAX)
        return -EMSGSIZE;
    return count - LAM_PROTOCOL_HEADER_BYTES == header->body_bytes ? 0 : -ENODATA;
}

#ifdef __cplusplus
}
#endif

#endif
