/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/mark.h"

#include <endian.h>
#include <string.h>

#define MAGIC   UINT64_C(0x004b52414d4d414c) /* "LAMMARK" */
#define VERSION 1

_Static_assert(sizeof(struct mark) == MARK_BYTES, "as mark.h says");

/* From the disk's order of bytes to ours, or back. */
static void turn_bytes(struct mark *mark)
{
    mark->turn = le64toh(mark->turn);
    mark->journal = le64toh(mark->journal);
    mark->begun = le64toh(mark->begun);
    mark->index = le64toh(mark->index);
    mark->offset = le64toh(mark->offset);
    mark->epoch = le64toh(mark->epoch);
    mark->next_sequence = le64toh(mark->next_sequence);
}

void mark_write(const struct mark *mark, uint8_t *bytes)
{
    struct mark raw = *mark;

    turn_bytes(&raw);
    seal_write(&raw, sizeof(raw), MAGIC, VERSION);
    memset(bytes, 0, MARK_SLOT_BYTES);
    memcpy(bytes, &raw, sizeof(raw));
}

static int read_slot(const uint8_t *bytes, uint64_t slot, struct mark *mark)
{
    const uint8_t *at = bytes + slot * MARK_SLOT_BYTES;

    memcpy(mark, at, sizeof(*mark));
    turn_bytes(mark);
    return seal_holds(at, sizeof(*mark), MAGIC, VERSION) && mark->turn % 2 == slot;
}

int mark_read(const uint8_t *bytes, struct mark *mark)
{
    struct mark first, second;
    int has_first = read_slot(bytes, 0, &first), has_second = read_slot(bytes, 1, &second);

    if (!has_first && !has_second)
        return 0;
    *mark = !has_second || (has_first && first.turn > second.turn) ? first : second;
    return 1;
}
