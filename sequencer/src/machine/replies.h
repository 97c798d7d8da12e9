/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_REPLIES_H
#define LAM_SEQUENCER_REPLIES_H

/*
 * replies.h: what one session was answered, from its floor on.
 *
 * A window of slots, by request number. Their bytes lie one behind another in one buffer, in the
 * order in which they came; what the floor has passed stays there as a gap until room is wanted,
 * and then the others are moved together.
 */

#include <stddef.h>
#include <stdint.h>

struct reply_slot {
    uint64_t sequence; /* of the record that was applied */
    uint64_t offset;   /* of its bytes in the buffer */
    uint32_t count;
    uint32_t kind; /* ITEM_REPLY or ITEM_REFUSED; 0: none is kept */
};

/* Zeros: no memory, and none to free. */
struct replies {
    struct reply_slot *slots;
    uint8_t *bytes;
    uint64_t used, capacity;
    uint64_t live;        /* bytes of the buffer that kept replies take */
    uint64_t reply_bytes; /* bytes of kept replies themselves, refusals not counted */
    uint64_t floor;
    uint32_t window;
};

/* Returns 0, or -ENOMEM. */
int replies_create(struct replies *replies, uint32_t window);

void replies_destroy(struct replies *replies);

/* The slot of @request, which is in the window (asserted). */
const struct reply_slot *replies_slot(const struct replies *replies, uint64_t request);

static inline int replies_in_window(const struct replies *replies, uint64_t request)
{
    return request >= replies->floor && request - replies->floor < replies->window;
}

static inline const uint8_t *replies_bytes(
    const struct replies *replies, const struct reply_slot *slot)
{
    return replies->bytes + slot->offset;
}

/* Drop what is below @floor. A lower one than before says nothing. */
void replies_raise(struct replies *replies, uint64_t floor);

/* Keep @bytes of @request, whose slot is empty (asserted). Returns 0, or -ENOMEM. */
int replies_keep(
    struct replies *replies, uint64_t request, const struct reply_slot *slot, const uint8_t *bytes);

#endif
