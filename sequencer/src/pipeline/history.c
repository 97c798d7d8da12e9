/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

int history_create(struct history *history, uint64_t capacity, uint64_t from_sequence)
{
    *history = (struct history){
        .capacity = capacity, .from_sequence = from_sequence, .next_sequence = from_sequence};
    history->bytes = malloc(capacity);
    return history->bytes != NULL ? 0 : -ENOMEM;
}

void history_destroy(struct history *history)
{
    free(history->bytes);
    history->bytes = NULL;
}

static struct history_entry *at(const struct history *history, uint64_t position)
{
    return (struct history_entry *)(void *)(history->bytes + (position & (history->capacity - 1)));
}

/* Bytes that it takes, its head and what makes it whole words among them. */
static uint64_t room_of(const struct history *history, uint64_t position)
{
    const struct history_entry *entry = at(history, position);

    if (entry->count == HISTORY_SKIP)
        return history->capacity - (position & (history->capacity - 1));
    return sizeof(*entry) + ((entry->count + UINT64_C(15)) & ~UINT64_C(15));
}

static void make_room(struct history *history, uint64_t bytes)
{
    while (history->end + bytes - history->oldest > history->capacity) {
        const struct history_entry *entry = at(history, history->oldest);

        if (entry->count != HISTORY_SKIP)
            history->from_sequence = entry->sequence + 1;
        history->oldest += room_of(history, history->oldest);
    }
}

void history_add(
    struct history *history, uint64_t sequence, uint32_t index, const void *bytes, uint32_t count)
{
    struct history_entry entry = {.sequence = sequence, .index = index, .count = count};
    uint64_t room = sizeof(entry) + ((count + UINT64_C(15)) & ~UINT64_C(15));
    uint64_t left = history->capacity - (history->end & (history->capacity - 1));

    LAM_ASSERT(room <= history->capacity / 8);
    if (left < room) {
        make_room(history, left);
        at(history, history->end)->count = HISTORY_SKIP;
        history->end += left;
    }
    make_room(history, room);
    memcpy(at(history, history->end), &entry, sizeof(entry));
    memcpy(at(history, history->end) + 1, bytes, count);
    history->end += room;
    history->next_sequence = sequence + 1;
}

const struct history_entry *history_next(
    const struct history *history, uint64_t *position, const uint8_t **bytes)
{
    const struct history_entry *entry;

    if (*position == history->end)
        return NULL;
    if (at(history, *position)->count == HISTORY_SKIP)
        *position += room_of(history, *position);
    if (*position == history->end)
        return NULL;
    entry = at(history, *position);
    *position += room_of(history, *position);
    *bytes = (const uint8_t *)(entry + 1);
    return entry;
}
