/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_NAMES_H
#define LAM_SEQUENCER_NAMES_H

/*
 * names.h: what lies in a journal's folder.
 *
 *     lock                 whoever holds it writes here
 *     mark                 how far the journal is known to be durable: mark.h
 *     segment-N            the batches, N in 16 digits of hex from 0 on: segment.h
 *     aside-N-O-T          a tail that was cut off segment N at offset O; T counts up
 *     archive-N            a segment that recovery does not need any more: retain.c
 *     snapshot-J-N         the state before event N of journal J: snapshot/format.h
 *     making, mark-making  not adopted yet, removed by whoever comes next
 *     snapshot-making      likewise, by the next snapshot
 */

#include <stdint.h>

#define NAME_BYTES           64
#define NAME_LOCK            "lock"
#define NAME_MARK            "mark"
#define NAME_MAKING          "making"
#define NAME_MARK_MAKING     "mark-making"
#define NAME_SNAPSHOT_MAKING "snapshot-making"

void name_segment(char name[NAME_BYTES], uint64_t index);
void name_aside(char name[NAME_BYTES], uint64_t index, uint64_t offset, unsigned turn);

void name_archive(char name[NAME_BYTES], uint64_t index);
void name_snapshot(char name[NAME_BYTES], uint64_t journal, uint64_t next_sequence);

/* Returns 1 and the index, or 0: no segment is called that. */
int name_is_segment(const char *name, uint64_t *index);

/* Returns 1 and its numbers, or 0: no snapshot is called that. */
int name_is_snapshot(const char *name, uint64_t *journal, uint64_t *next_sequence);

#endif
