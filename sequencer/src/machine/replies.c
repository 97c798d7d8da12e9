/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/replies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "machine/machine.h"

#define BUFFER_BYTES_MIN 256

/* In front of a reply's bytes, so that the buffer can be walked. */
struct piece {
    uint32_t place; /* of the slot */
    uint32_t count;
};

static uint64_t piece_bytes(uint32_t count)
{
    return sizeof(struct piece) + (((uint64_t)count + 7) & ~UINT64_C(7));
}

int replies_create(struct replies *replies, uint32_t window)
{
    memset(replies, 0, sizeof(*replies));
    replies->slots = calloc(window, sizeof(*replies->slots));
    replies->window = window;
    return replies->slots == NULL ? -ENOMEM : 0;
}

void replies_destroy(struct replies *replies)
{
    free(replies->slots);
    free(replies->bytes);
    memset(replies, 0, sizeof(*replies));
}

static uint32_t place_of(const struct replies *replies, uint64_t request)
{
    return (uint32_t)request & (replies->window - 1);
}

const struct reply_slot *replies_slot(const struct replies *replies, uint64_t request)
{
    LAM_ASSERT(replies_in_window(replies, request));
    return &replies->slots[place_of(replies, request)];
}

static void drop(struct replies *replies, struct reply_slot *slot)
{
    if (slot->kind == 0)
        return;
    replies->live -= piece_bytes(slot->count);
    if (slot->kind == ITEM_REPLY)
        replies->reply_bytes -= slot->count;
    slot->kind = 0;
    if (replies->live == 0)
        replies->used = 0;
}

void replies_raise(struct replies *replies, uint64_t floor)
{
    uint64_t count;

    if (floor <= replies->floor)
        return;
    count = floor - replies->floor;
    if (count > replies->window)
        count = replies->window;
    for (uint64_t i = 0; i < count; i++)
        drop(replies, &replies->slots[place_of(replies, replies->floor + i)]);
    replies->floor = floor;
}

/* Move the pieces that are still kept to the front, in their order. */
static void move_together(struct replies *replies)
{
    uint64_t to = 0;

    for (uint64_t from = 0; from < replies->used;) {
        struct piece piece;
        struct reply_slot *slot;
        uint64_t bytes;

        memcpy(&piece, replies->bytes + from, sizeof(piece));
        slot = &replies->slots[piece.place];
        bytes = piece_bytes(piece.count);
        if (slot->kind != 0 && slot->offset == from + sizeof(piece)) {
            memmove(replies->bytes + to, replies->bytes + from, bytes);
            slot->offset = to + sizeof(piece);
            to += bytes;
        }
        from += bytes;
    }
    replies->used = to;
}

/*
 * Half of the buffer is free after each move, so a byte is moved about once. It grows only when
 * more is kept than ever was.
 */
static int make_room(struct replies *replies, uint64_t bytes)
{
    uint64_t wanted = 2 * (replies->live + bytes), capacity = BUFFER_BYTES_MIN;
    uint8_t *grown;

    if (replies->capacity - replies->used >= bytes)
        return 0;
    if (wanted > replies->capacity) {
        while (capacity < wanted)
            capacity *= 2;
        grown = realloc(replies->bytes, capacity);
        if (grown == NULL)
            return -ENOMEM;
        replies->bytes = grown;
        replies->capacity = capacity;
    }
    move_together(replies);
    return 0;
}

int replies_keep(
    struct replies *replies, uint64_t request, const struct reply_slot *slot, const uint8_t *bytes)
{
    struct piece piece = {.place = place_of(replies, request), .count = slot->count};
    struct reply_slot *kept = &replies->slots[piece.place];

    LAM_ASSERT(replies_in_window(replies, request) && kept->kind == 0);
    if (make_room(replies, piece_bytes(piece.count)) != 0)
        return -ENOMEM;
    *kept = *slot;
    kept->offset = replies->used + sizeof(piece);
    memcpy(replies->bytes + replies->used, &piece, sizeof(piece));
    if (piece.count != 0)
        memcpy(replies->bytes + kept->offset, bytes, piece.count);
    replies->used += piece_bytes(piece.count);
    replies->live += piece_bytes(piece.count);
    if (kept->kind == ITEM_REPLY)
        replies->reply_bytes += piece.count;
    return 0;
}
