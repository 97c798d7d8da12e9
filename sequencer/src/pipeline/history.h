/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_HISTORY_H
#define LAM_SEQUENCER_HISTORY_H

/*
 * history.h: what was published last, in memory of a fixed size, the oldest giving way: for
 * subscribers that come back, and for those that read slowly. One thread's.
 *
 * Positions count bytes for ever; what lies at one is a head and its bytes, in one piece.
 */

#include <stdint.h>

struct history {
    uint8_t *bytes;
    uint64_t capacity;      /* a power of two */
    uint64_t oldest, end;   /* positions */
    uint64_t from_sequence; /* all that was published from here on is kept */
    uint64_t next_sequence; /* behind the last one */
};

struct history_entry {
    uint64_t sequence;
    uint32_t index;
    uint32_t count; /* of its bytes; HISTORY_SKIP: nothing to the end of the memory */
};

#define HISTORY_SKIP UINT32_MAX

/* Returns 0, or -ENOMEM. @from_sequence: nothing of before is known. */
int history_create(struct history *history, uint64_t capacity, uint64_t from_sequence);

void history_destroy(struct history *history);

/* Copied. @count: at most an eighth of the capacity, asserted. */
void history_add(
    struct history *history, uint64_t sequence, uint32_t index, const void *bytes, uint32_t count);

/*
 * What lies at *@position, which moves behind it. Returns it with *@bytes, lent until the next add,
 * or NULL: nothing is there yet. Only for positions from @oldest on.
 */
const struct history_entry *history_next(
    const struct history *history, uint64_t *position, const uint8_t **bytes);

#endif
