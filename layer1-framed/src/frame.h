/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_FRAME_H
#define LAM_FRAMED_SRC_FRAME_H

/*
 * frame.h: one event taken apart and checked. It came from another process: every word is loaded
 * once, and what cannot be is refused.
 */

#include <stdint.h>

#include "lamina/framed/message.h"
#include "lamina/ring/event_crc.h"

#define FLAGS_OF_EXTENSIONS (LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)
#define FLAGS_OF_FRAMES     (LAM_EVENT_FIRST_FRAME | LAM_EVENT_LAST_FRAME)

/* A frame, its words loaded. */
struct frame {
    uint64_t message;
    uint64_t total;
    uint64_t offset;
    const uint8_t *piece;
    uint32_t piece_bytes;
    uint32_t sender; /* as in its header */
    uint16_t kind;
    uint16_t cut;
    uint16_t flags;
};

/* 1 the extensions are known ones and there is room for them, 0 impossible. */
static inline int lam_event_is_sound(const struct lam_event *event)
{
    if ((event->flags & ~(FLAGS_OF_EXTENSIONS | FLAGS_OF_FRAMES)) != 0)
        return 0;
    if (event->kind != LAM_FRAMED_KIND_FRAME) {
        if (event->kind >= LAM_EVENT_KIND_RESERVED && event->kind < LAM_FRAMED_KIND_END)
            return 0;
        if ((event->flags & FLAGS_OF_FRAMES) != 0)
            return 0;
    }
    return event->payload_bytes >= lam_event_extension_bytes(event->flags);
}

/* Load the frame that a sound event holds. Returns 1, or 0: impossible by itself. */
int lam_frame_load(const struct lam_event *event, struct frame *frame);

#endif
