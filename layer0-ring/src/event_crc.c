/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/event_crc.h"
#include "lamina/base/assert.h"
#include "lamina/base/crc32c.h"

#include <string.h>

static uint32_t crc_of(
    const uint8_t *payload, uint32_t payload_bytes, uint16_t kind, uint16_t flags)
{
    uint64_t shape = lam_event_shape(payload_bytes, kind, flags);
    uint32_t offset = lam_event_crc_offset(flags);
    uint32_t behind = offset + LAM_EVENT_EXTENSION_BYTES;

    if (offset == 0)
        return lam_crc32c_of_word(shape, payload + behind, payload_bytes - behind);
    return lam_crc32c(
        lam_crc32c_of_word(shape, payload, offset), payload + behind, payload_bytes - behind);
}

static int has_room(uint32_t payload_bytes, uint16_t flags)
{
    return (flags & LAM_EVENT_CRC32C) != 0 &&
           payload_bytes >= lam_event_crc_offset(flags) + LAM_EVENT_EXTENSION_BYTES;
}

void lam_event_crc_write(void *payload, uint32_t payload_bytes, uint16_t kind, uint16_t flags)
{
    uint8_t *extension = (uint8_t *)payload + lam_event_crc_offset(flags);
    uint32_t crc;

    LAM_ASSERT(has_room(payload_bytes, flags));
    crc = crc_of(payload, payload_bytes, kind, flags);
    memset(extension, 0, LAM_EVENT_EXTENSION_BYTES);
    memcpy(extension, &crc, sizeof(crc));
}

int lam_event_crc_is_right(const struct lam_event *event)
{
    uint32_t written;

    if (!has_room(event->payload_bytes, event->flags))
        return 0;
    memcpy(&written, (const uint8_t *)event->payload + lam_event_crc_offset(event->flags),
        sizeof(written));
    return written == crc_of(event->payload, event->payload_bytes, event->kind, event->flags);
}
