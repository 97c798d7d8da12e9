/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_MARK_H
#define LAM_SEQUENCER_MARK_H

/*
 * mark.h: how far a journal is known to be durable, kept beside it. What is damaged below the mark
 * was once whole, so it is corrupt, and never taken for a tail that a power cut tore.
 *
 * The file has two slots of MARK_SLOT_BYTES, written in turns, so that one of them is whole at any
 * time. A mark follows the batches: it may be late, and is never early.
 *
 *     byte 0    seal           16  "LAMMARK", version 1, of these 112 bytes: seal.h
 *     byte 16   turn            8  the later of two marks has the larger one
 *     byte 24   journal         8  which journal it is of
 *     byte 32   begun           8  0 as long as there has been no segment
 *     byte 40   index           8  of the segment in which the next batch begins, or would
 *     byte 48   offset          8  where
 *     byte 56   epoch           8
 *     byte 64   next_sequence   8  all before it are durable
 *     byte 72   chain          32
 *     byte 104  reserved        8  zeros
 */

#include "hash/blake3.h"
#include "journal/seal.h"

#define MARK_BYTES      112
#define MARK_SLOT_BYTES 4096
#define MARK_FILE_BYTES (UINT64_C(2) * MARK_SLOT_BYTES)

struct mark {
    struct seal seal;
    uint64_t turn;
    uint64_t journal;
    uint64_t begun;
    uint64_t index;
    uint64_t offset;
    uint64_t epoch;
    uint64_t next_sequence;
    uint8_t chain[BLAKE3_BYTES];
    uint8_t reserved[8];
};

/* Where in the file the mark belongs. */
static inline uint64_t mark_slot(const struct mark *mark)
{
    return mark->turn % 2 * MARK_SLOT_BYTES;
}

/* Fills in MARK_SLOT_BYTES at @bytes, sealed. */
void mark_write(const struct mark *mark, uint8_t *bytes);

/* The later mark in the MARK_FILE_BYTES at @bytes. Returns 1, or 0: none of the two is whole. */
int mark_read(const uint8_t *bytes, struct mark *mark);

#endif
