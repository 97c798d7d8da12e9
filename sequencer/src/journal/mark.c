/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/mark.h"

#include <endian.h>
#include <string.h>

#include "lamina/base/crc32c.h"

#define MAGIC   UINT64_C(0x004b52414d4d414c) /* "LAMMARK" */
#define VERSION 1

_Static_assert(sizeof(struct mark) == MARK_BYTES, "as mark.h says");

/* From the disk's order of bytes to ours, or back. */
static void turn_bytes(struct mark *mark)
{
    mark->magic = le64toh(mark->magic);
    mark->version = le32toh(mark->version);
    mark->crc = le32toh(mark->crc);
    mark->turn = le64toh(mark->turn);
    mark->journal = le64toh(mark->journal);
    mark->begun = le64toh(mark->begun);
    mark->index = le64toh(mark->index);
    mark->offset = le64toh(mark->offset);
    mark->epoch = le64toh(mark->epoch);
    mark->next_sequence = le64toh(mark->next_sequence);
}

/* Of the bytes as they lie on a disk. */
static uint32_t crc_of(struct mark mark)
{
    mark.crc = 0;
    return lam_crc32c(0, &mark, sizeof(mark));
}

void mark_write(struct mark *mark, uint8_t *bytes)
{
    struct mark raw;

    mark->magic = MAGIC;
    mark->version = VERSION;
    raw = *mark;
    turn_bytes(&raw);
    mark->crc = crc_of(raw);
    raw.crc = htole32(mark->crc);
    memset(bytes, 0, MARK_SLOT_BYTES);
    memcpy(bytes, &raw, sizeof(raw));
}

static int read_slot(const uint8_t *bytes, uint64_t slot, struct mark *mark)
{
    struct mark raw;

    memcpy(&raw, bytes + slot * MARK_SLOT_BYTES, sizeof(raw));
    *mark = raw;
    turn_bytes(mark);
    return mark->magic == MAGIC && mark->version == VERSION && mark->crc == crc_of(raw) &&
           mark->turn % 2 == slot;
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
