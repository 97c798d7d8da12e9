/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_WINDOW_H
#define LAM_FRAMED_WINDOW_H

/*
 * lamina/framed/window.h: a look into a message's bytes that never leaves them.
 *
 * Framed, layer 1. Offsets and lengths that stand in a message were written by its sender, and may
 * be anything: every access through a window is checked against it, without sums that could wrap.
 * The first that does not fit spoils the window for good: all later ones fail, too, so a reader may
 * take apart a whole structure and ask once, at its end. What to do then is the reader's to say;
 * lam_framed_receiver_poison() tells both ends of the channel.
 *
 * A load is made once, of bytes that may be anywhere, in the machine's order. A window lends no
 * more than the message does: it is of no use after the release. Where the sender is not trusted,
 * make it over a copy (lamina/framed/take.h, or a receiver that copies).
 *
 * A plain value of the caller's; no call waits, allocates or touches anything else.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lamina/base/inline.h"
#include "lamina/framed/message.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_window {
    /* Fields are private. */
    const uint8_t *bytes;
    uint64_t byte_count;
    int is_spoiled; /* an access was outside */
};

/* Over @byte_count bytes from @bytes on. */
LAM_INLINE struct lam_window lam_window_of(const void *bytes, uint64_t byte_count)
{
    struct lam_window window = {(const uint8_t *)bytes, byte_count, 0};

    return window;
}

/* Over the payload of *@message. */
LAM_INLINE struct lam_window lam_window_of_message(const struct lam_framed_message *message)
{
    return lam_window_of(message->payload, message->payload_bytes);
}

LAM_INLINE uint64_t lam_window_byte_count(const struct lam_window *window)
{
    return window->byte_count;
}

/* 0, or -EBADMSG: some access to this window was outside. */
LAM_INLINE int lam_window_check(const struct lam_window *window)
{
    return window->is_spoiled ? -EBADMSG : 0;
}

/*
 * Where @byte_count bytes from @offset on are: lent as the window is. None at its end are inside.
 *
 * Returns NULL where they are not all inside, and spoils the window.
 */
LAM_INLINE const void *lam_window_at(
    struct lam_window *window, uint64_t offset, uint64_t byte_count)
{
    if (__builtin_expect(window->is_spoiled || offset > window->byte_count ||
                             byte_count > window->byte_count - offset,
            0)) {
        window->is_spoiled = 1;
        return NULL;
    }
    return window->bytes + offset;
}

/*
 * As lam_window_at(), of @count elements of @element_bytes each: where elements of an array are
 * whose length the sender wrote.
 */
LAM_INLINE const void *lam_window_array(
    struct lam_window *window, uint64_t offset, uint64_t count, uint64_t element_bytes)
{
    uint64_t byte_count;

    if (__builtin_expect(__builtin_mul_overflow(count, element_bytes, &byte_count), 0)) {
        window->is_spoiled = 1;
        return NULL;
    }
    return lam_window_at(window, offset, byte_count);
}

/*
 * The window on @byte_count bytes from @offset on.
 *
 * Returns 0 and fills *@part, or -EBADMSG: not all inside. Then *@part is empty, and both are
 * spoiled. A spoiled part does not spoil what it is of.
 */
LAM_INLINE int lam_window_part(
    struct lam_window *window, uint64_t offset, uint64_t byte_count, struct lam_window *part)
{
    const void *at = lam_window_at(window, offset, byte_count);

    *part = lam_window_of(at, at != NULL ? byte_count : 0);
    part->is_spoiled = at == NULL;
    return at != NULL ? 0 : -EBADMSG;
}

/*
 * Copy @byte_count bytes from @offset on to @to, which has room for so many. Returns 0, or
 * -EBADMSG: @to is as it was.
 */
LAM_INLINE int lam_window_copy(
    struct lam_window *window, uint64_t offset, void *to, uint64_t byte_count)
{
    const void *at = lam_window_at(window, offset, byte_count);

    if (__builtin_expect(at == NULL, 0))
        return -EBADMSG; /* and nothing is written: the count may be the peer's, too */
    if (byte_count > 0)
        memcpy(to, at, byte_count);
    return 0;
}

/* Load the number at @offset. Returns 0, or -EBADMSG: not all inside, and *@value is 0. */
LAM_INLINE int lam_window_u8(struct lam_window *window, uint64_t offset, uint8_t *value)
{
    *value = 0;
    return lam_window_copy(window, offset, value, sizeof(*value));
}

LAM_INLINE int lam_window_u16(struct lam_window *window, uint64_t offset, uint16_t *value)
{
    *value = 0;
    return lam_window_copy(window, offset, value, sizeof(*value));
}

LAM_INLINE int lam_window_u32(struct lam_window *window, uint64_t offset, uint32_t *value)
{
    *value = 0;
    return lam_window_copy(window, offset, value, sizeof(*value));
}

LAM_INLINE int lam_window_u64(struct lam_window *window, uint64_t offset, uint64_t *value)
{
    *value = 0;
    return lam_window_copy(window, offset, value, sizeof(*value));
}

#ifdef __cplusplus
}
#endif

#endif
